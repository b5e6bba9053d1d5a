"""Runs a submission where it can do no harm: a fresh bubblewrap sandbox, and what it answered as Outcomes.

The sandbox sees the system and the Python environment read-only, `cnnlab`, and nothing else of the course: no network,
no other process, an empty environment, small in-memory folders. All that comes out is frames on one socket.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
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
from typing import Any

from autograder.course import CourseError
from cnnlab.checking import wire
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.wire import Value

HERE = Path(__file__).resolve().parent
MIB = 1 << 20
FIRST_UID = (
    200_000  # beyond the ids that systems hand out; one a sandbox, since the process limit counts by user
)
MAX_REPLY = 128 * MIB
INSTALL = "Install bubblewrap first (sudo apt-get install bubblewrap), then grade again."


class SandboxError(CourseError):
    """The sandbox itself could not be started: nothing is known about the submission."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use. Seconds are wall time for cells, CPU time for probes; memory is address space."""

    cell_seconds: float = 5.0
    probe_seconds: float = 4.0
    submission_seconds: float = 90.0
    memory: int = 2048 * MIB
    restarts: int = 4
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
    """The sandbox ended, hung, or said something that is not a frame."""


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
    deadline = time.monotonic() + limits.submission_seconds
    for _ in range(limits.restarts + 1):
        with _slot() as slot, _Sandbox(slot, tuple(without), limits, bare) as sandbox:
            position = _play(sandbox, steps, skip, transcript, limits, deadline)
        if position is None:
            return transcript
        step = steps[position]
        skip.add(position)
        if isinstance(step, RunCell):
            transcript.errors[step.index] = "it ended the process that runs the notebook, or ran too long"
            transcript.flags.append(f"cell {step.index + 1} ended or hung the sandbox")
        else:
            transcript.flags.append(f"{step.exercise} ended or hung the sandbox")
            done = transcript.outcomes.setdefault(step.exercise, [])
            done += [Outcome("died", message="it ended the process, or ran too long")] * (
                len(step.cases) - len(done)
            )
        if time.monotonic() > deadline:
            break
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
    deadline: float,
) -> int | None:
    """Run every step that is not skipped; return the position of the one at which the sandbox was lost, or None."""
    for position, step in enumerate(steps):
        if position in skip or (
            isinstance(step, Probe) and len(so_far.outcomes.get(step.exercise, [])) == len(step.cases)
        ):
            continue
        try:
            if time.monotonic() > deadline:
                return position
            if isinstance(step, RunCell):
                reply = sandbox.ask(
                    {"cell": {"source": step.source, "seconds": limits.cell_seconds}}, 2 * limits.cell_seconds
                )
                so_far.printed[step.index] = _text(reply, "printed")
                so_far.errors.pop(step.index, None)
                if _text(reply, "error"):
                    so_far.errors[step.index] = _text(reply, "error")[:200]
            else:
                _probe(sandbox, step, so_far.outcomes.setdefault(step.exercise, []), limits)
        except _Gone:
            return position
    return None


def _probe(sandbox: _Sandbox, step: Probe, done: list[Outcome], limits: Limits) -> None:
    deaths = 0
    while len(done) < len(step.cases):
        request = {
            "exercise": step.exercise,
            "returns": list(step.returns),
            "cases": [dict(case) for case in step.cases[len(done) :]],
            "seconds": limits.probe_seconds,
        }
        reply = sandbox.ask({"probe": request}, 3 * limits.probe_seconds)
        ended, frames = _text(reply, "ended"), reply.get("frames")
        got = _outcomes(frames.tobytes() if hasattr(frames, "tobytes") else b"", len(step.cases) - len(done))
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
    """Read Outcomes from the child's bytes, up to the first thing that is not one."""
    position, found = 0, []

    def read_exactly(count: int) -> bytes:
        nonlocal position
        piece = data[position : position + count]
        position += len(piece)
        return piece

    while len(found) < most and position < len(data):
        try:
            found.append(Outcome.from_value(wire.read_frame(read_exactly, MAX_REPLY)))
        except ValueError:
            break
    return found


def _text(reply: Any, key: str) -> str:
    value = reply.get(key) if isinstance(reply, dict) else None
    return value if isinstance(value, str) else ""


class _Sandbox:
    """One bubblewrap process, and the socket to the worker in it."""

    def __init__(self, slot: int, without: tuple[str, ...], limits: Limits, bare: bool) -> None:
        self.slot, self.without, self.limits, self.bare = slot, without, limits, bare

    def __enter__(self) -> _Sandbox:
        self.socket, theirs = socket.socketpair()
        self.folder = tempfile.TemporaryDirectory(prefix="cnnlab-")
        command = self._command(theirs.fileno())
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(theirs.fileno(),),
                env=self._environment() if self.bare else {},
                cwd=self.folder.name,
                start_new_session=True,
            )
        except OSError as error:
            self.folder.cleanup()
            raise SandboxError(f"The sandbox cannot be started: {error}.") from error
        finally:
            theirs.close()
        try:
            ready = self._receive(30.0)
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
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop()
        self.socket.close()
        if self.process.stderr:
            self.process.stderr.close()
        self.folder.cleanup()

    def _stop(self) -> None:
        # Killing bubblewrap ends the sandbox's pid namespace, so nothing that ran in it is left.
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def ask(self, request: Value, seconds: float) -> Value:
        """Send a request and return the reply; raise _Gone where none comes in time."""
        self.socket.settimeout(seconds)
        try:
            self.socket.sendall(wire.pack(request))
        except OSError as error:
            raise _Gone from error
        return self._receive(seconds)

    def _receive(self, seconds: float) -> Value:
        deadline = time.monotonic() + seconds

        def read_exactly(count: int) -> bytes:
            pieces = []
            while count:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise _Gone
                self.socket.settimeout(left)
                try:
                    piece = self.socket.recv(min(count, MIB))
                except OSError as error:
                    raise _Gone from error
                if not piece:
                    raise _Gone
                pieces.append(piece)
                count -= len(piece)
            return b"".join(pieces)

        try:
            return wire.read_frame(read_exactly, MAX_REPLY)
        except wire.WireError as error:
            raise _Gone from error

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

    def _command(self, descriptor: int) -> list[str]:
        root = os.getuid() == 0
        uid = FIRST_UID + self.slot if root else 1000
        arguments = [str(descriptor), str(uid), str(uid), str(self.limits.memory)]
        if self.bare:
            return [
                sys.executable,
                "-I",
                str(HERE / "worker.py"),
                str(HERE.parent),
                str(descriptor),
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
