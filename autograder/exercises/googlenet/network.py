"""GoogLeNet: the whole network, thin and at its full width."""

from __future__ import annotations

from autograder.exercise import Exercise, Random, clue, integers
from autograder.exercises.common.drawn import whole
from autograder.exercises.common.lazy_import import lazy_import
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.rows import plain_case, public, rows, secret
from cnnlab.checking.way import Way

googlenet = lazy_import("autograder.exercises.googlenet.networks", "GoogLeNet")


def pixels(*shape: int) -> Random:
    """A batch of few values: the public Cases travel with the package, and noise does not compress."""
    return integers(*shape, low=-3, high=4)


GoogLeNet = Exercise(
    name="GoogLeNet",
    returns=("y_shape", "parameters", "shapes", "y_eval", "y"),
    reference=googlenet,
    points={"thin": 8, "sizes": 4, "without heads": 4, "full width": 2},
    way=Way(module="x"),
    cases=rows(
        plain_case,
        "thin",
        public("width 8, 64 x 64", x=pixels(2, 3, 64, 64), classes=5, width=8),
        secret("width 8", x=pixels(3, 3, 64, 64), classes=whole(7, 12), width=8),
        secret("width 16", x=pixels(2, 3, 64, 80), classes=whole(3, 9), width=16),
        "sizes",
        public("width 8, 70 x 50", x=pixels(3, 3, 70, 50), classes=4, width=8),
        secret("odd sizes", x=pixels(2, 3, 75, 93), classes=whole(3, 9), width=8),
        "without heads",
        public("width 8 without heads, 48 x 64", x=pixels(2, 3, 48, 64), classes=6, aux=False, width=8),
        secret("width 16 without heads", x=pixels(2, 3, 80, 64), classes=whole(3, 9), aux=False, width=16),
        "full width",
        public("full width, 64 x 64", x=pixels(2, 3, 64, 64), classes=10),
        secret("all as published, 64 x 80", x=pixels(2, 3, 64, 80)),
    ),
    clues=[
        clue(
            "Follow the table row by row, and keep a variable `channels` with what the row before gave: a module gives "
            "ones + threes + fives + pooled.",
            *("average pooling between the stages", "no pooling before 5a", "no 1 x 1 in the stem"),
        ),
        clue(
            "The nine modules can lie in one nn.ModuleDict by their names. In forward, go through them in a loop: before "
            '"4a" and "5a" pool; after "4a" and "4d" keep x for the heads.',
            *("no pooling before 5a", "heads one module late"),
        ),
        clue(
            "Everything that counts filters goes through one small function, n * width // 64: also the 192 before 3a, "
            "and 128 and 1024 of the heads; but not the 3 colours and not the classes.",
            "heads at full width",
            arguments=("width",),
        ),
        clue(
            "At the end: x = self.dropout(x.mean((2, 3))); scores = self.linear(x); if self.training and self.aux: "
            "return scores, self.aux1(after_4a), self.aux2(after_4d); return scores.",
            *("heads in evaluation", "no heads in training", "heads swapped", "largest value at the end", "no dropout"),
            *("dropout in evaluation too", "softmax at the end", "a tuple without heads"),
            arguments=("aux",),
        ),
    ],
    mistakes=mistakes(
        """
        heads in evaluation: You return the heads' scores in evaluation as well: there the network returns its scores
            alone; look at self.training.
        no heads in training: In training you return the scores alone: with heads, return (scores, aux1, aux2).
        heads swapped: You return the second head's scores before the first's: the order is (scores, aux1, aux2).
        heads one module late: Your heads sit on 4b and 4e: they belong on the outputs of 4a and 4d.
        heads at full width: Your heads have 128 and 1024 units at every width: hand them 128 * width // 64 and 1024 *
            width // 64.
        average pooling between the stages: You average between the stages: those poolings take the largest value. Only
            the last one averages.
        pooling without padding: Your poolings have no padding: with kernel 3 and stride 2 they need padding=1 to halve
            the maps.
        no pooling before 5a: The pooling between 4e and 5a is missing.
        no 1 x 1 in the stem: The stem's 1 x 1 convolution, before its 3 x 3, is missing.
        largest value at the end: You take the largest value of each of the last maps: take their mean.
        no dropout: Dropout of 0.4 is missing before the linear layer.
        0.4 kept: You drop 60 % of the means: nn.Dropout takes the share that is dropped, here 0.4.
        dropout of 0.5: You drop half of the means, which is torch's default: say nn.Dropout(0.4).
        dropout in evaluation too: Your dropout drops in evaluation too: F.dropout must be told training=self.training;
            nn.Dropout knows it.
        softmax at the end: Your scores are probabilities: return what the linear layer gives, the loss applies the
            softmax.
        a tuple without heads: Without heads you return a tuple in training: return the scores alone.
        """,
        googlenet,
    ),
)
