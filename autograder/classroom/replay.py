"""Replays a class: judges again what was judged, with the same secret Cases, and compares."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from nbformat.notebooknode import NotebookNode

from autograder.classroom.grade_submission import (
    GradedSubmission,
    Task,
    counted,
    judge_submission,
    verify_shared,
)
from autograder.classroom.results import StudentResult
from autograder.classroom.submissions import find_submissions
from autograder.classroom.tasks import tasks
from autograder.classroom.workers import start_workers
from autograder.course import Course, CourseError
from autograder.exercise import Lesson
from autograder.judging.companions import Submission
from autograder.judging.journal import Journal
from autograder.judging.judge import Judgement, judge_notebook, judgement_key
from autograder.recording.class_lock import class_lock
from autograder.sandbox import Limits, SandboxError
from autograder.verdict import Verdict


@dataclass(frozen=True)
class Replay:
    """What judging a submission again came to; differences: a sentence for each result that is another now."""

    row: StudentResult
    differences: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether all came out as it did before."""
        return not self.differences and not self.row.problem


def replay_class(
    course: Course,
    assignment: str,
    *,
    students: tuple[str, ...] = (),
    lessons: tuple[str, ...] = (),
    workers: int | None = None,
    scheduler: str | None = None,
    limits: Limits | None = None,
    bare: bool = False,
    on_begin: Callable[[int], None] | None = None,
    on_done: Callable[[Replay, int, int], None] | None = None,
) -> tuple[Replay, ...]:
    """Judge what stands in work/submitted/ again, as if there were no journal, and compare; nothing is recorded.

    The arguments and errors are those of `grade`. A submission that this grader has not judged yet has a problem.
    """
    todo = tasks(
        course,
        assignment,
        find_submissions(course, assignment, None),
        students=students,
        lessons=lessons,
        limits=limits,
        bare=bare,
    )
    found: list[Replay] = []
    of = len(todo)
    if on_begin:
        on_begin(of)
    with (
        class_lock(course) as folder,
        start_workers(todo, folder, scheduler=scheduler, workers=workers) as run,
        closing(run(judge_again, todo)) as results,
    ):
        for done in results:
            if done is None:
                continue
            if not done.row.verdicts and not done.row.problem:  # none of these lessons was handed in
                of -= 1
                continue
            found.append(Replay(done.row, tuple(done.draft or ())))
            if on_done:
                on_done(found[-1], len(found), of)
    return tuple(sorted(found, key=lambda one: one.row.student))


def judge_again(task: Task) -> GradedSubmission:
    """Judge a submission anew in a course of its own, which has the secret and no journal, and list what differs."""
    verify_shared(task.course, task.secret)
    return counted(task, _judge_again)


def _judge_again(task: Task) -> GradedSubmission:
    row, differences = StudentResult(task.student), []
    folder = task.course.work / "started" / "replay" / task.student
    shutil.rmtree(folder, ignore_errors=True)
    alone_there = Course(task.course.root, folder)
    folder.mkdir(mode=0o700, parents=True)
    (folder / "secret").write_bytes(task.course.secret())

    def judge(
        course: Course, lesson: Lesson, notebook: NotebookNode, submission: Submission, **options: Any
    ) -> Judgement:
        known = _journal(course.work / "journal.jsonl").find(
            judgement_key(course, lesson, notebook, submission)
        )
        if known is None:
            raise CourseError("this grader has not judged it yet; grade it first")
        again = judge_notebook(alone_there, lesson, notebook, submission, **options)
        differences.extend(_differences(lesson, Judgement.from_json(known), again))
        return again

    try:
        judge_submission(task, row, Submission.of_student(task.course, task.assignment, task.student), judge)
    except SandboxError:
        raise
    except Exception as error:
        row.problem = f"It could not be judged: {type(error).__name__}: {error}."
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return GradedSubmission(row, tuple(differences))


@cache
def _journal(path: Path) -> Journal:
    return Journal(path)


def _differences(lesson: Lesson, before: Judgement, after: Judgement) -> list[str]:
    """Say which results are others. Sentences are not compared: they may hold a time that was measured."""
    found = []
    for name in lesson.exercises:
        old, new = before.verdicts.get(name), after.verdicts.get(name)
        if old is None or new is None or _result(old) != _result(new):
            found.append(f"{lesson.name}/{name}: {_shown(old)} before, {_shown(new)} now")
    return found


def _result(verdict: Verdict) -> tuple[Any, ...]:
    cases = tuple((case.words, case.passed) for case in verdict.cases)
    return verdict.points, verdict.status, dict(verdict.groups), verdict.mistake, cases


def _shown(verdict: Verdict | None) -> str:
    if verdict is None:
        return "nothing"
    mistake = f" ({verdict.mistake})" if verdict.mistake else ""
    return f"{verdict.points:g} of {verdict.total:g}, {verdict.status}{mistake}"
