"""Inception and AuxiliaryHead: the parts that GoogLeNet is put together from."""

from __future__ import annotations

from autograder.exercise import Case, Exercise, clue, normal
from autograder.exercises.common.lazy_import import lazy_imports
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.rows import public, rows, secret, varied
from cnnlab.checking.way import Way
from cnnlab.checking.wire import Value

inception, auxiliary_head = lazy_imports("autograder.exercises.googlenet.networks", "Inception", "AuxiliaryHead")
OUTPUTS = ("y_shape", "parameters", "shapes", "y_eval", "y", "dx", "gradients")
FILTERS = ("ones", "reduce3", "threes", "reduce5", "fives", "pooled")


def block(key: str, group: str, shape: tuple[int, ...], *filters: int) -> Case:
    """A Case of Inception: shape of x, then the six numbers of filters."""
    of_branches = dict(zip(FILTERS, filters, strict=True))
    return Case(key, group=group, channels=shape[1], x=normal(*shape), **of_branches)


Inception = Exercise(
    name="Inception",
    returns=OUTPUTS,
    reference=inception,
    points={"branches": 6, "equal": 2, "edges": 3, "one": 3},
    way=Way(module="x"),
    cases=rows(
        block,
        "branches",
        public("branches of 3, 5, 4 and 2 filters", (2, 6, 5, 7), 3, 4, 5, 2, 4, 2),
        secret("branches of four widths", (2, 7, 6, 5), 4, 3, 6, 2, 3, 5),
        secret("wide branches", (2, 8, 9, 5), 6, 9, 8, 4, 7, 3),
        "equal",
        public("branches of 2 filters each", (3, 5, 6, 4), 2, 4, 2, 3, 2, 2),
        secret("branches of one width", (2, 6, 5, 4), 3, 4, 3, 2, 3, 3),
        "edges",
        public("an image of 2 x 3", (4, 4, 2, 3), 4, 2, 3, 3, 5, 2),
        secret("a flat image", (5, 3, 1, 4), 2, 3, 4, 2, 3, 5),
        "one",
        public("one channel", (3, 1, 4, 5), 3, 2, 4, 4, 1, 2),
        secret("one channel, higher than wide", (2, 1, 7, 3), 2, 3, 5, 2, 4, 3),
    ),
    varied=varied(  # few: six convolutions take long
        block,
        public("plain: one image of 2 channels, 4x4, one filter everywhere", (1, 2, 4, 4), 1, 1, 1, 1, 1, 1),
        {
            "batch": public("", (2, 2, 4, 4), 1, 1, 1, 1, 1, 1),
            "channels": public("", (1, 3, 4, 4), 1, 1, 1, 1, 1, 1),
            "reduce3": public("", (1, 2, 4, 4), 1, 2, 1, 1, 1, 1),
            "reduce5": public("", (1, 2, 4, 4), 1, 1, 1, 2, 1, 1),
        },
    ),
    clues=[
        clue(
            "Write down each branch as a line of layers with their channels: where a 1 x 1 ends in reduce3 channels, the "
            "3 x 3 begins with reduce3. Four nn.Sequential are four lines.",
            *("sizes do not fit", "reductions left out", "pooling without its 1 x 1", "pooled after the 1 x 1"),
            arguments=("channels", "reduce3", "reduce5"),
        ),
        clue(
            "All four branches must keep height and width: padding 1 for 3 x 3, padding 2 for 5 x 5, and "
            "nn.MaxPool2d(3, stride=1, padding=1), whose stride would else be its kernel.",
            *("sizes do not fit", "3 x 3 in the 5 x 5 branch", "average pooling"),
        ),
        clue(
            "In forward each branch gets the same x: torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], "
            "dim=1), where axis 1 holds the channels.",
            *("sizes do not fit", "joined along the batch", "joined along the rows", "pooling branch first"),
            "5 x 5 before 3 x 3",
            arguments=("batch",),
        ),
    ],
    mistakes=mistakes(
        """
        sizes do not fit: Shapes do not fit, and the error says which. If it speaks of channels, a convolution expects
            other ones than it gets; if of sizes, a branch changes height or width: the 3 x 3 needs padding 1, the 5 x 5
            padding 2, the pooling stride=1 and padding 1.
        joined along the batch: You joined the branches along the batch: channels are axis 1, so torch.cat needs dim=1.
        joined along the rows: You stacked the branches' maps on top of each other: channels are axis 1, so torch.cat
            needs dim=1.
        no ReLU after the reductions: Your 1 x 1 reductions have no ReLU: every convolution is followed by one, so use
            conv_norm_relu there too.
        bare reductions: Your 1 x 1 reductions have neither batch norm nor ReLU: make them with conv_norm_relu too.
        no ReLU at the end of the 1 x 1 branch: The last convolution of your 1 x 1 branch has no ReLU: every convolution
            is followed by one.
        no ReLU at the end of the 3 x 3 branch: The last convolution of your 3 x 3 branch has no ReLU: every convolution
            is followed by one.
        no ReLU at the end of the 5 x 5 branch: The last convolution of your 5 x 5 branch has no ReLU: every convolution
            is followed by one.
        no ReLU at the end of the pooling branch: The last convolution of your pooling branch has no ReLU: every
            convolution is followed by one.
        no batch norm: Your convolutions have a bias and no batch norm: make each with conv_norm_relu.
        reductions left out: Your 3 x 3 and 5 x 5 convolutions read all channels: put a 1 x 1 with reduce3 and reduce5
            filters before them.
        3 x 3 in the 5 x 5 branch: Both of your larger kernels are 3 x 3: the third branch has a 5 x 5, with padding 2.
        pooling without its 1 x 1: Your pooling branch passes all its channels on: a 1 x 1 with `pooled` filters follows
            the pooling.
        pooled after the 1 x 1: You pool after the 1 x 1 of the pooling branch: pool the input first, then convolve.
        average pooling: Your pooling branch averages: it takes the largest value of each window.
        pooling branch first: You put the pooling branch first: the order is 1 x 1, 3 x 3, 5 x 5, pooling.
        5 x 5 before 3 x 3: You put the 5 x 5 branch before the 3 x 3: the order is 1 x 1, 3 x 3, 5 x 5, pooling.
        """,
        inception,
    ),
)


def head(key: str, group: str, shape: tuple[int, ...], **arguments: Value) -> Case:
    """A Case of AuxiliaryHead: shape of x, then its arguments."""
    return Case(key, group=group, channels=shape[1], x=normal(*shape), **arguments)


AuxiliaryHead = Exercise(
    name="AuxiliaryHead",
    returns=OUTPUTS[:-1],  # at its published size the gradients would fill 16 MiB for each Mistake
    reference=auxiliary_head,
    points={"square": 4, "sizes": 3, "as published": 1},
    way=Way(module="x"),
    cases=rows(
        head,
        "square",
        public("maps of 8 x 8", (3, 6, 8, 8), classes=5, reduced=4, hidden=9),
        secret("square maps", (4, 7, 12, 12), classes=6, reduced=3, hidden=11),
        public("maps of 14 x 14", (2, 2, 14, 14), classes=3, reduced=5, hidden=8),
        "sizes",
        secret("maps larger than wide", (3, 4, 14, 9), classes=7, reduced=5, hidden=10),
        secret("maps larger than in the paper", (2, 3, 16, 15), classes=5, reduced=4, hidden=9),
        public("maps of 7 x 10", (2, 5, 7, 10), classes=4, reduced=3, hidden=12),
        secret("small maps", (5, 6, 3, 2), classes=4, reduced=2, hidden=13),
        "as published",
        public("128 and 1024, as published", (2, 3, 6, 5), classes=3),
        secret("the published numbers", (3, 4, 5, 9), classes=2),
    ),
    varied=varied(
        head,
        public("plain: one map of 2 channels, 4x4, 2 classes", (1, 2, 4, 4), classes=2, reduced=2, hidden=3),
        {
            "batch": public("", (3, 2, 4, 4), classes=2, reduced=2, hidden=3),
            "channels": public("", (1, 3, 4, 4), classes=2, reduced=2, hidden=3),
            "larger maps": public("", (1, 2, 8, 8), classes=2, reduced=2, hidden=3),
            "image that is not square": public("", (1, 2, 4, 6), classes=2, reduced=2, hidden=3),
            "classes": {"classes": 4},
            "reduced": {"reduced": 3},
            "hidden": {"hidden": 5},
        },
    ),
    clues=[
        clue(
            "The table is the network, line by line: each line is one layer, and its output's shape is the next one's "
            "input.",
            *("pooled after the convolution", "no ReLU between the linear layers", "no dropout"),
            arguments=("channels", "classes", "reduced", "hidden"),
        ),
        clue(
            "nn.AdaptiveAvgPool2d(4), conv_norm_relu(channels, reduced, 1), nn.Flatten(), nn.Linear(reduced * 4 * 4, "
            "hidden), nn.ReLU(), nn.Dropout(0.7), nn.Linear(hidden, classes): one nn.Sequential holds them all.",
            *("pooled to one value", "max pooling", "pooled after the convolution", "no dropout", "0.7 kept"),
            *("no ReLU between the linear layers", "dropout in evaluation too", "pooled as published"),
            "softmax at the end",
            arguments=("larger maps", "image that is not square", "channels", "classes", "reduced", "hidden"),
        ),
    ],
    mistakes=mistakes(
        """
        pooled to one value: You average each map to a single value: this head keeps 4 x 4 of them.
        max pooling: You take the largest value of each part of the map: this pooling averages.
        pooled after the convolution: You convolve at full size and pool afterwards: pool first, then convolve 4 x 4
            values.
        no ReLU between the linear layers: Your two linear layers are one: put a ReLU after the first.
        no dropout: Dropout is missing: it comes after the first linear layer and its ReLU.
        0.7 kept: You keep 70 % and drop 30: nn.Dropout takes the share that is dropped, here 0.7.
        dropout in evaluation too: Your dropout drops in evaluation too: F.dropout must be told training=self.training;
            nn.Dropout knows it.
        pooled as published: Your pooling, nn.AvgPool2d(5, 3), makes 4 x 4 of 14 x 14 only: nn.AdaptiveAvgPool2d(4)
            makes it of any size.
        softmax at the end: You return probabilities: return the scores, the loss applies the softmax.
        """,
        auxiliary_head,
    ),
)
