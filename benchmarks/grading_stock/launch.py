"""Runs a command and counts the CPU time, and where asked the memory, of all processes that it starts.

    python launch.py REQUEST      (a JSON file, as Run.measure in graders.py writes it)

Prints a JSON line. The command's orphans become children of this process, which waits until they have ended. With
"workers", a Dask cluster of that many processes runs beside the command, in which its address replaces {scheduler}.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from clock import Clock  # beside this file, which is run by its path

SET_CHILD_SUBREAPER = 36  # of prctl(2)
SECONDS_BETWEEN_LOOKS = 0.01  # the first process may be largest just before it ends
LOOKS = 10  # looks at the first process for each look at the others
SECONDS_TO_END = 20.0  # for processes that the command leaves behind


def main() -> int:
    """Measure the command in the request file."""
    asked = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    ctypes.CDLL(None, use_errno=True).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with open(asked["log"], "wb") as log:
        if asked["workers"]:
            result = beside_cluster(asked["command"], asked["workers"], log)
        else:
            result = run(asked["command"], asked["watch"], log)
    print(json.dumps(result))
    return 0


def run(command: list[str], watch: bool, log: Any) -> dict[str, Any]:
    """Run the command and count the CPU seconds of all processes that descend from it.

    Args:
        command: the command and its arguments.
        watch: whether memory is measured too.
        log: the file for its output.
    """
    peaks: dict[str, int] = {}
    clock = Clock()
    own, began = time.process_time(), time.perf_counter()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(child.pid, done, peaks))
    if watch:
        watcher.start()
    status = child.wait()
    seconds = time.perf_counter() - began
    done.set()
    if watch:
        watcher.join()
    left = _reap()
    cpu = clock.seconds() - (time.process_time() - own)  # less this process's own time
    return {"status": status, "seconds": seconds, "cpu": cpu, "peaks": peaks, "left": left}


def beside_cluster(command: list[str], workers: int, log: Any) -> dict[str, Any]:
    """Run the command beside a Dask cluster of processes with one thread each, and count the CPU seconds of both.

    Args:
        command: the command and its arguments.
        workers: the number of processes in the cluster.
        log: the file for its output.
    """
    from distributed import LocalCluster

    clock = Clock()
    # Each worker gets its share of the memory, and Dask has its libraries use one thread.
    made: Any = LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        dashboard_address=":0",
        local_directory=".",
        silence_logs=logging.CRITICAL,
    )
    with made as on:
        on.wait_for_workers(workers)
        filled = [word.replace("{scheduler}", on.scheduler_address) for word in command]
        before, began = clock.seconds(), time.perf_counter()
        status = subprocess.call(filled, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        seconds, cpu = time.perf_counter() - began, clock.seconds() - before
    left = _reap()
    return {"status": status, "seconds": seconds, "cpu": cpu, "peaks": {}, "left": left}


def _watch(root: int, done: threading.Event, peaks: dict[str, int]) -> None:
    """Note the largest resident memory, in bytes, of any process in each role."""
    import psutil

    looks = 0
    while not done.wait(SECONDS_BETWEEN_LOOKS):
        looks += 1
        _note(root, "coordinator", peaks)
        if looks % LOOKS == 0:
            with contextlib.suppress(psutil.Error):
                for child in psutil.Process(root).children():
                    _note_below(child, peaks)


def _note_below(process: Any, peaks: dict[str, int]) -> None:
    import psutil

    with contextlib.suppress(psutil.Error):
        words = " ".join(process.cmdline())
        if "bwrap" in words:
            return  # the code in the sandbox is the student's, and has its own limit
        _note(process.pid, "worker" if "autograder-workers" in words else "other", peaks)
        for child in process.children():
            _note_below(child, peaks)


def _note(process: int, role: str, peaks: dict[str, int]) -> None:
    with contextlib.suppress(OSError, IndexError):
        status = Path(f"/proc/{process}/status").read_text()
        kib = int(status.split("VmHWM:")[1].split()[0])
        peaks[role] = max(peaks.get(role, 0), kib * 1024)


def _reap() -> int:
    """Wait for the orphans that became this process's children; return the number of those that do not end."""
    deadline = time.monotonic() + SECONDS_TO_END
    while (left := _children()) and time.monotonic() < deadline:
        for process in left:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process, os.WNOHANG)
        time.sleep(0.02)
    return len(left)


def _children() -> list[int]:
    """Return this process's children, except Python's own helper, which ends with it."""
    import psutil

    return [process.pid for process in psutil.Process().children() if not _is_helper(process)]


def _is_helper(process: Any) -> bool:
    import psutil

    try:
        return any("resource_tracker" in word for word in process.cmdline())
    except psutil.Error:  # it has ended, and nobody has waited for it yet
        return False


if __name__ == "__main__":
    sys.exit(main())
