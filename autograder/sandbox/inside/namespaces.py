"""Gives a process that a server has forked namespaces, folders and an identity of its own, by calls that Python lacks."""

from __future__ import annotations

import ctypes
import fcntl
import os
import platform
import signal
import socket
import struct

from .agreed import SMALL_FOLDERS
from .rights import become_student

NEW_NAMESPACES = 0x00020000 | 0x08000000 | 0x40000000  # of mounts, IPC and network
NEW_PROCESSES = 0x20000000  # of processes
CLONE = {"x86_64": 56, "aarch64": 220}  # the number of the system call
NOSUID, NODEV, NOEXEC = 2, 4, 8  # of mount
DETACH = 2  # of umount2
MAX_FILES = (
    20_000  # in each small folder: an empty file takes a KiB of memory that the folder's size does not count
)
# Bytes that a connection may hold; all connections of the machine share one limit, and the class's run needs some.
SMALL_BUFFERS = dict.fromkeys(("tcp_rmem", "tcp_wmem"), "4096 8192 16384")
SET_SECCOMP, BY_FILTER = 22, 2  # of prctl
UP, GET_FLAGS, SET_FLAGS = 1, 0x8913, 0x8914  # of a network interface

libc = ctypes.CDLL(None, use_errno=True)
LONG, TEXT = ctypes.c_ulong, ctypes.c_char_p
python = ctypes.PyDLL(None, use_errno=True)  # whose calls keep Python's lock
python.syscall.argtypes, python.syscall.restype = [ctypes.c_long] * 6, ctypes.c_long
libc.prctl.argtypes = [ctypes.c_int, LONG, LONG, LONG, LONG]
libc.mount.argtypes = [TEXT, TEXT, TEXT, LONG, TEXT]


def fork_init() -> int:
    """Fork the first process of a new namespace of processes; return 0 in it; raise OSError.

    By the system call itself: a process that moves to a new namespace by `unshare` cannot always come back, and would
    have to be one more copy. What Python and the C library do at a fork is left to that of the worker.
    """
    if platform.machine() not in CLONE:
        raise OSError(f"the number of clone is not known for {platform.machine()}")
    init = python.syscall(CLONE[platform.machine()], NEW_PROCESSES | signal.SIGCHLD, 0, 0, 0, 0)
    if init == -1:
        raise _last_error("clone")
    return init


def enclose(uid: int, seccomp: bytes) -> None:
    """Give this process namespaces, folders and an identity of its own, and take all its rights away; raise OSError.

    seccomp: the filter of system calls, empty for none.
    """
    _call("unshare", NEW_NAMESPACES)
    _interface_up("lo")
    _mount("proc", "/proc", "proc", NOSUID | NODEV | NOEXEC)
    for name, sizes in SMALL_BUFFERS.items():
        try:
            with open(f"/proc/sys/net/ipv4/{name}", "w") as file:
                file.write(sizes)
        except OSError:
            pass  # not on every machine may it be changed
    for path in ("/dev/pts", *(path for path, _ in SMALL_FOLDERS)):
        libc.umount2(path.encode(), DETACH)  # the server's own; an ordinary user may only cover it
    _mount("devpts", "/dev/pts", "devpts", NOSUID | NOEXEC, "newinstance,ptmxmode=0666,mode=620")
    for path, size in SMALL_FOLDERS:
        _mount("tmpfs", path, "tmpfs", NOSUID | NODEV, f"mode=1777,size={size},nr_inodes={MAX_FILES}")
    os.chdir("/home/student")
    become_student(uid, uid)
    if seccomp:
        lines = ctypes.create_string_buffer(seccomp, len(seccomp))
        fields = struct.pack("HxxxxxxP", len(seccomp) // 8, ctypes.addressof(lines))
        program = ctypes.create_string_buffer(fields, len(fields))
        _call("prctl", SET_SECCOMP, BY_FILTER, ctypes.addressof(program), 0, 0)


def _interface_up(name: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sh22x", name.encode(), 0)
        flags = struct.unpack("16sh22x", fcntl.ioctl(any_socket, GET_FLAGS, asked))[1]
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sh22x", name.encode(), flags | UP))


def _mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    _call("mount", source.encode(), target.encode(), kind.encode(), flags, options.encode())


def _call(name: str, *arguments: int | bytes) -> None:
    """Call a function of the C library that returns -1 and sets errno where it fails; raise OSError."""
    if getattr(libc, name)(*arguments) == -1:
        raise _last_error(name)


def _last_error(name: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{name}: {os.strerror(number)}")
