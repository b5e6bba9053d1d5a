"""input_window."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autograder.exercise import Exercise, clue
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.receptive_field.fields import Placed, drawn, pixels, then, whole
from autograder.exercises.rows import plain_case, public, rows, secret, varied
from cnnlab.checking.wire import Value


def both(along: Callable[[Sequence[Placed], int], Value]) -> Callable[..., Value]:
    """Return an input_window that takes along(layers, unit) for the rows and for the columns."""
    return lambda layers, row, col: (along(layers, row), along(layers, col))


def window(layers: Sequence[Placed], unit: int) -> tuple[int, int]:
    """Return the first input that an output reads along one axis, and the one after the last."""
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
    """Return how far padding moves the first window: to the left, so negative."""
    return window(layers, 0)[0]


def shift_by_own_stride(layers: Sequence[Placed]) -> int:
    """Return the shift with each padding counted in steps of the layer's own output."""
    return sum(shift([*changed(layers[:i], padding=0), layer]) * layer[1] for i, layer in enumerate(layers))


def centred(layers: Sequence[Placed], unit: int) -> tuple[int, int]:
    start, end = window(changed(layers, padding=0), unit)
    back = (end - start - 1) // 2
    return start - back, end - back


def exchanged(layers: Sequence[Placed], unit: int) -> tuple[int, int]:
    """Return the window where padding and dilation are read for each other; a dilation may then be 0."""
    return window([(kernel, stride, dilation, padding) for kernel, stride, padding, dilation in layers], unit)


input_window = Exercise(
    name="input_window",
    returns=("rows", "columns"),
    reference=both(window),
    points={"basic": 1, "stride": 2, "padding": 2, "dilation": 1, "together": 2},
    cases=rows(
        plain_case,
        "basic",
        public("no layer: pixel (2, 5)", layers=[], row=2, col=5),
        secret("one layer", layers=drawn(1, (4, 9), (1, 1), (0, 0), (1, 1)), row=3, col=whole(4, 9)),
        public("one layer: kernel 3", layers=[(3, 1, 0, 1)], row=2, col=4),
        secret("three layers", layers=drawn(3, (2, 6), (1, 1), (0, 0), (1, 1)), row=whole(5, 9), col=1),
        public("kernels 5 and 2, the first output of its row", layers=[(5, 1, 0, 1), (2, 1, 0, 1)], row=3, col=0),
        "stride",
        public("kernel 3, stride 2", layers=[(3, 2, 0, 1)], row=4, col=1),
        secret(
            "one layer with a stride", layers=drawn(1, (2, 6), (2, 5), (0, 0), (1, 1)), row=whole(1, 4), col=whole(5, 9)
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
        "padding",
        public("kernel 3, padding 1 at the corner: the window begins outside", layers=[(3, 1, 1, 1)], row=0, col=0),
        secret("one layer with padding, at the corner", layers=drawn(1, (5, 7), (1, 1), (2, 3), (1, 1)), row=0, col=0),
        public("kernel 3, padding 1, three times", layers=[(3, 1, 1, 1)] * 3, row=8, col=1),
        secret(
            "three layers with padding",
            layers=drawn(3, (4, 6), (1, 1), (2, 3), (1, 1)),
            row=whole(1, 3),
            col=whole(20, 29),
        ),
        public(
            "kernel 5, stride 2, padding 2, then kernel 3, padding 1", layers=[(5, 2, 2, 1), (3, 1, 1, 1)], row=5, col=3
        ),
        secret(
            "kernel 7, stride 3, padding 3, then two layers with padding",
            layers=then([(7, 3, 3, 1)], drawn(2, (3, 5), (2, 3), (1, 2), (1, 1))),
            row=whole(5, 9),
            col=whole(1, 4),
        ),
        "dilation",
        public("kernel 3, dilation 4", layers=[(3, 1, 0, 4)], row=1, col=6),
        public("kernel 3 with dilation 1, then 2", layers=[(3, 1, 0, 1), (3, 1, 0, 2)], row=7, col=2),
        secret(
            "two layers with dilations",
            layers=drawn(2, (3, 5), (1, 1), (0, 0), (2, 4)),
            row=whole(1, 4),
            col=whole(5, 9),
        ),
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
    clues=[
        clue(
            "The first output's window begins at pixel 0, moved back by padding; the next output's begins one "
            "jump further, and each window is as long as the receptive field.",
            "first pixel counted from 1",
            "padding ignored",
            "padding sign",
            "padding in the size",
            "jump forgotten",
            "centred on the unit",
            arguments=("stride", "padding", "padding that reaches the window"),
        ),
        clue(
            "Walk through the layers with start = 0 and jump = 1. Padding counts in steps of the map that the "
            "layer reads, so take it off before the layer's own stride comes in.",
            "padding in pixels",
            "own stride in the padding",
            "centred on the unit",
            "order reversed",
            arguments=("padding", "padding of the last layer", "a third layer"),
        ),
        clue(
            "In the loop: start -= padding * jump, then jump *= stride. Then top = start + row * jump, and "
            "bottom = top + receptive_field(...) without the paddings.",
            "end included",
            "first pixel counted from 1",
            "row and column swapped",
            "padding ignored",
            "padding sign",
            "padding in pixels",
            "own stride in the padding",
            "padding in the size",
            "jump forgotten",
            "centred on the unit",
            "order reversed",
            arguments=("col", "kernel", "stride", "padding", "a third layer"),
        ),
    ],
    mistakes=mistakes(
        """
        end included: Your windows end at their last pixel: bottom and right are one further, as in a slice.
        first pixel counted from 1: Your windows begin one pixel too late: the first pixel is number 0.
        row and column swapped: You exchanged rows and columns: (top, bottom) follow from `row` and come first.
        padding ignored: You left the padding out: it moves the windows back, so that the first begins at a negative
            pixel.
        padding sign: You moved the windows forward by the padding: position 0 of the padded map lies before pixel 0, so
            subtract it.
        padding in pixels: You subtracted each padding as if it were in pixels: it counts in steps of the map that its
            layer reads, so multiply it by the jump before that layer.
        own stride in the padding: You multiplied each padding by its own layer's stride as well: it lies on the map
            below, so take it off before you multiply the jump.
        padding in the size: You made the windows longer by the padding: it moves them and leaves their length as it is.
        cut at the border: You cut the window off at pixel 0: it may reach outside the image, so let it be negative.
        jump forgotten: You moved the window by one pixel for each output: neighbouring outputs lie as many pixels apart
            as all the strides multiply to.
        centred on the unit: You put the window around pixel row * jump: that fits only where the padding is half the
            kernel, so follow the start through the layers.
        order reversed: You took the layers in the wrong order: the list starts at the input.
        dilation ignored: You left the dilation out: a kernel spans dilation * (kernel - 1) + 1 values.
        padding and dilation exchanged: You read the last two numbers of a layer the wrong way round: they are padding,
            then dilation.
        """,
        {
            "end included": both(lambda layers, unit: (window(layers, unit)[0], window(layers, unit)[1] - 1)),
            "first pixel counted from 1": both(lambda layers, unit: moved(layers, unit, 1)),
            "row and column swapped": lambda layers, row, col: (window(layers, col), window(layers, row)),
            "padding ignored": both(lambda layers, unit: window(changed(layers, padding=0), unit)),
            "padding sign": both(lambda layers, unit: moved(layers, unit, -2 * shift(layers))),
            "padding in pixels": both(
                lambda layers, unit: moved(layers, unit, -shift(layers) - sum(p for _, _, p, _ in layers))
            ),
            "own stride in the padding": both(
                lambda layers, unit: moved(layers, unit, shift_by_own_stride(layers) - shift(layers))
            ),
            "padding in the size": both(
                lambda layers, unit: (window(layers, unit)[0], window(layers, unit)[1] - 2 * shift(layers))
            ),
            "cut at the border": both(
                lambda layers, unit: (max(window(layers, unit)[0], 0), max(window(layers, unit)[1], 0))
            ),
            "jump forgotten": both(lambda layers, unit: moved(layers, 0, unit)),
            "centred on the unit": both(centred),
            "order reversed": both(lambda layers, unit: window(layers[::-1], unit)),
            "dilation ignored": both(lambda layers, unit: window(changed(layers, dilation=1), unit)),
            "padding and dilation exchanged": both(exchanged),
        },
    ),
    varied=varied(
        plain_case,
        public(
            "plain: two layers of kernel 3 and 2, row 1, column 1", layers=[(3, 1, 0, 1), (2, 1, 0, 1)], row=1, col=1
        ),
        {
            "col": {"col": 3},
            "kernel": {"layers": [(4, 1, 0, 1), (2, 1, 0, 1)]},
            "stride": {"layers": [(3, 2, 0, 1), (2, 1, 0, 1)]},
            "stride of the last layer": {"layers": [(3, 1, 0, 1), (2, 2, 0, 1)]},
            "padding": {"layers": [(3, 1, 1, 1), (2, 1, 0, 1)]},
            "padding of the last layer": {"layers": [(3, 1, 0, 1), (2, 1, 1, 1)]},
            "padding that reaches the window": {"layers": [(3, 1, 2, 1), (2, 1, 0, 1)]},
            "dilation": {"layers": [(3, 1, 0, 2), (2, 1, 0, 1)]},
            "a third layer": {"layers": [(3, 1, 0, 1), (2, 1, 0, 1), (2, 1, 0, 1)]},
            "no layer": {"layers": []},
        },
    ),
)
