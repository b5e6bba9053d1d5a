"""How bubblewrap is called: what the sandbox sees of the system, and as whom it runs."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from autograder.course import Course
from autograder.sandbox.limits import MIB, SandboxError

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FIRST_UID = (
    200_000  # beyond the ids that systems hand out; one a sandbox, since the process limit counts by user
)
INSTALL = "Install bubblewrap first (sudo apt-get install bubblewrap), then grade again."


def command(
    slot: int, without: Sequence[str], given: str, memory: int, folder: Path, filter_file: int | None
) -> list[str]:
    """Return the command that runs the worker in a sandbox; raise SandboxError where bubblewrap is missing.

    slot: a number that no other sandbox has now; without: packages that cannot be imported; given: the worker's
    descriptors; memory: bytes of address space of a process; folder: for what is mounted from here; filter_file: the
    descriptor of the seccomp filter.
    """
    bwrap = verify_available()
    root = os.getuid() == 0
    uid = FIRST_UID + slot if root else 1000
    python, environment_mounts = _python()
    account = folder / "passwd"
    account.write_text(f"student:x:{uid}:{uid}::/home/student:/bin/sh\n")
    command = [bwrap, "--die-with-parent", "--new-session", "--unshare-pid", "--unshare-net", "--unshare-ipc"]
    command += ["--unshare-uts", "--hostname", "sandbox", "--unshare-cgroup-try", "--clearenv"]
    command += ["--cap-drop", "ALL"]
    if filter_file is not None:
        command += ["--seccomp", str(filter_file)]
    if root:
        command += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        command += ["--unshare-user", "--uid", str(uid), "--gid", str(uid)]
    for name, value in environment("/home/student").items():
        command += ["--setenv", name, value]
    command += [*_system_mounts(), *environment_mounts, *_hidden(), *_masks(without, folder)]
    for path in ("/course", "/etc", "/home"):
        command += ["--perms", "0755", "--dir", path]
    command += ["--ro-bind", str(ROOT / "cnnlab"), "/course/cnnlab"]
    command += ["--ro-bind", str(HERE / "worker.py"), "/course/worker.py"]
    command += ["--ro-bind", str(account), "/etc/passwd", "--proc", "/proc", "--dev", "/dev"]
    for path, size in (("/tmp", 64 * MIB), ("/home/student", 64 * MIB), ("/dev/shm", 16 * MIB)):
        command += ["--perms", "1777", "--size", str(size), "--tmpfs", path]
    command += ["--remount-ro", "/", "--remount-ro", "/dev", "--chdir", "/home/student"]
    return [*command, python, "-I", "/course/worker.py", "/course", given, str(uid), str(uid), str(memory)]


def verify_available() -> str:
    """Return the path of bubblewrap; raise SandboxError where it is missing."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise SandboxError(f"The sandbox needs bubblewrap, which is not here. {INSTALL}")
    return bwrap


def bare_command(given: str, memory: int) -> list[str]:
    """Return the command that runs the worker without a sandbox, with the rights of whoever grades."""
    return [sys.executable, "-I", str(HERE / "worker.py"), str(ROOT), given, "0", "0", str(memory)]


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


def _masks(without: Sequence[str], folder: Path) -> list[str]:
    """Mount over each package that the lesson does without one whose import says so."""
    masks: list[str] = []
    for package in without:
        for inside, outside in _package_folders():
            if (outside / package).is_dir():
                cover = folder / "without" / package
                cover.mkdir(parents=True, exist_ok=True)
                message = f"{package} is not available in this lesson"
                (cover / "__init__.py").write_text(f"raise ImportError({message!r})\n")
                masks += ["--ro-bind", str(cover), f"{inside}/{package}"]
    return masks


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
    if _below(ROOT, [venv]) or _below(Course.here().work, [venv]):
        raise SandboxError(
            f"The course lies in the virtual environment {venv}, which students' code sees; move either."
        )
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
    """Cover the checkout and the class's folder where they lie below something that is mounted, as /usr/local/src."""
    shown = [Path("/usr"), Path(sys.base_prefix)]
    return [
        word for path in (ROOT, Course.here().work) if _below(path, shown) for word in ("--tmpfs", str(path))
    ]


def _below(path: Path, folders: Sequence[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)
