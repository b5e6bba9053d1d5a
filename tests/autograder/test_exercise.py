"""Declaring Exercises: drawing Cases, refusing what cannot be judged, what the declared lessons promise."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.course import Course
from autograder.exercise import (
    FLOAT32_TOLERANCE,
    FLOAT64_TOLERANCE,
    SETS,
    Case,
    DeclarationError,
    Exercise,
    Mistake,
    clue,
    integers,
    lesson,
    normal,
    uniform,
)
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.rows import plain_case, public, rows, secret, varied
from cnnlab.checking import cases as public_cases
from cnnlab.checking import probe
from cnnlab.checking.assess import assess


def doubled(x: np.ndarray, times: int = 1) -> np.ndarray:
    return 2.0 * times * x


CASES = rows(
    plain_case,
    "basic",
    public("once", x=normal(3)),
    secret("four", x=normal(4)),
    "times",
    public("twice", x=normal(3), times=2),
    secret("thrice", x=normal(4), times=3),
)


def exercise(**changes: Any) -> Exercise:
    """A small Exercise: double an array, `times` times."""
    fields: dict[str, Any] = {
        "name": "doubled",
        "returns": ("y",),
        "reference": doubled,
        "cases": CASES,
        "points": {"basic": 1, "times": 2},
        "mistakes": [Mistake("times ignored", "Multiply by times.", lambda x, times=1: doubled(x))],
        **changes,
    }
    return Exercise(**fields)


def named(declared: Exercise, function: Callable[..., Any]) -> str:
    """Return the Mistake that the public Cases recognise in `function`."""
    questionnaire = declared.public_questions()
    outcomes = [probe.call(function, dict(q.inputs), questionnaire.returns) for q in questionnaire.questions]
    return assess(questionnaire, outcomes).mistake


def raising(x: np.ndarray, times: int = 1) -> np.ndarray:
    raise ValueError("shapes do not fit")


def raising_for_times(x: np.ndarray, times: int = 1) -> np.ndarray:
    return doubled(x) if times == 1 else raising(x)


def test_a_seed_draws_the_same_inputs_again() -> None:
    case = Case("a", group="basic", x=normal(2, 3), w=uniform(4), n=3)
    first, again, other = case.draw(b"one"), case.draw(b"one"), case.draw(b"two")
    assert first["n"] == 3
    for name in ("x", "w"):
        np.testing.assert_array_equal(first[name], again[name])
        assert not np.array_equal(first[name], other[name])


def test_two_cases_of_one_seed_draw_different_inputs() -> None:
    a, b = (Case(words, group="basic", x=normal(5)).draw(b"one")["x"] for words in ("a", "b"))
    assert not np.array_equal(a, b)


def test_a_case_that_is_reworded_draws_the_same_inputs() -> None:
    asked = Case("a", group="basic", x=normal(5))
    reworded = Case("a", words="five values", group="basic", x=normal(5))
    assert (asked.words, reworded.words) == ("a", "five values")
    np.testing.assert_array_equal(asked.draw(b"one")["x"], reworded.draw(b"one")["x"])


def test_a_row_that_is_reworded_asks_the_same_in_other_words() -> None:
    def made(key: str, group: str, size: int) -> Case:
        return Case(key, group=group, x=normal(size), times=2)

    first, second = (
        exercise(cases=rows(made, "basic", *twins), points={"basic": 1})
        for twins in (
            (public("twice", 3), secret("twice", 4)),
            (public("twice", 3, words="two times"), secret("twice", 4, words="2 times")),
        )
    )
    for before, after, words in (
        (first.public_questions(), second.public_questions(), "two times"),
        (first.secret_questions(b"one"), second.secret_questions(b"one"), "2 times"),
    ):
        assert [(q.words, q.group) for q in before.questions] == [("twice", "basic")]
        assert [(q.words, q.group) for q in after.questions] == [(words, "basic")]
        np.testing.assert_array_equal(before.questions[0].inputs["x"], after.questions[0].inputs["x"])


def test_public_and_secret_rows_keep_their_order_each() -> None:
    declared = exercise(
        cases=rows(
            plain_case,
            "basic",
            secret("s1", x=1.0),
            public("p1", x=1.0),
            public("p2", x=1.0),
            secret("s2", x=1.0),
        ),
        points={"basic": 1},
    )
    assert [case.key for case in declared.public] == ["p1", "p2"]
    assert [case.key for case in declared.secret] == ["s1", "s2"]


def test_each_kind_of_draw_gives_its_range_and_dtype() -> None:
    case = Case(
        "a",
        group="basic",
        x=normal(2, 3, dtype="float32"),
        u=uniform(50, low=2.0, high=3.0),
        i=integers(200, low=-1, high=2),
    )
    drawn = case.draw(b"one")
    assert drawn["x"].shape == (2, 3) and drawn["x"].dtype == np.float32
    assert ((drawn["u"] >= 2) & (drawn["u"] < 3)).all()
    assert set(drawn["i"]) == {-1.0, 0.0, 1.0} and drawn["i"].dtype == np.float64


def test_the_questions_hold_what_the_reference_and_the_mistakes_make_of_the_inputs() -> None:
    declared = exercise()
    once, twice = declared.public_questions().questions
    np.testing.assert_allclose(twice.expected["y"], 4 * twice.inputs["x"])
    np.testing.assert_allclose(twice.mistakes["times ignored"].values["y"], 2 * twice.inputs["x"])
    assert (once.words, once.group, once.tolerance) == ("once", "basic", FLOAT64_TOLERANCE)
    assert declared.total == 3


def test_public_and_secret_questions_differ_and_so_do_two_secrets() -> None:
    cases = rows(
        plain_case,
        "basic",
        public("once", x=normal(3)),
        secret("once", x=normal(3)),
        "times",
        public("twice", x=normal(3), times=2),
        secret("twice", x=normal(3), times=2),
    )
    declared = exercise(cases=cases)
    asked = [
        declared.public_questions(),
        declared.secret_questions(b"one"),
        declared.secret_questions(b"two"),
    ]
    assert len({q.questions[0].inputs["x"].tobytes() for q in asked}) == 3


@pytest.mark.parametrize("dtype, expected", [("float32", FLOAT32_TOLERANCE), ("float64", FLOAT64_TOLERANCE)])
def test_the_tolerance_follows_the_inputs(dtype: str, expected: float) -> None:
    cases = [
        Case("by dtype", group="basic", x=normal(3, dtype=dtype)),
        Case("as said", group="times", tolerance=0.5, x=normal(3)),
        *exercise().secret,
    ]
    assert [q.tolerance for q in exercise(cases=cases).public_questions().questions] == [expected, 0.5]


@pytest.mark.parametrize(
    "changes, words",
    [
        (
            {"cases": [*CASES, Case("once", words="again", group="basic", x=1.0)]},
            "public Cases have the same key",
        ),
        (
            {"cases": [*CASES, Case("a", words="once", group="basic", x=1.0)]},
            "public Cases have the same words",
        ),
        (
            {"cases": [*CASES, Case("a", words="four", group="basic", secret=True, x=1.0)]},
            "secret Cases have the same words",
        ),
        ({"cases": [case for case in CASES if not case.secret]}, "groups of the secret Cases"),
        ({"points": {"basic": 1}}, "groups of the public Cases"),
    ],
)
def test_what_cannot_be_judged_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(DeclarationError, match=words):
        exercise(**changes)


def test_a_reference_that_fails_on_a_case_is_refused() -> None:
    with pytest.raises(DeclarationError, match=r"reference fails on 'once'.*shapes do not fit"):
        exercise(reference=raising).public_questions()


def test_an_exception_names_a_mistake_only_where_it_explains_every_failure() -> None:
    declared = exercise(mistakes=[Mistake("once only", "It may be more than once.", raising_for_times)])
    assert named(declared, raising_for_times) == "once only"
    assert named(declared, raising) == ""


def test_a_lesson_keeps_its_exercises_by_name() -> None:
    declared = lesson("1_layers/99_double", [exercise()], without=["torch"], questions={"why": 2})
    assert (declared.assignment, declared.name, declared.without) == ("1_layers", "99_double", ("torch",))
    assert list(declared.exercises) == ["doubled"] and declared.questions == {"why": 2}


def test_declaring_the_lessons_imports_no_heavy_package() -> None:
    script = (
        "import sys; from autograder.exercises import all_lessons; all_lessons();"
        "print(sorted({'torch', 'scipy', 'matplotlib', 'nbgrader', 'jupytext'} & set(sys.modules)))"
    )
    root = Course.here().root
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_lectures_example_gives_the_outputs_that_it_prints(checkout: Course) -> None:
    conv2d_naive = checkout.lesson("1_layers", "02_convolution").exercises["conv2d_naive"]
    (question,) = [q for q in conv2d_naive.public_questions().questions if "the lecture" in q.words]
    first = [[6, 4, 7], [5, 0, 1], [-3, 3, 0]]
    second = [[-1, -8, -1], [3, -6, -2], [-2, -6, -3]]
    np.testing.assert_allclose(question.expected["y"], [[first, second]])


# -- Mistakes as two tables ----------------------------------------------------------------------------------------------


def test_a_mistake_has_its_hint_and_its_function() -> None:
    made = mistakes(
        """
        once: A sentence that is too long
            for one line: it goes on.
        twice: Another.
        """,
        {"once": abs, "twice": str},
    )
    assert [(m.name, m.hint, m.function) for m in made] == [
        ("once", "A sentence that is too long for one line: it goes on.", abs),
        ("twice", "Another.", str),
    ]


def test_one_function_is_told_which_mistake_to_make() -> None:
    made = mistakes("a: One.\nb: Two.", lambda x, slip: (x, slip))
    assert [m.function(3) for m in made] == [(3, "a"), (3, "b")]


@pytest.mark.parametrize(
    "hints, functions, missing",
    [
        ("a: One.", {}, "'a' needs"),
        ("a: One.", {"a": abs, "b": abs}, "'b' needs"),
        ("a: One.\na: Two.", {"a": abs}, "'a: Two.' is to begin"),
        ("a sentence", {}, "'a sentence' is to begin"),
    ],
)
def test_a_mistake_that_is_half_declared_is_named(
    hints: str, functions: dict[str, Any], missing: str
) -> None:
    with pytest.raises(ValueError, match=missing):
        mistakes(hints, functions)


def test_the_name_of_an_exercise_is_new_in_the_whole_course(checkout: Course) -> None:
    lessons = [one for assignment in checkout.assignments() for one in checkout.lessons(assignment)]
    names = [name for one in lessons for name in [*one.exercises, *one.questions]]
    assert len(set(names)) == len(names)


# -- what a Case leaves open ---------------------------------------------------------------------------------------------


def test_what_a_case_leaves_open_is_drawn_anew_for_each_set() -> None:
    def odd(rng: np.random.Generator) -> dict[str, Any]:
        return {"x": normal(2 * int(rng.integers(1, 30)) + 1), "times": int(rng.integers(2, 5))}

    declared = exercise(
        cases=rows(plain_case, "basic", public("once", x=normal(3)), secret("an odd size", free=odd)),
        points={"basic": 1},
    )
    drawn = [declared.secret_questions(b"one", which).questions[0] for which in range(SETS)]
    again = [declared.secret_questions(b"one", which).questions[0] for which in range(SETS)]
    assert {q.words for q in drawn} == {"an odd size"}
    assert all(len(q.inputs["x"]) % 2 == 1 and 2 <= q.inputs["times"] < 5 for q in drawn)
    assert len({(len(q.inputs["x"]), q.inputs["times"]) for q in drawn}) > 1
    for one, other in zip(drawn, again, strict=True):
        np.testing.assert_array_equal(one.inputs["x"], other.inputs["x"])


# -- Cases that differ in one thing --------------------------------------------------------------------------------------


def varying(**things: dict[str, Any]) -> list[Case]:
    return varied(plain_case, public("plain", x=normal(3)), dict(things))


def test_varied_cases_are_asked_last_carry_no_points_and_differ_in_one_thing() -> None:
    declared = exercise(varied=varying(times={"times": 2}, size={"x": normal(5)}))
    asked = declared.public_questions().questions
    assert [q.varies for q in asked[-3:]] == ["plain", "times", "size"] and not any(
        q.varies for q in asked[:-3]
    )
    plain, times, size = asked[-3:]
    assert [q.words for q in asked[-3:]] == ["plain", "times alone", "size alone"]
    np.testing.assert_array_equal(plain.inputs["x"], times.inputs["x"])  # only the argument is another
    assert times.inputs["times"] == 2 and size.inputs["x"].shape == (5,)
    assert declared.total == exercise().total
    assert not any(case.varies for case in declared.secret)


@pytest.mark.parametrize(
    "cases, message",
    [
        (varying()[1:] + varying(times={"times": 2})[1:], "one plain one and others"),
        (
            varying(times={"times": 2}) + varying(times={"times": 3})[1:],
            "have the same words|each for another thing",
        ),
        ([Case("p", group="basic", varies="plain")], "carry no points"),
    ],
)
def test_varied_cases_that_are_none_are_refused(cases: list[Case], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        exercise(varied=cases)


def test_a_clue_names_mistakes_and_arguments_that_there_are() -> None:
    declared = exercise(clues=("Look at x.", clue("Multiply.", "times ignored", arguments=["times"])))
    first, second = declared.public_questions().clues
    assert (first.words, first.mistakes, first.arguments) == ("Look at x.", (), ())
    assert (second.mistakes, second.arguments) == (("times ignored",), ("times",))
    with pytest.raises(DeclarationError, match="names 'time ignored', which is no Mistake"):
        exercise(clues=(clue("Multiply.", "time ignored"),))
    with pytest.raises(DeclarationError, match="names 'factor', which is no Mistake and no argument"):
        exercise(clues=(clue("Multiply.", arguments=["factor"]),))


def test_questions_travel_with_what_they_vary_and_what_clues_are_for(tmp_path: Path) -> None:
    declared = exercise(varied=varying(times={"times": 2}), clues=(clue("Multiply.", "times ignored"),))
    public_cases.save(tmp_path / "a.npz", [declared.public_questions()])
    again = public_cases.load(declared.name, tmp_path)
    assert [q.varies for q in again.questions] == [q.varies for q in declared.public_questions().questions]
    assert again.clues == declared.public_questions().clues
