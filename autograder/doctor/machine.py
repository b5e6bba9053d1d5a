"""Checks of the machine: system, Python, packages, programs, disk."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.course import Course
from autograder.doctor.finding import Finding, note, problem
from autograder.words import listed

if TYPE_CHECKING:
    from packaging.requirements import Requirement

GIB = 1 << 30
FULL = 1 * GIB  # bytes free below which a class may not fit
TIGHT = 5 * GIB
NAMED = 5  # packages named in one sentence
# Purpose -> the programs that serve it.
OPTIONAL = {
    "the tests that look at pages in a browser": ("chromium", "chromium-browser", "google-chrome"),
    "a gradebook in PostgreSQL, and its tests": ("psql",),
}


def system(course: Course) -> list[Finding]:
    """Report a system other than Linux."""
    if sys.platform == "linux":
        return []
    return [problem(f"Grading needs Linux and this is {platform.system()}: use WSL or a virtual machine.")]


def python(course: Course) -> list[Finding]:
    """Compare the version of Python with the one that pyproject.toml asks for."""
    from packaging.specifiers import SpecifierSet

    wanted, have = _project(course)["requires-python"], platform.python_version()
    if SpecifierSet(wanted).contains(have, prereleases=True):
        return []
    return [
        problem(
            f"This Python is {have} and cnnlab needs {wanted}: run make again with PYTHON=python3.12, say."
        )
    ]


def packages(course: Course) -> list[Finding]:
    """Compare the installed packages with the bounds in pyproject.toml and with constraints.txt."""
    from packaging.requirements import Requirement

    project = _project(course)
    found = []
    for requirement in map(
        Requirement, project["dependencies"] + project["optional-dependencies"]["instructor"]
    ):
        found += [problem(said + f": {install()}") for said in _unmet(requirement)]
    other = [said for said in map(_other, _pins(course)) if said]
    if other:
        found.append(
            note(
                f"Not the versions that constraints.txt names and the tests are run with: {listed(other, NAMED)}."
            )
        )
    return found


def alembic(course: Course) -> list[Finding]:
    """Look for the program alembic, which nbgrader starts by its name."""
    places = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
    if shutil.which("alembic", path=places):
        return []
    return [problem(f"nbgrader starts the program alembic, which is not there: {install()}")]


def disk(course: Course) -> list[Finding]:
    """Check that enough disk space is left where the class is graded."""
    place = next(folder for folder in (course.work, *course.work.parents) if folder.is_dir())
    free = shutil.disk_usage(place).free
    room = f"{free / GIB:.1f} GiB are free where {course.work} lies"
    if free < FULL:
        return [problem(f"Only {room}: make room, or name another folder by CNNLAB_WORK.")]
    return [note(f"{room}: enough for a class, not for many.")] if free < TIGHT else []


def optional_tools(course: Course) -> list[Finding]:
    """Name the missing programs that grading can do without."""
    return [
        note(f"{programs[0]} is not here; only {who} would need it.")
        for who, programs in OPTIONAL.items()
        if not any(map(shutil.which, programs))
    ]


def _project(course: Course) -> dict[str, Any]:
    return tomllib.loads((course.root / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def install() -> str:
    """Return the command that installs missing packages."""
    return f"run '{sys.executable} -m pip install -c constraints.txt -e .[developer]' in the checkout."


def _unmet(requirement: Requirement) -> Iterator[str]:
    """Yield a clause for each part of a requirement, extras included, that is not installed."""
    from packaging.requirements import Requirement

    try:
        have = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        yield f"The package {requirement.name} is not installed"
        return
    if not requirement.specifier.contains(have, prereleases=True):
        yield f"{requirement.name} is {have} and {requirement.specifier} is needed"
    for extra in requirement.extras:
        for line in importlib.metadata.requires(requirement.name) or []:
            one = Requirement(line)
            if (
                one.marker
                and one.marker.evaluate({"extra": extra})
                and not one.marker.evaluate({"extra": ""})
            ):
                yield from _unmet(one)


def _pins(course: Course) -> Iterator[Requirement]:
    from packaging.requirements import Requirement

    path: Path = course.root / "constraints.txt"
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        if line.strip() and not line.startswith("#"):
            yield Requirement(line)


def _other(pin: Requirement) -> str:
    """Return a clause about a pinned package that is installed in another version, "" where the version is right."""
    try:
        have = importlib.metadata.version(pin.name)
    except importlib.metadata.PackageNotFoundError:
        return ""
    return "" if pin.specifier.contains(have, prereleases=True) else f"{pin.name} {have}"
