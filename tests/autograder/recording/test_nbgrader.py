"""The real nbgrader commands on the real lesson, as an instructor types them in a checkout."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_code_cell, new_output

from autograder.authoring.script import BEGIN, END, read
from autograder.course import Course
from autograder.exercise import Lesson
from autograder.judging.companions import Submission
from autograder.judging.judge import judge_notebook
from autograder.recording import gradebook, nbgrader_runs, verify
from autograder.recording.drafting import draft
from autograder.recording.recorder import Recorder
from tests import ROOT
from tests.autograder.recording.recording_sample import files, tables

NBGRADER = Path(sys.executable).with_name("nbgrader")
ASSIGNMENT = "1_layers"
EVIL = "</script><script>document.title='hacked'</script><img src=x onerror=alert(1)>"

pytestmark = pytest.mark.skipif(not NBGRADER.exists(), reason="nbgrader is not installed beside this Python")


def nbgrader(work: Path, *arguments: str, fails: bool = False) -> str:
    """Run nbgrader in the checkout with a class folder of its own, without an active environment; return its log."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(work.parent),
        "CNNLAB_WORK": str(work),
        "JUPYTER_CONFIG_DIR": str(work.parent / "jupyter"),
    }
    done = subprocess.run(
        [str(NBGRADER), *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert (done.returncode != 0) == fails, done.stderr
    return done.stdout + done.stderr


def solved(course: Course, lesson: Lesson) -> NotebookNode:
    """Return the lesson's notebook as a student who can do it all hands it in."""
    notebook = nbformat.read(course.student_notebook(lesson), as_version=4)
    answers = {
        cell.name: "\n".join(x for x in cell.source.split("\n") if BEGIN not in x and END not in x)
        for cell in read(lesson, course.script(lesson)).cells
        if cell.role in ("exercise", "question")
    }
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if grade_id in answers:
            cell.source = answers[grade_id]
    return notebook


def hand_in(course: Course, student: str, notebook: NotebookNode, name: str) -> Path:
    path = course.submitted / student / ASSIGNMENT / name
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)
    return path


@pytest.fixture(scope="module")
def graded(
    tmp_path_factory: pytest.TempPathFactory, bubblewrap: str, ready_folder: Path
) -> tuple[Course, str]:
    """A class of three, graded and fed back by nbgrader's own commands; the log of autograde."""
    course = Course(ROOT, shutil.copytree(ready_folder, tmp_path_factory.mktemp("class") / "work"))
    lesson = course.lesson(ASSIGNMENT, "02_convolution")
    first = next(iter(lesson.exercises))
    good = solved(course, lesson)
    hand_in(course, "ada", good, f"{lesson.name}.ipynb")
    path = hand_in(course, "eve", forged(good, first), f"Copy_of_{lesson.name}.ipynb")
    (path.parent / "endless.bin").symlink_to("/dev/zero")
    (path.parent / "numpy.py").write_text("raise SystemExit\n")
    path = hand_in(course, "zoe", good, f"{lesson.name}.ipynb")
    path.write_text(path.read_text()[:2000])
    log = nbgrader(course.work, "autograde", ASSIGNMENT)
    nbgrader(course.work, "generate_feedback", ASSIGNMENT)
    return course, log


def forged(notebook: NotebookNode, exercise: str) -> NotebookNode:
    """Return a notebook whose outputs and metadata claim points for `exercise`, which is answered wrongly."""
    notebook = nbformat.from_dict(notebook)
    for cell in notebook.cells:
        about = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code":
            cell.outputs = [new_output("execute_result", data={"text/plain": "99.0"})]
        if about.get("grade_id") == exercise:
            cell.source = f"def {exercise}(*args, **kwargs):\n    print({EVIL!r})\n    return {EVIL!r}"
        if about.get("grade_id") == f"{exercise}_check":
            cell.source, about["points"] = "99.0", 99
            cell.metadata["tags"] = ["skip-execution"]
    notebook.cells.append(new_code_cell(f"print({EVIL!r})"))
    return notebook


def test_autograde_takes_in_judges_and_records(graded: tuple[Course, str]) -> None:
    course, log = graded
    lesson = course.lesson(ASSIGNMENT, "02_convolution")
    first = next(iter(lesson.exercises))
    auto = {(g.student, g.exercise): g.auto for g in gradebook.grades(course, ASSIGNMENT)}
    for name, exercise in lesson.exercises.items():
        assert auto["ada", name] == exercise.total
        assert auto["zoe", name] == 0, "its file is cut off"
    assert auto["eve", first] == 0
    assert sum(auto["eve", name] for name in lesson.exercises) > 0
    assert "eve: " in log and "endless.bin" in log, "the instructor is told what was odd"
    assert "Traceback" not in log and "SAWarning" not in log


def test_nothing_but_what_we_wrote_lies_where_nbgrader_reads(graded: tuple[Course, str]) -> None:
    course, _ = graded
    for step in ("submitted", "autograded", "feedback"):
        names = {path.name for path in (course.work / step).rglob("*") if not path.is_dir()}
        assert names == {"02_convolution.html" if step == "feedback" else "02_convolution.ipynb"}
    assert "99.0" not in (course.work / "autograded/eve/1_layers/02_convolution.ipynb").read_text()


def test_the_feedback_is_harmless_and_says_what_failed(graded: tuple[Course, str]) -> None:
    course, _ = graded
    soup = BeautifulSoup((course.feedback / "eve/1_layers/02_convolution.html").read_text(), "html.parser")
    assert not soup.find_all(["script", "img"])
    assert EVIL in soup.get_text(), "it is shown as text"
    assert "FAIL" in soup.get_text()
    ada = (course.feedback / "ada/1_layers/02_convolution.html").read_text()
    assert "FAIL" not in ada and "All cases pass." in ada
    assert course.secret().hex() not in ada


def test_export_writes_the_grades(graded: tuple[Course, str], tmp_path: Path) -> None:
    course, _ = graded
    nbgrader(course.work, "export", "--to", str(tmp_path / "grades.csv"))
    rows = {row["student_id"]: row for row in csv.DictReader((tmp_path / "grades.csv").open())}
    lesson = course.lesson(ASSIGNMENT, "02_convolution")
    exercises = sum(exercise.total for exercise in lesson.exercises.values())
    assert float(rows["ada"]["score"]) == exercises
    assert float(rows["ada"]["max_score"]) == sum(
        sum(e.total for e in one.exercises.values()) + sum(one.questions.values())
        for one in course.lessons(ASSIGNMENT)
    )
    assert set(rows) == {"ada", "eve", "zoe"}


def test_recording_again_finds_what_nbgrader_recorded(graded: tuple[Course, str]) -> None:
    course, _ = graded
    before = gradebook.grades(course, ASSIGNMENT)
    assert nbgrader_runs.autograde(course, ASSIGNMENT) == {}
    assert gradebook.grades(course, ASSIGNMENT) == before


def test_recording_in_batches_leaves_what_nbgraders_command_left(
    graded: tuple[Course, str], tmp_path: Path
) -> None:
    theirs, _ = graded
    ours = Course(ROOT, tmp_path / "work")
    shutil.copytree(theirs.work, ours.work)
    (ours.work / "gradebook.db").unlink()
    shutil.rmtree(ours.work / "autograded")
    drafts = []
    for student in ("ada", "eve", "zoe"):
        submission = Submission.of_student(ours, ASSIGNMENT, student)
        judgements = {
            lesson.name: judge_notebook(ours, lesson, notebook, submission)  # from the journal
            for lesson in ours.lessons(ASSIGNMENT)
            if (notebook := submission.notebook(lesson))
        }
        drafts.append(draft(ours, ASSIGNMENT, student, judgements))
    with Recorder(ours, ASSIGNMENT) as recorder:
        assert recorder.commit(drafts) == {}
    assert files(ours) == files(theirs)
    assert tables(ours.db_url) == tables(theirs.db_url)
    assert verify.differences(ours, ASSIGNMENT) == verify.differences(theirs, ASSIGNMENT) == []


def test_an_assignment_that_does_not_exist_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "work" / "submitted" / "ada" / "9_nothing"
    folder.mkdir(parents=True)
    (folder / "x.ipynb").write_text("{}")
    log = nbgrader(tmp_path / "work", "autograde", "9_nothing", fails=True)
    assert "9_nothing cannot be graded: There is no assignment '9_nothing'; the assignments are" in log
    assert (folder / "x.ipynb").read_text() == "{}"


def test_loading_the_configuration_touches_nothing(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from traitlets.config.loader import PyFileConfigLoader\n"
        f"c = PyFileConfigLoader('nbgrader_config.py', path={str(ROOT)!r}).load_config()\n"
        "print(c.CourseDirectory.root, c.CourseDirectory.db_url, c.HTMLExporter.sanitize_html)\n"
        "print([m for m in ('nbgrader', 'numpy', 'torch') if m in sys.modules])\n"
    )
    work = tmp_path / "work"
    environment = {**os.environ, "CNNLAB_WORK": str(work)}
    environment.pop("CNNLAB_DB_URL", None)
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split("\n")[:1] == [f"{work} sqlite:///{work / 'gradebook.db'} True"]
    assert list(tmp_path.iterdir()) == []


def test_formgrader_finds_the_course_and_is_quiet_about_the_exchange(tmp_path: Path) -> None:
    script = (
        "import logging\n"
        "from nbgrader.apps.api import NbGraderAPI\n"
        "from nbgrader.server_extensions.formgrader.formgrader import FormgradeExtension\n"
        "app = FormgradeExtension()\n"
        "app.initialize([])\n"
        "api = NbGraderAPI(app.coursedir, parent=app)\n"
        "print(app.coursedir.root, api.exchange_missing, app.config.HTMLExporter.template_name)\n"
    )
    environment = {
        **os.environ,
        "CNNLAB_WORK": str(tmp_path / "work"),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "jupyter"),
    }
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{tmp_path / 'work'} True formgrade\n"
    assert "xchange" not in done.stderr and "rror" not in done.stderr
