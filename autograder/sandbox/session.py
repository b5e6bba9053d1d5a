"""A submission's run: its cells and probes in order, over as many sandboxes as it destroys."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from autograder.sandbox.errors import ProbeTimeout, SandboxError, SandboxLost, SubmissionTimeout
from autograder.sandbox.inside import agreed
from autograder.sandbox.limits import Limits
from autograder.sandbox.process import CELLS, MAX_REPLY, Sandbox, free_slot
from cnnlab.checking import wire
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.way import CALL, Way
from cnnlab.checking.wire import Value

STOPPED = {  # kind of an Outcome -> what is said of it
    "timeout": "it ran longer than it may",
    "out of memory": "it asked for more memory than there is",
    "died": "it ended the process",
}
MAX_PRINTED = agreed.MAX_PRINTED + 100  # characters that a cell's text can have, if the worker is what it was
MAX_ALL_PRINTED = 1_000_000  # characters of all cells that are kept


@dataclass(frozen=True)
class RunCell:
    """Run a cell's source; index: its place in the notebook."""

    index: int
    source: str


@dataclass(frozen=True)
class Probe:
    """Ask the Answer of `exercise` each of `cases` (argument name -> value)."""

    exercise: str
    returns: tuple[str, ...]
    cases: tuple[Mapping[str, Value], ...]
    way: Way = CALL

    def asked(self, start: int, seconds: float) -> dict[str, Any]:
        """Return the request for the Cases from `start` on, as the worker understands it."""
        return {
            "exercise": self.exercise,
            "returns": list(self.returns),
            "way": self.way.as_value(),
            "cases": [dict(case) for case in self.cases[start:]],
            "seconds": seconds,
        }

    def packed(self, seconds: float) -> bytes:
        """Return the request for all Cases as it travels; made once, however many submissions are asked."""
        if seconds not in self._packed:
            self._packed[seconds] = wire.pack({"answer": self.asked(0, seconds)})
        return self._packed[seconds]

    @cached_property
    def _packed(self) -> dict[float, bytes]:
        return {}


@dataclass
class Transcript:
    """What came of a submission: Outcomes by exercise, what each cell printed, the error each cell raised, flags.

    destroyed: the cells that ended the sandbox, and were skipped when it was started again.
    """

    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    printed: dict[int, str] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)
    destroyed: set[int] = field(default_factory=set)


def run(
    steps: Sequence[RunCell | Probe],
    *,
    without: Sequence[str] = (),
    library: Mapping[str, Sequence[str]] | None = None,
    limits: Limits | None = None,
    bare: bool = False,
    stop: threading.Event | None = None,
) -> Transcript:
    """Run the steps in order in a fresh sandbox and return what came of them.

    A step that kills the sandbox is skipped when it is started again, and the steps before it are replayed without
    their probes, so a submission loses only what its own code destroys. without: packages that cannot be imported;
    library: earlier lesson -> its cells, whose Answers `cnnlab.layers` lends; bare: no sandbox at all, for machines that
    have none, where the instructor said so; stop: set by another thread to end the run, which then raises GradingStopped.
    Raises SandboxError where the sandbox cannot be started.
    """
    limits, stop = limits or Limits(), stop or threading.Event()
    transcript = Transcript()
    skip: set[int] = set()
    until, careful = len(steps), False
    probes = [position for position, step in enumerate(steps) if isinstance(step, Probe)]
    deadline = time.monotonic() + limits.submission_seconds
    for left in reversed(range(limits.restarts + 1)):
        shown = not transcript.outcomes  # what was asked before could reach these cells
        careful = careful or not left
        try:
            with (
                free_slot() as slot,
                Sandbox(slot, tuple(without), limits, bare, probes, deadline, stop) as sandbox,
            ):
                lend(sandbox, library or {}, limits)
                position = _play(
                    sandbox, steps[:until], skip, transcript, limits, careful, shown, last=not left
                )
        except SubmissionTimeout:
            break
        # A probe that ended its process leaves Cases unasked: they are asked again, each in a fork that may end.
        unasked = any(
            len(transcript.outcomes.get(step.exercise, [])) < len(step.cases)
            for step in steps[:until]
            if isinstance(step, Probe)
        )
        if position is None and unasked:
            careful = True
            continue
        if position is None and until == len(steps):
            return transcript
        if position is None:
            break
        step = steps[position]
        skip.add(position)
        if isinstance(step, RunCell):
            transcript.destroyed.add(step.index)
            if shown:
                transcript.errors[step.index] = "it ended the process that runs the notebook, or ran too long"
            transcript.flags.append(f"cell {step.index + 1} ended or hung the sandbox")
            until = until if left > 1 else position  # the last time, no cell that could destroy it again
        else:
            transcript.flags.append(f"{step.exercise} ended or hung the sandbox")
            done = transcript.outcomes.setdefault(step.exercise, [])
            done += [Outcome("died", message="it ended the process, or ran too long")] * (
                len(step.cases) - len(done)
            )
    transcript.flags.append("the submission used up its time; what was left is not judged")
    for step in steps:
        if isinstance(step, Probe):
            done = transcript.outcomes.setdefault(step.exercise, [])
            late = Outcome("timeout", message="the notebook as a whole ran too long")
            done += [late] * (len(step.cases) - len(done))
    return transcript


def lend(sandbox: Sandbox, library: Mapping[str, Sequence[str]], limits: Limits) -> None:
    """Put the submission's own Answers, and nothing else, into the sandbox's library."""
    lessons = {lesson: list(cells) for lesson, cells in library.items()}
    try:
        sandbox.ask({"lend": {"lessons": _bytes(json.dumps(lessons))}}, 2 * limits.cell_seconds)
    except SandboxLost as error:  # no code of the student's has run yet
        raise SandboxError("The sandbox's library cannot be filled; install the package again.") from error


def run_cell(sandbox: Sandbox, source: str, limits: Limits) -> Value:
    """Run a cell's source and return the worker's reply; raise SandboxLost or SubmissionTimeout."""
    request = {"cell": {"source": _bytes(source), "seconds": limits.cell_seconds}}
    return sandbox.ask(request, 2 * limits.cell_seconds)


def _bytes(text: str) -> np.ndarray:
    """Return a text as it travels: as a string, a long one would not fit into a frame's header."""
    return np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)


def _play(
    sandbox: Sandbox,
    steps: Sequence[RunCell | Probe],
    skip: set[int],
    so_far: Transcript,
    limits: Limits,
    careful: bool,
    shown: bool,
    last: bool,
) -> int | None:
    """Run every step that is not skipped; return the position of the one at which the sandbox was lost, or None.

    Probes are put aside where they stand and asked when all cells have run, so that no cell can print a secret input; one
    after which no cell comes is asked last, in the worker itself. For the same reason nothing is asked where a cell was
    lost and there is time to run the others again. careful: each is asked in a fork of what was put aside, so that more
    Cases can be asked where one ends the process; shown: whether to note what cells print; last: whether this is the last
    time.
    """
    ask = probe if careful else answers
    lost, held = None, []
    final = len(steps) - 1 if steps and not careful and isinstance(steps[-1], Probe) else None
    cells_until = sandbox.deadline - sandbox.seconds_left / 2
    for position, step in enumerate(steps):
        if position in skip or (
            isinstance(step, Probe) and len(so_far.outcomes.get(step.exercise, [])) == len(step.cases)
        ):
            continue
        if isinstance(step, RunCell) and time.monotonic() > cells_until:
            break
        try:
            if isinstance(step, RunCell):
                reply = run_cell(sandbox, step.source, limits)
                if shown:
                    _note(so_far, step.index, reply)
            else:
                if position != final:
                    sandbox.hold(position)
                held.append(position)
        except SandboxLost:
            lost = position
            break
    else:
        position = len(steps)
    if lost is not None and not last and sandbox.seconds_left > limits.submission_seconds / 2:
        return lost
    for place in held:
        done = so_far.outcomes.setdefault(steps[place].exercise, [])
        try:
            ask(sandbox, steps[place], CELLS if place == final else place, done, limits)
        except SandboxLost:
            if careful:
                return place if lost is None else lost
            break  # whose doing it was does not show: another probe may have ended the worker, and this one with it
    if lost is None and position < len(steps):
        raise SubmissionTimeout
    return lost


def _note(so_far: Transcript, index: int, reply: Value) -> None:
    left = MAX_ALL_PRINTED - sum(len(text) for at, text in so_far.printed.items() if at != index)
    so_far.printed[index] = _text(reply, "printed")[: min(MAX_PRINTED, left)]
    so_far.errors.pop(index, None)
    if _text(reply, "error"):
        so_far.errors[index] = _text(reply, "error")[:200]


def answers(sandbox: Sandbox, step: Probe, place: int, done: list[Outcome], limits: Limits) -> None:
    """Ask the Cases of a Probe that are not done yet in the copy that was put aside for it, and add what it answers.

    Adds an Outcome for each Case unless one ends the process: what comes after that one is left out. place: of the copy,
    or CELLS for the worker itself, which nobody can ask how it ended: SandboxLost is raised then.
    """
    left = len(step.cases) - len(done)
    seconds = limits.probe_seconds
    request = wire.pack({"answer": step.asked(len(done), seconds)}) if done else step.packed(seconds)
    replies = sandbox.replies(request, 2 * seconds, place, left)
    try:
        for reply in replies:
            done.append(Outcome.from_value(reply))
            if done[-1].kind == "not attempted":
                break
    except ProbeTimeout:
        done.append(Outcome("timeout", message=STOPPED["timeout"]))
    except (SandboxLost, ValueError):
        if place == CELLS:
            raise SandboxLost from None
        ended = _text(sandbox.end_of(place), "ended")
        end = ended if ended in ("timeout", "out of memory") else "died"
        done.append(Outcome(end, message=STOPPED[end]))
    if done[-1].kind in ("not attempted", "timeout"):
        done += [done[-1]] * (len(step.cases) - len(done))


def probe(sandbox: Sandbox, step: Probe, place: int | None, done: list[Outcome], limits: Limits) -> None:
    """Ask the Cases of a Probe that are not done yet, and add an Outcome for each to `done`.

    place: of the copy that was put aside for it; None asks the worker as it is now.
    """
    deaths = sum(outcome.kind in ("died", "out of memory") for outcome in done)
    while len(done) < len(step.cases):
        request = step.asked(len(done), limits.probe_seconds)
        reply = sandbox.ask({"probe": request}, 3 * limits.probe_seconds, CELLS if place is None else place)
        ended, frames = _text(reply, "ended"), reply.get("frames") if isinstance(reply, dict) else None
        got = _outcomes(
            frames.tobytes() if isinstance(frames, np.ndarray) else b"", len(step.cases) - len(done)
        )
        done += got
        left = len(step.cases) - len(done)
        if not left:
            return
        if got and got[-1].kind == "not attempted":
            done += [got[-1]] * left
        elif ended == "timeout":
            done += [Outcome(ended, message=STOPPED[ended])] * left
        else:
            deaths += 1
            end = ended if ended == "out of memory" else "died"
            done += [Outcome(end, message=STOPPED[end])] * (left if deaths >= limits.deaths else 1)


def _outcomes(data: bytes, most: int) -> list[Outcome]:
    """Read Outcomes from the child's bytes, up to the first thing that is not one.

    Their headers together may have the size of one, else those of many Cases would keep the grader busy for minutes.
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


def _text(reply: Any, key: str) -> str:
    value = reply.get(key) if isinstance(reply, dict) else None
    return value if isinstance(value, str) else ""
