"""Times an Answer from outside: CPU seconds of its sandbox, against a matrix product in a clean one."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autograder.sandbox import usage
from autograder.sandbox.limits import Gone, Late, Limits
from autograder.sandbox.process import Sandbox, free_slot
from autograder.sandbox.session import Probe, RunCell, lend, probe
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.speed import TASKS

REPETITIONS = 4


@dataclass(frozen=True)
class Timing:
    """What a race came to.

    outcome: what the Answer returned in its fastest run; seconds and product: the least CPU time of the
    Answer's sandbox and of the clean one; ratio: of the two, infinite where the Answer did not finish.
    """

    outcome: Outcome
    seconds: float
    product: float

    @property
    def ratio(self) -> float:
        return self.seconds / self.product if self.product else float("inf")


def race(
    cells: Sequence[RunCell],
    asked: Probe,
    task: str,
    *,
    without: Sequence[str] = (),
    library: Mapping[str, Sequence[str]] | None = None,
    limits: Limits | None = None,
    bare: bool = False,
    stop: threading.Event | None = None,
) -> Timing:
    """Run a notebook's cells, then time the Answer on one Case and the task's product in turns.

    asked: the Exercise and its one Case; task: a name of cnnlab.checking.speed.TASKS. Both sandboxes do the same
    besides: they fork, read the same inputs and send as much back. Stops at the first turn after which the Answer
    is fast enough. Raises SandboxError where a sandbox cannot be started, Stopped where `stop` is set.
    """
    limits, stop = limits or Limits(), stop or threading.Event()
    clean = RunCell(0, f"from cnnlab.checking.speed import TASKS\nproduct = TASKS[{task!r}].product")
    calibration = Probe("product", asked.returns, asked.cases)
    deadline = time.monotonic() + limits.submission_seconds
    best: dict[str, float] = {}
    fastest = Outcome("timeout", message="it ran longer than it may")
    with (
        free_slot() as one,
        free_slot() as other,
        Sandbox(one, tuple(without), limits, bare, (), deadline, stop) as theirs,
        Sandbox(other, (), limits, bare, (), deadline, stop) as ours,
    ):
        try:
            lend(theirs, library or {}, limits)
            for cell in cells:
                theirs.ask({"cell": {"source": cell.source, "seconds": limits.cell_seconds}}, 10.0)
            ours.ask({"cell": {"source": clean.source, "seconds": limits.cell_seconds}}, 10.0)
            for _ in range(REPETITIONS):
                _timed(ours, calibration, "product", best, limits)
                seconds = best.get("answer")
                outcome = _timed(theirs, asked, "answer", best, limits)
                if best["answer"] != seconds:
                    fastest = outcome
                if outcome.kind != "values" or best["answer"] <= TASKS[task].at_most * best["product"]:
                    break
        except (Gone, Late):
            return Timing(Outcome("died", message="it ended the process"), float("inf"), 1.0)
    if fastest.kind != "values":
        return Timing(fastest, float("inf"), 1.0)
    return Timing(fastest, best["answer"], best["product"])


def _timed(sandbox: Sandbox, asked: Probe, name: str, best: dict[str, float], limits: Limits) -> Outcome:
    before = _cpu(sandbox)
    done: list[Outcome] = []
    probe(sandbox, asked, None, done, limits)
    spent = _cpu(sandbox) - before
    # No time at all would be below the clock's ticks; the product takes several.
    best[name] = max(min(best.get(name, spent), spent), 0.01)
    return done[0]


def _cpu(sandbox: Sandbox) -> float:
    """CPU seconds of every process of a sandbox so far, those that have ended included."""
    return sum(usage.cpu_seconds(process) for process in usage.tree(sandbox.process.pid))
