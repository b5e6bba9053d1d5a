"""Forks a process for each hostile file that is to be read, so that none pays for the start of an interpreter.

Nothing but the standard library is here, and this process itself reads nothing of any file. Usage: server.py DESCRIPTOR
KNOWN, where requests arrive: a line of JSON {"script": name, "options": [words]} and two descriptors, what the script is
to read and where it is to write; the answer is a line of JSON {"code": how it ended}, as subprocess has it. KNOWN is the
descriptor of our own JSON, a list of [whether code, text, facts] for cells whose facts need not be found out again.
"""

import functools
import gc
import json
import os
import socket
import sys
import warnings

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import child
import unzip

MAX_REQUEST = 64 << 10  # bytes


def main() -> None:
    """Answer requests until the other side closes."""
    warnings.simplefilter("ignore")
    control = socket.socket(fileno=int(sys.argv[1]))
    with open(int(sys.argv[2]), "rb") as file:
        known = {(code, text): facts for code, text, facts in json.load(file)}
    # A reader ends before there is anything to collect, and looking copies the pages that it shares with this process.
    gc.freeze()
    gc.disable()
    scripts = {"child": functools.partial(child.main, known), "unzip": unzip.main}
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, MAX_REQUEST, 2)
        if not data:
            return
        request = json.loads(data)
        reader = os.fork()
        if reader == 0:
            control.close()
            _read(scripts[request["script"]], request["script"], request["options"], descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        _, status = os.waitpid(reader, 0)
        control.sendall(json.dumps({"code": os.waitstatus_to_exitcode(status)}).encode() + b"\n")


def _read(run, script, options, descriptors):  # type: ignore[no-untyped-def]
    code = 1
    try:
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
        os.closerange(3, 256)
        sys.argv[:] = [script, *options]
        run()
        sys.stdout.flush()
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
