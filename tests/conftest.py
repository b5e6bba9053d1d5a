"""Shared by all tests: what they need of the machine, and the lesson that they try things on."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from autograder.course import Course
from autograder.exercise import Lesson
from tests import ROOT

NUMBER = count()


class ByFile(LoadFileScheduling):
    """The tests of a file in one worker, those of `APART` wherever there is room."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return nodeid if file.endswith(APART) else file


def start_as_from_a_terminal() -> None:
    """Undo what a run inherits from how it was started, and the processes that tests start inherit from it.

    Started by nohup, cron or in a script's background, a process finds SIGINT and SIGHUP ignored, and perhaps blocked;
    some supervisors ignore SIGCHLD or set a umask; a shell may hold settings of the course.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in ("SIGHUP", "SIGCHLD", "SIGTERM", "SIGQUIT"):
        if hasattr(signal, name):  # not on Windows
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
    os.umask(0o022)
    for name in [name for name in os.environ if name.startswith("CNNLAB_")]:
        del os.environ[name]


start_as_from_a_terminal()

# Property tests try the same examples in every run, and a busy machine fails none.
settings.register_profile("steady", derandomize=True, deadline=None, database=None)
settings.load_profile("steady")


# Files whose tests take long: they begin first, so that no worker is left alone with them at the end.
LONG = (
    "test_lessons.py",
    "test_train_recipes.py",
    "test_edits.py",
    "test_matrix.py",
    "test_cli.py",
    "test_architectures.py",
    "test_attacks.py",
    "test_grade_class.py",
    "test_benchmark_grading.py",
    "test_build.py",
    "test_privacy.py",
    "test_regrade.py",
)
APART = LONG[:2]  # whose tests share nothing, so that each may run in another worker


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long files."""
    places = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONG)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    """Keep a file's tests, and what they share, in one worker, but for the files whose tests share nothing."""
    return ByFile(config, log)


@pytest.fixture(scope="session", autouse=True)
def no_library_in_the_checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what passes a check in a temporary folder, in processes that tests start as well."""
    before = os.environ.get("CNNLAB_HOME")
    os.environ["CNNLAB_HOME"] = str(tmp_path_factory.getbasetemp() / "libraries" / "shared")
    yield
    os.environ.pop("CNNLAB_HOME")
    if before is not None:
        os.environ["CNNLAB_HOME"] = before


@pytest.fixture(autouse=True)
def library(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of this test's own library, which does not exist yet."""
    folder = tmp_path_factory.getbasetemp() / "libraries" / f"{next(NUMBER)}"
    monkeypatch.setenv("CNNLAB_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def checkout() -> Course:
    """The course of this checkout, to read from."""
    return Course(ROOT, ROOT / "work")


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """The course of this checkout with a class folder of its own, empty."""
    return Course(ROOT, tmp_path / "work")


@pytest.fixture(scope="session")
def convolution(checkout: Course) -> Lesson:
    """The convolution lesson."""
    return checkout.lesson("1_layers", "02_convolution")


@pytest.fixture(scope="session")
def bubblewrap() -> str:
    """The path of bubblewrap; skips where it is not installed."""
    path = shutil.which("bwrap")
    if path is None:
        pytest.skip("bubblewrap is not installed: sudo apt-get install bubblewrap")
    return path
