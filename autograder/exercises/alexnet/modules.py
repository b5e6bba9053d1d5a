"""alexnet_features and AlexNet: the network as published, in any width."""

from __future__ import annotations

import numpy as np

from autograder.exercise import Exercise, Random, clue
from autograder.exercises.common.lazy_import import lazy_imports
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.rows import plain_case, public, rows, secret, varied
from cnnlab.checking.way import Way

features, network = lazy_imports("autograder.exercises.alexnet.networks", "Features", "AlexNet")


def pixels(*shape: int) -> Random:
    """Images of bytes: large enough for the norm to matter, and small in a file."""
    return Random(lambda rng: rng.integers(0, 256, shape).astype(np.uint8))


alexnet_features = Exercise(
    name="alexnet_features",
    returns=("y_shape", "parameters", "shapes", "y_eval"),
    reference=features,
    way=Way(module="x"),
    points={"one card": 6, "two cards": 4, "full width": 2},
    cases=rows(
        plain_case,
        "one card",
        public("width 6, an image of 67 x 67", x=pixels(2, 3, 67, 67), width=6),
        secret("width 9, an image of 70 x 75", x=pixels(1, 3, 70, 75), width=9),
        public("width 6, an image of 100 x 72", x=pixels(1, 3, 100, 72), width=6),
        secret("width 6, an image of 99 x 68", x=pixels(2, 3, 99, 68), width=6),
        "two cards",
        public("width 12 in 2 groups", x=pixels(1, 3, 67, 99), groups=2, width=12),
        secret("width 6 in 2 groups", x=pixels(2, 3, 72, 67), groups=2, width=6),
        "full width",
        public("the full width in 2 groups, a small image", x=pixels(1, 3, 67, 67), groups=2),
        secret("the full width in 1 group", x=pixels(1, 3, 67, 70)),
    ),
    varied=varied(
        plain_case,
        public("plain: one image of 67 x 67, width 6", x=pixels(1, 3, 67, 67), width=6),
        {
            "groups": {"groups": 2},
            "width": {"width": 9},
            "batch": {"x": pixels(2, 3, 67, 67)},
            "image that is not square": {"x": pixels(1, 3, 67, 99)},
            "pixels left over by the first layer": {"x": pixels(1, 3, 70, 70)},
        },
    ),
    clues=[
        clue(
            "Fifteen layers in nn.Sequential, none of them more than one line: go down the table and write what stands "
            "there.",
            *("norm after pooling", "norm before ReLU", "no norm", "no overlap", "first convolution padded"),
            *("no ReLU after the fifth", "no pooling at the end"),
        ),
        clue(
            "nn.Conv2d(in, out, kernel, stride=..., padding=..., groups=...); each takes the filters of the one before "
            "as its input channels. Only the second, fourth and fifth are cut in groups.",
            *("groups everywhere", "groups ignored"),
            arguments=("groups", "width"),
        ),
        clue(
            "Each of the first two stages is Conv2d, ReLU, LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2), "
            "MaxPool2d(3, stride=2).",
            *("norm after pooling", "norm before ReLU", "no norm", "alpha of the paper given to torch", "k left at 1"),
            *("torch's own constants", "no overlap"),
        ),
    ],
    mistakes=mistakes(
        """
        norm after pooling: You pool before you normalise: in the paper each norm comes right after the ReLU, and
            pooling follows.
        norm before ReLU: You normalise before the ReLU: it comes first, right after the convolution.
        no norm: You left out the response normalisation after the first and the second ReLU.
        alpha of the paper given to torch: You gave torch the paper's alpha: it divides alpha by the size of 5, so give
            it 5 times as much, 5e-4.
        k left at 1: You left k at torch's 1: the paper has k = 2.
        torch's own constants: You left alpha and k as torch has them, 1e-4 and 1: the paper's k is 2, and its 1e-4 is
            5e-4 for torch, which divides alpha by the size.
        no overlap: Your pooling windows do not overlap: they are 3 x 3 at stride 2.
        groups everywhere: You cut the third convolution in groups too: there the two halves meet, and each filter sees
            both.
        groups ignored: You did not use `groups`: hand it to the second, the fourth and the fifth convolution.
        first convolution padded: You padded the first convolution: this network has none there, its images of 227 fit
            exactly.
        no ReLU after the fifth: You left out the ReLU after the fifth convolution: every convolution has one.
        no pooling at the end: You left out the last pooling, which follows the fifth convolution.
        """,
        features,
    ),
)

AlexNet = Exercise(
    name="AlexNet",
    returns=("y_shape", "parameters", "shapes", "y_eval", "y"),
    reference=network,
    way=Way(module="x"),
    points={"basic": 5, "sides": 3, "two cards": 4},
    cases=rows(
        plain_case,
        "basic",
        public("7 classes, images of 67 pixels", x=pixels(3, 3, 67, 67), classes=7, width=6, hidden=20, image=67),
        secret("6 classes, images of 71 pixels", x=pixels(3, 3, 71, 71), classes=6, width=9, hidden=24, image=71),
        "sides",
        public("4 classes, an image of 100 pixels", x=pixels(2, 3, 100, 100), classes=4, width=6, hidden=12, image=100),
        secret("3 classes, an image of 133 pixels", x=pixels(2, 3, 133, 133), classes=3, width=6, hidden=18, image=133),
        "two cards",
        public("two groups of width 12", x=pixels(2, 3, 67, 67), classes=5, groups=2, width=12, hidden=16, image=67),
        secret("two groups of width 6", x=pixels(2, 3, 69, 69), classes=8, groups=2, width=6, hidden=14, image=69),
    ),
    varied=varied(
        plain_case,
        public(
            "plain: one image of 67 x 67, 2 classes", x=pixels(1, 3, 67, 67), classes=2, width=6, hidden=5, image=67
        ),
        {
            "classes": {"classes": 4},
            "groups": {"groups": 2},
            "image": {"x": pixels(1, 3, 99, 99), "image": 99},
            "batch": {"x": pixels(2, 3, 67, 67)},
        },
    ),
    clues=[
        clue(
            "Make two attributes: the features from your function, and the dense part as one nn.Sequential.",
            *("groups not handed on",),
            arguments=("groups",),
        ),
        clue(
            "The first linear layer takes what torch.flatten(x, 1) makes of the last maps: filters * side * side values, "
            "with side = alexnet_sides(image)[-1] and 8 * width // 3 filters.",
            arguments=("image",),
        ),
        clue(
            "Linear, ReLU, Dropout(0.5), Linear, ReLU, Dropout(0.5), Linear.",
            *("dropout before the layers", "no dropout", "dropout never off", "scores dropped", "ReLU on the scores"),
            *("no ReLU between the dense layers", "softmax at the end", "one hidden layer"),
            arguments=("classes",),
        ),
    ],
    mistakes=mistakes(
        """
        dropout before the layers: You drop the inputs of the hidden layers, as torchvision does: the paper drops their
            outputs, after the ReLU.
        no dropout: You left out dropout: half the outputs of both hidden layers are dropped in training.
        dropout never off: Your dropout also drops in eval mode: take nn.Dropout, or hand training=self.training to
            F.dropout.
        scores dropped: You drop class scores: dropout follows the two hidden layers only.
        ReLU on the scores: You put a ReLU on the scores: they may be negative, so the last layer stands alone.
        no ReLU between the dense layers: You left out the ReLUs of the dense part: without them its three layers are
            one linear map.
        softmax at the end: You return probabilities: return the scores, the loss takes the softmax itself.
        groups not handed on: You did not hand `groups` on to alexnet_features.
        one hidden layer: You have one hidden layer: there are two of `hidden` values before the scores.
        """,
        network,
    ),
)
