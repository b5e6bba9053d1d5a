"""The public stacks: each sees the window that its docstring says, for every output, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from cnnlab.checking.functions import named, stacks

Pixels = tuple[list[int], list[int]]
SHAPE = (1, 3, 11, 13)


def run(first: int, count: int, step: int = 1) -> list[int]:
    return [first + step * i for i in range(count)]


# Name -> output (r, c) -> the rows and columns it sees, also those outside the image.
SEEN: dict[str, Callable[[int, int], Pixels]] = {
    "one_pixel": lambda r, c: ([r], [c]),
    "box_3x3": lambda r, c: (run(r, 3), run(c, 3)),
    "negative_box_3x3": lambda r, c: (run(r, 3), run(c, 3)),
    "box_4x2_stride_2x3": lambda r, c: (run(2 * r, 4), run(3 * c, 2)),
    "average_2x2": lambda r, c: (run(2 * r, 2), run(2 * c, 2)),
    "padded_3x3": lambda r, c: (run(r - 1, 3), run(c - 1, 3)),
    "biased_3x3": lambda r, c: (run(r - 1, 3), run(c - 1, 3)),
    "padded_after_3x3": lambda r, c: (run(r, 3), run(c, 3)),
    "two_convolutions": lambda r, c: (run(r - 2, 5), run(c - 2, 5)),
    "convolution_then_average": lambda r, c: (run(2 * r - 1, 4), run(2 * c - 1, 4)),
    "average_then_convolution": lambda r, c: (run(2 * r, 6), run(2 * c, 6)),
    "dilated_3x3": lambda r, c: (run(r, 3, 2), run(c, 3, 2)),
    "dilated_2x3": lambda r, c: (run(r, 2, 3), run(c, 3, 2)),
    "every_third_then_2x2": lambda r, c: (run(3 * r, 2, 3), run(3 * c, 2, 3)),
    "last_channel_3x3": lambda r, c: (run(r, 3), run(c, 3)),
    "channels_in_a_row": lambda r, c: ([r], run(c, SHAPE[1])),
    "first_less_last_channel": lambda r, c: (run(r - 1, 3), run(c - 1, 3)),
    "two_filters_apart": lambda r, c: (run(r, 3), run(c, 3)),
    "filter_and_its_negative": lambda r, c: (run(r - 1, 3), run(c - 1, 3)),
}

each_stack = pytest.mark.parametrize("name", stacks.FUNCTIONS)


def gradient(name: str) -> np.ndarray:
    """Return how each output changes with each input, (C, H, W, F, OH, OW): exact, as the map is linear."""
    count = int(np.prod(SHAPE))
    x = np.zeros(SHAPE)
    forward = named(name)
    changes = forward(x + np.eye(count).reshape(count, *SHAPE[1:])) - forward(x)  # (C*H*W, F, OH, OW)
    return changes.reshape(*SHAPE[1:], *changes.shape[1:])


def test_every_stack_has_its_window_written_here():
    assert list(SEEN) == list(stacks.FUNCTIONS)


@each_stack
def test_a_stack_sees_its_window_and_nothing_else(name: str):
    seen = np.any(gradient(name) != 0, axis=(0, 3))  # (H, W, OH, OW)
    for row, column in np.ndindex(seen.shape[2:]):
        rows, columns = SEEN[name](row, column)
        expected = np.zeros(SHAPE[2:], bool)
        inside = [r for r in rows if 0 <= r < SHAPE[2]], [c for c in columns if 0 <= c < SHAPE[3]]
        expected[np.ix_(*inside)] = True
        if name == "two_filters_apart":
            expected[row, column + 1 : column + 3] = expected[row + 1 : row + 3, column] = False
        np.testing.assert_array_equal(seen[:, :, row, column], expected, f"output ({row}, {column})")


@each_stack
def test_the_last_window_ends_where_no_other_fits(name: str):
    height, width = gradient(name).shape[4:]
    padded = {"padded_3x3", "biased_3x3", "two_convolutions", "filter_and_its_negative"}
    if name in padded | {"first_less_last_channel", "padded_after_3x3", "one_pixel"}:
        assert (height, width) == SHAPE[2:]
    elif name == "convolution_then_average":
        assert (height, width) == (SHAPE[2] // 2, SHAPE[3] // 2)
    else:
        beyond = [seen[-1] for seen in SEEN[name](height, width)]
        last = [seen[-1] for seen in SEEN[name](height - 1, width - 1)]
        assert all(pixel >= size for pixel, size in zip(beyond, SHAPE[2:], strict=True))
        assert all(pixel < size for pixel, size in zip(last, SHAPE[2:], strict=True))


@each_stack
def test_a_stack_takes_a_batch_and_leaves_it_as_it_was(name: str):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(4, *SHAPE[1:]))
    before = x.copy()
    together = named(name)(x)
    np.testing.assert_array_equal(x, before)
    for i in range(4):
        np.testing.assert_array_equal(named(name)(x[i : i + 1])[0], together[i])


@each_stack
def test_a_stack_is_linear_up_to_its_bias(name: str):
    rng = np.random.default_rng(5)
    forward = named(name)
    x, y = rng.normal(size=(2, *SHAPE))
    bias = forward(np.zeros(SHAPE))
    assert np.all(bias == (5 if name == "biased_3x3" else 0))
    both = forward(x + 3 * y) - bias
    np.testing.assert_allclose(both, forward(x) - bias + 3 * (forward(y) - bias), atol=1e-12)


@each_stack
def test_what_reads_a_nan_is_what_changes(name: str):
    """A NaN spreads to every output that reads it: what the reference of gradient_footprint relies on."""
    forward, slope = named(name), gradient(name)
    x = np.random.default_rng(7).normal(size=SHAPE)
    for row, column in [(0, 0), (4, 7), (10, 12), (5, 0)]:
        poisoned = x.copy()
        poisoned[0, :, row, column] = np.nan
        touched = np.any(slope[:, row, column] != 0, axis=0)  # (F, OH, OW)
        np.testing.assert_array_equal(np.isnan(forward(poisoned)[0]), touched)


def test_one_channel_is_enough_except_where_two_are_compared():
    for name in set(stacks.FUNCTIONS) - {"first_less_last_channel"}:
        changes = named(name)(np.ones((1, 1, 9, 8))) - named(name)(np.zeros((1, 1, 9, 8)))
        assert np.all(changes != 0), name
