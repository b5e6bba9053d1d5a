"""A server in a long-lived sandbox: has imported what workers need, and forks one worker after the other.

No student's code ever runs in this process. Each worker is the second process of namespaces of its own (processes, mounts,
IPC, network) under an init that only waits, with fresh in-memory folders, no capability, its own limits and the same
filter of system calls as a worker that is started alone; when the init ends, the kernel ends all that is left in them.

At the server's descriptor requests arrive, each a line of JSON with descriptors beside it:
{"spawn": {"uid", "memory", "filter"}} -> {"spawned": true} or {"failed": words}; {"end": true} -> {"ended": true};
{"copy": true} -> {"copied": true}, and a copy of this process serves the descriptor that came with it. Whatever serves a
descriptor says {"ready": true} first.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from typing import NoReturn, TypeAlias

from cnnlab.checking.wire import Value

from .namespaces import enclose, fork_init
from .preparing import prepare, rehearse
from .rights import MAX_INHERITED
from .worker import work

MAX_DESCRIPTORS = 64  # that come with one request
MAX_REQUEST = 64 << 10  # bytes
MAX_WORDS = 500  # bytes of what is said of a failure
LESSONS_IMPORT = (
    "numpy.random",
    "cnnlab.checking.speed",
    "cnnlab.data",
    "cnnlab.layers",
    "cnnlab.library",
    "cnnlab.nn",
    "cnnlab.plot",
)

Work: TypeAlias = Callable[[Sequence[int], int, bool], NoReturn]  # descriptors, memory, alone: as worker.work


def main(arguments: Sequence[str]) -> None:
    """Import everything, then serve until the other side closes.

    arguments: the descriptor of the requests, and the modules to import besides.
    """
    number, *modules = arguments
    control = socket.socket(fileno=int(number))
    prepared = prepare(modules, LESSONS_IMPORT)
    rehearse(prepared)
    for one in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(one, signal.SIG_DFL)  # an init without handlers cannot be killed from inside
    serve(control, partial(work, prepared))


def serve(control: socket.socket, work: Work) -> NoReturn:
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
            serve(socket.socket(fileno=descriptors[0]), work)
        answer: Value = {"copied" if "copy" in request else "ended": True}
        if "spawn" in request:
            try:
                running, answer = _spawn(control, descriptors, work, **request["spawn"])
            except OSError as error:
                answer = {"failed": f"{error}"}
        for descriptor in descriptors:
            os.close(descriptor)
        _reply(control, answer)


def _request(control: socket.socket) -> tuple[Value, list[int]]:
    data, descriptors, _, _ = socket.recv_fds(control, MAX_REQUEST, MAX_DESCRIPTORS)
    while data and not data.endswith(b"\n"):
        more = control.recv(MAX_REQUEST)
        data = data + more if more else b""
    return json.loads(data or b"null"), descriptors


def _reply(control: socket.socket, answer: Value) -> None:
    control.sendall(json.dumps(answer).encode() + b"\n")


def _spawn(
    control: socket.socket, descriptors: Sequence[int], work: Work, uid: int, memory: int, filter: str
) -> tuple[int, Value]:
    """Start a worker; return the init of its namespaces, 0 where there is none, and the answer to the request."""
    told, tell = os.pipe()
    init = fork_init()
    if init == 0:
        try:
            control.close()
            os.close(told)
            _be_init(tell, uid, base64.b64decode(filter), lambda: work(descriptors, memory, True))
        finally:
            os._exit(0)
    os.close(tell)
    failed = b""
    while piece := os.read(told, MAX_WORDS):
        failed += piece
    os.close(told)
    if failed:
        os.waitpid(init, 0)
        return 0, {"failed": failed.decode(errors="replace")}
    return init, {"spawned": True}


def _end(init: int) -> None:
    # The kernel lets an init end only after all others in its namespace have ended.
    os.kill(init, signal.SIGKILL)
    os.waitpid(init, 0)


def _be_init(tell: int, uid: int, seccomp: bytes, begin: Callable[[], NoReturn]) -> None:
    """Enclose this process, fork the worker, and wait for the worker and for whatever is left without a parent."""
    try:
        enclose(uid, seccomp)
    except BaseException as error:
        os.write(tell, f"{type(error).__name__}: {error}".encode()[:MAX_WORDS])
        return
    child = os.fork()
    if child == 0:
        os.close(tell)
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            begin()
        except BaseException:
            traceback.print_exc()  # seen where its stderr leads anywhere
        os._exit(0)
    os.closerange(0, MAX_INHERITED)
    while os.wait()[0] != child:
        pass
