"""One training run: what it trains, with what, how far it is, and what an epoch of it does.

Data stay on the device as bytes; each batch is gathered, moved, flipped and normalised there; and within an epoch nothing
waits for the device, so that it always has the next step's work. The layout is channels_last, the types are narrower ones
where the device is built for them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from cnnlab.nn.live import LiveCurve
from cnnlab.train import checkpoint as checkpoints
from cnnlab.train.augment import Draws, crop_flip, cut_out, draw
from cnnlab.train.average import Average
from cnnlab.train.data import Data, on_device
from cnnlab.train.device import Precision
from cnnlab.train.errors import TrainError
from cnnlab.train.evaluate import Score, check_classes, measure
from cnnlab.train.failures import not_compiled, out_of_memory
from cnnlab.train.history import History
from cnnlab.train.optim import Schedule, sgd
from cnnlab.train.processes import Processes
from cnnlab.train.recipe import Recipe

AUXILIARY = 0.3  # the weight of GoogLeNet's side outputs (C. Szegedy et al., arXiv 1409.4842, section 5)


class Run:
    """One training run: what it trains, with what, and how far it is."""

    def __init__(
        self,
        network: nn.Module,
        train: Data,
        test: Data | None,
        recipe: Recipe,
        seed: int,
        precision: Precision,
        processes: Processes,
        compile: bool | str,
    ) -> None:
        self.network, self.recipe, self.seed = network, recipe, seed
        self.precision, self.processes, self.compile = precision, processes, compile
        self.device = precision.device
        try:
            self.train = on_device(train, self.device)
            self.test = None if test is None else on_device(test, self.device, like=self.train)
            network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        except Exception as error:
            raise out_of_memory(error, self.device) from None
        self.batch = self._batch_size()
        self.part = self.batch // processes.count
        self.steps = len(self.train) // self.batch
        self._check_shift()
        self.fast = _compiled(network, compile)
        self.model = processes.wrap(self.fast)
        self.optimiser = sgd(network, recipe)
        self.schedule = Schedule(self.optimiser, recipe, self.steps * recipe.epochs)
        self.scaler = precision.scaler()
        self.average = Average(network, recipe.average) if recipe.average else None
        self.history = History(
            images=self.steps * self.batch,
            device=_name(self.device),
            precision=precision.name,
            processes=processes.count,
        )
        self.epoch = 0
        self.best: tuple[int, checkpoints.Tensors] | None = None  # an epoch from 0, and its weights
        self.before: checkpoints.Tensors = {}  # the weights before the epoch that runs
        self.first_flips = self._first_flips()

    # -- an epoch -----------------------------------------------------------------------------------------------------

    def train_epoch(self, curve: LiveCurve) -> None:
        """Train for an epoch, measure, and note it all."""
        self.before = self.weights()
        self._seed()
        began = time.perf_counter()
        losses, accuracy = self._train(curve)
        seconds = time.perf_counter() - began
        score = self._measure()
        # From here on the epoch counts: everything of it is noted together.
        history = self.history
        history.losses += losses
        history.train_loss.append(sum(losses) / len(losses))
        history.train_accuracy.append(accuracy)
        history.seconds.append(seconds)
        history.lr.append(self.schedule.lr)
        if score is not None:
            history.test_loss.append(score.loss)
            history.test_accuracy.append(score.accuracy)
            curve.add_accuracy(score.accuracy)
        self.schedule.after_epoch(history.train_loss[-1] if score is None else score.loss)
        self.epoch += 1

    def _train(self, curve: LiveCurve) -> tuple[list[float], float]:
        """Train for an epoch: return each step's loss and the accuracy on the images as they were shown."""
        self.model.train()
        losses = torch.zeros(self.steps, device=self.device)
        right = torch.zeros((), device=self.device)
        # On a CPU looking at a loss costs nothing; on a GPU it would wait for all work given out so far.
        watched = self.device.type == "cpu" and self.processes.count == 1
        for step, (x, y) in enumerate(self._batches()):
            self.schedule.before_step(self.epoch * self.steps + step)
            loss, scores = self._step(x, y)
            losses[step] = loss
            right += (scores.argmax(1) == y).sum()
            if watched:
                self._tell(curve, [_finite(float(loss), self.recipe.lr)])
        share = 1 / self.processes.count
        # One wait for the device in an epoch, for everything that is wanted of it.
        sums = self.processes.total(torch.cat([losses * share, right[None]])).tolist()
        for loss in sums[:-1]:
            _finite(loss, self.recipe.lr)
        if not watched:
            self._tell(curve, sums[:-1])
        return sums[:-1], sums[-1] / (self.steps * self.batch)

    def _step(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Change the weights by one batch; return its loss and scores, both still on the device."""
        loss, scores = self._forward(x, y)
        self.optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        if self.recipe.clip is not None:
            self.scaler.unscale_(self.optimiser)
            nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        if self.average is not None:
            self.average.update()
        return loss.detach(), scores.detach()

    def _forward(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        with self.precision.autocast():
            outputs = self.model(x)
        every = outputs if isinstance(outputs, tuple) else (outputs,)
        check_classes(every[0], self.train.classes)
        smooth = self.recipe.label_smoothing
        each = [
            functional.cross_entropy(s.float(), y, label_smoothing=smooth) for s in every if s is not None
        ]
        return each[0] + AUXILIARY * sum(each[1:], torch.zeros_like(each[0])), every[0]

    def _batches(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Give this process's part of each batch of an epoch: images (B, C, H, W) and labels (B,)."""
        generator = torch.Generator(self.device).manual_seed(_mixed(self.seed, 1, self.epoch))
        order = torch.randperm(len(self.train), generator=generator, device=self.device)
        draws = draw(self.recipe, order, self.train.size, self.epoch, generator, self.first_flips)
        for step in range(self.steps):
            first = step * self.batch + self.processes.rank * self.part
            part = slice(first, first + self.part)
            yield self._images(order[part], draws.part(part)), self.train.labels[order[part]]

    def _images(self, chosen: torch.Tensor, draws: Draws) -> torch.Tensor:
        x = self.train.normalised(crop_flip(self.train.pixels, chosen, draws))
        return cut_out(x, self.recipe.cutout, draws)

    def _measure(self) -> Score | None:
        """Measure the network that would be kept, and keep its weights where they are the best so far."""
        # Norms' statistics are each process's own; the main one's are what is kept.
        self.processes.agree(self.network.buffers())
        if self.average is None:
            return self._scored()
        self.processes.agree(self.average.tensors)
        with self.average.applied():
            return self._scored()

    def _scored(self) -> Score | None:
        score = None
        if self.test is not None:
            flip = self.recipe.flip_test
            score = measure(self.fast, self.test, self.precision, flip, self.processes)
        # Without test images the latest is taken for the best.
        if score is None or score.accuracy >= max(self.history.test_accuracy, default=0.0):
            self.best = self.epoch, self.weights()
        return score

    # -- its beginning ------------------------------------------------------------------------------------------------

    def _batch_size(self) -> int:
        """Return the images a step: the recipe's, or all where there are fewer."""
        count = self.processes.count
        batch = min(self.recipe.batch, len(self.train) // count * count)
        if batch < 1 or batch % count:
            raise TrainError(
                f"A batch of {batch} images cannot be shared by {count} processes: give a batch that is a multiple "
                f"of {count}."
            )
        return batch

    def _check_shift(self) -> None:
        if self.recipe.shift >= min(self.train.size):
            raise TrainError(
                f"Images of {self.train.size[0]} x {self.train.size[1]} pixels cannot be moved by {self.recipe.shift}: "
                "give a smaller shift."
            )

    def _first_flips(self) -> torch.Tensor | None:
        if self.recipe.flip != "alternating":
            return None
        generator = torch.Generator(self.device).manual_seed(_mixed(self.seed, 0, 0))
        return torch.rand(len(self.train), generator=generator, device=self.device) < 0.5

    def _seed(self) -> None:
        """Seed dropout and the like from the epoch: a resumed run draws the same without anything being kept."""
        torch.manual_seed(_mixed(self.seed, 2 + self.processes.rank, self.epoch))

    def warm_up(self) -> None:
        """Go through a step without keeping anything of it: a GPU chooses algorithms, a compiler compiles."""
        if self.device.type != "cuda" and not self.compile:
            return
        began = time.perf_counter()
        own = self.before = self.weights()
        try:
            self.model.train()
            chosen = torch.arange(self.part, device=self.device)
            loss, _ = self._forward(self._images(chosen, Draws()), self.train.labels[chosen])
            self.scaler.scale(loss).backward()
            if self.test is not None:
                measure(self.fast, self.test, self.precision, self.recipe.flip_test, self.processes)
            loss.item()
        except Exception as error:
            raise not_compiled(error, self.device, self.batch, self.compile) from None
        finally:
            self.optimiser.zero_grad(set_to_none=True)
            checkpoints.put(checkpoints.tensors_of(self.network), own, "the warm-up")
        self.history.warm_up_seconds = time.perf_counter() - began

    # -- its end ------------------------------------------------------------------------------------------------------

    def stop(self, show: bool) -> None:
        """Take the best weights so far, and say so."""
        history, total = self.history, self.recipe.epochs
        history.cut(self.epoch, self.steps)
        history.interrupted = True
        now = min(self.epoch + 1, total)
        history.note = (
            f"Stopped in epoch {now} of {total}, before any was finished: the weights are as they were then."
        )
        if self.best is not None:
            number, weights = self.best
            checkpoints.put(checkpoints.tensors_of(self.network), weights, "the best epoch")
            measured = (
                f", test accuracy {history.test_accuracy[number]:.1%}"
                if number < len(history.test_accuracy)
                else ""
            )
            history.note = (
                f"Stopped in epoch {now} of {total}: the network has the weights after epoch {number + 1}, the best so "
                f"far{measured}."
            )
        if show:
            print(history.note)

    def restore_weights(self) -> None:
        """Put the weights back that were there before the epoch that failed."""
        if self.before:
            checkpoints.put(checkpoints.tensors_of(self.network), self.before, "the last epoch")

    # -- what a checkpoint holds --------------------------------------------------------------------------------------

    def about(self) -> dict[str, Any]:
        """Return what must be the same for a run to go on from a checkpoint."""
        return {
            **asdict(self.recipe),
            "seed": self.seed,
            "precision": self.precision.name,
            "processes": self.processes.count,
            "training images": self.train.digest,
            "test images": self.test.digest if self.test is not None else None,
        }

    def weights(self) -> checkpoints.Tensors:
        """Return copies of the network's parameters and buffers as they are now."""
        return {name: tensor.clone() for name, tensor in checkpoints.tensors_of(self.network).items()}

    def show_past_epochs(self, curve: LiveCurve) -> None:
        """Show the epochs that a checkpoint brought along."""
        for epoch in range(self.epoch):
            self._tell(curve, self.history.losses[epoch * self.steps : (epoch + 1) * self.steps])
            for accuracy in self.history.test_accuracy[epoch : epoch + 1]:
                curve.add_accuracy(accuracy)

    @staticmethod
    def _tell(curve: LiveCurve, losses: list[float]) -> None:
        for loss in losses:
            curve.add_loss(loss)


def _compiled(network: nn.Module, how: bool | str) -> nn.Module:
    if not how:
        return network
    return torch.compile(network, mode=None if how is True else how)  # type: ignore[return-value]


def _finite(loss: float, lr: float) -> float:
    if not math.isfinite(loss):
        raise TrainError(
            "The loss is no number any more, so the steps are too large: use a smaller learning rate, for example "
            f"lr={lr / 3:.2g}. The network has the weights from before this epoch."
        )
    return loss


def _mixed(*numbers: int) -> int:
    """Return one seed of 63 bits for several numbers: runs whose seeds are neighbours share no draws."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
