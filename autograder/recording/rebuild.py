"""Rebuilds a lost or damaged gradebook, and lost graded notebooks, from the journals.

No student's code is run: the Judgements lie in work/journal.jsonl, what was recorded of each submission in
work/recorded.jsonl, and the notebooks in work/submitted/.
"""

from __future__ import annotations

import os
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import make_url

from autograder.course import Course, CourseError
from autograder.judging.judgement import Judgement
from autograder.recording import database, recorded, released_cells
from autograder.recording.class_lock import class_lock
from autograder.recording.drafting import Draft, draft
from autograder.recording.errors import RecordError
from autograder.recording.graded import Scores
from autograder.recording.recorder import Recorder
from autograder.recording.verify import Difference, differences, find_judgement

BATCH = 20  # submissions in one commit
BESIDE_SQLITE = ("", "-journal", "-wal", "-shm")  # the endings of the files of one database


@dataclass(frozen=True)
class Rebuilt:
    """The result of a rebuild.

    students: those whose automatic grades and files were written.
    problems: student -> why the submission could not be rebuilt.
    set_aside: where a damaged gradebook was moved to, or None.
    points_only: "lesson of student" for each graded notebook that could not be written, because its Judgement
        is gone or another file was handed in since; its points are back.
    """

    students: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    set_aside: Path | None = None
    points_only: list[str] = field(default_factory=list)


def rebuild(
    course: Course, assignments: Sequence[str], on_done: Callable[[str], object] | None = None
) -> Rebuilt:
    """Write again what the journals say was recorded, where the gradebook or work/autograded/ does not hold it.

    A gradebook that cannot be read is set aside first, and a new one is made. What a person gave is never
    touched, and no student's code is run.

    Args:
        course: whose class it is.
        assignments: the assignments to rebuild.
        on_done: called with each student, after the submission was rebuilt or could not be.

    Raises:
        CourseError: where another run holds the class's folder.
        RecordError: where the gradebook cannot be used.
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
    """Rebuilds what is wanted of one assignment, and adds to `result` what came of it."""

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
        """Draft what the journals say of a submission, with scores only of the lessons whose points differ."""
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
        """Return a lesson's Judgement, or None where it or the notebook that was judged is gone."""
        if recorded.notebook_hash(self.course, self.assignment, student, name) != lesson.notebook:
            return None
        return find_judgement(self.course, lesson)

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
