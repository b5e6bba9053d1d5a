"""Measures from outside what processes use, by /proc."""

from __future__ import annotations

import contextlib
import os
import resource
from pathlib import Path

LIMITS = (
    resource.RLIMIT_NPROC,
    resource.RLIMIT_AS,
    resource.RLIMIT_FSIZE,
    resource.RLIMIT_NOFILE,
    resource.RLIMIT_CORE,
)


def children(process: int) -> list[int]:
    """Return the processes that a process started and that are still there."""
    found: list[int] = []
    try:
        for task in Path(f"/proc/{process}/task").iterdir():
            with contextlib.suppress(OSError):  # a thread that has ended takes no children along
                found += map(int, (task / "children").read_text().split())
    except OSError:
        pass
    return found


def tree(process: int) -> list[int]:
    """Return a process, its children, their children and so on."""
    found = [process]
    for one in found:
        found += children(one)
    return found


def resident(process: int) -> int:
    """Return the bytes of memory that a process holds; shared pages count in each process."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * resource.getpagesize()
    except (OSError, IndexError):
        return 0


def proportional(process: int) -> int:
    """Return the bytes of memory that a process holds, its share of shared pages counted (slower to find out)."""
    try:
        return int(Path(f"/proc/{process}/smaps_rollup").read_text().split("\nPss:")[1].split()[0]) * 1024
    except (OSError, IndexError):  # a process can refuse to be looked at so closely
        return resident(process)


def cpu_seconds(process: int) -> float:
    """Return the CPU time in seconds of a process and of those of its children that have ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def give_up_first(process: int) -> None:
    """Have the kernel end this process before any other where the machine's memory is used up."""
    try:
        Path(f"/proc/{process}/oom_score_adj").write_text("1000")
    except OSError:
        pass


def limit_alike(process: int, other: int) -> None:
    """Limit a process as another one limits itself, so that code which takes it over has no more."""
    for limit in LIMITS:
        with contextlib.suppress(OSError):
            resource.prlimit(process, limit, resource.prlimit(other, limit))
