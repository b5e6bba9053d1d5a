"""The choices that decide what a network learns; where and how fast it learns is chosen in `fit`."""

from __future__ import annotations

from dataclasses import dataclass

SCHEDULES = ("triangle", "cosine", "plateau", "constant")
FLIPS = ("none", "random", "alternating")


@dataclass(frozen=True)
class Recipe:
    """The recipe of a training run: every number that changes the weights, and none that does not.

    epochs: passes over the training images; batch: images a step, of all processes together; the last, smaller batch
    of an epoch is left out.
    lr: the highest learning rate, for the mean loss of a batch; momentum: Nesterov's; weight_decay: of weights with two
    axes or more, while biases and the gains of norms have none; bias_lr: the learning rate of those, as a multiple.
    schedule: "triangle" or "cosine" rise for `rising` (a share of all steps) and fall to zero; "plateau" multiplies by
    `factor` after `patience` epochs without a better loss; "constant".
    label_smoothing: the share of the target spread over all classes; clip: the largest norm of all gradients together,
    or None; average: how much of the moving average of the weights a step keeps, 0 for no average.
    shift: how far an image is moved, in pixels, mirrored at the border (pad and crop); flip: left to right, "random" or
    "alternating" (at random once, then every other epoch); cutout: the side of a square without content, in pixels.
    flip_test: whether a test image is also seen flipped, and the two scores averaged.

    Sources: one-cycle, L. N. Smith, arXiv 1708.07120; label smoothing, C. Szegedy et al., arXiv 1512.00567; cutout,
    T. DeVries and G. W. Taylor, arXiv 1708.04552; the whole, D. Page, "How to train your ResNet", 2018, and K. Jordan,
    arXiv 2404.00498 (alternating flips).
    """

    epochs: int = 10
    batch: int = 128
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    bias_lr: float = 1.0
    schedule: str = "triangle"
    rising: float = 0.2
    patience: int = 3
    factor: float = 0.1
    label_smoothing: float = 0.0
    clip: float | None = None
    average: float = 0.0
    shift: int = 0
    flip: str = "none"
    cutout: int = 0
    flip_test: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError for a number that cannot be meant."""
        _one_of("schedule", self.schedule, SCHEDULES)
        _one_of("flip", self.flip, FLIPS)
        _at_least("epochs", self.epochs, 1)
        _at_least("batch", self.batch, 1)
        _at_least("lr", self.lr, 0)
        _at_least("weight_decay", self.weight_decay, 0)
        _at_least("bias_lr", self.bias_lr, 0)
        _at_least("patience", self.patience, 0)
        _at_least("shift", self.shift, 0)
        _at_least("cutout", self.cutout, 0)
        for name in ("momentum", "label_smoothing", "average"):
            _at_least(name, getattr(self, name), 0)
            if getattr(self, name) >= 1:
                raise ValueError(f"{name} must be below 1, not {getattr(self, name)!r}")
        if not 0 <= self.rising <= 1:
            raise ValueError(f"rising is a share of all steps, from 0 to 1, not {self.rising!r}")
        if not 0 < self.factor < 1:
            raise ValueError(f"factor must lie between 0 and 1, not {self.factor!r}")
        if self.clip is not None and not self.clip > 0:
            raise ValueError(f"clip must be above 0, or None for no limit, not {self.clip!r}")


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} is one of {', '.join(allowed)}, not {value!r}")


def _at_least(name: str, value: float, low: float) -> None:
    # written so that NaN fails as well
    if not value >= low:
        raise ValueError(f"{name} must be at least {low}, not {value!r}")
