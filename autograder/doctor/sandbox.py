"""Checks of the sandbox: whether it is installed, whether it may start, and whether it really isolates."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from autograder.course import Course
from autograder.doctor.finding import Finding, note, problem

OLDEST = (0, 5)  # --perms and --size, which every sandbox uses
WARM = (0, 8)  # --disable-userns, without which an unprivileged user gets no warm server
UPDATE = "install a newer one (sudo apt-get install bubblewrap)"
SECONDS = 20.0  # the time limit of a minimal sandbox
SYSCTL = Path("/proc/sys")


def bubblewrap(course: Course) -> list[Finding]:
    """Check that bubblewrap is installed, and its version."""
    path = shutil.which("bwrap")
    if path is None:
        return [
            problem(
                "bubblewrap is not here, so nothing can be graded: sudo apt-get install bubblewrap (or your system's way)."
            )
        ]
    said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=SECONDS, check=False)
    version = re.search(r"(\d+)\.(\d+)", said.stdout)
    if version is None:
        return [problem(f"{path} does not say its version: {UPDATE}.")]
    have = int(version[1]), int(version[2])
    if have < OLDEST:
        return [problem(f"bubblewrap is {version[0]} and 0.5 is needed: {UPDATE}.")]
    if have < WARM and os.getuid() != 0:
        return [note(f"bubblewrap is {version[0]}; with 0.8 grading would be faster.")]
    return []


def namespaces(course: Course, sysctl: Path = SYSCTL) -> list[Finding]:
    """Start the smallest sandbox; where the system refuses it, find the setting that is to blame.

    Args:
        course: the course, which this check does not use.
        sysctl: the folder of the system's settings.
    """
    refusal = _refusal()
    if not refusal:
        return []
    if os.getuid() == 0:
        remedy = "in a container, start the container with --privileged"
        return [problem(f"bubblewrap may not make namespaces here ({refusal}): {remedy}.")]
    for name, forbidden, remedy in (
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "0"),  # Ubuntu from 23.10 on
        ("kernel/unprivileged_userns_clone", "0", "1"),  # Debian before 11
        ("user/max_user_namespaces", "0", "10000"),
    ):
        if _setting(sysctl / name) == forbidden:
            setting = f"{name.replace('/', '.')}={remedy}"
            return [
                problem(
                    f"The system forbids user namespaces, which the sandbox needs: run 'sudo sysctl -w {setting}', and put "
                    f"'{setting}' into /etc/sysctl.d/60-cnnlab.conf to keep it so."
                )
            ]
    return [
        problem(
            f"bubblewrap may not make user namespaces here ({refusal}): ask who runs this machine to allow them, or "
            "grade on another."
        )
    ]


def isolation(course: Course, *, bare: bool = False) -> list[Finding]:
    """Run a cell in the sandbox that tries to break out, and check from outside whether it succeeded.

    Args:
        course: the course whose files the cell must not reach.
        bare: run the cell without a sandbox, to prove that this check notices a broken one.
    """
    from autograder import sandbox

    if not bare and (shutil.which("bwrap") is None or _refusal()):
        return []  # reported already
    token = secrets.token_hex(8)
    with socket.create_server(("127.0.0.1", 0)) as server, tempfile.TemporaryDirectory() as folder:
        server.setblocking(False)
        bait = Path(folder) / "bait"
        bait.write_text(token)
        hidden = [bait, course.root / "solutions", course.root / "autograder", course.work / "secret"]
        source = LOOK.format(token=token, port=server.getsockname()[1], hidden=list(map(str, hidden)))
        transcript = sandbox.run([sandbox.RunCell(0, source)], bare=bare)
        lines = transcript.printed.get(0, "").split("\n")
        escapes = [line.removeprefix("it can ") for line in lines if line.startswith("it can ")]
        if _accepted(server):
            escapes.append("connect to this machine")
        if bait.read_text() != token or len(list(Path(folder).iterdir())) != 1:
            escapes.append("change files of this machine")
    if f"looked {token}" not in lines:
        return [problem("The sandbox starts but runs nothing: install the packages again with make.")]
    if escapes:
        what = ", ".join(dict.fromkeys(escapes))
        return [problem(f"The sandbox does not shut in, students' code can {what}: do not grade here.")]
    return []


LOOK = """
import os, socket, sys

def tries(what, action):
    try:
        if action() is not False:
            print("it can " + what)
    except OSError:
        pass

tries("connect to this machine", lambda: socket.create_connection(("127.0.0.1", {port}), 2).close())
tries("see the network", lambda: any(name != "lo" for _, name in socket.if_nameindex()))
for path in {hidden}:
    tries("read " + path, lambda: os.listdir(path) if os.path.isdir(path) else open(path, "rb").close())
    tries("write " + path, lambda: open(path, "a").close() if path.endswith("bait") else os.access(path, os.W_OK))
for path in ("/usr", sys.prefix, os.path.dirname(os.__file__)):
    tries("write to " + path, lambda: os.access(path, os.W_OK))
tries("see secrets in its environment", lambda: any("TOKEN" in n or "PASSWORD" in n for n in os.environ))
print("looked {token}")
"""


def _refusal() -> str:
    """Return the reason why the smallest sandbox does not start, "" where it does."""
    user = [] if os.getuid() == 0 else ["--unshare-user"]
    command = ["bwrap", *user, "--unshare-pid", "--unshare-net", "--ro-bind", "/", "/", "true"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except FileNotFoundError:
        return ""  # reported by `bubblewrap`
    except subprocess.TimeoutExpired:
        return f"it did not start within {SECONDS:g} seconds"
    said = done.stderr.strip().split("\n")[-1].removeprefix("bwrap: ")
    return "" if done.returncode == 0 else said or f"it ended with {done.returncode}"


def _setting(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _accepted(server: socket.socket) -> bool:
    try:
        server.accept()[0].close()
    except BlockingIOError:
        return False
    return True
