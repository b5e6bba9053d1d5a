"""The folder in which downloaded data are kept."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "CNNLAB_DATA"  # the environment variable that moves the cache


def folder() -> Path:
    """Return the cache: $CNNLAB_DATA, else the folder for caches that the operating system names."""
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    import pooch  # imported here so that `import cnnlab.data` stays cheap

    return Path(pooch.os_cache("cnnlab"))
