"""Grades one submission in a worker: takes it in, judges it, drafts its record."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.classroom.attempts import with_attempt_limit
from autograder.classroom.results import StudentResult, could_not_grade, error_in_one_line
from autograder.classroom.shared_folder import verify_shared
from autograder.classroom.take_in import take_in
from autograder.classroom.tasks import GradedSubmission, Identity, Task
from autograder.course import CourseError
from autograder.judging.companions import Submission
from autograder.judging.judge import judge_notebook
from autograder.judging.judgement import Judgement, judgement_key
from autograder.sandbox import SandboxError

if TYPE_CHECKING:
    from autograder.recording.drafting import Draft

Judged = dict[str, Judgement]  # by lesson


def grade_submission(task: Task) -> GradedSubmission:
    """Grade one submission, and put whatever goes wrong with it into its result.

    Raises:
        SandboxError, CourseError: where this worker cannot grade at all.
    """
    verify_shared(task.course, task.secret)
    return _take_in_judge_and_draft(task)


@with_attempt_limit
def _take_in_judge_and_draft(task: Task) -> GradedSubmission:
    result, draft = StudentResult(task.student), None
    try:
        take_in(task, result)
        submission = Submission.of_student(task.course, task.assignment, task.student)
        judged, identity = judge(task, result, submission)
        draft = draft_record(task, result, submission, judged, identity)
    except SandboxError:
        raise
    except CourseError as error:
        result.problem = str(error)
    except Exception as error:  # a defect of ours, or the disk: it must not stop the class or become a zero
        result.problem = could_not_grade(error)
    return GradedSubmission(result, draft)


def judge(
    task: Task,
    result: StudentResult,
    submission: Submission,
    judge_one: Callable[..., Judgement] = judge_notebook,
) -> tuple[Judged, Identity]:
    """Judge each lesson of a submission that was taken in.

    Args:
        task: whose submission it is, and which lessons of it are judged.
        result: what comes of it is noted there.
        submission: its notebooks.
        judge_one: judges one of them; its arguments are those of judge_notebook.

    Returns: what was judged, and what identifies it: by what each lesson was judged, and the notebook's hash.
    """
    judged: Judged = {}
    identity: Identity = {}
    for lesson in task.chosen_lessons():
        try:
            notebook = submission.notebook(lesson)
            if notebook is None:
                continue
            judgement = judge_one(
                task.course, lesson, notebook, submission, limits=task.limits, bare=task.bare
            )
            key = judgement.key or judgement_key(task.course, lesson, notebook, submission)
            identity[lesson.name] = key, submission.digest(lesson)
        except SandboxError:
            raise
        except Exception as error:  # as above
            reason = str(error) if isinstance(error, CourseError) else f"{error_in_one_line(error)}."
            result.problem = f"{lesson.name} could not be judged: {reason}"
            continue
        judged[lesson.name] = judgement
        result.verdicts[lesson.name] = dict(judgement.verdicts)
        result.flags += [flag for flag in judgement.flags if flag not in result.flags]
        result.seconds += judgement.seconds
    result.submission_hash = hashlib.sha256(repr(identity).encode()).hexdigest()
    return judged, identity


def draft_record(
    task: Task, result: StudentResult, submission: Submission, judged: Judged, identity: Identity
) -> Draft | None:
    """Draft the record of a submission.

    Args:
        task: the submission's.
        result: the submission's; gets a problem where nothing was handed in.
        submission: as intake wrote it.
        judged: the Judgements by lesson.
        identity: lesson -> what was judged, and by which grader.

    Returns: None where the submission is recorded already, or has a problem.
    """
    if not judged and not result.problem and not task.lessons:
        result.problem = _nothing_in(task.folder)
    if result.problem or not judged or _is_recorded(task, identity):
        return None
    from autograder.recording.drafting import draft  # it loads nbgrader, which a replay does without

    about = task.course, task.assignment, task.student
    return draft(*about, judged, identity=result.submission_hash, submission=submission)


def _nothing_in(folder: Path) -> str:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        if any(entry.is_dir(follow_symlinks=False) for entry in entries):
            return "There is no notebook to grade; notebooks belong into the student's folder itself, not one inside it."
    return "There is no notebook to grade."


def _is_recorded(task: Task, identity: Identity) -> bool:
    """Say whether the gradebook holds just what was judged: then it is left alone."""
    known = {name: what for name, what in task.recorded.items() if not task.lessons or name in task.lessons}
    return bool(known) and known == identity
