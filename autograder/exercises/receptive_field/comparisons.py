"""stack_compare: what a stack of small kernels sees and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from autograder.exercise import Exercise, Random, clue
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.receptive_field.fields import span, whole
from autograder.exercises.rows import plain_case, public, rows, secret, varied


def field(kernels: Sequence[int]) -> int:
    return span([(kernel, 1, 1) for kernel in kernels])


def weights(kernels: Sequence[int], channels: int) -> int:
    """Count the weights of the layers, one by one."""
    shapes = [(channels, channels, kernel, kernel) for kernel in kernels]
    return sum(prod(shape) for shape in shapes)


def some_kernels(count: int, low: int, high: int) -> Random:
    return Random(lambda rng: [int(rng.integers(low, high + 1)) for _ in range(count)])


stack_compare = Exercise(
    name="stack_compare",
    returns=("field", "parameters"),
    reference=lambda kernels, channels: (field(kernels), weights(kernels, channels)),
    points={"one": 1, "stack": 2, "mixed": 1},
    cases=rows(
        plain_case,
        "one",
        public("one kernel of 7, 5 channels", kernels=[7], channels=5),
        secret("one kernel", kernels=some_kernels(1, 8, 13), channels=whole(2, 40)),
        public("one kernel of 3, one channel", kernels=[3], channels=1),
        secret("one kernel of 9, one channel", kernels=[9], channels=1),
        "stack",
        public("three kernels of 3, 64 channels", kernels=[3, 3, 3], channels=64),
        secret("four kernels of 3", kernels=[3, 3, 3, 3], channels=whole(2, 300)),
        public("two kernels of 5, 3 channels", kernels=[5, 5], channels=3),
        secret("three kernels of 5", kernels=[5, 5, 5], channels=whole(2, 300)),
        "mixed",
        public("kernels 1, 3 and 1, 4 channels", kernels=[1, 3, 1], channels=4),
        secret(
            "kernel 2, then three others",
            kernels=Random(lambda rng: [2, *(int(rng.integers(3, 8)) for _ in range(3))]),
            channels=whole(2, 40),
        ),
        public("kernels 2, 5 and 4, 6 channels", kernels=[2, 5, 4], channels=6),
        secret(
            "kernel 6, then four smaller ones",
            kernels=Random(lambda rng: [6, *(int(rng.integers(1, 5)) for _ in range(4))]),
            channels=whole(2, 40),
        ),
    ),
    clues=[
        clue(
            "Two separate questions: your receptive_field answers the first, with stride 1 and dilation 1.",
            "kernels added",
            "kernels multiplied",
            "field too small by one",
            arguments=("a second layer", "a second layer with another kernel"),
        ),
        clue(
            "A layer has one weight for each filter, each input channel and each place in the kernel: channels * "
            "channels * kernel * kernel.",
            "channels once",
            "channels left out",
            "biases counted",
            "kernel not squared",
            arguments=("kernel", "channels"),
        ),
    ],
    mistakes=mistakes(
        """
        kernels added: You added the kernels' sizes for the field: a layer adds kernel - 1 to the one pixel at the
            start.
        kernels multiplied: You multiplied the kernels' sizes for the field: at stride 1 each layer adds kernel - 1.
        field too small by one: Your field is one too small: begin with the one pixel that a unit without layers sees.
        channels once: You multiplied by the channels once: each of the `channels` filters reaches through `channels`
            inputs, so they count twice.
        channels left out: You counted one channel only: each layer has `channels` filters of `channels` inputs.
        biases counted: You counted biases as well: these layers have none.
        kernel not squared: You counted a kernel as one row: it has kernel * kernel places.
        one large kernel: You counted the weights of one kernel as large as the field: add up those of the layers of the
            stack.
        first kernel for all: You took every layer for a copy of the first: add up their own kernels.
        """,
        {
            "kernels added": lambda kernels, channels: (sum(kernels), weights(kernels, channels)),
            "kernels multiplied": lambda kernels, channels: (prod(kernels), weights(kernels, channels)),
            "field too small by one": lambda kernels, channels: (field(kernels) - 1, weights(kernels, channels)),
            "channels once": lambda kernels, channels: (field(kernels), weights(kernels, channels) // channels),
            "channels left out": lambda kernels, channels: (field(kernels), weights(kernels, 1)),
            "biases counted": lambda kernels, channels: (
                field(kernels),
                weights(kernels, channels) + channels * len(kernels),
            ),
            "kernel not squared": lambda kernels, channels: (field(kernels), sum(kernels) * channels**2),
            "one large kernel": lambda kernels, channels: (field(kernels), weights([field(kernels)], channels)),
            "first kernel for all": lambda kernels, channels: (
                field([kernels[0]] * len(kernels)),
                weights([kernels[0]] * len(kernels), channels),
            ),
        },
    ),
    varied=varied(
        plain_case,
        public("plain: one kernel of 3, 2 channels", kernels=[3], channels=2),
        {
            "kernel": {"kernels": [5]},
            "channels": {"channels": 4},
            "a second layer": {"kernels": [3, 3]},
            "a second layer with another kernel": {"kernels": [3, 5]},
        },
    ),
)
