"""The batches of an epoch: gathered, moved, flipped, mixed and normalised on the device, from draws of the epoch's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from cnnlab.train.augment import Draws, crop_flip, cut_out, draw
from cnnlab.train.data import DeviceData
from cnnlab.train.errors import TrainError
from cnnlab.train.processes import Processes
from cnnlab.train.recipe import Recipe

# What a seed is drawn for: neighbours share nothing, because `mixed_seed` stirs them. SEED_DROPOUT takes one number for each
# process, 2, 3, 4 and so on, so that SEED_MIXUP stands far beyond.
SEED_FLIPS, SEED_ORDER, SEED_DROPOUT, SEED_MIXUP = 0, 1, 2, 3_000_000


@dataclass(frozen=True)
class Batch:
    """images: (B, C, H, W) float32; labels: (B,); targets: the labels, or (B, classes) shares where images are mixed."""

    images: torch.Tensor
    labels: torch.Tensor
    targets: torch.Tensor


class Batches:
    """One process's part of each batch of a run."""

    def __init__(self, data: DeviceData, recipe: Recipe, seed: int, processes: Processes) -> None:
        """Share the images out; raises TrainError where batch or shift do not fit them."""
        self.data, self.recipe, self.seed = data, recipe, seed
        self.rank = processes.rank
        self.layout: torch.memory_format = torch.channels_last
        self.size = _size(recipe.batch, len(data), processes.count)
        self.part = self.size // processes.count
        self.steps = len(data) // self.size
        if recipe.shift >= min(data.size):
            raise TrainError(
                f"Images of {data.size[0]} x {data.size[1]} pixels cannot be moved by {recipe.shift}: give a smaller shift."
            )
        self.first_flips = self._first_flips()

    def of(self, epoch: int) -> Iterator[Batch]:
        """Give the batches of an epoch, counted from 0: each image at most once, in an order of the epoch's own.

        The images that are left over when batches are full are others in each epoch.
        """
        data, device = self.data, self.data.device
        generator = torch.Generator(device).manual_seed(mixed_seed(self.seed, SEED_ORDER, epoch))
        order = torch.randperm(len(data), generator=generator, device=device)
        draws = draw(self.recipe, order, data.size, epoch, generator, self.first_flips)
        shares = self._shares(epoch)
        for step in range(self.steps):
            first = step * self.size + self.rank * self.part
            part = slice(first, first + self.part)
            yield self._batch(order[part], draws.part(part), shares[step])

    def first(self, count: int) -> Batch:
        """Return the first images of the data as they are."""
        return self._batch(torch.arange(count, device=self.data.device), Draws(), 1.0)

    def _batch(self, chosen: torch.Tensor, draws: Draws, share: float) -> Batch:
        pixels = crop_flip(self.data.pixels, chosen, draws)
        images = cut_out(self.data.normalised(pixels, self.layout), self.recipe.cutout, draws)
        labels = self.data.labels[chosen]
        if share == 1:
            return Batch(images, labels, labels)
        # Each image is mixed with the one at the other end of the batch, whose order is random already.
        shares = functional.one_hot(labels, self.data.classes).float()
        return Batch(
            share * images + (1 - share) * images.flip(0),
            labels,
            share * shares + (1 - share) * shares.flip(0),
        )

    def _shares(self, epoch: int) -> list[float]:
        """Return how much of each step's images is their own, where mixup mixes them."""
        if not self.recipe.mixup:
            return [1.0] * self.steps
        numbers = np.random.default_rng(mixed_seed(self.seed, SEED_MIXUP, epoch))
        return numbers.beta(self.recipe.mixup, self.recipe.mixup, self.steps).tolist()

    def _first_flips(self) -> torch.Tensor | None:
        if self.recipe.flip != "alternating":
            return None
        device = self.data.device
        generator = torch.Generator(device).manual_seed(mixed_seed(self.seed, SEED_FLIPS, 0))
        return torch.rand(len(self.data), generator=generator, device=device) < 0.5


def mixed_seed(*numbers: int) -> int:
    """Return one seed of 63 bits for several numbers: runs whose seeds are neighbours share no draws."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)


def _size(batch: int, images: int, processes: int) -> int:
    """Return the images a step: as many as wished, or all where there are fewer."""
    if images < processes:
        raise TrainError(f"{images} images cannot be shared by {processes} processes: give more images.")
    size = min(batch, images // processes * processes)
    if size % processes:
        raise TrainError(
            f"A batch of {size} images cannot be shared by {processes} processes: give a batch that is a multiple of "
            f"{processes}."
        )
    return size
