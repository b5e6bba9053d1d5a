"""The judge: runs a notebook in the sandbox, compares its Outcomes on the secret Cases, and decides the Verdicts."""

from __future__ import annotations

import builtins
import hashlib
import json
import re
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from nbformat.notebooknode import NotebookNode

from autograder import sandbox
from autograder.course import Course
from autograder.exercise import FLOAT32_TOLERANCE, SPEED, Exercise, Lesson
from autograder.judging import grader_version, secret_cases
from autograder.judging.companions import ALONE, RUN_ROLES, WORD, Submission, role
from autograder.judging.journal import Journal
from autograder.sandbox import STOPPED, Limits, Probe, RunCell, Timing, Transcript
from autograder.sandbox.race import REPETITIONS
from autograder.verdict import CaseVerdict, Verdict
from cnnlab.checking import handin
from cnnlab.checking.assess import CaseResult, Finding, Questionnaire, assess
from cnnlab.checking.compare import compare
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.probe import same
from cnnlab.checking.speed import TASKS

MAX_LINE = 200  # of a cell, that a sentence names


@dataclass(frozen=True)
class Judgement:
    """All that grading one notebook found out.

    verdicts: by exercise; printed: index of a cell in the notebook -> what the student's cell printed, and the error it
    raised; flags: sentences for the instructor; seconds: wall time in the sandbox; key: the journal's, "" where nobody
    has worked it out.
    """

    verdicts: dict[str, Verdict]
    printed: dict[int, str]
    flags: tuple[str, ...]
    seconds: float
    key: str = field(default="", compare=False)

    def as_json(self) -> dict[str, Any]:
        """Return the Judgement as plain JSON values, for the journal."""
        return {
            "verdicts": {name: verdict.as_json() for name, verdict in self.verdicts.items()},
            "printed": {str(index): text for index, text in self.printed.items()},
            "flags": list(self.flags),
            "seconds": round(self.seconds, 3),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Judgement:
        """Rebuild a Judgement from the journal."""
        return cls(
            {name: Verdict.from_json(verdict) for name, verdict in data["verdicts"].items()},
            {int(index): text for index, text in data["printed"].items()},
            tuple(data["flags"]),
            data["seconds"],
        )


def judge_notebook(
    course: Course,
    lesson: Lesson,
    notebook: NotebookNode,
    submission: Submission = ALONE,
    *,
    limits: Limits | None = None,
    bare: bool = False,
    stop: threading.Event | None = None,
) -> Judgement:
    """Run a notebook that intake wrote, and decide the points of each of its Exercises.

    The Judgement is kept in the course's journal: the same cells, secret and grader give it again without running
    anything. submission: what it was handed in with, whose earlier lessons lend their Answers; bare: run without a
    sandbox (only where the instructor said so); stop: as in sandbox.run. Raises SandboxError where the sandbox cannot be
    started or was stopped; nothing is recorded then.
    """
    steps = plan(lesson, notebook)
    library = submission.library(lesson, notebook)
    key = judgement_key(course, lesson, notebook, submission)
    journal = _journal(course.work / "journal.jsonl")
    known = journal.find(key)
    if known:
        return replace(Judgement.from_json(known), key=key)
    questionnaires = secret_cases.questionnaires(course, lesson)
    began = time.monotonic()
    filled = [_with_cases(step, questionnaires) for step in steps]
    transcript = sandbox.run(
        filled, without=lesson.without, library=library, limits=limits, bare=bare, stop=stop
    )
    seconds = time.monotonic() - began
    transcript.outcomes |= _handed_in(questionnaires, submission)
    for name, outcomes in transcript.outcomes.items():
        if questionnaires[name].way.rng:
            transcript.outcomes[name] = _fairly_drawn(questionnaires[name], outcomes)

    def race(asked: Probe, task: str) -> Timing:
        until = steps.index(asked.exercise)  # as it stood at its check
        before = [s for s in steps[:until] if isinstance(s, RunCell) and s.index not in transcript.destroyed]
        return sandbox.race(
            before, asked, task, without=lesson.without, library=library, limits=limits, bare=bare, stop=stop
        )

    @cache
    def fails(other: Lesson) -> set[str]:
        theirs = submission.notebook(other)
        if theirs is None:
            return set(other.exercises)
        judged = judge_notebook(course, other, theirs, submission, limits=limits, bare=bare, stop=stop)
        return {name for name, verdict in judged.verdicts.items() if verdict.status != "passed"}

    verdicts = _verdicts(lesson, questionnaires, transcript, notebook, _Earlier(lesson, submission, fails))
    judgement = Judgement(
        {name: _raced(verdict, course, lesson, race) for name, verdict in verdicts.items()},
        _printed(notebook, transcript),
        (*transcript.flags, *_stopped(transcript), *(["judged without a sandbox"] if bare else [])),
        seconds,
        key,
    )
    versions = {"python": sys.version.split()[0], "numpy": np.__version__}
    journal.add(
        key, {**judgement.as_json(), "lesson": f"{lesson.assignment}/{lesson.name}", "versions": versions}
    )
    return judgement


def plan(lesson: Lesson, notebook: NotebookNode) -> list[RunCell | str]:
    """Return what is run of a notebook, in its order: cells, and the names of Exercises where they are probed."""
    steps: list[RunCell | str] = []
    for index, cell in enumerate(notebook.cells):
        if role(cell) == "check" and _name(cell) in lesson.exercises:
            if not lesson.exercises[_name(cell)].way.file:
                steps.append(_name(cell))
        elif cell["cell_type"] == "code" and role(cell) in RUN_ROLES:
            steps.append(RunCell(index, cell["source"]))
    return steps


def _with_cases(step: RunCell | str, questionnaires: dict[str, Questionnaire]) -> RunCell | Probe:
    if isinstance(step, RunCell):
        return step
    questionnaire = questionnaires[step]
    known = _probes.get(id(questionnaire))
    if known is None or known[0] is not questionnaire:
        known = _probes[id(questionnaire)] = questionnaire, _probe(step, questionnaire)
    return known[1]


# One for all submissions, which are asked the same: (Questionnaire, what is asked of it), by the former's id.
_probes: dict[int, tuple[Questionnaire, Probe]] = {}


def _probe(exercise: str, questionnaire: Questionnaire) -> Probe:
    cases = tuple(q.inputs for q in questionnaire.questions)
    if rng := questionnaire.way.rng:
        cases += (*cases, *({**case, rng: case[rng] + 1} for case in cases))  # as _fairly_drawn reads them
    return Probe(exercise, questionnaire.returns, cases, questionnaire.way)


def _fairly_drawn(questionnaire: Questionnaire, outcomes: list[Outcome]) -> list[Outcome]:
    """Return the Outcomes of an Exercise that draws at random, those that its rng did not decide as "bad output".

    outcomes: of all Cases, of all again, and of all with other seeds. The sandbox looks at this too, but what it says
    can be changed there, and so can rng itself.
    """
    count = len(questionnaire.questions)
    firsts, again, others = (outcomes[start : start + count] for start in (0, count, 2 * count))
    pairs = [(a, b) for a, b in zip(firsts, others, strict=True) if a.kind == b.kind == "values"]
    deaf = bool(pairs) and all(same(a.values, b.values) for a, b in pairs)
    bad = Outcome("bad output", message="its result is not decided by its rng")
    return [
        bad if a.kind == "values" and (deaf or b.kind != "values" or not same(a.values, b.values)) else a
        for a, b in zip(firsts, again, strict=True)
    ]


def _handed_in(questionnaires: dict[str, Questionnaire], submission: Submission) -> dict[str, list[Outcome]]:
    """Return the Outcomes of the Exercises that are judged by a file: the weights in it, once for every Case."""
    outcomes = {}
    for name, questionnaire in questionnaires.items():
        if file := questionnaire.way.file:
            data = submission.file(file)
            missing = Outcome("not attempted", message=f"{file} was not handed in")
            outcome = missing if data is None else handin.weights_from_bytes(data, file)
            outcomes[name] = [outcome] * len(questionnaire.questions)
    return outcomes


@dataclass
class _Earlier:
    """The earlier lessons of the same submission, judged only where something that names them fails."""

    lesson: Lesson
    submission: Submission
    fails: Callable[[Lesson], set[str]]

    def notes(self, source: str) -> list[str]:
        """Say which earlier Answers a cell names that fail or were not handed in."""
        words, notes = set(WORD.findall(source)), []
        for other in self.submission.earlier(self.lesson):
            named = [name for name in other.exercises if name in words]
            if not named:
                continue
            if self.submission.notebook(other) is None:
                notes.append(f"depends on {' and '.join(named)} of {other.name}, which is not handed in")
            else:
                failing = self.fails(other)
                notes += [
                    f"depends on {name} of {other.name}, which fails" for name in named if name in failing
                ]
        return notes


def _verdicts(
    lesson: Lesson,
    questionnaires: dict[str, Questionnaire],
    transcript: Transcript,
    notebook: NotebookNode,
    before: _Earlier,
) -> dict[str, Verdict]:
    sources = {_name(cell): cell.source for cell in notebook.cells if role(cell) == "exercise"}
    findings = {}
    for name, questionnaire in questionnaires.items():
        outcomes = transcript.outcomes.get(name)
        if outcomes is not None:
            lines = sources.get(name, "").count("\n") + 1
            findings[name] = assess(questionnaire, [_with_line_of(outcome, lines) for outcome in outcomes])
    broken = _broken_cells(notebook, transcript)
    failing = {name for name, finding in findings.items() if not finding.passed}
    verdicts = {}
    for name, exercise in lesson.exercises.items():
        if name not in findings:
            verdicts[name] = missing(exercise, "the notebook has no check of this exercise")
        elif exercise.way.file and not findings[name].attempted:
            verdicts[name] = missing(exercise, f"{exercise.way.file} was not handed in beside the notebook")
        elif name in broken and not findings[name].attempted:
            verdicts[name] = missing(
                exercise, f"its cell raised {broken[name]}, so nothing was there to test"
            )
        else:
            notes = _notes(lesson, name, findings[name], failing, sources.get(name, ""))
            if not findings[name].passed:
                notes += before.notes(sources.get(name, ""))
            verdicts[name] = decide(exercise, findings[name], notes)
    return verdicts


def _broken_cells(notebook: NotebookNode, transcript: Transcript) -> dict[str, str]:
    """Return exercise -> the exception that its cell raised, for those whose cell raised one."""
    broken = {}
    for index, error in transcript.errors.items():
        if role(notebook.cells[index]) == "exercise":
            broken[_name(notebook.cells[index])] = error if _is_builtin_error(error) else "an error"
    return broken


def _with_line_of(outcome: Outcome, lines: int) -> Outcome:
    """Leave out a line that the cell does not have, or a high one: it may be the student's choice, and carry an input."""
    most = min(lines, MAX_LINE)
    return outcome if outcome.line is None or outcome.line <= most else replace(outcome, line=None)


def decide(exercise: Exercise, finding: Finding, notes: Sequence[str] = ()) -> Verdict:
    """Give the points of each group whose Cases all pass, and say what went wrong without a word of the secret Cases."""
    groups = {}
    for group, points in exercise.points.items():
        if group == SPEED and exercise.way.speed:
            groups[group] = (0.0, float(points))  # decided by a race, when all else is right
            continue
        won = all(r.passed for r in finding.results if r.question.group == group)
        groups[group] = (float(points) if won else 0.0, float(points))
    status = "passed" if finding.passed else "failed" if finding.attempted else "not attempted"
    cases = tuple(
        CaseVerdict(r.question.words, r.question.group, r.passed, "" if r.passed else _sentence(exercise, r))
        for r in finding.results
    )
    points = sum(won for won, _ in groups.values())
    return Verdict(
        exercise.name,
        points,
        exercise.total,
        status,
        groups,
        cases,
        finding.mistake,
        finding.hint,
        tuple(notes),
    )


def _raced(verdict: Verdict, course: Course, lesson: Lesson, race: Callable[..., Timing]) -> Verdict:
    """Have a right Answer timed where its Exercise asks for speed, and add what came of it."""
    exercise = lesson.exercises[verdict.exercise]
    if not exercise.way.speed or verdict.status != "passed":
        return verdict
    task, points = TASKS[exercise.way.speed], float(exercise.points[SPEED])
    cases = tuple(secret_cases.large_inputs(exercise, course.secret(), turn) for turn in range(REPETITIONS))
    timing = race(Probe(exercise.name, exercise.returns, cases, exercise.way), exercise.way.speed)
    if timing.outcome.kind != "values":
        sentence = STOPPED.get(timing.outcome.kind, "it failed on the large input")
    elif compare(
        secret_cases.on_large_inputs(course, lesson, exercise, timing.turn), timing.outcome, FLOAT32_TOLERANCE
    ):
        sentence = "it has wrong values on the large input"
    elif timing.ratio > task.at_most:
        sentence = f"it takes {timing.ratio:.2g} times as long as the matrix product; at most {task.at_most:g} is fast"
    else:
        sentence = ""
    words = f"{task.words}: at most {task.at_most:g} times the CPU time of the bare matrix product"
    won = 0.0 if sentence else points
    return replace(
        verdict,
        points=verdict.points + won,
        status="failed" if sentence else "passed",
        groups={**verdict.groups, SPEED: (won, points)},
        cases=(*verdict.cases, CaseVerdict(words, SPEED, not sentence, sentence)),
    )


def missing(exercise: Exercise, reason: str) -> Verdict:
    """The Verdict of an Exercise that could not be asked: no points, and why."""
    groups = {group: (0.0, float(points)) for group, points in exercise.points.items()}
    return Verdict(exercise.name, 0.0, exercise.total, "not found", groups, notes=(reason,))


def _notes(lesson: Lesson, name: str, finding: Finding, failing: set[str], source: str) -> list[str]:
    notes = []
    if finding.passed:
        return notes
    messages = " ".join(r.outcome.message for r in finding.failed)
    notes += [
        f"{p} is not available in this lesson: write it {'with NumPy' if 'torch' in lesson.without else 'yourself'}"
        for p in lesson.without
        if _blocked(p, messages)
    ]
    earlier = list(lesson.exercises)[: list(lesson.exercises).index(name)]
    notes += [
        f"depends on {e}, which fails" for e in earlier if e in failing and re.search(rf"\b{e}\b", source)
    ]
    return notes


def _blocked(package: str, messages: str) -> bool:
    return (
        f"{package} is not available in this lesson" in messages or f"No module named '{package}'" in messages
    )


def _sentence(exercise: Exercise, result: CaseResult) -> str:
    """What went wrong in one Case. The student's own words are left out: they could carry a secret input."""
    outcome, difference = result.outcome, result.difference
    if exercise.way.file and difference:  # no code of the student's saw the inputs, and all words are ours
        return difference.sentence
    if outcome.kind == "error":
        kind = outcome.error if _is_builtin_error(outcome.error) else "an error"
        return f"it raised {kind}" + (f" in line {outcome.line} of the cell" if outcome.line else "")
    if outcome.kind == "bad output":
        if exercise.way.module:
            return "what it built did not run: it is no module, or gave no plain tensor, or no gradient flowed back"
        if exercise.way.script:
            return (
                "a call changed its argument, or something it returned or held was missing or no plain value"
            )
        if exercise.way.table:
            return f"it did not return a list of rows with the columns {', '.join(exercise.way.table)}"
        drew = ", or took chance from elsewhere than its rng" if exercise.way.rng else ""
        return f"it changed its arguments, or returned something other than plain arrays and numbers{drew}"
    if outcome.kind != "values" or difference is None:
        return STOPPED.get(outcome.kind, "it is not attempted")
    name = difference.name
    return {
        "length": f"{name} has too few or too many items",
        "shape": f"{name} has the wrong shape",
        "dtype": f"{name} has the wrong dtype",
        "type": f"{name} has the wrong type",
        "finite": f"{name} has infinite or undefined values, or lacks them",
        "value": f"{name} has wrong values",
    }[difference.what]


def _is_builtin_error(name: str) -> bool:
    kind = getattr(builtins, name, None)
    return isinstance(kind, type) and issubclass(kind, BaseException)


def _stopped(transcript: Transcript) -> list[str]:
    """A flag for each Exercise that had to be stopped, or that ended its process."""
    flags = []
    for exercise, outcomes in transcript.outcomes.items():
        said = dict.fromkeys(STOPPED[outcome.kind] for outcome in outcomes if outcome.kind in STOPPED)
        flags += [f"{exercise}: {words}" for words in said]
    return flags


def _printed(notebook: NotebookNode, transcript: Transcript) -> dict[int, str]:
    printed = {}
    for index in sorted({*transcript.printed, *transcript.errors}):
        text, error = transcript.printed.get(index, ""), transcript.errors.get(index, "")
        if error and error not in text:
            text += f"[{error}]"
        if text:
            printed[index] = text
    return printed


def _name(cell: NotebookNode) -> str:
    return cell["metadata"].get("cnnlab", {}).get("name", "")


def judgement_key(
    course: Course, lesson: Lesson, notebook: NotebookNode, submission: Submission = ALONE
) -> str:
    """Return the journal's key of a notebook: equal for equal cells, files, earlier lessons, secret and grader."""
    # With their places: what was printed is kept by them.
    cells = [[i, role(c), _name(c), c.source] for i, c in enumerate(notebook.cells) if c.cell_type == "code"]
    files = [[name, _digest(submission.file(name))] for name in lesson.files]
    library = submission.library(lesson, notebook)
    said = json.dumps([lesson.assignment, lesson.name, cells, files, library, grader_version.grader()])
    return hashlib.sha256(course.secret() + said.encode()).hexdigest()


def _digest(data: bytes | None) -> str:
    return "" if data is None else hashlib.sha256(data).hexdigest()


@cache
def _journal(path: Path) -> Journal:
    return Journal(path)
