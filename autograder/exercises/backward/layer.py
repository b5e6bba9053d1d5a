"""conv2d_backward: the three gradients of the convolution layer."""

from __future__ import annotations

from typing import Unpack

import numpy as np

from autograder.exercise import Exercise, clue
from autograder.exercises.backward.operations import conv2d_gradients, layer_gradient_case, positions
from autograder.exercises.common.cases import DILATIONS, layers, scaled
from autograder.exercises.common.mistakes import Wrong, mistakes
from autograder.exercises.common.sizes import DilatedSteps, Settings, sides, turned
from autograder.exercises.rows import plain_case, public, rows, secret, varied
from cnnlab.checking.way import Way
from cnnlab.checking.wire import Value

Gradients = tuple[np.ndarray, ...]


def with_dx(change: Wrong) -> Wrong:
    """Return a wrong backward whose dx is that of the changed filters `change(w)`."""

    def wrong(dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray, **how: Unpack[Settings]) -> Gradients:
        _, dw, db = conv2d_gradients(dout, x, w, b, **how)
        return conv2d_gradients(dout, x, change(w), b, **how)[0], dw, db

    return wrong


def with_dw(change: Wrong) -> Wrong:
    """Return a wrong backward that makes `change(dw)` of dw."""

    def wrong(dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray, **how: Unpack[Settings]) -> Gradients:
        dx, dw, db = conv2d_gradients(dout, x, w, b, **how)
        return dx, change(dw), db

    return wrong


def with_db(find: Wrong) -> Wrong:
    """Return a wrong backward whose db is `find(dout)`."""

    def wrong(dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray, **how: Unpack[Settings]) -> Gradients:
        dx, dw, _ = conv2d_gradients(dout, x, w, b, **how)
        return dx, dw, find(dout)

    return wrong


def averaged(dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray, **how: Unpack[Settings]) -> Gradients:
    dx, dw, db = conv2d_gradients(dout, x, w, b, **how)
    return dx, dw / len(x), db / len(x)


def weights_of_one_image(
    dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray, **how: Unpack[Settings]
) -> Gradients:
    """Find dw anew for each image, and keep the last."""
    dx, _, db = conv2d_gradients(dout, x, w, b, **how)
    return dx, conv2d_gradients(dout[-1:], x[-1:], w, b, **how)[1], db


def moved(dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray, how: dict[str, Value]) -> Gradients:
    """Go backward with other settings, where dout is cut or filled up with zeros to the outputs they give."""
    where = {name: value for name, value in how.items() if name != "groups"}
    out = positions(x.shape[2:], w.shape[2:], **where)  # type: ignore[arg-type]
    fitted = np.zeros((*dout.shape[:2], *out), dout.dtype)
    rows, columns = min(out[0], dout.shape[2]), min(out[1], dout.shape[3])
    fitted[:, :, :rows, :columns] = dout[:, :, :rows, :columns]
    return conv2d_gradients(fitted, x, w, b, **how)


def with_setting(name: str, change: Wrong) -> Wrong:
    """Return a wrong backward that works with `change(value)` of one setting."""

    def wrong(dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray, **how: Unpack[Settings]) -> Gradients:
        default = 0 if name == "padding" else 1
        return moved(dout, x, w, b, {**how, name: change(how.get(name, default))})

    return wrong


def padding_kept(dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray, **how: Unpack[Settings]) -> Gradients:
    (top, bottom), (left, right) = sides(how.get("padding", 0))
    padded = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    return conv2d_gradients(dout, padded, w, b, **{**how, "padding": 0})


def first_corner(dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray, **how: Unpack[Settings]) -> Gradients:
    dx, dw, db = padding_kept(dout, x, w, b, **how)
    return dx[:, :, : x.shape[2], : x.shape[3]], dw, db


def as_one_group(
    dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray, groups: int = 1, **how: Unpack[DilatedSteps]
) -> Gradients:
    """Multiply all filters with all channels, which does not fit where there are groups."""
    if groups > 1:
        raise ValueError("shapes do not match")
    return conv2d_gradients(dout, x, w, b, **how)


def first_group(
    dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray, groups: int = 1, **how: Unpack[DilatedSteps]
) -> Gradients:
    """Let every filter read the first group's channels."""
    c = w.shape[1]
    dx, dw, db = conv2d_gradients(dout, x[:, :c], w, b, **how)
    whole = np.zeros_like(x)
    whole[:, :c] = dx
    return whole, dw, db


def dealt_out(
    dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray, groups: int = 1, **how: Unpack[DilatedSteps]
) -> Gradients:
    """Deal the filters out to the groups in turn: filter f reads group f mod G."""
    order = np.argsort(np.arange(len(w)) % groups, kind="stable")
    dx, dw, db = conv2d_gradients(dout[:, order], x, w[order], b[order], groups=groups, **how)
    back = np.argsort(order)
    return dx, dw[back], db[back]


PLAIN, THINGS = layers(channels=4, filters=4)

conv2d_backward = Exercise(
    name="conv2d_backward",
    returns=("dx", "dw", "db"),
    reference=conv2d_gradients,
    points={"basic": 4, "stride": 2, "padding": 2, "dilation": 1, "groups": 3, "together": 1, "speed": 2},
    way=Way(speed="conv2d_backward"),
    cases=[
        *rows(
            layer_gradient_case,
            "basic",
            public("a 3x3 kernel on 6x5 images", x=(2, 3, 6, 5), w=(4, 3, 3, 3)),
            secret("a 2x3 kernel on 5x7 images", x=(3, 2, 5, 7), w=(3, 2, 2, 3)),
            secret("a 3x3 kernel on 4x6 images", x=(2, 4, 4, 6), w=(2, 4, 3, 3)),
            public("one image, one channel, one filter: a 3x2 kernel on 5x4", x=(1, 1, 5, 4), w=(1, 1, 3, 2)),
            secret("one image, one channel, one filter: a 1x4 kernel on 3x6", x=(1, 1, 3, 6), w=(1, 1, 1, 4)),
            public("a 1x1 kernel over 3 channels", x=(2, 3, 4, 3), w=(5, 3, 1, 1)),
            secret("a 1x1 kernel over 5 channels", x=(2, 5, 3, 3), w=(4, 5, 1, 1)),
            public("a kernel as large as the 3x4 image", x=(3, 2, 3, 4), w=(2, 2, 3, 4)),
            secret("a kernel as large as the 5x2 image", x=(2, 3, 5, 2), w=(4, 3, 5, 2)),
            public("float32", x=(2, 2, 4, 5), w=(3, 2, 2, 3), dtype="float32"),
            secret("float32 on one 6x4 image", x=(1, 3, 6, 4), w=(2, 3, 3, 2), dtype="float32"),
        ),
        *rows(
            plain_case,
            "basic",
            public(
                "values in the thousands",
                dout=scaled(1e3, 2, 2, 3, 4),
                x=scaled(1e3, 2, 2, 4, 5),
                w=scaled(1e3, 2, 2, 2, 2),
                b=scaled(1e3, 2),
            ),
        ),
        *rows(
            layer_gradient_case,
            "stride",
            public("stride 2 on a 7x6 image", x=(2, 2, 7, 6), w=(3, 2, 3, 3), stride=2),
            secret("stride 3 on an 8x9 image", x=(2, 3, 8, 9), w=(2, 3, 2, 4), stride=3),
            public("stride (3, 2) on a 9x8 image: pixels in no window", x=(1, 2, 9, 8), w=(2, 2, 2, 2), stride=(3, 2)),
            secret("stride (1, 2) on a 4x9 image", x=(3, 1, 4, 9), w=(2, 1, 3, 3), stride=(1, 2)),
            "padding",
            public("padding 1 on a 5x4 image", x=(2, 2, 5, 4), w=(2, 2, 3, 3), padding=1),
            secret("padding 2 on a 4x2 image", x=(2, 3, 4, 2), w=(2, 3, 4, 3), padding=2),
            public("padding (0, 2) on a 4x3 image", x=(1, 3, 4, 3), w=(2, 3, 3, 3), padding=(0, 2)),
            secret("padding (1, 0) on a 3x6 image", x=(1, 2, 3, 6), w=(3, 2, 3, 2), padding=(1, 0)),
            public("padding ((2, 1), (0, 1)) on a 3x4 image", x=(2, 2, 3, 4), w=(3, 2, 2, 2), padding=((2, 1), (0, 1))),
            secret("padding ((0, 2), (3, 1)) on a 4x4 image", x=(2, 2, 4, 4), w=(2, 2, 3, 3), padding=((0, 2), (3, 1))),
            "dilation",
            public("dilation 2 on an 8x7 image", x=(2, 2, 8, 7), w=(3, 2, 3, 3), dilation=2),
            secret("dilation 3 on a 7x9 image", x=(2, 2, 7, 9), w=(2, 2, 2, 2), dilation=3),
            public("dilation (1, 2) on a 5x8 image", x=(1, 2, 5, 8), w=(2, 2, 2, 3), dilation=(1, 2)),
            secret("dilation (2, 1) on an 8x4 image", x=(1, 3, 8, 4), w=(2, 3, 3, 2), dilation=(2, 1)),
            "groups",
            public("2 groups of 2 channels, 4 filters", x=(2, 4, 5, 4), w=(4, 2, 3, 3), groups=2),
            secret("2 groups of 3 channels, 4 filters", x=(2, 6, 4, 5), w=(4, 3, 2, 2), groups=2),
            public("3 groups of 2 channels, 6 filters", x=(1, 6, 4, 4), w=(6, 2, 2, 3), groups=3),
            secret("4 groups of 2 channels, 8 filters", x=(1, 8, 3, 4), w=(8, 2, 3, 2), groups=4),
            public("depthwise: as many groups as channels", x=(2, 3, 5, 5), w=(3, 1, 3, 2), groups=3),
            secret("depthwise over 2 channels with three filters each", x=(3, 2, 5, 4), w=(6, 1, 3, 2), groups=2),
            "together",
            public(
                "stride (2, 1), padding ((1, 0), (2, 1)), dilation (1, 2), 2 groups",
                x=(2, 4, 7, 6),
                w=(6, 2, 3, 3),
                stride=(2, 1),
                padding=((1, 0), (2, 1)),
                dilation=(1, 2),
                groups=2,
            ),
            secret(
                "stride (1, 2), padding ((0, 2), (1, 0)), dilation (2, 1), 3 groups",
                x=(2, 6, 6, 7),
                w=(6, 2, 2, 3),
                stride=(1, 2),
                padding=((0, 2), (1, 0)),
                dilation=(2, 1),
                groups=3,
            ),
        ),
    ],
    clues=(
        "Take one image and one group, forget the rest: its output is filters @ cols. The two product rules of "
        "the table above give dw and the gradient of cols, and col2im, once its own check passes, takes the latter "
        "home.",
        clue(
            "dw and db add up over the images, dx does not. dout of one image and group is a matrix (F/G, OH*OW); "
            "its columns' rows are one run of C/G*KH*KW.",
            "dw of the last image",
            "averaged over the batch",
            "db for each image",
            "db averaged over the images",
            "groups ignored",
            "first group for every filter",
            "filters dealt out in turn",
            arguments=("batch", "groups"),
        ),
        clue(
            "With cols = layers.im2col(...) of shape (G, R, L), filters (G, F/G, R) and grad (G, F/G, L): dw += grad @ "
            "cols.transpose(0, 2, 1), and dcols = filters.transpose(0, 2, 1) @ grad goes through col2im.",
            "filters flipped for dx",
            "dw flipped",
            "dw in another order",
            "dw of the last image",
            "averaged over the batch",
            "upstream gradient ignored",
            "groups ignored",
            "first group for every filter",
            "filters dealt out in turn",
            arguments=("batch", "groups"),
        ),
    ),
    mistakes=mistakes(
        """
        filters flipped for dx: Your dx has the filters the wrong way round: flip them if you slide them over dout, and
            do not if you add windows up with col2im.
        dw flipped: Your dw is flipped: w[f, c, u, v] met padded[..., i + u, j + v], so dw cross-correlates.
        dw in another order: The values of dw are in the wrong order: its rows come in the order C, KH, KW, as the
            windows do.
        dw of the last image: Your dw is that of the last image alone: all images use the same weights, so their
            gradients add up.
        averaged over the batch: You divided dw and db by the number of images: they add up; if the loss is a mean, dout
            has the division in it.
        upstream gradient ignored: You did as if every output counted once: multiply by dout, the loss's gradient for
            each output.
        db for each image: Your db still has the batch axis: one bias serves all images, so sum over them too.
        db averaged: You took the mean of dout for db: the bias is added at each position, so its gradient is the sum.
        db averaged over the images: You took the mean over the images for db: they all use the same bias, so its
            gradients add up.
        bias forgotten: Your db is all zeros: the bias adds to every output, so db[f] is the sum of dout[:, f].
        order exchanged: You returned dw before dx: the gradients come in the order of the arguments, dx, dw, db.
        stride ignored: You left out the stride: output (i, j) read from row i * stride and column j * stride on, and
            its gradient goes back there.
        stride swapped: You moved down by the stride's width and across by its height: (h, w) is height first.
        padding kept: Your dx still has the padding: cut it off, so that it has the shape of x.
        cut at the first corner: You kept the upper left corner of the padded image's gradient: x begins at row top,
            column left.
        padding sides swapped: You swapped the sides of the padding: the pairs are (top, bottom) and (left, right).
        dilation ignored: You left out the dilation: the taps of a window lie `dilation` pixels apart, on the way back
            too.
        groups ignored: You multiplied all filters with all channels: with groups, each run of filters has its own run
            of channels, on the way back too.
        first group for every filter: All your filters send their gradient to the first group's channels: group g goes
            to the g-th run.
        filters dealt out in turn: You dealt the filters out to the groups in turn: the first F / groups filters belong
            to the first group.
        """,
        {
            "filters flipped for dx": with_dx(lambda w: w[:, :, ::-1, ::-1]),
            "dw flipped": with_dw(lambda dw: dw[:, :, ::-1, ::-1]),
            "dw in another order": with_dw(
                lambda dw: dw.transpose(0, 2, 3, 1).reshape(dw.shape) if dw.shape[1] > 1 else dw.swapaxes(2, 3)
            ),
            "dw of the last image": weights_of_one_image,
            "averaged over the batch": averaged,
            "upstream gradient ignored": lambda dout, x, w, b, **how: conv2d_gradients(
                np.ones_like(dout), x, w, b, **how
            ),
            "db for each image": with_db(lambda dout: dout.sum(axis=(2, 3))),
            "db averaged": with_db(lambda dout: dout.mean(axis=(0, 2, 3))),
            "db averaged over the images": with_db(lambda dout: dout.mean(axis=0).sum(axis=(1, 2))),
            "bias forgotten": with_db(lambda dout: np.zeros(dout.shape[1], dout.dtype)),
            "order exchanged": lambda dout, x, w, b, **how: tuple(
                conv2d_gradients(dout, x, w, b, **how)[i] for i in (1, 0, 2)
            ),
            "stride ignored": with_setting("stride", lambda value: 1),
            "stride swapped": with_setting("stride", lambda value: turned(value)),
            "padding kept": padding_kept,
            "cut at the first corner": first_corner,
            "padding sides swapped": with_setting("padding", lambda value: tuple(side[::-1] for side in sides(value))),
            "dilation ignored": with_setting("dilation", lambda value: 1),
            "groups ignored": as_one_group,
            "first group for every filter": first_group,
            "filters dealt out in turn": dealt_out,
        },
    ),
    varied=varied(
        layer_gradient_case,
        public("plain: a 2x2 kernel on a 4x4 image, 4 channels, 4 filters", **PLAIN),
        {**THINGS, **DILATIONS, "groups": {"w": (4, 2, 2, 2), "groups": 2}},
    ),
)
