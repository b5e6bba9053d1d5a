"""vgg16_table: what each layer costs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autograder.exercise import Exercise, Random, clue
from autograder.exercises.common.drawn import whole
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.rows import plain_case, public, rows, secret, varied
from autograder.exercises.vgg.stacks import drawn_image
from cnnlab.checking.way import Way
from cnnlab.checking.wire import Value

COLUMNS = ("name", "shape", "activations", "parameters", "macs")
Size = int | tuple[int, int]
Row = dict[str, Value]


def size_of(shape: Sequence[int]) -> int:
    count = 1
    for side in shape:
        count *= side
    return count


def table(
    config: list[int | str],
    image: Size = 224,
    classes: int = 1000,
    bias: bool = True,
    hidden: int = 4096,
    slip: str = "",
) -> list[Row]:
    """Cut the list into stages and name the layers; then one row for each, from the one before it."""
    has_bias = {"bias forgotten": False, "bias always": True}.get(slip, bias)
    text = " ".join(map(str, config))
    kinds: list[tuple[str, str, int]] = []
    for stage, part in enumerate(text.split("M"), start=1):
        for number, filters in enumerate(part.split(), start=1):
            kinds.append(("conv", f"conv{stage}_{number}", int(filters)))
        if stage <= text.count("M"):
            kinds.append(("pool", f"pool{stage}", 0))
    kinds += [("dense", "dense1", hidden), ("dense", "dense2", hidden), ("dense", "dense3", classes)]
    if slip == "one hidden layer":
        del kinds[-2]
        kinds[-1] = ("dense", "dense2", classes)

    height, width = (image, image) if isinstance(image, int) else image
    if slip == "square image assumed":
        width = height
    shape: tuple[int, ...] = (3, height, width)
    rows = [_row("input", shape, 0, 0, slip)]
    for kind, name, units in kinds:
        if kind == "pool":
            up = 1 if slip == "rounded up" else 0
            shape = tuple([shape[0], *((side + up) // 2 for side in shape[1:])])
            rows.append(_row(name, shape, 0, 0, slip))
            continue
        reach = shape[:1] if kind == "conv" or slip == "first dense layer reads channels" else shape
        fan = size_of(reach) * (9 if kind == "conv" else 1)
        if kind == "conv" and slip == "input channels forgotten":
            fan = 9
        less = 2 if slip == "padding forgotten" else 0
        sides = [side - less for side in shape[1:]] if kind == "conv" else []
        shape = tuple([units, *sides])
        weights = fan * units
        places = size_of(shape[1:])
        parameters = weights + (units if has_bias else 0)
        macs = weights if slip == "places forgotten" else weights * places
        if slip == "biases multiplied":
            macs = parameters * places
        rows.append(_row(name, shape, parameters, macs, slip))
    return rows[1:] if slip == "no row for the input" else rows


def _row(name: str, shape: tuple[int, ...], parameters: int, macs: int, slip: str) -> Row:
    activations = size_of(shape)
    if slip == "one map" and len(shape) == 3:
        activations //= shape[0]
    if slip == "channels last" and len(shape) == 3:
        shape = (*shape[1:], shape[0])
    if slip == "dense shapes with three axes" and len(shape) == 1:
        shape = (shape[0], 1, 1)
    return dict(zip(COLUMNS, (name, shape, activations, parameters, macs), strict=True))


def some_config(*convolutions: int, last: int = 0) -> Random:
    """A list of stages with these numbers of convolutions and any numbers of filters.

    Args:
        convolutions: how many each stage has.
        last: at most so many filters has one more convolution, which no pooling follows; 0 for none.
    """

    def draw(rng: np.random.Generator) -> list[int | str]:
        config: list[int | str] = []
        for count in convolutions:
            config += [int(n) for n in rng.integers(4, 40, count)] + ["M"]
        return [*config, int(rng.integers(4, last + 1))] if last else config

    return Random(draw)


VGG16 = [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"]
VGG13 = [64, 64, "M", 128, 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"]

vgg16_table = Exercise(
    name="vgg16_table",
    returns=("rows",),
    reference=table,
    way=Way(table=COLUMNS),
    points={"VGG16": 3, "small": 3, "sizes": 3, "bias": 3},
    cases=rows(
        plain_case,
        "VGG16",
        public("VGG16", config=VGG16),
        secret("VGG16 for other classes", config=VGG16, classes=whole(20, 900)),
        public("VGG13 for ten classes", config=VGG13, classes=10),
        secret("VGG13 on a larger image", config=VGG13, image=whole(240, 399)),
        "small",
        public("two stages on a 16 x 16 image", config=[8, "M", 16, 12, "M"], image=16, classes=5, hidden=20),
        secret(
            "three stages on a small image",
            config=some_config(1, 3, 2),
            image=Random(lambda rng: 8 * int(rng.integers(3, 7))),
            classes=whole(3, 30),
            hidden=whole(31, 60),
        ),
        "sizes",
        public("two stages on a 13 x 22 image", config=[6, 4, "M", 10, "M"], image=(13, 22), classes=7, hidden=11),
        secret(
            "two stages, height and width odd",
            config=some_config(2, 2),
            image=Random(lambda rng: (4 * int(rng.integers(4, 7)) + 3, 4 * int(rng.integers(8, 12)) + 1)),
            classes=whole(3, 30),
            hidden=whole(31, 60),
        ),
        public("a stage that does not end with a pooling", config=[5, "M", 9, 8], image=(15, 11), classes=3, hidden=6),
        secret(
            "three stages and one convolution more",
            config=some_config(1, 2, 1, last=39),
            image=drawn_image(33, 63),
            classes=whole(3, 30),
            hidden=whole(31, 60),
        ),
        "bias",
        public("without biases", config=[7, "M", 5, 6, "M"], image=(12, 9), classes=4, bias=False, hidden=13),
        secret(
            "two stages without biases",
            config=some_config(2, 1),
            image=drawn_image(20, 50),
            classes=whole(3, 30),
            bias=False,
            hidden=whole(31, 60),
        ),
    ),
    varied=varied(
        plain_case,
        public("plain: one convolution and a pooling", config=[8, "M"]),
        {
            "image": {"image": 64},
            "odd size": {"image": 225},
            "image that is not square": {"image": (224, 160)},
            "classes": {"classes": 10},
            "bias": {"bias": False},
            "hidden": {"hidden": 100},
            "two convolutions in a stage": {"config": [8, 8, "M"]},
            "two stages": {"config": [8, "M", 8, "M"]},
            "no pooling at the end": {"config": [8]},
        },
    ),
    clues=[
        clue(
            "Keep the present shape in a variable, begin with the input's row, and let each layer read the shape that "
            "the one before it left.",
            *("no row for the input", "input channels forgotten", "square image assumed"),
            arguments=("two convolutions in a stage", "two stages", "no pooling at the end"),
        ),
        clue(
            "A convolution of n filters on c channels has 9 * c * n weights, each used at height * width places. A "
            "dense layer of n units has one weight for each unit and each number that it reads: of the last map, all "
            "c * height * width.",
            *("input channels forgotten", "places forgotten", "first dense layer reads channels"),
            arguments=("image", "image that is not square", "classes", "hidden"),
        ),
        clue(
            "Two counters make the names: `stage` goes up after a pooling, `number` after a convolution and back to "
            "1 with the next stage. parameters = weights + n if bias else weights; macs = weights * places, with one "
            "place for a dense layer.",
            *("bias forgotten", "bias always", "places forgotten", "biases multiplied"),
            arguments=("bias", "two convolutions in a stage", "two stages"),
        ),
    ],
    mistakes=mistakes(
        """
        bias forgotten: You counted no biases: with bias=True each filter and unit has one.
        bias always: You counted biases although bias is False: leave them out there.
        input channels forgotten: You counted 9 weights for a filter: it has 9 for each channel that it reads.
        places forgotten: Your macs are the weights: a convolution uses each at every place of its map, height * width
            times.
        biases multiplied: You counted biases among the macs: a bias is added and multiplies nothing.
        rounded up: You rounded up when you halved an odd side: the pooling drops what is left over.
        padding forgotten: Your convolutions shrink the map: with padding 1 a 3 x 3 convolution keeps its size.
        channels last: You wrote shapes with the channels last, as the slide does: here they come first, (C, H, W).
        no row for the input: You left the input out: it is the first row, and its values take memory too.
        one map: You counted the values of one map: a layer makes as many maps as it has filters.
        first dense layer reads channels: Your first dense layer reads one number for each channel: it reads the whole
            last map, c * height * width numbers.
        one hidden layer: You have one hidden dense layer: VGG has two, then the classes.
        dense shapes with three axes: You wrote the shape of a dense layer as a map of 1 x 1: write (units,).
        square image assumed: You took the image for a square: image may be (height, width), so halve each on its own.
        """,
        table,
    ),
)
