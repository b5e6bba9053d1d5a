"""WideBlock and ResNeXtBlock: what became of the residual block."""

from __future__ import annotations

from autograder.exercise import Exercise, clue
from autograder.exercises.common.lazy_import import lazy_imports
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.modules import MODULE, OF_BLOCKS, block
from autograder.exercises.rows import public, rows, secret, varied

wide, resnext = lazy_imports("autograder.exercises.beyond.networks", "WideBlock", "ResNeXtBlock")

wide_block = Exercise(
    name="WideBlock",
    returns=OF_BLOCKS,
    reference=wide,
    points={"identity": 3, "projection": 3, "dropout": 2},
    cases=rows(
        block,
        "identity",
        public("4 channels stay 4", (2, 4, 5, 6), filters=4),
        secret("6 channels stay 6", (3, 6, 4, 7), filters=6),
        public("one channel, one image", (1, 1, 4, 5), filters=1),
        secret("one image of 2 channels", (1, 2, 6, 3), filters=2),
        "projection",
        public("3 channels become 6", (2, 3, 6, 4), filters=6),
        secret("5 channels become 3", (2, 5, 4, 6), filters=3),
        public("stride 2 on a 7 x 6 image", (2, 4, 7, 6), filters=8, stride=2),
        secret("stride 3 on an 8 x 7 image", (2, 3, 8, 7), filters=7, stride=3),
        public("stride 2, as many filters as channels", (2, 5, 6, 5), filters=5, stride=2),
        secret("stride 2 without more filters", (3, 4, 7, 4), filters=4, stride=2),
        "dropout",
        public("dropout 0.4, 3 channels stay 3", (2, 3, 5, 4), filters=3, dropout=0.4),
        secret("dropout 0.5, 5 channels stay 5", (2, 5, 4, 4), filters=5, dropout=0.5),
        public("dropout 0.3 and stride 2", (3, 4, 5, 7), filters=6, stride=2, dropout=0.3),
        secret("dropout 0.25 and stride 2", (2, 3, 6, 9), filters=8, stride=2, dropout=0.25),
    ),
    varied=varied(
        block,
        public("plain: one image of 2 channels, 4x4, which stay 2", (1, 2, 4, 4), filters=2),
        {
            "filters": {"filters": 3},
            "stride": {"stride": 2},
            "dropout": {"dropout": 0.5},
            "channels": public("", (1, 3, 4, 4), filters=2),
            "image that is not square": public("", (1, 2, 4, 6), filters=2),
            "batch": public("", (3, 2, 4, 4), filters=2),
        },
    ),
    clues=[
        clue(
            "Count the layers of the residual: norm, ReLU, convolution, norm, ReLU, dropout, convolution. The first "
            "norm sees `channels` maps, the second `filters`.",
            *("order of ResNet", "dropout forgotten", "dropout before the first convolution"),
            *("dropout before the second norm", "dropout at the end"),
            arguments=("dropout", "filters", "channels"),
        ),
        clue(
            "Keep what comes out of the first norm and ReLU in a variable: the first convolution reads it, and so "
            "does the projection. Where the shape stays, add x itself.",
            *("no projection", "projection for channels only", "projection for a stride only", "projection always"),
            *("projection of the raw input", "activated shortcut"),
            arguments=("filters", "stride", "channels"),
        ),
        clue(
            "active = F.relu(self.norm1(x)); y = self.conv1(active); y = self.conv2(self.dropout(F.relu(self.norm2(y)))); "
            "then return y + (self.project(active) or x), without a ReLU.",
            *("order of ResNet", "ReLU after the addition", "projection of the raw input", "activated shortcut"),
            *("norm on the projection", "dropout forgotten", "dropout before the first convolution"),
            *("dropout before the second norm", "dropout at the end"),
            arguments=("dropout",),
        ),
    ],
    mistakes=mistakes(
        """
        order of ResNet: You built the block of the first ResNet, convolution before norm: here norm and ReLU come
            before each convolution, and none after the addition.
        ReLU after the addition: You end with a ReLU: in a pre-activation block the sum goes on as it is.
        no projection: You add x as it is where the shape changes: there the shortcut needs a 1 x 1 convolution.
        projection for channels only: You project where the number of channels changes, but not where only the stride
            does: test both.
        projection for a stride only: You project where the block strides, but not where only the number of channels
            changes: test both.
        projection always: You project even where the shape stays: there the shortcut is x itself, with no weights.
        projection of the raw input: Your projection reads x: it shares the first norm and ReLU with the residual, so
            give it their result.
        activated shortcut: You add the normed and rectified input where the shape stays: add x itself, so that
            something goes through untouched.
        norm on the projection: You put a batch norm behind the projection: here it is the bare 1 x 1 convolution.
        stride in the second convolution: You gave the stride to the second 3 x 3 convolution: the first has it, so that
            the second is cheaper.
        biases: You left the convolutions their biases: say bias=False in all of them.
        dropout forgotten: You have no dropout, or it never drops: it stands between the second ReLU and the second
            convolution.
        dropout before the first convolution: You drop before the first convolution: dropout stands before the second.
        dropout before the second norm: You drop before the second norm, whose statistics it disturbs: drop after the
            second ReLU.
        dropout at the end: You drop what the second convolution gives: dropout stands before that convolution.
        whole maps dropped: You drop whole maps (Dropout2d): drop single values, with nn.Dropout.
        """,
        wide,
    ),
    way=MODULE,
)

resnext_block = Exercise(
    name="ResNeXtBlock",
    returns=OF_BLOCKS,
    reference=resnext,
    points={"identity": 2, "projection": 3, "groups": 3},
    cases=rows(
        block,
        "identity",
        public("one group of 4", (2, 6, 4, 5), filters=6, groups=1, width=4),
        secret("one group of 5", (2, 4, 6, 3), filters=4, groups=1, width=5),
        public("one group of 1, one image", (1, 3, 5, 3), filters=3, groups=1, width=1),
        secret("one group of 2, one image", (1, 5, 3, 6), filters=5, groups=1, width=2),
        "projection",
        public("one group, 3 channels become 5", (2, 3, 4, 4), filters=5, groups=1, width=3),
        secret("one group, 6 channels become 2", (3, 6, 5, 3), filters=2, groups=1, width=4),
        public("one group, stride 2 on a 7 x 6 image", (2, 4, 7, 6), filters=4, groups=1, width=2, stride=2),
        secret("one group, stride 3 on an 8 x 5 image", (2, 3, 8, 5), filters=3, groups=1, width=3, stride=3),
        "groups",
        public("2 groups of 4", (2, 8, 5, 4), filters=8, groups=2, width=4),
        secret("3 groups of 6", (2, 6, 4, 3), filters=6, groups=3, width=6),
        public("4 groups of 2 and stride 2", (2, 4, 5, 7), filters=12, groups=4, width=2, stride=2),
        secret("2 groups of 3 and stride 2", (3, 4, 6, 5), filters=10, groups=2, width=3, stride=2),
    ),
    varied=varied(
        block,
        public("plain: one group of 2, 2 channels stay 2, 4x4", (1, 2, 4, 4), filters=2, groups=1, width=2),
        {
            "filters": {"filters": 3},
            "groups": {"groups": 2},
            "width": {"width": 3},
            "stride": {"stride": 2},
            "channels": public("", (1, 3, 4, 4), filters=2, groups=1, width=2),
            "image that is not square": public("", (1, 2, 4, 6), filters=2, groups=1, width=2),
            "batch": public("", (3, 2, 4, 4), filters=2, groups=1, width=2),
        },
    ),
    clues=[
        "Start from the bottleneck of lesson 11: 1 x 1, 3 x 3, 1 x 1, each with its batch norm. New are the number "
        "of maps in the middle and one argument of the middle convolution.",
        clue(
            "All groups together have inner = groups * width maps, which the first 1 x 1 makes and the 3 x 3 keeps; "
            "only the 3 x 3 has groups=groups, and it has the stride.",
            *("groups ignored", "width of all groups", "groups in every convolution", "stride in the first 1 x 1"),
            arguments=("groups", "width", "stride"),
        ),
        clue(
            "nn.Conv2d(channels, inner, 1, bias=False), nn.Conv2d(inner, inner, 3, stride, padding=1, groups=groups, "
            "bias=False), nn.Conv2d(inner, filters, 1, bias=False), with norms, and ReLU after the first two and after "
            "the addition.",
            *("groups ignored", "groups and width exchanged", "groups in every convolution"),
            *("stride in the first 1 x 1", "ReLU before the addition", "ReLU missing after the 3 x 3"),
            *("ReLU missing at the end", "biases"),
            arguments=("groups", "stride", "filters", "channels"),
        ),
    ],
    mistakes=mistakes(
        """
        groups ignored: You made the 3 x 3 an ordinary convolution: hand groups on to it.
        width of all groups: You took `width` for the maps of all groups together: each group has so many, groups *
            width in all.
        groups and width exchanged: You made `width` groups of `groups` maps: it is the other way round.
        groups in every convolution: You gave groups to the 1 x 1 convolutions too: they must mix all channels, only the
            3 x 3 is grouped.
        stride in the first 1 x 1: You gave the stride to the first 1 x 1 convolution, which then skips pixels: the 3 x
            3 has it.
        ReLU before the addition: You apply the last ReLU before the addition: add the shortcut first.
        ReLU missing after the 3 x 3: You have no ReLU between the 3 x 3 and the last 1 x 1: each of the first two
            convolutions is followed by norm and ReLU.
        no projection: You add x as it is where the shape changes: there the shortcut needs a 1 x 1 convolution with
            batch norm.
        projection for channels only: You project where the number of channels changes, but not where only the stride
            does: test both.
        projection for a stride only: You project where the block strides, but not where only the number of channels
            changes: test both.
        projection always: You project even where the shape stays: there the shortcut is x itself, with no weights.
        ReLU missing at the end: You return the bare sum: a last ReLU follows the addition.
        projection without norm: Your projection is a bare convolution: here batch norm follows it.
        biases: You left the convolutions their biases: say bias=False in all of them.
        """,
        resnext,
    ),
    way=MODULE,
)
