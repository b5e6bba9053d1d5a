"""Replays a class: judges again what was judged, with the same secret Cases, and compares."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from nbformat.notebooknode import NotebookNode

from autograder.classroom.attempts import with_attempt_limit
from autograder.classroom.grade_submission import judge
from autograder.classroom.results import StudentResult
from autograder.classroom.shared_folder import verify_shared
from autograder.classroom.submissions import find_submissions
from autograder.classroom.tasks import GradedSubmission, Task, list_tasks
from autograder.classroom.workers import start_workers
from autograder.course import Course, CourseError
from autograder.exercise import Lesson
from autograder.judging import judgement
from autograder.judging.companions import Submission
from autograder.judging.judge import judge_notebook
from autograder.judging.judgement import Judgement, judgement_key
from autograder.recording.class_lock import class_lock, started_folder
from autograder.sandbox import Limits, SandboxError
from autograder.verdict import Verdict


@dataclass(frozen=True)
class Replay:
    """The result of judging a submission again.

    Args:
        result: the new result.
        differences: one sentence for each result that differs from the earlier one.
    """

    result: StudentResult
    differences: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether all results are as before."""
        return not self.differences and not self.result.problem


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
    """Judge the submissions in work/submitted/ again, as if there were no journal, and compare.

    Nothing is recorded. A submission that this grader has not judged yet has a problem.

    Args:
        course: the course.
        assignment: its name.
        students: the ids of those to be judged, () for all.
        lessons: the names of the lessons to be judged, () for all.
        workers: processes of this machine, by default one a core.
        scheduler: the address of a Dask scheduler whose workers share the checkout and the class's folder.
        limits: of the sandboxes, by default the usual ones.
        bare: whether students' code runs without a sandbox.
        on_begin: called as on_begin(of) when it is known how many there are.
        on_done: called as on_done(replay, done, of) for each that is judged.

    Raises: as `grade_class` does.
    """
    submissions = find_submissions(course, assignment, None)
    tasks = list_tasks(
        course, assignment, submissions.folders, students=students, lessons=lessons, limits=limits, bare=bare
    )
    replays: list[Replay] = []
    of = len(tasks)
    if on_begin:
        on_begin(of)
    with (
        class_lock(course) as scratch,
        start_workers(tasks, scratch, scheduler, workers) as hand_out,
        closing(hand_out(judge_again, tasks)) as judged,
    ):
        for one in judged:
            if one is None:
                continue
            if not one.result.verdicts and not one.result.problem:  # none of these lessons was handed in
                of -= 1
                continue
            replays.append(Replay(one.result, one.differences))
            if on_done:
                on_done(replays[-1], len(replays), of)
    return tuple(sorted(replays, key=lambda one: one.result.student))


def judge_again(task: Task) -> GradedSubmission:
    """Judge a submission anew in a course of its own, which has the secret and no journal, and list what differs."""
    verify_shared(task.course, task.secret)
    return _judge_and_compare(task)


@with_attempt_limit
def _judge_and_compare(task: Task) -> GradedSubmission:
    result, differences = StudentResult(task.student), []
    folder = started_folder(task.course) / "replay" / task.student
    shutil.rmtree(folder, ignore_errors=True)
    without_journal = Course(task.course.root, folder)
    without_journal.make_work()
    (folder / "secret").write_bytes(task.course.secret())

    def judge_one(
        course: Course, lesson: Lesson, notebook: NotebookNode, submission: Submission, **options: Any
    ) -> Judgement:
        key = judgement_key(course, lesson, notebook, submission)
        known = judgement.find(course, key)
        if known is None:
            raise CourseError("this grader has not judged it yet; grade it first")
        again = judge_notebook(without_journal, lesson, notebook, submission, **options)
        differences.extend(_differences(lesson, known, again))
        return again

    try:
        judge(task, result, Submission.of_student(task.course, task.assignment, task.student), judge_one)
    except SandboxError:
        raise
    except Exception as error:
        result.problem = f"It could not be judged: {type(error).__name__}: {error}."
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return GradedSubmission(result, differences=tuple(differences))


def _differences(lesson: Lesson, before: Judgement, after: Judgement) -> list[str]:
    """Say which results differ. Sentences are not compared: they may hold a time that was measured."""
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
