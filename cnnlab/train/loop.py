"""The fast loop: the steps of `plain.py`, arranged so that a GPU never waits for Python.

Data stay on the device as bytes; each batch is made there; the layout is channels_last where the network takes it, the
types are narrower ones where the device is built for them; and within an epoch nothing waits for the device.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import torch
from torch import nn

from cnnlab.train.batches import SEED_DROPOUT, Batch, mixed_seed
from cnnlab.train.errors import TrainError
from cnnlab.train.evaluate import Score, measure
from cnnlab.train.loss import loss_of
from cnnlab.train.run import Run

Tell = Callable[[list[float]], None]  # shows losses, as the live curve does


def train_epoch(run: Run, tell: Tell) -> Score | None:
    """Train for an epoch, measure, and note it all: return the score on the test images, where there are any.

    Args:
        run: what is trained, and how.
        tell: shows the losses of steps that are over.

    Raises:
        TrainError: where the loss is no number any more.
    """
    run.before = run.weights()
    # seeded from the epoch: a resumed run draws the same dropout without anything being kept
    torch.manual_seed(mixed_seed(run.seed, SEED_DROPOUT + run.processes.rank, run.epoch))
    began = time.perf_counter()
    losses, accuracy = _steps(run, tell)
    seconds = time.perf_counter() - began
    score = _measured(run)
    # From here on the epoch counts: everything of it is noted together.
    run.history.add_epoch(losses, accuracy, seconds, run.schedule.lr, score)
    run.schedule.after_epoch(run.history.train_loss[-1] if score is None else score.loss)
    run.epoch += 1
    return score


def _steps(run: Run, tell: Tell) -> tuple[list[float], float]:
    """Take the steps of an epoch: return their losses, and the accuracy on the images as they were shown."""
    run.model.train()
    losses = torch.zeros(run.batches.steps, device=run.device)
    right = torch.zeros((), device=run.device)
    # On a CPU looking at a loss costs nothing; on a GPU it would wait for all work given out so far.
    watched = run.device.type == "cpu" and run.processes.count == 1
    for step, batch in enumerate(run.batches.of(run.epoch)):
        run.schedule.before_step(run.epoch * run.batches.steps + step)
        losses[step], scores = _step(run, batch)
        right += (scores.argmax(1) == batch.labels).sum()
        if watched:
            tell([_finite(float(losses[step]), run.recipe.lr)])
    # One wait for the device in an epoch, for everything that is wanted of it.
    share = 1 / run.processes.count
    *means, count = run.processes.total(torch.cat([losses * share, right[None]])).tolist()
    for loss in means:
        _finite(loss, run.recipe.lr)
    if not watched:
        tell(means)
    return means, count / (run.batches.steps * run.batches.size)


def _step(run: Run, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Change the weights by one batch; return its loss and scores, both still on the device."""
    run.optimiser.zero_grad(set_to_none=True)
    with run.precision.autocast():
        outputs = run.model(batch.images)
    loss, scores = loss_of(outputs, batch.targets, run.recipe.label_smoothing)
    run.scaler.scale(loss).backward()
    if run.recipe.clip is not None:
        run.scaler.unscale_(run.optimiser)
        nn.utils.clip_grad_norm_(run.network.parameters(), run.recipe.clip)
    run.scaler.step(run.optimiser)
    run.scaler.update()
    if run.average is not None:
        run.average.update()
    return loss.detach(), scores.detach()


def _measured(run: Run) -> Score | None:
    """Measure the network that would be kept, and keep its weights where they are the best so far."""
    # Norms' statistics are each process's own; the main one's are what is kept.
    run.processes.agree(run.network.buffers())
    if run.average is None:
        return _scored(run)
    run.processes.agree(run.average.tensors)
    with run.average.applied():
        return _scored(run)


def _scored(run: Run) -> Score | None:
    score = None
    if run.test is not None:
        flip = run.recipe.flip_test
        score = measure(run.fast, run.test, run.precision, flip, run.processes, run.batches.layout)
    # Without test images the latest is taken for the best.
    if score is None or score.accuracy >= max(run.history.test_accuracy, default=0.0):
        # the averaged weights, where there is an average: they are in the network now
        run.best = run.epoch, run.weights()
    return score


def _finite(loss: float, lr: float) -> float:
    if not math.isfinite(loss):
        raise TrainError(
            "The loss is no number any more, so the steps are too large: use a smaller learning rate, for example "
            f"lr={lr / 3:.2g}. The network has the weights from before this epoch."
        )
    return loss
