"""Declares an Exercise: its reference, its Cases, its Mistakes, its points."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from cnnlab.checking import probe
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.question import Clue, Question, Questionnaire
from cnnlab.checking.summaries import summarise
from cnnlab.checking.way import CALL, MODULE_OUTPUTS, Way
from cnnlab.checking.wire import Value

PUBLIC_SEED = b"cnnlab public cases"
VARIED = "one at a time"  # the group of the varied Cases, without points
PLAIN = "plain"  # what the Case is called that they differ from
SETS = 4  # equally hard sets of secret Cases; which one a hand-in is asked is decided when it is taken in
SPEED = "speed"  # the group of points for a fast Answer, where its way has it
FLOAT64_TOLERANCE = 1e-6
FLOAT32_TOLERANCE = 1e-4

Draw = Callable[[np.random.Generator], Value]
Free = Callable[[np.random.Generator], Mapping[str, "Value | Random"]]


class DeclarationError(ValueError):
    """An error in the declaration of an Exercise, which cannot be judged as it is declared."""


@dataclass(frozen=True)
class Random:
    """An input that is drawn from a seed: `draw(rng)` returns the value."""

    draw: Draw


def normal(*shape: int, dtype: str = "float64") -> Random:
    """Return an array input of standard normal values."""
    return Random(lambda rng: rng.standard_normal(shape).astype(dtype))


def uniform(*shape: int, low: float = 0.0, high: float = 1.0) -> Random:
    """Return a float64 array input of values between low and high."""
    return Random(lambda rng: rng.uniform(low, high, shape))


def integers(*shape: int, low: int, high: int) -> Random:
    """Return a float64 array input of whole numbers from low to high - 1, so that values repeat and ties occur."""
    return Random(lambda rng: rng.integers(low, high, shape).astype(np.float64))


class Case:
    """One set of inputs for an Exercise: fixed values, and `Random` ones that are drawn from a seed.

    Args:
        key: the Case's permanent name, which decides, with the seed, the drawn inputs: a new key draws new inputs.
        group: the name of the group whose points it decides.
        words: the Case in words, shown to students; by default the key.
        tolerance: the relative tolerance; by default it follows the inputs' dtype.
        secret: whether the Case grades; otherwise `check` asks it.
        varies: the one thing in which it differs from the plain Case of its Exercise, PLAIN for that one, "" for all
            others.
        free: draws what the words leave open within bounds, as the size in "kernel 2 on an odd size": given a generator, it
            returns inputs, which are drawn before and beside the others. They differ from set to set.
        inputs: argument name -> plain value, array or Random.
    """

    def __init__(
        self,
        key: str,
        /,
        *,
        group: str,
        words: str = "",
        tolerance: float | None = None,
        secret: bool = False,
        varies: str = "",
        free: Free | None = None,
        **inputs: Value | Random,
    ) -> None:
        self.key, self.group, self.words = key, group, words or key
        self.tolerance, self.secret, self.inputs = tolerance, secret, inputs
        self.varies, self.free = varies, free

    @property
    def names(self) -> set[str]:
        """The names of the inputs, for which nothing is drawn but what the Case leaves open."""
        return {*(self.free(np.random.default_rng(0)) if self.free else ()), *self.inputs}

    def draw(self, seed: bytes) -> dict[str, Value]:
        """Return the inputs drawn from `seed`; the same seed gives the same inputs."""
        digest = hashlib.sha256(seed + b"\0" + self.key.encode()).digest()
        rng = np.random.default_rng(np.frombuffer(digest, np.uint32))
        inputs = {**(self.free(rng) if self.free else {}), **self.inputs}
        return {
            name: value.draw(rng) if isinstance(value, Random) else value for name, value in inputs.items()
        }


@dataclass(frozen=True)
class Mistake:
    """A named wrong implementation, with one sentence that tells students what they did and what to do.

    A Mistake proves that the Cases are strong enough, and it recognises what a student got wrong.
    """

    name: str
    hint: str
    function: Callable[..., Any]


@dataclass(frozen=True)
class Exercise:
    """One thing that a student writes, with everything that decides whether it is right.

    Args:
        name: the function's name, which is the Exercise's name everywhere.
        returns: the outputs' names.
        reference: an implementation independent of the solution.
        cases: the public Cases, which `check` asks, and the secret ones, which grade and are drawn from the course's
            secret; `autograder.exercises.rows` lists them group by group.
        points: group -> points, for the groups of the secret Cases.
        mistakes: the known wrong implementations.
        few_mistakes: the reason where there are fewer than three.
        varied: a plain public Case and small ones that differ from it in one thing each; they carry no points, are asked
            last, and tell which argument an Answer gets wrong; `autograder.exercises.rows.varied` makes them.
        clues: hints that `check` shows one by one, from a nudge to nearly the code.
        way: how the Exercise is asked, where that is more than a call.
    """

    name: str
    returns: tuple[str, ...]
    reference: Callable[..., Any]
    cases: Sequence[Case]
    points: Mapping[str, float]
    mistakes: Sequence[Mistake] = field(default_factory=tuple)
    few_mistakes: str = ""
    varied: Sequence[Case] = ()
    clues: Sequence[str | Clue] = ()
    way: Way = CALL

    def __post_init__(self) -> None:
        for which, cases in (("public", self.public), ("secret", self.secret)):
            for what, asked in (("key", [case for case in cases if not case.varies]), ("words", cases)):
                if len({getattr(case, what) for case in asked}) != len(asked):
                    raise DeclarationError(f"{self.name}: two {which} Cases have the same {what}")
            if {case.group for case in cases} - {VARIED} != set(self.points) - (
                {SPEED} if self.way.speed else set()
            ):
                raise DeclarationError(
                    f"{self.name}: the groups of the {which} Cases are not the groups that carry points"
                )
        self._verify_way()
        self._verify_varied()
        self._verify_clues()

    def _verify_varied(self) -> None:
        """Raise DeclarationError where the Cases that differ in one thing are not those of one plain Case."""
        if not self.varied:
            return
        things = [case.varies for case in self.varied]
        if things.count(PLAIN) != 1 or len(set(things)) != len(things) or "" in things:
            raise DeclarationError(
                f"{self.name}: its varied Cases are one plain one and others, each for another thing"
            )
        if any(case.group != VARIED or case.secret for case in self.varied):
            raise DeclarationError(f"{self.name}: its varied Cases are public and carry no points")

    def _verify_clues(self) -> None:
        """Raise DeclarationError where a clue names a Mistake or an argument that the Exercise does not have."""
        arguments = {name for case in self.cases for name in case.names} | {
            case.varies for case in self.varied
        }
        for clue in map(_clue, self.clues):
            known = {mistake.name for mistake in self.mistakes}
            for name in [*(set(clue.mistakes) - known), *(set(clue.arguments) - arguments)]:
                raise DeclarationError(
                    f"{self.name}: a clue names {name!r}, which is no Mistake and no argument of it"
                )

    def _verify_way(self) -> None:
        """Raise DeclarationError where the Exercise's way cannot ask its outputs or its Cases."""
        way = self.way
        if way.module and not set(self.returns) <= MODULE_OUTPUTS.keys():
            raise DeclarationError(
                f"{self.name}: the outputs of a module are among {', '.join(MODULE_OUTPUTS)}"
            )
        if way.table and len(self.returns) != 1:
            raise DeclarationError(f"{self.name}: a table is one output")
        for needed in filter(None, (way.module, way.script)):
            for case in self.cases:
                if needed not in case.names:
                    raise DeclarationError(
                        f"{self.name}: {case.words!r} has no input {needed}, which its way names"
                    )

    @property
    def public(self) -> tuple[Case, ...]:
        """The public Cases, which `check` asks, in order: those that carry points, then the varied ones."""
        return (*(case for case in self.cases if not case.secret), *self.varied)

    @property
    def secret(self) -> tuple[Case, ...]:
        """The secret Cases, which grade, in order."""
        return tuple(case for case in self.cases if case.secret)

    @property
    def total(self) -> float:
        """The sum of all points of the Exercise."""
        return sum(self.points.values())

    def draw(self, seed: bytes, cases: Sequence[Case]) -> list[dict[str, Value]]:
        """Draw the inputs of `cases` from `seed`."""
        return [case.draw(seed + self.name.encode()) for case in cases]

    def ask(self, seed: bytes, cases: Sequence[Case]) -> Questionnaire:
        """Draw `cases` from `seed` and compute the results of the reference and of each Mistake."""
        questions = []
        for case, inputs in zip(cases, self.draw(seed, cases), strict=True):
            expected = self._summed(self.reference, inputs)
            if expected.kind != "values":
                raise DeclarationError(
                    f"{self.name}: the reference fails on {case.words!r}: {expected.message}"
                )
            wrong = {m.name: self._summed(m.function, inputs) for m in self.mistakes}
            tolerance = case.tolerance if case.tolerance is not None else _tolerance(inputs)
            questions.append(
                Question(case.words, case.group, inputs, expected.values, tolerance, wrong, case.varies)
            )
        hints = {m.name: m.hint for m in self.mistakes}
        return Questionnaire(
            self.name, self.returns, tuple(questions), hints, self.way, tuple(map(_clue, self.clues))
        )

    def _summed(self, function: Callable[..., Any], inputs: dict[str, Value]) -> Outcome:
        """Return the result of `function` for one Case, summarised like an Answer's Outcome.

        The line number of an exception is left out, because it is a line of our code and changes with every edit of a
        declaration. Where a student hands in trained weights, `function` takes no arguments and returns them: name -> array.
        """
        given = {} if self.way.file else inputs
        outcome = probe.ask(function, given, self.returns, self.way)
        return replace(summarise(self.way.summary, inputs, outcome), line=None)

    def public_questions(self) -> Questionnaire:
        """Return the public Cases with their results, which are the same in every course."""
        return self.ask(PUBLIC_SEED, self.public)

    def secret_questions(self, secret: bytes, which: int = 0) -> Questionnaire:
        """Return a set of secret Cases, with their results.

        Args:
            secret: the course's.
            which: the set, from 0 to SETS - 1.
        """
        return self.ask(seed_of(secret, which), self.secret)


@dataclass(frozen=True, eq=False)  # each lesson has one object, which can be a key
class Lesson:
    """The Exercises of one lesson.

    Args:
        assignment, name: the lesson's place, as in solutions/1_layers/02_convolution.py.
        exercises: name -> Exercise.
        without: the packages that students' code cannot import in this lesson.
        questions: name -> points of the free-text questions, which a person grades.
        resources: the resources that a worker must declare, as in {"GPU": 1}.
    """

    assignment: str
    name: str
    exercises: Mapping[str, Exercise]
    without: tuple[str, ...] = ()
    questions: Mapping[str, float] = field(default_factory=dict)
    resources: Mapping[str, float] = field(default_factory=dict)

    @property
    def total(self) -> float:
        """The sum of all points of its Exercises."""
        return sum(exercise.total for exercise in self.exercises.values())

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the files that students hand in beside the notebook."""
        return tuple(e.way.file for e in self.exercises.values() if e.way.file)


def lesson(
    path: str,
    exercises: Sequence[Exercise],
    *,
    without: Sequence[str] = (),
    questions: Mapping[str, float] | None = None,
) -> Lesson:
    """Declare a lesson and its Exercises.

    Args:
        path: the lesson's place, as in "1_layers/02_convolution".
        exercises: its Exercises, in order.
        without: the packages that students' code cannot import in this lesson.
        questions: name -> points of the free-text questions, which a person grades.
    """
    assignment, name = path.split("/")
    return Lesson(assignment, name, {e.name: e for e in exercises}, tuple(without), dict(questions or {}))


def seed_of(secret: bytes, which: int) -> bytes:
    """Return the seed of a set of secret Cases; that of set 0 is the secret itself.

    Args:
        secret: the course's.
        which: the set, from 0 to SETS - 1.
    """
    if not 0 <= which < SETS:
        raise ValueError(f"there are sets 0 to {SETS - 1} of secret Cases, not {which}")
    return hashlib.sha256(secret + b"\0set %d" % which).digest() if which else secret


def clue(words: str, *mistakes: str, arguments: Sequence[str] = ()) -> Clue:
    """Return a clue that helps with some Mistakes, or where Cases fail that differ in some arguments.

    Args:
        words: what it says.
        mistakes: their names.
        arguments: the arguments' names, or what varied Cases differ in.
    """
    return Clue(words, mistakes, tuple(arguments))


def _clue(given: str | Clue) -> Clue:
    return given if isinstance(given, Clue) else Clue(given)


def _tolerance(inputs: Mapping[str, Value]) -> float:
    arrays = [value for value in inputs.values() if isinstance(value, np.ndarray)]
    single = any(a.dtype in (np.float32, np.float16) for a in arrays)
    return FLOAT32_TOLERANCE if single else FLOAT64_TOLERANCE
