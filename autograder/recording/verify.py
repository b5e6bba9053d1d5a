"""Compares the gradebook with the journals of what was recorded, and rebuilds a lost one from them.

No student's code is run: the Judgements lie in work/journal.jsonl, what was recorded of each submission in
work/recorded.jsonl, and the notebooks in work/submitted/.
"""

from __future__ import annotations

import math
import os
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import make_url

from autograder.course import Course, CourseError
from autograder.judging import judgement
from autograder.judging.judgement import Judgement
from autograder.recording import database, gradebook, recorded, released_cells
from autograder.recording.class_lock import class_lock
from autograder.recording.drafting import Draft, draft
from autograder.recording.errors import RecordError
from autograder.recording.graded import Scores
from autograder.recording.recorder import Recorder

BATCH = 20  # submissions in one commit
BESIDE_SQLITE = ("", "-journal", "-wal", "-shm")  # the files of one database

Grades = Mapping[tuple[str, str], gradebook.Grade]  # (lesson, exercise) -> what the gradebook holds


@dataclass(frozen=True)
class Difference:
    """One thing in which the journals and the gradebook differ.

    lesson and exercise: "" where it is about a whole submission or notebook; journal and gradebook: the
    grader's points in each, None for none; words: what is wrong, as in "its graded notebook is missing".
    """

    student: str
    lesson: str
    exercise: str
    words: str
    journal: float | None = None
    gradebook: float | None = None


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild came to.

    students: whose automatic grades and files were written; problems: student -> why not; set_aside: where a
    damaged gradebook was moved to, or None; points_only: "lesson of student" whose points are back and whose
    graded notebook could not be written, since its Judgement is gone or another file was handed in since.
    """

    students: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    set_aside: Path | None = None
    points_only: list[str] = field(default_factory=list)


def differences(course: Course, assignment: str) -> list[Difference]:
    """List where the journals and the gradebook differ, by student, lesson and exercise; [] where they agree."""
    course.lessons(assignment)
    held: dict[str, dict[tuple[str, str], gradebook.Grade]] = defaultdict(dict)
    for grade in gradebook.grades(course, assignment):
        held[grade.student][grade.lesson, grade.exercise] = grade
    found, known = [], set()
    for one in recorded.records(course, assignment):
        known.add(one.student)
        found += _of_submission(course, one, held.get(one.student, {}))
    for student, grades in held.items():
        # Rows without points are made where a submission could not be recorded.
        if student not in known and any(grade.auto for grade in grades.values()):
            found.append(Difference(student, "", "", "it is in the gradebook only"))
    return sorted(found, key=lambda one: (one.student, one.lesson, one.exercise))


def _of_submission(course: Course, one: recorded.RecordedSubmission, held: Grades) -> Iterator[Difference]:
    if not one.whole:
        yield Difference(one.student, "", "", "recording it was begun and not ended")
    if not held:
        yield Difference(one.student, "", "", "it is in the journal only")
        return
    if not one.lessons:
        yield Difference(one.student, "", "", "the journal does not say what was recorded of it")
        return
    for name, lesson in one.lessons.items():
        yield from _of_lesson(course, one.student, name, lesson, held)
        path = course.work / "autograded" / one.student / one.assignment / f"{name}.ipynb"
        if not path.is_file():
            yield Difference(one.student, name, "", "its graded notebook is missing")
    for (name, exercise), grade in held.items():
        if grade.auto and exercise not in (one.lessons[name].points if name in one.lessons else ()):
            words = "the journal has no points for it"
            yield Difference(one.student, name, exercise, words, None, grade.auto)


def _of_lesson(
    course: Course, student: str, name: str, lesson: recorded.RecordedLesson, held: Grades
) -> Iterator[Difference]:
    for exercise, points in lesson.points.items():
        grade = held.get((name, exercise))
        if grade is None:
            yield Difference(student, name, exercise, "the gradebook has no such exercise", points)
        elif not _same(points, grade.auto):
            yield Difference(student, name, exercise, "the points differ", points, grade.auto)
    judged = _judgement(course, lesson)
    if judged is None:
        yield Difference(student, name, "", "its Judgement is not in the journal")
        return
    for exercise, verdict in judged.verdicts.items():
        points = lesson.points.get(exercise)
        if points is not None and not _same(points, verdict.points):
            grade = held.get((name, exercise))
            words = f"it was recorded with {points:g} points and judged with others"
            yield Difference(student, name, exercise, words, verdict.points, grade and grade.auto)


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, abs_tol=1e-9)


def _judgement(course: Course, lesson: recorded.RecordedLesson) -> Judgement | None:
    try:
        return judgement.find(course, lesson.judgement)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


# Rebuilding


def rebuild(
    course: Course, assignments: Sequence[str], on_done: Callable[[str], object] | None = None
) -> Rebuilt:
    """Write again what was recorded and the gradebook or work/autograded/ does not hold.

    A gradebook that cannot be read is set aside first, and a new one made. What a person gave is never
    touched, and no student's code is run. on_done(student): called for each. Raises CourseError where another
    run holds the class's folder, or the gradebook cannot be used.
    """
    with class_lock(course):
        result = Rebuilt(set_aside=_set_damaged_aside(course))
        for assignment in assignments:
            wanted: dict[str, list[Difference]] = defaultdict(list)
            for one in differences(course, assignment):
                wanted[one.student].append(one)
            if wanted:
                with Recorder(course, assignment) as recorder:
                    _Rebuilding(course, assignment, recorder, result).all(wanted, on_done)
        return result


class _Rebuilding:
    """The work on one assignment."""

    def __init__(self, course: Course, assignment: str, recorder: Recorder, result: Rebuilt) -> None:
        self.course, self.assignment, self.recorder, self.result = course, assignment, recorder, result

    def all(
        self, wanted: Mapping[str, Sequence[Difference]], on_done: Callable[[str], object] | None
    ) -> None:
        students = sorted(wanted)
        for start in range(0, len(students), BATCH):
            some, drafts = students[start : start + BATCH], []
            for student in some:
                try:
                    drafts.append(self._draft(student, wanted[student]))
                except CourseError as error:
                    self.result.problems[student] = str(error)
            self.result.problems.update(self.recorder.commit(drafts))
            for student in some:
                if student not in self.result.problems:
                    self.result.students.append(student)
                if on_done:
                    on_done(student)

    def _draft(self, student: str, found: Sequence[Difference]) -> Draft:
        """Draft what the journals say of a submission; scores only of lessons whose points are not as they were."""
        known = recorded.find(self.course, self.assignment, student)
        if known is None or not known.lessons:
            raise RecordError(f"the journal does not say what was recorded of {student}: grade again")
        usable = {name: j for name, one in known.lessons.items() if (j := self._usable(student, name, one))}
        lost = sorted(set(known.lessons) - set(usable))
        if lost and not self.recorder.usual:
            raise RecordError(f"the journal no longer holds {', '.join(lost)} of {student}: grade again")
        self.result.points_only.extend(f"{name} of {student}" for name in lost)
        if usable:
            made = draft(self.course, self.assignment, student, usable, identity=known.identity)
        else:
            time = datetime.fromisoformat(known.handed_in) if known.handed_in else None
            made = Draft(self.assignment, student, "", (), {}, time, known)
        changed = {one.lesson for one in found if one.exercise or not one.lesson}
        scores = {**made.scores, **{name: self._recorded(name, known.lessons[name]) for name in lost}}
        # As judged now, under the key that the Judgement has: it may be of an earlier version of the grader.
        lessons = {
            n: replace(one, judgement=known.lessons[n].judgement) for n, one in made.record.lessons.items()
        }
        return replace(
            made,
            handed_in=tuple(sorted({*made.handed_in, *known.lessons})),
            scores={name: one for name, one in scores.items() if name in changed or "" in changed},
            record=replace(known, lessons={**known.lessons, **lessons}, whole=True),
        )

    def _usable(self, student: str, name: str, lesson: recorded.RecordedLesson) -> Judgement | None:
        """Return a Judgement if it and the notebook that it is about are still there."""
        if recorded.notebook_hash(self.course, self.assignment, student, name) != lesson.notebook:
            return None
        return _judgement(self.course, lesson)

    def _recorded(self, name: str, lesson: recorded.RecordedLesson) -> Scores:
        """Return the points that were recorded, by the names of the gradebook's cells."""
        cells = [
            cell for of, cell in released_cells.released(self.course, self.assignment)["grade"] if of == name
        ]
        by_exercise = {released_cells.exercise_of(cell): cell for cell in cells}
        return Scores({by_exercise.get(e, e): points for e, points in lesson.points.items()}, {})


def _set_damaged_aside(course: Course) -> Path | None:
    """Move an SQLite gradebook that cannot be read out of the way, and return where it lies then."""
    url = make_url(course.db_url)
    if url.get_backend_name() != "sqlite" or not url.database or not os.path.isfile(url.database):
        return None
    connection = sqlite3.connect(url.database, timeout=database.SECONDS_TO_WAIT)
    try:
        sound = [row[0] for row in connection.execute("PRAGMA quick_check(1)")] == ["ok"]
    except sqlite3.OperationalError as error:
        raise RecordError(database.sentence_of(error, str(url))) from error
    except sqlite3.DatabaseError:
        sound = False
    finally:
        connection.close()
    if sound:
        return None
    number = 1
    while os.path.lexists(aside := f"{url.database}.damaged.{number}"):
        number += 1
    for suffix in BESIDE_SQLITE:  # what belongs to the old file must not be taken for the new one's
        if os.path.exists(url.database + suffix):
            os.rename(url.database + suffix, aside + suffix)
    return Path(aside)
