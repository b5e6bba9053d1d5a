"""The real `nbgrader zip_collect` over what Moodle and Canvas let an instructor download, graded afterwards."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from autograder import intake
from autograder.classroom.grade_class import grade_class
from autograder.course import Course
from autograder.exercise import Lesson
from autograder.sample import Solved, save
from autograder.sandbox import Limits
from tests import ROOT

NBGRADER = Path(sys.executable).with_name("nbgrader")
ASSIGNMENT = "1_layers"
LESSON = "02_convolution"
MOODLE = "{name}_{number}_assignsubmission_file_"

pytestmark = pytest.mark.skipif(not NBGRADER.exists(), reason="nbgrader is not installed beside this Python")


def collect(course: Course) -> str:
    """Run zip_collect as an instructor does, and return its log."""
    command = [str(NBGRADER), "zip_collect", ASSIGNMENT]
    command += ["--extractor=autograder.intake.collect.Extractor"]
    command += ["--collector=autograder.intake.collect.Collector"]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(course.work.parent), "CNNLAB_WORK": str(course.work)}
    environment["JUPYTER_CONFIG_DIR"] = str(course.work.parent / "jupyter")
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def zipped(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def download(course: Course, name: str, files: dict[str, bytes]) -> None:
    """Put a downloaded archive where zip_collect looks for it."""
    folder = course.work / "downloaded" / ASSIGNMENT / "archive"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(zipped(files))


@pytest.fixture(scope="module")
def notebooks(
    checkout: Course, convolution: Lesson, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    """A solved notebook of which only a part is answered, and an empty one: so that their grades differ."""
    solved = Solved(checkout, convolution)
    folder = tmp_path_factory.mktemp("notebooks")
    kept = {"half": ("conv_output_size", "same_padding"), "empty": ()}
    for name, written in kept.items():
        stubs = {e: solved.stub(e) for e in convolution.exercises if e not in written}
        save(solved.notebook(stubs), folder / name)
    return {name: (folder / name).read_bytes() for name in kept}


@dataclass(frozen=True)
class Collected:
    """What came of a class of which some work lies in Moodle and some in Canvas; points: student -> points."""

    course: Course
    log: str
    students: list[str]
    points: dict[str, float]


@pytest.fixture(scope="module")
def collected(
    convolution: Lesson,
    notebooks: dict[str, bytes],
    bubblewrap: str,
    ready_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Collected:
    """Collect and grade both downloads at once."""
    course = Course(ROOT, shutil.copytree(ready_folder, tmp_path_factory.mktemp("class") / "work"))
    ada, ben, eve = (
        MOODLE.format(name=name, number=n) for name, n in (("Ada L", 11), ("Ben Ö", 12), ("Eve", 13))
    )
    download(
        course,
        "CNN-Lesson 2-4711.zip",
        {
            f"{ada}{LESSON}.ipynb": notebooks["half"],
            f"{ben}/{LESSON}.ipynb": notebooks["half"],
            f"{ben}/answers.txt": b"x",
            # A student chooses what stands after the mark, and what a zip of their own holds.
            f"{eve}{ada}{LESSON}.ipynb": notebooks["empty"],
            f"{eve}/{ada}/{LESSON}.ipynb": notebooks["empty"],
            # What is cut of a long name or path must not be what says whose it is.
            f"{eve}/{'d/' * 200}{ada}/{LESSON}.ipynb": notebooks["empty"],
            f"{eve}{'n' * 400}/{ada}/{LESSON}.ipynb": notebooks["empty"],
            f"{eve}{'n' * 400}{ada}{LESSON}.ipynb": notebooks["empty"],
            f"{eve}work.zip": zipped({f"../../{ada}{LESSON}.ipynb": notebooks["empty"]}),
        },
    )
    download(
        course,
        "submissions.zip",
        {
            f"lovelaceada_21_9001_{LESSON}-1.ipynb": notebooks["empty"],
            f"lovelaceada_21_9002_{LESSON}-1.ipynb": notebooks["half"],  # the later upload counts
            f"hopperben_LATE_22_9003_{LESSON}.ipynb": notebooks["half"],
            "zippi_23_9004_homework.zip": zipped({f"1_layers/{LESSON}.ipynb": notebooks["half"]}),
            f"eve_24_9005_lovelaceada_21_1_{LESSON}.ipynb": notebooks["empty"],
            f"eve_24_9006_Ada_21_assignsubmission_file_{LESSON}.ipynb": notebooks["empty"],
            "notes of the teacher.ipynb": notebooks["half"],
        },
    )
    log = collect(course)
    students = sorted(path.name for path in course.submitted.iterdir())
    result = grade_class(course, ASSIGNMENT, limits=Limits(submission_seconds=20.0), workers=2)
    assert not [row.problem for row in result.rows if row.problem]
    return Collected(course, log, students, {row.student: row.points for row in result.rows})


def points_of_half(lesson: Lesson) -> float:
    return lesson.exercises["conv_output_size"].total + lesson.exercises["same_padding"].total


def test_a_moodle_download_is_collected_and_graded(collected: Collected, convolution: Lesson) -> None:
    assert "Traceback" not in collected.log
    assert collected.students == ["11", "12", "13", "21", "22", "23", "24"]
    half = points_of_half(convolution)
    moodle = {student: collected.points[student] for student in ("11", "12", "13")}
    assert moodle == {"11": half, "12": half, "13": 0.0}
    assert (collected.course.raw / "13" / ASSIGNMENT).is_dir()


def test_a_canvas_download_is_collected_and_graded(collected: Collected, convolution: Lesson) -> None:
    assert "not named as Moodle or Canvas name it" in collected.log
    half = points_of_half(convolution)
    canvas = {student: collected.points[student] for student in ("21", "22", "23", "24")}
    assert canvas == {"21": half, "22": half, "23": half, "24": 0.0}
    assert len(collected.points) == 7
    record = intake.load_record(collected.course, ASSIGNMENT, "23")
    assert record is not None and any("is an archive" in flag for flag in record.flags)


def test_a_hostile_download_leaves_nothing_outside_and_stops_nobody(
    course: Course, tmp_path: Path, notebooks: dict[str, bytes]
) -> None:
    eve = MOODLE.format(name="Eve", number=13)
    download(
        course,
        "class.zip",
        {
            f"../../../../{eve}{LESSON}.ipynb": notebooks["half"],
            f"{eve}/../../../../outside.ipynb": b"{}",
            f"/{eve}/absolute.ipynb": b"{}",
            f"C:\\{eve}\\drive.ipynb": b"{}",
            f"{eve}/bomb.ipynb": bytes(40 << 20),
            f"{eve}/" + "n" * 300 + ".ipynb": b"{}",
            f"{eve}/" + "\u6f22" * 200 + ".ipynb": b"{}",
            f"{eve}/*[!a]?\n\u202e.ipynb": b"{}",
            f"{eve}/X.ipynb": b"{}",
            f"{eve}/x.ipynb": b"{}",
            f"{eve}/x.ipynb/inside.ipynb": b"{}",
            f"{MOODLE.format(name='Ada', number=11)}{LESSON}.ipynb": notebooks["half"],
        },
    )
    download(course, "cut off.zip", {})
    cut = course.work / "downloaded" / ASSIGNMENT / "archive" / "cut off.zip"
    cut.write_bytes(zipped({"x.ipynb": b"{}"})[:-20])
    os.symlink("/etc/passwd", cut.with_name("link.ipynb"))
    before = {path for path in tmp_path.rglob("*")}
    log = collect(course)
    new = {path for path in tmp_path.rglob("*")} - before
    allowed = (
        course.work,
        tmp_path / "jupyter",
        tmp_path / ".local",
        tmp_path / ".cache",
        tmp_path / ".config",
    )
    assert not [path for path in new if not any(path.is_relative_to(place) for place in allowed)]
    assert {path.name for path in course.submitted.iterdir()} == {"11", "13"}
    for words in ("cut off.zip is not a zip archive", "is too large", "link.ipynb is a link"):
        assert words in log
    extracted = course.work / "downloaded" / ASSIGNMENT / "extracted"
    assert not [path for path in extracted.rglob("*") if path.is_symlink()]
    assert len([path for path in extracted.rglob("[xX]*.ipynb") if path.is_file()]) == 2
