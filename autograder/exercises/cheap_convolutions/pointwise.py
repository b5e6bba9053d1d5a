"""conv1x1_forward and conv1x1_backward: one matrix for the channels of every pixel."""

from __future__ import annotations

import numpy as np

from autograder.exercise import Case, Exercise, Random, clue, normal
from autograder.exercises.common.cases import Things, biases, scaled
from autograder.exercises.common.mistakes import Wrong, mistakes
from autograder.exercises.common.operations import conv2d, gradients
from autograder.exercises.rows import plain_case, public, rows, secret, varied
from cnnlab.checking.wire import Value

Arrays = tuple[np.ndarray, ...]


def mixed(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Mix the channels, by torch."""
    return conv2d(x, w[:, :, None, None], b)


def mixed_backward(dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray) -> Arrays:
    """Return dx, dw, db, by torch."""
    return gradients(lambda torch, x, w, b: torch.nn.functional.conv2d(x, w[:, :, None, None], b), dout, x, w, b)


def forward_case(
    key: str, group: str, x: tuple[int, int, int, int], filters: int, dtype: str = "float64", bias: bool = True
) -> Case:
    """Return a Case of normal values from the shape of x and the number of filters."""
    arrays: dict[str, Value] = {"x": normal(*x, dtype=dtype), "w": normal(filters, x[1], dtype=dtype)}
    return Case(key, group=group, **arrays, b=biases(filters, dtype, bias))


def backward_case(
    key: str,
    group: str,
    x: tuple[int, int, int, int],
    filters: int,
    dtype: str = "float64",
    values: Random | None = None,
) -> Case:
    """Return a Case of normal values, dout among them, from the shape of x and the number of filters."""
    n, c, h, w = x
    arrays: dict[str, Value] = {"dout": normal(n, filters, h, w, dtype=dtype)}
    arrays |= {"x": values or normal(*x, dtype=dtype), "w": normal(filters, c, dtype=dtype)}
    return Case(key, group=group, **arrays, b=normal(filters, dtype=dtype))


def transposed(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("cf,nchw->nfhw", w, x) + b[:, None, None]


def reshaped_to_pixels(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    n, c, height, width = x.shape
    y = x.reshape(n, height * width, c) @ w.T + b
    return y.transpose(0, 2, 1).reshape(n, len(w), height, width)


def reshaped_batch(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    n, c, height, width = x.shape
    return (w @ x.reshape(c, -1)).reshape(n, len(w), height, width) + b[:, None, None]


def reshaped_back(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    y = mixed(x, w, b)
    return y.transpose(1, 0, 2, 3).reshape(y.shape)


THINGS: Things = {
    "batch": {"x": (2, 2, 4, 4)},
    "channels": {"x": (1, 3, 4, 4)},
    "filters": {"filters": 3},
    "image that is not square": {"x": (1, 2, 4, 6)},
    "one pixel": {"x": (1, 2, 1, 1)},
    "float32": {"dtype": "float32"},
}

conv1x1_forward = Exercise(
    name="conv1x1_forward",
    returns=("y",),
    reference=mixed,
    points={"basic": 3, "one": 1},
    cases=[
        *rows(
            forward_case,
            "basic",
            public("3 channels to 4 on two 5x3 images", (2, 3, 5, 3), 4),
            secret("2 channels to 5 on three 3x4 images", (3, 2, 3, 4), 5),
            public("as many filters as channels, 3, on 4x5 images", (2, 3, 4, 5), 3),
            secret("as many filters as channels, 4, on 3x5 images", (2, 4, 3, 5), 4),
            public("5 channels to 4 on 2x4 images", (3, 5, 2, 4), 4),
            secret("6 channels to 3 on 4x3 images", (2, 6, 4, 3), 3),
            public("float32, 4 channels to 2", (2, 4, 3, 3), 2, "float32"),
            secret("float32, 5 channels to 3", (3, 5, 2, 5), 3, "float32"),
        ),
        *rows(
            plain_case,
            "basic",
            public("values in the millions", x=scaled(1e6, 2, 3, 3, 4), w=normal(2, 3), b=normal(2)),
            secret("values near ten thousand", x=scaled(10.0, 2, 4, 2, 3, offset=1e4), w=normal(3, 4), b=normal(3)),
        ),
        *rows(
            forward_case,
            "one",
            public("one image", (1, 6, 3, 2), 5),
            secret("one 4x5 image", (1, 3, 4, 5), 4),
            public("one channel, one filter", (2, 1, 3, 5), 1),
            secret("one channel, one filter, on 2x6 images", (3, 1, 2, 6), 1),
            public("one pixel: a dense layer", (3, 4, 1, 1), 5),
            secret("one pixel of 6 channels: a dense layer", (4, 6, 1, 1), 3),
        ),
    ],
    mistakes=mistakes(
        """
        weights transposed: You read w as (C, F), but it is (F, C): row f holds the weights of output channel f.
        bias forgotten: The bias is missing: add b[f] to every value of output channel f.
        bias along the rows: You added b along the last axis, the width: reshape it to (F, 1, 1), so that channel f gets
            b[f].
        batch mixed into the channels: You reshaped a batch (N, C, H, W) to (C, -1), but reshape does not move axes, so
            images and channels are mixed up: keep the batch in front, (N, C, H*W).
        batch and filters mixed up: Your product has the filters before the batch, and reshape does not move axes: bring
            the batch to the front with transpose first.
        filters before the batch: Your y is (F, N, H, W), filters first: it is (N, F, H, W), so bring the batch to the
            front with transpose.
        pixels by reshape: Your reshape mixes channels and pixels up: (C, H*W) becomes (H*W, C) by transpose, which
            swaps axes; reshape does not.
        mean over the channels: You averaged over the channels: a layer adds the products up.
        first image for all: Every image of the batch got the output of the first one: compute each from its own x[n].
        """,
        {
            "weights transposed": transposed,
            "bias forgotten": lambda x, w, b: mixed(x, w, 0 * b),
            "bias along the rows": lambda x, w, b: mixed(x, w, 0 * b) + b,
            "batch mixed into the channels": reshaped_batch,
            "batch and filters mixed up": reshaped_back,
            "filters before the batch": lambda x, w, b: mixed(x, w, b).transpose(1, 0, 2, 3),
            "pixels by reshape": reshaped_to_pixels,
            "mean over the channels": lambda x, w, b: mixed(x, w / w.shape[1], b),
            "first image for all": lambda x, w, b: np.repeat(mixed(x[:1], w, b), len(x), axis=0),
        },
    ),
    varied=varied(
        forward_case,
        public("plain: 2 channels to 2 on a 4x4 image, no bias", x=(1, 2, 4, 4), filters=2, bias=False),
        {**THINGS, "bias": {"bias": True}},
    ),
    clues=(
        clue(
            "For one image, lay the pixels out as columns: a matrix (C, H*W). What does w times this matrix hold in row f?",
            "weights transposed",
            "pixels by reshape",
            arguments=("channels", "filters"),
        ),
        clue(
            "`x.reshape(N, C, H * W)` keeps the batch in front, and `w @` that is (N, F, H*W): w is used for every image.",
            "weights transposed",
            "batch mixed into the channels",
            "batch and filters mixed up",
            "filters before the batch",
            "pixels by reshape",
            "first image for all",
            arguments=("batch", "channels", "filters"),
        ),
        clue(
            "Add the bias as `b[:, None]`, one number for each row of (F, H*W), and reshape to (N, F, H, W).",
            "bias forgotten",
            "bias along the rows",
            arguments=("bias",),
        ),
    ),
)


def with_dw(dw: Wrong) -> Wrong:
    """Return a wrong backward: right but for dw(dout, x, w)."""

    def wrong(dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray) -> Arrays:
        dx, _, db = mixed_backward(dout, x, w, b)
        return dx, dw(dout, x, w), db

    return wrong


def with_db(db: Wrong) -> Wrong:
    """Return a wrong backward: right but for db(dout)."""

    def wrong(dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray) -> Arrays:
        return (*mixed_backward(dout, x, w, b)[:2], db(dout))

    return wrong


def weights_gradient(dout: np.ndarray, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    return mixed_backward(dout, x, w, np.zeros(len(w), x.dtype))[1]


def untransposed(dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray) -> Arrays:
    dx = np.einsum("fc,nfhw->nchw", w.T, dout)  # refused unless F = C
    return (dx, *mixed_backward(dout, x, w, b)[1:])


def of_rows(dout: np.ndarray, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    return dout.reshape(len(w), -1) @ x.reshape(w.shape[1], -1).T


conv1x1_backward = Exercise(
    name="conv1x1_backward",
    returns=("dx", "dw", "db"),
    reference=mixed_backward,
    points={"one image": 2, "batch": 4},
    cases=rows(
        backward_case,
        "one image",
        public("one 4x3 image, 3 channels to 2", (1, 3, 4, 3), 2),
        secret("one 2x5 image, 4 channels to 3", (1, 4, 2, 5), 3),
        public("one 3x5 image, as many filters as channels", (1, 4, 3, 5), 4),
        secret("one 5x4 image, as many filters as channels, 3", (1, 3, 5, 4), 3),
        public("one image, one channel, one filter", (1, 1, 2, 4), 1),
        secret("one 3x3 image, one channel, one filter", (1, 1, 3, 3), 1),
        "batch",
        public("two 3x4 images, 3 channels to 5", (2, 3, 3, 4), 5),
        secret("three 4x2 images, 2 channels to 4", (3, 2, 4, 2), 4),
        public("three 2x3 images, 3 channels to 3", (3, 3, 2, 3), 3),
        secret("two 3x3 images, 5 channels to 5", (2, 5, 3, 3), 5),
        public("five images of one pixel: a dense layer", (5, 4, 1, 1), 3),
        secret("four images of one pixel, 3 channels to 6", (4, 3, 1, 1), 6),
        public("float32, two 5x2 images", (2, 4, 5, 2), 3, "float32"),
        secret("float32, three 2x4 images", (3, 3, 2, 4), 2, "float32"),
        secret("inputs near a hundred", (2, 2, 5, 3), 3, values=scaled(1.0, 2, 2, 5, 3, offset=100.0)),
    ),
    mistakes=mistakes(
        """
        dx with w as it is: You multiplied dout by w for dx: input channel c gets w[f, c] times dout[f] from every
            filter f, which is w.T.
        dw transposed: Your dw is (C, F), the transpose of w: multiply dout by the transposed pixels, not the other way
            round.
        dw of the first image: Your dw is that of the first image: all images use the same w, so sum over them.
        dw of the last image: Your dw is that of the last image, which overwrote the others: add them up with +=.
        dw averaged over the images: You averaged dw over the images: the loss's own mean is in dout already, so sum.
        dw averaged over the pixels: You averaged dw over the pixels: every pixel used w once, so sum.
        dw averaged over images and pixels: You averaged dw over images and pixels: every pixel of every image used w
            once, so sum.
        dw of mixed images: You reshaped (N, F, H, W) to (F, -1), which mixes images and channels up in dw: keep the
            batch in front and sum over it, or transpose first.
        db averaged: You averaged dout for db: b[f] was added at every pixel of every image, so sum.
        db averaged over the images: You averaged db over the images: sum over them.
        db not summed over the images: Your db has one row for each image: b is (F,), and its gradient sums over the
            images too.
        db of the first image: Your db is that of the first image: all images use the same b, so sum over them.
        another order: You returned the gradients in another order: dx, dw, db, as the arguments come.
        """,
        {
            "dx with w as it is": untransposed,
            "dw transposed": with_dw(lambda dout, x, w: weights_gradient(dout, x, w).T),
            "dw of the first image": with_dw(lambda dout, x, w: weights_gradient(dout[:1], x[:1], w)),
            "dw of the last image": with_dw(lambda dout, x, w: weights_gradient(dout[-1:], x[-1:], w)),
            "dw averaged over the images": with_dw(lambda dout, x, w: weights_gradient(dout, x, w) / len(x)),
            "dw averaged over the pixels": with_dw(lambda dout, x, w: weights_gradient(dout, x, w) / x[0, 0].size),
            "dw averaged over images and pixels": with_dw(
                lambda dout, x, w: weights_gradient(dout, x, w) / x[:, 0].size
            ),
            "dw of mixed images": with_dw(of_rows),
            "db averaged": with_db(lambda dout: dout.mean(axis=(0, 2, 3))),
            "db averaged over the images": with_db(lambda dout: dout.sum(axis=(2, 3)).mean(axis=0)),
            "db not summed over the images": with_db(lambda dout: dout.sum(axis=(2, 3))),
            "db of the first image": with_db(lambda dout: dout[0].sum(axis=(1, 2))),
            "another order": lambda dout, x, w, b: tuple(mixed_backward(dout, x, w, b)[i] for i in (1, 0, 2)),
        },
    ),
    varied=varied(backward_case, public("plain: 2 channels to 2 on a 4x4 image", x=(1, 2, 4, 4), filters=2), THINGS),
    clues=(
        clue(
            "For one image, Z = W X + b with X of shape (C, H*W). Shapes nearly decide it: which products of dZ "
            "(F, H*W), W (F, C) and X (C, H*W) have the shapes of X and of W?",
            "dx with w as it is",
            "dw transposed",
            arguments=("channels", "filters"),
        ),
        clue(
            "dX = W.T @ dZ for each image. dW = dZ @ X.T for each image, summed over the images, for they share w.",
            "dx with w as it is",
            "dw transposed",
            "dw of the first image",
            "dw of the last image",
            "dw averaged over the images",
            "dw averaged over images and pixels",
            "dw of mixed images",
            arguments=("batch",),
        ),
        clue(
            "With x as (N, C, H*W) and dout as (N, F, H*W): `w.T @ dout`, `(dout @ x.transpose(0, 2, 1)).sum(axis=0)` "
            "and `dout.sum(axis=(0, 2))`.",
            "dx with w as it is",
            "dw transposed",
            "dw of the first image",
            "dw of the last image",
            "dw averaged over the images",
            "dw averaged over the pixels",
            "dw averaged over images and pixels",
            "dw of mixed images",
            "db averaged",
            "db averaged over the images",
            "db not summed over the images",
            "db of the first image",
            arguments=("batch", "channels", "filters"),
        ),
    ),
)
