"""A worker: runs one submission's cells, and asks its Answers in copies of its process.

No secret input enters while cells still run, else a later cell could print it. So at each check a copy of the process is
put aside, and the copy is asked at the end, on a descriptor of its own. Requests and replies are frames of
`cnnlab.checking.wire`. The grader holds the time limits, the expected outputs and the decision.
"""

from __future__ import annotations

import fcntl
import gc
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, NoReturn, TypeAlias

import numpy as np

from cnnlab import library
from cnnlab.checking import probe, wire
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.way import Way
from cnnlab.checking.wire import Value

from .agreed import CHANNEL, MIB, WALL_PER_CPU
from .cells import run_cell
from .descriptors import read_until_closed, write_all
from .rights import MAX_DESCRIPTORS, limit_probe, limit_process, mapped_memory
from .shell import Shell, ShellHooks

MAX_REQUEST = 1 << 30  # bytes of arrays; it is the grader that asks
MAX_PROCESSES = 24  # beside those put aside
NO_MEMORY = 3  # exit status of a probe that has run out of memory
SECONDS_TO_END = 0.5  # for a process that has closed its descriptors
SECONDS_TO_LOOK = 0.005  # between two looks at whether a process has ended

Reply: TypeAlias = dict[str, Value]


class Prepared(NamedTuple):
    """What a worker starts with: a shell that has run nothing, and the hooks that the shell has of its own."""

    shell: Shell
    hooks: ShellHooks


class Worker:
    """Runs cells in one IPython shell and probes the functions that they define."""

    def __init__(self, channel: int, prepared: Prepared) -> None:
        self.channel = channel
        self.shell, self.hooks = prepared
        self.held: dict[int, int] = {}  # descriptor -> the process that was put aside for it

    def serve(self) -> NoReturn:
        """Answer requests until the other side closes, which ends this process."""
        answers: dict[str, Callable[..., Reply]] = {
            "lend": self.lend,
            "cell": self.cell,
            "hold": self.hold,
            "ended": self.ended,
            "answer": self.answer,
            "probe": self.probe,
        }
        while True:
            ((name, options),) = wire.read_frame(self._read, MAX_REQUEST).items()
            write_all(self.channel, wire.pack(answers[name](**options)))

    def lend(self, lessons: np.ndarray) -> Reply:
        """Fill `cnnlab.layers` with the Answers of the submission's earlier lessons.

        lessons: lesson -> texts of its cells, as the bytes of JSON.
        """
        library.lend(json.loads(bytes(lessons)))
        return {"lent": True}

    def hold(self, place: int) -> Reply:
        """Put a copy of this process aside, which goes on from here with the requests on descriptor `place`."""
        gc.freeze()  # as in preparing.settle
        child = os.fork()
        if child == 0:
            os.dup2(place, self.channel)
            os.closerange(self.channel + 1, MAX_DESCRIPTORS)
            try:
                self.serve()
            except MemoryError:
                os._exit(NO_MEMORY)
            finally:
                os._exit(1)
        os.close(place)
        self.held[place] = child
        return {"held": True}

    def answer(self, seconds: float, **asked: Value) -> NoReturn:
        """Ask the Answer each Case in this very process, a copy or the worker itself, send a frame for each, and end.

        Args:
            seconds: CPU time that the Answer may use.
            asked: as for `ask_all`.
        """
        limit_probe(seconds)
        self.ask_all(**asked)
        os._exit(0)

    def ended(self, place: int) -> Reply:
        """Say how the copy that was put aside for `place` has ended."""
        child, deadline = self.held.get(place, 0), time.monotonic() + SECONDS_TO_END
        while child:
            done, status = os.waitpid(child, os.WNOHANG)
            if done or time.monotonic() > deadline:
                return {"ended": _how_it_ended(status) if done else "died"}
            time.sleep(SECONDS_TO_LOOK)
        return {"ended": "died"}

    def cell(self, source: np.ndarray, seconds: float) -> Reply:
        """Run one cell, its text in bytes, and return what it printed and the error it raised, in one sentence."""
        return run_cell(self.shell, self.hooks, bytes(source).decode("utf-8", "surrogatepass"), seconds)

    def probe(self, seconds: float, **asked: Value) -> Reply:
        """Fork, ask the Answer each Case there, and return the child's frames unread, with how it ended.

        Args:
            seconds: CPU time that the Answer may use.
            asked: as for `ask_all`.
        """
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.dup2(write_end, self.channel)
                os.closerange(self.channel + 1, MAX_DESCRIPTORS)
                limit_probe(seconds)
                self.ask_all(**asked)
                status = 0
            except MemoryError:
                status = NO_MEMORY
            finally:
                os._exit(status)
        os.close(write_end)
        data, end = read_until_closed(read_end, time.monotonic() + WALL_PER_CPU * seconds)
        os.close(read_end)
        if end != "closed":
            _kill(child)
        _, status = os.waitpid(child, 0)
        ended = "timeout" if end == "late" else _how_it_ended(status)
        return {"ended": ended, "frames": np.frombuffer(data, np.uint8)}

    def ask_all(
        self, exercise: str, returns: Sequence[str], way: Value, cases: Sequence[dict[str, Value]]
    ) -> None:
        """Ask the Answer each Case, and send a frame with its Outcome for each.

        Args:
            exercise: the name of the Answer's function.
            returns: the names of what the function returns.
            way: the Way to ask, as a value.
            cases: the inputs of each Case.
        """
        function, how = self.shell.user_ns.get(exercise), Way.from_value(way)
        for inputs in cases:
            if callable(function):
                outcome = _ask(function, inputs, tuple(returns), how)
            else:
                outcome = Outcome("not attempted", message=f"no cell defines {exercise}")
            write_all(self.channel, wire.pack(outcome.as_value()))
            if outcome.kind == "not attempted":
                break

    def _read(self, count: int) -> bytes:
        pieces: list[bytes] = []
        while count:
            piece = os.read(self.channel, min(count, MIB))
            if not piece:
                os._exit(0)
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)


def work(prepared: Prepared, descriptors: Sequence[int], memory: int, alone: bool) -> NoReturn:
    """Put the descriptors in their places, limit this process, and answer requests until the other side closes.

    Args:
        prepared: the shell.
        descriptors: the worker's own, then those of the copies that it may put aside.
        memory: bytes of address space of one process.
        alone: whether this user has no other processes.
    """
    shell, torch = prepared.shell, sys.modules.get("torch")
    memory += mapped_memory() if torch else 0
    random.seed()  # forks of one process would all draw the same
    np.random.seed()
    if torch:
        torch.seed()
    # The shell's folder was made in another home, which is covered now.
    assert shell.profile_dir is not None
    os.makedirs(shell.profile_dir.location, exist_ok=True)
    shell.profile_dir.check_dirs()
    worker = Worker(CHANNEL, prepared)
    above = CHANNEL + len(descriptors)
    copies = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, above) for descriptor in descriptors]
    for number, copy in enumerate(copies, CHANNEL):
        os.dup2(copy, number, inheritable=False)
    os.closerange(above, max(*copies, *descriptors, MAX_DESCRIPTORS) + 1)
    # The init above a worker is the same user.
    limit_process(memory, MAX_PROCESSES + len(descriptors) + 1, alone)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    os.close(nowhere)
    write_all(CHANNEL, wire.pack({"ready": True}))
    worker.serve()


def _ask(
    function: Callable[..., object], inputs: dict[str, Value], returns: tuple[str, ...], way: Way
) -> Outcome:
    try:
        return probe.ask(function, inputs, returns, way)
    except MemoryError:
        raise
    except BaseException as error:
        return Outcome("error", message=type(error).__name__, error=type(error).__name__)


def _how_it_ended(status: int) -> str:
    """Name how a process ended, by the status that waitpid gives."""
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
        return "timeout"
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == NO_MEMORY:
        return "out of memory"
    return "finished" if status == 0 else "died"


def _kill(child: int) -> None:
    for kill in (os.killpg, os.kill):
        try:
            kill(child, signal.SIGKILL)
        except OSError:
            pass
