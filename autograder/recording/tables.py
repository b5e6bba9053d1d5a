"""Writes graded submissions into nbgrader's tables, many in one transaction and without a query for each cell.

It leaves the same rows as nbgrader's own autograde, by means of nbgrader's own classes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nbgrader import api
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.orm import Session
from traitlets.config import Config

from autograder.recording.database import TABLES
from autograder.recording.drafting import Draft
from autograder.recording.errors import RecordRejected
from autograder.recording.graded import LOG, Scores, needs_a_person


@dataclass(frozen=True)
class _Notebook:
    """A registered lesson: its id, and name -> id of its graded and its written cells."""

    id: str
    graded: dict[str, str] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)


def write(engine: Engine, config: Config, assignment: str, drafts: Sequence[Draft]) -> None:
    """Record a batch in one transaction.

    Args:
        engine: connects to the gradebook.
        config: nbgrader's settings, which name the plugin for late submissions.
        assignment: the assignment, which is registered.
        drafts: the submissions of the batch.

    Raises:
        RecordRejected: where one of the submissions cannot be recorded; nothing is written then.
    """
    with Session(engine) as session:
        if engine.dialect.name == "sqlite":
            # SQLite would take the right to write only at the first change, after what it depends on was read.
            session.connection().exec_driver_sql("BEGIN IMMEDIATE")
        _Batch(session, config, assignment, drafts).write()
        session.commit()


def students(engine: Engine, assignment: str) -> set[str]:
    """Return the students who have a submission in the gradebook."""
    query = select(TABLES.SubmittedAssignment.student_id).join(TABLES.Assignment)
    with Session(engine) as session:
        return set(session.scalars(query.where(TABLES.Assignment.name == assignment)))


class _Batch:
    """Writes one batch in one transaction."""

    def __init__(self, session: Session, config: Config, assignment: str, drafts: Sequence[Draft]) -> None:
        self.session, self.config = session, config
        self.drafts = {draft.student: draft for draft in drafts}
        self.new: dict[Any, list[dict[str, Any]]] = defaultdict(list)
        self.changed: dict[Any, list[dict[str, Any]]] = defaultdict(list)
        self.assignment = session.scalars(
            select(TABLES.Assignment).where(TABLES.Assignment.name == assignment)
        ).one()
        self.notebooks = self._lessons()

    def write(self) -> None:
        for draft in self.drafts.values():
            self._verify(draft)
        submissions = self._submissions()
        self._grade(submissions)
        for kind in (api.Student, api.SubmittedAssignment, api.SubmittedNotebook, api.Grade, api.Comment):
            if self.new[kind]:  # into its table: by the class, rows with a None in them would go one by one
                self.session.execute(insert(kind.__table__), self.new[kind])
            if self.changed[kind]:
                self.session.execute(update(kind), self.changed[kind])
        self._penalise(submissions)

    def _lessons(self) -> dict[str, _Notebook]:
        """Return the assignment's lessons by name."""
        query = select(TABLES.Notebook.id, TABLES.Notebook.name)
        found = self.session.execute(query.where(TABLES.Notebook.assignment_id == self.assignment.id)).all()
        by_id = {row.id: (row.name, _Notebook(row.id)) for row in found}
        for kind in (TABLES.GradeCell, TABLES.SolutionCell):
            cells = select(kind.id, kind.name, kind.notebook_id).where(kind.notebook_id.in_(list(by_id)))
            for row in self.session.execute(cells):
                notebook = by_id[row.notebook_id][1]
                names = notebook.graded if kind is TABLES.GradeCell else notebook.written
                names[row.name] = row.id
        return dict(by_id.values())

    def _verify(self, draft: Draft) -> None:
        """Reject a draft whose cells are not the registered ones: some would silently keep their old points."""
        for lesson, scores in draft.scores.items():
            registered = self.notebooks.get(lesson)
            if (
                registered is None
                or set(scores.auto) != set(registered.graded)
                or not set(scores.remarks) <= set(registered.written)
            ):
                raise RecordRejected(draft.student, f"{lesson} has changed while it was graded: grade again")

    def _submissions(self) -> dict[str, str]:
        """Return student -> the submission's id, a new one where the gradebook has no submission yet."""
        students, submitted = list(self.drafts), TABLES.SubmittedAssignment
        known = set(self.session.scalars(select(TABLES.Student.id).where(TABLES.Student.id.in_(students))))
        self.new[api.Student] += [{"id": student} for student in students if student not in known]
        query = select(submitted.student_id, submitted.id).where(
            submitted.assignment_id == self.assignment.id, submitted.student_id.in_(students)
        )
        found: dict[str, str] = {student: id for student, id in self.session.execute(query)}
        for student, draft in self.drafts.items():
            if student not in found:
                found[student] = api.new_uuid()
                row = {"id": found[student], "student_id": student, "assignment_id": self.assignment.id}
                self.new[api.SubmittedAssignment].append({**row, "timestamp": draft.timestamp})
            elif draft.timestamp:
                row = {"id": found[student], "timestamp": draft.timestamp}
                self.changed[api.SubmittedAssignment].append(row)
        return found

    def _grade(self, submissions: Mapping[str, str]) -> None:
        """Find the rows of each submission, and note which rows are to be made or changed."""
        submitted = TABLES.SubmittedNotebook
        query = select(submitted.id, submitted.assignment_id, submitted.notebook_id)
        rows = self.session.execute(query.where(submitted.assignment_id.in_(list(submissions.values()))))
        held = {(row.assignment_id, row.notebook_id): row.id for row in rows}
        graded = self._held(TABLES.Grade, held.values(), "auto_score", "manual_score", "needs_manual_grade")
        written = self._held(TABLES.Comment, held.values(), "auto_comment")
        for student, draft in self.drafts.items():
            for lesson, notebook in self.notebooks.items():
                mine = held.get((submissions[student], notebook.id))
                if mine is None:
                    mine = api.new_uuid()
                    row = {"id": mine, "notebook_id": notebook.id, "assignment_id": submissions[student]}
                    self.new[api.SubmittedNotebook].append(row)
                found = draft.scores.get(lesson)
                absent = found is None and lesson not in draft.handed_in
                self._grades(mine, notebook, found, absent, graded)
                self._comments(mine, notebook, found, written)

    def _held(
        self, kind: Any, notebooks: Iterable[str], *columns: str
    ) -> dict[tuple[str, str], tuple[object, ...]]:
        """Return (notebook's id, cell's id) -> id and columns of the rows there are, and lock the rows."""
        query = select(kind.notebook_id, kind.cell_id, kind.id, *(getattr(kind, name) for name in columns))
        rows = self.session.execute(
            query.where(kind.notebook_id.in_(list(notebooks))).with_for_update(of=kind)
        )
        return {(row[0], row[1]): tuple(row[2:]) for row in rows}

    def _grades(
        self, mine: str, notebook: _Notebook, found: Scores | None, absent: bool, held: Mapping[Any, Any]
    ) -> None:
        for name, cell in notebook.graded.items():
            row = held.get((mine, cell))
            id, before, manual, needed = row or (api.new_uuid(), None, None, True)
            if absent:  # nbgrader gives nothing for what was not handed in, and asks nobody to look at it
                now = {"auto_score": 0.0, "needs_manual_grade": False}
            elif found is None:
                now = {"auto_score": before, "needs_manual_grade": needed}
            else:
                auto = found.auto[name]
                now = {"auto_score": auto, "needs_manual_grade": needs_a_person(auto, manual)}
            if row is None:
                self.new[api.Grade].append({"id": id, "notebook_id": mine, "cell_id": cell, **now})
            elif now != {"auto_score": before, "needs_manual_grade": needed}:
                self.changed[api.Grade].append({"id": id, **now})

    def _comments(
        self, mine: str, notebook: _Notebook, found: Scores | None, held: Mapping[Any, Any]
    ) -> None:
        remarks = found.remarks if found else {}
        for name, cell in notebook.written.items():
            row, remark = held.get((mine, cell)), remarks.get(name)
            if row is None:
                new = {"id": api.new_uuid(), "notebook_id": mine, "cell_id": cell, "auto_comment": remark}
                self.new[api.Comment].append(new)
            elif name in remarks and row[1] != remark:
                self.changed[api.Comment].append({"id": row[0], "auto_comment": remark})

    def _penalise(self, submissions: Mapping[str, str]) -> None:
        """Give the penalties that nbgrader's AssignLatePenalties would; only late submissions cost time."""
        ids = {self.notebooks[lesson].id: lesson for d in self.drafts.values() for lesson in d.scores}
        submitted, found = TABLES.SubmittedAssignment, []
        if self.assignment.duedate is not None:
            query = select(submitted).where(submitted.id.in_(list(submissions.values())))
            found = [one for one in self.session.scalars(query) if one.total_seconds_late > 0]
        late = {one.id: one for one in found}
        for row in self._graded_notebooks(submissions, ids, late):
            draft = self.drafts[row.student_id]
            if ids[row.notebook_id] not in draft.scores:
                continue
            if row.assignment_id not in late:
                values = {"id": row.id, "late_submission_penalty": None}
                self.session.execute(update(api.SubmittedNotebook), [values])
                continue
            notebook: Any = self.session.get_one(api.SubmittedNotebook, row.id)
            notebook.late_submission_penalty = self._penalty(draft.student, notebook, late[row.assignment_id])

    def _graded_notebooks(
        self, submissions: Mapping[str, str], ids: Iterable[str], late: Iterable[str]
    ) -> Sequence[Any]:
        """Return the notebooks that are late, and those that were and are no longer."""
        notebook, submission = TABLES.SubmittedNotebook, TABLES.SubmittedAssignment
        query = (
            select(notebook.id, notebook.notebook_id, notebook.assignment_id, submission.student_id)
            .join(submission, submission.id == notebook.assignment_id)
            .where(
                notebook.assignment_id.in_(list(submissions.values())), notebook.notebook_id.in_(list(ids))
            )
            .where(notebook.assignment_id.in_(list(late)) | notebook.late_submission_penalty.isnot(None))
        )
        return self.session.execute(query).all()

    def _penalty(self, student: str, notebook: Any, submission: Any) -> float | None:
        from nbgrader.preprocessors import AssignLatePenalties  # it takes a while to load

        step: Any = AssignLatePenalties(config=self.config)
        step.log = LOG
        try:
            step.init_plugin()
            seconds = submission.total_seconds_late
            penalty = step.plugin_inst.late_submission_penalty(student, notebook.score, seconds)
            return None if penalty is None else step._check_late_penalty(notebook, penalty)
        except Exception as error:  # an instructor's own plugin
            words = f"{type(error).__name__}: {error}"
            raise RecordRejected(
                student, f"its penalty for being late could not be found: {words}"
            ) from error
