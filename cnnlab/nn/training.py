"""A training loop with a progress bar and a live curve."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from cnnlab import layers
from cnnlab.nn.layer import Layer
from cnnlab.nn.live import LiveCurve
from cnnlab.nn.optimiser import SGD


class Diverged(ArithmeticError):
    """The loss is no number any more."""


@dataclass
class History:
    """The course of a training run.

    losses: one a step; accuracies: of the test images, in [0, 1], one an epoch; seconds: wall time, without
    the tests; interrupted: whether it was stopped before its end.
    """

    losses: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False


def predict(network: Layer, images: np.ndarray, batch: int = 256) -> np.ndarray:
    """Return the class with the highest score for each image: (N,) int64.

    The network is left in the mode in which it was.

    Args:
        network: gives a score for each class.
        images: (N, C, H, W).
        batch: images at a time, which bounds the memory.
    """
    training = network.training
    network.eval()
    try:
        scores = [network(images[i : i + batch]) for i in range(0, len(images), batch)]
    finally:
        network.train(training)
    return np.concatenate([s.argmax(axis=1) for s in scores]) if scores else np.zeros(0, np.int64)


def accuracy(network: Layer, images: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of images, in [0, 1], that the network gives their label.

    Args:
        network: gives a score for each class.
        images: (N, C, H, W).
        labels: (N,) int, the right class of each.
    """
    return float(np.mean(predict(network, images) == labels))


def fit(
    network: Layer,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    epochs: int,
    rng: np.random.Generator,
    batch: int = 64,
    lr: float = 0.05,
    momentum: float = 0.9,
    weight_decay: float = 5e-4,
    test: tuple[np.ndarray, np.ndarray] | None = None,
    augment: Callable[[np.ndarray, np.random.Generator], np.ndarray] | None = None,
    show: bool = True,
) -> History:
    """Train a network by SGD, with a learning rate that rises for a fifth of the steps and then falls to zero.

    Ctrl-C ends the training and keeps what was learned.

    Args:
        network: trained in place, and left in eval mode.
        images: (N, C, H, W).
        labels: (N,) int, the right class of each image.
        epochs: passes over the images.
        rng: draws the order of the images.
        batch: images a step.
        lr: the highest learning rate.
        momentum: the share of the velocity that a step keeps.
        weight_decay: as in `SGD`.
        test: images and labels to measure after each epoch.
        augment: (batch, rng) -> batch, changes images before each step.
        show: a progress bar, and in a notebook a live curve.

    Raises:
        ValueError: where images and labels do not belong together.
        Diverged: where the loss is no number any more.
    """
    if len(images) != len(labels) or not len(images):
        raise ValueError(f"there are {len(images)} images and {len(labels)} labels; give one label an image")
    history, optimiser = History(), SGD(network, lr, momentum, weight_decay)
    steps = epochs * math.ceil(len(images) / batch)
    curve = LiveCurve(steps, show)
    network.train()
    try:
        for _ in range(epochs):
            order = rng.permutation(len(images))
            began = time.perf_counter()
            for first in range(0, len(images), batch):
                chosen = order[first : first + batch]
                x = images[chosen] if augment is None else augment(images[chosen], rng)
                optimiser.lr = lr * _share(len(history.losses), steps)
                loss = _step(network, optimiser, x, labels[chosen])
                history.losses.append(loss)
                curve.add_loss(loss)
            history.seconds += time.perf_counter() - began
            if test is not None:
                history.accuracies.append(accuracy(network, *test))
                curve.add_accuracy(history.accuracies[-1])
    except KeyboardInterrupt:
        history.interrupted = True
    finally:
        curve.close()
        network.eval()
    return history


def _step(network: Layer, optimiser: SGD, x: np.ndarray, labels: np.ndarray) -> float:
    loss, dscores = layers.softmax_cross_entropy(network(x), labels)
    if not math.isfinite(loss):
        raise Diverged("the loss is no number any more: use a smaller learning rate, for example a third")
    network.backward(dscores)
    optimiser.step()
    return float(loss)


def _share(step: int, steps: int) -> float:
    """The share of the highest learning rate that a step takes: up for a fifth of the steps, then down."""
    rising = max(steps / 5, 1)
    return min((step + 1) / rising, (steps - step) / max(steps - rising, 1))
