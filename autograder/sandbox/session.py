"""A submission's run: its cells and probes in order, over as many sandboxes as it destroys."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence

from autograder.sandbox.asking import ask_in_forks, ask_once, lend, run_cell, text_in
from autograder.sandbox.errors import SandboxLost, SubmissionTimeout
from autograder.sandbox.inside import agreed
from autograder.sandbox.limits import Limits
from autograder.sandbox.process import WORKER, Sandbox
from autograder.sandbox.slots import free_slot
from autograder.sandbox.steps import Probe, RunCell, Transcript
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.wire import Value

MAX_PRINTED = agreed.MAX_PRINTED + 100  # characters of a cell's text, with the words that say that it is cut
MAX_ALL_PRINTED = 1_000_000  # characters of all cells that are kept
MAX_ERROR = 200  # characters of the name of a cell's error
CELLS_SHARE = 0.5  # of the submission's time; the rest is for probes


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
    their probes, so a submission loses only what its own code destroys.

    Args:
        steps: the cells and probes.
        without: packages that cannot be imported.
        library: earlier lesson -> its cells, whose Answers `cnnlab.layers` lends.
        limits: of the submission.
        bare: no sandbox at all, for machines that have none, where the instructor said so.
        stop: set by another thread to end the run.

    Raises:
        SandboxError: where the sandbox cannot be started.
        GradingStopped: where `stop` is set.
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
                lost = _play(sandbox, steps[:until], skip, transcript, limits, careful, shown, last=not left)
        except SubmissionTimeout:
            break
        if lost is None:
            if any(_is_unasked(step, transcript) for step in steps[:until]):
                # A Case that ended its process leaves others unasked: each is asked in a fork that may end.
                careful = True
                continue
            if until == len(steps):
                return transcript
            break
        skip.add(lost)
        _blame(steps[lost], transcript, shown)
        if isinstance(steps[lost], RunCell) and left <= 1:
            until = lost  # the last time, no cell that could destroy the sandbox again
    transcript.flags.append("the submission used up its time; what was left is not judged")
    for step in steps:
        if isinstance(step, Probe):
            _fill(step, transcript, Outcome("timeout", message="the notebook as a whole ran too long"))
    return transcript


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

    Copies of the process are put aside where a Probe stands, and asked when all cells have run, so that no cell can print
    a secret input; a Probe after which no cell comes is asked last, in the worker itself. For the same reason nothing is
    asked where a cell was lost and there is time to run the others again.

    Args:
        sandbox: the sandbox, in which nothing has run.
        steps: the cells and probes.
        skip: the positions of steps that are not run.
        so_far: the Transcript, which is added to.
        limits: of the submission.
        careful: ask in forks of what was put aside, so that more Cases can be asked where one ends its process.
        shown: whether to note what cells print.
        last: whether the sandbox will not be replaced where it is lost.

    Raises:
        SubmissionTimeout: where time ran out, so that steps were left.
    """
    ask = ask_in_forks if careful else ask_once
    lost, held = None, []
    final = len(steps) - 1 if steps and not careful and isinstance(steps[-1], Probe) else None
    cells_until = sandbox.deadline - (1 - CELLS_SHARE) * sandbox.seconds_left
    for position, step in enumerate(steps):
        if position in skip or (isinstance(step, Probe) and not _is_unasked(step, so_far)):
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
                held.append((position, step))
        except SandboxLost:
            lost = position
            break
    else:
        position = len(steps)
    if lost is not None and not last and sandbox.seconds_left > CELLS_SHARE * limits.submission_seconds:
        return lost
    for place, probe in held:
        done = so_far.outcomes.setdefault(probe.key, [])
        try:
            ask(sandbox, probe, WORKER if place == final else place, done, limits)
        except SandboxLost:
            if careful:
                return place if lost is None else lost
            break  # whose doing it was does not show: another probe may have ended the worker, and this one with it
    if lost is None and position < len(steps):
        raise SubmissionTimeout
    return lost


def _is_unasked(step: RunCell | Probe, so_far: Transcript) -> bool:
    """Say whether a step is a Probe with a Case that has no Outcome yet."""
    return isinstance(step, Probe) and len(so_far.outcomes.get(step.key, [])) < len(step.cases)


def _blame(step: RunCell | Probe, so_far: Transcript, shown: bool) -> None:
    """Note that the sandbox was lost at a step."""
    if isinstance(step, RunCell):
        so_far.destroyed.add(step.index)
        if shown:
            so_far.errors[step.index] = "it ended the process that runs the notebook, or ran too long"
        so_far.flags.append(f"cell {step.index + 1} ended or hung the sandbox")
    else:
        so_far.flags.append(f"{step.exercise} ended or hung the sandbox")
        _fill(step, so_far, Outcome("died", message="it ended the process, or ran too long"))


def _fill(step: Probe, so_far: Transcript, outcome: Outcome) -> None:
    """Give an Outcome to all Cases of a Probe that have none."""
    done = so_far.outcomes.setdefault(step.key, [])
    done += [outcome] * (len(step.cases) - len(done))


def _note(so_far: Transcript, index: int, reply: Value) -> None:
    """Note what a cell printed and raised, as far as the worker may be believed."""
    left = MAX_ALL_PRINTED - sum(len(text) for at, text in so_far.printed.items() if at != index)
    so_far.printed[index] = text_in(reply, "printed")[: min(MAX_PRINTED, left)]
    so_far.errors.pop(index, None)
    if error := text_in(reply, "error"):
        so_far.errors[index] = error[:MAX_ERROR]
