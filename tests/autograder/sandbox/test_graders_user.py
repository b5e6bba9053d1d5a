"""The sandbox of an ordinary user, no sandbox at all, and no bubblewrap."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

from autograder.sandbox import SandboxError, warm
from tests import ROOT
from tests.autograder.sandbox.sample import kinds, run

pytestmark = pytest.mark.usefixtures("bubblewrap")


def test_missing_bubblewrap_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    warm.close_all()
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(SandboxError, match="apt-get install bubblewrap"):
        run("x = 1")


def test_without_a_sandbox_the_same_outcomes() -> None:
    t = run("def f(x): return x + 1\ndef dead(x): __import__('os')._exit(1)", "f", "dead", bare=True)
    assert kinds(t, "f") == ["values"] * 2
    assert kinds(t, "dead") == ["died"] * 2


def test_as_an_ordinary_user(bubblewrap: str) -> None:
    code = (
        "import os; from autograder import sandbox; from autograder.sandbox import Probe, RunCell\n"
        "source = 'import os\\ndef f(x): return os.getuid()\\ndef g(x): os.kill(0, 9)'\n"
        "probes = [Probe(name, ('out',), ({'x': 1},)) for name in 'fg']\n"
        "t = sandbox.run([RunCell(0, source), *probes], without=('torch',))\n"
        "print(os.getuid(), t.outcomes['f'][0].values['out'], t.outcomes['g'][0].kind)"
    )
    # Where the tests run as root, a user namespace around the grader makes it an ordinary user.
    user = [bubblewrap, "--bind", "/", "/", "--dev-bind", "/dev", "/dev", "--proc", "/proc", "--unshare-pid"]
    user += ["--unshare-user", "--uid", "1234", "--gid", "1234"] if os.getuid() == 0 else []
    done = subprocess.run([*user, sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    grader, student, kind = done.stdout.split() or [done.stderr, "", ""]
    assert (grader != "0", student, kind) == (True, "1000", "died")


def test_nothing_outlives_a_sandbox_whose_first_process_was_talked_over(bubblewrap: str) -> None:
    """An ordinary user's sandbox runs as that user, so its code can write into bubblewrap's own process there."""
    if os.uname().machine != "x86_64":
        pytest.skip("the code written into the process is for x86_64")
    mark = f"{os.getpid()}.375"
    attack = f"""
    import os, time
    program = bytes.fromhex("b89d000000bf0100000031f60f05b8220000000f05ebf7")  # prctl(PR_SET_PDEATHSIG, 0), pause for ever
    place = int(open("/proc/1/syscall").read().split()[-1], 16)
    with open("/proc/1/mem", "rb+", buffering=0) as memory:
        memory.seek(place)
        memory.write(program)
    if os.fork() == 0:
        if os.fork() == 0:
            time.sleep(0.2)  # an orphan that ends wakes the first process
        os._exit(0)
    time.sleep(0.5)
    if os.fork() == 0:
        os.setsid()
        os.execvp("sleep", ["sleep", "{mark}"])
    """
    code = (
        "import subprocess, time; from autograder import sandbox; from autograder.sandbox import RunCell\n"
        f"sandbox.run([RunCell(0, {textwrap.dedent(attack)!r})], without=('torch',))\n"
        "time.sleep(0.3)\n"
        "print([a for a in subprocess.run(['ps', 'ax', '-o', 'args'], capture_output=True, text=True)"
        f".stdout.splitlines() if a == 'sleep {mark}'])"
    )
    user = [bubblewrap, "--bind", "/", "/", "--dev-bind", "/dev", "/dev", "--proc", "/proc", "--unshare-pid"]
    user += ["--unshare-user", "--uid", "1234", "--gid", "1234"] if os.getuid() == 0 else []
    done = subprocess.run([*user, sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stderr
