"""depthwise_conv2d_backward."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Unpack

import numpy as np

from autograder.exercise import Case, Exercise, clue, normal
from autograder.exercises.cheap_convolutions.depthwise import PLAIN, THINGS, Arrays, out_shape
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.operations import gradients
from autograder.exercises.common.sizes import Padding, Settings, Size, Steps, pair, sides
from autograder.exercises.common.slips import without
from autograder.exercises.rows import public, rows, secret, varied
from cnnlab.checking.wire import Value

if TYPE_CHECKING:
    from torch import Tensor


def depthwise_backward(
    dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray, stride: Size = 1, padding: Padding = 0
) -> Arrays:
    """Return dx, dw, db, by torch."""
    (top, bottom), (left, right) = sides(padding)

    def forward(torch: ModuleType, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        functional = torch.nn.functional
        padded = functional.pad(x, (left, right, top, bottom))
        return functional.conv2d(padded, w.reshape(-1, 1, *w.shape[2:]), b, pair(stride), groups=len(w))

    return gradients(forward, dout, x, w, b)


def backward_case(
    key: str, group: str, x: tuple[int, ...], w: tuple[int, ...], dtype: str = "float64", **how: Value
) -> Case:
    """Return a Case of normal values, dout among them, from the shapes of x and w."""
    shape = out_shape(x, w, how.get("stride", 1), how.get("padding", 0))
    arrays = {"dout": normal(*shape, dtype=dtype), "x": normal(*x, dtype=dtype), "w": normal(*w, dtype=dtype)}
    return Case(key, group=group, **arrays, b=normal(w[0] * w[1], dtype=dtype), **how)


def gradient_with(change: Callable[..., Value]) -> Callable[..., Arrays]:
    """Return a wrong backward: change(dx, dw, db, dout, x, w, b, **how) stands in for what it returns."""

    def wrong(dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray, **how: Unpack[Steps]) -> Arrays:
        return change(*depthwise_backward(dout, x, w, b, **how), dout, x, w, b, **how)

    return wrong


def padded_gradient(
    dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray, **how: Unpack[Settings]
) -> np.ndarray:
    """Return dx with the border that the padding added."""
    border = np.pad(x, ((0, 0), (0, 0), *sides(how.get("padding", 0))))
    return depthwise_backward(dout, border, w, b, **without(how, "padding"))[0]


def cut_to_the_corner(
    dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray, **how: Unpack[Settings]
) -> np.ndarray:
    return padded_gradient(dout, x, w, b, **how)[:, :, : x.shape[2], : x.shape[3]]


def cut_by_the_other_sides(
    dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray, **how: Unpack[Settings]
) -> np.ndarray:
    (_, bottom), (_, right) = sides(how.get("padding", 0))
    grown = padded_gradient(dout, x, w, b, **how)
    return grown[:, :, bottom : bottom + x.shape[2], right : right + x.shape[3]]


def cut_to_minus_zero(
    dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray, **how: Unpack[Settings]
) -> np.ndarray:
    (top, bottom), (left, right) = sides(how.get("padding", 0))
    return padded_gradient(dout, x, w, b, **how)[:, :, top:-bottom, left:-right]


def overwritten(dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray, **how: Unpack[Settings]) -> np.ndarray:
    """Return dx where the windows of different taps overwrite each other, filter by filter."""
    (top, bottom), (left, right) = sides(how.get("padding", 0))
    sh, sw = pair(how.get("stride", 1))
    (n, c, height, width), (_, m, kh, kw) = x.shape, w.shape
    grown = np.zeros((n, c, top + height + bottom, left + width + right), x.dtype)
    oh, ow = dout.shape[2:]
    for k in range(m):
        for u, v in np.ndindex(kh, kw):
            part = dout[:, k::m] * w[:, k, u, v, None, None]
            grown[:, :, u : u + sh * oh : sh, v : v + sw * ow : sw] = part
    return grown[:, :, top : top + height, left : left + width]


def crowded(dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray, **how: Unpack[Steps]) -> Arrays:
    """Return the gradients of a layer whose windows start one pixel apart."""
    dense = how | {"stride": 1}
    shape = out_shape(x.shape, w.shape, 1, how.get("padding", 0))
    spread = np.zeros(shape, dout.dtype)
    spread[:, :, : dout.shape[2], : dout.shape[3]] = dout
    return depthwise_backward(spread, x, w, b, **dense)


def filters_outside_gradient(
    dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray, **how: Unpack[Steps]
) -> Arrays:
    c, m = w.shape[:2]
    ordered = dout.reshape(len(dout), m, c, *dout.shape[2:]).transpose(0, 2, 1, 3, 4).reshape(dout.shape)
    return (*depthwise_backward(ordered, x, w, b, **how)[:2], dout.sum(axis=(0, 2, 3)))


def last_filter(dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray, **how: Unpack[Steps]) -> np.ndarray:
    m = w.shape[1]
    return depthwise_backward(dout[:, m - 1 :: m], x, w[:, -1:], b[m - 1 :: m], **how)[0]


depthwise_conv2d_backward = Exercise(
    name="depthwise_conv2d_backward",
    returns=("dx", "dw", "db"),
    reference=depthwise_backward,
    points={"basic": 4, "multiplier": 2, "stride": 2, "padding": 2, "together": 1},
    cases=rows(
        backward_case,
        "basic",
        public("3 channels, a 3x3 kernel on 6x5 images", (2, 3, 6, 5), (3, 1, 3, 3)),
        secret("4 channels, a 3x2 kernel on 5x6 images", (3, 4, 5, 6), (4, 1, 3, 2)),
        public("2 channels, a 2x4 kernel on one 4x6 image", (1, 2, 4, 6), (2, 1, 2, 4)),
        secret("3 channels, a 2x3 kernel on one 4x4 image", (1, 3, 4, 4), (3, 1, 2, 3)),
        public("one channel, a 3x2 kernel", (2, 1, 5, 4), (1, 1, 3, 2)),
        secret("one channel, a 2x4 kernel", (3, 1, 3, 6), (1, 1, 2, 4)),
        public("a 1x1 kernel: every channel scaled", (2, 4, 3, 2), (4, 1, 1, 1)),
        secret("a 1x1 kernel over 5 channels", (2, 5, 2, 3), (5, 1, 1, 1)),
        public("a kernel as large as the 3x4 image", (2, 3, 3, 4), (3, 1, 3, 4)),
        secret("a kernel as large as the 5x2 image", (2, 2, 5, 2), (2, 1, 5, 2)),
        public("float32", (2, 3, 4, 5), (3, 1, 3, 2), "float32"),
        secret("float32, three 4x4 images", (3, 2, 4, 4), (2, 1, 2, 3), "float32"),
        "multiplier",
        public("3 channels with 2 filters each", (2, 3, 5, 4), (3, 2, 3, 2)),
        secret("2 channels with 2 filters each", (3, 2, 4, 6), (2, 2, 3, 3)),
        public("2 channels with 3 filters each", (1, 2, 4, 5), (2, 3, 2, 3)),
        secret("4 channels with 3 filters each", (2, 4, 4, 3), (4, 3, 2, 2)),
        "stride",
        public("stride 2 on a 7x6 image", (2, 3, 7, 6), (3, 1, 3, 3), stride=2),
        secret("stride 3 on an 8x9 image", (2, 2, 8, 9), (2, 1, 4, 4), stride=3),
        public("stride (3, 2) on a 9x8 image: the last columns unused", (1, 2, 9, 8), (2, 1, 3, 3), stride=(3, 2)),
        secret("stride (2, 1) on an 8x4 image: the last row unused", (3, 3, 8, 4), (3, 1, 3, 2), stride=(2, 1)),
        "padding",
        public("padding 1 on a 5x4 image", (2, 3, 5, 4), (3, 1, 3, 3), padding=1),
        secret("padding 2 on a 4x3 image", (2, 2, 4, 3), (2, 1, 4, 3), padding=2),
        public("padding (0, 2) on a 4x3 image", (1, 2, 4, 3), (2, 1, 3, 3), padding=(0, 2)),
        secret("padding (1, 0) on a 3x6 image", (1, 3, 3, 6), (3, 1, 3, 2), padding=(1, 0)),
        public("padding ((2, 1), (0, 1)) on a 3x4 image", (2, 2, 3, 4), (2, 1, 2, 2), padding=((2, 1), (0, 1))),
        secret("padding ((0, 2), (3, 1)) on a 4x4 image", (2, 3, 4, 4), (3, 1, 3, 3), padding=((0, 2), (3, 1))),
        "together",
        public(
            "2 filters each, stride (2, 1), padding ((1, 0), (2, 1))",
            (2, 3, 7, 6),
            (3, 2, 3, 3),
            stride=(2, 1),
            padding=((1, 0), (2, 1)),
        ),
        secret(
            "3 filters each, stride (1, 2), padding ((0, 2), (1, 0))",
            (2, 2, 6, 7),
            (2, 3, 2, 3),
            stride=(1, 2),
            padding=((0, 2), (1, 0)),
        ),
    ),
    mistakes=mistakes(
        """
        dx with the kernel flipped: Your dx has the kernel the wrong way round: what tap (u, v) read from a pixel it
            gives back to that pixel, times w[c, m, u, v].
        dw flipped: Your dw is flipped: dw[c, m, u, v] multiplies dout with what tap (u, v) read, so keep the taps in
            their order.
        overlaps overwritten: Where windows overlap, each tap overwrites what the others gave to dx: add with +=.
        dw of the first image: Your dw is that of the first image: all images use the same w, so sum over them.
        dw averaged over the images: You averaged dw over the images: the loss's own mean is in dout already, so sum.
        dw averaged over the positions: You averaged dw over the positions: a tap is used at each of them, so sum.
        dw averaged over images and positions: You averaged dw over images and positions: a tap is used at each position
            of each image, so sum.
        db averaged: You averaged dout for db: b was added at every position of every image, so sum.
        db not summed over the images: Your db has one row for each image: b is (C*M,), and its gradient sums over the
            images too.
        one db for each channel: Your db has one value for each input channel: each of the C*M outputs has a bias of its
            own.
        filters outside channels: You read dout at m*C + c: the M outputs of a channel are neighbours, so filter m of
            channel c gets dout[:, c*M + m].
        dx of the last filter: Your dx comes from the last of a channel's M filters only: all of them read x, so add up
            what they give.
        stride ignored: You took the windows one pixel apart: output (i, j) read from row i * stride and column j *
            stride on.
        padding left on: Your dx still has the border: cut it down to the rows and columns of x.
        cut from the corner: You cut dx from the padded corner: x begins at row `top` and column `left` of the padded
            image.
        cut by the other sides: You cut `bottom` rows off above and `right` columns off at the left: x begins at row
            `top` and column `left` of the padded image.
        cut to minus zero: You cut with [p:-p], which is empty where p is 0: cut [top : top + H] and [left : left + W].
        another order: You returned the gradients in another order: dx, dw, db, as the arguments come.
        """,
        {
            "dx with the kernel flipped": gradient_with(
                lambda dx, dw, db, dout, x, w, b, **how: (
                    depthwise_backward(dout, x, w[:, :, ::-1, ::-1], b, **how)[0],
                    dw,
                    db,
                )
            ),
            "dw flipped": gradient_with(lambda dx, dw, db, *_, **how: (dx, dw[:, :, ::-1, ::-1], db)),
            "overlaps overwritten": gradient_with(
                lambda dx, dw, db, *given, **how: (overwritten(*given, **how), dw, db)
            ),
            "dw of the first image": gradient_with(
                lambda dx, dw, db, dout, x, w, b, **how: (dx, depthwise_backward(dout[:1], x[:1], w, b, **how)[1], db)
            ),
            "dw averaged over the images": gradient_with(lambda dx, dw, db, dout, *_, **how: (dx, dw / len(dout), db)),
            "dw averaged over the positions": gradient_with(
                lambda dx, dw, db, dout, *_, **how: (dx, dw / dout[0, 0].size, db)
            ),
            "dw averaged over images and positions": gradient_with(
                lambda dx, dw, db, dout, *_, **how: (dx, dw / dout[:, 0].size, db)
            ),
            "db averaged": gradient_with(lambda dx, dw, db, dout, *_, **how: (dx, dw, dout.mean(axis=(0, 2, 3)))),
            "db not summed over the images": gradient_with(
                lambda dx, dw, db, dout, *_, **how: (dx, dw, dout.sum(axis=(2, 3)))
            ),
            "one db for each channel": gradient_with(
                lambda dx, dw, db, dout, x, w, b, **how: (dx, dw, db.reshape(w.shape[:2]).sum(axis=1))
            ),
            "filters outside channels": filters_outside_gradient,
            "dx of the last filter": gradient_with(
                lambda dx, dw, db, *given, **how: (last_filter(*given, **how), dw, db)
            ),
            "stride ignored": crowded,
            "padding left on": gradient_with(
                lambda dx, dw, db, *given, **how: (padded_gradient(*given, **how), dw, db)
            ),
            "cut from the corner": gradient_with(
                lambda dx, dw, db, *given, **how: (cut_to_the_corner(*given, **how), dw, db)
            ),
            "cut by the other sides": gradient_with(
                lambda dx, dw, db, *given, **how: (cut_by_the_other_sides(*given, **how), dw, db)
            ),
            "cut to minus zero": gradient_with(
                lambda dx, dw, db, *given, **how: (cut_to_minus_zero(*given, **how), dw, db)
            ),
            "another order": gradient_with(lambda dx, dw, db, *_, **how: (dw, dx, db)),
        },
    ),
    varied=varied(backward_case, public("plain: 2 channels, a 2x2 kernel on a 4x4 image", **PLAIN), THINGS),
    clues=(
        clue(
            "Write the forward pass as taps: part_of_y += w[c, m, u, v] * part_of_padded. If y changes by dout, what "
            "reaches w[c, m, u, v], and what reaches that part of padded?",
            "dx with the kernel flipped",
            "dw flipped",
        ),
        clue(
            "For each tap, with s the slice that it reads: `dw[c, m, u, v]` is the sum of `dout[:, c * M + m] * padded[s]` "
            "over images and positions, and `dpadded[s]` gets `w[c, m, u, v] * dout[:, c * M + m]` added. At the end "
            "cut the border off dpadded.",
            "dx with the kernel flipped",
            "dw flipped",
            "overlaps overwritten",
            "dw of the first image",
            "dw averaged over the images",
            "dw averaged over the positions",
            "dw averaged over images and positions",
            "filters outside channels",
            "dx of the last filter",
            "padding left on",
            arguments=("batch", "padding", "filters of a channel"),
        ),
        clue(
            "With `d = dout[:, c * M + m]`: `dw[c, m, u, v] = (d * padded[s]).sum()` and `dpadded[s] += d * w[c, m, u, v]`; "
            "`db = dout.sum(axis=(0, 2, 3))`. With shifts, s is the run of the forward pass, and d is "
            "`spread.reshape(-1)[:length]`, with `spread[:, : sh * oh : sh, : sw * ow : sw] = dout[:, c * M + m]`.",
            "dx with the kernel flipped",
            "dw flipped",
            "overlaps overwritten",
            "dw of the first image",
            "dw averaged over the images",
            "dw averaged over the positions",
            "dw averaged over images and positions",
            "db averaged",
            "db not summed over the images",
            "one db for each channel",
            "filters outside channels",
            "dx of the last filter",
            "stride ignored",
            arguments=("batch", "filters of a channel", "stride", "stride as (h, w)", "stride that leaves pixels over"),
        ),
    ),
)
