"""A course of two lessons, classes that are recorded in it, and what recording leaves."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nbgrader.api import Base, Gradebook
from sqlalchemy import create_engine, text

from autograder.authoring import build, notebooks
from autograder.authoring.release import release
from autograder.authoring.script import read
from autograder.exercise import lesson
from autograder.judging.judgement import Judgement
from autograder.recording import nbgrader_runs, nbgrader_settings
from autograder.recording.drafting import draft
from autograder.recording.recorder import Recorder
from tests import ROOT
from tests.autograder.recording import nbgrader_sample as sample
from tests.autograder.recording.nbgrader_sample import ASSIGNMENT, NAME, submit, verdict

Course = sample.SampleCourse


SECOND = "02_again"


def two_lessons(root: Path) -> Course:
    """A course whose assignment has the sample lesson twice."""
    course = sample.make_course(root)
    again = lesson(
        f"{ASSIGNMENT}/{SECOND}", [sample.exercise("double", {"all": 2.0})], questions={"why": 4.0}
    )
    course.script(again).write_text(sample.SCRIPT)
    where = release(root / "pyproject.toml")
    build.write_notebook(
        notebooks.student_notebook(read(again, course.script(again)), where), course.student_notebook(again)
    )
    return replace(course, declared=(*course.declared, again))


def copy_of(root: Path, target: Path) -> Course:
    shutil.copytree(root, target)
    declared = two_lessons(target).declared
    return Course(target, target / "work", declared)


def judgement(
    *verdicts: Any, printed: dict[int, str] | None = None, flags: tuple[str, ...] = ()
) -> Judgement:
    return Judgement({one.exercise: one for one in verdicts}, printed or {}, flags, 0.1)


RIGHT = judgement(verdict(3.0))


WRONG = judgement(verdict(1.0, mistake="tripled", hint="You tripled."), printed={2: "x\x1b[31m\u202e<b>"})


HOSTILE = judgement(verdict(0.0, notes=("<script>",)), flags=("double: it tried <img src=x>",))


SECOND_RIGHT = judgement(verdict(2.0, 2.0, groups={"all": (2.0, 2.0)}))


def hand_in(course: Course, student: str, *, both: bool = True, late: str = "", **fields: str) -> None:
    """Put a submission as intake leaves it into work/submitted."""
    submit(course, student, **fields)
    folder = course.submitted / student / ASSIGNMENT
    if both:
        (folder / f"{SECOND}.ipynb").write_text(second_notebook(folder / f"{NAME}.ipynb"))
    if late:
        (folder / "timestamp.txt").write_text(late)


def second_notebook(first: Path) -> str:
    return first.read_text().replace('"points": 3.0', '"points": 2.0')


def a_class(course: Course) -> dict[str, dict[str, Judgement]]:
    """Hand in a class of every kind, and return what its judgements are to be."""
    hand_in(course, "ada", why="Because 2(x + y) = 2x + 2y.")
    hand_in(course, "bob", both=False, code="def double(x):\n    return 3 * x")
    hand_in(course, "eve", code="raise SystemExit", extra="print('<script>')")
    hand_in(course, "ida", late="2026-01-02 12:00:00 UTC")
    hand_in(course, "joe", code=unwritten(course), late="2026-01-01 10:00:00 Europe/Zurich")
    (course.submitted / "ada" / ASSIGNMENT / "weights.safetensors").write_bytes(bytes(1000))
    return {
        "ada": {NAME: RIGHT, SECOND: SECOND_RIGHT},
        "bob": {NAME: WRONG},
        "eve": {NAME: HOSTILE, SECOND: judgement(flags=("it slept",))},
        "ida": {NAME: RIGHT, SECOND: SECOND_RIGHT},
        "joe": {NAME: judgement(verdict(0.0, status="not attempted")), SECOND: SECOND_RIGHT},
    }


def unwritten(course: Course) -> str:
    """The exercise's cell as it was handed out."""
    (cell,) = [
        c for c in sample.released(course).cells if c.metadata.get("nbgrader", {}).get("grade_id") == "double"
    ]
    return cell.source


def record_fast(course: Course, judgements: Mapping[str, Mapping[str, Judgement]]) -> dict[str, str]:
    with Recorder(course, ASSIGNMENT) as recorder:
        return recorder.commit([draft(course, ASSIGNMENT, s, found) for s, found in judgements.items()])


def record_slowly(course: Course, judgements: Mapping[str, Mapping[str, Judgement]]) -> dict[str, str]:
    def judge(course: Any, lesson: Any, notebook: Any, submission: Any) -> Judgement:
        return judgements[submission.folder.parent.name][lesson.name]

    return nbgrader_runs.autograde(course, ASSIGNMENT, list(judgements), take_in=sample.as_it_is, judge=judge)


def files(course: Course) -> dict[str, tuple[int, bytes]]:
    """Path below work/autograded -> mode and bytes."""
    folder = course.work / "autograded"
    return {
        str(path.relative_to(folder)): (path.stat().st_mode & 0o777, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


NAMES = """
select 'student ' || id as name, id from student
union all select 'assignment ' || name, id from assignment
union all select 'notebook ' || n.name, n.id from notebook n
union all select 'cell ' || n.name || ' ' || c.name || ' ' || c.type, c.id
    from base_cell c join notebook n on n.id = c.notebook_id
union all select 'source ' || n.name || ' ' || c.name, c.id from source_cell c join notebook n on n.id = c.notebook_id
union all select 'submission ' || s.student_id, s.id from submitted_assignment s
union all select 'submitted ' || n.name || ' ' || s.student_id, b.id
    from submitted_notebook b join notebook n on n.id = b.notebook_id
    join submitted_assignment s on s.id = b.assignment_id
"""


def tables(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all of nbgrader's tables, sorted; in the place of an id stands what it is the id of."""
    engine = create_engine(url)
    with engine.connect() as connection:
        names = {row.id: row.name for row in connection.execute(text(NAMES))}
        found = {"alembic": [tuple(row) for row in connection.execute(text("select * from alembic_version"))]}
        for name, table in Base.metadata.tables.items():
            rows = connection.execute(table.select()).mappings()
            found[name] = sorted(
                (tuple((k, str(names.get(v, v))) for k, v in row.items() if k != "id") for row in rows),
                key=str,
            )
    engine.dispose()
    return found


def penalise(course: Course) -> None:
    """Have nbgrader's plugin take all points from who is late."""
    ours = ROOT / nbgrader_settings.CONFIG
    source = ours.read_text().replace("__file__", repr(str(ours)))
    (course.root / nbgrader_settings.CONFIG).write_text(
        source + '\nc.LateSubmissionPlugin.penalty_method = "zero"\n'
    )


def grade_by_hand(course: Course) -> None:
    with Gradebook(course.db_url) as made:
        grade = made.find_grade("double_check", NAME, ASSIGNMENT, "bob")
        grade.manual_score, grade.extra_credit, grade.needs_manual_grade = 2.5, 0.5, False
        made.find_comment("double", NAME, ASSIGNMENT, "bob").manual_comment = "Good."
        grade = made.find_grade("why", NAME, ASSIGNMENT, "ada")
        grade.manual_score, grade.needs_manual_grade = 4.0, False
        made.db.commit()


def copy_as(root: str) -> Course:
    return Course(Path(root), Path(root) / "work", two_lessons(Path(root)).declared)


def held(recorder: Recorder, student: str, identity: str) -> bool:
    """Say whether this very submission is recorded, and all of it is there."""
    known = recorder.recorded_whole(student)
    return known is not None and known.identity == identity


def regrade(course: Course) -> None:
    """Record a class whose submissions are held no more."""
    changed = {"ada": {NAME: WRONG, SECOND: SECOND_RIGHT}, "bob": {NAME: RIGHT}}
    with Recorder(course, ASSIGNMENT) as recorder:
        todo = {s: found for s, found in changed.items() if not held(recorder, s, f"new {s}")}
        drafts = [draft(course, ASSIGNMENT, s, f, identity=f"new {s}") for s, f in todo.items()]
        assert recorder.commit(drafts) == {}
