"""make_resnet and ResNet18: blocks stacked to networks."""

from __future__ import annotations

from autograder.exercise import Case, Exercise, clue, normal
from autograder.exercises.common.lazy_import import lazy_imports
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.modules import MODULE
from autograder.exercises.rows import public, rows, secret, varied
from cnnlab.checking.wire import Value

RETURNS = ("y_shape", "parameters", "shapes", "y_eval", "y")
cifar, large = lazy_imports("autograder.exercises.resnet.networks", "CifarResNet", "ResNet18")


def case(key: str, group: str, shape: tuple[int, int, int], **arguments: Value) -> Case:
    """A Case of `shape[0]` colour images of shape[1:]."""
    return Case(key, group=group, x=normal(shape[0], 3, *shape[1:]), **arguments)


make_resnet = Exercise(
    name="make_resnet",
    returns=RETURNS,
    reference=cifar,
    points={"shallow": 5, "deep": 4, "options": 3},
    way=MODULE,
    cases=rows(
        case,
        "shallow",
        public("depth 8", (2, 8, 12), depth=8, width=4),
        secret("depth 8, wide images", (2, 10, 16), depth=8, width=5),
        "deep",
        secret("depth 26", (2, 14, 9), depth=26, width=3),
        public("depth 20", (2, 12, 8), depth=20, width=4),
        secret("depth 32", (2, 8, 9), depth=32, width=4),
        "options",
        public("5 classes, images of 9 x 14", (3, 9, 14), depth=8, classes=5, width=3),
        secret("3 classes, images of 15 x 9", (2, 15, 9), depth=14, classes=3, width=4),
        public("depth 14, one image", (1, 16, 10), depth=14, classes=7, width=2),
        secret("6 classes, one image", (1, 12, 17), depth=8, classes=6, width=6),
    ),
    mistakes=mistakes(
        """
        shortcuts that project: Your network learns more numbers than it must: where a stage begins, put PaddedShortcut
            in the place of the block's projection.
        two layers counted as one: You have twice the blocks that you need: a block is two layers, so each stage has
            (depth - 2) // 6.
        first stage strided: Your first stage halves the maps too: only the second and the third begin with stride 2.
        never strided: Your maps stay as large as the image: the first block of the second and of the third stage has
            stride 2.
        one width: Your stages are all equally wide: width, 2 * width and 4 * width filters.
        no ReLU after the first convolution: You left out the ReLU behind the first convolution and its batch
            normalisation.
        no batch norm after the first convolution: The first convolution, before all blocks, is followed by batch
            normalisation too.
        pooling before the stages: You pool before the first stage, as networks for large images do: here the image is
            small and stays whole.
        largest instead of mean: You took each map's largest value at the end: take its mean.
        softmax at the end: Your network ends in a softmax: return the scores, the loss applies it.
        linear layer without bias: Leave the linear layer's bias as it is: bias=True.
        """,
        cifar,
    ),
    varied=varied(  # few, and none of ResNet18: deep networks take long
        case,
        public("plain: depth 8 on one image of 8 x 8", (1, 8, 8), depth=8, classes=2, width=2),
        {"depth": {"depth": 14}, "width": {"width": 3}},
    ),
    clues=(
        "Collect the modules in a list and return nn.Sequential(*modules); keep the number of channels in a variable that "
        "each block updates.",
        clue(
            "for stage in range(3): filters = width * 2**stage; for number in range((depth - 2) // 6): the stride is 2 "
            "where stage > 0 and number == 0.",
            *("two layers counted as one", "first stage strided", "never strided", "one width"),
            arguments=("depth", "width"),
        ),
        clue(
            "block = BasicBlock(channels, filters, stride); if channels != filters: block.shortcut = "
            "PaddedShortcut(channels, filters, stride). At the end nn.AdaptiveAvgPool2d(1), nn.Flatten(), "
            "nn.Linear(channels, classes).",
            *("shortcuts that project", "largest instead of mean", "softmax at the end", "linear layer without bias"),
        ),
    ),
)

ResNet18 = Exercise(
    name="ResNet18",
    returns=RETURNS,
    reference=large,
    points={"stem": 4, "stages": 4, "options": 2},
    way=MODULE,
    cases=rows(
        case,
        "stem",
        public("images of 33 x 40", (2, 33, 40), classes=10, width=4),
        secret("images of 36 x 64", (2, 36, 64), classes=10, width=3),
        "stages",
        public("images of 41 x 34", (2, 41, 34), classes=10, width=3),
        secret("images of 66 x 37", (2, 66, 37), classes=10, width=4),
        "options",
        public("one image of 71 x 34, 4 classes", (1, 71, 34), classes=4, width=5),
        secret("6 classes, one image of 45 x 68", (1, 45, 68), classes=6, width=6),
        secret("a thousand classes", (2, 49, 72), classes=1000, width=2),
    ),
    mistakes=mistakes(
        """
        no pooling: You left out the pooling behind the first convolution: 3 x 3, stride 2, padding 1.
        average pooling: You pool the mean behind the first convolution: here it is the maximum.
        pooling of 2 x 2: Your pooling windows are 2 x 2: they are 3 x 3 with stride 2 and padding 1, and overlap.
        small first convolution: Your first convolution is 3 x 3: for large images it is 7 x 7, stride 2, padding 3.
        first stage strided: Your first stage halves the maps too: only the later three begin with stride 2.
        never strided: Your maps stay as large as the pooling leaves them: each stage but the first begins with stride
            2.
        blocks of ResNet-34: You stacked 3, 4, 6 and 3 blocks, which makes ResNet-34: here each stage has two.
        three stages: You have three stages, as the network for small images: here there are four.
        one width: Your stages are all equally wide: width, then 2, 4 and 8 times that.
        padded shortcuts: Your shortcuts pad with zeros where a stage begins: here the block's own projection stays.
        no ReLU after the first convolution: You left out the ReLU between the first batch normalisation and the
            pooling.
        softmax at the end: Your network ends in a softmax: return the scores, the loss applies it.
        """,
        large,
    ),
    clues=(
        clue(
            "The first convolution has width filters, 7 x 7, stride 2, padding 3, no bias; batch normalisation, ReLU and "
            "nn.MaxPool2d(3, 2, padding=1) follow.",
            *("no pooling", "average pooling", "pooling of 2 x 2", "small first convolution"),
            "no ReLU after the first convolution",
        ),
        clue(
            "for stage in range(4): filters = width * 2**stage; the first block is BasicBlock(channels, filters, stride) "
            "with stride 1 if stage == 0 else 2, the second BasicBlock(filters, filters).",
            *("first stage strided", "never strided", "blocks of ResNet-34", "three stages", "one width"),
        ),
        clue(
            "At the end nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8 * width, classes); all of it in one "
            "nn.Sequential makes forward one line: return self.layers(x).",
            "softmax at the end",
        ),
    ),
)
