"""Times an Answer from outside: CPU seconds of its sandbox, against a matrix product in a clean one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace

from autograder.sandbox import usage
from autograder.sandbox.errors import SandboxLost, SubmissionTimeout
from autograder.sandbox.limits import Limits
from autograder.sandbox.process import Sandbox, free_slot
from autograder.sandbox.session import Probe, RunCell, lend, probe, run_cell
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.speed import TASKS
from cnnlab.checking.way import CALL

REPETITIONS = 4
# Of what is fast, beside a product that was timed in another race: whoever raced then may have slowed it.
EASILY = 0.5
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
    """Run a notebook's cells, then time the Answer, and the task's product in turns with it.

    asked: the Exercise and a Case for each turn, all different: what was worked out in one turn is of no use in the
    next; task: a name of cnnlab.checking.speed.TASKS. Both sandboxes do the same besides: they fork, read the same
    inputs and send as much back. What the Answer's sandbox uses while the product is timed counts as the Answer's.
    Stops at the first turn after which the Answer is fast enough. An Answer that is easily fast enough beside the
    quickest product that this process has timed needs no product of its own; none is refused without. Raises
    SandboxError where a sandbox cannot be started, GradingStopped where `stop` is set.
    """
    limits, stop = limits or Limits(), stop or threading.Event()
    deadline = time.monotonic() + limits.submission_seconds

    def sandbox() -> AbstractContextManager[Sandbox]:
        # Of one kind, though the product would do with any: a server that can fork it may be there already.
        return _sandbox(tuple(without), limits, bare, deadline, stop)

    try:
        with sandbox() as theirs:
            lend(theirs, library or {}, limits)
            for cell in cells:
                run_cell(theirs, cell.source, limits)
            turns = range(REPETITIONS)
            if task in _quickest:
                timing = _turns(theirs, None, asked, task, range(1), limits)
                if timing.outcome.kind != "values" or timing.ratio <= EASILY * TASKS[task].at_most:
                    return timing
                turns = range(1, REPETITIONS)
            with sandbox() as ours:
                run_cell(
                    ours,
                    f"from cnnlab.checking.speed import TASKS\nproduct = TASKS[{task!r}].product",
                    limits,
                )
                return _turns(theirs, ours, asked, task, turns, limits)
    except (SandboxLost, SubmissionTimeout):
        return _none(Outcome("died", message="it ended the process"))


_quickest: dict[str, float] = {}  # task -> least CPU seconds of its product in this process


@contextmanager
def _sandbox(
    without: tuple[str, ...], limits: Limits, bare: bool, deadline: float, stop: threading.Event
) -> Iterator[Sandbox]:
    with free_slot() as slot, Sandbox(slot, without, limits, bare, (), deadline, stop) as sandbox:
        yield sandbox


def _turns(
    theirs: Sandbox, ours: Sandbox | None, asked: Probe, task: str, turns: range, limits: Limits
) -> Timing:
    """Time the Answer on the Case of each turn, and before it the product where there is a sandbox for it."""
    answer, fastest, of_turn = float("inf"), Outcome("timeout", message="it ran longer than it may"), 0
    product = float("inf") if ours else _quickest[task]
    for turn in turns:
        case = asked.cases[turn]
        before = _cpu(theirs)
        if ours:
            bare_product = replace(asked, exercise="product", cases=(case,), way=CALL)
            outcome, seconds = _timed(ours, bare_product, _cpu(ours), limits)
            if outcome.kind == "values":
                product = min(product, seconds)
                _quickest[task] = min(_quickest.get(task, product), product)
        outcome, seconds = _timed(theirs, replace(asked, cases=(case,)), before, limits)
        if seconds < answer:
            answer, fastest, of_turn = seconds, outcome, turn
        if outcome.kind != "values" or answer <= TASKS[task].at_most * product:
            break
    return Timing(fastest, answer, product, of_turn) if fastest.kind == "values" else _none(fastest)


def _none(outcome: Outcome) -> Timing:
    return Timing(outcome, float("inf"), 1.0)


def _timed(sandbox: Sandbox, asked: Probe, before: float, limits: Limits) -> tuple[Outcome, float]:
    done: list[Outcome] = []
    probe(sandbox, asked, None, done, limits)
    # No time at all would be below the clock's ticks; the product takes several.
    return done[0], max(_cpu(sandbox) - before, 0.01)


def _cpu(sandbox: Sandbox) -> float:
    """CPU seconds of every process of a sandbox so far, those that have ended included."""
    return max(sum(map(usage.cpu_seconds, usage.tree(sandbox.root))) for _ in range(LOOKS))
