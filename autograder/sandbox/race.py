"""Times an Answer from outside: CPU seconds of its sandbox, against a matrix product in a clean one."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from autograder.sandbox import usage
from autograder.sandbox.limits import Gone, Late, Limits
from autograder.sandbox.process import Sandbox, free_slot
from autograder.sandbox.session import Probe, RunCell, lend, probe, run_cell
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.speed import TASKS
from cnnlab.checking.way import CALL

REPETITIONS = 4
LOOKS = 3  # at what a sandbox has used; a process that ends meanwhile may be missed by one


@dataclass(frozen=True)
class Timing:
    """What a race came to.

    outcome: what the Answer returned in its fastest run; seconds and product: the least CPU time of the
    Answer's sandbox and of the clean one; turn: that of the fastest run; ratio: of the two times, infinite where
    the Answer did not finish.
    """

    outcome: Outcome
    seconds: float
    product: float
    turn: int = 0

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
    """Run a notebook's cells, then time the Answer and the task's product in turns.

    asked: the Exercise and a Case for each turn, all different: what was worked out in one turn is of no use in the
    next; task: a name of cnnlab.checking.speed.TASKS. Both sandboxes do the same besides: they fork, read the same
    inputs and send as much back. What the Answer's sandbox uses while the product is timed counts as the Answer's.
    Stops at the first turn after which the Answer is fast enough. Raises SandboxError where a sandbox cannot be
    started, Stopped where `stop` is set.
    """
    limits, stop = limits or Limits(), stop or threading.Event()
    clean = RunCell(0, f"from cnnlab.checking.speed import TASKS\nproduct = TASKS[{task!r}].product")
    deadline = time.monotonic() + limits.submission_seconds
    best: dict[str, float] = {}
    fastest, of_turn = Outcome("timeout", message="it ran longer than it may"), 0
    with (
        free_slot() as one,
        free_slot() as other,
        Sandbox(one, tuple(without), limits, bare, (), deadline, stop) as theirs,
        Sandbox(other, (), limits, bare, (), deadline, stop) as ours,
    ):
        try:
            lend(theirs, library or {}, limits)
            for cell in cells:
                run_cell(theirs, cell.source, limits)
            run_cell(ours, clean.source, limits)
            for turn, case in enumerate(asked.cases[:REPETITIONS]):
                before = _cpu(theirs)
                _timed(
                    ours, replace(asked, exercise="product", cases=(case,), way=CALL), "product", best, limits
                )
                seconds = best.get("answer")
                outcome = _timed(theirs, replace(asked, cases=(case,)), "answer", best, limits, before)
                if best["answer"] != seconds:
                    fastest, of_turn = outcome, turn
                if outcome.kind != "values" or best["answer"] <= TASKS[task].at_most * best["product"]:
                    break
        except (Gone, Late):
            return Timing(Outcome("died", message="it ended the process"), float("inf"), 1.0)
    if fastest.kind != "values":
        return Timing(fastest, float("inf"), 1.0)
    return Timing(fastest, best["answer"], best["product"], of_turn)


def _timed(
    sandbox: Sandbox,
    asked: Probe,
    name: str,
    best: dict[str, float],
    limits: Limits,
    before: float | None = None,
) -> Outcome:
    before = _cpu(sandbox) if before is None else before
    done: list[Outcome] = []
    probe(sandbox, asked, None, done, limits)
    spent = _cpu(sandbox) - before
    # No time at all would be below the clock's ticks; the product takes several.
    best[name] = max(min(best.get(name, spent), spent), 0.01)
    return done[0]


def _cpu(sandbox: Sandbox) -> float:
    """CPU seconds of every process of a sandbox so far, those that have ended included."""
    return max(sum(map(usage.cpu_seconds, usage.tree(sandbox.root))) for _ in range(LOOKS))
