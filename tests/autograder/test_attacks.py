"""The attack suite: every hostile submission in a class of honest ones, graded as an instructor's command grades it."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder.classroom.submissions import student_folders
from autograder.course import Course
from autograder.exercise import Lesson
from autograder.recording import gradebook
from autograder.sample import Solved, Write, answers, bodies
from autograder.sample.convolution import unfinished
from tests import ordinary_user, submissions
from tests.autograder.class_sample import adopting, descendants, left_after, running_processes
from tests.submissions import class_run
from tests.submissions.fixture import MARK, Fixture

pytestmark = pytest.mark.slow

ASSIGNMENT = class_run.ASSIGNMENT
ROOT = class_run.ROOT
TOKEN = "to-be-kept-1f0c"  # in the grader's environment
HONEST: dict[str, Write] = {
    "ada-honest": answers({}),
    "ben-honest": unfinished("conv_output_size", "same_padding", "pad2d"),
    "cleo-honest": bodies({"pad2d": "return np.zeros(3)"}),
}


# The machine before and after


def mounts() -> list[str]:
    """Where something is mounted for us."""
    return sorted(line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines())


def left_files(*folders: Path) -> list[str]:
    """Files that a submission wrote where everybody may, or into the course."""
    found = []
    for folder in (Path("/tmp"), Path("/dev/shm"), Path("/var/tmp"), Path("/run"), Path.home(), *folders):
        found += [str(path) for path in folder.glob(f"{MARK}*")]
    for path in (
        ROOT / "nbgrader_config.py",
        *(ROOT / "solutions" / ASSIGNMENT).iterdir(),
        *(ROOT / "cnnlab").glob("*.py"),
    ):
        found += [str(path)] if MARK in path.read_text(encoding="utf-8", errors="replace") else []
    return found


# The class


@dataclass(frozen=True)
class Graded:
    """What the run left: the rows by student, those of each honest one alone, and the class's folder."""

    rows: dict[str, dict[str, Any]]
    alone: dict[str, dict[str, Any]]
    course: Course
    processes: dict[int, str]
    mounts: tuple[list[str], list[str]]
    files: list[str]
    temporary: list[str]

    def autograded(self, student: str) -> str:
        """All that nbgrader keeps of a student's notebook."""
        path = self.course.work / "autograded" / student / ASSIGNMENT / "02_convolution.ipynb"
        notebook = nbformat.read(path, as_version=4)
        texts = [output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", [])]
        return "\n".join(map(str, texts))


def write(folder: Path, name: str, how: Write, solved: Solved) -> None:
    (folder / name).mkdir(parents=True)
    how(folder / name, solved)


@pytest.fixture(scope="module")
def graded(
    tmp_path_factory: pytest.TempPathFactory,
    checkout: Course,
    convolution: Lesson,
    bubblewrap: str,
    ready_folder: Path,
) -> Graded:
    """The whole class graded once, and each honest submission by itself with the same secret Cases."""
    base = tmp_path_factory.mktemp("attacks")
    solved = Solved(checkout, convolution)
    for name, how in HONEST.items():
        write(base / "class", name, how, solved)
        write(base / f"alone-{name}", name, how, solved)
    for fixture in submissions.ALL.values():
        write(base / "class", fixture.name, fixture.write, solved)
    works = {"class": base / "work", **{f"alone-{name}": base / f"work-{name}" for name in HONEST}}
    for work in works.values():  # the same secret Cases for all
        shutil.copytree(ready_folder, work)
    plan, result = base / "plan.json", base / "result.json"
    plan.write_text(json.dumps([[str(work), str(base / name)] for name, work in works.items()]))
    temporary = base / "temporary"
    temporary.mkdir()
    before = mounts()
    rows, processes = run(plan, result, temporary)
    return Graded(
        {row["student"]: row for row in rows[0]},
        {row["student"]: row for only in rows[1:] for row in only},
        Course(checkout.root, works["class"]),
        processes,
        (before, mounts()),
        left_files(base, base / "class"),
        [path.name for path in temporary.iterdir()],
    )


def run(plan: Path, result: Path, temporary: Path) -> tuple[list[Any], dict[int, str]]:
    """Grade in a process of its own; return the rows of each class, and the processes that were left."""
    environment = {**os.environ, "TMPDIR": str(temporary), "COURSE_TOKEN": TOKEN, "PYTHONPATH": str(ROOT)}
    with adopting():
        before = running_processes()
        done = subprocess.run(
            [sys.executable, class_run.__file__, str(plan), str(result)],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=900,
        )
        assert done.returncode == 0, done.stderr[-4_000:]
        left = left_after(before, 5)
    return json.loads(result.read_text()), left


def points(row: dict[str, Any], lesson: Lesson) -> dict[str, float]:
    verdicts = row["verdicts"].get(lesson.name, {})
    return {name: verdicts[name]["points"] if name in verdicts else 0.0 for name in lesson.exercises}


# The registry


def test_every_case_has_a_fixture_and_every_section_a_variant_of_its_own() -> None:
    covered = {number for fixture in submissions.ALL.values() for number in fixture.numbers}
    assert covered == set(range(1, 61))
    for section in submissions.SECTIONS.values():
        assert [fixture for fixture in section if not fixture.numbers]
    assert all(fixture.words and fixture.name not in HONEST for fixture in submissions.ALL.values())


# What each earned


@pytest.mark.parametrize("fixture", submissions.ALL.values(), ids=submissions.ALL)
def test_it_has_what_it_earned_and_no_more(graded: Graded, convolution: Lesson, fixture: Fixture) -> None:
    row = graded.rows[fixture.name]
    assert not row["problem"]
    assert points(row, convolution) == {
        name: fixture.points(convolution, name) for name in convolution.exercises
    }
    others = [
        v for name, verdicts in row["verdicts"].items() if name != convolution.name for v in verdicts.values()
    ]
    assert sum(verdict["points"] for verdict in others) == 0


@pytest.mark.parametrize("fixture", submissions.ALL.values(), ids=submissions.ALL)
def test_what_it_tried_is_told_in_the_row_and_on_the_page(graded: Graded, fixture: Fixture) -> None:
    flags = graded.rows[fixture.name]["flags"]
    if not fixture.flag:
        assert flags == [], fixture.unflagged
        return
    (flag, *_) = [flag for flag in flags if fixture.flag in flag] or [f"not among {flags}"]
    assert fixture.flag in flag
    page = (graded.course.work / "report.html").read_text(encoding="utf-8")
    assert html.escape(flag) in page or html.escape(flag, quote=False) in page or flag in html.unescape(page)


@pytest.mark.parametrize(
    "fixture",
    [pytest.param(fixture, id=fixture.name) for fixture in submissions.ALL.values() if fixture.says],
)
def test_its_own_cells_say_what_they_found(graded: Graded, fixture: Fixture) -> None:
    assert fixture.says in graded.autograded(fixture.name)


@pytest.mark.parametrize("student", HONEST)
def test_the_honest_get_exactly_what_they_get_alone(
    graded: Graded, student: str, convolution: Lesson
) -> None:
    here, alone = graded.rows[student], graded.alone[student]
    assert here["verdicts"] == alone["verdicts"] and here["flags"] == alone["flags"] == []
    if student == "ada-honest":
        assert points(here, convolution) == {e.name: e.total for e in convolution.exercises.values()}


def test_the_gradebook_holds_the_same(graded: Graded, convolution: Lesson) -> None:
    recorded: dict[str, dict[str, float]] = {}
    for grade in gradebook.grades(graded.course, ASSIGNMENT):
        if grade.exercise in convolution.exercises and grade.auto is not None:
            recorded.setdefault(grade.student, {})[grade.exercise] = grade.auto
    for student, row in graded.rows.items():
        if convolution.name in row["verdicts"]:
            assert recorded[student] == points(row, convolution), student
    assert set(recorded) <= graded.rows.keys()


# What is left of it


def test_no_process_is_left(graded: Graded) -> None:
    assert not graded.processes


def test_no_mount_is_left(graded: Graded) -> None:
    before, after = graded.mounts
    assert before == after


def test_no_file_is_left_outside_the_class(graded: Graded) -> None:
    assert graded.files == [] and graded.temporary == []


def test_the_class_holds_nothing_but_files_and_folders_of_ours(graded: Graded) -> None:
    for part in ("submitted", "autograded", "feedback"):
        for path in (graded.course.work / part).rglob("*"):
            assert not path.is_symlink() and (path.is_dir() or path.is_file()), path
            suffixes = {".html" if part == "feedback" else ".ipynb", ".txt", ".safetensors"}
            assert path.is_dir() or path.suffix in suffixes, path


# Pages


def test_no_page_carries_markup_secrets_or_tracebacks_of_a_submission(graded: Graded) -> None:
    work = graded.course.work
    pages = [work / "report.html", *(work / "feedback").rglob("*.html")]
    assert len(pages) > len(submissions.ALL) // 2
    secret = graded.course.secret().hex()
    for path in pages:
        page = path.read_text(encoding="utf-8")
        for words in (
            "<script>window.hacked",
            "<svg onload",
            "<img src=x",
            "most recent call",
            "SECRET-INPUT",
            TOKEN,
            secret,
        ):
            assert words not in page, f"{words} in {path}"
    hostile = (work / "feedback" / "reach-browser" / ASSIGNMENT / "02_convolution.html").read_text()
    assert "window.hacked" in html.unescape(hostile), "it is shown as text"


def test_no_page_of_a_student_names_another(graded: Graded) -> None:
    names = [*HONEST, *submissions.ALL]
    anybody = re.compile(rf"\b(?:{'|'.join(sorted(names, key=len, reverse=True))})\b(?!-)")
    for student in names:
        for path in (graded.course.work / "feedback" / student).rglob("*.html"):
            assert set(anybody.findall(path.read_text(encoding="utf-8"))) <= {student}


# Ids: what an instructor's folder may be named


@pytest.mark.parametrize("name", ["=1+1", "+cmd", "-rf", "@SUM(A1)", "a b", "*", "a..b", "x\n", "\u202eada"])
def test_a_folder_whose_name_is_no_id_is_left_out_with_a_printable_sentence(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "class" / name).mkdir(parents=True)
    (tmp_path / "class" / "ada").mkdir()
    found = student_folders(tmp_path / "class")
    assert list(found.folders) == ["ada"]
    (sentence,) = found.left_out
    assert sentence.isprintable()


# A fork bomb, as root and as an ordinary user


BOMB = f"""
import json, os
from autograder import sandbox
from autograder.sandbox import Limits, Probe, RunCell
source = '''
import os, subprocess
def bomb(x):
    while True:
        try:
            os.fork()
            subprocess.Popen(["sleep", "3600", "{MARK}"], start_new_session=True)
        except OSError:
            pass
def good(x):
    return os.getuid()
for _ in range(3):
    subprocess.Popen(["sleep", "3600", "{MARK}"], start_new_session=True)
'''
probes = [Probe(name, ("out",), ({{"x": 1}},)) for name in ("good", "bomb")]
steps = [RunCell(0, source), *probes]
found = sandbox.run(steps, without=('torch',), limits=Limits(cell_seconds=2.0, probe_seconds=1.0, submission_seconds=20.0))
print(json.dumps([os.getuid(), *(found.outcomes[name][0].kind for name in ("good", "bomb"))]))
"""


@pytest.mark.parametrize("user", ["root", "an ordinary user"])
def test_a_fork_bomb_leaves_no_process_behind(user: str, bubblewrap: str) -> None:
    if user == "root" and os.getuid() != 0:
        pytest.skip("the tests do not run as root")
    with tempfile.TemporaryDirectory(prefix="cnnlab-test-") as name, adopting():
        folder = Path(name)
        before = running_processes()
        done = ordinary_user.run(BOMB, folder, bubblewrap, ordinary=user != "root")
        left = left_after(before, 5)
        assert done.returncode == 0, done.stderr[-2_000:]
        grader, good, bomb = json.loads(done.stdout)
        assert (grader == 0) == (user == "root")
        assert good == "values" and bomb in ("timeout", "died")
        assert not left and list(folder.iterdir()) == []


def test_the_watch_sees_what_is_left() -> None:
    orphan = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(60)\nos._exit(0)"
    with adopting():
        before = running_processes()
        subprocess.run([sys.executable, "-c", orphan], check=True)
        (left,) = set(descendants(os.getpid())) - before
        os.kill(left, signal.SIGKILL)
        os.waitpid(left, 0)
        assert not left_after(before, 5)
