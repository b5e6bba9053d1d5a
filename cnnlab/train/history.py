"""The course of a training run, epoch by epoch."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from cnnlab.train.evaluate import Score


@dataclass
class History:
    """The course of a training run, as plain lists; all but `losses` have one entry an epoch.

    losses: of each step, the mean over its batch; train_loss, train_accuracy: means over the epoch's augmented images, by
    the network as it was at each step, and lower for images mixed in pairs, where only the first one's label counts;
    test_loss, test_accuracy: after the epoch, empty without test images; accuracies are in [0, 1]; lr: the learning rate at
    the epoch's end; seconds: wall time of the training, without tests and checkpoints.
    images: seen in an epoch; warm_up_seconds: one step before the first, where a network is compiled and algorithms are
    chosen; device, precision: what it ran on and with; processes: how many; interrupted: whether it was stopped; note: a
    sentence about that, or nothing.
    """

    losses: list[float] = field(default_factory=list)
    train_loss: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    test_loss: list[float] = field(default_factory=list)
    test_accuracy: list[float] = field(default_factory=list)
    lr: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    images: int = 0
    warm_up_seconds: float = 0.0
    device: str = ""
    precision: str = ""
    processes: int = 1
    interrupted: bool = False
    note: str = ""

    @property
    def epochs(self) -> int:
        """The number of epochs that were finished."""
        return len(self.train_loss)

    @property
    def images_per_second(self) -> float:
        """Training images a second, over all finished epochs; 0 before the first."""
        total = sum(self.seconds)
        return self.images * self.epochs / total if total else 0.0

    def add_epoch(
        self, losses: list[float], accuracy: float, seconds: float, lr: float, score: Score | None
    ) -> None:
        """Note a whole epoch.

        Args:
            losses: of each step.
            accuracy: on the training images as they were shown, in [0, 1].
            seconds: of the training.
            lr: at the epoch's end.
            score: on the test images, None where there are none.
        """
        self.losses += losses
        self.train_loss.append(sum(losses) / len(losses))
        self.train_accuracy.append(accuracy)
        self.seconds.append(seconds)
        self.lr.append(lr)
        if score is not None:
            self.test_loss.append(score.loss)
            self.test_accuracy.append(score.accuracy)

    def cut(self, epochs: int, steps: int) -> None:
        """Keep so many epochs of so many steps: what an epoch noted before it was stopped is dropped."""
        del self.losses[epochs * steps :]
        for name in ("train_loss", "train_accuracy", "test_loss", "test_accuracy", "lr", "seconds"):
            del getattr(self, name)[epochs:]

    def to_json(self) -> str:
        """Return everything as one JSON object."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> History:
        """Return what `to_json` wrote; raises TypeError or ValueError for anything else."""
        return cls(**json.loads(text))
