"""dense_parameters and conv_parameters, and what they share with local_parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Unpack

import numpy as np

from autograder.exercise import Exercise, Random, clue
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.sizes import Settings, Size, pair
from autograder.exercises.rows import plain_case, public, rows, secret, varied
from cnnlab.checking.wire import Value

Shape = tuple[int, int, int]


def some(*bounds: tuple[int, int]) -> Random:
    """Draw a tuple of whole numbers that the secret chooses, each between its low and high, both included."""
    return Random(lambda rng: tuple(int(rng.integers(low, high + 1)) for low, high in bounds))


def one(low: int, high: int) -> Random:
    """Draw a whole number that the secret chooses, between low and high, both included."""
    return Random(lambda rng: int(rng.integers(low, high + 1)))


def size(shape: tuple[int, ...] | int) -> int:
    """Return how many numbers an array of this shape has, counted by NumPy, which stores but one of them."""
    return np.broadcast_to(0, shape).size


def dense_count(in_shape: Shape, out_shape: Shape, bias: bool = True) -> int:
    return size((*out_shape, *in_shape)) + size(out_shape) * bias


def conv_count(c_in: int, c_out: int, kernel: Size, groups: int = 1, bias: bool = True) -> int:
    filters, rest = divmod(c_in, groups)
    if rest or c_out % groups:
        raise ValueError(f"{groups} groups do not divide {c_in} and {c_out} channels")
    return size((c_out, filters, *pair(kernel))) + c_out * bias


def with_bias(weights: Callable[..., Value], biases: Callable[..., int]) -> Callable[..., Value]:
    """Return a wrong count: weights(...) and, where there is a bias, biases(...)."""

    def wrong(*, bias: bool = True, **how: Unpack[Settings]) -> Value:
        return weights(**how) + (biases(**how) if bias else 0)

    return wrong


def dense_weights(in_shape: Shape, out_shape: Shape) -> int:
    return dense_count(in_shape, out_shape, False)


def conv_weights(c_in: int, c_out: int, kernel: Size, groups: int = 1) -> int:
    return conv_count(c_in, c_out, kernel, groups, False)


def outputs(out_shape: Shape, **_: Value) -> int:
    return size(out_shape)


def maps(out_shape: Shape, **_: Value) -> int:
    return out_shape[0]


def squared(kernel: Size) -> tuple[int, int]:
    """Count the kernel's first number twice."""
    return pair(kernel)[0], pair(kernel)[0]


def one_side(kernel: Size) -> tuple[int, int]:
    """Read an int kernel as a row."""
    return kernel if isinstance(kernel, tuple) else (1, kernel)


BIAS_FORGOTTEN = "The biases are missing: unless bias is False, "


BIAS_ALWAYS = "You counted biases where bias is False: then there are none."


dense_parameters = Exercise(
    name="dense_parameters",
    returns=("parameters",),
    reference=dense_count,
    points={"weights": 2, "bias": 1},
    cases=rows(
        plain_case,
        "weights",
        public("a 4x5 grey image to 3 numbers, no bias", in_shape=(1, 4, 5), out_shape=(3, 1, 1), bias=False),
        secret(
            "a grey image to some classes, no bias",
            in_shape=some((1, 1), (9, 19), (20, 40)),
            out_shape=some((5, 60), (1, 1), (1, 1)),
            bias=False,
        ),
        public("a 6x7 colour image to two 4x5 maps, no bias", in_shape=(3, 6, 7), out_shape=(2, 4, 5), bias=False),
        secret(
            "some channels to some maps, no bias",
            in_shape=some((2, 6), (8, 15), (16, 30)),
            out_shape=some((7, 12), (3, 9), (10, 14)),
            bias=False,
        ),
        public("256x256 pixels to 1,024 classes, no bias", in_shape=(1, 256, 256), out_shape=(1024, 1, 1), bias=False),
        "bias",
        public("an 8x8 digit to 10 classes", in_shape=(1, 8, 8), out_shape=(10, 1, 1)),
        secret(
            "a colour image to some classes",
            in_shape=some((3, 3), (16, 32), (33, 50)),
            out_shape=some((11, 99), (1, 1), (1, 1)),
        ),
        public("a 5x4 colour image to four 3x2 maps", in_shape=(3, 5, 4), out_shape=(4, 3, 2)),
        secret(
            "some channels to some maps",
            in_shape=some((2, 5), (10, 20), (21, 31)),
            out_shape=some((6, 9), (3, 7), (8, 12)),
        ),
    ),
    mistakes=mistakes(
        """
        bias forgotten: The biases are missing: unless bias is False, each of the F*OH*OW outputs has one.
        bias always: You counted biases where bias is False: then there are none.
        one bias: You counted one bias for the whole layer, but each of the F*OH*OW outputs has its own.
        a bias for each map: You counted one bias for each map, as in a convolution; here each of the F*OH*OW outputs
            has one.
        a bias for each input: You counted a bias for each input, but a bias is added to each output.
        input channels forgotten: You left out the channels of the input: an image holds C*H*W numbers, and each has a
            weight.
        output maps forgotten: You counted one map of outputs only: there are F of them, each with weights of its own.
        output positions forgotten: You counted one output for each map: a map has OH*OW of them, each with weights and
            a bias of its own.
        inputs and outputs added: You added inputs and outputs, but each output has a weight for each input: multiply.
        """,
        {
            "bias forgotten": lambda in_shape, out_shape, bias=True: dense_weights(in_shape, out_shape),
            "bias always": lambda in_shape, out_shape, bias=True: dense_count(in_shape, out_shape),
            "one bias": with_bias(dense_weights, lambda **_: 1),
            "a bias for each map": with_bias(dense_weights, maps),
            "a bias for each input": with_bias(dense_weights, lambda in_shape, out_shape: size(in_shape)),
            "input channels forgotten": with_bias(
                lambda in_shape, out_shape: size(in_shape[1:]) * size(out_shape), outputs
            ),
            "output maps forgotten": with_bias(
                lambda in_shape, out_shape: size(in_shape) * size(out_shape[1:]),
                lambda in_shape, out_shape: size(out_shape[1:]),
            ),
            "output positions forgotten": with_bias(lambda in_shape, out_shape: size(in_shape) * out_shape[0], maps),
            "inputs and outputs added": with_bias(
                lambda in_shape, out_shape: size(in_shape) + size(out_shape), outputs
            ),
        },
    ),
    varied=varied(
        plain_case,
        public("plain: a 4x4 grey image to one number", in_shape=(1, 4, 4), out_shape=(1, 1, 1)),
        {
            "bias": {"bias": False},
            "channels": {"in_shape": (3, 4, 4)},
            "image that is not square": {"in_shape": (1, 4, 6)},
            "maps": {"out_shape": (3, 1, 1)},
            "output positions": {"out_shape": (1, 3, 3)},
        },
    ),
    clues=(
        clue(
            "Count the inputs and the outputs, and think of one output alone: how many weights does it have?",
            "inputs and outputs added",
        ),
        clue(
            "There are C*H*W inputs and F*OH*OW outputs, a weight for every pair of them, and a bias for every output.",
            "one bias",
            "a bias for each map",
            "a bias for each input",
            "input channels forgotten",
            "output maps forgotten",
            "output positions forgotten",
            "inputs and outputs added",
            arguments=("channels", "maps", "output positions"),
        ),
        clue(
            "With `inputs` and `outputs` multiplied up from the shapes, it is `inputs * outputs`, plus `outputs` if bias.",
            "bias forgotten",
            "bias always",
            "one bias",
            "a bias for each map",
            "a bias for each input",
            "inputs and outputs added",
            arguments=("bias",),
        ),
    ),
)


conv_parameters = Exercise(
    name="conv_parameters",
    returns=("parameters",),
    reference=conv_count,
    points={"weights": 1, "bias": 1, "groups": 2},
    cases=rows(
        plain_case,
        "weights",
        public("3x3 from 10 to 10 channels, no bias", c_in=10, c_out=10, kernel=3, bias=False),
        secret("a square kernel, no bias", c_in=one(8, 30), c_out=one(31, 70), kernel=one(2, 7), bias=False),
        public("3x5 from 4 to 6 channels, no bias", c_in=4, c_out=6, kernel=(3, 5), bias=False),
        secret("a flat kernel, no bias", c_in=one(12, 40), c_out=one(2, 11), kernel=some((2, 4), (5, 9)), bias=False),
        public("1x1 from 256 to 64 channels, no bias", c_in=256, c_out=64, kernel=1, bias=False),
        "bias",
        public("six 5x5 filters on a colour image", c_in=3, c_out=6, kernel=5),
        secret("a square kernel", c_in=one(3, 20), c_out=one(21, 90), kernel=one(2, 6)),
        public("3x3 from 10 to 10 channels", c_in=10, c_out=10, kernel=3),
        public("2x4 from 5 to 1 channel", c_in=5, c_out=1, kernel=(2, 4)),
        secret("a tall kernel", c_in=one(15, 60), c_out=one(4, 14), kernel=some((5, 8), (2, 4))),
        "groups",
        public("3x3 from 8 to 12 channels in 4 groups, no bias", c_in=8, c_out=12, kernel=3, groups=4, bias=False),
        secret(
            "4 channels to 10 in 2 groups, no bias", c_in=4, c_out=10, kernel=some((2, 3), (4, 9)), groups=2, bias=False
        ),
        public("2x3 from 6 to 9 channels in 3 groups", c_in=6, c_out=9, kernel=(2, 3), groups=3),
        secret("20 channels to 15 in 5 groups", c_in=20, c_out=15, kernel=one(2, 9), groups=5),
        public("each of 7 channels by itself", c_in=7, c_out=7, kernel=3, groups=7),
        secret("each of 6 channels by itself, twice", c_in=6, c_out=12, kernel=some((3, 5), (6, 8)), groups=6),
    ),
    mistakes=mistakes(
        """
        groups ignored: You left the groups out: a filter sees the c_in/groups channels of its own group only.
        one group only: You divided the filters by the groups too, which counts one group: every group has its filters,
            c_out in all.
        groups multiplied: You multiplied by the groups: they make the layer smaller, since each filter sees fewer
            channels.
        float returned: You divided with /, which gives a float: a number of parameters is an int, so divide with //.
        bias forgotten: The biases are missing: unless bias is False, each of the c_out filters has one.
        bias always: You counted biases where bias is False: then there are none.
        one bias: You counted one bias for the whole layer, but each of the c_out filters has its own.
        a bias for each input channel: You counted a bias for each input channel, but a bias is added to each output
            map.
        input channels forgotten: You left out the channels of the input: a filter has KH*KW weights for each of them.
        one filter: You counted one filter: there is one for each of the c_out output channels.
        square kernel: You squared the kernel's height: a filter is KH high and KW wide.
        one side of the kernel: You took a kernel k as k weights: it is k high and k wide.
        """,
        {
            "groups ignored": lambda groups=1, **how: conv_count(**how),
            "one group only": lambda c_in, c_out, kernel, groups=1, bias=True: (
                conv_weights(c_in, c_out, kernel, groups) // groups + c_out * bias
            ),
            "groups multiplied": lambda c_in, groups=1, **how: conv_count(c_in=c_in * groups, **how),
            "float returned": lambda **how: float(conv_count(**how)),
            "bias forgotten": lambda bias=True, **how: conv_weights(**how),
            "bias always": lambda bias=True, **how: conv_count(**how),
            "one bias": with_bias(conv_weights, lambda **_: 1),
            "a bias for each input channel": with_bias(conv_weights, lambda c_in, **_: c_in),
            "input channels forgotten": lambda c_in, groups=1, **how: conv_count(c_in=1, **how),
            "one filter": lambda c_in, c_out, kernel, groups=1, bias=True: conv_count(
                c_in // groups, 1, kernel, bias=bias
            ),
            "square kernel": lambda kernel, **how: conv_count(kernel=squared(kernel), **how),
            "one side of the kernel": lambda kernel, **how: conv_count(kernel=one_side(kernel), **how),
        },
    ),
    varied=varied(
        plain_case,
        public("plain: 2x2 from 2 to 2 channels", c_in=2, c_out=2, kernel=2),
        {
            "bias": {"bias": False},
            "c_in": {"c_in": 4},
            "c_out": {"c_out": 4},
            "kernel that is not square": {"kernel": (2, 3)},
            "groups": {"groups": 2},
        },
    ),
    clues=(
        clue(
            "Sharing leaves one filter for each output channel: how many weights does one filter have?",
            "one filter",
            arguments=("c_out",),
        ),
        clue(
            "A filter has KH*KW weights for each channel that it sees, which is c_in // groups of them, and one bias.",
            "groups ignored",
            "groups multiplied",
            "float returned",
            "one bias",
            "a bias for each input channel",
            "input channels forgotten",
            "square kernel",
            "one side of the kernel",
            arguments=("groups", "c_in", "kernel that is not square"),
        ),
        clue(
            "After `kh, kw = pair(kernel)` it is `c_out * (c_in // groups) * kh * kw`, plus `c_out` if bias.",
            "groups ignored",
            "one group only",
            "groups multiplied",
            "float returned",
            "bias forgotten",
            "bias always",
            "one bias",
            "a bias for each input channel",
            "one filter",
            "square kernel",
            "one side of the kernel",
            arguments=("bias", "groups", "c_out", "kernel that is not square"),
        ),
    ),
)
