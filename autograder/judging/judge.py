"""The judge: runs a notebook in the sandbox, compares its Outcomes on the secret Cases, and decides the Verdicts."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from nbformat.notebooknode import NotebookNode

from autograder import sandbox
from autograder.course import Course
from autograder.exercise import Lesson
from autograder.judging import judgement, later, outcomes, points, secret_cases, speed
from autograder.judging.companions import ALONE, Submission
from autograder.judging.judgement import Judgement, judgement_key
from autograder.judging.plan import LATER, plan, with_cases
from autograder.judging.verdicts import verdicts
from autograder.sandbox import STOPPED, Limits, Probe, RunCell, Timing, Transcript
from autograder.verdict import Verdict
from cnnlab.checking.outcome import Outcome


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
    anything.

    Args:
        course: the course, from whose secret the Cases are drawn.
        lesson: the lesson that the notebook answers.
        notebook: as intake wrote it.
        submission: what it was handed in with; its earlier lessons lend their Answers.
        limits: what the submission may use.
        bare: run without a sandbox, only where the instructor said so.
        stop: set to have the sandbox ended.

    Raises:
        SandboxError: where the sandbox cannot be started or was stopped; nothing is recorded then.
    """
    key = judgement_key(course, lesson, notebook, submission)
    if known := judgement.find(course, key):
        return known
    steps, library = plan(lesson, notebook), submission.library(lesson, notebook)
    questionnaires = secret_cases.questionnaires(course, lesson, submission.secret_set(lesson))
    began = time.monotonic()
    transcript = sandbox.run(
        with_cases(steps, questionnaires),
        without=lesson.without,
        library=library,
        limits=limits,
        bare=bare,
        stop=stop,
    )
    seconds = time.monotonic() - began

    @cache
    def failing_in(other: Lesson) -> set[str]:
        theirs = submission.notebook(other)
        if theirs is None:
            return set(other.exercises)
        judged = judge_notebook(course, other, theirs, submission, limits=limits, bare=bare, stop=stop)
        return {name for name, verdict in judged.verdicts.items() if not points.is_right(verdict)}

    def decided(
        notebook: NotebookNode,
        answered: Mapping[str, Sequence[Outcome]],
        names: Iterable[str],
        ending: str = "",
    ) -> dict[str, Verdict]:
        """Decide the points of some Exercises; ending: that of the names of the steps at which they were asked."""

        def race(asked: Probe, task: str) -> Timing:
            before = _cells_before(f"{asked.exercise}{ending}", steps, transcript)
            return sandbox.race(
                before,
                asked,
                task,
                without=lesson.without,
                library=library,
                limits=limits,
                bare=bare,
                stop=stop,
            )

        found = verdicts(
            lesson, notebook, questionnaires, answered, transcript.errors, submission, failing_in
        )
        return {name: speed.raced(found[name], course, lesson, race) for name in names}

    at_check, below = later.apart(transcript.outcomes)
    answered = outcomes.to_be_judged(questionnaires, at_check, submission)
    chosen, flags = decided(notebook, answered, lesson.exercises), list[str]()
    if below:
        answered_below = outcomes.to_be_judged(questionnaires, below, submission)
        again = decided(later.notebook_of(notebook), answered | answered_below, below, LATER)
        chosen, flags = later.better(notebook, chosen, again)
    found = Judgement(
        chosen,
        _printed(transcript),
        (*transcript.flags, *flags, *_stopped(answered), *(["judged without a sandbox"] if bare else [])),
        seconds,
        key,
    )
    judgement.keep(course, lesson, found)
    return found


def _cells_before(exercise: str, steps: Sequence[RunCell | str], transcript: Transcript) -> list[RunCell]:
    """Return the cells that stood at an Exercise's check, without those that ended the sandbox."""
    before = steps[: steps.index(exercise)]
    return [step for step in before if isinstance(step, RunCell) and step.index not in transcript.destroyed]


def _printed(transcript: Transcript) -> dict[int, str]:
    """Return index of a cell -> what it printed, and the error it raised, for those where there is any."""
    printed = {}
    for index in sorted({*transcript.printed, *transcript.errors}):
        text, error = transcript.printed.get(index, ""), transcript.errors.get(index, "")
        if error and error not in text:
            text += f"[{error}]"
        if text:
            printed[index] = text
    return printed


def _stopped(answered: Mapping[str, Sequence[Outcome]]) -> list[str]:
    """Return a flag for each Exercise that had to be stopped, or that ended its process."""
    flags = []
    for exercise, found in answered.items():
        said = dict.fromkeys(STOPPED[outcome.kind] for outcome in found if outcome.kind in STOPPED)
        flags += [f"{exercise}: {words}" for words in said]
    return flags
