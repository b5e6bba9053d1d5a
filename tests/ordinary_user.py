"""Runs a program of the tests as an ordinary user, also where the tests run as root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT

NOBODY = 65534


def run(
    code: str, folder: Path, bubblewrap: str, *, ordinary: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run Python code with `folder` as home and for temporary files; skip where ordinary users may have no sandbox.

    ordinary: whether as an ordinary user, else as the one that the tests run as.
    """
    prefix = as_nobody(bubblewrap) if ordinary and os.getuid() == 0 else []
    if ordinary:
        verify_ordinary_users_may(prefix, bubblewrap)
    folder.chmod(0o777)
    return subprocess.run(
        [*prefix, sys.executable, "-c", code],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        timeout=120,
    )


def as_nobody(bubblewrap: str) -> list[str]:
    """How a command is run as an ordinary user by root, on the whole machine and with this Python in reach."""
    command = [bubblewrap, "--dev-bind", "/", "/"]
    for needed in dict.fromkeys([Path(sys.prefix), Path(sys.base_prefix), ROOT]):
        closed = [part for part in reversed(needed.parents) if part.stat().st_mode & 0o005 != 0o005]
        if closed:  # an empty folder over the first that others may not enter, and what is needed in it
            command += ["--tmpfs", str(closed[0])]
            for part in reversed(needed.parents[: needed.parents.index(closed[0])]):
                command += ["--perms", "0755", "--dir", str(part)]
            command += ["--ro-bind", str(needed), str(needed)]
    return [*command, "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


def verify_ordinary_users_may(prefix: list[str], bubblewrap: str) -> None:
    """Skip where the machine does not let an ordinary user have a sandbox at all."""
    if prefix and shutil.which("setpriv") is None:
        pytest.skip("setpriv (util-linux) is needed to become an ordinary user")
    namespaces = [
        bubblewrap,
        "--ro-bind",
        "/",
        "/",
        "--unshare-user",
        "--unshare-pid",
        "--proc",
        "/proc",
        "true",
    ]
    done = subprocess.run([*prefix, *namespaces], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(
            f"this machine does not allow ordinary users to make namespaces: {done.stderr.strip()[-200:]}"
        )
