"""global_avg_pool2d_forward and global_avg_pool2d_backward."""

from __future__ import annotations

import numpy as np

from autograder.exercise import Exercise, clue, normal
from autograder.exercises.common.cases import scaled
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.operations import gradients, tensor
from autograder.exercises.rows import plain_case, public, rows, secret, varied
from cnnlab.torch_settings import one_thread


def global_avg_pool(x: np.ndarray) -> np.ndarray:
    """Average each channel, by torch."""
    with one_thread() as torch:
        return torch.nn.functional.adaptive_avg_pool2d(tensor(x), 1).numpy().astype(x.dtype)


def global_avg_pool_gradient(dout: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the gradient with respect to x, by torch's autograd."""
    (dx,) = gradients(lambda torch, leaf: torch.nn.functional.adaptive_avg_pool2d(leaf, 1), dout, x)
    return dx


def pair_of(n: int, c: int, height: int, width: int, dtype: str = "float64") -> dict:
    """Return a dout and an x of normal values."""
    return {"dout": normal(n, c, 1, 1, dtype=dtype), "x": normal(n, c, height, width, dtype=dtype)}


global_avg_pool2d_forward = Exercise(
    name="global_avg_pool2d_forward",
    returns=("y",),
    reference=global_avg_pool,
    points={"values": 2},
    cases=rows(
        plain_case,
        "values",
        public("two images of 3 channels, 4x6", x=normal(2, 3, 4, 6)),
        secret("three images of 2 channels, 5x4", x=normal(3, 2, 5, 4)),
        public("one image, one channel, 5x3", x=normal(1, 1, 5, 3)),
        secret("one image of 4 channels, 2x7", x=normal(1, 4, 2, 7)),
        public("float32, 3x2", x=normal(3, 2, 3, 2, dtype="float32")),
        secret("float32, 4x3", x=normal(2, 3, 4, 3, dtype="float32")),
        public("values near ten thousand", x=scaled(1.0, 2, 2, 3, 4, offset=1e4)),
        secret("values in the millions", x=scaled(1e6, 2, 2, 3, 5)),
    ),
    mistakes=mistakes(
        """
        axes dropped: Your output has the shape (N, C): keep the two axes, (N, C, 1, 1), with keepdims=True.
        divided by the height: You divided by H alone: a channel has H * W values.
        height only: You averaged over the rows only: average over the width as well, axis=(2, 3).
        sum: You added the channel up: divide by the number of its values, H * W.
        largest value: You took the largest value of each channel: take the average.
        channels together: You averaged over the channels too: every channel has an average of its own.
        images together: You averaged over the batch too: every image has averages of its own.
        """,
        {
            "axes dropped": lambda x: x.mean(axis=(2, 3)),
            "divided by the height": lambda x: x.sum(axis=(2, 3), keepdims=True) / x.shape[2],
            "height only": lambda x: x.mean(axis=2, keepdims=True),
            "sum": lambda x: x.sum(axis=(2, 3), keepdims=True),
            "largest value": lambda x: x.max(axis=(2, 3), keepdims=True),
            "channels together": lambda x: x.mean(axis=(1, 2, 3), keepdims=True),
            "images together": lambda x: x.mean(axis=(0, 2, 3), keepdims=True),
        },
    ),
    varied=varied(
        plain_case,
        public("plain: one channel, 4x4", x=normal(1, 1, 4, 4)),
        {
            "image that is not square": {"x": normal(1, 1, 4, 6)},
            "batch": {"x": normal(2, 1, 4, 4)},
            "channels": {"x": normal(1, 3, 4, 4)},
            "float32": {"x": normal(1, 1, 4, 4, dtype="float32")},
        },
    ),
    clues=(
        clue(
            "It is an average over the last two axes, and nothing else.",
            "height only",
            "sum",
            "largest value",
            "channels together",
            "images together",
            arguments=("batch", "channels"),
        ),
        clue(
            "x.mean takes the axes to average over, and keepdims=True keeps them with length 1.",
            "axes dropped",
            "divided by the height",
            "height only",
            arguments=("image that is not square",),
        ),
        clue(
            "return x.mean(axis=(2, 3), keepdims=True)",
            "axes dropped",
            "divided by the height",
            "height only",
            "sum",
            "largest value",
            "channels together",
            "images together",
            arguments=("batch", "channels", "image that is not square"),
        ),
    ),
)


global_avg_pool2d_backward = Exercise(
    name="global_avg_pool2d_backward",
    returns=("dx",),
    reference=global_avg_pool_gradient,
    points={"values": 2},
    cases=rows(
        plain_case,
        "values",
        public("two images of 3 channels, 4x6", **pair_of(2, 3, 4, 6)),
        secret("three images of 2 channels, 5x4", **pair_of(3, 2, 5, 4)),
        public("one image, one channel, 5x3", **pair_of(1, 1, 5, 3)),
        secret("one image of 4 channels, 2x7", **pair_of(1, 4, 2, 7)),
        public("float32, 3x2", **pair_of(3, 2, 3, 2, dtype="float32")),
        secret("float32, 4x3", **pair_of(2, 3, 4, 3, dtype="float32")),
    ),
    mistakes=mistakes(
        """
        not divided: Every pixel got the whole gradient: each has the factor 1 / (H * W) in the average.
        divided by the height: You divided by H alone: a channel has H * W values.
        divided by all values: You divided by the number of all values of x: each average is over H * W of them.
        not spread: Your gradient has the shape of dout: every pixel of x gets its share, so it has the shape of x.
        upstream gradient ignored: You passed on ones: multiply by the gradient that comes in, dout.
        times the value: You multiplied by the pixel's value: an average is linear, so the values of x do not matter.
        """,
        {
            "not divided": lambda dout, x: np.ones_like(x) * dout,
            "divided by the height": lambda dout, x: np.ones_like(x) * dout / x.shape[2],
            "divided by all values": lambda dout, x: np.ones_like(x) * dout / x.size,
            "not spread": lambda dout, x: dout / (x.shape[2] * x.shape[3]),
            "upstream gradient ignored": lambda dout, x: np.ones_like(x) / (x.shape[2] * x.shape[3]),
            "times the value": lambda dout, x: x * dout / (x.shape[2] * x.shape[3]),
        },
    ),
    varied=varied(
        plain_case,
        public("plain: one channel, 4x4", **pair_of(1, 1, 4, 4)),
        {
            "image that is not square": pair_of(1, 1, 4, 6),
            "batch": pair_of(2, 1, 4, 4),
            "channels": pair_of(1, 3, 4, 4),
            "float32": pair_of(1, 1, 4, 4, dtype="float32"),
        },
    ),
    clues=(
        clue(
            "Each of the H * W values of a channel enters its average with the same factor.",
            "not divided",
            "divided by all values",
            "times the value",
            arguments=("batch", "channels"),
        ),
        clue("dout is (N, C, 1, 1), so NumPy spreads it over an array of x's shape by itself.", "not spread"),
        clue(
            "return np.ones_like(x) * dout / (x.shape[2] * x.shape[3])",
            "not divided",
            "divided by the height",
            "divided by all values",
            "not spread",
            "upstream gradient ignored",
            "times the value",
            arguments=("batch", "channels", "image that is not square"),
        ),
    ),
)
