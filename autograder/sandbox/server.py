"""Runs inside a long-lived sandbox: has imported what workers need, and forks one worker after the other.

No student's code ever runs in this process. Each worker is the second process of namespaces of its own (processes, mounts,
IPC, network) under an init that only waits, with fresh in-memory folders, no capability, its own limits and the same
filter of system calls as a worker that is started alone; when the init ends, the kernel ends all that is left in them.
Usage: server.py DESCRIPTOR [MODULE ...]; it imports these modules as well. At the descriptor requests arrive, each a line of
JSON and a worker's descriptors:
{"spawn": {"uid", "memory", "filter"}} -> {"spawned": true} or {"failed": words}; {"end": true} -> {"ended": true};
{"copy": true} -> {"copied": true}, and a copy of this process serves the descriptor that came with it. What serves one
says {"ready": true} first.
"""

import base64
import ctypes
import fcntl
import json
import os
import platform
import signal
import socket
import struct
import sys
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # cnnlab lies beside it
import worker  # noqa: E402

NEW_NAMESPACES = 0x00020000 | 0x08000000 | 0x40000000  # of mounts, IPC and network
NEW_PROCESSES = 0x20000000  # of processes
CLONE = {"x86_64": 56, "aarch64": 220}  # the number of the system call
NOSUID, NODEV, NOEXEC = 2, 4, 8  # of mount
DETACH = 2  # of umount2
MAX_FILES = 20_000  # in each of them: an empty file takes a KiB of memory that their size does not count
# Bytes that a connection may hold; all connections of the machine share one limit, and the class's run needs some.
SMALL_BUFFERS = dict.fromkeys(("tcp_rmem", "tcp_wmem"), "4096 8192 16384")
SMALL_FOLDERS = (("/tmp", 64), ("/home/student", 64), ("/dev/shm", 16))  # MiB; as bubblewrap.py mounts them
SET_SECCOMP, BY_FILTER = 22, 2  # of prctl
UP, GET_FLAGS, SET_FLAGS = 1, 0x8913, 0x8914  # of a network interface
MAX_DESCRIPTORS = 64
LESSONS_IMPORT = (
    "numpy.random",
    "cnnlab.checking.speed",
    "cnnlab.data",
    "cnnlab.layers",
    "cnnlab.library",
    "cnnlab.nn",
    "cnnlab.plot",
)
MAX_REQUEST = 64 << 10  # bytes

libc = ctypes.CDLL(None, use_errno=True)
LONG, TEXT = ctypes.c_ulong, ctypes.c_char_p
python = ctypes.PyDLL(None, use_errno=True)  # whose calls keep Python's lock
python.syscall.argtypes, python.syscall.restype = [ctypes.c_long] * 6, ctypes.c_long
libc.prctl.argtypes = [ctypes.c_int, LONG, LONG, LONG, LONG]
libc.mount.argtypes = [TEXT, TEXT, TEXT, LONG, TEXT]


def main():
    """Import everything, then serve until the other side closes."""
    control = socket.socket(fileno=int(sys.argv[1]))
    prepared = worker.prepare(sys.argv[2:], LESSONS_IMPORT)
    worker.rehearse(prepared)
    sys.argv[:] = [""]
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)  # an init without handlers cannot be killed from inside
    serve(control, lambda **how: worker.work(prepared, **how))


def serve(control, work):
    """Answer requests until the other side closes."""
    _reply(control, {"ready": True})
    running = 0  # the init of the worker
    while True:
        request, descriptors = _request(control)
        if running:  # at most one at a time
            _end(running)
            running = 0
        if not request:
            os._exit(0)
        if "copy" in request and os.fork() == 0:
            control.close()
            return serve(socket.socket(fileno=descriptors[0]), work)
        answer = {"copied" if "copy" in request else "ended": True}
        if "spawn" in request:
            try:
                running, answer = _spawn(control, descriptors, work, **request["spawn"])
            except OSError as error:
                answer = {"failed": f"{error}"}
        for descriptor in descriptors:
            os.close(descriptor)
        _reply(control, answer)


def _request(control):
    data, descriptors, _, _ = socket.recv_fds(control, MAX_REQUEST, MAX_DESCRIPTORS)
    while data and not data.endswith(b"\n"):
        more = control.recv(MAX_REQUEST)
        data = data + more if more else b""
    return json.loads(data or b"null"), descriptors


def _reply(control, answer):
    control.sendall(json.dumps(answer).encode() + b"\n")


def _spawn(control, descriptors, work, uid, memory, filter):
    """Start a worker; return the init of its namespaces, and what to answer."""
    told, tell = os.pipe()
    init = _new_init()
    if init == 0:
        try:
            control.close()
            os.close(told)
            _enclosed(tell, uid, base64.b64decode(filter), work, descriptors, memory)
        finally:
            os._exit(0)
    os.close(tell)
    failed = b""
    while piece := os.read(told, 500):
        failed += piece
    os.close(told)
    if failed:
        os.waitpid(init, 0)
        return 0, {"failed": failed.decode(errors="replace")}
    return init, {"spawned": True}


def _new_init():
    """Fork the first process of a new namespace of processes; return 0 in it.

    By the system call itself: a process that moves to a new namespace by `unshare` cannot always come back, and would
    have to be one more copy. What Python and the C library do at a fork is left to that of the worker.
    """
    if platform.machine() not in CLONE:
        raise OSError(f"the number of clone is not known for {platform.machine()}")
    init = python.syscall(CLONE[platform.machine()], NEW_PROCESSES | signal.SIGCHLD, 0, 0, 0, 0)
    if init == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"clone: {os.strerror(number)}")
    return init


def _end(init):
    # The kernel lets an init end only after all others in its namespace have ended.
    os.kill(init, signal.SIGKILL)
    os.waitpid(init, 0)


def _enclosed(tell, uid, seccomp, work, descriptors, memory):
    """As the init: enclose this process, fork the worker, wait for it and for whatever is left without a parent."""
    try:
        _enclose(uid, seccomp)
    except BaseException as error:
        os.write(tell, f"{type(error).__name__}: {error}".encode()[:500])
        return
    child = os.fork()
    if child == 0:
        os.close(tell)
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            work(descriptors=descriptors, memory=memory, alone=True)
        except BaseException:
            traceback.print_exc()  # seen where its stderr leads anywhere
        os._exit(0)
    os.closerange(0, 1024)
    while os.wait()[0] != child:
        pass


def _enclose(uid, seccomp):
    """Give this process namespaces, folders and an identity of its own, and take all its rights away."""
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
        _mount("tmpfs", path, "tmpfs", NOSUID | NODEV, f"mode=1777,size={size << 20},nr_inodes={MAX_FILES}")
    os.chdir("/home/student")
    worker.become_student(uid, uid)
    if seccomp:
        lines = ctypes.create_string_buffer(seccomp, len(seccomp))
        program = struct.pack("HxxxxxxP", len(seccomp) // 8, ctypes.addressof(lines))
        program = ctypes.create_string_buffer(program, len(program))
        _call("prctl", SET_SECCOMP, BY_FILTER, ctypes.addressof(program), 0, 0)


def _interface_up(name):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sh22x", name.encode(), 0)
        flags = struct.unpack("16sh22x", fcntl.ioctl(any_socket, GET_FLAGS, asked))[1]
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sh22x", name.encode(), flags | UP))


def _mount(source, target, kind, flags, options=""):
    _call("mount", source.encode(), target.encode(), kind.encode(), flags, options.encode())


def _call(name, *arguments):
    """Call a function of the C library that returns -1 and sets errno where it fails."""
    if getattr(libc, name)(*arguments) == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


if __name__ == "__main__":
    main()
