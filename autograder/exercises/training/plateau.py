"""ReduceOnPlateau: a learning rate that is cut when the loss stays where it is."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from autograder.exercise import Case, Exercise, Random, clue
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.rows import public, rows, secret, varied
from cnnlab.checking.way import Way
from cnnlab.checking.wire import Value
from cnnlab.torch_settings import one_thread


class TorchPlateau:
    """torch's scheduler on an optimiser of one number."""

    def __init__(
        self, lr: float, factor: float = 0.1, patience: int = 10, threshold: float = 1e-4, smallest: float = 0.0
    ) -> None:
        with one_thread() as torch:
            self.optimiser = torch.optim.SGD([torch.zeros(1)], lr=lr)
            self.scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
                self.optimiser, factor=factor, patience=patience, threshold=threshold, min_lr=smallest, eps=0.0
            )

    @property
    def lr(self) -> float:
        """The learning rate as it is now."""
        return float(self.optimiser.param_groups[0]["lr"])

    def step(self, loss: float) -> float:
        """Take note of a loss."""
        self.scheduler.step(loss)
        return self.lr


class Slipped:
    """The same by hand, wrong in one way."""

    def __init__(
        self,
        lr: float,
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        smallest: float = 0.0,
        slip: str = "",
    ) -> None:
        self.lr = self.start = lr
        self.factor, self.patience, self.threshold, self.smallest = factor, patience, threshold, smallest
        self.slip = slip
        self.best, self.count = 0.0 if slip == "best begins at 0" else math.inf, 0

    def step(self, loss: float) -> float | None:
        """Take note of a loss, with the slip."""
        slip = self.slip
        bar = self.best * (1 - (0.0 if slip == "threshold ignored" else self.threshold))
        bar = self.best - self.threshold if slip == "threshold subtracted" else bar
        better = loss <= bar if slip == "ties are better" else loss < bar
        if better or slip == "compared with the last":
            self.best = loss
        elif slip == "best creeps down":
            self.best = min(self.best, loss)
        if not better:
            self.count += 1
        elif slip != "never forgiven":
            self.count = 0
        if self.count >= self.patience + (0 if slip == "one too early" else 1):
            factor = {"divided": 1 / self.factor, "cut by the factor": 1 - self.factor}.get(slip, self.factor)
            lr = (self.start if slip == "cut from the first rate" else self.lr) * factor
            self.lr = lr if slip == "no floor" else max(lr, self.smallest)
            if slip != "count kept after a cut":
                self.count = 0
            if slip == "best forgotten after a cut":
                self.best = math.inf
            if slip == "best renewed at a cut":
                self.best = loss
        return None if slip == "nothing returned" else self.lr


def losses(*pattern: float) -> Random:
    """Calls of step with losses of this pattern, all times one number that is drawn."""

    def draw(rng: np.random.Generator) -> list[tuple[str, float]]:
        scale = rng.uniform(3, 6)  # far from 1, where relative and absolute thresholds are the same
        return [("step", float(scale * value)) for value in pattern]

    return Random(draw)


def told(key: str, group: str, *pattern: float, **how: Value) -> Case:
    return Case(key, group=group, calls=losses(*pattern), **{"lr": 0.1, "threshold": 0.0, **how})


def falling(first: float, share: float, count: int) -> list[float]:
    """Losses of which each is this share of the one before."""
    return [first * share**k for k in range(count)]


STAYS = (3, 3, 3, 3, 2.95, 2.9, 2.85)

ReduceOnPlateau = Exercise(
    name="ReduceOnPlateau",
    returns=("returned", "lr"),
    reference=TorchPlateau,
    points={"wait": 2, "best": 2, "threshold": 2, "floor": 1},
    way=Way(script="calls"),
    cases=[
        *rows(
            told,
            "wait",
            public("a loss that stays", 3, 3, 3, 3, 3, 3, 3, 3, 2, 2, factor=0.5, patience=2),
            secret("a longer wait", *[2] * 13, 1, 1, lr=0.2, factor=0.4, patience=3),
            public("patience 0", 3, 2, 2, 2, 1, 1, factor=0.2, patience=0),
            secret("no patience", 5, 4, 4, 4, 4, 3, 3, lr=0.3, factor=0.3, patience=0),
            "best",
            public("a loss that comes back", 4, 2, 5, 4, 3, 2.5, 4, 2.3, 1.5, 2, factor=0.1, patience=2),
            public("down, up, down", 5, 4, 5, 3, 4, 2, 3, 1, 2, 2, 2, factor=0.5, patience=1),
            secret("up, and down again", 6, 3, 7, 6, 5, 4, 3.5, 5, 4, 3.2, 2, 3, lr=0.3, factor=0.2, patience=3),
            secret("a saw", 6, 5, 6, 4, 5, 3, 4, 2, 3, 3, 3, 3, lr=0.4, factor=0.6, patience=1),
            public("no loss yet to compare with", 1, factor=0.5, patience=0),
            secret("one loss only", 2, lr=0.7, factor=0.5, patience=0),
        ),
        *rows(
            partial(told, factor=0.5),
            "threshold",
            public("gains of 4 % where 10 % count", *falling(4, 0.96, 9), patience=1, threshold=0.1),
            secret("gains of 3 % where 8 % count", *falling(5, 0.97, 11), lr=0.2, patience=1, threshold=0.08),
            public("gains of 0.3 % where 10 % count", *falling(4, 0.997, 6), patience=0, threshold=0.1),
            secret("gains of 0.2 % where 8 % count", *falling(5, 0.998, 7), lr=0.2, patience=0, threshold=0.08),
            public("gains of 20 % where 10 % count", *falling(4, 0.8, 5), patience=0, threshold=0.1),
            secret("gains of 30 % where 20 % count", *falling(5, 0.7, 6), lr=0.2, patience=0, threshold=0.2),
        ),
        *rows(
            told,
            "floor",
            public("a smallest rate", 2, 3, 3, 3, 3, 3, factor=0.1, patience=0, smallest=0.004),
            secret("a floor", 1, 2, 2, 2, 2, 2, lr=0.5, factor=0.2, patience=0, smallest=0.01),
        ),
    ],
    mistakes=mistakes(
        """
        ties are better: You take a loss that is only as small as the best for better: it must be below best * (1 -
            threshold).
        compared with the last: You compare with the loss before: compare with the best so far, else every second loss
            is better.
        one too early: You cut when `patience` losses were no better: so many are allowed, cut at the next one.
        count kept after a cut: Once your rate is cut it falls at every step: begin to count anew after a cut.
        never forgiven: You count all losses that were no better: a better one sets the count back to 0.
        threshold ignored: You take any smaller loss for better: it must be below best * (1 - threshold).
        threshold subtracted: You subtract the threshold from the best: it is a share of it, so compare with best * (1 -
            threshold).
        best creeps down: You lower the best with every smaller loss, so small gains never add up: keep the best until a
            loss is better by the threshold.
        no floor: Your rate falls below `smallest`: take the larger of the two.
        best forgotten after a cut: You forget the best loss when you cut: it stays, only the count begins anew.
        best renewed at a cut: When you cut you take the present loss for the best: the best stays, only the count
            begins anew.
        best begins at 0: Your best begins at 0, so no loss is ever better: begin with math.inf, which any loss is
            below.
        divided: You divided by the factor, so the rate grows: multiply by it.
        cut by the factor: You took the share `factor` off: the new rate is the old one times `factor`.
        cut from the first rate: You multiply the first rate at each cut: multiply the rate as it is now, so that cuts
            add up.
        nothing returned: Your step returns nothing: return self.lr, the rate after this loss.
        """,
        Slipped,
    ),
    varied=varied(
        told,
        public("plain: a loss that stays for 4 steps, then falls; patience 2", *STAYS, patience=2),
        {
            "lr": {"lr": 0.2},
            "factor": {"factor": 0.5},
            "patience": {"patience": 1},
            "threshold": {"threshold": 0.1},
            "smallest": {"smallest": 0.05},
            "a loss that comes back": public("", 3, 4, 3.5, 3, 2.95, 2.9, 2.85, patience=2),
            "a loss that goes up and down": public("", 3, 4, 2.9, 4, 2.8, 4, 2.7, patience=2),
        },
    ),
    clues=(
        clue(
            "Keep three things in the object besides the settings: lr, the best loss (math.inf at first) and how many "
            "losses in a row were no better.",
            *("compared with the last", "best begins at 0"),
            arguments=("a loss that comes back",),
        ),
        clue(
            "A better loss becomes the best and sets the count to 0; any other adds 1 to the count, and the best stays.",
            *("compared with the last", "never forgiven", "best creeps down", "best forgotten after a cut"),
            "best renewed at a cut",
            arguments=("a loss that comes back", "a loss that goes up and down", "threshold"),
        ),
        clue(
            "if self.count > self.patience: self.lr = max(self.lr * self.factor, self.smallest) and the count is 0 again",
            *("one too early", "count kept after a cut", "no floor", "divided", "cut by the factor"),
            "cut from the first rate",
            arguments=("factor", "patience", "smallest"),
        ),
    ),
)
