"""gradient_footprint: the pixels that an output depends on, measured from outside."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.exercise import Exercise, clue
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.receptive_field.fields import whole
from autograder.exercises.rows import plain_case, public, rows, secret, varied
from cnnlab.checking.way import Way
from cnnlab.checking.wire import Value

Forward = Callable[[np.ndarray], np.ndarray]
Shape = tuple[int, int, int, int]


def poisoned(forward: Forward, x_shape: Shape, row: int, col: int) -> np.ndarray:
    """Make one pixel NaN, all channels at once, and see whether the output reads it and is NaN too."""
    seen = np.zeros(x_shape[2:], bool)
    for pixel in np.ndindex(seen.shape):
        x = np.zeros(x_shape)
        x[(0, slice(None), *pixel)] = np.nan
        seen[pixel] = np.isnan(forward(x)[0, :, row, col]).any()
    return seen


def slopes(forward: Forward, x_shape: Shape) -> np.ndarray:
    """Return how much every output rises with every input: (C, H, W, F, OH, OW)."""
    changes = []
    for index in np.ndindex(x_shape[1:]):
        x = np.zeros(x_shape)
        x[(0, *index)] = 1
        changes.append(forward(x)[0] - forward(np.zeros(x_shape))[0])
    return np.reshape(changes, (*x_shape[1:], *changes[0].shape))


def seen_by(look: Callable[[np.ndarray], Value]) -> Callable[..., Value]:
    """Return a wrong footprint: look(what the output rises by, (C, H, W, F))."""
    return lambda forward, x_shape, row, col: look(slopes(forward, x_shape)[..., row, col])


def never_set_back(forward: Forward, x_shape: Shape, row: int, col: int) -> Value:
    """Step into the same image again and again: all that comes after the first hit counts as seen."""
    hit = np.any(slopes(forward, x_shape)[..., row, col] != 0, axis=-1)  # (C, H, W)
    return np.logical_or.accumulate(hit.ravel()).reshape(hit.shape).any(axis=0)


def box_around(seen: np.ndarray) -> np.ndarray:
    rows, columns = (between(np.asarray(seen.any(axis=axis))) for axis in (1, 0))
    return np.outer(rows, columns)


def between(hit: np.ndarray) -> np.ndarray:
    return np.logical_or.accumulate(hit) & np.logical_or.accumulate(hit[::-1])[::-1]


def without_baseline(forward: Forward, x_shape: Shape, row: int, col: int) -> Value:
    """Compare with zero, not with the output of the image before the step."""
    raw = slopes(forward, x_shape)[..., row, col] + forward(np.zeros(x_shape))[0, :, row, col]
    return np.any(raw != 0, axis=(0, 3))


def swapped(forward: Forward, x_shape: Shape, row: int, col: int) -> Value:
    return np.any(slopes(forward, x_shape)[..., col, row] != 0, axis=(0, 3))


def outlined(seen: Callable[[np.ndarray], np.ndarray]) -> Callable[..., np.ndarray]:
    """Return a wrong footprint made of the right one."""
    return lambda forward, x_shape, row, col: seen(poisoned(forward, x_shape, row, col))


gradient_footprint = Exercise(
    name="gradient_footprint",
    returns=("footprint",),
    reference=poisoned,
    points={"basic": 2, "borders": 1, "stacks": 1, "gaps": 1, "channels": 2, "filters": 2},
    way=Way(functions=("forward",)),
    cases=rows(
        plain_case,
        "basic",
        public("a single pixel", forward="one_pixel", x_shape=(1, 1, 4, 5), row=1, col=3),
        secret(
            "a single pixel of two channels",
            forward="one_pixel",
            x_shape=(1, 2, 7, 6),
            row=whole(1, 2),
            col=whole(3, 5),
        ),
        public("a 3x3 sum over a 6x7 image", forward="box_3x3", x_shape=(1, 1, 6, 7), row=0, col=2),
        secret(
            "a 3x3 sum with negative weights",
            forward="negative_box_3x3",
            x_shape=(1, 1, 9, 8),
            row=whole(3, 5),
            col=whole(0, 2),
        ),
        public("4x2 pixels, stride (2, 3)", forward="box_4x2_stride_2x3", x_shape=(1, 1, 9, 8), row=1, col=0),
        secret(
            "4x2 pixels, stride (2, 3), on a larger image",
            forward="box_4x2_stride_2x3",
            x_shape=(1, 2, 12, 13),
            row=whole(0, 1),
            col=whole(2, 3),
        ),
        public("a 3x3 sum, every weight -1", forward="negative_box_3x3", x_shape=(1, 1, 5, 7), row=2, col=1),
        "borders",
        public("a corner with padding", forward="padded_3x3", x_shape=(1, 1, 5, 6), row=4, col=0),
        secret(
            "a border with padding below and to the right",
            forward="padded_after_3x3",
            x_shape=(1, 1, 6, 8),
            row=5,
            col=whole(1, 4),
        ),
        public("padding and a bias of 5", forward="biased_3x3", x_shape=(1, 1, 6, 5), row=0, col=2),
        secret("a border with padding and a bias", forward="biased_3x3", x_shape=(1, 1, 8, 9), row=whole(2, 6), col=0),
        "stacks",
        public("two padded 3x3 sums", forward="two_convolutions", x_shape=(1, 1, 8, 9), row=3, col=5),
        secret(
            "2x2 averages, then a 3x3 sum",
            forward="average_then_convolution",
            x_shape=(1, 1, 14, 12),
            row=whole(2, 4),
            col=whole(0, 1),
        ),
        public(
            "a padded 3x3 sum, then 2x2 averages",
            forward="convolution_then_average",
            x_shape=(1, 1, 10, 9),
            row=2,
            col=1,
        ),
        secret(
            "two padded 3x3 sums on a larger image",
            forward="two_convolutions",
            x_shape=(1, 1, 11, 10),
            row=whole(1, 4),
            col=whole(6, 8),
        ),
        "gaps",
        secret(
            "every third pixel, then 2x2",
            forward="every_third_then_2x2",
            x_shape=(1, 1, 11, 14),
            row=whole(0, 1),
            col=whole(2, 3),
        ),
        public("3x3 pixels, two apart", forward="dilated_3x3", x_shape=(1, 1, 8, 7), row=1, col=0),
        secret(
            "2x3 pixels with gaps between",
            forward="dilated_2x3",
            x_shape=(1, 1, 9, 10),
            row=whole(0, 2),
            col=whole(3, 4),
        ),
        "channels",
        public(
            "three channels, the last alone is read", forward="last_channel_3x3", x_shape=(1, 3, 5, 6), row=1, col=2
        ),
        secret(
            "four channels, the last alone is read",
            forward="last_channel_3x3",
            x_shape=(1, 4, 7, 6),
            row=whole(2, 4),
            col=whole(0, 1),
        ),
        public(
            "first channel less last channel", forward="first_less_last_channel", x_shape=(1, 2, 6, 6), row=2, col=4
        ),
        secret(
            "first channel less last of three",
            forward="first_less_last_channel",
            x_shape=(1, 3, 5, 8),
            row=whole(0, 2),
            col=whole(3, 6),
        ),
        public("each channel read at another place", forward="channels_in_a_row", x_shape=(1, 3, 4, 7), row=2, col=1),
        secret(
            "each of four channels read at another place",
            forward="channels_in_a_row",
            x_shape=(1, 4, 6, 9),
            row=whole(3, 5),
            col=whole(0, 2),
        ),
        "filters",
        public(
            "two filters that look at different pixels", forward="two_filters_apart", x_shape=(1, 1, 6, 7), row=1, col=3
        ),
        secret(
            "two filters that look at different pixels of two channels",
            forward="two_filters_apart",
            x_shape=(1, 2, 7, 9),
            row=whole(0, 2),
            col=whole(3, 5),
        ),
        public("a filter and its negative", forward="filter_and_its_negative", x_shape=(1, 2, 5, 7), row=3, col=5),
        secret(
            "a filter and its negative on a larger image",
            forward="filter_and_its_negative",
            x_shape=(1, 1, 8, 6),
            row=whole(4, 6),
            col=whole(1, 3),
        ),
    ),
    clues=[
        clue(
            "You have nothing but `forward`: change one number of an image, run it again, and compare the outputs "
            "at (row, col) with those of the unchanged image.",
            "any output counts",
            "row and column swapped",
            "compared with zero",
            arguments=("col", "padding and a bias"),
        ),
        clue(
            "Change one channel of one pixel at a time, always from the same unchanged image, and look at all "
            "filters: forward(changed)[0, :, row, col] against forward(x)[0, :, row, col].",
            "first channel only",
            "all channels moved together",
            "first filter only",
            "any output counts",
            "row and column swapped",
            "pixel not set back",
            "compared with zero",
            arguments=("channels", "channels that cancel", "filters", "padding and a bias"),
        ),
        clue(
            "Loop over np.ndindex(C, H, W); where any filter's output differs, set footprint[i, j] = True.",
            "first channel only",
            "later channels overwrite",
            "all channels moved together",
            "first filter only",
            "filters added up",
            "only rises count",
            "gaps filled",
            "footprint transposed",
            "numbers in place of booleans",
            "channels kept",
            arguments=(
                "channels",
                "channels that cancel",
                "channels read at other places",
                "filters",
                "filters that cancel",
                "negative weights",
                "dilation",
                "image that is not square",
            ),
        ),
    ],
    mistakes=mistakes(
        """
        first channel only: You changed the first channel only: a pixel belongs to the footprint if any of its channels
            does.
        later channels overwrite: You kept what the last channel said: a pixel that one channel marked has to stay
            marked, so only ever set True.
        all channels moved together: You changed all channels of a pixel by the same amount, and opposite weights
            cancel: change one channel at a time.
        first filter only: You looked at the first filter only: a pixel counts if it changes the output of any filter.
        filters added up: You added up the changes of all filters, and opposite ones cancel: compare filter by filter.
        only rises count: You counted only outputs that rise, but a negative weight makes them fall: compare with !=, or
            take the absolute value.
        any output counts: You marked a pixel that changes any output: look at output (row, col) alone.
        row and column swapped: You looked at output (col, row): the row comes first.
        pixel not set back: You never set a pixel back, so that every later image differs too: start each time from the
            unchanged image.
        compared with zero: You asked whether the output is zero, but a bias keeps it from that: compare with the output
            of the unchanged image.
        gaps filled: You marked the whole box from the first pixel to the last: leave out those between that change
            nothing.
        footprint transposed: Your footprint is (W, H): rows come first.
        numbers in place of booleans: You returned how much the output changes: return whether it does, as booleans.
        channels kept: You returned a footprint for each channel: a pixel is seen if any of its channels is, so join
            them into (H, W).
        """,
        {
            "first channel only": seen_by(lambda rise: np.any(rise[0] != 0, axis=-1)),
            "later channels overwrite": seen_by(lambda rise: np.any(rise[-1] != 0, axis=-1)),
            "all channels moved together": seen_by(lambda rise: np.any(rise.sum(axis=0) != 0, axis=-1)),
            "first filter only": seen_by(lambda rise: np.any(rise[..., 0] != 0, axis=0)),
            "filters added up": seen_by(lambda rise: np.any(rise.sum(axis=-1) != 0, axis=0)),
            "only rises count": seen_by(lambda rise: np.any(rise > 0, axis=(0, 3))),
            "any output counts": lambda forward, x_shape, row, col: np.any(
                slopes(forward, x_shape) != 0, axis=(0, 3, 4, 5)
            ),
            "row and column swapped": swapped,
            "pixel not set back": never_set_back,
            "compared with zero": without_baseline,
            "gaps filled": outlined(box_around),
            "footprint transposed": outlined(np.transpose),
            "numbers in place of booleans": seen_by(lambda rise: np.abs(rise).sum(axis=(0, 3))),
            "channels kept": seen_by(lambda rise: np.any(rise != 0, axis=-1)),
        },
    ),
    varied=varied(
        plain_case,
        public("plain: a 3x3 sum over a 6x6 image", forward="last_channel_3x3", x_shape=(1, 1, 6, 6), row=1, col=1),
        {
            "col": {"col": 2},
            "image that is not square": {"x_shape": (1, 1, 6, 8)},
            "channels": {"x_shape": (1, 3, 6, 6)},
            "channels that cancel": {"forward": "first_less_last_channel", "x_shape": (1, 2, 6, 6)},
            "channels read at other places": {"forward": "channels_in_a_row", "x_shape": (1, 3, 6, 6)},
            "filters": {"forward": "two_filters_apart"},
            "filters that cancel": {"forward": "filter_and_its_negative"},
            "negative weights": {"forward": "negative_box_3x3"},
            "padding": {"forward": "padded_3x3"},
            "padding and a bias": {"forward": "biased_3x3"},
            "stride": {"forward": "box_4x2_stride_2x3"},
            "dilation": {"forward": "dilated_3x3"},
        },
    ),
)
