"""What is recorded of a Verdict in the gradebook, and what must never be."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_output
from nbgrader.utils import determine_grade

from autograder import intake
from autograder.course import CourseError
from autograder.recording import gradebook, nbgrader_runs, nbgrader_settings, nbgrader_steps, registration
from autograder.recording.graded import outputs
from tests import ROOT
from tests.autograder.recording import nbgrader_sample as sample
from tests.autograder.recording.gradebook_sample import Course, book, points, record
from tests.autograder.recording.nbgrader_sample import ASSIGNMENT, NAME, judges, submit, verdict

# nbgrader's; autograder.recording.gradebook says why they are harmless, and pytest shows them all the same
pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")


@pytest.fixture
def course(sample_course: Course) -> Course:
    return sample_course


def test_record_writes_the_points_of_each_student(course: Course) -> None:
    submit(course, "ada", why="because")
    submit(course, "bob")
    done: list[str] = []
    assert (
        nbgrader_runs.autograde(
            course, ASSIGNMENT, on_done=done.append, take_in=sample.as_it_is, judge=judges(verdict(1.0))
        )
        == {}
    )
    assert done == ["ada", "bob"]
    grade = gradebook.Grade
    assert gradebook.grades(course, ASSIGNMENT) == [
        grade("ada", NAME, "double", 1.0, None, 0.0, 3.0, False),
        grade("ada", NAME, "why", None, None, 0.0, 4.0, True),
        grade("bob", NAME, "double", 1.0, None, 0.0, 3.0, False),
        grade("bob", NAME, "why", 0.0, None, 0.0, 4.0, False),  # it was never written
    ]


def test_grades_without_a_gradebook_are_none_and_make_none(tmp_path: Path) -> None:
    course = sample.make_course(tmp_path)
    assert gradebook.grades(course, ASSIGNMENT) == []
    assert not course.work.exists()


def test_record_of_some_students_leaves_the_others(course: Course) -> None:
    submit(course, "ada")
    submit(course, "bob")
    record(course, verdict(3.0), students=["bob"])
    assert {grade.student for grade in gradebook.grades(course, ASSIGNMENT)} == {"bob"}


def test_a_persons_points_stay_and_are_to_be_looked_at_again(course: Course) -> None:
    submit(course, "ada")
    record(course, verdict(1.0))
    with book(course) as made:
        grade = made.find_grade("double_check", NAME, ASSIGNMENT, "ada")
        grade.manual_score, grade.extra_credit, grade.needs_manual_grade = 2.5, 0.5, False
        made.find_comment("double", NAME, ASSIGNMENT, "ada").manual_comment = "Good."
        made.db.commit()
    record(course, verdict(3.0))
    again = points(course)
    assert (again.auto, again.manual, again.score, again.needs_manual) == (3.0, 2.5, 3.0, True)
    with book(course) as made:
        assert made.find_comment("double", NAME, ASSIGNMENT, "ada").comment == "Good."


def test_a_late_submission_is_penalised_by_nbgraders_plugin(course: Course) -> None:
    ours = ROOT / nbgrader_settings.CONFIG
    text = ours.read_text().replace("__file__", repr(str(ours)))
    (course.root / nbgrader_settings.CONFIG).write_text(
        text + '\nc.LateSubmissionPlugin.penalty_method = "zero"\n'
    )
    registration.sync(course, ASSIGNMENT)
    with book(course) as made:
        made.update_or_create_assignment(ASSIGNMENT, duedate="2026-01-01 12:00:00 UTC")
    for student, time in (("ada", "11:59:00"), ("bob", "12:01:00")):
        submit(course, student)
        stamp = course.submitted / student / ASSIGNMENT / "timestamp.txt"
        stamp.write_text(f"2026-01-01 {time} UTC")
    assert record(course, verdict(3.0)) == {}
    with book(course) as made:
        penalties = [
            made.find_submission_notebook(NAME, ASSIGNMENT, student).late_submission_penalty
            for student in ("ada", "bob")
        ]
    assert penalties == [None, 3.0]


def test_a_notebooks_outputs_and_metadata_cannot_make_points(course: Course) -> None:
    notebook = submit(course, "eve")
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count = 7
            cell.outputs = [
                new_output("execute_result", data={"text/plain": "3.0"}, execution_count=7),
                new_output("display_data", data={"text/html": "<b>full points</b>"}),
                new_output("stream", name="stderr", text="full points"),
            ]
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "double_check":
            cell.metadata.nbgrader.points = 1000.0
            cell.source = "3.0"
    sample.save(course, "eve", notebook)
    assert record(course, verdict(0.0)) == {}
    assert (points(course, "eve").auto, points(course, "eve").max) == (0.0, 3.0)
    path = course.work / "autograded" / "eve" / ASSIGNMENT / f"{NAME}.ipynb"
    assert "full points" not in path.read_text()
    graded = nbformat.read(path, as_version=4)
    (check,) = [c for c in graded.cells if c.metadata.get("nbgrader", {}).get("grade_id") == "double_check"]
    assert check.source == "check(double)"
    assert [output.output_type for output in check.outputs] == ["execute_result", "display_data"]


def test_what_cells_printed_is_plain_text_of_bounded_length(course: Course) -> None:
    submit(course, "eve", extra="print('x')")
    said = "\x1b[31mred\x1b[0m\x00\u202e" + "\ud800" + "<b>\n" + "x" * 50_000
    assert record(course, verdict(3.0), printed={2: said, 3: "points 3.0", 5: "two\r\nlines"}) == {}
    path = course.work / "autograded" / "eve" / ASSIGNMENT / f"{NAME}.ipynb"
    cells = nbformat.read(path, as_version=4).cells
    (shown,) = cells[2].outputs
    assert (shown.output_type, shown.name) == ("stream", "stdout")
    assert shown.text.startswith("red?<b>\nxxx")
    assert len(shown.text) < 11_000 and shown.text.endswith("[... the rest is left out]")
    assert len(cells[3].outputs) == 2, "a check shows its Verdict and nothing that was printed"
    assert cells[5].outputs[0].text == "two\nlines"


def test_an_exercise_without_a_verdict_gets_no_points_and_a_reason(course: Course) -> None:
    submit(course, "ada")
    assert record(course) == {}
    assert points(course).auto == 0.0
    path = course.work / "autograded" / "ada" / ASSIGNMENT / f"{NAME}.ipynb"
    assert "The grader has no result for this exercise; ask your instructor." in path.read_text()


def test_a_submission_that_cannot_be_judged_is_not_recorded_and_stops_nobody(course: Course) -> None:
    submit(course, "ada", "def double(x):\n    return 'ada'")
    submit(course, "bob")

    def judge(course, lesson, notebook, submission):
        if any("'ada'" in cell.source for cell in notebook.cells):
            raise RuntimeError("the sandbox\ncannot be started")
        return judges(verdict(3.0))(course, lesson, notebook, submission)

    problems = nbgrader_runs.autograde(course, ASSIGNMENT, take_in=sample.as_it_is, judge=judge)
    assert problems == {"ada": f"{NAME} of ada is not graded: RuntimeError: the sandbox cannot be started"}
    assert (points(course, "ada").auto, points(course, "bob").auto) == (None, 3.0)
    assert points(course, "ada").needs_manual
    assert not (course.work / "autograded" / "ada" / ASSIGNMENT).exists()


def test_a_failed_regrade_keeps_the_grades(course: Course) -> None:
    submit(course, "ada")
    record(course, verdict(3.0))
    assert list(record(course, verdict(float("nan")))) == ["ada"]
    assert points(course).auto == 3.0


def test_where_intake_fails_nothing_is_read_or_copied(course: Course) -> None:
    submit(course, "ada")
    (course.submitted / "ada" / ASSIGNMENT / "endless.bin").symlink_to("/dev/zero")
    submit(course, "bob")

    def take_in(course, notebooks):
        if "/ada/" in notebooks[0]:
            raise OSError("the disk is full")

    problems = record(course, verdict(3.0), take_in=take_in)
    assert problems == {"ada": "OSError: the disk is full"}
    assert {grade.student for grade in gradebook.grades(course, ASSIGNMENT)} == {"bob"}


def test_a_student_without_a_notebook_is_named(course: Course) -> None:
    (course.submitted / "ada" / ASSIGNMENT).mkdir(parents=True)
    submit(course, "bob")
    problems = record(course, verdict(3.0), take_in=lambda course, notebooks: notebooks.clear())
    assert problems == {
        "ada": "there is no notebook to grade",
        "bob": "no notebook of 1_layers was handed in",
    }


def test_what_intake_says_of_an_exercise_reaches_the_student(course: Course) -> None:
    notebook = sample.released(course, bare=True)
    notebook.cells = [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") != "double"]
    sample.save(course, "ada", notebook)
    assert record(course, verdict(0.0), take_in=None) == {}
    path = course.work / "autograded" / "ada" / ASSIGNMENT / f"{NAME}.ipynb"
    graded = nbformat.read(path, as_version=4)
    (check,) = [c for c in graded.cells if c.metadata.get("nbgrader", {}).get("grade_id") == "double_check"]
    taken = intake.load_record(course, ASSIGNMENT, "ada")
    assert taken is not None
    note = taken.lessons[NAME].notes["double"]
    assert note[1:] in check.outputs[1].data["text/plain"]
    assert graded.metadata.cnnlab.flags, "the instructor is told too"


@pytest.mark.parametrize("given", [0.0, 1 / 3, 1.0, 3.0, 3.0000000001])
def test_nbgrader_reads_the_points_that_were_given(given: float) -> None:
    cell = nbformat.v4.new_code_cell("check(double)")
    cell.metadata["nbgrader"] = {"grade": True, "solution": False, "points": 3.0, "grade_id": "double_check"}
    cell.outputs = outputs(verdict(given), 3.0)
    assert determine_grade(cell) == (min(given, 3.0), 3.0)


@pytest.mark.parametrize("given", [float("nan"), float("inf"), -1.0, 3.1])
def test_points_that_nbgrader_would_take_for_full_ones_are_refused(given: float) -> None:
    with pytest.raises(CourseError, match="which cannot be"):
        outputs(verdict(given), 3.0)


def test_a_verdict_on_other_points_than_the_gradebooks_is_refused() -> None:
    with pytest.raises(CourseError, match=r"judged out of 3 points but carries 5"):
        outputs(verdict(3.0), 5.0)


def test_the_hook_leaves_only_what_intake_wrote(course: Course) -> None:
    submit(course, "ada")
    folder = course.submitted / "ada" / ASSIGNMENT
    (folder / f"{NAME}.ipynb").rename(folder / f"Copy_of_{NAME}.ipynb")
    notebooks = [str(folder / f"Copy_of_{NAME}.ipynb")]
    nbgrader_steps.pre_convert(ASSIGNMENT, "*", notebooks, course=course)
    assert notebooks == [str(folder / f"{NAME}.ipynb")]
    assert not registration.sync(course, ASSIGNMENT), "the hook registered the assignment"
    assert [path.name for path in folder.iterdir()] == [f"{NAME}.ipynb"]


def test_a_folder_that_intake_refuses_is_moved_out_of_nbgraders_reach(course: Course) -> None:
    submit(course, "a b")
    folder = course.submitted / "a b" / ASSIGNMENT
    (folder / "endless.bin").symlink_to("/dev/zero")
    for number in (1, 2):
        notebooks = [str(folder / f"{NAME}.ipynb")]
        nbgrader_steps.pre_convert(ASSIGNMENT, "*", notebooks, course=course)
        assert notebooks == []
        assert not folder.exists()
        assert (course.raw / "a b" / f"{ASSIGNMENT}.refused.{number}" / f"{NAME}.ipynb").exists()
        submit(course, "a b")
