"""The work on one submission, as a worker does it: take it in, have it judged, draft its record.

Everything that crosses between processes is plain data; lessons cross by name.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder import intake
from autograder.classroom import take_in
from autograder.classroom.attempts import AttemptCounter
from autograder.classroom.results import StudentResult
from autograder.course import Course, CourseError
from autograder.exercise import Lesson
from autograder.judging.companions import Submission
from autograder.judging.judge import Judgement, judge_notebook, judgement_key
from autograder.sandbox import Limits, SandboxError

Identity = dict[str, tuple[str, str]]  # lesson -> the key of its Judgement, the hash of its notebook

ATTEMPTS = 3  # at a submission: the first, and two more where the worker dies


@dataclass(frozen=True)
class Task:
    """One submission to be graded.

    folder: where it lies; lessons: the names of those to be judged, "" for all; secret: a digest of the course's
    secret; recorded: what the gradebook holds of this student; resources: what a worker must declare, name -> amount.
    """

    course: Course
    assignment: str
    student: str
    folder: Path
    secret: str
    lessons: tuple[str, ...] = ()
    recorded: Identity = field(default_factory=dict)
    resources: Mapping[str, float] = field(default_factory=dict)
    limits: Limits | None = None
    bare: bool = False

    def chosen(self) -> list[Lesson]:
        """Return the lessons to be judged, in order."""
        return chosen(self.course, self.assignment, self.lessons)


@dataclass(frozen=True)
class GradedSubmission:
    """What a worker found: a StudentResult, and what is to be recorded of it, None where nothing is."""

    row: StudentResult
    draft: Any = None


Work = Callable[[Task], GradedSubmission]
Results = Generator[GradedSubmission | None, None, None]  # None: nothing yet; to be closed


def chosen(course: Course, assignment: str, names: Sequence[str]) -> list[Lesson]:
    """Return the lessons of an assignment that are named, by default all; raise CourseError for an unknown name."""
    for name in names:
        course.lesson(assignment, name)
    return [lesson for lesson in course.lessons(assignment) if not names or lesson.name in names]


def grade_submission(task: Task) -> GradedSubmission:
    """Take a submission in, have it judged and draft its record.

    What goes wrong with this submission is said in its StudentResult. Raises SandboxError or CourseError where the worker
    cannot grade at all.
    """
    verify_shared(task.course, task.secret)
    return counted(task, _grade)


def counted(task: Task, work: Callable[[Task], GradedSubmission]) -> GradedSubmission:
    """Do `work`, unless too many workers have died of it already."""
    started = AttemptCounter(task.course, task.assignment, task.student)
    if started.begin() > ATTEMPTS:
        started.end()
        return GradedSubmission(given_up(task.student))
    done = work(task)
    started.end()
    return done


def given_up(student: str) -> StudentResult:
    """The StudentResult of a submission at which worker after worker died."""
    return StudentResult(
        student, problem=f"{ATTEMPTS} workers in turn died while grading it; nothing was recorded."
    )


def lacking(resources: Mapping[str, float]) -> str:
    """Say what a submission needs that no worker declares."""
    wanted = " ".join(f"{name}={amount:g}" for name, amount in resources.items())
    return (
        f"It needs a worker that declares {wanted}, and there is none: start one with "
        f"'dask worker ADDRESS --resources \"{wanted}\"' and grade again with --scheduler ADDRESS."
    )


def digest(secret: bytes) -> str:
    """Return what may be told of the course's secret."""
    return hashlib.sha256(b"cnnlab\0" + secret).hexdigest()


def verify_shared(course: Course, secret: str) -> None:
    """Raise CourseError where this worker does not see the class's folder: it would draw secret Cases of its own."""
    path = course.work / "secret"
    if not path.exists() or digest(course.secret()) != secret:
        raise CourseError(
            f"A worker on {socket.gethostname()} does not see {course.work}: all nodes must share the checkout and "
            "the class's folder, at the same path."
        )


def _grade(task: Task) -> GradedSubmission:
    row = StudentResult(task.student)
    try:
        _take_in(task, row)
        submission = Submission.of_student(task.course, task.assignment, task.student)
        judgements, identity = judge_submission(task, row, submission)
        if not judgements and not row.problem and not task.lessons:
            row.problem = _nothing_in(task.folder)
        if row.problem or not judgements or _is_recorded(task, identity):
            return GradedSubmission(row)
        from autograder.recording.drafting import draft  # it loads nbgrader, which a replay does without

        about = task.course, task.assignment, task.student
        return GradedSubmission(
            row, draft(*about, judgements, identity=row.submission, submission=submission)
        )
    except SandboxError:
        raise
    except CourseError as error:
        row.problem = str(error)
    except (
        Exception
    ) as error:  # a defect of ours, or the disk: it must not stop the class, and must not become a zero
        row.problem = f"It could not be graded: {one_line(error)}."
    return GradedSubmission(row)


def _nothing_in(folder: Path) -> str:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        if any(entry.is_dir(follow_symlinks=False) for entry in entries):
            return "There is no notebook to grade; notebooks belong into the student's folder itself, not one inside it."
    return "There is no notebook to grade."


def _take_in(task: Task, row: StudentResult) -> None:
    """Take the submission in; what lies in work/submitted/ may be as a student wrote it."""
    course, assignment, student = task.course, task.assignment, task.student
    taken = intake.take_in_safely(course, assignment, student, task.folder)
    if take_in.is_outdated(course, taken) and take_in.take_in_again(course, assignment, student):
        row.flags.append(take_in.OUTDATED)
    record = intake.load_record(course, assignment, student)
    row.flags += dict.fromkeys(record.flags if record else ())


def judge_submission(
    task: Task, row: StudentResult, submission: Submission, judge: Callable[..., Judgement] = judge_notebook
) -> tuple[dict[str, Judgement], Identity]:
    """Have each lesson of the submission judged, note what came of it in `row`, and return that and what was judged."""
    judgements: dict[str, Judgement] = {}
    identity: Identity = {}
    for lesson in task.chosen():
        try:
            notebook = submission.notebook(lesson)
            if notebook is None:
                continue
            judgement = judge(task.course, lesson, notebook, submission, limits=task.limits, bare=task.bare)
            key = judgement.key or judgement_key(task.course, lesson, notebook, submission)
            identity[lesson.name] = key, submission.digest(lesson)
        except SandboxError:
            raise
        except Exception as error:  # as above
            reason = str(error) if isinstance(error, CourseError) else f"{one_line(error)}."
            row.problem = f"{lesson.name} could not be judged: {reason}"
            continue
        judgements[lesson.name] = judgement
        row.verdicts[lesson.name] = dict(judgement.verdicts)
        row.flags += [flag for flag in judgement.flags if flag not in row.flags]
        row.seconds += judgement.seconds
    row.submission = hashlib.sha256(repr(identity).encode()).hexdigest()
    return judgements, identity


def _is_recorded(task: Task, identity: Identity) -> bool:
    """Say whether the gradebook holds just this: then it is left alone."""
    known = {name: what for name, what in task.recorded.items() if not task.lessons or name in task.lessons}
    return bool(known) and known == identity


def one_line(error: BaseException) -> str:
    """Put an error that nobody foresaw into one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
