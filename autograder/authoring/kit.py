"""The kit that an instructor hands to students: the notebooks, a wheel of cnnlab, an environment, a how-to page."""

from __future__ import annotations

import importlib.util
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path

from autograder.authoring import build
from autograder.authoring.leaks import leaks
from autograder.course import Course, CourseError
from autograder.exercise import Lesson
from autograder.files import write

# The earliest date in a zip file, always the same, so that equal kits are equal files.
FIRST_DAY = (1980, 1, 1, 0, 0, 0)
WHEEL_PAGE = "What a student of the course imports: answer, check, layers, nn, data, plot.\n"

Files = dict[str, bytes]


def write_kit(course: Course, assignment: str, path: Path | None = None) -> Path:
    """Write the kit of an assignment as a zip file and return its path.

    The same lessons give the same bytes.

    Args:
        course: the course that the assignment belongs to.
        assignment: the assignment's name.
        path: the zip file, by default work/kit/cnnlab_<assignment>.zip.

    Raises:
        CourseError: before anything is written, where a derived file is stale, the wheel cannot be built, or the kit
            would give away a solution or a reference.
    """
    folder = f"cnnlab_{assignment}"
    files = kit_files(course, assignment)
    found = leaks(course, files)
    if found:
        raise CourseError(f"The kit would give something away, so it is not written: {found[0]}.")
    path = path or course.work / "kit" / f"{folder}.zip"
    write(path, _zipped({f"{folder}/{name}": data for name, data in files.items()}))
    return path


def kit_files(course: Course, assignment: str) -> Files:
    """Return the kit's files: name -> bytes.

    Raises:
        CourseError: where a derived file is stale or the wheel cannot be built.
    """
    lessons = course.lessons(assignment)
    _verify_fresh(course, assignment)
    wheel, data = _wheel(course)
    files = {wheel: data}
    for lesson in lessons:
        files[f"notebooks/{lesson.name}.ipynb"] = course.student_notebook(lesson).read_bytes()
    files["environment.yml"] = _environment(course, wheel).encode()
    files["README.md"] = how_to(course, lessons, wheel).encode()
    return files


def how_to(course: Course, lessons: list[Lesson], wheel: str) -> str:
    """Return the how-to page for students, in Markdown: setting up, working, handing in.

    Args:
        course: the course that the lessons belong to.
        lessons: the lessons in the kit.
        wheel: the wheel's file name.
    """
    rows, extra = [], []
    for lesson in lessons:
        points = lesson.total + sum(lesson.questions.values())
        rows.append(f"| `{lesson.name}.ipynb` | {_title(course, lesson)} | {points:g} |")
        extra += [f"`{file}` (lesson {lesson.name.split('_')[0]} writes it)" for file in lesson.files]
    beside = f", and beside them {' and '.join(extra)}" if extra else ""
    return PAGE.format(
        assignment=lessons[0].assignment,
        wheel=wheel,
        first=lessons[0].name,
        python=_python(course),
        rows="\n".join(rows),
        beside=beside,
    )


PAGE = """# {assignment}

Welcome! These notebooks are for writing in: each asks you for some functions, and the check below each function shows at
once whether it is right and, if not, where it first goes wrong and often why. Nothing here can break; try things.

## Set up, once

Unpack this folder, open a terminal in it, and use one of the two ways.

With conda, on any system:

    conda env create -f environment.yml
    conda activate cnnlab

With Python {python} or newer:

    python3 -m venv .venv
    . .venv/bin/activate
    python -m pip install {wheel} jupyterlab

On Windows the first two lines are `py -m venv .venv` and `.venv\\Scripts\\activate`. Both ways need the network, once.
When you come back another day, only activate again (`conda activate cnnlab`, or the line with `activate`).

Were you given this kit a second time, with corrections? Then bring what is installed up to date:

    python -m pip install --force-reinstall --no-deps {wheel}

## Work

    jupyter lab notebooks/{first}.ipynb

Write your code in place of `raise NotImplementedError`, run the cell, then run the check below it. A check asks a few
public cases; grading asks others of the same kinds. What has passed its check is kept in `my_cnnlab` and used by the later
notebooks, so it pays to go in order, but nothing stops you from going on: what you have not written yet is lent to you.

| notebook | topic | points |
|---|---|---|
{rows}

## Hand in

The notebooks as `.ipynb` files, saved with your answers{beside}.
You may add cells of your own; leave the names of the functions and the checks as they are. A notebook that is not finished
counts for what it has.
"""


def _title(course: Course, lesson: Lesson) -> str:
    heading = re.search(r"^# # (.+)$", course.script(lesson).read_text(encoding="utf-8"), re.MULTILINE)
    return heading[1].strip() if heading else lesson.name


def _python(course: Course) -> str:
    project = tomllib.loads((course.root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["requires-python"].removeprefix(">=")


def _environment(course: Course, wheel: str) -> str:
    """Return the students' environment.yml with the wheel in place of the checkout."""
    lines = (course.root / "environment.yml").read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines if not line.startswith("#")]
    places = [place for place, line in enumerate(lines) if re.fullmatch(r"\s+- \.", line)]
    if len(places) != 1:
        raise CourseError("environment.yml must install cnnlab by one line '- .' below pip; put it back.")
    lines[places[0]] = lines[places[0]].replace("- .", f"- ./{wheel}")
    return "\n".join(lines) + "\n"


def _verify_fresh(course: Course, assignment: str) -> None:
    every = [lesson for one in course.assignments() for lesson in course.lessons(one)]
    here = (Path("notebooks") / assignment, build.CASES)  # the wheel holds the public Cases of all lessons
    stale = [
        path for path in build.drift(course, every) if any(path.is_relative_to(folder) for folder in here)
    ]
    if stale:
        raise CourseError(f"stale: {', '.join(map(str, stale))}; run 'autograder build' first.")


def _wheel(course: Course) -> tuple[str, bytes]:
    """Build the wheel of cnnlab without the network and return its name and bytes."""
    if importlib.util.find_spec("hatchling") is None:
        raise CourseError(f"The wheel is built with hatchling: {sys.executable} -m pip install hatchling")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        source.mkdir()
        # A copy, so that nothing lands in the checkout and the wheel's page is not the instructors' README.
        shutil.copytree(
            course.root / "cnnlab", source / "cnnlab", ignore=shutil.ignore_patterns("__pycache__")
        )
        for name in ("pyproject.toml", "LICENSE"):
            shutil.copyfile(course.root / name, source / name)
        (source / "README.md").write_text(WHEEL_PAGE, encoding="utf-8")
        # What `pip wheel` would call, without the second that pip takes.
        build_wheel = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
        made = subprocess.run(
            [sys.executable, "-c", build_wheel, folder],
            cwd=source,
            env={**os.environ, "SOURCE_DATE_EPOCH": "1577836800"},
            capture_output=True,
            text=True,
            check=False,
        )
        wheels = list(Path(folder).glob("cnnlab-*.whl"))
        if made.returncode or len(wheels) != 1:
            said = [line.strip() for line in made.stderr.splitlines() if "error" in line.lower()]
            reason = (said or ["hatchling does not say why"])[-1].rstrip(".")
            raise CourseError(f"The wheel of cnnlab cannot be built: {reason}.")
        return wheels[0].name, wheels[0].read_bytes()


def _zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, FIRST_DAY)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
    return buffer.getvalue()
