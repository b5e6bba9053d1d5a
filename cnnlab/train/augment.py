"""Changes of a batch of images on the device: moved, flipped and with a hole, all images at once.

What is drawn and what is done with it are apart: an epoch's draws are made in a few operations from one generator, and
are the same on every process of a run.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from cnnlab.train.recipe import Recipe


@dataclass(frozen=True)
class Draws:
    """The random changes to each image of an epoch, by its place in the epoch's order; None for a change that is not made.

    down, across: (N,) int32, pixels that the view moves; flip: (N,) bool; hole_row, hole_column: (N,) int32, where the
    middle of the square without content is.
    """

    down: torch.Tensor | None = None
    across: torch.Tensor | None = None
    flip: torch.Tensor | None = None
    hole_row: torch.Tensor | None = None
    hole_column: torch.Tensor | None = None

    def part(self, which: slice) -> Draws:
        """Return the draws of some images."""
        return Draws(*(None if t is None else t[which] for t in vars(self).values()))


def draw(
    recipe: Recipe,
    order: torch.Tensor,
    size: tuple[int, int],
    epoch: int,
    generator: torch.Generator,
    first_flips: torch.Tensor | None = None,
) -> Draws:
    """Draw the changes to the images of an epoch.

    Args:
        recipe: says which changes are made.
        order: (N,) which image comes when.
        size: height and width, in pixels.
        epoch: from 0.
        generator: of the random numbers.
        first_flips: (images,) bool, which image is flipped in epochs 0, 2, 4 ... of "alternating"; the others are
            flipped in 1, 3, 5 ...
    """
    count, device = len(order), order.device

    def whole(low: int, high: int) -> torch.Tensor:
        """Whole numbers from low to high - 1: (N,) int32."""
        return torch.randint(low, high, (count,), dtype=torch.int32, device=device, generator=generator)

    down = across = flip = row = column = None
    if recipe.shift:
        down, across = (whole(-recipe.shift, recipe.shift + 1) for _ in range(2))
    if recipe.flip == "random":
        flip = whole(0, 2).bool()
    elif recipe.flip == "alternating":
        assert first_flips is not None
        flip = first_flips[order] ^ bool(epoch % 2)
    if recipe.cutout:
        row, column = whole(0, size[0]), whole(0, size[1])
    return Draws(down, across, flip, row, column)


def crop_flip(pixels: torch.Tensor, chosen: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Take images out of the data, moved and flipped as drawn, in one gathering of pixels.

    Beyond a border the image goes on mirrored, so that no shift shows a black edge. A shift reaches at most H - 1 or W - 1
    pixels. Returns (B, H, W, C) uint8.

    Args:
        pixels: (N, H, W, C) uint8.
        chosen: (B,) which images.
        draws: of these images.
    """
    count, height, width, channels = pixels.shape
    rows = torch.arange(height, dtype=torch.int32, device=pixels.device).expand(len(chosen), height)
    columns = torch.arange(width, dtype=torch.int32, device=pixels.device).expand(len(chosen), width)
    if draws.flip is not None:
        columns = torch.where(draws.flip[:, None], width - 1 - columns, columns)  # (B, W)
    if draws.down is not None and draws.across is not None:
        rows = _mirrored(rows + draws.down[:, None], height)  # (B, H)
        columns = _mirrored(columns + draws.across[:, None], width)  # (B, W)
    # 64 bits: the 60,000 images of 227 x 227 pixels would overflow 32.
    places = (chosen[:, None, None] * height + rows[:, :, None]) * width + columns[:, None, :]  # (B, H, W)
    # index_select copies whole runs of C bytes: on a CPU four times as fast as indexing with three arrays.
    picked = pixels.view(count * height * width, channels).index_select(0, places.view(-1))
    return picked.view(len(chosen), height, width, channels)


def cut_out(images: torch.Tensor, side: int, draws: Draws) -> torch.Tensor:
    """Put 0, the mean colour, into a square of each image; it is smaller where it reaches over the border.

    Args:
        images: (B, C, H, W) normalised, changed in place and returned.
        side: of the square, in pixels.
        draws: of these images.
    """
    if draws.hole_row is None or draws.hole_column is None:
        return images
    rows = _within(draws.hole_row, side, images.shape[2])  # (B, H)
    columns = _within(draws.hole_column, side, images.shape[3])  # (B, W)
    return images.masked_fill_((rows[:, :, None] & columns[:, None, :])[:, None], 0)  # (B, 1, H, W)


def _mirrored(index: torch.Tensor, size: int) -> torch.Tensor:
    """Fold places beyond the border back into 0 ... size - 1, as numpy.pad's "reflect" does."""
    return (size - 1) - ((size - 1) - index.abs()).abs()


def _within(middle: torch.Tensor, side: int, size: int) -> torch.Tensor:
    """Say which places lie in a run of `side` around each middle: (B, size) bool."""
    first = middle[:, None] - side // 2
    places = torch.arange(size, dtype=torch.int32, device=middle.device)
    return (places >= first) & (places < first + side)
