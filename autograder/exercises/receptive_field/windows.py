"""receptive_field and input_window: how much of the input one output sees, and where it lies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograder.exercise import Exercise, Mistake, Random
from autograder.exercises.rows import group, public, secret

Sized = tuple[int, int, int]  # kernel, stride, dilation
Placed = tuple[int, int, int, int]  # kernel, stride, padding, dilation


def pixels(layers: Sequence[Placed], unit: int) -> set[int]:
    """Follow one output back to the input, layer by layer: every position that it reads along one axis."""
    seen = {unit}
    for kernel, stride, padding, dilation in reversed(layers):
        seen = {stride * place - padding + dilation * tap for place in seen for tap in range(kernel)}
    return seen


def unpadded(layers: Sequence[Sized]) -> list[Placed]:
    return [(kernel, stride, 0, dilation) for kernel, stride, dilation in layers]


def span(layers: Sequence[Sized]) -> int:
    """From the first to the last input that output 0 reads."""
    seen = pixels(unpadded(layers), 0)
    return max(seen) - min(seen) + 1


def backwards(layers: Sequence[Sized]) -> int:
    """A wrong size: from the output to the input, one stride too many in each layer."""
    size = 1
    for kernel, stride, dilation in reversed(layers):
        size = size * stride + dilation * (kernel - 1)
    return size


def drawn(count: int, *ranges: tuple[int, int]) -> Random:
    """`count` layers; each number of a layer from its range, both ends included."""

    def draw(rng: np.random.Generator) -> list[tuple[int, ...]]:
        return [tuple(int(rng.integers(low, high + 1)) for low, high in ranges) for _ in range(count)]

    return Random(draw)


def then(fixed: list[tuple[int, ...]], more: Random) -> Random:
    """The fixed layers, then drawn ones."""
    return Random(lambda rng: fixed + more.draw(rng))


def whole(low: int, high: int) -> Random:
    """One whole number, both ends included."""
    return Random(lambda rng: int(rng.integers(low, high + 1)))


def folded(
    add: Callable[[int, int, int, int], int],
    onward: Callable[[int, int, int], int] = lambda jump, stride, dilation: jump * stride,
    first: int = 1,
) -> Callable[..., int]:
    """Return a wrong receptive_field that adds add(kernel, stride, dilation, jump) for each layer."""

    def wrong(layers: Sequence[Sized]) -> int:
        size, jump = first, 1
        for kernel, stride, dilation in layers:
            size += add(kernel, stride, dilation, jump)
            jump = onward(jump, stride, dilation)
        return size

    return wrong


receptive_field = Exercise(
    name="receptive_field",
    returns=("size",),
    reference=span,
    points={"one": 1, "stack": 1, "stride": 2, "dilation": 1, "gaps": 1, "together": 1},
    cases=[
        *group(
            "one",
            public("no layer: a pixel sees itself", layers=[]),
            public("one layer: kernel 5", layers=[(5, 1, 1)]),
            secret("one layer", layers=drawn(1, (6, 12), (1, 1), (1, 1))),
            public("one layer: kernel 4, stride 2", layers=[(4, 2, 1)]),
            secret("one layer with a stride", layers=drawn(1, (6, 12), (2, 5), (1, 1))),
        ),
        *group(
            "stack",
            public("two layers: kernels 3 and 3", layers=[(3, 1, 1), (3, 1, 1)]),
            secret("three layers", layers=drawn(3, (3, 8), (1, 1), (1, 1))),
            public("kernels 7, 1, 2 and 3", layers=[(7, 1, 1), (1, 1, 1), (2, 1, 1), (3, 1, 1)]),
            secret("six layers", layers=drawn(6, (1, 5), (1, 1), (1, 1))),
        ),
        *group(
            "stride",
            public("kernel 5, stride 2, then kernel 3", layers=[(5, 2, 1), (3, 1, 1)]),
            secret(
                "kernel 7, stride 2, then three layers with strides",
                layers=then([(7, 2, 1)], drawn(3, (4, 6), (2, 3), (1, 1))),
            ),
            public("kernel 3, then kernel 2, stride 2", layers=[(3, 1, 1), (2, 2, 1)]),
            secret(
                "kernel 6, stride 3, then two layers with strides",
                layers=then([(6, 3, 1)], drawn(2, (3, 5), (2, 3), (1, 1))),
            ),
            public(
                "strides 2, 3 and 2 between kernels 3, 4, 5 and 2", layers=[(3, 2, 1), (4, 3, 1), (5, 2, 1), (2, 1, 1)]
            ),
            public(
                "LeNet-5: kernel 5, pooling 2, kernel 5, pooling 2", layers=[(5, 1, 1), (2, 2, 1), (5, 1, 1), (2, 2, 1)]
            ),
        ),
        *group(
            "dilation",
            public("one layer: kernel 3, dilation 4", layers=[(3, 1, 4)]),
            secret("one layer with a dilation", layers=drawn(1, (4, 7), (1, 1), (2, 5))),
            public("kernel 3 with dilations 1, 2 and 4", layers=[(3, 1, 1), (3, 1, 2), (3, 1, 4)]),
            secret("three layers with dilations", layers=drawn(3, (2, 4), (1, 1), (2, 4))),
        ),
        *group(
            "gaps",
            public(
                "kernel 1, stride 3, then kernel 2: from the first pixel to the last", layers=[(1, 3, 1), (2, 1, 1)]
            ),
            secret(
                "kernel 2, stride 4, then kernel 1, stride 2, then two more: the strides leave gaps",
                layers=then([(2, 4, 1), (1, 2, 1)], drawn(2, (2, 4), (1, 1), (1, 1))),
            ),
        ),
        *group(
            "together",
            public(
                "kernel 3, stride 2, dilation 2, then kernel 3, dilation 3, stride 2, then kernel 4",
                layers=[(3, 2, 2), (3, 2, 3), (4, 1, 1)],
            ),
            secret("strides and dilations", layers=drawn(4, (2, 4), (2, 3), (2, 3))),
        ),
    ],
    clues=[
        "Take the layers one after another and keep two numbers: the field so far, and how many pixels lie "
        "between neighbours in the map that the next layer reads.",
        "Both numbers start at 1. A layer adds dilation * (kernel - 1) steps of the map that it reads; only "
        "then does its own stride count.",
        "In the loop: size += dilation * (kernel - 1) * jump, then jump *= stride.",
    ],
    mistakes=[
        Mistake(
            "kernel in place of kernel - 1",
            "You added the whole kernel for each layer: its first value is in the field already, so a layer adds "
            "kernel - 1 steps.",
            folded(lambda kernel, stride, dilation, jump: (dilation * (kernel - 1) + 1) * jump),
        ),
        Mistake(
            "starts at zero",
            "You are one short: a unit without layers sees one pixel, so begin with 1.",
            folded(lambda kernel, stride, dilation, jump: dilation * (kernel - 1) * jump, first=0),
        ),
        Mistake(
            "own stride included",
            "You multiplied a layer's steps by its own stride as well: its kernel steps over the map below, so "
            "only the strides of earlier layers count.",
            folded(lambda kernel, stride, dilation, jump: dilation * (kernel - 1) * jump * stride),
        ),
        Mistake(
            "order reversed",
            "You took the layers in the wrong order: the list starts at the input, and a stride widens the "
            "steps of the layers after it.",
            lambda layers: span(layers[::-1]),
        ),
        Mistake(
            "strides ignored",
            "You left the strides out: after a stride, neighbours in the map are several pixels apart.",
            folded(lambda kernel, stride, dilation, jump: dilation * (kernel - 1)),
        ),
        Mistake(
            "one stride too many on the way back",
            "You went back through a layer with r * stride, but r neighbours have only r - 1 steps between them: "
            "before the kernel they span (r - 1) * stride + 1.",
            backwards,
        ),
        Mistake(
            "last stride only",
            "You used only the stride of the layer before: the strides of all earlier layers multiply.",
            folded(
                lambda kernel, stride, dilation, jump: dilation * (kernel - 1) * jump,
                lambda jump, stride, dilation: stride,
            ),
        ),
        Mistake(
            "dilation ignored",
            "You left the dilation out: a kernel spans dilation * (kernel - 1) steps.",
            folded(lambda kernel, stride, dilation, jump: (kernel - 1) * jump),
        ),
        Mistake(
            "dilated kernel too large",
            "You took dilation * kernel as the kernel's span, but there is no gap after its last value: it is "
            "dilation * (kernel - 1) + 1.",
            folded(lambda kernel, stride, dilation, jump: (dilation * kernel - 1) * jump),
        ),
        Mistake(
            "dilation kept in the jump",
            "You multiplied the jump by the dilation: that spreads one kernel's values only, and the outputs "
            "still lie `stride` apart.",
            folded(
                lambda kernel, stride, dilation, jump: dilation * (kernel - 1) * jump,
                lambda jump, stride, dilation: jump * stride * dilation,
            ),
        ),
        Mistake(
            "kernels multiplied",
            "You multiplied the kernels, but neighbouring windows overlap: each layer adds to the field, and "
            "only strides multiply.",
            lambda layers: int(np.prod([dilation * (kernel - 1) + 1 for kernel, _, dilation in layers])),
        ),
        Mistake(
            "pixels counted",
            "You counted the pixels that are read: the field goes from the first to the last of them, with "
            "whatever gaps lie between.",
            lambda layers: len(pixels(unpadded(layers), 0)),
        ),
    ],
)


def both(along: Callable[[Sequence[Placed], int], Any]) -> Callable[..., Any]:
    """Return an input_window that takes along(layers, unit) for the rows and for the columns."""
    return lambda layers, row, col: (along(layers, row), along(layers, col))


def window(layers: Sequence[Placed], unit: int) -> tuple[int, int]:
    """The first input that an output reads along one axis, and the one after the last."""
    seen = pixels(layers, unit)
    return min(seen), max(seen) + 1


def moved(layers: Sequence[Placed], unit: int, by: int) -> tuple[int, int]:
    first, end = window(layers, unit)
    return first + by, end + by


def changed(layers: Sequence[Placed], **what: int) -> list[Placed]:
    """Return the layers with some of their numbers replaced."""
    names = ("kernel", "stride", "padding", "dilation")
    rows = [{**dict(zip(names, layer, strict=True)), **what} for layer in layers]
    return [(row["kernel"], row["stride"], row["padding"], row["dilation"]) for row in rows]


def shift(layers: Sequence[Placed]) -> int:
    """How far padding moves the first window: to the left, so negative."""
    return window(layers, 0)[0]


def shift_by_own_stride(layers: Sequence[Placed]) -> int:
    """The shift with each padding counted in steps of the layer's own output."""
    return sum(shift([*changed(layers[:i], padding=0), layer]) * layer[1] for i, layer in enumerate(layers))


def centred(layers: Sequence[Placed], unit: int) -> tuple[int, int]:
    start, end = window(changed(layers, padding=0), unit)
    back = (end - start - 1) // 2
    return start - back, end - back


def exchanged(layers: Sequence[Placed], unit: int) -> tuple[int, int]:
    """The window where padding and dilation are read for each other; a dilation may then be 0."""
    return window([(kernel, stride, dilation, padding) for kernel, stride, padding, dilation in layers], unit)


input_window = Exercise(
    name="input_window",
    returns=("rows", "columns"),
    reference=both(window),
    points={"basic": 1, "stride": 2, "padding": 2, "dilation": 1, "together": 2},
    cases=[
        *group(
            "basic",
            public("no layer: pixel (2, 5)", layers=[], row=2, col=5),
            secret("one layer", layers=drawn(1, (4, 9), (1, 1), (0, 0), (1, 1)), row=3, col=whole(4, 9)),
            public("one layer: kernel 3", layers=[(3, 1, 0, 1)], row=2, col=4),
            secret("three layers", layers=drawn(3, (2, 6), (1, 1), (0, 0), (1, 1)), row=whole(5, 9), col=1),
            public("kernels 5 and 2, the first output of its row", layers=[(5, 1, 0, 1), (2, 1, 0, 1)], row=3, col=0),
        ),
        *group(
            "stride",
            public("kernel 3, stride 2", layers=[(3, 2, 0, 1)], row=4, col=1),
            secret(
                "one layer with a stride",
                layers=drawn(1, (2, 6), (2, 5), (0, 0), (1, 1)),
                row=whole(1, 4),
                col=whole(5, 9),
            ),
            public(
                "kernel 4, stride 3, then kernel 3, then kernel 2, stride 2",
                layers=[(4, 3, 0, 1), (3, 1, 0, 1), (2, 2, 0, 1)],
                row=2,
                col=5,
            ),
            secret(
                "kernel 5, stride 2, then three layers with strides",
                layers=then([(5, 2, 0, 1)], drawn(3, (3, 4), (2, 3), (0, 0), (1, 1))),
                row=whole(5, 9),
                col=whole(1, 4),
            ),
        ),
        *group(
            "padding",
            public("kernel 3, padding 1 at the corner: the window begins outside", layers=[(3, 1, 1, 1)], row=0, col=0),
            secret(
                "one layer with padding, at the corner", layers=drawn(1, (5, 7), (1, 1), (2, 3), (1, 1)), row=0, col=0
            ),
            public("kernel 3, padding 1, three times", layers=[(3, 1, 1, 1)] * 3, row=8, col=1),
            secret(
                "three layers with padding",
                layers=drawn(3, (4, 6), (1, 1), (2, 3), (1, 1)),
                row=whole(1, 3),
                col=whole(20, 29),
            ),
            public(
                "kernel 5, stride 2, padding 2, then kernel 3, padding 1",
                layers=[(5, 2, 2, 1), (3, 1, 1, 1)],
                row=5,
                col=3,
            ),
            secret(
                "kernel 7, stride 3, padding 3, then two layers with padding",
                layers=then([(7, 3, 3, 1)], drawn(2, (3, 5), (2, 3), (1, 2), (1, 1))),
                row=whole(5, 9),
                col=whole(1, 4),
            ),
        ),
        *group(
            "dilation",
            public("kernel 3, dilation 4", layers=[(3, 1, 0, 4)], row=1, col=6),
            public("kernel 3 with dilation 1, then 2", layers=[(3, 1, 0, 1), (3, 1, 0, 2)], row=7, col=2),
            secret(
                "two layers with dilations",
                layers=drawn(2, (3, 5), (1, 1), (0, 0), (2, 4)),
                row=whole(1, 4),
                col=whole(5, 9),
            ),
        ),
        *group(
            "together",
            public("AlexNet's first three layers", layers=[(11, 4, 0, 1), (3, 2, 0, 1), (5, 1, 2, 1)], row=13, col=0),
            secret(
                "strides, paddings and dilations in four layers",
                layers=drawn(4, (2, 4), (2, 3), (1, 2), (2, 3)),
                row=whole(1, 4),
                col=whole(5, 9),
            ),
            public(
                "strides, paddings and dilations in three layers",
                layers=[(3, 2, 1, 2), (2, 3, 2, 3), (5, 2, 1, 1)],
                row=1,
                col=4,
            ),
            secret(
                "a strided layer, then dilated ones with padding, at the corner",
                layers=then([(6, 2, 2, 1)], drawn(3, (3, 5), (1, 1), (2, 3), (2, 3))),
                row=0,
                col=whole(20, 29),
            ),
        ),
    ],
    clues=[
        "The first output's window begins at pixel 0, moved back by padding; the next output's begins one "
        "jump further, and each window is as long as the receptive field.",
        "Walk through the layers with start = 0 and jump = 1. Padding counts in steps of the map that the "
        "layer reads, so take it off before the layer's own stride comes in.",
        "In the loop: start -= padding * jump, then jump *= stride. Then top = start + row * jump, and "
        "bottom = top + receptive_field(...) without the paddings.",
    ],
    mistakes=[
        Mistake(
            "end included",
            "Your windows end at their last pixel: bottom and right are one further, as in a slice.",
            both(lambda layers, unit: (window(layers, unit)[0], window(layers, unit)[1] - 1)),
        ),
        Mistake(
            "first pixel counted from 1",
            "Your windows begin one pixel too late: the first pixel is number 0.",
            both(lambda layers, unit: moved(layers, unit, 1)),
        ),
        Mistake(
            "row and column swapped",
            "You exchanged rows and columns: (top, bottom) follow from `row` and come first.",
            lambda layers, row, col: (window(layers, col), window(layers, row)),
        ),
        Mistake(
            "padding ignored",
            "You left the padding out: it moves the windows back, so that the first begins at a negative pixel.",
            both(lambda layers, unit: window(changed(layers, padding=0), unit)),
        ),
        Mistake(
            "padding sign",
            "You moved the windows forward by the padding: position 0 of the padded map lies before pixel 0, so "
            "subtract it.",
            both(lambda layers, unit: moved(layers, unit, -2 * shift(layers))),
        ),
        Mistake(
            "padding in pixels",
            "You subtracted each padding as if it were in pixels: it counts in steps of the map that its layer "
            "reads, so multiply it by the jump before that layer.",
            both(lambda layers, unit: moved(layers, unit, -shift(layers) - sum(p for _, _, p, _ in layers))),
        ),
        Mistake(
            "own stride in the padding",
            "You multiplied each padding by its own layer's stride as well: it lies on the map below, so take it "
            "off before you multiply the jump.",
            both(lambda layers, unit: moved(layers, unit, shift_by_own_stride(layers) - shift(layers))),
        ),
        Mistake(
            "padding in the size",
            "You made the windows longer by the padding: it moves them and leaves their length as it is.",
            both(lambda layers, unit: (window(layers, unit)[0], window(layers, unit)[1] - 2 * shift(layers))),
        ),
        Mistake(
            "cut at the border",
            "You cut the window off at pixel 0: it may reach outside the image, so let it be negative.",
            both(lambda layers, unit: (max(window(layers, unit)[0], 0), max(window(layers, unit)[1], 0))),
        ),
        Mistake(
            "jump forgotten",
            "You moved the window by one pixel for each output: neighbouring outputs lie as many pixels apart "
            "as all the strides multiply to.",
            both(lambda layers, unit: moved(layers, 0, unit)),
        ),
        Mistake(
            "centred on the unit",
            "You put the window around pixel row * jump: that fits only where the padding is half the kernel, so "
            "follow the start through the layers.",
            both(centred),
        ),
        Mistake(
            "order reversed",
            "You took the layers in the wrong order: the list starts at the input.",
            both(lambda layers, unit: window(layers[::-1], unit)),
        ),
        Mistake(
            "dilation ignored",
            "You left the dilation out: a kernel spans dilation * (kernel - 1) + 1 values.",
            both(lambda layers, unit: window(changed(layers, dilation=1), unit)),
        ),
        Mistake(
            "padding and dilation exchanged",
            "You read the last two numbers of a layer the wrong way round: they are padding, then dilation.",
            both(exchanged),
        ),
    ],
)
