"""The system calls that the sandbox refuses."""

from __future__ import annotations

import errno
import functools
import struct
from collections.abc import Sequence

ABSENT = -1  # the number of a call that a machine does not have
# System calls that give memory which no limit counts, namespaces and the rights in them, keys, or other processes' memory.
# The numbers: x86_64, aarch64.
REFUSED = {
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "vmsplice": (278, 75),  # a pipe would keep the whole of a huge page for each of its slots
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
    # What they say of a file that all sandboxes read depends on what others do with it: so one could tell another something.
    "inotify_init": (253, ABSENT),
    "inotify_init1": (294, 26),
    "fanotify_init": (300, 262),
    "fadvise64": (221, 223),
    "preadv2": (327, 286),
    "mincore": (27, 232),
    "cachestat": (451, 451),
}
# The times of device files and locks on shared ones are seen elsewhere as well; libraries take success for granted here.
IDLE = {
    "utime": (132, ABSENT),
    "utimes": (235, ABSENT),
    "futimesat": (261, ABSENT),
    "utimensat": (280, 88),
    "flock": (73, 32),
}
FCNTL, LOCKS = (72, 25), (5, 6, 7, 36, 37, 38, 1024, 1025, 1026)  # locks of both kinds, leases and notices
# What becomes of SIGCHLD cannot be changed: where it is ignored, the CPU time of children that end is counted nowhere.
SIGACTION, SIGCHLD = (13, 134), 17
# Shared memory without a file stays until its last page is unmapped, and what is not mapped is counted in no process.
MMAP, SHARED_ANONYMOUS = (9, 222), 0x21
# Local sockets, those of the network namespace, and questions about it; others reach further (AF_VSOCK the machine that
# this one runs on) or into seldom used parts of the kernel.
SOCKET, SOCKETPAIR, FAMILIES = (41, 198), (53, 199), (1, 2, 10, 16)
# How much a socket may hold is not for it to say: that memory is counted in no process.
SETSOCKOPT, SOL_SOCKET, BUFFERS = (54, 208), 1, (7, 8)
MACHINES = {"x86_64": (0, 0xC000003E, 56), "aarch64": (1, 0xC00000B7, 220)}  # column, audit number, clone
CLONE_NEW = 0x7E020000  # all flags of clone that make a namespace


@functools.cache
def filter_for(machine: str) -> bytes:
    """Return the seccomp filter that has these calls fail with ENOSYS; empty for a machine whose numbers are not known."""
    if machine not in MACHINES:
        return b""
    column, audit, clone = MACHINES[machine]
    load, equal, above, any_of, keep, answer = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
    allow, refuse, seem = 0x7FFF0000, 0x00050000 | errno.ENOSYS, 0x00050000  # done, and nothing is

    def asked(
        place: int, values: Sequence[int], any_of_them: int, none_of_them: int
    ) -> list[tuple[int, ...]]:
        """Load the argument at `place` and answer by whether it is one of the values."""
        found = [(equal, len(values) - at, 0, value) for at, value in enumerate(values)]
        return [(load, 0, 0, place), *found, (answer, 0, 0, none_of_them), (answer, 0, 0, any_of_them)]

    lines = [(load, 0, 0, 4), (equal, 1, 0, audit), (answer, 0, 0, refuse)]  # another machine's calls
    lines += [(load, 0, 0, 0), (above, 0, 1, 1 << 30), (answer, 0, 0, refuse)]  # those of x32
    for calls, how in ((REFUSED, refuse), (IDLE, seem)):
        for number in {numbers[column] for numbers in calls.values()} - {ABSENT}:
            lines += [(equal, 0, 1, number), (answer, 0, 0, how)]
    lock = asked(24, LOCKS, seem, allow)
    lines += [(equal, 0, len(lock), FCNTL[column]), *lock]
    # A question is answered; a change seems to succeed, for libraries make it as a matter of course.
    lines += [(equal, 0, 7, SIGACTION[column]), (load, 0, 0, 16), (equal, 0, 5, SIGCHLD)]
    lines += [
        (load, 0, 0, 24),
        (equal, 0, 2, 0),
        (load, 0, 0, 28),
        (equal, 1, 0, 0),
        (answer, 0, 0, seem),
    ]
    lines += [(load, 0, 0, 0), (equal, 0, 5, MMAP[column]), (load, 0, 0, 40), (keep, 0, 0, SHARED_ANONYMOUS)]
    lines += [(equal, 0, 1, SHARED_ANONYMOUS), (answer, 0, 0, refuse), (answer, 0, 0, allow)]
    family = asked(16, FAMILIES, allow, refuse)
    lines += [(equal, 1, 0, SOCKET[column]), (equal, 0, len(family), SOCKETPAIR[column]), *family]
    lines += [
        (equal, 0, 7, SETSOCKOPT[column]),
        (load, 0, 0, 24),
        (equal, 0, 3, SOL_SOCKET),
        (load, 0, 0, 32),
    ]
    lines += [
        (equal, 2, 0, BUFFERS[0]),
        (equal, 1, 0, BUFFERS[1]),
        (answer, 0, 0, allow),
        (answer, 0, 0, seem),
    ]
    lines += [(equal, 0, 3, clone), (load, 0, 0, 16), (any_of, 0, 1, CLONE_NEW), (answer, 0, 0, refuse)]
    lines += [(answer, 0, 0, allow)]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
