"""Data on the device and their augmentation, against the same done image by image with NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnlab.train import DeviceData, Recipe, TrainError
from cnnlab.train.augment import Draws, crop_flip, cut_out, draw
from cnnlab.train.batches import Batches
from cnnlab.train.data import on_device
from cnnlab.train.processes import Processes
from tests.cnnlab.train.train_parts import drawn

N, H, W = 40, 7, 10  # not square, so that rows and columns cannot be mistaken for each other


def some_images(channels: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (N, channels, H, W), np.uint8), random.integers(0, 4, N)


def drawn_for(recipe: Recipe, count: int = N, epoch: int = 0, seed: int = 0, **more: torch.Tensor) -> Draws:
    generator = torch.Generator().manual_seed(seed)
    return draw(recipe, torch.arange(count), (H, W), epoch, generator, **more)


def slow_crop_flip(image: np.ndarray, shift: int, down: int, across: int, flip: bool) -> np.ndarray:
    """One image: padded by its mirror image, a window of its own size cut out, and that flipped."""
    padded = np.pad(image, ((0, 0), (shift, shift), (shift, shift)), mode="reflect")
    window = padded[:, shift + down : shift + down + H, shift + across : shift + across + W]
    return window[:, :, ::-1] if flip else window


@pytest.mark.parametrize("shift", [0, 1, 4, 6])
@pytest.mark.parametrize("flip", ["none", "random"])
@pytest.mark.parametrize("channels", [1, 3])
def test_crops_and_flips_are_those_of_a_loop_over_images(shift: int, flip: str, channels: int) -> None:
    images, labels = some_images(channels)
    data = DeviceData(images, labels)
    draws = drawn_for(Recipe(shift=shift, flip=flip))
    chosen = torch.randperm(N, generator=torch.Generator().manual_seed(3))
    got = crop_flip(data.pixels, chosen, draws)
    for place, index in enumerate(chosen.tolist()):
        down = 0 if draws.down is None else int(draws.down[place])
        across = 0 if draws.across is None else int(draws.across[place])
        turned = draws.flip is not None and bool(draws.flip[place])
        expected = slow_crop_flip(images[index], shift, down, across, turned)
        np.testing.assert_array_equal(got[place].permute(2, 0, 1).numpy(), expected)


@pytest.mark.parametrize("side", [1, 2, 3, 8, 25])
def test_cutout_is_that_of_a_loop_over_images(side: int) -> None:
    images = torch.randn(N, 3, H, W, generator=torch.Generator().manual_seed(0))
    draws = drawn_for(Recipe(cutout=side))
    assert draws.hole_row is not None and draws.hole_column is not None
    expected = images.numpy().copy()
    for n in range(N):
        top, left = int(draws.hole_row[n]) - side // 2, int(draws.hole_column[n]) - side // 2
        expected[n, :, max(top, 0) : max(top + side, 0), max(left, 0) : max(left + side, 0)] = 0
    np.testing.assert_array_equal(cut_out(images.clone(), side, draws).numpy(), expected)
    assert (expected == 0).any()


def test_draws_cover_their_range_evenly_and_follow_the_seed() -> None:
    recipe = Recipe(shift=2, flip="random", cutout=4)
    many = drawn_for(recipe, count=20_000)
    assert many.down is not None and many.across is not None and many.flip is not None
    assert many.hole_row is not None and many.hole_column is not None
    for values, low, high in (
        (many.down, -2, 2),
        (many.across, -2, 2),
        (many.hole_row, 0, H - 1),
        (many.hole_column, 0, W - 1),
        (many.flip.int(), 0, 1),
    ):
        shares = torch.bincount(values - low).float() / len(values)
        assert len(shares) == high - low + 1
        # six standard deviations of a share over 20,000 draws
        assert (shares - 1 / len(shares)).abs().max() < 6 * (0.25 / 20_000) ** 0.5
    # the moves down and across have nothing to do with each other
    assert abs(float(torch.corrcoef(torch.stack([many.down, many.across]).float())[0, 1])) < 0.05
    again, other = drawn_for(recipe, count=20_000), drawn_for(recipe, count=20_000, seed=1)
    assert again.across is not None and other.across is not None
    assert torch.equal(many.across, again.across) and not torch.equal(many.across, other.across)


def test_alternating_flips_show_every_image_both_ways_in_two_epochs() -> None:
    first = torch.arange(N) % 3 == 0
    order = torch.randperm(N, generator=torch.Generator().manual_seed(0))
    seen = []
    for epoch in range(4):
        draws = draw(Recipe(flip="alternating"), order, (H, W), epoch, torch.Generator(), first)
        flipped = torch.zeros(N, dtype=torch.bool)
        assert draws.flip is not None
        flipped[order] = draws.flip
        seen.append(flipped)
    assert torch.equal(seen[0], first) and torch.equal(seen[1], ~first)
    assert torch.equal(seen[2], seen[0]) and torch.equal(seen[3], seen[1])


def test_nothing_asked_for_changes_nothing() -> None:
    images, labels = some_images()
    data = DeviceData(images, labels)
    chosen = torch.arange(N)
    pixels = crop_flip(data.pixels, chosen, drawn_for(Recipe()))
    assert torch.equal(pixels, data.pixels)
    x = data.normalised(pixels)
    assert torch.equal(cut_out(x.clone(), 0, Draws()), x)


def test_normalised_images_have_mean_0_and_spread_1_and_lie_in_channels_last() -> None:
    images, labels = some_images()
    data = DeviceData(images, labels)
    x = data.range(0, N)
    assert x.shape == (N, 3, H, W) and x.is_contiguous(memory_format=torch.channels_last)
    by_hand = images / 255.0
    mean, std = by_hand.mean((0, 2, 3)), by_hand.std((0, 2, 3))
    np.testing.assert_allclose(data.mean.numpy(), mean, rtol=1e-6)
    np.testing.assert_allclose(data.std.numpy(), std, rtol=1e-6)
    expected = (by_hand - mean[:, None, None]) / std[:, None, None]
    np.testing.assert_allclose(x.numpy(), expected, atol=1e-5)


def test_test_images_are_normalised_as_the_training_images_are() -> None:
    train, test = (
        DeviceData(*some_images()),
        DeviceData(*some_images(seed=1), like=DeviceData(*some_images())),
    )
    assert torch.equal(train.mean, test.mean) and torch.equal(train.std, test.std)


def test_grey_images_without_a_channel_axis_are_taken() -> None:
    images, labels = some_images(1)
    data = DeviceData(images[:, 0], labels)
    assert data.pixels.shape == (N, H, W, 1) and data.size == (H, W)
    assert torch.equal(data.pixels, DeviceData(images, labels).pixels)


def test_images_of_one_colour_do_not_divide_by_zero() -> None:
    data = DeviceData(np.full((4, 3, 5, 5), 7, np.uint8), np.zeros(4, int))
    assert torch.isfinite(data.range(0, 4)).all()


def test_two_sets_that_differ_in_one_pixel_or_label_have_other_digests() -> None:
    images, labels = drawn(20)
    other_images, other_labels = images.copy(), labels.copy()
    other_images[3, 1, 2, 2] ^= 1
    other_labels[5] = (other_labels[5] + 1) % 5
    digests = {
        DeviceData(*pair).digest
        for pair in ((images, labels), (other_images, labels), (images, other_labels))
    }
    assert len(digests) == 3
    assert DeviceData(images, labels).digest in digests


@pytest.mark.parametrize(
    ("images", "labels", "says"),
    [
        (np.zeros((4, 3, 5, 5), np.float32), np.zeros(4, int), "uint8"),
        (np.zeros((4, 5), np.uint8), np.zeros(4, int), "shape"),
        (np.zeros((4, 3, 5, 5), np.uint8), np.zeros(3, int), "one whole number an image"),
        (np.zeros((4, 3, 5, 5), np.uint8), np.zeros(4), "one whole number an image"),
        (np.zeros((0, 3, 5, 5), np.uint8), np.zeros(0, int), "one whole number an image"),
        (np.zeros((4, 3, 5, 5), np.uint8), np.array([0, 1, -1, 2]), "from 0"),
    ],
)
def test_what_are_no_labelled_images_is_said(images: np.ndarray, labels: np.ndarray, says: str) -> None:
    with pytest.raises(TrainError, match=says):
        DeviceData(images, labels)


def test_test_images_with_other_channels_are_said() -> None:
    with pytest.raises(TrainError, match="1 channels and the training images 3"):
        DeviceData(*some_images(1), like=DeviceData(*some_images(3)))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_gathers_the_same_pixels_as_a_cpu() -> None:
    images, labels = some_images()
    draws = drawn_for(Recipe(shift=2, flip="random", cutout=3))
    there = Draws(*(None if t is None else t.cuda() for t in vars(draws).values()))
    here, away = DeviceData(images, labels), DeviceData(images, labels, "cuda")
    a = crop_flip(here.pixels, torch.arange(N), draws)
    b = crop_flip(away.pixels, torch.arange(N, device="cuda"), there)
    assert torch.equal(a, b.cpu())
    torch.testing.assert_close(
        cut_out(here.normalised(a), 3, draws), cut_out(away.normalised(b), 3, there).cpu()
    )


def test_mixup_mixes_images_and_labels_by_the_same_share() -> None:
    images = np.zeros((8, 1, 4, 4), np.uint8)
    images[4:] = 255
    labels = np.repeat([0, 1], 4)
    recipe = Recipe(batch=8, mixup=0.5)
    batches = Batches(DeviceData(images, labels), recipe, seed=1, processes=Processes())
    seen = set()
    for epoch in range(4):
        (batch,) = batches.of(epoch)
        low, high = batches.data.range(0, 1)[0, 0, 0, 0], batches.data.range(7, 8)[0, 0, 0, 0]
        assert batch.targets.shape == (8, 2) and torch.allclose(batch.targets.sum(1), torch.ones(8))
        # an image of the second class is white, so how white a mixture is says how much of it is of that class
        white = (batch.images[:, 0, 0, 0] - low) / (high - low)
        torch.testing.assert_close(white, batch.targets[:, 1])
        seen.update(round(float(share), 4) for share in batch.targets[:, 1])
        (again,) = batches.of(epoch)
        assert torch.equal(batch.images, again.images)
    assert len(seen - {0.0, 1.0}) >= 4, "each batch has a share of its own"
    for batch in Batches(DeviceData(images, labels), Recipe(batch=8), 1, Processes()).of(0):
        assert batch.targets is batch.labels


def test_data_that_are_there_already_are_normalised_as_asked_and_keep_their_own_moments() -> None:
    own, other = DeviceData(*some_images(seed=1)), DeviceData(*some_images())
    before = own.range(0, 4)
    found = on_device(own, torch.device("cpu"), like=other)
    assert found.pixels is own.pixels and torch.equal(found.mean, other.mean)
    expected = DeviceData(*some_images(seed=1), like=other).range(0, 4)
    assert torch.equal(found.range(0, 4), expected) and not torch.equal(before, expected)
    assert on_device(own, torch.device("cpu")) is own and torch.equal(own.range(0, 4), before)
