"""Runs a submission where it can do no harm: a fresh bubblewrap sandbox, and what it answered as Outcomes.

The sandbox sees the system and the Python environment read-only, `cnnlab`, and nothing else of the course: no network,
no other process, an empty environment, small in-memory folders. All that comes out is frames on sockets.
"""

from __future__ import annotations

import errno
import os
import platform
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from autograder.course import CourseError
from cnnlab.checking import wire
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.wire import Value

HERE = Path(__file__).resolve().parent
MIB = 1 << 20
FIRST_UID = (
    200_000  # beyond the ids that systems hand out; one a sandbox, since the process limit counts by user
)
MAX_REPLY = 33 * MIB  # what the worker lets a probe send, and room for its frame
MAX_REPLY_HEADER = 256 << 10  # holds what one cell printed
MAX_PRINTED = 20_100  # characters that a cell's text can have, if the worker is what it was
CELLS = -1  # the place of the worker itself; those put aside have the position of their Probe
FIRST_DESCRIPTOR = 3  # as in worker.py
CHECK_SECONDS = 0.2  # between two looks at what a sandbox uses
INSTALL = "Install bubblewrap first (sudo apt-get install bubblewrap), then grade again."


class SandboxError(CourseError):
    """The sandbox itself could not be started: nothing is known about the submission."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Seconds are wall time for cells and the submission, of which cells leave half to probes, and CPU time for probes. memory:
    bytes of address space of one process; all processes of a submission together may hold twice that.
    """

    cell_seconds: float = 5.0
    probe_seconds: float = 4.0
    submission_seconds: float = 45.0
    memory: int = 2048 * MIB
    restarts: int = 5
    deaths: int = 3  # probes of one Exercise that may die before its remaining Cases count as died


@dataclass(frozen=True)
class RunCell:
    """Run a cell's source; index: its place in the notebook."""

    index: int
    source: str


@dataclass(frozen=True)
class Probe:
    """Ask the Answer of `exercise` each of `cases` (argument name -> value)."""

    exercise: str
    returns: tuple[str, ...]
    cases: tuple[Mapping[str, Value], ...]


@dataclass
class Transcript:
    """What came of a submission: Outcomes by exercise, what each cell printed, the error each cell raised, flags."""

    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    printed: dict[int, str] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)


class _Gone(Exception):
    """The sandbox ended, hung, used too much, or said something that is not a frame."""


class _Late(Exception):
    """The submission has used up its time."""


def run(
    steps: Sequence[RunCell | Probe],
    *,
    without: Sequence[str] = (),
    limits: Limits | None = None,
    bare: bool = False,
) -> Transcript:
    """Run the steps in order in a fresh sandbox and return what came of them.

    A step that kills the sandbox is skipped when it is started again, and the steps before it are replayed without
    their probes, so a submission loses only what its own code destroys. without: packages that cannot be imported;
    bare: no sandbox at all, for machines that have none, where the instructor said so. Raises SandboxError where the
    sandbox cannot be started.
    """
    limits = limits or Limits()
    transcript = Transcript()
    skip: set[int] = set()
    until = len(steps)
    probes = [position for position, step in enumerate(steps) if isinstance(step, Probe)]
    deadline = time.monotonic() + limits.submission_seconds
    for left in reversed(range(limits.restarts + 1)):
        try:
            with (
                _slot() as slot,
                _Sandbox(slot, tuple(without), limits, bare, probes, deadline) as sandbox,
            ):
                position = _play(sandbox, steps[:until], skip, transcript, limits)
        except _Late:
            break
        if position is None and until == len(steps):
            return transcript
        if position is None:
            break
        step = steps[position]
        skip.add(position)
        if isinstance(step, RunCell):
            transcript.errors[step.index] = "it ended the process that runs the notebook, or ran too long"
            transcript.flags.append(f"cell {step.index + 1} ended or hung the sandbox")
            until = until if left > 1 else position  # the last time, no cell that could destroy it again
        else:
            transcript.flags.append(f"{step.exercise} ended or hung the sandbox")
            done = transcript.outcomes.setdefault(step.exercise, [])
            done += [Outcome("died", message="it ended the process, or ran too long")] * (
                len(step.cases) - len(done)
            )
    transcript.flags.append("the submission used up its time; what was left is not judged")
    for step in steps:
        if isinstance(step, Probe):
            done = transcript.outcomes.setdefault(step.exercise, [])
            late = Outcome("timeout", message="the notebook as a whole ran too long")
            done += [late] * (len(step.cases) - len(done))
    return transcript


def _play(
    sandbox: _Sandbox,
    steps: Sequence[RunCell | Probe],
    skip: set[int],
    so_far: Transcript,
    limits: Limits,
) -> int | None:
    """Run every step that is not skipped; return the position of the one at which the sandbox was lost, or None.

    Probes are put aside where they stand and asked when all cells have run, so that no cell can print a secret input.
    """
    lost, held = None, []
    cells_until = sandbox.deadline - sandbox.seconds_left / 2
    for position, step in enumerate(steps):
        if position in skip or (
            isinstance(step, Probe) and len(so_far.outcomes.get(step.exercise, [])) == len(step.cases)
        ):
            continue
        if isinstance(step, RunCell) and time.monotonic() > cells_until:
            break
        try:
            if isinstance(step, RunCell):
                request = {"cell": {"source": step.source, "seconds": limits.cell_seconds}}
                _note(so_far, step.index, sandbox.ask(request, 2 * limits.cell_seconds))
            else:
                sandbox.hold(position)
                held.append(position)
        except _Gone:
            lost = position
            break
    else:
        position = len(steps)
    for place in held:
        try:
            _probe(
                sandbox, steps[place], place, so_far.outcomes.setdefault(steps[place].exercise, []), limits
            )
        except _Gone:
            return place if lost is None else lost
    if lost is None and position < len(steps):
        raise _Late
    return lost


def _note(so_far: Transcript, index: int, reply: Value) -> None:
    so_far.printed[index] = _text(reply, "printed")[:MAX_PRINTED]
    so_far.errors.pop(index, None)
    if _text(reply, "error"):
        so_far.errors[index] = _text(reply, "error")[:200]


def _probe(sandbox: _Sandbox, step: Probe, place: int, done: list[Outcome], limits: Limits) -> None:
    deaths = 0
    while len(done) < len(step.cases):
        request = {
            "exercise": step.exercise,
            "returns": list(step.returns),
            "cases": [dict(case) for case in step.cases[len(done) :]],
            "seconds": limits.probe_seconds,
        }
        reply = sandbox.ask({"probe": request}, 3 * limits.probe_seconds, place)
        ended, frames = _text(reply, "ended"), reply.get("frames") if isinstance(reply, dict) else None
        got = _outcomes(
            frames.tobytes() if isinstance(frames, np.ndarray) else b"", len(step.cases) - len(done)
        )
        done += got
        left = len(step.cases) - len(done)
        if not left:
            return
        if got and got[-1].kind == "not attempted":
            done += [got[-1]] * left
        elif ended == "timeout":
            done += [Outcome("timeout", message="it ran longer than it may")] * left
        else:
            deaths += 1
            end = ended if ended == "out of memory" else "died"
            words = {
                "died": "it ended the process",
                "out of memory": "it asked for more memory than there is",
            }[end]
            done += [Outcome(end, message=words)] * (left if deaths >= limits.deaths else 1)


def _outcomes(data: bytes, most: int) -> list[Outcome]:
    """Read Outcomes from the child's bytes, up to the first thing that is not one.

    Their headers together may have the size of one, else those of many Cases would keep the grader busy for minutes.
    """
    position, found, left = 0, [], wire.MAX_HEADER

    def read_exactly(count: int) -> bytes:
        nonlocal position
        piece = data[position : position + count]
        position += len(piece)
        return piece

    while len(found) < most and position < len(data):
        start = position
        try:
            found.append(Outcome.from_value(wire.read_frame(read_exactly, MAX_REPLY, left)))
        except ValueError:
            break
        left -= int.from_bytes(data[start + 4 : start + 8], "little")
    return found


def _text(reply: Any, key: str) -> str:
    value = reply.get(key) if isinstance(reply, dict) else None
    return value if isinstance(value, str) else ""


class _Sandbox:
    """One bubblewrap process, and the sockets to the worker in it and to the copies that it puts aside.

    probes: the positions of the steps that may be put aside; deadline: of the submission.
    """

    def __init__(
        self,
        slot: int,
        without: tuple[str, ...],
        limits: Limits,
        bare: bool,
        probes: Sequence[int],
        deadline: float,
    ) -> None:
        self.slot, self.without, self.limits, self.bare = slot, without, limits, bare
        self.probes, self.deadline = list(probes), deadline

    def __enter__(self) -> _Sandbox:
        self.folder = tempfile.TemporaryDirectory(prefix="cnnlab-")
        self.sockets: dict[int, socket.socket] = {}
        theirs = []
        try:
            for place in (CELLS, *self.probes):
                self.sockets[place], their = socket.socketpair()
                theirs.append(their)
            descriptors = [their.fileno() for their in theirs]
            with self._filter() as filter_file:
                self.process = subprocess.Popen(
                    self._command(descriptors, filter_file.fileno()),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    pass_fds=(*descriptors, filter_file.fileno()),
                    env=self._environment() if self.bare else {},
                    cwd=self.folder.name,
                    start_new_session=True,
                )
        except BaseException as error:
            self._close()
            if isinstance(error, OSError):
                raise SandboxError(f"The sandbox cannot be started: {error}.") from error
            raise
        finally:
            for their in theirs:
                their.close()
        self.began = self.looked = time.monotonic()
        try:
            ready = self._receive(30.0, CELLS)
        except _Gone:
            self._stop()
            said = (
                (self.process.stderr.read(4000) if self.process.stderr else b"")
                .decode(errors="replace")
                .strip()
            )
            self.__exit__()
            last = said.splitlines()[-1] if said else "it said nothing"
            raise SandboxError(
                f"The sandbox did not start ({last}); 'autograder grade --help' says what it needs."
            ) from None
        if ready != {"ready": True}:
            self.__exit__()
            raise SandboxError("The sandbox's worker did not answer as it should; install the package again.")
        for process in _tree(self.process.pid):
            _give_up_first(process)
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop()
        if self.process.stderr:
            self.process.stderr.close()
        self._close()

    def _close(self) -> None:
        for ours in self.sockets.values():
            ours.close()
        self.folder.cleanup()

    def _stop(self) -> None:
        # Killing the first process of the sandbox's pid namespace ends all in it. Bubblewrap asks to have that done where
        # it ends itself, but a student with the grader's own user id can talk that process out of it.
        if self.process.returncode is not None:
            return
        first = [] if self.bare else _children(self.process.pid)
        try:
            for process in first:
                os.kill(process, signal.SIGKILL)
            if first:
                self.process.wait(5.0)  # bubblewrap ends after it, when nothing is left
        except (ProcessLookupError, subprocess.TimeoutExpired):
            pass
        if self.process.returncode is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    @property
    def seconds_left(self) -> float:
        return self.deadline - time.monotonic()

    def hold(self, place: int) -> None:
        """Have the process as it is now put aside, to be asked by `place`."""
        descriptor = FIRST_DESCRIPTOR + 1 + self.probes.index(place)
        self.ask({"hold": descriptor}, 2 * self.limits.cell_seconds)

    def ask(self, request: Value, seconds: float, place: int = CELLS) -> Value:
        """Send a request and return the reply; raise _Gone where none comes in time, _Late where it is the last time."""
        seconds = min(seconds, self.seconds_left)
        if seconds <= 0:
            raise _Late
        try:
            self.sockets[place].settimeout(seconds)
            self.sockets[place].sendall(wire.pack(request))
            return self._receive(seconds, place)
        except (_Gone, OSError) as error:
            raise (_Late if self.seconds_left <= 0 else _Gone) from error

    def _receive(self, seconds: float, place: int) -> Value:
        deadline = time.monotonic() + seconds

        def read_exactly(count: int) -> bytes:
            pieces = []
            while count:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise _Gone
                self._verify_use()
                self.sockets[place].settimeout(min(left, CHECK_SECONDS))
                try:
                    piece = self.sockets[place].recv(min(count, MIB))
                except TimeoutError:
                    continue
                except OSError as error:
                    raise _Gone from error
                if not piece:
                    raise _Gone
                pieces.append(piece)
                count -= len(piece)
            return b"".join(pieces)

        try:
            return wire.read_frame(read_exactly, MAX_REPLY, MAX_REPLY_HEADER)
        except wire.WireError as error:
            raise _Gone from error

    def _verify_use(self) -> None:
        """Raise _Gone where all processes together use more memory or processors than one submission may."""
        now = time.monotonic()
        if self.bare or now - self.looked < CHECK_SECONDS:
            return
        self.looked = now
        processes = _tree(self.process.pid)
        # Pages that processes share are counted once only by the slower of the two.
        for count in (_resident, _proportional):
            if sum(map(count, processes)) <= 2 * self.limits.memory:
                break
        else:
            raise _Gone
        # One thread at a time is what an honest notebook has; more would take the processors from its neighbours.
        if sum(map(_cpu_seconds, processes)) > 1.2 * (now - self.began) + 2.5:
            raise _Gone

    def _filter(self) -> BinaryIO:
        path = Path(self.folder.name) / "filter"
        path.write_bytes(_refused_calls(platform.machine()))
        return path.open("rb")

    def _environment(self) -> dict[str, str]:
        one_thread = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
        home = self.folder.name if self.bare else "/home/student"
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": home,
            "LANG": "C.UTF-8",
            "MPLBACKEND": "Agg",
            "MPLCONFIGDIR": f"{home}/.matplotlib",
            "IPYTHONDIR": f"{home}/.ipython",
            **one_thread,
        }

    def _command(self, descriptors: Sequence[int], filter_file: int) -> list[str]:
        root = os.getuid() == 0
        uid = FIRST_UID + self.slot if root else 1000
        given = ",".join(map(str, descriptors))
        arguments = [given, str(uid), str(uid), str(self.limits.memory)]
        if self.bare:
            return [
                sys.executable,
                "-I",
                str(HERE / "worker.py"),
                str(HERE.parent),
                given,
                "0",
                "0",
                arguments[3],
            ]
        bwrap = shutil.which("bwrap")
        if bwrap is None:
            raise SandboxError(f"The sandbox needs bubblewrap, which is not here. {INSTALL}")
        python, environment_mounts = _python()
        account = Path(self.folder.name) / "passwd"
        account.write_text(f"student:x:{uid}:{uid}::/home/student:/bin/sh\n")
        command = [
            bwrap,
            "--die-with-parent",
            "--new-session",
            "--unshare-pid",
            "--unshare-net",
            "--unshare-ipc",
        ]
        command += ["--unshare-uts", "--hostname", "sandbox", "--unshare-cgroup-try", "--clearenv"]
        command += ["--cap-drop", "ALL"]
        if _refused_calls(platform.machine()):
            command += ["--seccomp", str(filter_file)]
        if root:
            command += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        else:
            command += ["--unshare-user", "--uid", str(uid), "--gid", str(uid)]
        for name, value in self._environment().items():
            command += ["--setenv", name, value]
        command += [*_system_mounts(), *environment_mounts, *_hidden(), *self._masks(environment_mounts)]
        for folder in ("/course", "/etc", "/home"):
            command += ["--perms", "0755", "--dir", folder]
        command += ["--ro-bind", str(HERE.parent / "cnnlab"), "/course/cnnlab"]
        command += ["--ro-bind", str(HERE / "worker.py"), "/course/worker.py"]
        command += ["--ro-bind", str(account), "/etc/passwd", "--proc", "/proc", "--dev", "/dev"]
        for folder, size in (("/tmp", 64 * MIB), ("/home/student", 64 * MIB), ("/dev/shm", 16 * MIB)):
            command += ["--perms", "1777", "--size", str(size), "--tmpfs", folder]
        command += ["--remount-ro", "/", "--remount-ro", "/dev", "--chdir", "/home/student"]
        return [*command, python, "-I", "/course/worker.py", "/course", *arguments]

    def _masks(self, mounts: Sequence[str]) -> list[str]:
        """Mount over each package that the lesson does without one whose import says so."""
        masks: list[str] = []
        for package in self.without:
            for inside, outside in _package_folders():
                if (outside / package).is_dir():
                    cover = Path(self.folder.name) / "without" / package
                    cover.mkdir(parents=True, exist_ok=True)
                    message = f"{package} is not available in this lesson"
                    (cover / "__init__.py").write_text(f"raise ImportError({message!r})\n")
                    masks += ["--ro-bind", str(cover), f"{inside}/{package}"]
        return masks


_slots: set[int] = set()
_slots_lock = threading.Lock()


@contextmanager
def _slot() -> Iterator[int]:
    """Reserve a number that no other sandbox of this process uses now; processes differ by their id."""
    with _slots_lock:
        number = next(n for n in range(1000) if n not in _slots)
        _slots.add(number)
    try:
        yield (os.getpid() % 100_000) * 1000 + number
    finally:
        with _slots_lock:
            _slots.discard(number)


def _python() -> tuple[str, list[str]]:
    """The interpreter's path inside the sandbox, and the mounts that it needs."""
    base, venv = Path(sys.base_prefix), Path(sys.prefix)
    mounts: list[str] = []
    if not _below(base, [Path("/usr")]):
        for parent in reversed(base.parents[:-1]):
            mounts += [
                "--perms",
                "0755",
                "--dir",
                str(parent),
            ]  # else a path such as /root could not be entered
        mounts += ["--ro-bind", str(base), str(base)]
    if venv == base:
        return sys.executable, mounts
    return f"/venv/bin/{Path(sys.executable).name}", [*mounts, "--ro-bind", str(venv), "/venv"]


def _package_folders() -> list[tuple[str, Path]]:
    """Where packages lie, as (path inside, path outside)."""
    base, venv = Path(sys.base_prefix), Path(sys.prefix)
    outside = {Path(sysconfig.get_path(key)) for key in ("purelib", "platlib")}
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    outside |= {base / "lib" / version / "site-packages", Path("/usr/lib/python3/dist-packages")}
    outside |= {Path("/usr/local/lib") / version / "dist-packages"}
    folders = []
    for folder in sorted(outside):
        if venv != base and folder.is_relative_to(venv):
            folders.append((f"/venv/{folder.relative_to(venv)}", folder))
        elif folder.is_dir() and (folder.is_relative_to("/usr") or folder.is_relative_to(base)):
            folders.append((str(folder), folder))
    return folders


def _system_mounts() -> list[str]:
    mounts = ["--ro-bind", "/usr", "/usr"]
    for name in ("/bin", "/sbin", "/lib", "/lib64", "/lib32"):
        path = Path(name)
        if path.is_symlink():
            mounts += ["--symlink", os.readlink(path), name]
        elif path.is_dir():
            mounts += ["--ro-bind", name, name]
    for name in ("/etc/ld.so.cache", "/etc/alternatives"):
        if Path(name).exists():
            mounts += ["--ro-bind", name, name]
    return mounts


def _hidden() -> list[str]:
    """Cover the checkout where it lies below something that is mounted, such as /usr/local/src."""
    shown = [Path("/usr"), Path(sys.base_prefix)]
    return ["--tmpfs", str(HERE.parent)] if _below(HERE.parent, shown) else []


def _below(path: Path, folders: Sequence[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


# What all processes of a sandbox use, seen from outside


def _children(process: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{process}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []


def _tree(process: int) -> list[int]:
    found = [process]
    for one in found:
        found += _children(one)
    return found


def _resident(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * resource.getpagesize()
    except (OSError, IndexError):
        return 0


def _proportional(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/smaps_rollup").read_text().split("\nPss:")[1].split()[0]) * 1024
    except (OSError, IndexError):
        return 0


def _cpu_seconds(process: int) -> float:
    """Of a process and those of its children that have ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _give_up_first(process: int) -> None:
    """Have the kernel end this process before any other where the machine's memory is used up."""
    try:
        Path(f"/proc/{process}/oom_score_adj").write_text("1000")
    except OSError:
        pass


# System calls that give memory which no limit counts, namespaces and the rights in them, keys, or other processes' memory.
# The numbers: x86_64, aarch64.
REFUSED = {
    "shmget": (29, 194),
    "msgget": (68, 186),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "unshare": (272, 97),
    "setns": (308, 268),
    "clone3": (435, 435),  # its flags cannot be seen; the C library goes back to clone
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "io_uring_setup": (425, 425),
    "userfaultfd": (323, 282),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
}
MACHINES = {"x86_64": (0, 0xC000003E, 56), "aarch64": (1, 0xC00000B7, 220)}  # column, audit number, clone
CLONE_NEW = 0x7E020000  # all flags of clone that make a namespace


def _refused_calls(machine: str) -> bytes:
    """The seccomp filter that has them fail with ENOSYS; empty for a machine whose numbers are not known here."""
    if machine not in MACHINES:
        return b""
    column, audit, clone = MACHINES[machine]
    load, equal, above, any_of, answer = 0x20, 0x15, 0x35, 0x45, 0x06
    allow, refuse = 0x7FFF0000, 0x00050000 | errno.ENOSYS
    numbers = [calls[column] for calls in REFUSED.values()]
    lines = [(load, 0, 0, 4), (equal, 1, 0, audit), (answer, 0, 0, refuse)]  # another machine's calls
    lines += [(load, 0, 0, 0), (above, 0, 1, 1 << 30), (answer, 0, 0, refuse)]  # those of x32
    for number in numbers:
        lines += [(equal, 0, 1, number), (answer, 0, 0, refuse)]
    lines += [(equal, 0, 3, clone), (load, 0, 0, 16), (any_of, 0, 1, CLONE_NEW), (answer, 0, 0, refuse)]
    lines += [(answer, 0, 0, allow)]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
