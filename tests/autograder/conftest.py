"""What tests of the gradebook share with others: an empty database, which takes a second to make."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from nbgrader.api import Gradebook


@pytest.fixture(scope="session")
def empty_gradebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An nbgrader database without an assignment, to copy."""
    path = tmp_path_factory.mktemp("empty") / "gradebook.db"
    with pytest.MonkeyPatch.context() as patched:  # nbgrader starts `alembic` by its bare name
        patched.setenv("PATH", os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")]))
        Gradebook(f"sqlite:///{path}").close()
    return path
