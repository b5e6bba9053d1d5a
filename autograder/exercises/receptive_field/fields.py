"""receptive_field, and what it shares with input_window."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from autograder.exercise import Exercise, Random, clue
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.rows import plain_case, public, rows, secret, varied

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
    """Return how many inputs lie from the first to the last that output 0 reads."""
    seen = pixels(unpadded(layers), 0)
    return max(seen) - min(seen) + 1


def backwards(layers: Sequence[Sized]) -> int:
    """Go from the output to the input, with one stride too many in each layer."""
    size = 1
    for kernel, stride, dilation in reversed(layers):
        size = size * stride + dilation * (kernel - 1)
    return size


def drawn(count: int, *ranges: tuple[int, int]) -> Random:
    """Draw `count` layers; each number of a layer from its range, both ends included."""

    def draw(rng: np.random.Generator) -> list[tuple[int, ...]]:
        return [tuple(int(rng.integers(low, high + 1)) for low, high in ranges) for _ in range(count)]

    return Random(draw)


def then(fixed: list[tuple[int, ...]], more: Random) -> Random:
    """Return the fixed layers, then drawn ones."""
    return Random(lambda rng: fixed + more.draw(rng))


def whole(low: int, high: int) -> Random:
    """Draw one whole number, both ends included."""
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
    cases=rows(
        plain_case,
        "one",
        public("no layer: a pixel sees itself", layers=[]),
        public("one layer: kernel 5", layers=[(5, 1, 1)]),
        secret("one layer", layers=drawn(1, (6, 12), (1, 1), (1, 1))),
        public("one layer: kernel 4, stride 2", layers=[(4, 2, 1)]),
        secret("one layer with a stride", layers=drawn(1, (6, 12), (2, 5), (1, 1))),
        "stack",
        public("two layers: kernels 3 and 3", layers=[(3, 1, 1), (3, 1, 1)]),
        secret("three layers", layers=drawn(3, (3, 8), (1, 1), (1, 1))),
        public("kernels 7, 1, 2 and 3", layers=[(7, 1, 1), (1, 1, 1), (2, 1, 1), (3, 1, 1)]),
        secret("six layers", layers=drawn(6, (1, 5), (1, 1), (1, 1))),
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
        public("strides 2, 3 and 2 between kernels 3, 4, 5 and 2", layers=[(3, 2, 1), (4, 3, 1), (5, 2, 1), (2, 1, 1)]),
        public(
            "LeNet-5: kernel 5, pooling 2, kernel 5, pooling 2", layers=[(5, 1, 1), (2, 2, 1), (5, 1, 1), (2, 2, 1)]
        ),
        "dilation",
        public("one layer: kernel 3, dilation 4", layers=[(3, 1, 4)]),
        secret("one layer with a dilation", layers=drawn(1, (4, 7), (1, 1), (2, 5))),
        public("kernel 3 with dilations 1, 2 and 4", layers=[(3, 1, 1), (3, 1, 2), (3, 1, 4)]),
        secret("three layers with dilations", layers=drawn(3, (2, 4), (1, 1), (2, 4))),
        "gaps",
        public("kernel 1, stride 3, then kernel 2: from the first pixel to the last", layers=[(1, 3, 1), (2, 1, 1)]),
        secret(
            "kernel 2, stride 4, then kernel 1, stride 2, then two more: the strides leave gaps",
            layers=then([(2, 4, 1), (1, 2, 1)], drawn(2, (2, 4), (1, 1), (1, 1))),
        ),
        "together",
        public(
            "kernel 3, stride 2, dilation 2, then kernel 3, dilation 3, stride 2, then kernel 4",
            layers=[(3, 2, 2), (3, 2, 3), (4, 1, 1)],
        ),
        secret("strides and dilations", layers=drawn(4, (2, 4), (2, 3), (2, 3))),
    ),
    clues=[
        clue(
            "Take the layers one after another and keep two numbers: the field so far, and how many pixels lie "
            "between neighbours in the map that the next layer reads.",
            "order reversed",
            "strides ignored",
            "one stride too many on the way back",
            "last stride only",
            "kernels multiplied",
            arguments=("stride", "a third layer"),
        ),
        clue(
            "Both numbers start at 1. A layer adds dilation * (kernel - 1) steps of the map that it reads; only "
            "then does its own stride count.",
            "kernel in place of kernel - 1",
            "starts at zero",
            "own stride included",
            "dilation ignored",
            "dilated kernel too large",
            "kernels multiplied",
            arguments=("kernel", "stride of the last layer", "dilation", "no layer"),
        ),
        clue(
            "In the loop: size += dilation * (kernel - 1) * jump, then jump *= stride.",
            "kernel in place of kernel - 1",
            "own stride included",
            "order reversed",
            "strides ignored",
            "one stride too many on the way back",
            "last stride only",
            "dilation ignored",
            "dilated kernel too large",
            "dilation kept in the jump",
            "kernels multiplied",
            "pixels counted",
            arguments=("kernel", "stride", "stride of the last layer", "dilation", "a third layer"),
        ),
    ],
    mistakes=mistakes(
        """
        kernel in place of kernel - 1: You added the whole kernel for each layer: its first value is in the field
            already, so a layer adds kernel - 1 steps.
        starts at zero: You are one short: a unit without layers sees one pixel, so begin with 1.
        own stride included: You multiplied a layer's steps by its own stride as well: its kernel steps over the map
            below, so only the strides of earlier layers count.
        order reversed: You took the layers in the wrong order: the list starts at the input, and a stride widens the
            steps of the layers after it.
        strides ignored: You left the strides out: after a stride, neighbours in the map are several pixels apart.
        one stride too many on the way back: You went back through a layer with r * stride, but r neighbours have only r
            - 1 steps between them: before the kernel they span (r - 1) * stride + 1.
        last stride only: You used only the stride of the layer before: the strides of all earlier layers multiply.
        dilation ignored: You left the dilation out: a kernel spans dilation * (kernel - 1) steps.
        dilated kernel too large: You took dilation * kernel as the kernel's span, but there is no gap after its last
            value: it is dilation * (kernel - 1) + 1.
        dilation kept in the jump: You multiplied the jump by the dilation: that spreads one kernel's values only, and
            the outputs still lie `stride` apart.
        kernels multiplied: You multiplied the kernels, but neighbouring windows overlap: each layer adds to the field,
            and only strides multiply.
        pixels counted: You counted the pixels that are read: the field goes from the first to the last of them, with
            whatever gaps lie between.
        """,
        {
            "kernel in place of kernel - 1": folded(
                lambda kernel, stride, dilation, jump: (dilation * (kernel - 1) + 1) * jump
            ),
            "starts at zero": folded(lambda kernel, stride, dilation, jump: dilation * (kernel - 1) * jump, first=0),
            "own stride included": folded(
                lambda kernel, stride, dilation, jump: dilation * (kernel - 1) * jump * stride
            ),
            "order reversed": lambda layers: span(layers[::-1]),
            "strides ignored": folded(lambda kernel, stride, dilation, jump: dilation * (kernel - 1)),
            "one stride too many on the way back": backwards,
            "last stride only": folded(
                lambda kernel, stride, dilation, jump: dilation * (kernel - 1) * jump,
                lambda jump, stride, dilation: stride,
            ),
            "dilation ignored": folded(lambda kernel, stride, dilation, jump: (kernel - 1) * jump),
            "dilated kernel too large": folded(lambda kernel, stride, dilation, jump: (dilation * kernel - 1) * jump),
            "dilation kept in the jump": folded(
                lambda kernel, stride, dilation, jump: dilation * (kernel - 1) * jump,
                lambda jump, stride, dilation: jump * stride * dilation,
            ),
            "kernels multiplied": lambda layers: int(
                np.prod([dilation * (kernel - 1) + 1 for kernel, _, dilation in layers])
            ),
            "pixels counted": lambda layers: len(pixels(unpadded(layers), 0)),
        },
    ),
    varied=varied(
        plain_case,
        public("plain: two layers of kernel 2", layers=[(2, 1, 1), (2, 1, 1)]),
        {
            "kernel": {"layers": [(3, 1, 1), (2, 1, 1)]},
            "stride": {"layers": [(2, 2, 1), (2, 1, 1)]},
            "stride of the last layer": {"layers": [(2, 1, 1), (2, 2, 1)]},
            "dilation": {"layers": [(2, 1, 2), (2, 1, 1)]},
            "dilation that leaves gaps": {"layers": [(2, 1, 3), (2, 1, 1)]},
            "a third layer": {"layers": [(2, 1, 1), (2, 1, 1), (2, 1, 1)]},
            "no layer": {"layers": []},
        },
    ),
)
