"""Recording in batches leaves what nbgrader's own autograde leaves, and nothing half done wherever it is killed."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Base, Gradebook
from sqlalchemy import create_engine, text

from autograder.authoring import build
from autograder.authoring.release import release
from autograder.authoring.script import read
from autograder.course import CourseError
from autograder.exercise import lesson
from autograder.judging.judgement import Judgement
from autograder.recording import (
    gradebook,
    nbgrader_runs,
    nbgrader_settings,
    recorded,
    registration,
    released_cells,
)
from autograder.recording.drafting import Draft, draft
from autograder.recording.recorder import Recorder
from tests import ROOT
from tests.autograder.recording import nbgrader_sample as sample
from tests.autograder.recording.nbgrader_sample import ASSIGNMENT, NAME, submit, verdict

Course = sample.SampleCourse
SECOND = "02_again"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course of two lessons whose gradebook is made: to make one takes a second."""
    course = two_lessons(tmp_path_factory.mktemp("course"))
    registration.sync(course, ASSIGNMENT)
    return course.root


@pytest.fixture
def course(prepared: Path, tmp_path: Path) -> Course:
    """That course with a class of its own."""
    return copy_of(prepared, tmp_path / "course")


def two_lessons(root: Path) -> Course:
    """A course whose assignment has the sample lesson twice."""
    course = sample.make_course(root)
    again = lesson(
        f"{ASSIGNMENT}/{SECOND}", [sample.exercise("double", {"all": 2.0})], questions={"why": 4.0}
    )
    course.script(again).write_text(sample.SCRIPT)
    where = release(root / "pyproject.toml")
    build.write_notebook(
        build.student_notebook(read(again, course.script(again)), where), course.released(again)
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


# The same as nbgrader


def test_both_ways_leave_the_same_files_and_rows(course: Course, tmp_path: Path) -> None:
    fast, slow = course, copy_of(course.root, tmp_path / "slow")
    for one in (fast, slow):
        with Gradebook(one.db_url) as made:
            made.update_or_create_assignment(ASSIGNMENT, duedate="2026-01-01 12:00:00 UTC")
    penalise(fast), penalise(slow)
    judgements = a_class(fast)
    assert a_class(slow) == judgements
    assert record_fast(fast, judgements) == {} == record_slowly(slow, judgements)
    assert files(fast) == files(slow)
    assert len(files(fast)) == 2 * 5 - 1 + 3, "a notebook is missing; two timestamps and a file are there"
    assert tables(fast.db_url) == tables(slow.db_url)
    assert gradebook.grades(fast, ASSIGNMENT) == gradebook.grades(slow, ASSIGNMENT)
    with Gradebook(fast.db_url) as made:
        assert made.find_submission(ASSIGNMENT, "ida").late_submission_penalty == 5.0
        assert made.find_submission(ASSIGNMENT, "joe").late_submission_penalty == 0.0
    said = nbgrader_runs.feedback(fast, ASSIGNMENT)
    assert sorted(said) == sorted(judgements)


def penalise(course: Course) -> None:
    """Have nbgrader's plugin take all points from who is late."""
    ours = ROOT / nbgrader_settings.CONFIG
    source = ours.read_text().replace("__file__", repr(str(ours)))
    (course.root / nbgrader_settings.CONFIG).write_text(
        source + '\nc.LateSubmissionPlugin.penalty_method = "zero"\n'
    )


def test_both_ways_treat_what_a_person_did_alike(course: Course, tmp_path: Path) -> None:
    fast, slow = course, copy_of(course.root, tmp_path / "slow")
    for one, how in ((fast, record_fast), (slow, record_slowly)):
        judgements = a_class(one)
        assert how(one, judgements) == {}
        grade_by_hand(one)
        better = judgement(verdict(3.0))
        hand_in(one, "bob", both=True, why="It is.")
        (one.submitted / "ada" / ASSIGNMENT / f"{SECOND}.ipynb").unlink()
        (one.submitted / "ada" / ASSIGNMENT / "weights.safetensors").unlink()
        changed = {
            "ada": {NAME: RIGHT},
            "bob": {NAME: better, SECOND: SECOND_RIGHT},
            "eve": judgements["eve"],
        }
        assert how(one, changed) == {}
    assert tables(fast.db_url) == tables(slow.db_url)
    assert files(fast) == files(slow)
    with Gradebook(fast.db_url) as made:
        grade = made.find_grade("double_check", NAME, ASSIGNMENT, "bob")
        assert (grade.auto_score, grade.manual_score, grade.extra_credit) == (3.0, 2.5, 0.5)
        assert grade.needs_manual_grade
        assert made.find_comment("double", NAME, ASSIGNMENT, "bob").manual_comment == "Good."


def grade_by_hand(course: Course) -> None:
    with Gradebook(course.db_url) as made:
        grade = made.find_grade("double_check", NAME, ASSIGNMENT, "bob")
        grade.manual_score, grade.extra_credit, grade.needs_manual_grade = 2.5, 0.5, False
        made.find_comment("double", NAME, ASSIGNMENT, "bob").manual_comment = "Good."
        grade = made.find_grade("why", NAME, ASSIGNMENT, "ada")
        grade.manual_score, grade.needs_manual_grade = 4.0, False
        made.db.commit()


def test_what_an_instructor_changed_in_the_configuration_is_done(course: Course) -> None:
    ours = ROOT / nbgrader_settings.CONFIG
    source = ours.read_text().replace("__file__", repr(str(ours)))
    added = (
        "from nbgrader.preprocessors import NbGraderPreprocessor\n"
        "class Mark(NbGraderPreprocessor):\n"
        "    def preprocess(self, nb, resources):\n"
        "        nb.metadata['marked'] = True\n"
        "        return nb, resources\n"
        "c.Autograde.autograde_preprocessors.append(Mark)\n"
    )
    (course.root / nbgrader_settings.CONFIG).write_text(source + added)
    hand_in(course, "ada", both=False)
    with Recorder(course, ASSIGNMENT) as recorder:
        # as intake leaves it, so that the take-in of nbgrader's way changes nothing
        found = draft(course, ASSIGNMENT, "ada", {NAME: RIGHT})
        assert found.folder == ""
        assert recorder.commit([pickle.loads(pickle.dumps(found))]) == {}
    assert '"marked": true' in (course.work / "autograded/ada" / ASSIGNMENT / f"{NAME}.ipynb").read_text()
    auto = {(g.lesson, g.exercise): g.auto for g in gradebook.grades(course, ASSIGNMENT)}
    assert auto[NAME, "double"] == 3.0 and auto[SECOND, "double"] == 0.0


@pytest.mark.parametrize(
    ("line", "usual"),
    [
        ("", True),
        ("c.LateSubmissionPlugin.penalty_method = 'zero'", True),
        ("c.HTMLExporter.sanitize_html = False", True),
        ("c.AssignLatePenalties.enabled = False", False),
        ("c.Autograde.exclude_overwriting = {'1_layers': ['x.py']}", False),
        ("c.Autograde.sanitize_preprocessors = []", False),
        ("c.CourseDirectory.groupshared = True", False),
        ("c.OverwriteCells.add_missing_cells = True", False),
        ("c.NbGraderPreprocessor.enabled = False", False),
    ],
)
def test_which_settings_nbgrader_has_to_follow_itself(course: Course, line: str, usual: bool) -> None:
    ours = ROOT / nbgrader_settings.CONFIG
    source = ours.read_text().replace("__file__", repr(str(ours)))
    (course.root / nbgrader_settings.CONFIG).write_text(f"{source}\n{line}\n")
    assert nbgrader_settings.is_usual(nbgrader_settings.configuration(course)) == usual


# Drafts


def test_a_draft_touches_nothing_that_stands_and_may_travel(course: Course) -> None:
    hand_in(course, "ada")
    before = tables(course.db_url)
    found = draft(course, ASSIGNMENT, "ada", {NAME: RIGHT, SECOND: SECOND_RIGHT}, identity="abc")
    assert isinstance(found, Draft) and pickle.loads(pickle.dumps(found)) == found
    assert tables(course.db_url) == before and not (course.work / "autograded").exists()
    assert Path(found.folder).is_relative_to(course.work / "drafts")
    assert found.record.identity == "abc"


def test_a_draft_that_cannot_be_leaves_nothing(course: Course) -> None:
    with pytest.raises(CourseError, match="no notebook of 1_layers was handed in by zoe"):
        draft(course, ASSIGNMENT, "zoe", {})
    hand_in(course, "ada", both=False)
    with pytest.raises(CourseError, match="02_again of ada was judged but is not in work/submitted"):
        draft(course, ASSIGNMENT, "ada", {NAME: RIGHT, SECOND: SECOND_RIGHT})
    with pytest.raises(CourseError, match="nan points of 3, which cannot be"):
        draft(course, ASSIGNMENT, "ada", {NAME: judgement(verdict(float("nan")))})
    with pytest.raises(CourseError, match="not a student's id"):
        draft(course, ASSIGNMENT, "../ada", {})
    assert not list((course.work / "drafts").rglob("*.ipynb"))
    assert record_fast(course, {"ada": {NAME: RIGHT}}) == {}
    assert not (course.work / "drafts" / ASSIGNMENT).exists()


def test_points_and_metadata_of_the_notebook_itself_count_for_nothing(course: Course) -> None:
    notebook = submit(course, "eve")
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "double_check":
            cell.metadata.nbgrader.points = 1000.0
            cell.source = "3.0"
    sample.save(course, "eve", notebook)
    assert record_fast(course, {"eve": {NAME: judgement(verdict(0.0))}}) == {}
    (grade,) = [g for g in gradebook.grades(course, ASSIGNMENT) if (g.lesson, g.exercise) == (NAME, "double")]
    assert (grade.auto, grade.max) == (0.0, 3.0)
    assert "check(double)" in (course.work / "autograded/eve" / ASSIGNMENT / f"{NAME}.ipynb").read_text()


def test_a_lesson_that_was_not_judged_keeps_its_grades_and_file(course: Course) -> None:
    hand_in(course, "ada")
    record_fast(course, {"ada": {NAME: RIGHT, SECOND: SECOND_RIGHT}})
    standing = files(course)[f"ada/{ASSIGNMENT}/{SECOND}.ipynb"]
    record_fast(course, {"ada": {NAME: WRONG}})
    assert files(course)[f"ada/{ASSIGNMENT}/{SECOND}.ipynb"] == standing
    auto = {(g.lesson, g.exercise): g.auto for g in gradebook.grades(course, ASSIGNMENT)}
    assert (auto[NAME, "double"], auto[SECOND, "double"]) == (1.0, 2.0)
    found = recorded.find(course, ASSIGNMENT, "ada")
    assert found and {n: one.points["double"] for n, one in found.lessons.items()} == {NAME: 1.0, SECOND: 2.0}


# Commits


def test_one_bad_draft_costs_only_itself(course: Course) -> None:
    judgements = a_class(course)
    with Recorder(course, ASSIGNMENT) as recorder:
        drafts = {s: draft(course, ASSIGNMENT, s, found) for s, found in judgements.items()}
        shutil.rmtree(drafts["ada"].folder)
        odd = {NAME: replace(drafts["bob"].scores[NAME], auto={"gone_check": 1.0})}
        drafts["bob"] = replace(drafts["bob"], scores=odd)
        problems = recorder.commit(list(drafts.values()))
        assert problems == {
            "ada": "its draft is gone from work/drafts: grade again",
            "bob": f"{NAME} has changed while it was graded: grade again",
        }
        assert {g.student for g in gradebook.grades(course, ASSIGNMENT)} == {"eve", "ida", "joe"}
        assert not recorder.recorded_whole("ada") and recorder.recorded_whole("eve")


def test_files_that_cannot_be_written_cost_only_that_submission(course: Course) -> None:
    hand_in(course, "ada")
    hand_in(course, "bob", both=False)
    record_fast(course, {"ada": {NAME: RIGHT, SECOND: SECOND_RIGHT}})
    (course.work / "autograded" / "bob").write_text("in the way")
    before = files(course)
    problems = record_fast(course, {"ada": {NAME: WRONG}, "bob": {NAME: WRONG}})
    assert list(problems) == ["bob"] and "its files could not be written" in problems["bob"]
    assert files(course) != before
    with Recorder(course, ASSIGNMENT) as recorder:
        assert recorder.recorded_whole("ada") and not recorder.recorded_whole("bob")


def test_a_failing_plugin_for_late_submissions_costs_only_the_late(course: Course) -> None:
    ours = ROOT / nbgrader_settings.CONFIG
    source = ours.read_text().replace("__file__", repr(str(ours)))
    added = (
        "from nbgrader.plugins import LateSubmissionPlugin\n"
        "class Broken(LateSubmissionPlugin):\n"
        "    def late_submission_penalty(self, student_id, score, total_seconds_late):\n"
        "        return 1 / 0\n"
        "c.AssignLatePenalties.plugin_class = Broken\n"
    )
    (course.root / nbgrader_settings.CONFIG).write_text(source + added)
    with Gradebook(course.db_url) as made:
        made.update_or_create_assignment(ASSIGNMENT, duedate="2026-01-01 12:00:00 UTC")
    problems = record_fast(course, a_class(course))
    assert list(problems) == ["ida"] and "ZeroDivisionError" in problems["ida"]
    assert {g.student for g in gradebook.grades(course, ASSIGNMENT)} == {"ada", "bob", "eve", "joe"}


def test_a_submission_is_held_only_where_all_of_it_is_there(course: Course) -> None:
    hand_in(course, "ada")
    with Recorder(course, ASSIGNMENT) as recorder:
        recorder.commit([draft(course, ASSIGNMENT, "ada", {NAME: RIGHT}, identity="abc")])
        assert held(recorder, "ada", "abc") and not held(recorder, "ada", "def")
        assert not held(recorder, "bob", "") and not held(recorder, "bob", "abc")
    with Recorder(course, ASSIGNMENT) as recorder:
        assert held(recorder, "ada", "abc")
        (course.work / "autograded/ada" / ASSIGNMENT / f"{NAME}.ipynb").unlink()
        assert not held(recorder, "ada", "abc")


def test_the_journal_says_what_was_recorded_and_by_what_but_no_secret(course: Course) -> None:
    hand_in(course, "ada", why="Because.")
    record_fast(course, {"ada": {NAME: WRONG, SECOND: SECOND_RIGHT}})
    entry = recorded.journal(course).find(f"{ASSIGNMENT}/ada")
    assert entry and (entry["assignment"], entry["student"], entry["whole"]) == (ASSIGNMENT, "ada", True)
    assert set(entry["versions"]) == {"python", "numpy", "cnnlab", "grader"}
    assert entry["lessons"][NAME]["points"] == {"double": 1.0, "why": None}
    assert len(entry["lessons"][NAME]["judgement"]) == len(entry["submission"]) == len(entry["secret"]) == 64
    assert course.secret().hex() not in (course.work / "recorded.jsonl").read_text()


def test_nbgraders_own_way_is_noted_too(course: Course) -> None:
    hand_in(course, "ada")
    found = {"ada": {NAME: RIGHT, SECOND: SECOND_RIGHT}}
    record_fast(course, found)
    first = recorded.find(course, ASSIGNMENT, "ada")
    record_slowly(course, found)
    assert recorded.find(course, ASSIGNMENT, "ada") == first, "nothing changed, so it is still held"
    hand_in(course, "ada", code="def double(x):\n    return x")
    record_slowly(course, {"ada": {NAME: WRONG, SECOND: SECOND_RIGHT}})
    second = recorded.find(course, ASSIGNMENT, "ada")
    assert second and second.identity == "" and second.lessons[NAME].points["double"] == 1.0


# Killed anywhere

# Regrades the classes named, each in a process of its own that ends at the next point, and says how each ended.
KILL = """
import os, sys
sys.path[:0] = [{here!r}]
import autograder.recording.recorder, autograder.recording.tables as tables
from autograder.recording import recorded
from tests.autograder.recording import test_recording as t
from pathlib import Path

count = point = 0

def step():
    global count
    count += 1
    if count == point:
        os._exit(9)

def counted(function):
    def wrapper(*args, **kwargs):
        step()
        result = function(*args, **kwargs)
        step()
        return result
    return wrapper

tables.Session.commit = counted(tables.Session.commit)
recorded.begin = counted(recorded.begin)
recorded.end = counted(recorded.end)
Path.rename = counted(Path.rename)
for point, root in enumerate(sys.argv[1:], 1):
    child = os.fork()
    if child == 0:
        t.regrade(t.copy_as(root))
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
POINTS = 14  # before and after each step of a batch of two: begin, commit, two renames each, end


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


def test_killed_at_any_point_the_next_run_comes_to_the_same_end(course: Course, tmp_path: Path) -> None:
    hand_in(course, "ada")
    hand_in(course, "bob", both=False)
    record_fast(course, {"ada": {NAME: RIGHT, SECOND: SECOND_RIGHT}, "bob": {NAME: WRONG}})
    old = gradebook.grades(course, ASSIGNMENT)
    undisturbed = copy_of(course.root, tmp_path / "undisturbed")
    regrade(undisturbed)
    new = gradebook.grades(undisturbed, ASSIGNMENT)
    assert new != old
    killed = [copy_of(course.root, tmp_path / f"killed {point}") for point in range(POINTS + 1)]
    script = [sys.executable, "-c", KILL.format(here=str(ROOT))]
    done = subprocess.run([*script, *(str(one.root) for one in killed)], capture_output=True, text=True)
    assert done.stdout.split() == ["9"] * POINTS + ["0"], done.stdout + done.stderr
    for one in killed:
        assert gradebook.grades(one, ASSIGNMENT) in (old, new), "all scores of a batch, or none"
        regrade(one)
        assert tables(one.db_url) == tables(undisturbed.db_url)
        assert files(one) == files(undisturbed)
        with Recorder(one, ASSIGNMENT) as recorder:
            assert held(recorder, "ada", "new ada") and held(recorder, "bob", "new bob")


def test_an_earlier_submission_handed_in_again_after_a_kill_is_not_taken_for_recorded(course: Course) -> None:
    hand_in(course, "ada")
    with Recorder(course, ASSIGNMENT) as recorder:
        recorder.commit([draft(course, ASSIGNMENT, "ada", {NAME: RIGHT}, identity="first")])
        second = draft(course, ASSIGNMENT, "ada", {NAME: WRONG}, identity="second")
        recorded.begin(course, [second.record])  # and here it is killed
        assert not held(recorder, "ada", "first") and not held(recorder, "ada", "second")


def test_what_a_killed_run_left_of_its_drafts_is_swept_away_later(course: Course) -> None:
    hand_in(course, "ada")
    left = Path(draft(course, ASSIGNMENT, "ada", {NAME: RIGHT}).folder)
    Recorder(course, ASSIGNMENT).close()
    assert left.exists(), "it may be a run's that goes on"
    os.utime(left, (time.time() - 86400,) * 2)
    Recorder(course, ASSIGNMENT).close()
    assert not left.exists()


# What it costs


def test_registering_again_needs_no_building(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = released_cells.released(course, ASSIGNMENT)
    monkeypatch.setattr(released_cells, "_built", lambda *_: pytest.fail("it was built again"))
    assert not registration.sync(course, ASSIGNMENT)
    assert released_cells.released(course, ASSIGNMENT) == rows
    monkeypatch.undo()
    (course.source / ASSIGNMENT / f"{NAME}.ipynb").unlink()
    assert not registration.sync(course, ASSIGNMENT)
    assert (course.source / ASSIGNMENT / f"{NAME}.ipynb").exists(), "but what is gone is written again"
    (course.work / "registered" / f"{ASSIGNMENT}.json").write_text("{cut")
    assert not registration.sync(course, ASSIGNMENT)
    assert released_cells.released(course, ASSIGNMENT) == rows


def test_the_number_of_queries_does_not_grow_with_the_class(course: Course) -> None:
    from sqlalchemy import event

    counts = []
    for size in (2, 20):
        students = [f"s{number}" for number in range(size)]
        for student in students:
            hand_in(course, student, both=False)
        with Recorder(course, ASSIGNMENT) as recorder:
            asked: list[str] = []
            event.listen(
                recorder.engine, "before_cursor_execute", lambda *said, asked=asked: asked.append(said[2])
            )
            recorder.commit([draft(course, ASSIGNMENT, s, {NAME: RIGHT}) for s in students])
        counts.append(len(asked))
    assert counts[0] == counts[1], counts
