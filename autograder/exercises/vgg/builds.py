"""make_vgg and vgg: the network from its list, small ones by value and the paper's by shape."""

from __future__ import annotations

from functools import partial

import numpy as np

from autograder.exercise import Case, Exercise, Random, clue, normal
from autograder.exercises.common.drawn import whole
from autograder.exercises.common.lazy_import import lazy_imports
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.rows import public, rows, secret, varied
from autograder.exercises.vgg.tables import some_config
from cnnlab.checking.way import Way
from cnnlab.checking.wire import Value

network, deep = lazy_imports("autograder.exercises.vgg.networks", "Vgg", "deep")
ONE = Random(lambda rng: [int(rng.integers(3, 9))])  # convolution, no pooling
HIDDEN = whole(10, 14)


def asked(
    shape: tuple[int, ...],
    classes: int | Random | None = None,
    hidden: int | Random | None = None,
    batch_norm: bool | None = None,
) -> dict[str, Value]:
    """Return the arguments besides the first, for images of this shape; what has its default is left out."""
    channels, height, width = shape[1:]
    image = height if height == width else (height, width)
    given = {
        "classes": classes,
        "batch_norm": batch_norm,
        "image": None if image == 224 else image,
        "hidden": hidden,
        "channels": None if channels == 3 else channels,
    }
    return {name: value for name, value in given.items() if value is not None}


def small(key: str, group: str, config: list[int | str] | Random, shape: tuple[int, ...], **more: Value) -> Case:
    return Case(key, group=group, config=config, x=normal(*shape), **asked(shape, **more))


def as_published(key: str, group: str, depth: int, shape: tuple[int, ...], **more: Value) -> Case:
    """A Case of images that nobody looks at; public and secret ones differ in shape, since their values are the same."""
    return Case(key, group=group, depth=depth, x=np.zeros(shape, np.uint8), **asked(shape, **more))


make_vgg = Exercise(
    name="make_vgg",
    returns=("y_shape", "parameters", "shapes", "y_eval", "y", "dx", "gradients"),
    reference=network,
    way=Way(module="x"),
    points={"one convolution": 2, "stages": 4, "batch norm": 3, "sizes": 3},
    cases=[
        *rows(
            small,
            "one convolution",
            public("one convolution, no pooling", [5], (2, 3, 4, 4), classes=3, hidden=6),
            secret(
                "one convolution",
                Random(lambda rng: [int(rng.integers(3, 9))]),
                (3, 3, 5, 5),
                classes=4,
                hidden=whole(5, 9),
            ),
            "stages",
            public("two stages on a 12 x 12 image", [4, "M", 6, 5, "M"], (2, 3, 12, 12), classes=4, hidden=7),
            secret("three stages", some_config(1, 2, 2), (2, 3, 16, 16), classes=whole(3, 9), hidden=HIDDEN),
            public("a last map of 7 x 7", [4, 3, "M"], (2, 3, 14, 14), classes=3, hidden=5),
            secret(
                "another last map of 7 x 7", [3, "M", 6, 4, "M"], (2, 3, 28, 28), classes=whole(4, 9), hidden=HIDDEN
            ),
        ),
        *rows(
            partial(small, batch_norm=True),
            "batch norm",
            public("batch norm", [4, 6, "M", 5, "M"], (3, 3, 8, 8), classes=4, hidden=6),
            secret("two stages with batch norm", some_config(1, 2), (4, 3, 8, 12), classes=whole(3, 9), hidden=HIDDEN),
            secret(
                "batch norm on a last map of 1 x 2", some_config(1, 1), (3, 3, 4, 8), classes=whole(3, 9), hidden=HIDDEN
            ),
        ),
        *rows(
            small,
            "sizes",
            public("one channel, an image of 9 x 9", [3, "M", 5, 4, "M"], (2, 1, 9, 9), classes=5, hidden=8),
            secret(
                "four channels, an image with odd sides",
                some_config(2, 1),
                (2, 4, 15, 15),
                classes=whole(3, 9),
                hidden=HIDDEN,
            ),
            public("an image of 9 x 14", [4, "M", 3, "M"], (2, 3, 9, 14), classes=4, hidden=6),
            secret(
                "a convolution after the last pooling",
                some_config(2, 1, last=8),
                (2, 3, 10, 19),
                classes=whole(3, 9),
                hidden=HIDDEN,
            ),
        ),
    ],
    varied=varied(
        small,
        public("plain: one convolution and a pooling", [2, "M"], (1, 3, 4, 4), classes=2, hidden=3),
        {
            "classes": {"classes": 4},
            "batch_norm": {"batch_norm": True},
            "image that is not square": public("", [2, "M"], (1, 3, 4, 6), classes=2, hidden=3),
            "odd size": public("", [2, "M"], (1, 3, 5, 5), classes=2, hidden=3),
            "channels": public("", [2, "M"], (1, 1, 4, 4), classes=2, hidden=3),
            "batch": public("", [2, "M"], (3, 3, 4, 4), classes=2, hidden=3),
            "two convolutions in a stage": public("", [2, 3, "M"], (1, 3, 4, 4), classes=2, hidden=3),
            "no pooling": public("", [2], (1, 3, 4, 4), classes=2, hidden=3),
        },
    ),
    clues=[
        clue(
            "Collect the layers in a Python list while you go through config, and keep two things up to date: the "
            "channels that the next convolution reads, and the height and width of the map.",
            *("channels not passed on", "three channels assumed", "image ignored", "fixed grid"),
            arguments=("channels", "two convolutions in a stage", "no pooling"),
        ),
        clue(
            'For an "M": nn.MaxPool2d(2), and halve both sides with // 2. For a number: nn.Conv2d(channels, number, 3, '
            "padding=1), with batch_norm an nn.BatchNorm2d(number), an nn.ReLU(), and channels = number.",
            *("no ReLU after convolutions", "batch norm ignored", "batch norm after ReLU", "no bias beside batch norm"),
            *("average pooling", "padding forgotten", "channels not passed on", "three channels assumed"),
            "square image assumed",
            arguments=(
                *("batch_norm", "channels", "image that is not square", "odd size"),
                *("two convolutions in a stage", "no pooling"),
            ),
        ),
        clue(
            "Then nn.Flatten(), nn.Linear(channels * height * width, hidden), nn.ReLU(), nn.Dropout(0.5), "
            "nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(0.5), nn.Linear(hidden, classes), all in "
            "nn.Sequential(*layers).",
            *("no ReLU after dense layers", "ReLU at the end", "softmax at the end", "no dropout", "one hidden layer"),
            *("fixed grid", "image ignored", "square image assumed"),
            arguments=("classes", "image that is not square"),
        ),
    ],
    mistakes=mistakes(
        """
        no ReLU after convolutions: You put no ReLU after the convolutions: without it a stage is one linear layer.
        no ReLU after dense layers: You put no ReLU after the hidden dense layers: each of the two needs one.
        ReLU at the end: You put a ReLU after the last layer: scores may be negative, so return them as they are.
        softmax at the end: You put a softmax at the end: return scores; the loss takes their softmax itself.
        no dropout: You left dropout out: after the ReLU of both hidden dense layers half is dropped.
        batch norm ignored: You made no batch norm although batch_norm is True: put one after each convolution.
        batch norm after ReLU: You normalise after the ReLU: the order is convolution, batch norm, ReLU.
        no bias beside batch norm: You dropped the convolutions' biases where batch norm follows: sensible, but here
            they keep them.
        average pooling: You take the mean of each 2 x 2 window: VGG takes the maximum.
        one hidden layer: You have one hidden dense layer: VGG has two of them before the one for the classes.
        fixed grid: You pool the last map to 7 x 7 whatever its size: here the dense layer reads the map as it is.
        padding forgotten: Your first dense layer does not fit its map: convolutions with padding=1 keep a map's size,
            each pooling halves it, and the layer reads channels * height * width numbers.
        channels not passed on: Each of your convolutions reads as many channels as the image has: it reads as many as
            the one before it made.
        three channels assumed: Your first convolution always reads three channels: it reads `channels` of them.
        image ignored: Your first dense layer always reads maps of 7 x 7: work their size out from image and the
            poolings.
        square image assumed: You took the image for a square: image may be (height, width), so halve each on its own.
        """,
        network,
    ),
)

vgg = Exercise(
    name="vgg",
    returns=("y_shape", "parameters", "shapes"),
    reference=deep,
    way=Way(module="x"),
    points={"ImageNet": 2, "batch norm": 1, "sizes": 1},
    cases=[
        *rows(
            as_published,
            "ImageNet",
            public("VGG16 on ImageNet", 16, (1, 3, 224, 224)),
            secret("VGG19 for other classes", 19, (2, 3, 224, 224), classes=whole(20, 900)),
            public("VGG11 on ImageNet", 11, (1, 3, 224, 224)),
            secret("VGG13 for other classes", 13, (2, 3, 224, 224), classes=whole(20, 900)),
            secret("VGG16 for a few classes", 16, (2, 3, 224, 224), classes=whole(3, 19)),
        ),
        *rows(
            partial(as_published, batch_norm=True),
            "batch norm",
            public("VGG13 with batch norm", 13, (2, 3, 32, 32), classes=10, hidden=50),
            secret("VGG16 with batch norm", 16, (1, 3, 32, 64), classes=whole(3, 30), hidden=whole(31, 60)),
        ),
        *rows(
            as_published,
            "sizes",
            public("VGG19 on an image of 64 x 96", 19, (1, 3, 64, 96), classes=7, hidden=20),
            secret("VGG11 on a small image", 11, (3, 3, 96, 64), classes=whole(3, 30), hidden=whole(31, 60)),
        ),
    ],
    varied=varied(  # few: each network takes long to build
        as_published,
        public("plain: VGG11", 11, (1, 3, 224, 224)),
        {"classes": {"classes": 10}, "image": public("", 11, (1, 3, 32, 32))},
    ),
    clues=[
        clue(
            "Look the five numbers up by depth, turn them into a list with vgg_config, and hand the list to make_vgg "
            "with all the other arguments.",
            *("classes not handed on", "batch norm not handed on", "image not handed on", "hidden not handed on"),
            arguments=("classes", "image"),
        ),
        clue("A dictionary does it: {11: (1, 1, 2, 2, 2), 13: ...}[depth].", "stages reversed"),
    ],
    mistakes=mistakes(
        """
        stages reversed: You wrote the stages in the wrong order: the deeper networks grow in the late ones.
        classes not handed on: You did not hand classes on to make_vgg.
        batch norm not handed on: You did not hand batch_norm on to make_vgg.
        image not handed on: You did not hand image on to make_vgg, so its dense layer expects the map of a 224 x 224
            image.
        hidden not handed on: You did not hand hidden on to make_vgg.
        """,
        deep,
    ),
)
