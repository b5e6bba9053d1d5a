"""SqueezeExcite and SeparableBlock: what is done to each channel by itself."""

from __future__ import annotations

from autograder.exercise import Exercise, clue
from autograder.exercises.common.lazy_import import lazy_imports
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.modules import MODULE, OF_BLOCKS, block
from autograder.exercises.rows import public, rows, secret, varied

squeeze, separable = lazy_imports("autograder.exercises.beyond.networks", "SqueezeExcite", "SeparableBlock")

squeeze_excite = Exercise(
    name="SqueezeExcite",
    returns=OF_BLOCKS,
    reference=squeeze,
    points={"weights": 4, "reduction": 3},
    cases=rows(
        block,
        "weights",
        public("32 channels, 2 hidden", (3, 32, 2, 3)),
        secret("64 channels, 4 hidden", (2, 64, 3, 2)),
        public("48 channels of one pixel", (2, 48, 1, 1)),
        secret("34 channels in a row of pixels", (3, 34, 1, 4)),
        "reduction",
        public("reduction 2", (2, 6, 4, 5), reduction=2),
        secret("reduction 4", (3, 12, 3, 5), reduction=4),
        public("7 channels by 3", (3, 7, 3, 4), reduction=3),
        secret("11 channels by 3", (2, 11, 4, 3), reduction=3),
        public("fewer channels than the reduction", (2, 3, 5, 4), reduction=4),
        secret("more reduction than channels", (3, 5, 4, 2), reduction=8),
    ),
    varied=varied(
        block,
        public("plain: one image of 16 channels, 2x2", (1, 16, 2, 2)),
        {
            "reduction": {"reduction": 4},
            "channels": public("", (1, 32, 2, 2)),
            "fewer channels than the reduction": public("", (1, 2, 2, 2)),
            "channels that reduction does not divide": public("", (1, 24, 2, 2)),
            "image that is not square": public("", (1, 16, 2, 3)),
            "batch": public("", (3, 16, 2, 2)),
        },
    ),
    clues=[
        clue(
            "Three steps: a mean of each map, (N, C); two linear layers on it; and the product with x.",
            *("mean over the batch too", "sum in place of the mean", "largest in place of the mean"),
            *("weights returned", "added", "1 x 1 convolutions"),
        ),
        clue(
            "x.mean(dim=(2, 3)) squeezes. The first linear layer gives max(channels // reduction, 1) numbers, ReLU bends "
            "them, the second gives `channels` again, and torch.sigmoid keeps them between 0 and 1.",
            *("mean over the batch too", "sum in place of the mean", "largest in place of the mean", "no sigmoid"),
            *("ReLU in place of the sigmoid", "softmax in place of the sigmoid", "ReLU missing between"),
            *("reduction ignored", "reduction as the hidden size", "rounded up", "nothing left"),
            arguments=("reduction", "channels", "fewer channels than the reduction", "batch"),
        ),
        clue(
            "w = torch.sigmoid(self.up(F.relu(self.down(x.mean(dim=(2, 3)))))); return x * w[:, :, None, None]",
            *("mean over the batch too", "sum in place of the mean", "largest in place of the mean", "no sigmoid"),
            *("ReLU in place of the sigmoid", "softmax in place of the sigmoid", "ReLU missing between"),
            *("weights returned", "added"),
            arguments=("batch", "image that is not square"),
        ),
    ],
    mistakes=mistakes(
        """
        mean over the batch too: You take the mean over the images as well: each image has weights of its own, so
            average over the axes 2 and 3 only.
        sum in place of the mean: You add up each map's values: take their mean.
        largest in place of the mean: You take the largest value of each map: squeezing is a mean, global average
            pooling.
        no sigmoid: You multiply by what the second linear layer gives: a sigmoid after it keeps the weights between 0
            and 1.
        ReLU in place of the sigmoid: You end with a ReLU: a sigmoid makes the weights, from 0 to 1.
        softmax in place of the sigmoid: You end with a softmax, so channels compete for a sum of 1: a sigmoid weighs
            each by itself.
        ReLU missing between: You have no ReLU between the linear layers, so they are only one of low rank: put it
            there.
        reduction ignored: You always divide by 16: divide the channels by `reduction`.
        reduction as the hidden size: You made `reduction` hidden numbers: it says by what to divide the channels.
        rounded up: You round channels / reduction up: // rounds down, and max(..., 1) keeps at least one.
        nothing left: With fewer channels than `reduction` nothing is left between your linear layers: keep at least one
            number.
        weights returned: You return the weights: multiply x by them.
        added: You add the weights to x: multiply by them.
        biases missing: You switched the biases off: both linear layers have them here.
        1 x 1 convolutions: You used 1 x 1 convolutions, which compute the same: take nn.Linear on (N, C), so that the
            weights have the shapes asked for.
        """,
        squeeze,
    ),
    way=MODULE,
)

separable_block = Exercise(
    name="SeparableBlock",
    returns=OF_BLOCKS,
    reference=separable,
    points={"stride 1": 3, "stride": 3},
    cases=rows(
        block,
        "stride 1",
        public("4 channels become 6", (2, 4, 5, 6), filters=6),
        secret("3 channels become 8", (2, 3, 6, 4), filters=8),
        public("5 channels stay 5", (3, 5, 4, 3), filters=5),
        secret("6 channels stay 6", (2, 6, 3, 5), filters=6),
        public("one channel, one image", (1, 1, 4, 5), filters=3),
        secret("one image of 2 channels", (1, 2, 5, 5), filters=5),
        "stride",
        public("stride 2 on a 7 x 6 image", (2, 3, 7, 6), filters=6, stride=2),
        secret("stride 2 on an 8 x 5 image", (3, 4, 8, 5), filters=7, stride=2),
        public("stride 2, fewer filters", (2, 6, 5, 8), filters=4, stride=2),
        secret("stride 3, fewer filters", (2, 5, 7, 9), filters=3, stride=3),
    ),
    varied=varied(
        block,
        public("plain: one image of 2 channels, 4x4, which stay 2", (1, 2, 4, 4), filters=2),
        {
            "filters": {"filters": 3},
            "stride": {"stride": 2},
            "channels": public("", (1, 3, 4, 4), filters=2),
            "image that is not square": public("", (1, 2, 4, 6), filters=2),
            "batch": public("", (3, 2, 4, 4), filters=2),
        },
    ),
    clues=[
        clue(
            "Six layers in a row: convolution, norm, ReLU, and the same again. nn.Sequential can hold them all.",
            *("ReLU missing between", "norm missing between", "ReLU missing at the end", "shortcut added"),
        ),
        clue(
            "The first convolution is depthwise: as many filters as channels and as many groups, 3 x 3, padding 1, with "
            "the stride. The second is 1 x 1 and changes the number of maps.",
            *("depthwise without groups", "padding missing", "depthwise straight to filters", "stride in the 1 x 1"),
            "1 x 1 first",
            arguments=("filters", "stride", "channels"),
        ),
        clue(
            "nn.Conv2d(channels, channels, 3, stride, padding=1, groups=channels, bias=False), nn.BatchNorm2d(channels), "
            "nn.ReLU(), nn.Conv2d(channels, filters, 1, bias=False), nn.BatchNorm2d(filters), nn.ReLU()",
            *("depthwise without groups", "padding missing", "depthwise straight to filters", "stride in the 1 x 1"),
            *("ReLU missing between", "norm missing between", "ReLU missing at the end", "1 x 1 first", "biases"),
            arguments=("filters", "stride", "channels"),
        ),
    ],
    mistakes=mistakes(
        """
        depthwise without groups: Your 3 x 3 mixes all channels: with groups=channels each filter sees one.
        padding missing: Your 3 x 3 shrinks the maps by 2: give it padding 1.
        depthwise straight to filters: Your depthwise convolution makes `filters` maps: it keeps `channels`, and the 1 x
            1 changes their number.
        ReLU missing between: You have no ReLU between the depthwise and the 1 x 1 convolution: each is followed by norm
            and ReLU.
        norm missing between: You have no batch norm after the depthwise convolution: each convolution has one.
        ReLU missing at the end: You end with the norm: version 1 has a ReLU after it.
        stride in the 1 x 1: You gave the stride to the 1 x 1 convolution: the depthwise one has it, and so computes
            less.
        1 x 1 first: You mix the channels first: version 1 filters each channel, then mixes.
        shortcut added: You add the input: the first MobileNet has no shortcuts, they came with the second.
        biases: You left the convolutions their biases: say bias=False in both.
        """,
        separable,
    ),
    way=MODULE,
)
