"""make_vgg and vgg: the network from its list, small ones by value and the paper's by shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.exercise import Exercise, Mistake, Random, normal
from autograder.exercises.common.lazy_import import lazy_import
from autograder.exercises.rows import group, public, secret
from autograder.exercises.vgg.stacks import whole
from autograder.exercises.vgg.tables import some_config
from cnnlab.checking.way import Way

NETWORK = "autograder.exercises.vgg.networks:Vgg"
DEEP = "autograder.exercises.vgg.networks:deep"


def slip(*names: str) -> Callable[..., Any]:
    return lazy_import(NETWORK, slips=names)


def deep_slip(*names: str) -> Callable[..., Any]:
    return lazy_import(DEEP, slips=names)


def blank(*shape: int) -> np.ndarray:
    """Images that nobody looks at; public and secret ones differ in shape, since their values are the same."""
    return np.zeros(shape, np.uint8)


make_vgg = Exercise(
    name="make_vgg",
    returns=("y_shape", "parameters", "shapes", "y_eval", "y", "dx", "gradients"),
    reference=lazy_import(NETWORK),
    way=Way(module="x"),
    points={"one convolution": 2, "stages": 4, "batch norm": 3, "sizes": 3},
    cases=[
        *group(
            "one convolution",
            public("one convolution, no pooling", config=[5], x=normal(2, 3, 4, 4), classes=3, image=4, hidden=6),
            secret(
                "one convolution",
                config=Random(lambda rng: [int(rng.integers(3, 9))]),
                x=normal(3, 3, 5, 5),
                classes=4,
                image=5,
                hidden=whole(5, 9),
            ),
        ),
        *group(
            "stages",
            public(
                "two stages on a 12 x 12 image",
                config=[4, "M", 6, 5, "M"],
                x=normal(2, 3, 12, 12),
                classes=4,
                image=12,
                hidden=7,
            ),
            secret(
                "three stages",
                config=Random(lambda rng: some_config(1, 2, 2).draw(rng)),
                x=normal(2, 3, 16, 16),
                classes=whole(3, 9),
                image=16,
                hidden=whole(10, 14),
            ),
            public("a last map of 7 x 7", config=[4, 3, "M"], x=normal(2, 3, 14, 14), classes=3, image=14, hidden=5),
            secret(
                "another last map of 7 x 7",
                config=[3, "M", 6, 4, "M"],
                x=normal(2, 3, 28, 28),
                classes=whole(4, 9),
                image=28,
                hidden=whole(10, 14),
            ),
        ),
        *group(
            "batch norm",
            public(
                "batch norm",
                config=[4, 6, "M", 5, "M"],
                x=normal(3, 3, 8, 8),
                classes=4,
                batch_norm=True,
                image=8,
                hidden=6,
            ),
            secret(
                "two stages with batch norm",
                config=Random(lambda rng: some_config(1, 2).draw(rng)),
                x=normal(4, 3, 8, 12),
                classes=whole(3, 9),
                batch_norm=True,
                image=(8, 12),
                hidden=whole(10, 14),
            ),
            secret(
                "batch norm on a last map of 1 x 2",
                config=Random(lambda rng: some_config(1, 1).draw(rng)),
                x=normal(3, 3, 4, 8),
                classes=whole(3, 9),
                batch_norm=True,
                image=(4, 8),
                hidden=whole(10, 14),
            ),
        ),
        *group(
            "sizes",
            public(
                "one channel, an image of 9 x 9",
                config=[3, "M", 5, 4, "M"],
                x=normal(2, 1, 9, 9),
                classes=5,
                image=9,
                hidden=8,
                channels=1,
            ),
            secret(
                "four channels, an image with odd sides",
                config=Random(lambda rng: some_config(2, 1).draw(rng)),
                x=normal(2, 4, 15, 15),
                classes=whole(3, 9),
                image=15,
                hidden=whole(10, 14),
                channels=4,
            ),
            public(
                "an image of 9 x 14", config=[4, "M", 3, "M"], x=normal(2, 3, 9, 14), classes=4, image=(9, 14), hidden=6
            ),
            secret(
                "a convolution after the last pooling",
                config=Random(lambda rng: [*some_config(2, 1).draw(rng), int(rng.integers(4, 9))]),
                x=normal(2, 3, 10, 19),
                classes=whole(3, 9),
                image=(10, 19),
                hidden=whole(10, 14),
            ),
        ),
    ],
    clues=[
        "Collect the layers in a Python list while you go through config, and keep two things up to date: the channels "
        "that the next convolution reads, and the height and width of the map.",
        'For an "M": nn.MaxPool2d(2), and halve both sides with // 2. For a number: nn.Conv2d(channels, number, 3, '
        "padding=1), with batch_norm an nn.BatchNorm2d(number), an nn.ReLU(), and channels = number.",
        "Then nn.Flatten(), nn.Linear(channels * height * width, hidden), nn.ReLU(), nn.Dropout(0.5), nn.Linear(hidden, "
        "hidden), nn.ReLU(), nn.Dropout(0.5), nn.Linear(hidden, classes), all in nn.Sequential(*layers).",
    ],
    mistakes=[
        Mistake(
            "no ReLU after convolutions",
            "You put no ReLU after the convolutions: without it a stage is one linear layer.",
            slip("linear convolutions"),
        ),
        Mistake(
            "no ReLU after dense layers",
            "You put no ReLU after the hidden dense layers: each of the two needs one.",
            slip("linear dense"),
        ),
        Mistake(
            "ReLU at the end",
            "You put a ReLU after the last layer: scores may be negative, so return them as they are.",
            slip("last relu"),
        ),
        Mistake(
            "softmax at the end",
            "You put a softmax at the end: return scores; the loss takes their softmax itself.",
            slip("softmax"),
        ),
        Mistake(
            "no dropout",
            "You left dropout out: after the ReLU of both hidden dense layers half is dropped.",
            slip("no dropout"),
        ),
        Mistake(
            "batch norm ignored",
            "You made no batch norm although batch_norm is True: put one after each convolution.",
            slip("norm ignored"),
        ),
        Mistake(
            "batch norm after ReLU",
            "You normalise after the ReLU: the order is convolution, batch norm, ReLU.",
            slip("norm after"),
        ),
        Mistake(
            "no bias beside batch norm",
            "You dropped the convolutions' biases where batch norm follows: sensible, but here they keep them.",
            slip("no bias"),
        ),
        Mistake("average pooling", "You take the mean of each 2 x 2 window: VGG takes the maximum.", slip("average")),
        Mistake(
            "one hidden layer",
            "You have one hidden dense layer: VGG has two of them before the one for the classes.",
            slip("one hidden"),
        ),
        Mistake(
            "fixed grid",
            "You pool the last map to 7 x 7 whatever its size: here the dense layer reads the map as it is.",
            slip("fixed grid"),
        ),
        Mistake(
            "padding forgotten",
            "Your first dense layer does not fit its map: convolutions with padding=1 keep a map's size, each pooling "
            "halves it, and the layer reads channels * height * width numbers.",
            slip("padding"),
        ),
        Mistake(
            "channels not passed on",
            "Each of your convolutions reads as many channels as the image has: it reads as many as the one before "
            "it made.",
            slip("channels"),
        ),
        Mistake(
            "three channels assumed",
            "Your first convolution always reads three channels: it reads `channels` of them.",
            slip("colour"),
        ),
        Mistake(
            "image ignored",
            "Your first dense layer always reads maps of 7 x 7: work their size out from image and the poolings.",
            slip("image ignored"),
        ),
        Mistake(
            "square image assumed",
            "You took the image for a square: image may be (height, width), so halve each on its own.",
            slip("square"),
        ),
    ],
)

vgg = Exercise(
    name="vgg",
    returns=("y_shape", "parameters", "shapes"),
    reference=lazy_import(DEEP),
    way=Way(module="x"),
    points={"ImageNet": 2, "batch norm": 1, "sizes": 1},
    cases=[
        *group(
            "ImageNet",
            public("VGG16 on ImageNet", depth=16, x=blank(1, 3, 224, 224)),
            secret("VGG19 for other classes", depth=19, x=blank(2, 3, 224, 224), classes=whole(20, 900)),
            secret("VGG13 for other classes", depth=13, x=blank(2, 3, 224, 224), classes=whole(20, 900)),
            public("VGG11 on ImageNet", depth=11, x=blank(1, 3, 224, 224)),
            secret("VGG16 for a few classes", depth=16, x=blank(2, 3, 224, 224), classes=whole(3, 19)),
        ),
        *group(
            "batch norm",
            public(
                "VGG13 with batch norm",
                depth=13,
                x=blank(2, 3, 32, 32),
                classes=10,
                batch_norm=True,
                image=32,
                hidden=50,
            ),
            secret(
                "VGG16 with batch norm",
                depth=16,
                x=blank(1, 3, 32, 64),
                classes=whole(3, 30),
                batch_norm=True,
                image=(32, 64),
                hidden=whole(31, 60),
            ),
        ),
        *group(
            "sizes",
            public(
                "VGG19 on an image of 64 x 96", depth=19, x=blank(1, 3, 64, 96), classes=7, image=(64, 96), hidden=20
            ),
            secret(
                "VGG11 on a small image",
                depth=11,
                x=blank(3, 3, 96, 64),
                classes=whole(3, 30),
                image=(96, 64),
                hidden=whole(31, 60),
            ),
        ),
    ],
    clues=[
        "Look the five numbers up by depth, turn them into a list with vgg_config, and hand the list to make_vgg with "
        "all the other arguments.",
        "A dictionary does it: {11: (1, 1, 2, 2, 2), 13: ...}[depth].",
    ],
    mistakes=[
        Mistake(
            "stages reversed",
            "You wrote the stages in the wrong order: the deeper networks grow in the late ones.",
            deep_slip("reversed"),
        ),
        Mistake("classes not handed on", "You did not hand classes on to make_vgg.", deep_slip("classes")),
        Mistake("batch norm not handed on", "You did not hand batch_norm on to make_vgg.", deep_slip("norm")),
        Mistake(
            "image not handed on",
            "You did not hand image on to make_vgg, so its dense layer expects the map of a 224 x 224 image.",
            deep_slip("image"),
        ),
        Mistake("hidden not handed on", "You did not hand hidden on to make_vgg.", deep_slip("hidden")),
    ],
)
