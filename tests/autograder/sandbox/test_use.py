"""How much of the machine a submission can use, and that nothing of it outlives its sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import textwrap
import time
from dataclasses import replace

import pytest

from autograder.sandbox import Limits, Probe, RunCell, slots, usage, warm
from tests.autograder.sandbox.sample import NO_TORCH, QUICK, TWO, kinds, look, run, steps_run

pytestmark = pytest.mark.usefixtures("bubblewrap")


def test_a_fork_bomb_costs_its_own_exercise_only_and_leaves_nothing() -> None:
    mark = f"cnnlab-bomb-{os.getpid()}"
    t = run(
        f"""
        def bomb(x):
            import os, sys, subprocess
            while True:
                try:
                    os.fork()
                    subprocess.Popen(["sleep", "1000", "{mark}"])
                except OSError:
                    pass
        def good(x): return x
        """,
        "bomb",
        "good",
    )
    assert set(kinds(t, "bomb")) <= {"timeout", "died"}
    assert kinds(t, "good") == ["values"] * 2
    assert mark not in subprocess.run(["ps", "ax", "-o", "args"], capture_output=True, text=True).stdout


def test_an_orphan_does_not_outlive_the_sandbox() -> None:
    mark = f"{os.getpid()}.125"
    run(f"import subprocess\nsubprocess.Popen(['sleep', '{mark}'], start_new_session=True)")
    until = time.monotonic() + 5  # nobody waits for a sandbox to end
    while mark in (
        found := subprocess.run(["ps", "ax", "-o", "args"], capture_output=True, text=True).stdout
    ):
        assert time.monotonic() < until, found


def test_the_disk_cannot_be_filled() -> None:
    t = run(
        """
        written = 0
        try:
            for n in range(100):
                with open(f"/tmp/{n}", "wb") as f:
                    written += f.write(b"x" * 2**22)
        except OSError:
            print("full", written < 2**27)
        """,
        limits=replace(QUICK, cell_seconds=5.0),
    )
    assert t.printed[0].strip() == "full True"


def test_all_processes_together_may_not_take_the_machines_memory() -> None:
    hoard = """
    import os, time
    for _ in range(6):
        if os.fork() == 0:
            time.sleep(2)  # so that what follows without the cell that is blamed has time, on a busy machine too
            taken = b"x" * (120 << 20)
            time.sleep(60)
            os._exit(0)
    def before(x): return x
    """
    steps = [
        RunCell(0, "def before(x): return x"),
        Probe("before", ("out",), TWO),
        RunCell(1, textwrap.dedent(hoard)),
        RunCell(2, "import time; time.sleep(8)"),
        RunCell(3, "def after(x): return x"),
        Probe("after", ("out",), TWO),
    ]
    t = steps_run(steps, limits=replace(QUICK, cell_seconds=12.0, memory=300 << 20))
    assert kinds(t, "before") == kinds(t, "after") == ["values"] * 2
    assert t.flags == ["cell 3 ended or hung the sandbox"]


def test_sockets_hold_little() -> None:
    setup = """
    import socket
    def held(one):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 26)
        one.setblocking(False)
        sent = 0
        try:
            while sent < 1 << 26: sent += one.send(bytes(1 << 16))
        except BlockingIOError: pass
        return sent
    with socket.create_server(("127.0.0.1", 0)) as server:
        pairs = [(socket.create_connection(server.getsockname()), server.accept()), socket.socketpair()]
    """
    assert int(look("max(held(one) for one, _ in pairs)", textwrap.dedent(setup))) < 1 << 20


def test_files_are_not_too_many() -> None:
    with slots.free_slot() as slot:
        if warm.place(slot, NO_TORCH, Limits()) is None:
            pytest.skip("bubblewrap sets no limit to the number of files")
    free = "[os.statvfs(folder).f_files for folder in ('/tmp', '/home/student', '/dev/shm')]"
    assert max(json.loads(look(free, "import os"))) <= 20_000


def test_all_processes_together_may_not_take_the_machines_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "cpu_seconds", lambda process: 0.5)  # burnt in no time
    t = run("""
        import os, time
        for _ in range(10):
            if os.fork() == 0:
                time.sleep(60)
        time.sleep(0.9)
        """)
    assert "cell 1 ended or hung the sandbox" in t.flags


def test_the_time_of_a_submission_is_kept_whatever_it_does() -> None:
    stubborn = (
        "import signal, time\nsignal.pthread_sigmask(signal.SIG_BLOCK, {14})\nwhile True: time.sleep(1)"
    )
    hang = "def f(x):\n    import os\n    os.close(3)\n    while True: __import__('time').sleep(1)"
    steps = [RunCell(0, hang), Probe("f", ("out",), TWO)]
    steps += [RunCell(n, stubborn) for n in range(1, 9)]
    began = time.monotonic()
    t = steps_run(steps, limits=Limits(cell_seconds=1.0, probe_seconds=1.0, submission_seconds=6.0))
    assert time.monotonic() - began < 8.0
    assert set(kinds(t, "f")) <= {"died", "timeout"} and t.flags
