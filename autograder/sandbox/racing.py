"""Times an Answer from outside: CPU seconds of its sandbox, against a matrix product in a clean one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace

from autograder.sandbox import usage
from autograder.sandbox.asking import ask_in_forks, lend, run_cell
from autograder.sandbox.errors import SandboxLost, SubmissionTimeout
from autograder.sandbox.limits import Limits
from autograder.sandbox.process import WORKER, Sandbox
from autograder.sandbox.slots import free_slot
from autograder.sandbox.steps import Probe, RunCell
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.speed import TASKS
from cnnlab.checking.way import CALL
from cnnlab.checking.wire import Value

REPETITIONS = 4
# Of the ratio that counts as fast, beside a product that was timed in another race: whoever raced then may have slowed it.
EASILY = 0.5
LOOKS = 3  # at what a sandbox has used; a process that ends meanwhile may be missed by one
TICK = 0.01  # seconds, of the clock by which the kernel counts CPU time

quickest_products: dict[str, float] = {}  # task -> least CPU seconds of its product in this process


@dataclass(frozen=True)
class Timing:
    """The result of a race.

    Args:
        outcome: what the Answer returned in its fastest run.
        seconds: the least CPU time of the Answer's sandbox.
        product: the least CPU time of the clean one.
        turn: the number of the fastest run.
    """

    outcome: Outcome
    seconds: float
    product: float
    turn: int = 0

    @property
    def ratio(self) -> float:
        """The Answer's time over the product's, infinite where the Answer did not finish."""
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

    Both sandboxes do the same besides: they fork, read the same inputs and send as much back. What the Answer's sandbox
    uses while the product is timed counts as the Answer's. The product is also timed on every Case before the first turn:
    in a new sandbox its first runs take up to four times as long. The race stops at the first turn after which the Answer
    is fast enough. An Answer that is easily fast enough beside the quickest product that this process has timed needs no
    product of its own; none is refused without.

    Args:
        cells: the notebook's.
        asked: the Exercise and a Case for each turn, all different: what was worked out in one turn is of no use in the
            next.
        task: a name of cnnlab.checking.speed.TASKS.
        without: packages that cannot be imported.
        library: earlier lesson -> its cells, whose Answers `cnnlab.layers` lends.
        limits: of the whole race.
        bare: no sandbox at all, where the instructor said so.
        stop: set by another thread to end the race.

    Raises:
        SandboxError: where a sandbox cannot be started.
        GradingStopped: where `stop` is set.
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
            if task in quickest_products:
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
        return _unfinished(Outcome("died", message="it ended the process"))


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
    product = float("inf") if ours else quickest_products[task]
    if ours:
        product = min(_product_seconds(ours, asked, case, limits) for case in asked.cases)
    for turn in turns:
        case = asked.cases[turn]
        before = _cpu_seconds(theirs)
        if ours:
            product = min(product, _product_seconds(ours, asked, case, limits))
            if product == float("inf"):  # hogs of the Answer's sandbox may have seen to it
                return _unfinished(fastest)
            quickest_products[task] = min(quickest_products.get(task, product), product)
        outcome, seconds = _timed(theirs, replace(asked, cases=(case,)), before, limits)
        if seconds < answer:
            answer, fastest, of_turn = seconds, outcome, turn
        if outcome.kind != "values" or answer <= TASKS[task].at_most * product:
            break
    return Timing(fastest, answer, product, of_turn) if fastest.kind == "values" else _unfinished(fastest)


def _product_seconds(sandbox: Sandbox, asked: Probe, case: Mapping[str, Value], limits: Limits) -> float:
    """Return the CPU seconds of the bare product on a Case, infinite where it did not finish."""
    bare_product = replace(asked, exercise="product", cases=(case,), way=CALL)
    outcome, seconds = _timed(sandbox, bare_product, _cpu_seconds(sandbox), limits)
    return seconds if outcome.kind == "values" else float("inf")


def _unfinished(outcome: Outcome) -> Timing:
    return Timing(outcome, float("inf"), 1.0)


def _timed(sandbox: Sandbox, asked: Probe, before: float, limits: Limits) -> tuple[Outcome, float]:
    """Ask an Answer its one Case; return the Outcome and the CPU seconds of the sandbox since `before`, at least a tick."""
    done: list[Outcome] = []
    ask_in_forks(sandbox, asked, WORKER, done, limits)
    return done[0], max(_cpu_seconds(sandbox) - before, TICK)


def _cpu_seconds(sandbox: Sandbox) -> float:
    """Return the CPU seconds of every process of a sandbox so far, those that have ended included."""
    return max(sum(map(usage.cpu_seconds, usage.tree(sandbox.root))) for _ in range(LOOKS))
