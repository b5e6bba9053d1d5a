"""The choices that decide what a network learns; where and how fast it learns is chosen in `fit`."""

from __future__ import annotations

from dataclasses import dataclass

from cnnlab.train.numbers import finite, whole

SCHEDULES = ("triangle", "cosine", "plateau", "constant")
FLIPS = ("none", "random", "alternating")
OPTIMISERS = ("sgd", "adamw")
# the lowest that each number may be
WHOLE = {"epochs": 1, "batch": 1, "patience": 0, "shift": 0, "cutout": 0}
NUMBERS = (
    "lr",
    "momentum",
    "weight_decay",
    "bias_lr",
    "rising",
    "factor",
    "label_smoothing",
    "average",
    "mixup",
)


@dataclass(frozen=True)
class Recipe:
    """The recipe of a training run: every number that changes the weights, and none that does not.

    epochs: passes over the training images; batch: images a step, of all processes together; the last, smaller batch
    of an epoch is left out.
    optimiser: "sgd", with Nesterov's momentum, or "adamw"; lr: the highest learning rate, for the mean loss of a batch;
    momentum: of the gradients (AdamW's first beta); weight_decay: of weights with two axes or more, while biases and the
    gains of norms have none; bias_lr: the learning rate of biases and gains, as a multiple of lr.
    schedule: "triangle" or "cosine" rise for `rising` (a share of all steps) and fall to zero; "plateau" multiplies by
    `factor` in the epoch after `patience` ones without a better loss; "constant".
    label_smoothing: the share of the target spread over all classes; clip: the largest norm of all gradients together,
    or None; average: how much of the moving average of the weights a step keeps, 0 for no average.
    shift: how far an image is moved, in pixels, mirrored at the border (pad and crop); flip: left to right, "random" or
    "alternating" (at random once, then every other epoch); cutout: the side of a square without content, in pixels.
    mixup: images and labels of a batch are mixed in pairs, a share of one and the rest of the other, drawn from
    Beta(mixup, mixup); 0 mixes none.
    flip_test: whether a test image is also seen flipped, and the two scores averaged.

    Sources: one-cycle, L. N. Smith, arXiv 1708.07120; label smoothing, C. Szegedy et al., arXiv 1512.00567; cutout,
    T. DeVries and G. W. Taylor, arXiv 1708.04552; mixup, H. Zhang et al., arXiv 1710.09412; AdamW, I. Loshchilov and
    F. Hutter, arXiv 1711.05101; the whole, D. Page, "How to train your ResNet", 2018, and K. Jordan,
    arXiv 2404.00498 (alternating flips).
    """

    epochs: int = 10
    batch: int = 128
    optimiser: str = "sgd"
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
    mixup: float = 0.0
    flip_test: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError for a number that cannot be meant."""
        _one_of("schedule", self.schedule, SCHEDULES)
        _one_of("flip", self.flip, FLIPS)
        _one_of("optimiser", self.optimiser, OPTIMISERS)
        for name, low in WHOLE.items():
            self._set(name, whole(name, getattr(self, name), low))
        for name in NUMBERS:
            self._set(name, finite(name, getattr(self, name), 0))
        self._set("flip_test", bool(self.flip_test))
        for name in ("momentum", "label_smoothing", "average"):
            if getattr(self, name) >= 1:
                raise ValueError(f"{name} must be below 1, not {getattr(self, name)!r}")
        if self.rising > 1:
            raise ValueError(f"rising is a share of all steps, from 0 to 1, not {self.rising!r}")
        if not 0 < self.factor < 1:
            raise ValueError(f"factor must lie between 0 and 1, not {self.factor!r}")
        if self.clip is not None:
            self._set("clip", finite("clip", self.clip, 0))
            if not self.clip:
                raise ValueError(f"clip must be above 0, or None for no limit, not {self.clip!r}")

    def _set(self, name: str, value: float) -> None:
        """Put a plain number in the place of NumPy's, which a checkpoint could not hold."""
        object.__setattr__(self, name, value)


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} is one of {', '.join(allowed)}, not {value!r}")
