"""What tests of grading share: a class folder that is ready to grade in, and an empty database."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograder.course import Course
from autograder.judging import secret_cases
from autograder.recording import registration
from tests import ROOT

ASSIGNMENT = "1_layers"


@pytest.fixture(scope="session")
def ready_folder(checkout: Course, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class folder in which nobody has handed in: registered, with the secret Cases of the first lessons worked out.

    All workers of a run share it, and tests work in copies of it.
    """
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = base / "ready"
    with (base / "ready.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not folder.exists():
            draft = Course(ROOT, base / "ready_draft")
            registration.sync(draft, ASSIGNMENT)
            for name in ("01_why_convolution", "02_convolution"):
                secret_cases.work_out(draft, checkout.lesson(ASSIGNMENT, name))
            draft.work.rename(folder)
    return folder


@pytest.fixture
def ready(ready_folder: Path, tmp_path: Path) -> Course:
    """The course with a class folder of its own in which nobody has handed in, and nothing need be worked out first."""
    shutil.copytree(ready_folder, tmp_path / "work")
    return Course(ROOT, tmp_path / "work")


@pytest.fixture(scope="session")
def empty_gradebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An nbgrader database without an assignment, to copy; it takes a second to make."""
    path = tmp_path_factory.mktemp("empty") / "gradebook.db"
    with pytest.MonkeyPatch.context() as patched:  # nbgrader starts `alembic` by its bare name
        patched.setenv("PATH", os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")]))
        Gradebook(f"sqlite:///{path}").close()
    return path
