"""Small stacks of layers whose outputs depend on a known window of their input.

Each takes x (N, C, H, W) and returns (N, F, OH, OW). All are linear, some with a bias, and no weight is zero,
so what output (row, col) depends on is exactly what its docstring says; `r` and `c` are that row and column.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Stack = Callable[[np.ndarray], np.ndarray]


def one_pixel(x: np.ndarray) -> np.ndarray:
    """Double every value: F = C, and pixel (r, c) alone."""
    return 2.0 * x


def box_3x3(x: np.ndarray) -> np.ndarray:
    """Add up 3 x 3 pixels of all channels: F = 1, rows r to r + 2, columns c to c + 2."""
    return _nine(x).sum(axis=1, keepdims=True)


def negative_box_3x3(x: np.ndarray) -> np.ndarray:
    """Return the negative of box_3x3: the same window, and every weight is -1."""
    return -box_3x3(x)


def box_4x2_stride_2x3(x: np.ndarray) -> np.ndarray:
    """Add up 4 x 2 pixels of all channels: F = 1, rows 2r to 2r + 3, columns 3c to 3c + 1."""
    height, width = x.shape[2:]
    upper = x[:, :, 0 : height - 3 : 2] + x[:, :, 1 : height - 2 : 2]
    rows = upper + x[:, :, 2 : height - 1 : 2] + x[:, :, 3:height:2]
    return (rows[..., 0 : width - 1 : 3] + rows[..., 1:width:3]).sum(axis=1, keepdims=True)


def average_2x2(x: np.ndarray) -> np.ndarray:
    """Average 2 x 2 pixels of each channel, stride 2: F = C, rows 2r and 2r + 1, columns 2c and 2c + 1."""
    height, width = x.shape[2:]
    rows = x[:, :, 0 : height - 1 : 2] + x[:, :, 1:height:2]
    return (rows[..., 0 : width - 1 : 2] + rows[..., 1:width:2]) / 4


def padded_3x3(x: np.ndarray) -> np.ndarray:
    """box_3x3 inside a border of one zero: F = 1, rows r - 1 to r + 1, columns c - 1 to c + 1, in the image."""
    return box_3x3(_framed(x))


def biased_3x3(x: np.ndarray) -> np.ndarray:
    """padded_3x3 plus 5: the same window."""
    return padded_3x3(x) + 5.0


def padded_after_3x3(x: np.ndarray) -> np.ndarray:
    """box_3x3 with two zeros below and to the right: F = 1, rows r to r + 2, columns c to c + 2, in the image."""
    return box_3x3(np.pad(x, ((0, 0), (0, 0), (0, 2), (0, 2))))


def two_convolutions(x: np.ndarray) -> np.ndarray:
    """padded_3x3 twice: F = 1, rows r - 2 to r + 2, columns c - 2 to c + 2, in the image."""
    return padded_3x3(padded_3x3(x))


def convolution_then_average(x: np.ndarray) -> np.ndarray:
    """padded_3x3, then average_2x2: F = 1, rows 2r - 1 to 2r + 2, columns 2c - 1 to 2c + 2, in the image."""
    return average_2x2(padded_3x3(x))


def average_then_convolution(x: np.ndarray) -> np.ndarray:
    """average_2x2, then box_3x3: F = 1, rows 2r to 2r + 5, columns 2c to 2c + 5."""
    return box_3x3(average_2x2(x))


def dilated_3x3(x: np.ndarray) -> np.ndarray:
    """Add up 3 x 3 pixels two apart: F = 1, rows r, r + 2 and r + 4, columns c, c + 2 and c + 4."""
    rows = x[:, :, :-4] + x[:, :, 2:-2] + x[:, :, 4:]
    return (rows[..., :-4] + rows[..., 2:-2] + rows[..., 4:]).sum(axis=1, keepdims=True)


def dilated_2x3(x: np.ndarray) -> np.ndarray:
    """Add up 2 x 3 pixels: F = 1, rows r and r + 3, columns c, c + 2 and c + 4."""
    rows = x[:, :, :-3] + x[:, :, 3:]
    return (rows[..., :-4] + rows[..., 2:-2] + rows[..., 4:]).sum(axis=1, keepdims=True)


def every_third_then_2x2(x: np.ndarray) -> np.ndarray:
    """Keep every third pixel, then add up 2 x 2: F = 1, rows 3r and 3r + 3, columns 3c and 3c + 3."""
    kept = x[:, :, ::3, ::3]
    rows = kept[:, :, :-1] + kept[:, :, 1:]
    return (rows[..., :-1] + rows[..., 1:]).sum(axis=1, keepdims=True)


def last_channel_3x3(x: np.ndarray) -> np.ndarray:
    """box_3x3 of the last channel alone: F = 1, the window of box_3x3."""
    return _nine(x[:, -1:])


def channels_in_a_row(x: np.ndarray) -> np.ndarray:
    """Add up, from channel k, the pixel k to the right: F = 1, row r, columns c to c + C - 1, each in one channel."""
    channels, width = x.shape[1], x.shape[3]
    places = width - channels + 1
    return np.sum([x[:, k : k + 1, :, k : k + places] for k in range(channels)], axis=0)


def first_less_last_channel(x: np.ndarray) -> np.ndarray:
    """padded_3x3 of the first channel less that of the last, C > 1: F = 1, the window of padded_3x3."""
    return padded_3x3(x[:, :1]) - padded_3x3(x[:, -1:])


def two_filters_apart(x: np.ndarray) -> np.ndarray:
    """Two filters on 3 x 3 pixels: F = 2, pixel (r, c), and rows r + 1 and r + 2, columns c + 1 and c + 2."""
    x = x.sum(axis=1, keepdims=True)
    corner = x[:, :, 1:-1, 1:-1] + x[:, :, 2:, 1:-1] + x[:, :, 1:-1, 2:] + x[:, :, 2:, 2:]
    return np.concatenate([x[:, :, :-2, :-2], corner], axis=1)


def filter_and_its_negative(x: np.ndarray) -> np.ndarray:
    """padded_3x3 and its negative: F = 2, the window of padded_3x3; the two filters add up to zero."""
    positive = padded_3x3(x)
    return np.concatenate([positive, -positive], axis=1)


def _nine(x: np.ndarray) -> np.ndarray:
    """Add up 3 x 3 pixels of each channel."""
    rows = x[:, :, :-2] + x[:, :, 1:-1] + x[:, :, 2:]
    return rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]


def _framed(x: np.ndarray) -> np.ndarray:
    return np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))


_ALL: tuple[Stack, ...] = (
    one_pixel,
    box_3x3,
    negative_box_3x3,
    box_4x2_stride_2x3,
    average_2x2,
    padded_3x3,
    biased_3x3,
    padded_after_3x3,
    two_convolutions,
    convolution_then_average,
    average_then_convolution,
    dilated_3x3,
    dilated_2x3,
    every_third_then_2x2,
    last_channel_3x3,
    channels_in_a_row,
    first_less_last_channel,
    two_filters_apart,
    filter_and_its_negative,
)
FUNCTIONS: dict[str, Stack] = {function.__name__: function for function in _ALL}
