"""One sandbox: the sockets to the worker in it, and a watch on what it uses."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from autograder.sandbox import socket_pairs, usage
from autograder.sandbox.errors import (
    CannotFork,
    GradingStopped,
    ProbeTimeout,
    SandboxError,
    SandboxLost,
    SubmissionTimeout,
)
from autograder.sandbox.fresh import BareWorker, FreshWorker
from autograder.sandbox.inside.agreed import CHANNEL, MAX_RESULT, MIB
from autograder.sandbox.limits import Limits
from autograder.sandbox.warm import ForkedWorker, place
from cnnlab.checking import wire
from cnnlab.checking.wire import Value

Box: TypeAlias = FreshWorker | ForkedWorker  # starts a worker and ends all that came of it
MAX_REPLY = MAX_RESULT + MIB  # what the worker lets a probe send, and room for its frame
MAX_REPLY_HEADER = 256 << 10  # holds what one cell printed
WORKER = -1  # the place of the worker itself; a copy that is put aside has the position of its Probe
READ = 1 << 18  # bytes taken from a socket at once, at most
START_SECONDS = 30.0
CHECK_SECONDS = 0.2  # between two looks at what a sandbox uses
PROCESSORS = (
    1.2  # that a submission may use: one, as an honest notebook does, and room for what the clock rounds
)
CPU_AT_FIRST = (
    2.5  # seconds of CPU time beside that: imports before the worker was ready, which came to a second or two
)


class Sandbox:
    """A worker in a sandbox, and the sockets to it and to the copies of it that are put aside.

    Args:
        slot: the sandbox's number, which no other has now.
        without: packages that cannot be imported.
        limits: of the submission.
        bare: whether there is no sandbox around the worker.
        probes: the positions of the steps that may be put aside.
        deadline: when the submission has used up its time, by the monotonic clock.
        stop: set by another thread to end the run.

    Attributes:
        root: the process that all others of the sandbox descend from.
    """

    def __init__(
        self,
        slot: int,
        without: tuple[str, ...],
        limits: Limits,
        bare: bool,
        probes: Sequence[int],
        deadline: float,
        stop: threading.Event,
    ) -> None:
        self.slot, self.without, self.limits, self.bare, self.stop = slot, without, limits, bare, stop
        self.probes, self.deadline = list(probes), deadline

    def __enter__(self) -> Sandbox:
        places = (WORKER, *self.probes)
        self.unread: dict[int, bytearray] = defaultdict(bytearray)  # come with what was read before
        self.box, ours, self.root = self._started(len(places))
        self.sockets = dict(zip(places, ours, strict=True))
        self.began = self.looked = time.monotonic()
        try:
            ready = self._receive(time.monotonic() + START_SECONDS, WORKER)
        except SandboxLost:
            self.box.stop()
            last = self.box.last_words()
            self._end()
            raise SandboxError(
                f"The sandbox did not start ({last}); bubblewrap must be allowed to make namespaces on this machine."
            ) from None
        except BaseException:
            self._end()
            raise
        if ready != {"ready": True}:
            self._end()
            raise SandboxError("The sandbox's worker did not answer as it should; install the package again.")
        *above, worker = usage.tree(self.root)
        for process in (*above, worker):
            usage.give_up_first(process)
        for process in above:  # whoever can write to their memory could use them
            usage.limit_alike(process, worker)
        return self

    def _started(self, count: int) -> tuple[Box, list[socket.socket], int]:
        """Start a worker where that is quickest; a server that was lost meanwhile is replaced once."""
        if self.bare:
            bare = BareWorker(self.without, self.limits)
            return bare, *bare.open(count)
        for _ in range(2):
            warm = place(self.slot, self.without, self.limits)
            if warm is None:
                break
            try:
                return warm, *warm.open(count)
            except CannotFork:
                warm.server.close()
        fresh = FreshWorker(self.slot, self.without, self.limits)
        return fresh, *fresh.open(count)

    def __exit__(self, *exception: object) -> None:
        if isinstance(self.box, ForkedWorker) and not any(exception):
            self.box.replace(len(self.sockets))  # the next submission is likely to be of the same lesson
            socket_pairs.close(self.sockets.values())
        else:
            self._end()

    def _end(self) -> None:
        self.box.stop()
        self.box.close()
        socket_pairs.close(self.sockets.values())

    @property
    def seconds_left(self) -> float:
        """Seconds until the deadline."""
        return self.deadline - time.monotonic()

    def hold(self, place: int) -> None:
        """Put aside a copy of the process as it is now, for `place` to address from now on; raise as `ask` does."""
        self.ask({"hold": {"place": self._descriptor(place)}}, self.limits.cell_reply_seconds)

    def end_of(self, place: int) -> Value:
        """Ask the worker how the process that was put aside for `place` has ended; raises as `ask` does."""
        return self.ask({"ended": {"place": self._descriptor(place)}}, self.limits.cell_reply_seconds)

    def _descriptor(self, place: int) -> int:
        return CHANNEL + 1 + self.probes.index(place)

    def ask(self, request: Value, seconds: float, place: int = WORKER) -> Value:
        """Send a request and return the reply.

        Args:
            request: what the worker is asked to do.
            seconds: how long the reply may take.
            place: WORKER for the worker itself, or the position of the Probe whose copy is asked.

        Raises:
            SandboxLost: where no reply comes in time.
            SubmissionTimeout: where the submission's own time ran out meanwhile.
        """
        deadline = time.monotonic() + min(seconds, self.seconds_left)
        try:
            self._send(wire.pack(request), deadline, place)
            return self._receive(deadline, place)
        except (SandboxLost, OSError) as error:
            raise (SubmissionTimeout if self.seconds_left <= 0 else SandboxLost) from error

    def replies(self, request: bytes, seconds: float, place: int, count: int) -> Iterator[Value]:
        """Send a packed request and yield its replies as they come, together no larger than one reply may be.

        Args:
            request: the request as it travels.
            seconds: how long all replies together may take.
            place: whom to ask, as for `ask`.
            count: the number of replies.

        Raises:
            SandboxLost: where the other side ends or sends something that is not a frame.
            ProbeTimeout: where the replies take longer than `seconds`.
            SubmissionTimeout: where the submission as a whole takes too long.
        """
        deadline = time.monotonic() + min(seconds, self.seconds_left)
        room, headers = MAX_REPLY, wire.MAX_HEADER
        lengths: list[int] = []

        def counted(length: int) -> bytes:
            lengths.append(length)
            return read(length)

        try:
            self._send(request, deadline, place)
            read = self._reader(deadline, place)
            for _ in range(count):
                yield wire.read_frame(counted, room, headers)
                headers -= lengths[1]  # after the frame's start; the arrays follow
                room -= sum(lengths[2:])
                lengths.clear()
        except (SandboxLost, OSError, wire.WireError) as error:
            if self.seconds_left <= 0:
                raise SubmissionTimeout from error
            raise (ProbeTimeout if time.monotonic() >= deadline else SandboxLost) from error

    def _send(self, data: bytes, deadline: float, place: int) -> None:
        """Send all of the data; raise SandboxLost where the other side does not take it in time."""
        left = memoryview(data)
        while left:
            with contextlib.suppress(TimeoutError):
                left = left[self._watched(deadline, place).send(left) :]

    def _receive(self, deadline: float, place: int) -> Value:
        try:
            return wire.read_frame(self._reader(deadline, place), MAX_REPLY, MAX_REPLY_HEADER)
        except wire.WireError as error:
            raise SandboxLost from error

    def _reader(self, deadline: float, place: int) -> Callable[[int], bytes]:
        """Return a function that reads so many bytes, and raises SandboxLost where they do not come in time."""
        unread = self.unread[place]

        def more() -> bytes:
            while True:
                try:
                    piece = self._watched(deadline, place).recv(READ)
                except TimeoutError:
                    continue
                except OSError as error:
                    raise SandboxLost from error
                if not piece:
                    raise SandboxLost
                return piece

        def read_exactly(count: int) -> bytes:
            while len(unread) < count:
                unread.extend(more())
            taken = bytes(unread[:count])
            del unread[:count]
            return taken

        return read_exactly

    def _watched(self, deadline: float, place: int) -> socket.socket:
        """Check the deadline, the stop signal and the sandbox's use, and return a socket that waits until the next check.

        Raises:
            SandboxLost: where the time is over or the sandbox uses too much.
            GradingStopped: where the grader was stopped.
        """
        left = deadline - time.monotonic()
        if left <= 0:
            raise SandboxLost
        if self.stop.is_set():
            raise GradingStopped("Grading was stopped.")
        self._verify_use()
        self.sockets[place].settimeout(min(left, CHECK_SECONDS))
        return self.sockets[place]

    def _verify_use(self) -> None:
        """Raise SandboxLost where all processes together use more memory or processors than one submission may."""
        now = time.monotonic()
        if self.bare or now - self.looked < CHECK_SECONDS:
            return
        self.looked = now
        processes = usage.tree(self.root)
        # Pages that processes share are counted once only by the slower of the two.
        for count in (usage.resident, usage.proportional):
            if sum(map(count, processes)) <= self.limits.memory_of_all:
                break
        else:
            raise SandboxLost
        # More than one processor would be taken from its neighbours.
        if sum(map(usage.cpu_seconds, processes)) > PROCESSORS * (now - self.began) + CPU_AT_FIRST:
            raise SandboxLost
