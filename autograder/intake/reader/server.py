"""Fork a process for each student's file that is to be read, so that none pays for the start of an interpreter.

The server itself reads nothing of any file. It is started with two descriptors as arguments. Through the first, a socket,
requests arrive: a line of JSON {"reader": "notebook" or "archive", "options": [words]} and two more descriptors, the file
to read and the pipe to write the reply to. The answer to a request is a line of JSON {"code": exit code of the reader, or
minus the signal that ended it}. The second descriptor is a file of our own with the JSON of known cells, a list of
[whether code, source, facts], so that their facts need not be parsed again.
"""

from __future__ import annotations

import functools
import gc
import json
import os
import socket
import sys
import warnings
from collections.abc import Callable, Sequence

from . import archive, notebook

MAX_REQUEST = 64 << 10  # bytes
MAX_DESCRIPTORS = 256  # the server itself opens a handful

Read = Callable[
    [Sequence[str]], None
]  # read standard input by these options, write the reply to standard output


def main() -> None:
    """Answer requests until the other side closes the socket."""
    warnings.simplefilter("ignore")
    control = socket.socket(fileno=int(sys.argv[1]))
    with open(int(sys.argv[2]), "rb") as file:
        known = {(code, source): facts for code, source, facts in json.load(file)}
    # A reader ends before there is anything to collect, and looking copies the pages that it shares with this process.
    gc.freeze()
    gc.disable()
    readers: dict[str, Read] = {"notebook": functools.partial(notebook.main, known), "archive": archive.main}
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, MAX_REQUEST, 2)
        if not data:
            return
        request = json.loads(data)
        process_id = os.fork()
        if process_id == 0:
            control.close()
            _read_and_exit(readers[request["reader"]], request["options"], descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        _, status = os.waitpid(process_id, 0)
        control.sendall(json.dumps({"code": os.waitstatus_to_exitcode(status)}).encode() + b"\n")


def _read_and_exit(read: Read, options: Sequence[str], descriptors: Sequence[int]) -> None:
    code = 1
    try:
        for number, descriptor in enumerate(descriptors):  # standard input and output
            os.dup2(descriptor, number)
        os.closerange(3, MAX_DESCRIPTORS)
        read(options)
        sys.stdout.flush()
        code = 0
    finally:
        os._exit(code)
