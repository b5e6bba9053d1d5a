"""Reads nbgrader_config.py for a course, and tells whether an instructor changed what autograde does."""

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


def _settings(course: Course) -> Config:
    """Return what nbgrader_config.py says for a course, without the gradebook's address."""
    config = PyFileConfigLoader(CONFIG, path=str(_settings_file(course).parent)).load_config()
    config.CourseDirectory.root = str(course.work)
    config.JudgeStep.course = course
    return config


def _settings_file(course: Course) -> Path:
    own = course.root / CONFIG
    return own if own.exists() else CHECKOUT / CONFIG


def is_usual(config: Config) -> bool:
    """Say whether nbgrader's autograde, with these settings, would do only what `autograder.recording` does as well.

    It would with nbgrader_config.py as it comes. Where an instructor changed what nbgrader does to notebooks,
    files or paths, nbgrader itself has to record.
    """
    if any(config.get(section) for section in DECIDING):
        return False
    if not set(config.CourseDirectory) <= {"root", "db_url"}:
        return False
    return dict(config.Autograde) == AUTOGRADE and set(config.get("AssignLatePenalties", {})) <= {
        "plugin_class"
    }


def are_usual(course: Course) -> bool:
    """Say whether a course's settings are `is_usual`; their file is read again only after it changed."""
    state = _settings_file(course).stat()
    return _are_usual(course, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=16)
def _are_usual(course: Course, _modified: int, _size: int) -> bool:
    return is_usual(_settings(course))


def configuration(course: Course) -> Config:
    """Return all settings to run nbgrader with inside this process: nbgrader_config.py's and the gradebook's address."""
    config = _settings(course)
    config.CourseDirectory.db_url = url_of(course)
    return config
