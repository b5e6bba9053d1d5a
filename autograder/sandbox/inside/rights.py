"""Takes rights and resources away from this process, before any student's code runs in it."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct

from .agreed import MIB

GIB = 1 << 30
AMBIENT, CLEAR_ALL, DROP_BOUNDING = 47, 4, 24  # of prctl
CAPABILITIES, CAPABILITY_VERSION = (
    64,
    0x20080522,
)  # more capabilities than there are; the third version of capset
MAX_FILE = 32 * MIB  # bytes of one file
MAX_STACK = 64 * MIB  # bytes; code that recurses for ever meets Python's own limit first
MAX_DESCRIPTORS = 256  # open at a time in one process
MAX_INHERITED = 1024  # above every descriptor that a server can hand on, which has no limit of its own

libc = ctypes.CDLL(None)
libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
libc.capset.argtypes = [ctypes.c_char_p, ctypes.c_char_p]


def become_student(uid: int, gid: int) -> None:
    """Take the student's identity, and give up every right of this process."""
    for capability in range(CAPABILITIES):
        libc.prctl(DROP_BOUNDING, capability, 0, 0, 0)
    if os.getuid() == 0 and uid != 0:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    libc.prctl(AMBIENT, CLEAR_ALL, 0, 0, 0)
    libc.capset(struct.pack("Ii", CAPABILITY_VERSION, 0), bytes(24))  # three words of two times 32 bits


def limit_process(memory: int, processes: int, alone: bool) -> None:
    """Limit what this process may use, for good.

    Args:
        memory: bytes of address space.
        processes: how many processes the user may have.
        alone: whether this user has no other processes; the limit of processes counts all of a user's.
    """
    of_user = [(resource.RLIMIT_NPROC, processes)] if alone else []
    for limit, value in (
        *of_user,
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, MAX_FILE),
        (resource.RLIMIT_NOFILE, MAX_DESCRIPTORS),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_STACK, MAX_STACK),
    ):
        _, hard = resource.getrlimit(limit)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (value, value))


def limit_probe(seconds: float) -> None:
    """Leave the students' processes behind, take their signal handlers away, and limit the CPU time that is left."""
    if os.getsid(0) != os.getpid():
        os.setsid()
    for number in (signal.SIGALRM, signal.SIGINT, signal.SIGXCPU):
        signal.signal(number, signal.SIG_DFL)
    used = resource.getrusage(resource.RUSAGE_SELF)  # a copy has used nothing yet, the worker itself has
    cpu = max(1, round(used.ru_utime + used.ru_stime + seconds))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))


def mapped_memory() -> int:
    """Return the bytes of address space that this process has, in whole GiB: torch's libraries take most of it."""
    with open("/proc/self/statm") as file:
        return -(-int(file.read().split()[0]) * resource.getpagesize() // GIB) * GIB
