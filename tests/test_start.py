"""A run of the tests finds the same however it was started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests import ROOT

IGNORED = (signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGTERM)
MASK = 0o022


def test_a_test_and_what_it_starts_find_a_usual_process() -> None:
    code = (
        "import os, signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler,"
        "signal.getsignal(signal.SIGHUP) == signal.SIG_DFL, signal.pthread_sigmask(signal.SIG_BLOCK, []), os.umask(0))"
    )
    started = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert started.stdout.split() == ["True", "True", "set()", str(MASK)]
    assert not [name for name in os.environ if name.startswith("CNNLAB_") and name != "CNNLAB_HOME"]


@pytest.mark.parametrize(
    "distributed",
    [(), pytest.param(("-n", "1"), marks=pytest.mark.slow)],
    ids=["in one process", "in workers"],
)
def test_a_run_that_ignores_signals_finds_it_too(distributed: tuple[str, ...]) -> None:
    """As nohup, cron, a shell's background job or a supervisor starts it."""

    def as_by_a_supervisor() -> None:
        for ignored in IGNORED:
            signal.signal(ignored, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, IGNORED)
        os.umask(0o077)
        os.setsid()

    test = f"{__file__}::{test_a_test_and_what_it_starts_find_a_usual_process.__name__}"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *distributed, test],
        cwd=ROOT,
        env={**os.environ, "CNNLAB_BUDGET": "full", "CNNLAB_WORK": "/nowhere"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        preexec_fn=as_by_a_supervisor,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout or "[100%]" in done.stdout
