"""Records drafts: a batch's scores in one commit, each submission's files at once, and a line in the journal for each."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from nbformat.notebooknode import NotebookNode

from autograder.course import Course
from autograder.exercise import Lesson
from autograder.judging.companions import Submission
from autograder.judging.judge import judge_notebook
from autograder.judging.judgement import Judgement
from autograder.recording import database, nbgrader_runs, nbgrader_settings, recorded, registration, tables
from autograder.recording.drafting import Draft, drafts_folder
from autograder.recording.errors import RecordError, RecordRejected

BATCH = 200  # submissions in one commit at most; databases limit how many values a query may name
WRITABLE = 0o222  # by anybody
FORGOTTEN = 3600  # seconds after which a draft belongs to no run that still goes on


class Recorder:
    """Writes the gradebook and work/autograded/ for one run: one process has the Recorder, the others send it drafts.

    The Recorder registers the assignment when it is made. A run may be killed anywhere: a submission that it did
    not finish is not `recorded_whole`, and recording the submission again gives the same end as recording it once.

    Raises:
        RecordError: where the gradebook cannot be used.
    """

    def __init__(self, course: Course, assignment: str) -> None:
        self.course, self.assignment = course, assignment
        registration.sync(course, assignment)
        self.config = nbgrader_settings.configuration(course)
        self.usual = nbgrader_settings.is_usual(self.config)
        self.engine = database.engine(course)
        with database.errors(course):
            self.in_gradebook = tables.students(self.engine, assignment)
        self._sweep()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to the gradebook."""
        self.engine.dispose()
        with contextlib.suppress(OSError):  # drafts that were not committed stay
            drafts_folder(self.course, self.assignment).rmdir()

    def recorded_whole(self, student: str) -> recorded.RecordedSubmission | None:
        """Return what was recorded of a student, or None where it is not whole or part of it is gone.

        A caller should leave alone what did not change, because nbgrader asks a person to look at a submission
        again whenever it is recorded.
        """
        known = recorded.find(self.course, self.assignment, student)
        if known is None or not known.whole or student not in self.in_gradebook:
            return None
        folder = self._home(student)
        there = folder.is_dir() and all(self._is_finished(folder / f"{name}.ipynb") for name in known.lessons)
        return known if there else None

    def commit(self, drafts: Sequence[Draft]) -> dict[str, str]:
        """Record a batch, all scores in one commit, and return student -> why nothing was recorded.

        Points and comments that a person gave are never touched.

        Raises:
            RecordError: where the gradebook cannot be used.
        """
        for draft in drafts:
            if draft.assignment != self.assignment:
                raise RecordError(f"A draft of {draft.assignment} cannot be recorded as {self.assignment}.")
        last = {draft.student: draft for draft in drafts}
        now = {draft.student: self._whole_record(draft) for draft in last.values()}
        if self.usual:
            recorded.begin(self.course, now.values())
            problems = self._store(last)
            for student, draft in last.items():
                if student not in problems and (problem := self._swap_in(draft)):
                    problems[student] = problem
        else:
            problems = self._by_nbgrader(last)
        done = [student for student in last if student not in problems]
        recorded.end(self.course, [now[student] for student in done])
        self.in_gradebook.update(done)
        for student in last:
            shutil.rmtree(drafts_folder(self.course, self.assignment) / student, ignore_errors=True)
        return problems

    def _whole_record(self, draft: Draft) -> recorded.RecordedSubmission:
        """Return what will be recorded of a submission with this draft; lessons that were not judged keep their entries."""
        before = recorded.find(self.course, self.assignment, draft.student)
        kept = {n: one for n, one in (before.lessons if before else {}).items() if n in draft.handed_in}
        return replace(draft.record, lessons={**kept, **draft.record.lessons})

    def _store(self, drafts: Mapping[str, Draft]) -> dict[str, str]:
        """Write the scores of all drafts that can be recorded, and return student -> why the others cannot."""
        problems: dict[str, str] = {}
        waiting = dict(drafts)
        for student, draft in drafts.items():
            if draft.folder and not Path(draft.folder).is_dir():
                problems[student] = "its draft is gone from work/drafts: grade again"
                del waiting[student]
        while waiting:
            batch = list(waiting.values())[:BATCH]
            try:
                with database.errors(self.course):
                    tables.write(self.engine, self.config, self.assignment, batch)
            except RecordRejected as rejected:
                problems[rejected.student] = rejected.reason
                del waiting[rejected.student]
            else:
                for draft in batch:
                    del waiting[draft.student]
        return problems

    def _swap_in(self, draft: Draft) -> str:
        """Put a draft's files in the place of the earlier ones, and return "" or why that failed."""
        if not draft.folder:
            return ""
        home, old = self._home(draft.student), Path(f"{draft.folder}.old")
        try:
            home.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                home.rename(old)
            Path(draft.folder).rename(home)
        except OSError as error:
            with contextlib.suppress(OSError):
                old.rename(home)
            return f"its files could not be written to {home}: {error.strerror}"
        return ""

    def _by_nbgrader(self, drafts: Mapping[str, Draft]) -> dict[str, str]:
        """Have nbgrader itself record the drafts, as its changed configuration asks for."""
        judgements = {
            Submission.of_student(self.course, self.assignment, student).folder: draft.judgements
            for student, draft in drafts.items()
        }

        def judge(
            course: Course, lesson: Lesson, notebook: NotebookNode, submission: Submission
        ) -> Judgement:
            found = judgements[submission.folder].get(
                lesson.name
            )  # what was not judged now is in the journal
            return found or judge_notebook(course, lesson, notebook, submission)

        return nbgrader_runs.autograde(self.course, self.assignment, list(drafts), judge=judge)

    def _home(self, student: str) -> Path:
        return self.course.work / "autograded" / student / self.assignment

    def _is_finished(self, path: Path) -> bool:
        """Say whether a graded notebook is there and finished; nbgrader makes it read-only when it has ended."""
        try:
            mode = path.stat().st_mode
        except OSError:
            return False
        return not self.usual or not mode & WRITABLE

    def _sweep(self) -> None:
        """Remove the drafts that a killed run left."""
        for path in drafts_folder(self.course, self.assignment).glob("*/*"):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > FORGOTTEN:
                    shutil.rmtree(path)
