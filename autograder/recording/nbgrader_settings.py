"""The settings of nbgrader_config.py for a course, and whether an instructor changed what autograde does."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from autograder.course import CHECKOUT, Course
from autograder.recording.database import url_of

CONFIG = "nbgrader_config.py"


# What nbgrader_config.py says of autograde as it comes, and the sections in which it says nothing that decides
# what autograde writes.
AUTOGRADE = {
    "pre_convert_hook": "autograder.recording.nbgrader_steps.pre_convert",
    "sanitize_preprocessors": [
        "nbgrader.preprocessors.OverwriteCells",
        "nbgrader.preprocessors.CheckCellMetadata",
    ],
    "autograde_preprocessors": [
        "autograder.recording.nbgrader_steps.JudgeStep",
        "autograder.recording.nbgrader_steps.SaveVerdicts",
        "nbgrader.preprocessors.AssignLatePenalties",
    ],
    "permissions": 400,
}


DECIDING = (
    "BaseConverter",
    "CheckCellMetadata",
    "Exporter",
    "FilesWriter",
    "NbConvertBase",
    "NbGraderPreprocessor",
    "NotebookExporter",
    "OverwriteCells",
    "Preprocessor",
    "SaveVerdicts",
    "WriterBase",
)


def settings(course: Course) -> Config:
    """Return the settings of nbgrader_config.py for a course, for running nbgrader inside this process."""
    config = PyFileConfigLoader(CONFIG, path=str(_settings_file(course).parent)).load_config()
    config.CourseDirectory.root = str(course.work)
    config.JudgeStep.course = course
    return config


def _settings_file(course: Course) -> Path:
    own = course.root / CONFIG
    return own if own.exists() else CHECKOUT / CONFIG


def is_usual(config: Config) -> bool:
    """Say whether nbgrader's autograde would do, with these settings, only what `autograder.recording` does as well.

    That is so with nbgrader_config.py as it comes; where an instructor changed what nbgrader does to
    notebooks, files or paths, nbgrader itself has to do it.
    """
    if any(config.get(section) for section in DECIDING):
        return False
    if not set(config.CourseDirectory) <= {"root", "db_url"}:
        return False
    return dict(config.Autograde) == AUTOGRADE and set(config.get("AssignLatePenalties", {})) <= {
        "plugin_class"
    }


def are_usual(course: Course) -> bool:
    """Say whether a course's settings are what `is_usual` asks for; they are read again where their file changed."""
    state = _settings_file(course).stat()
    return _are_usual(course, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=16)
def _are_usual(course: Course, _modified: int, _size: int) -> bool:
    return is_usual(settings(course))


def configuration(course: Course) -> Config:
    """Return the settings of nbgrader_config.py for a course, for running nbgrader inside this process."""
    config = settings(course)
    config.CourseDirectory.db_url = url_of(course)
    return config
