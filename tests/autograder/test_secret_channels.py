"""No secret input of an Answer may reach what a student is shown, over whatever it could be told to a later cell."""

from __future__ import annotations

import tempfile
import textwrap
import threading
import time
from pathlib import Path

import pytest

from autograder import sandbox
from autograder.judging.sentences import MAX_LINE, telling_line
from autograder.sandbox import Limits, Probe, RunCell, Transcript
from tests import ordinary_user

NO_TORCH = ("torch",)  # a sandbox with torch takes seconds to start
QUICK = Limits(cell_seconds=1.0, probe_seconds=3.0, submission_seconds=30.0)
TWO = ({"x": 4711}, {"x": 4712})
MIB = 1 << 20


def run(*sources: str, exercise: str = "f", limits: Limits = QUICK, bare: bool = False) -> Transcript:
    """Run cells, the first of which defines an Answer that is asked, the others after its check."""
    first, *others = (textwrap.dedent(source) for source in sources)
    steps = [RunCell(0, first), Probe(exercise, ("out",), TWO)]
    steps += [RunCell(at, source) for at, source in enumerate(others, 2)]
    return sandbox.run(steps, limits=limits, bare=bare, without=NO_TORCH)


# Between the sandboxes of one submission. Without any sandbox a file is a way that always works.

TELL = """
import os
if os.path.exists({told!r}):
    print("told", open({told!r}).read())
    raise type("told" + open({told!r}).read(), (Exception,), {{}})
def f(x):
    open({told!r}, "a").write(str(x))
    {then}
    return x
"""


@pytest.mark.parametrize(
    "then, last",
    [
        ("os._exit(1)", "print('last')"),  # in a copy of the process
        ("os._exit(1)", ""),  # in the worker itself, before it has answered anything
        ("pass", "import os\nif not os.path.exists({again!r}):\n    open({again!r}, 'w'); os._exit(1)"),
        ("pass", "import os, signal, time\nif not os.path.exists({again!r}):\n    open({again!r}, 'w')\n"
                 "    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM]); time.sleep(60)"),
    ],
    ids=["a copy that ends", "the worker that ends", "a cell that ends the process", "a cell that hangs"],
)  # fmt: skip
def test_a_second_sandbox_prints_nothing_that_the_first_was_asked(
    tmp_path: Path, then: str, last: str
) -> None:
    names = {"told": str(tmp_path / "told"), "again": str(tmp_path / "again"), "then": then}
    t = run(TELL.format(**names), *([last.format(**names)] if last else []), bare=True)
    assert (tmp_path / "told").read_text().startswith("4711")  # it was asked, and has written it down
    shown = " ".join([*t.printed.values(), *t.errors.values(), *t.flags])
    assert "4711" not in shown and "4712" not in shown


@pytest.mark.usefixtures("bubblewrap")
def test_cells_after_one_that_ends_the_process_are_shown() -> None:
    t = run("def f(x): return x", "print('before')", "import os; os._exit(1)", "print('after')")
    assert (t.printed[2], t.printed[4]) == ("before\n", "after\n")
    assert [outcome.kind for outcome in t.outcomes["f"]] == ["values"] * 2


@pytest.mark.usefixtures("bubblewrap")
def test_where_many_cells_hang_the_answers_before_them_are_asked_in_time() -> None:
    hang = "import signal, time\nsignal.pthread_sigmask(signal.SIG_BLOCK, {14})\ntime.sleep(60)"
    limits = Limits(cell_seconds=0.6, probe_seconds=0.6, submission_seconds=4.8)
    t = run("def f(x): return x", *[hang] * 6, limits=limits)
    assert [outcome.kind for outcome in t.outcomes["f"]] == ["values"] * 2


# Between sandboxes of different submissions


@pytest.mark.usefixtures("bubblewrap")
def test_what_others_do_with_shared_files_cannot_be_asked() -> None:
    t = run("""
        import ctypes, errno, os
        libc = ctypes.CDLL(None, use_errno=True)
        def refused(answer):
            return answer == -1 and ctypes.get_errno() == errno.ENOSYS
        fd = os.open(os.__file__, os.O_RDONLY)
        print(refused(libc.inotify_init1(0)), refused(libc.fanotify_init(0, 0)))
        page = ctypes.create_string_buffer(8192)
        print(refused(libc.mincore(ctypes.c_void_p(ctypes.addressof(page) & ~4095), 1, page)))
        for call in (lambda: os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED),
                     lambda: os.preadv(fd, [bytearray(1)], 0, os.RWF_NOWAIT)):
            try:
                call()
                print(False)
            except OSError as error:
                print(error.errno in (errno.ENOSYS, errno.EOPNOTSUPP))
        def f(x): return x
        """)
    assert t.printed[0].split() == ["True"] * 5, t.printed


@pytest.mark.usefixtures("bubblewrap")
def test_locks_and_times_of_shared_files_do_not_change() -> None:
    look = """
        import fcntl, os, struct
        fd = os.open(os.__file__, os.O_RDONLY)
        asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 999, 1, 0)
        print(fcntl.fcntl(fd, fcntl.F_GETLK, asked) == asked, int(os.stat("/dev/null").st_mtime))
        """
    hold = """
        import fcntl, os, time
        fd = os.open(os.__file__, os.O_RDONLY)
        fcntl.lockf(fd, fcntl.LOCK_SH, 1, 999)
        fcntl.flock(fd, fcntl.LOCK_SH)  # all seem to succeed
        os.utime("/dev/null")
        print("held")
        def f(x):
            time.sleep(1.5)
            return x
        """
    before = run(look)
    found: list[Transcript] = []
    beside = threading.Thread(target=lambda: found.append(run(hold)))
    beside.start()
    time.sleep(1.0)
    during = run(look)
    beside.join()
    assert found[0].printed[0] == "held\n"
    assert during.printed == before.printed and during.printed[0].startswith("True")


# In what is said of an exception


def test_a_line_far_down_is_not_named() -> None:
    def named(line: int, of: int) -> int | None:
        return telling_line(line, "\n" * (of - 1))

    assert [named(MAX_LINE, 60_000), named(MAX_LINE + 1, 60_000), named(7, 6)] == [MAX_LINE, None, None]


# What is watched, and what is limited


@pytest.mark.usefixtures("bubblewrap")
def test_memory_is_watched_while_the_worker_takes_nothing_in() -> None:
    """A cell that answers for itself and does not come back: the next cell's text fills the socket."""
    hog = """
        import os, time
        from cnnlab.checking import wire
        os.write(3, wire.pack({"printed": "", "error": ""}))
        for _ in range(5):
            if os.fork() == 0:
                taken = bytearray(os.urandom(1 << 20)) * 100
                time.sleep(60)
                os._exit(0)
        time.sleep(60)
        """
    limits = Limits(cell_seconds=10.0, submission_seconds=40.0, memory=128 * MIB, restarts=0)
    steps = [RunCell(0, textwrap.dedent(hog)), RunCell(1, "#" + "x" * 900_000)]
    began = time.monotonic()
    sandbox.run(steps, limits=limits, without=NO_TORCH)
    assert time.monotonic() - began < 10.0  # and not twice the cell's seconds


@pytest.mark.parametrize("warmed", [True, False], ids=["forked", "fresh"])
def test_an_ordinary_users_first_process_may_start_no_more_than_the_worker(
    bubblewrap: str, warmed: bool
) -> None:
    """It is the same user as the worker there, which can therefore write into its memory."""
    cell = """
        def limits(process):
            wanted = "Max processes", "Max address space", "Max file size", "Max open files"
            return [line for line in open(f"/proc/{process}/limits") if line.startswith(wanted)]
        print(limits(1) == limits("self"), len(limits(1)))
        """
    code = (
        "from autograder import sandbox; from autograder.sandbox import RunCell, warm\n"
        + ("" if warmed else "warm.refuse('not here')\n")
        + f"print(sandbox.run([RunCell(0, {textwrap.dedent(cell)!r})], without=('torch',)).printed[0], repr(warm.refused()))"
    )
    with tempfile.TemporaryDirectory(prefix="cnnlab-test-") as name:
        done = ordinary_user.run(code, Path(name), bubblewrap)
    assert done.stdout.split()[:2] == ["True", "4"], done.stderr
    assert warmed == (done.stdout.split()[2] == "''")
