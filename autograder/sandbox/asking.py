"""The requests to a worker: lend Answers, run a cell, ask an Answer; and how far its replies are believed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np

from autograder.sandbox.errors import ProbeTimeout, SandboxError, SandboxLost
from autograder.sandbox.limits import Limits
from autograder.sandbox.process import MAX_REPLY, WORKER, Sandbox
from autograder.sandbox.steps import Probe
from cnnlab.checking import wire
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.wire import Value

STOPPED = {  # kind of an Outcome -> what is said of it
    "timeout": "it ran longer than it may",
    "out of memory": "it asked for more memory than there is",
    "died": "it ended the process",
}
FOR_ALL_CASES = ("not attempted", "timeout")  # kinds that one Case's Outcome has for those after it


def lend(sandbox: Sandbox, library: Mapping[str, Sequence[str]], limits: Limits) -> None:
    """Put the submission's own Answers, and nothing else, into the sandbox's library.

    Args:
        sandbox: where no cell has run yet.
        library: earlier lesson -> the texts of its cells.
        limits: of the submission.
    """
    lessons = {lesson: list(cells) for lesson, cells in library.items()}
    try:
        sandbox.ask({"lend": {"lessons": _as_bytes(json.dumps(lessons))}}, limits.cell_reply_seconds)
    except SandboxLost as error:  # no code of the student's has run yet
        raise SandboxError("The sandbox's library cannot be filled; install the package again.") from error


def run_cell(sandbox: Sandbox, source: str, limits: Limits) -> Value:
    """Run a cell's source and return the worker's reply; raise as Sandbox.ask does.

    Args:
        sandbox: the submission's.
        source: the cell's.
        limits: of the submission.
    """
    request = {"cell": {"source": _as_bytes(source), "seconds": limits.cell_seconds}}
    return sandbox.ask(request, limits.cell_reply_seconds)


def ask_once(sandbox: Sandbox, step: Probe, place: int, done: list[Outcome], limits: Limits) -> None:
    """Ask the remaining Cases of a Probe in a process that ends with them, and add an Outcome for each.

    A Case that ends the process is the last that gets one.

    Args:
        sandbox: the submission's.
        step: the Probe.
        place: of the copy that was put aside for the Probe. Or WORKER for the worker itself: nobody can ask the worker
            how it ended, so SandboxLost is raised then.
        done: the Outcomes so far.
        limits: of the submission.
    """
    left = len(step.cases) - len(done)
    seconds = limits.probe_seconds
    request = wire.pack({"answer": step.asked(len(done), seconds)}) if done else step.packed(seconds)
    replies = sandbox.replies(request, limits.probe_reply_seconds, place, left)
    try:
        for reply in replies:
            done.append(Outcome.from_value(reply))
            if done[-1].kind == "not attempted":
                break
    except ProbeTimeout:
        done.append(_stopped("timeout"))
    except (SandboxLost, ValueError):
        if place == WORKER:
            raise SandboxLost from None
        ended = text_in(sandbox.end_of(place), "ended")
        done.append(_stopped(ended if ended in ("timeout", "out of memory") else "died"))
    if done[-1].kind in FOR_ALL_CASES:
        done += [done[-1]] * (len(step.cases) - len(done))


def ask_in_forks(sandbox: Sandbox, step: Probe, place: int, done: list[Outcome], limits: Limits) -> None:
    """Ask the remaining Cases of a Probe in forks, as many as are needed, until each Case has an Outcome.

    Args:
        sandbox: the submission's.
        step: the Probe.
        place: of the copy that was put aside for the Probe, or WORKER for the worker as it is now.
        done: the Outcomes so far.
        limits: of the submission.
    """
    deaths = sum(outcome.kind in ("died", "out of memory") for outcome in done)
    while len(done) < len(step.cases):
        request = step.asked(len(done), limits.probe_seconds)
        reply = sandbox.ask({"probe": request}, limits.fork_reply_seconds, place)
        ended, frames = text_in(reply, "ended"), reply.get("frames") if isinstance(reply, dict) else None
        got = read_outcomes(
            frames.tobytes() if isinstance(frames, np.ndarray) else b"", len(step.cases) - len(done)
        )
        done += got
        left = len(step.cases) - len(done)
        if not left:
            return
        if got and got[-1].kind == "not attempted":
            done += [got[-1]] * left
        elif ended == "timeout":
            done += [_stopped(ended)] * left
        else:
            deaths += 1
            end = ended if ended == "out of memory" else "died"
            done += [_stopped(end)] * (left if deaths >= limits.deaths else 1)


def read_outcomes(data: bytes, most: int) -> list[Outcome]:
    """Read at most so many Outcomes from the bytes of a hostile process, up to the first thing that is not an Outcome.

    Their headers together may be as large as one header may be: otherwise those of many Cases would keep the grader busy for
    minutes.
    """
    position, found, left = 0, [], wire.MAX_HEADER

    def read_exactly(count: int) -> bytes:
        nonlocal position
        piece = data[position : position + count]
        position += len(piece)
        return piece

    while len(found) < most and position < len(data):
        start = position
        try:
            found.append(Outcome.from_value(wire.read_frame(read_exactly, MAX_REPLY, left)))
        except ValueError:
            break
        left -= int.from_bytes(data[start + 4 : start + 8], "little")
    return found


def text_in(reply: Value, key: str) -> str:
    """Return the text that a reply has under a key, "" where it has none."""
    value = reply.get(key) if isinstance(reply, dict) else None
    return value if isinstance(value, str) else ""


def _stopped(kind: str) -> Outcome:
    return Outcome(kind, message=STOPPED[kind])


def _as_bytes(text: str) -> np.ndarray:
    """Return a text as bytes: a long one would not fit into a frame's header as a string."""
    return np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
