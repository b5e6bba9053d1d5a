"""Recording in batches leaves what nbgrader's own autograde leaves."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograder.recording import gradebook, nbgrader_runs, nbgrader_settings
from autograder.recording.drafting import draft
from autograder.recording.recorder import Recorder
from tests import ROOT
from tests.autograder.recording.nbgrader_sample import ASSIGNMENT, NAME, verdict
from tests.autograder.recording.recording_sample import (
    RIGHT,
    SECOND,
    SECOND_RIGHT,
    Course,
    a_class,
    copy_of,
    files,
    grade_by_hand,
    hand_in,
    judgement,
    penalise,
    record_fast,
    record_slowly,
    tables,
)


@pytest.fixture
def course(two_lesson_course: Course) -> Course:
    return two_lesson_course


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
