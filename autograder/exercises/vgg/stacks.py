"""stack_parameters and vgg_config: why 3 x 3, and how many of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autograder.exercise import Exercise, Random, clue
from autograder.exercises.common.drawn import one_of, whole
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.rows import plain_case, public, rows, secret, varied

Image = tuple[int, int]


def drawn_image(low: int, high: int) -> Random:
    """Height and width, not the same."""

    def draw(rng: np.random.Generator) -> Image:
        height, width = (int(n) for n in rng.choice(range(low, high + 1), 2, replace=False))
        return height, width

    return Random(draw)


def stack(kernel: int, depth: int, channels: int, image: Image, slip: str = "") -> tuple[int, int, int, int]:
    """Walk through the layers one by one and add up."""
    first = last = 0  # what one output reads along one axis
    weights = macs = activations = 0
    for _ in range(depth):
        first, last = first - kernel // 2, last + kernel // 2
        one = channels * channels * kernel * kernel
        weights += one
        macs += one * image[0] * image[1]
        activations += channels * image[0] * image[1]
    field = last - first + 1
    if slip == "kernels added":
        field = kernel * depth
    if slip == "first pixel forgotten":
        field -= 1
    if slip == "channels once":
        weights, macs = weights // channels, macs // channels
    if slip == "biases counted":
        weights += channels * depth
    if slip == "places forgotten":
        macs = weights
    if slip == "one layer":
        weights, macs, activations = weights // depth, macs // depth, activations // depth
    if slip == "last map only":
        activations //= depth
    if slip == "input counted":
        activations += channels * image[0] * image[1]
    if slip == "kernel not squared":
        weights, macs = weights // kernel, macs // kernel
    return field, weights, macs, activations


stack_parameters = Exercise(
    name="stack_parameters",
    returns=("field", "weights", "macs", "activations"),
    reference=stack,
    points={"one": 1, "stack": 3},
    cases=rows(
        plain_case,
        "one",
        public("one 7 x 7 layer, 64 channels", kernel=7, depth=1, channels=64, image=(56, 56)),
        secret(
            "one large kernel", kernel=one_of(9, 11, 13), depth=1, channels=whole(2, 200), image=drawn_image(13, 60)
        ),
        public("one 5 x 5 layer, 3 channels", kernel=5, depth=1, channels=3, image=(6, 9)),
        "stack",
        public("three 3 x 3 layers, 64 channels", kernel=3, depth=3, channels=64, image=(56, 56)),
        secret("many 3 x 3 layers", kernel=3, depth=whole(4, 9), channels=whole(2, 200), image=drawn_image(10, 60)),
        public("two 5 x 5 layers, 4 channels", kernel=5, depth=2, channels=4, image=(7, 10)),
        secret(
            "a few larger layers",
            kernel=one_of(5, 7),
            depth=whole(3, 6),
            channels=whole(5, 200),
            image=drawn_image(11, 60),
        ),
    ),
    varied=varied(
        plain_case,
        public("plain: one 3 x 3 layer, 1 channel, an image of 4 x 4", kernel=3, depth=1, channels=1, image=(4, 4)),
        {
            "kernel": {"kernel": 5},
            "depth": {"depth": 3},
            "channels": {"channels": 3},
            "image": {"image": (5, 5)},
            "image that is not square": {"image": (4, 6)},
        },
    ),
    clues=[
        clue(
            "Four separate counts. Take one layer first: how many weights has it, and at how many places is each used?",
            *("places forgotten", "kernel not squared"),
            arguments=("image", "image that is not square"),
        ),
        clue(
            "The field begins with one pixel and grows by kernel - 1 with each layer. All the rest is that of one "
            "layer, times depth.",
            *("kernels added", "first pixel forgotten", "one layer", "last map only"),
            arguments=("depth",),
        ),
        clue(
            "weights = depth * channels * channels * kernel * kernel; macs = weights * height * width; activations = "
            "depth * channels * height * width.",
            *("channels once", "biases counted", "places forgotten", "one layer", "last map only", "input counted"),
            "kernel not squared",
            arguments=("kernel", "depth", "channels", "image", "image that is not square"),
        ),
    ],
    mistakes=mistakes(
        """
        kernels added: You added the kernels up for the field: each layer adds kernel - 1 to the one pixel at the start.
        first pixel forgotten: Your field is one too small: a unit without any layer sees one pixel, so begin with 1.
        channels once: You multiplied by the channels once: each of the `channels` filters reaches through `channels`
            maps.
        biases counted: You counted biases as weights: these layers have none.
        places forgotten: Your macs are the weights alone: each weight is used at every place of its map, height * width
            times.
        one layer: You counted weights, macs and activations of one layer: there are `depth` of them.
        last map only: You counted the last map alone: each layer makes one, and the backward pass needs them all.
        input counted: You counted the input among the activations: count what the layers make.
        kernel not squared: You counted one row of the kernel: it has kernel * kernel places.
        """,
        stack,
    ),
)


def configuration(convolutions: Sequence[int], width: int = 64, slip: str = "") -> list[int | str]:
    """Write the list stage by stage."""
    if slip == "width ignored":
        width = 64
    most = 512 if slip == "limit always 512" else 8 * width
    config: list[int | str] = []
    filters = width
    for count in convolutions:
        if slip == "pooling first":
            config.append("M")
        for _ in range(count):
            config.append(filters)
            if slip == "pooling after each convolution":
                config.append("M")
            if slip == "doubled within a stage":
                filters = min(2 * filters, most)
        if slip not in {"pooling first", "pooling after each convolution"}:
            config.append("M")
        if slip != "doubled within a stage" and slip != "never doubled":
            filters = 2 * filters if slip == "doubled without end" else min(2 * filters, most)
    if slip == "last pooling forgotten":
        del config[-1]
    return config


def some_stages(count: int) -> Random:
    return Random(lambda rng: [int(n) for n in rng.integers(2, 6, count)])


vgg_config = Exercise(
    name="vgg_config",
    returns=("config",),
    reference=configuration,
    points={"paper": 2, "other": 1},
    cases=rows(
        plain_case,
        "paper",
        public("VGG16", convolutions=[2, 2, 3, 3, 3]),
        public("VGG11", convolutions=[1, 1, 2, 2, 2]),
        secret("five stages", convolutions=some_stages(5)),
        secret("three stages", convolutions=some_stages(3)),
        "other",
        public("two thin stages", convolutions=[2, 1], width=4),
        secret("seven wide stages", convolutions=some_stages(7), width=whole(65, 200)),
        public("six stages, 100 filters in the first", convolutions=[1, 2, 1, 1, 2, 1], width=100),
        secret("six thin stages", convolutions=some_stages(6), width=whole(2, 40)),
    ),
    varied=varied(
        plain_case,
        public("plain: one stage of one convolution", convolutions=[1]),
        {
            "width": {"width": 4},
            "two convolutions in a stage": {"convolutions": [2]},
            "two stages": {"convolutions": [1, 1]},
            "six stages": {"convolutions": [1, 1, 1, 1, 1, 1]},
        },
    ),
    clues=[
        clue(
            "Go through the stages and remember how many filters the present one has.",
            *("never doubled", "doubled within a stage", "width ignored"),
            arguments=("two stages",),
        ),
        clue(
            'In each stage: config += [filters] * count + ["M"]; then double filters, but to no more than 8 * width.',
            *("last pooling forgotten", "pooling first", "pooling after each convolution", "doubled without end"),
            *("never doubled", "doubled within a stage", "limit always 512"),
            arguments=("two convolutions in a stage", "two stages", "six stages"),
        ),
    ],
    mistakes=mistakes(
        """
        last pooling forgotten: Your last stage has no pooling: every stage ends with one, so the list ends with an M.
        pooling first: You pool before each stage: convolve first, and pool at its end.
        pooling after each convolution: You pool after every convolution: once a stage, at its end, is enough.
        doubled without end: You go on doubling: the filters stay where they are once they have come to 8 * width.
        never doubled: All your stages have equally many filters: each has twice those of the stage before it.
        doubled within a stage: You double from one convolution to the next: all of one stage have equally many filters.
        width ignored: You always begin with 64 filters: begin with `width`.
        limit always 512: You stop doubling at 512 filters whatever the width: stop at 8 * width.
        """,
        configuration,
    ),
)
