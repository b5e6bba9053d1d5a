"""A clock of CPU time that leaves no process out.

Linux adds a process's CPU time to its parent's when the parent waits for it. When a sandbox's namespace is killed, nobody
waits for the processes in it, so their time would be lost. A performance counter counts them too, because all later
processes inherit it.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct

PERF_EVENT_OPEN = {"x86_64": 298, "aarch64": 241}  # the system call's number
SOFTWARE, TASK_CLOCK = 1, 1
SIZE = 128  # bytes of struct perf_event_attr; the kernel wants fields that it does not know to be zero
INHERIT, EXCLUDE_KERNEL = 1 << 1, 1 << 5
CLOSE_ON_EXEC = 8


class Clock:
    """The CPU seconds of the thread that makes the clock, and of all threads and processes that descend from it later."""

    def __init__(self) -> None:
        # An ordinary user may not ask for the kernel's part by itself; the task clock counts it all the same.
        self.descriptor = _open(INHERIT)
        if self.descriptor < 0:
            self.descriptor = _open(INHERIT | EXCLUDE_KERNEL)
        if self.descriptor < 0:
            raise OSError(ctypes.get_errno(), "CPU time cannot be counted here: see perf_event_paranoid")

    def seconds(self) -> float:
        """Return the CPU seconds so far."""
        return struct.unpack("Q", os.read(self.descriptor, 8))[0] / 1e9


def _open(flags: int) -> int:
    number = PERF_EVENT_OPEN.get(platform.machine())
    if number is None:
        raise OSError(f"CPU time can be counted on {' and '.join(PERF_EVENT_OPEN)} only")
    attributes = bytearray(SIZE)
    struct.pack_into("=IIQ", attributes, 0, SOFTWARE, SIZE, TASK_CLOCK)
    struct.pack_into("=Q", attributes, 40, flags)
    buffer = (ctypes.c_char * SIZE).from_buffer(attributes)
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.syscall(number, buffer, 0, -1, -1, CLOSE_ON_EXEC)
