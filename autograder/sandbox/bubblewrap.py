"""Calls bubblewrap: decides which parts of the system the sandbox sees, and as which user it runs."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

from autograder.course import CHECKOUT, Course
from autograder.sandbox import seccomp, usage
from autograder.sandbox.errors import SandboxError
from autograder.sandbox.inside import FOLDER
from autograder.sandbox.inside.agreed import MIB, SMALL_FOLDERS

INSIDE = Path(FOLDER).resolve()
ROOT = CHECKOUT
FIRST_UID = (
    200_000  # beyond the ids that systems hand out; one a sandbox, since the process limit counts by user
)
INSTALL = "Install bubblewrap first (sudo apt-get install bubblewrap), then grade again."


Hold = Callable[[bytes], int]  # keeps bytes for bubblewrap to read, and returns their descriptor


def worker_command(slot: int, without: Sequence[str], given: str, memory: int, hold: Hold) -> list[str]:
    """Return the command that runs one worker in a sandbox.

    Args:
        slot: the sandbox's number, which no other has now.
        without: the packages that cannot be imported.
        given: the descriptors of the worker's sockets, with commas between them.
        memory: bytes of address space of one process.
        hold: keeps bytes for bubblewrap to read, and returns their descriptor.

    Raises:
        SandboxError: where bubblewrap is missing.
    """
    uid = str(user_of(slot))
    rights = ["CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"] if os.getuid() == 0 else []
    filtered = seccomp.filter_for(platform.machine())
    refuses = ["--seccomp", str(hold(filtered))] if filtered else []
    command = [*_sandbox([slot], without, rights, hold), *refuses]
    return [*command, *_program("alone", given, uid, uid, str(memory), *preloaded(without))]


def server_command(slots: Sequence[int], without: Sequence[str], control: int, hold: Hold) -> list[str]:
    """Return the command that runs the server of some slots.

    The server has the rights to give workers sandboxes of their own.

    Args:
        slots: their numbers.
        without: the packages that cannot be imported.
        control: the descriptor of the server's requests.
        hold: keeps bytes for bubblewrap to read, and returns their descriptor.

    Raises:
        SandboxError: where bubblewrap is missing.
    """
    rights = ["CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_SETPCAP"]
    rights += ["CAP_SETUID", "CAP_SETGID", "CAP_KILL"] if os.getuid() == 0 else []
    no_more = [] if os.getuid() == 0 else ["--disable-userns"]
    command = [*_sandbox(slots, without, rights, hold), *no_more]
    return [*command, *_program("server", str(control), *preloaded(without))]


def preloaded(without: Sequence[str]) -> tuple[str, ...]:
    """Return the packages that a worker imports before any student's code runs: torch, unless the lesson does without it."""
    return () if "torch" in without or find_spec("torch") is None else ("torch",)


def user_of(slot: int) -> int:
    """Return the user id that a slot's workers have: one of its own where that can be."""
    return FIRST_UID + slot if os.getuid() == 0 else 1000


def _program(name: str, *arguments: str) -> list[str]:
    """Return the command that runs a program of `inside` in a sandbox."""
    return [_python()[0], "-I", "/course/inside/__main__.py", "/course", name, *arguments]


def _sandbox(slots: Sequence[int], without: Sequence[str], rights: Sequence[str], hold: Hold) -> list[str]:
    bwrap, uids = verify_available(), [user_of(slot) for slot in slots]
    accounts = "".join(f"student:x:{uid}:{uid}::/home/student:/bin/sh\n" for uid in uids)
    command = [bwrap, "--die-with-parent", "--new-session", "--unshare-pid", "--unshare-net", "--unshare-ipc"]
    command += ["--unshare-uts", "--hostname", "sandbox", "--unshare-cgroup-try", "--clearenv"]
    command += ["--cap-drop", "ALL", *(word for right in rights for word in ("--cap-add", right))]
    if os.getuid() != 0:
        command += ["--unshare-user", "--uid", str(uids[0]), "--gid", str(uids[0])]
    for name, value in environment("/home/student").items():
        command += ["--setenv", name, value]
    for path in (
        "/course",
        "/etc",
        "/home",
    ):  # before what lies in them, else its parent would be closed to others
        command += ["--perms", "0755", "--dir", path]
    command += [*_system_mounts(), *_python()[1], *_hidden()]
    command += ["--ro-bind", str(ROOT / "cnnlab"), "/course/cnnlab", *_masks(without, hold)]
    command += ["--ro-bind", str(INSIDE), "/course/inside"]
    command += ["--perms", "0644", "--file", str(hold(accounts.encode())), "/etc/passwd"]
    command += ["--proc", "/proc", "--dev", "/dev"]
    command += ["--dev-bind", "/dev/null", "/dev/zero"]  # mapped shared, it gives memory that no limit counts
    for path, size in SMALL_FOLDERS:
        command += ["--perms", "1777", "--size", str(size), "--tmpfs", path]
    return [*command, "--remount-ro", "/", "--remount-ro", "/dev", "--chdir", "/home/student"]


@contextmanager
def held() -> Iterator[tuple[Hold, list[int]]]:
    """Give a function that keeps bytes in memory for bubblewrap, and the list of their descriptors; no disk holds them."""
    descriptors: list[int] = []
    with ExitStack() as stack:

        def hold(data: bytes) -> int:
            descriptor = os.memfd_create("cnnlab")
            stack.callback(os.close, descriptor)
            os.write(descriptor, data)
            os.lseek(descriptor, 0, os.SEEK_SET)
            descriptors.append(descriptor)
            return descriptor

        yield hold, descriptors


def start(command: Sequence[str], descriptors: Sequence[int]) -> subprocess.Popen[bytes]:
    """Start bubblewrap with these descriptors and nothing else of this process; raise SandboxError."""
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=descriptors,
            env={},
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        raise SandboxError(f"The sandbox cannot be started: {error}.") from error


def end(process: subprocess.Popen[bytes], bare: bool = False) -> None:
    """End a process that was started here and all processes in its sandbox, and wait until they have ended."""
    # Killing the first process of the sandbox's pid namespace ends all in it. Bubblewrap asks to have that done where
    # it ends itself, but a student with the grader's own user id can talk that process out of it.
    if process.returncode is not None:
        return
    first = [] if bare else usage.children(process.pid)
    try:
        for one in first:
            os.kill(one, signal.SIGKILL)
        if first:
            process.wait(5.0)  # bubblewrap ends after it, when nothing is left
    except (ProcessLookupError, subprocess.TimeoutExpired):
        pass
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def verify_available() -> str:
    """Return the path of bubblewrap; raise SandboxError where it is missing."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise SandboxError(f"The sandbox needs bubblewrap, which is not here. {INSTALL}")
    return bwrap


def bare_command(without: Sequence[str], given: str, memory: int) -> list[str]:
    """Return the command that runs the worker without a sandbox, with the rights of whoever grades.

    Args:
        without: the packages that cannot be imported.
        given: the descriptors of the worker's sockets, with commas between them.
        memory: bytes of address space of one process.
    """
    arguments = [given, "0", "0", str(memory), *preloaded(without)]
    return [sys.executable, "-I", str(INSIDE / "__main__.py"), str(ROOT), "alone", *arguments]


def environment(home: str) -> dict[str, str]:
    """Return the whole environment of a worker, the same in every run."""
    one_thread = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": home,
        "LANG": "C.UTF-8",
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": f"{home}/.matplotlib",
        "IPYTHONDIR": f"{home}/.ipython",
        **one_thread,
    }


def _masks(without: Sequence[str], hold: Hold) -> list[str]:
    """Mount over each package or module that the lesson does without a replacement whose import says so.

    A part of a package is named with dots, as in cnnlab.models.
    """
    masks: list[str] = []
    for package in without:
        refusal = f"raise ImportError({f'{package} is not available in this lesson'!r})\n".encode()
        path = package.replace(".", "/")
        for inside, outside in _places(package):
            cover = f"{inside}/{path}"
            if (outside / path).is_dir():
                masks += ["--perms", "0755", "--size", str(MIB), "--tmpfs", cover]
                masks += ["--perms", "0644", "--file", str(hold(refusal)), f"{cover}/__init__.py"]
                masks += ["--remount-ro", cover]
            elif (outside / f"{path}.py").is_file():
                masks += ["--perms", "0644", "--ro-bind-data", str(hold(refusal)), f"{cover}.py"]
    return masks


def _places(package: str) -> list[tuple[str, Path]]:
    """Return the folders in which a package may lie, as (path inside, path outside)."""
    return [("/course", ROOT)] if package.split(".")[0] == "cnnlab" else _package_folders()


def _python() -> tuple[str, list[str]]:
    """Return the interpreter's path inside the sandbox, and the mounts that it needs."""
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
    if _below(ROOT, [venv]) or _below(Course.here().work, [venv]):
        raise SandboxError(
            f"The course lies in the virtual environment {venv}, which students' code sees; move either."
        )
    return f"/venv/bin/{Path(sys.executable).name}", [*mounts, "--ro-bind", str(venv), "/venv"]


def _package_folders() -> list[tuple[str, Path]]:
    """Return the folders of packages, as (path inside, path outside)."""
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
    """Cover the checkout and the class's folder where they lie below something that is mounted, as /usr/local/src."""
    shown = [Path("/usr"), Path(sys.base_prefix)]
    return [
        word for path in (ROOT, Course.here().work) if _below(path, shown) for word in ("--tmpfs", str(path))
    ]


def _below(path: Path, folders: Sequence[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)
