"""BasicBlock and Bottleneck: what is added to the input, and how the input gets there."""

from __future__ import annotations

from autograder.exercise import Exercise, clue
from autograder.exercises.common.lazy_import import lazy_imports
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.modules import MODULE, OF_BLOCKS, block
from autograder.exercises.rows import public, rows, secret, varied

basic, neck = lazy_imports("autograder.exercises.resnet.networks", "BasicBlock", "Bottleneck")

# The Mistakes that both blocks invite.
SHARED = """
    no shortcut: You left the addition out: add the block's input to its result.
    ReLU before the addition: You applied the last ReLU to the result before the addition: add the shortcut first, then
        apply it once.
    ReLU before and after: You applied a ReLU before the addition as well: the result could then only add, never take
        away; keep the one after the addition.
    no ReLU after the addition: You returned the bare sum: a ReLU follows the addition.
    no ReLU inside: You have no ReLU between the convolutions: without it they are one linear layer; put it after each
        batch normalisation but the last.
    batch norm forgotten: You left batch normalisation out: each convolution, that of the shortcut included, is followed
        by one.
    projection without batch norm: Your projection is a bare convolution: batch normalisation follows it too.
    projection with a bias: Your projection has a bias, which the batch normalisation behind it takes away again:
        bias=False there too.
    ReLU on the projection: You applied a ReLU to the projection: it ends with its batch normalisation, and one ReLU
        follows the addition.
    convolutions with biases: Your convolutions have biases, which the batch normalisation behind them takes away again:
        bias=False.
    always a projection: You project even where the shapes agree: there the shortcut is the input itself.
    never a projection: Your shortcut is always the input itself: where stride or channels change the shape, project it
        by a 1 x 1 convolution of that stride.
    projection only for a stride: You project where the stride is not 1, but not where only the number of channels
        changes.
    projection only for channels: You project where the number of channels changes, but not where only the stride
        shrinks the maps.
    projection only where both change: You project only where the stride is not 1 and the channels change as well:
        either alone is enough; the shortcut is x where stride == 1 and channels agree.
"""

# Which of them a clue about the shortcut helps with, and which one about `forward`.
WHERE_PROJECTED = (
    "always a projection",
    "never a projection",
    "projection only for a stride",
    "projection only for channels",
    "projection only where both change",
)
IN_FORWARD = (
    "no shortcut",
    "ReLU before the addition",
    "ReLU before and after",
    "no ReLU after the addition",
    "no ReLU inside",
    "batch norm forgotten",
)

BasicBlock = Exercise(
    name="BasicBlock",
    returns=OF_BLOCKS,
    reference=basic,
    points={"identity": 5, "projection": 7},
    way=MODULE,
    cases=rows(
        block,
        "identity",
        public("3 channels stay 3", (2, 3, 5, 4), filters=3),
        secret("5 channels stay 5", (3, 5, 4, 6), filters=5),
        public("one image of one channel", (1, 1, 3, 6), filters=1),
        secret("one image of 2 channels", (1, 2, 7, 3), filters=2),
        "projection",
        public("2 channels to 4, stride 2", (2, 2, 7, 6), filters=4, stride=2),
        secret("3 channels to 6, stride 2, odd sides", (2, 3, 9, 5), filters=6, stride=2),
        public("3 channels to 2, stride 1", (2, 3, 4, 5), filters=2),
        secret("6 channels to 4, stride 1", (2, 6, 5, 3), filters=4, stride=1),
        public("3 channels, stride 2", (2, 3, 5, 8), filters=3, stride=2),
        secret("5 channels, stride 2", (2, 5, 6, 7), filters=5, stride=2),
        secret("2 channels to 4, stride 3", (2, 2, 10, 8), filters=4, stride=3),
    ),
    mistakes=[
        *mistakes(SHARED, basic),
        *mistakes(
            """
            stride in both convolutions: Both your 3 x 3 convolutions have the stride, which shrinks the maps twice:
                only the first has it.
            stride on the second convolution: You put the stride on the second convolution: the first has it, so the
                second has less to do.
            shortcut from after the ReLU: Your shortcut starts behind the first convolution: keep the block's own input
                x for it.
            """,
            basic,
        ),
    ],
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
    clues=(
        clue(
            "In __init__ make two convolutions and two batch normalisations, and a shortcut: nn.Identity() where stride "
            "is 1 and channels == filters, else a convolution and a batch normalisation in an nn.Sequential.",
            *("batch norm forgotten", "projection without batch norm", "ReLU on the projection", *WHERE_PROJECTED),
            arguments=("filters", "stride", "channels"),
        ),
        clue(
            "nn.Conv2d(channels, filters, 3, stride, padding=1, bias=False) and nn.Conv2d(filters, filters, 3, "
            "padding=1, bias=False); the projection is nn.Conv2d(channels, filters, 1, stride, bias=False).",
            *("projection with a bias", "convolutions with biases", "stride in both convolutions"),
            "stride on the second convolution",
            arguments=("filters", "stride", "channels"),
        ),
        clue(
            "y = F.relu(self.norm1(self.conv1(x))), then y = self.norm2(self.conv2(y)), and return F.relu(y + "
            "self.shortcut(x)).",
            *IN_FORWARD,
            "shortcut from after the ReLU",
        ),
    ),
)

Bottleneck = Exercise(
    name="Bottleneck",
    returns=OF_BLOCKS,
    reference=neck,
    points={"identity": 4, "projection": 6},
    way=MODULE,
    cases=rows(
        block,
        "identity",
        public("8 channels by way of 2", (2, 8, 3, 4), reduced=2),
        secret("12 channels by way of 3", (2, 12, 4, 6), reduced=3),
        public("one image, 4 channels by way of 1", (1, 4, 3, 6), reduced=1),
        secret("one image, 8 channels by way of 2", (1, 8, 5, 3), reduced=2),
        "projection",
        public("3 channels to 8, stride 1", (2, 3, 4, 3), reduced=2),
        secret("5 channels to 12, stride 1", (3, 5, 5, 4), reduced=3, stride=1),
        public("5 channels to 8, stride 2", (2, 5, 5, 6), reduced=2, stride=2),
        secret("6 channels to 12, stride 2, odd sides", (2, 6, 9, 5), reduced=3, stride=2),
        public("4 channels, stride 2", (2, 4, 5, 7), reduced=1, stride=2),
        secret("12 channels, stride 2", (2, 12, 6, 7), reduced=3, stride=2),
        secret("2 channels to 8, stride 3", (2, 2, 10, 8), reduced=2, stride=3),
    ),
    mistakes=[
        *mistakes(SHARED, neck),
        *mistakes(
            """
            stride on the first convolution: You put the stride on the first 1 x 1 convolution, as the paper does: three
                pixels of four are then never read; here the 3 x 3 has it.
            stride on the last convolution: You put the stride on the last 1 x 1 convolution, which throws away what was
                just computed: the 3 x 3 has it.
            no expansion: Your block ends with as few channels as it is narrow: the last convolution has 4 * reduced
                filters.
            expands the input's channels: Your last convolution has 4 * channels filters: four times the reduced number
                is meant.
            two 3 x 3 convolutions: Your last convolution is 3 x 3: only the middle one is, those around it are 1 x 1.
            """,
            neck,
        ),
    ],
    varied=varied(
        block,
        public("plain: one image of 4 channels, 4x4, by way of 1", (1, 4, 4, 4), reduced=1),
        {
            "reduced": {"reduced": 2},
            "stride": {"stride": 2},
            "channels": public("", (1, 3, 4, 4), reduced=1),
            "image that is not square": public("", (1, 4, 4, 6), reduced=1),
            "batch": public("", (3, 4, 4, 4), reduced=1),
        },
    ),
    clues=(
        clue(
            "As in BasicBlock, with three convolutions and three batch normalisations; the block returns 4 * reduced "
            "channels, so compare channels with that for the shortcut.",
            *("no expansion", "expands the input's channels", "batch norm forgotten", *WHERE_PROJECTED),
            arguments=("reduced", "channels"),
        ),
        clue(
            "The convolutions: 1 x 1 from channels to reduced; 3 x 3 from reduced to reduced with the stride and padding "
            "1; 1 x 1 from reduced to 4 * reduced. None has a bias.",
            *("convolutions with biases", "stride on the first convolution", "stride on the last convolution"),
            *("no expansion", "expands the input's channels", "two 3 x 3 convolutions"),
            arguments=("reduced", "stride", "channels"),
        ),
        clue(
            "y = F.relu(self.norm1(self.conv1(x))), y = F.relu(self.norm2(self.conv2(y))), y = self.norm3(self.conv3(y)), "
            "and return F.relu(y + self.shortcut(x)).",
            *IN_FORWARD,
        ),
    ),
)
