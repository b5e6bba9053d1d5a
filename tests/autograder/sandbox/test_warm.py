"""Workers that are forked from a server: as separate as in a sandbox of their own, and only quicker."""

from __future__ import annotations

import json
import os
import select
import signal
import textwrap
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from autograder import sandbox
from autograder.sandbox import Limits, Probe, RunCell, process, slots, usage, warm
from autograder.sandbox.asking import run_cell
from autograder.sandbox.errors import CannotFork
from autograder.sandbox.server import Server
from tests.autograder.sandbox.sample import NO_TORCH

pytestmark = pytest.mark.usefixtures("bubblewrap")


@pytest.fixture(autouse=True)
def servers() -> None:
    """Skip where this machine makes a fresh sandbox for each submission."""
    with slots.free_slot() as slot:
        if warm.place(slot, NO_TORCH, Limits()) is None:
            pytest.skip(f"no sandbox may make namespaces here: {warm.refused()}")


def look(source: str, without: tuple[str, ...] = NO_TORCH) -> str:
    """Run a cell and return what it prints."""
    return sandbox.run([RunCell(0, textwrap.dedent(source))], without=without).printed.get(0, "").strip()


def server() -> Server:
    """The server that the next run will use."""
    with slots.free_slot() as slot:
        place = warm.place(slot, NO_TORCH, Limits())
    assert place is not None
    return place.server


def test_the_second_submission_is_forked_by_the_same_server() -> None:
    before = server()
    assert look("print(1 + 1)") == "2"
    assert server() is before


def kill(server: Server) -> None:
    """Kill a server, and wait until it has ended: on a busy machine it could fork one more worker before."""
    os.kill(server.pid, signal.SIGKILL)
    until = time.monotonic() + 20
    while usage.resident(server.pid):
        assert time.monotonic() < until
        time.sleep(0.01)


def waiting(server: Server) -> int:
    """The one process below the server, when it has said that the next worker is there."""
    assert select.select([server.control], [], [], 20)[0]
    (only,) = usage.children(server.pid)
    return only


def test_what_is_left_after_a_submission_is_a_worker_that_nobody_has_asked() -> None:
    look("print(1 + 1)")
    here = server()
    first = waiting(here)
    assert here.spare is not None
    assert look("print(2 + 2)") == "4", "which is the next submission's"
    second = waiting(here)
    assert first != second
    assert sandbox.run([RunCell(0, "x = 1"), Probe("f", ("out",), ({"x": 1.0},))], without=NO_TORCH).outcomes[
        "f"
    ], "one with other sockets to it is put in its place"
    third = waiting(here)
    assert third not in (first, second) and here.spare is not None and len(here.spare.sockets) == 2
    here.close()
    assert here.spare is None and not any(os.path.exists(f"/proc/{one}") for one in (first, second, third))


VIEW = """
import json, os, socket, sys
status = [line.split(":")[0] + line.split(":")[1].strip() for line in open("/proc/self/status")
          if line.startswith(("Cap", "NoNewPrivs", "Seccomp:", "Groups", "NStgid"))]
tops = ("/", "/dev", "/dev/pts", "/dev/shm", "/tmp", "/home/student", "/course", "/etc")
files = {top: sorted(os.listdir(top)) for top in tops}
mounts = sorted(line.split()[1] + " " + line.split()[2] for line in open("/proc/self/mounts"))
limits = open("/proc/self/limits").read()
descriptors = sorted(os.listdir("/proc/self/fd"))
processes = sorted(name for name in os.listdir("/proc") if name.isdigit())
links = sorted(name for _, name in socket.if_nameindex())
up = open("/sys/class/net/lo/operstate").read() if os.path.exists("/sys/class/net") else ""
who = [os.getpid(), os.getppid(), os.umask(0o022), os.getcwd(), dict(os.environ), socket.gethostname()]
how = [sys.argv, sys.path, sys.flags.isolated]
print(json.dumps([status, files, sorted(set(mounts)), limits, descriptors, processes, links, up, who, how]))
"""


def fresh(source: str, without: tuple[str, ...] = NO_TORCH) -> str:
    """Do as `look`, in a sandbox that is started for it."""
    warm.close_all()
    warm.refuse("as a test wants it")
    try:
        return look(source, without)
    finally:
        warm.refuse("")


@pytest.mark.parametrize("without", [NO_TORCH, ()], ids=["without torch", "with torch"])
def test_it_looks_as_in_a_sandbox_of_its_own(without: tuple[str, ...]) -> None:
    forked = json.loads(look(VIEW, without))
    assert forked == json.loads(fresh(VIEW, without))


def test_what_the_server_has_rehearsed_left_nothing() -> None:
    look_round = """
    import json, signal
    handlers = [str(signal.getsignal(number)) for number in sorted(signal.Signals) if number != signal.SIGALRM]
    print(json.dumps([sorted(globals()), sorted(vars(__builtins__)), handlers, get_ipython().execution_count]))
    """
    assert json.loads(look(look_round)) == json.loads(fresh(look_round))


LEAVE = """
import builtins, os, socket, numpy, cnnlab, random, sys, ctypes
for folder in ("/tmp", "/dev/shm", "/home/student"):
    open(f"{folder}/left", "w").write("left")
os.environ["LEFT"] = builtins.left = numpy.left = cnnlab.left = "left"
sys.modules["left"] = sys
listening = socket.socket(socket.AF_UNIX)
listening.bind("\\0left")
listening.listen()
port = socket.create_server(("127.0.0.1", 5555))
if os.fork() == 0:
    os.setsid()
    import time
    time.sleep(60)
    os._exit(0)
print("done")
"""
FIND = """
import builtins, os, socket, numpy, cnnlab, sys
found = [f for f in ("/tmp/left", "/dev/shm/left", "/home/student/left") if os.path.exists(f)]
found += [one.__name__ for one in (builtins, numpy, cnnlab) if hasattr(one, "left")]
found += [name for name, where in (("LEFT", os.environ), ("left", sys.modules)) if name in where]
for family, address in ((socket.AF_UNIX, "\\0left"), (socket.AF_INET, ("127.0.0.1", 5555))):
    with socket.socket(family) as one:
        found += [str(address)] if one.connect_ex(address) == 0 else []
found += [name for name in os.listdir("/proc") if name.isdigit() and int(name) not in (1, os.getpid())]
print(found)
"""


def test_nothing_of_a_submission_is_there_for_the_next() -> None:
    assert look(LEAVE) == "done"
    before = server()
    assert look(FIND) == "[]"
    assert server() is before


def side_by_side(one: int, other: int, first: str, second: str) -> list[str]:
    """What a cell in the sandbox of one slot prints and then, while that is still there, one in that of another."""
    deadline, stop = time.monotonic() + 30, process.threading.Event()
    with ExitStack() as stack:
        boxes = [
            stack.enter_context(process.Sandbox(slot, NO_TORCH, Limits(), False, (), deadline, stop))
            for slot in (one, other)
        ]
        replies = [
            run_cell(box, textwrap.dedent(source), Limits())
            for box, source in zip(boxes, (first, second), strict=True)
        ]
    return [reply["printed"].strip() for reply in replies]


def test_two_at_a_time_see_nothing_of_each_other() -> None:
    with slots.free_slot() as one, slots.free_slot() as other:
        assert side_by_side(one, other, LEAVE, FIND) == ["done", "[]"]


@pytest.fixture
def copies() -> Iterator[list[Server]]:
    """Two copies of one server, which serve slots of their own."""
    if os.getuid() != 0:
        pytest.skip("copies of a server are for the superuser, who has a user for each")
    template = warm.SandboxTemplate(NO_TORCH)
    found = [copy for copy in (template.copy(), template.copy()) if copy]
    assert len(found) == 2 and template.server
    for slot, copy in enumerate(found):
        warm.adopt(slot, copy)
    yield found
    for slot in range(len(found)):
        warm.release(slot)
    assert left_below(template.server.pid) == [], "a copy ends when nobody asks it any more"
    template.server.close()


def left_below(process: int) -> list[int]:
    """The processes below one that are still there after a while."""
    until = time.monotonic() + 10
    while time.monotonic() < until and [one for one in usage.children(process) if usage.resident(one)]:
        time.sleep(0.01)
    return [one for one in usage.children(process) if usage.resident(one)]


def test_copies_of_one_server_see_nothing_of_each_other(copies: list[Server]) -> None:
    assert side_by_side(0, 1, LEAVE, FIND) == ["done", "[]"]
    assert [server.alive for server in copies] == [True, True]


def test_workers_of_copies_are_different_users_with_the_same_name(copies: list[Server]) -> None:
    who = "import getpass, os; print(os.getuid(), getpass.getuser())"
    (one, name), (other, same) = map(str.split, side_by_side(0, 1, who, who))
    assert one != other and name == same == "student"


def test_a_worker_that_starts_all_it_may_takes_nothing_from_the_others(copies: list[Server]) -> None:
    fill = """
    import os, time
    count = 0
    try:
        while True:
            if os.fork() == 0:
                time.sleep(60)
            count += 1
    except OSError:
        print(count)
    """
    first, second = side_by_side(0, 1, fill, fill)
    assert first == second and int(first) > 10


def test_a_copy_that_is_lost_is_replaced_by_a_server(copies: list[Server]) -> None:
    kill(copies[0])
    assert side_by_side(0, 1, "print('there')", "print('there')") == ["there", "there"]
    assert copies[1].alive and not copies[0].alive


def test_chance_is_not_the_same_in_every_fork() -> None:
    draw = "import random, numpy; print(random.random(), numpy.random.rand())"
    first, second = look(draw).split(), look(draw).split()
    assert not set(first) & set(second)


def test_a_server_that_is_lost_is_replaced() -> None:
    lost = server()
    kill(lost)
    assert look("print('there')") == "there"
    assert server() is not lost


def test_a_worker_cannot_reach_its_init_or_its_server() -> None:
    before = server()
    source = """
    import ctypes, os, signal
    for process in (1, os.getppid(), -1):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGSTOP, signal.SIGKILL):
            try:
                os.kill(process, number) if process != -1 else None
            except OSError:
                pass
    try:
        open("/proc/1/mem", "r+b").close()
        print("memory")
    except OSError:
        pass
    print(os.getppid(), open("/proc/1/status").read().split("State:")[1].split()[0])
    """
    (said,) = look(source).splitlines()
    assert said.split()[0] == "1"
    assert look("print('next')") == "next"
    assert server() is before


def test_where_no_worker_can_be_forked_each_has_a_sandbox_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    warm.close_all()

    def cannot(*_: object) -> int:
        raise CannotFork("unshare: Operation not permitted")

    monkeypatch.setattr(Server, "spawn", cannot)
    try:
        assert look("print('fresh')") == "fresh"
        assert "not permitted" in warm.refused()
    finally:
        warm.refuse("")


def test_a_closed_server_leaves_no_process() -> None:
    gone = server()
    everything = usage.tree(gone.process.pid)
    assert len(everything) >= 3
    warm.close_all()
    assert not [one for one in everything if os.path.exists(f"/proc/{one}")]
