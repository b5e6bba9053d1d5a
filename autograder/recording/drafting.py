"""Writes the graded notebooks of one submission as a draft, in any process.

Neither the gradebook nor the files in work/autograded/ are touched.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
from nbformat.notebooknode import NotebookNode
from nbgrader import utils
from nbgrader.nbgraderformat import MetadataValidator

from autograder import files, intake, notebook_io
from autograder.course import Course, CourseError
from autograder.judging.companions import Submission
from autograder.judging.judgement import Judgement, judgement_key
from autograder.recording import nbgrader_settings, recorded, released_cells
from autograder.recording.errors import RecordError
from autograder.recording.graded import LOG, Scores, fill_in, handed_in_at, recorded_lesson, scores

READ_ONLY = 0o400  # what nbgrader leaves with our settings


@dataclass(frozen=True)
class Draft:
    """One graded submission that is ready to be recorded: plain data, which can be sent between processes.

    folder: where its files lie, below work/drafts/; "" where the files in work/autograded/ stay as they are, or
        nbgrader itself has to write them.
    handed_in: the lessons whose notebook was handed in.
    scores: the scores of the lessons that were judged, by lesson.
    timestamp: when it was handed in, in UTC, None where that is not known.
    record: what the journal is to say of it.
    judgements: the Judgements by lesson, only where nbgrader itself has to write the files.
    """

    assignment: str
    student: str
    folder: str
    handed_in: tuple[str, ...]
    scores: Mapping[str, Scores]
    timestamp: datetime | None
    record: recorded.RecordedSubmission
    judgements: Mapping[str, Judgement] = field(default_factory=dict)


def draft(
    course: Course,
    assignment: str,
    student: str,
    judgements: Mapping[str, Judgement],
    *,
    identity: str = "",
    submission: Submission | None = None,
) -> Draft:
    """Write the files that work/autograded/ is to hold of a submission to a folder below work/drafts/.

    Args:
        course: whose class it is.
        assignment: the assignment.
        student: whose submission it is.
        judgements: the Judgements by lesson; a notebook that was handed in and is not among them keeps its file
            and its grades.
        identity: a hash of what was judged and by which grader, by default made of the Judgements' keys and of the
            notebooks.
        submission: the submission's notebooks, where they were read already.

    Raises:
        RecordError: where no notebook was handed in, or points are impossible; nothing is left of the draft then.
    """
    submission = submission or Submission.of_student(course, assignment, student)
    return _Drafting(course, assignment, student, submission).draft(judgements, identity)


def drafts_folder(course: Course, assignment: str) -> Path:
    """Return the folder of an assignment's drafts, each of which lies in <student>/<a random name>/."""
    return course.work / "drafts" / assignment


class _Drafting:
    """Writes one draft."""

    def __init__(self, course: Course, assignment: str, student: str, submission: Submission) -> None:
        self.course, self.assignment = course, assignment
        self.student, self.submission = intake.verify_student(student), submission
        self.home = course.submitted / student / assignment
        self.graded = course.work / "autograded" / student / assignment
        self.rows = released_cells.released(course, assignment)

    def draft(self, judgements: Mapping[str, Judgement], identity: str) -> Draft:
        handed_in = self._handed_in()
        if odd := sorted(set(judgements) - set(handed_in)):
            raise RecordError(f"{', '.join(odd)} of {self.student} was judged but is not in work/submitted")
        usual = nbgrader_settings.are_usual(self.course)
        time = handed_in_at(self.course, self.assignment, self.student)
        try:
            with self._new_folder() if usual else nullcontext() as folder:
                found, records = self._write(judgements, folder)
                if folder:
                    self._complete(folder, set(handed_in) - set(judgements))
        except CourseError:
            raise
        except Exception as error:
            words = f"{type(error).__name__}: {error}"
            raise RecordError(f"{self.assignment} of {self.student} cannot be recorded: {words}") from error
        said = identity or _hash(records)
        now = recorded.RecordedSubmission(
            self.assignment, self.student, said, records, time.isoformat() if time else ""
        )
        kept = {} if usual else dict(judgements)
        return Draft(self.assignment, self.student, str(folder or ""), handed_in, found, time, now, kept)

    def _handed_in(self) -> tuple[str, ...]:
        registered = sorted(lesson for lesson, _ in self.rows["notebooks"])
        handed_in = tuple(name for name in registered if (self.home / f"{name}.ipynb").is_file())
        if not handed_in:
            raise RecordError(f"no notebook of {self.assignment} was handed in by {self.student}")
        return handed_in

    @contextmanager
    def _new_folder(self) -> Iterator[Path]:
        folder = drafts_folder(self.course, self.assignment) / self.student / secrets.token_hex(8)
        folder.mkdir(parents=True)
        try:
            yield folder
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _write(
        self, judgements: Mapping[str, Judgement], folder: Path | None
    ) -> tuple[dict[str, Scores], dict[str, recorded.RecordedLesson]]:
        """Fill in each notebook that was judged, and write it to `folder` if there is one."""
        taken = intake.load_record(self.course, self.assignment, self.student)
        found, records = {}, {}
        for name, judgement in sorted(judgements.items()):
            notebook, key, digest = self._read(name, judgement)
            fill_in(notebook, name, judgement, taken)
            _verify_metadata(notebook)
            found[name] = scores(notebook)
            records[name] = recorded_lesson(key, digest, found[name])
            if folder:
                text = notebook_io.writes(notebook)
                (folder / f"{name}.ipynb").write_text(text, encoding="utf-8")
        return found, records

    def _complete(self, folder: Path, unjudged: set[str]) -> None:
        """Add the other files that nbgrader would leave there, and make all files read-only."""
        for name in unjudged:
            path = self.graded / f"{name}.ipynb"
            if path.is_file():
                shutil.copyfile(path, folder / path.name)
        self._add_other_files(folder)
        for path in folder.rglob("*"):
            if not path.is_dir():
                path.chmod(READ_ONLY)

    def _read(self, name: str, judgement: Judgement) -> tuple[NotebookNode, str, str]:
        """Return a notebook as nbgrader's first steps leave it, the key of its Judgement, and its file's hash."""
        lesson = self.course.lesson(self.assignment, name)
        found = self.submission.pop_notebook(lesson)
        if found is None:
            raise FileNotFoundError(f"{name}.ipynb is gone")
        notebook, digest = found
        key = judgement.key or judgement_key(self.course, lesson, notebook, self.submission)
        if not all(self._is_as_released(name, cell) for cell in notebook.cells):
            self._overwrite(name, notebook)
        return notebook, key, digest

    def _is_as_released(self, lesson: str, cell: NotebookNode) -> bool:
        """Say whether nbgrader's OverwriteCells would leave a cell as it is, without loading it, which takes a while."""
        about = cell["metadata"].get("nbgrader", {})
        if (name := about.get("grade_id")) is None:
            return True
        key = lesson, name
        kind, locked, _, checksum = self.rows["source"].get(key, (None, None, None, None))
        points = float(about["points"]) if utils.is_grade(cell) else None
        return (
            cell["cell_type"] == kind
            and utils.is_locked(cell) == locked
            and (points is None or self.rows["grade"].get(key, (None,))[0] == points)
            and about.get("checksum") == checksum
            and (not locked or utils.compute_checksum(cell) == checksum)
        )

    def _overwrite(self, lesson: str, notebook: NotebookNode) -> None:
        from nbgrader.preprocessors import OverwriteCells

        step: Any = OverwriteCells()
        step.log = LOG
        step.notebook_id, step.assignment_id = lesson, self.assignment
        step.gradebook = _ReleasedCells(self.rows)
        for index, cell in enumerate(notebook.cells):
            notebook.cells[index], _ = step.preprocess_cell(cell, {}, index)

    def _add_other_files(self, folder: Path) -> None:
        """Copy the files handed in beside the notebooks, and over them those that the assignment itself has there."""
        for place in (self.home, self.course.source / self.assignment):
            if all(entry.name.endswith(".ipynb") for entry in os.scandir(place)):
                continue
            for path in utils.find_all_files(str(place), [*_ignored(), "*.ipynb"]):
                if os.path.islink(path):  # intake leaves none
                    continue
                target = folder / os.path.relpath(path, place)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)


class _ReleasedCells:
    """Gives nbgrader's OverwriteCells the registered cells, in place of the gradebook."""

    def __init__(self, rows: released_cells.Rows) -> None:
        self.rows = rows

    def find_source_cell(self, name: str, notebook: str, assignment: str) -> SimpleNamespace:
        """Return a cell as it was released; nbgrader decides the parameters."""
        kind, locked, source, checksum = self._row("source", notebook, name)
        return SimpleNamespace(name=name, cell_type=kind, locked=locked, source=source, checksum=checksum)

    def find_graded_cell(self, name: str, notebook: str, assignment: str) -> SimpleNamespace:
        """Return the points of a cell; nbgrader decides the parameters."""
        points, kind = self._row("grade", notebook, name)
        return SimpleNamespace(name=name, max_score=points, cell_type=kind)

    def _row(self, kind: str, notebook: str, name: str) -> tuple[object, ...]:
        from nbgrader.api import MissingEntry

        try:
            return self.rows[kind][notebook, name]
        except KeyError:
            raise MissingEntry(f"No such cell: {notebook}/{name}") from None


def _verify_metadata(notebook: NotebookNode) -> None:
    """Do what nbgrader's CheckCellMetadata does, but only once for equal metadata."""
    for cell in notebook.cells:
        if "nbgrader" in cell["metadata"]:
            _verify_one(cell["cell_type"], json.dumps(cell["metadata"]["nbgrader"], sort_keys=True))


@cache
def _verify_one(kind: str, metadata: str) -> None:
    cell: Any = nbformat.from_dict({"cell_type": kind, "metadata": {"nbgrader": json.loads(metadata)}})
    MetadataValidator().validate_cell(cell)


@cache
def _ignored() -> tuple[str, ...]:
    from nbgrader.coursedir import CourseDirectory

    return tuple(CourseDirectory().ignore)


def _hash(records: Mapping[str, recorded.RecordedLesson]) -> str:
    said = [[name, one.judgement, one.notebook] for name, one in sorted(records.items())]
    return files.sha256(json.dumps(said).encode())
