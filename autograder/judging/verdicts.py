"""Turns Outcomes into Verdicts: which Exercises could be asked, which Cases pass, and the notes to the student."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from nbformat.notebooknode import NotebookNode

from autograder.exercise import Exercise, Lesson
from autograder.judging import cells, points, sentences
from autograder.judging.companions import Submission
from autograder.judging.notes import Notes
from autograder.verdict import Verdict
from cnnlab.checking.assess import Finding, assess
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.question import Questionnaire


def verdicts(
    lesson: Lesson,
    notebook: NotebookNode,
    questionnaires: Mapping[str, Questionnaire],
    outcomes: Mapping[str, Sequence[Outcome]],
    errors: Mapping[int, str],
    submission: Submission,
    failing_in: Callable[[Lesson], Collection[str]],
) -> dict[str, Verdict]:
    """Return the Verdict of each Exercise of a lesson, without points for speed.

    Args:
        lesson: the lesson that the notebook answers.
        notebook: as intake wrote it.
        questionnaires: what is asked and expected, by exercise.
        outcomes: what was answered, by exercise.
        errors: index of a cell -> the exception that it raised.
        submission: what the notebook was handed in with.
        failing_in: returns the Exercises of an earlier lesson that fail.
    """
    answers = cells.answers(notebook)
    findings = {
        name: assess(questionnaire, [_told(outcome, answers.get(name, "")) for outcome in outcomes[name]])
        for name, questionnaire in questionnaires.items()
        if name in outcomes
    }
    failing = {name for name, finding in findings.items() if not finding.passed}
    notes = Notes(lesson, submission, failing, failing_in, notebook)
    raised = _errors_by_exercise(notebook, errors)
    found = {}
    for name, exercise in lesson.exercises.items():
        finding = findings.get(name)
        reason = _why_not_found(exercise, finding, raised.get(name, ""))
        if finding is None or reason:
            found[name] = points.not_found(exercise, reason)
        else:
            cell = answers.get(name, "")
            found[name] = points.decide(exercise, finding, notes.of(finding, cell), cell)
    return found


def _told(outcome: Outcome, cell: str) -> Outcome:
    line = sentences.telling_line(outcome.line, cell)
    return outcome if line == outcome.line else replace(outcome, line=line)


def _errors_by_exercise(notebook: NotebookNode, errors: Mapping[int, str]) -> dict[str, str]:
    """Return exercise -> the exception that its cell raised, for those whose cell raised one."""
    return {
        cells.exercise(notebook.cells[index]): sentences.error_name(error)
        for index, error in errors.items()
        if cells.role(notebook.cells[index]) == "exercise"
    }


def _why_not_found(exercise: Exercise, finding: Finding | None, error: str) -> str:
    """Say why nothing was there to test, "" where there was, or only a stub.

    Args:
        exercise: what was to be tested.
        finding: None where it was not asked.
        error: the exception that its cell raised, if any.
    """
    if finding is None:
        return "the notebook has no check of this exercise"
    if finding.attempted:
        return ""
    if exercise.way.file:
        return f"{exercise.way.file} was not handed in beside the notebook"
    return f"its cell raised {error}, so nothing was there to test" if error else ""
