"""Limit the memory and time of a process that reads a student's file."""

from __future__ import annotations

import resource

MIB = 1 << 20  # bytes


def limit_process(memory: int, cpu_seconds: int) -> None:
    """Limit this process for good to so many bytes of memory and seconds of CPU time, and let it write no file."""
    limits = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: cpu_seconds,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,  # it writes to a pipe only
    }
    for which, limit in limits.items():
        hard = resource.getrlimit(which)[1]
        limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(which, (limit, limit))
