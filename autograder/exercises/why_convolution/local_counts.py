"""local_parameters."""

from __future__ import annotations

from autograder.exercise import Exercise, Mistake, clue
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.sizes import Size, pair
from autograder.exercises.rows import plain_case, public, rows, secret, varied
from autograder.exercises.why_convolution.counts import (
    BIAS_ALWAYS,
    BIAS_FORGOTTEN,
    Shape,
    conv_weights,
    dense_weights,
    maps,
    one,
    one_side,
    outputs,
    size,
    some,
    squared,
    with_bias,
)


def local_count(in_shape: Shape, out_shape: Shape, kernel: Size, bias: bool = True) -> int:
    return size((*out_shape, in_shape[0], *pair(kernel))) + size(out_shape) * bias


def local_weights(in_shape: Shape, out_shape: Shape, kernel: Size) -> int:
    return local_count(in_shape, out_shape, kernel, False)


local_parameters = Exercise(
    name="local_parameters",
    returns=("parameters",),
    reference=local_count,
    points={"weights": 2, "bias": 1},
    cases=rows(
        plain_case,
        "weights",
        public(
            "one 4x3 map from a 6x5 grey image by 3x3 windows, no bias",
            in_shape=(1, 6, 5),
            out_shape=(1, 4, 3),
            kernel=3,
            bias=False,
        ),
        public(
            "two 5x6 maps from a 6x8 colour image by 2x3 windows, no bias",
            in_shape=(3, 6, 8),
            out_shape=(2, 5, 6),
            kernel=(2, 3),
            bias=False,
        ),
        secret(
            "some maps by square windows, no bias",
            in_shape=some((2, 4), (15, 20), (21, 26)),
            out_shape=some((5, 9), (10, 12), (13, 14)),
            kernel=one(3, 6),
            bias=False,
        ),
        public(
            "six 28x28 maps from a 32x32 colour image by 5x5 windows, no bias",
            in_shape=(3, 32, 32),
            out_shape=(6, 28, 28),
            kernel=5,
            bias=False,
        ),
        secret(
            "some maps by flat windows, no bias",
            in_shape=some((2, 5), (16, 20), (21, 28)),
            out_shape=some((6, 9), (10, 12), (13, 15)),
            kernel=some((2, 3), (4, 6)),
            bias=False,
        ),
        "bias",
        public(
            "four 3x4 maps from a 5x7 colour image by 3x4 windows",
            in_shape=(3, 5, 7),
            out_shape=(4, 3, 4),
            kernel=(3, 4),
        ),
        secret(
            "some maps by square windows",
            in_shape=some((2, 3), (14, 18), (19, 25)),
            out_shape=some((4, 9), (10, 11), (12, 13)),
            kernel=one(2, 5),
        ),
        public(
            "three 4x4 maps from a 5x5 grey image by 2x2 windows", in_shape=(1, 5, 5), out_shape=(3, 4, 4), kernel=2
        ),
        secret(
            "some maps by tall windows",
            in_shape=some((2, 4), (17, 22), (23, 29)),
            out_shape=some((5, 8), (9, 11), (12, 16)),
            kernel=some((5, 7), (2, 4)),
        ),
    ),
    mistakes=[
        *mistakes(
            """
            weights shared: You counted one filter for each map, but here nothing is shared: every output position has
                weights of its own.
            a bias for each map: You counted one bias for each map, as in a convolution; here each of the F*OH*OW
                outputs has one.
            """,
            {
                "weights shared": with_bias(
                    lambda in_shape, out_shape, kernel: conv_weights(in_shape[0], out_shape[0], kernel), maps
                ),
                "a bias for each map": with_bias(local_weights, maps),
            },
        ),
        Mistake(
            "bias forgotten",
            f"{BIAS_FORGOTTEN}each of the F*OH*OW outputs has one.",
            lambda in_shape, out_shape, kernel, bias=True: local_weights(in_shape, out_shape, kernel),
        ),
        Mistake(
            "bias always",
            BIAS_ALWAYS,
            lambda in_shape, out_shape, kernel, bias=True: local_count(in_shape, out_shape, kernel),
        ),
        *mistakes(
            """
            channels forgotten: You left out the channels of the input: a window reaches through all C of them.
            maps forgotten: You counted one map of outputs only: there are F of them, each with weights of its own.
            square kernel: You squared the kernel's height: the window is KH high and KW wide.
            one side of the kernel: You took a kernel k as k weights: it is k high and k wide.
            a window at each input: You counted a window for each input position: there is one for each of the OH*OW
                output positions.
            all inputs: You counted a weight for every input: an output sees only the C*KH*KW inputs of its window.
            """,
            {
                "channels forgotten": lambda in_shape, **how: local_count(in_shape=(1, *in_shape[1:]), **how),
                "maps forgotten": lambda out_shape, **how: local_count(out_shape=(1, *out_shape[1:]), **how),
                "square kernel": lambda kernel, **how: local_count(kernel=squared(kernel), **how),
                "one side of the kernel": lambda kernel, **how: local_count(kernel=one_side(kernel), **how),
                "a window at each input": lambda in_shape, out_shape, **how: local_count(
                    in_shape=in_shape, out_shape=(out_shape[0], *in_shape[1:]), **how
                ),
                "all inputs": with_bias(
                    lambda in_shape, out_shape, kernel: dense_weights(in_shape, out_shape), outputs
                ),
            },
        ),
    ],
    varied=varied(
        plain_case,
        public(
            "plain: one 3x3 map from a 4x4 grey image by 2x2 windows", in_shape=(1, 4, 4), out_shape=(1, 3, 3), kernel=2
        ),
        {
            "bias": {"bias": False},
            "channels": {"in_shape": (3, 4, 4)},
            "image that is not square": {"in_shape": (1, 4, 6), "out_shape": (1, 3, 5)},
            "maps": {"out_shape": (3, 3, 3)},
            "kernel that is not square": {"out_shape": (1, 3, 4), "kernel": (2, 1)},
        },
    ),
    clues=(
        clue(
            "The outputs are those of the dense layer, but each sees less: how many inputs lie in one window?",
            "all inputs",
        ),
        clue(
            "A window holds C*KH*KW inputs, and each of the F*OH*OW outputs has its own weight for each of them.",
            "weights shared",
            "channels forgotten",
            "maps forgotten",
            "square kernel",
            "one side of the kernel",
            "a window at each input",
            "all inputs",
            arguments=("channels", "maps", "kernel that is not square"),
        ),
        clue(
            "After `kh, kw = pair(kernel)` it is `outputs * c * kh * kw`, plus `outputs` if bias; H and W are not needed.",
            "a bias for each map",
            "bias forgotten",
            "bias always",
            "square kernel",
            "one side of the kernel",
            "a window at each input",
            "all inputs",
            arguments=("bias", "kernel that is not square", "image that is not square"),
        ),
    ),
)
