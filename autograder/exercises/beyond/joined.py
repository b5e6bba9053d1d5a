"""DenseLayer and Fire: maps that are put side by side."""

from __future__ import annotations

from autograder.exercise import Exercise, clue
from autograder.exercises.common.lazy_import import lazy_imports
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.modules import MODULE, OF_BLOCKS, block
from autograder.exercises.rows import public, rows, secret, varied
from cnnlab.checking.wire import Value

dense, fired = lazy_imports("autograder.exercises.beyond.networks", "DenseLayer", "Fire")

dense_layer = Exercise(
    name="DenseLayer",
    returns=OF_BLOCKS,
    reference=dense,
    points={"new maps": 4, "bottleneck": 3},
    cases=rows(
        block,
        "new maps",
        public("3 new maps beside 5", (2, 5, 4, 6), growth=3),
        secret("2 new maps beside 7", (3, 7, 5, 4), growth=2),
        public("as many new maps as there are", (2, 4, 5, 3), growth=4),
        secret("3 new maps beside 3", (2, 3, 6, 4), growth=3),
        public("one image of one channel", (1, 1, 3, 5), growth=2),
        secret("one image of 2 channels", (1, 2, 4, 4), growth=5),
        "bottleneck",
        public("bottleneck 2", (2, 6, 5, 4), growth=3, bottleneck=2),
        secret("bottleneck 3", (2, 5, 3, 6), growth=4, bottleneck=3),
        public("bottleneck 1, one new map", (3, 4, 4, 3), growth=1, bottleneck=1),
        secret("bottleneck 2, one new map", (2, 3, 7, 5), growth=1, bottleneck=2),
    ),
    varied=varied(
        block,
        public("plain: one new map beside 2, 4x4", (1, 2, 4, 4), growth=1),
        {
            "growth": {"growth": 2},
            "bottleneck": {"bottleneck": 2},
            "channels": public("", (1, 3, 4, 4), growth=1),
            "image that is not square": public("", (1, 2, 4, 6), growth=1),
            "batch": public("", (3, 2, 4, 4), growth=1),
        },
    ),
    clues=[
        clue(
            "The layer makes `growth` maps in two steps, each norm, ReLU, convolution in this order; then it puts them "
            "behind x.",
            *("new maps only", "new maps first", "added", "convolution first", "no bottleneck"),
            arguments=("growth",),
        ),
        clue(
            "The 1 x 1 convolution gives bottleneck * growth maps, so that many the second norm has; the 3 x 3 keeps "
            "height and width.",
            *("bottleneck ignored", "bottleneck of the channels", "no bottleneck"),
            arguments=("growth", "bottleneck", "channels"),
        ),
        clue(
            "new = self.conv1(F.relu(self.norm1(x))); new = self.conv2(F.relu(self.norm2(new))); "
            "return torch.cat([x, new], dim=1)",
            *("new maps only", "new maps first", "wrong axis", "added", "convolution first", "activated input kept"),
            arguments=("batch",),
        ),
    ],
    mistakes=mistakes(
        """
        new maps only: You return the new maps alone: return x with the new maps behind it.
        new maps first: You put the new maps before x: x comes first, so that old maps keep their places.
        wrong axis: You join along the batch axis, which torch.cat does by default: channels are dim=1.
        added: You add the new maps to x, as ResNet does: DenseNet puts them beside it.
        convolution first: You put norm and ReLU after each convolution: here they come before it.
        activated input kept: You pass on the normed and rectified input: x itself must go on, for the layers to come.
        bottleneck ignored: You always make 4 * growth maps in between: make bottleneck * growth.
        bottleneck of the channels: You make bottleneck * channels maps in between: it is bottleneck * growth, however
            many come in.
        no bottleneck: You left out the 1 x 1 convolution: norm, ReLU and 1 x 1 come first, then norm, ReLU and 3 x 3.
        biases: You left the convolutions their biases: say bias=False in both.
        """,
        dense,
    ),
    way=MODULE,
)

ONE_FILTER: dict[str, Value] = {"squeeze": 1, "expand1": 1, "expand3": 1}

fire = Exercise(
    name="Fire",
    returns=OF_BLOCKS,
    reference=fired,
    points={"equal": 3, "unequal": 4},
    cases=rows(
        block,
        "equal",
        public("both branches 4", (2, 5, 4, 6), squeeze=3, expand1=4, expand3=4),
        secret("both branches 3", (3, 6, 5, 4), squeeze=2, expand1=3, expand3=3),
        public("everything one", (1, 1, 3, 4), squeeze=1, expand1=1, expand3=1),
        secret("one image, both branches 5", (1, 2, 4, 5), squeeze=3, expand1=5, expand3=5),
        "unequal",
        public("branches of 2 and 5", (2, 6, 5, 3), squeeze=4, expand1=2, expand3=5),
        secret("branches of 3 and 4", (2, 7, 3, 6), squeeze=3, expand1=3, expand3=4),
        public("branches of 6 and 3", (3, 4, 3, 5), squeeze=2, expand1=6, expand3=3),
        secret("branches of 7 and 2", (2, 3, 6, 4), squeeze=5, expand1=7, expand3=2),
    ),
    varied=varied(
        block,
        public("plain: one image of 2 channels, 4x4, one filter everywhere", (1, 2, 4, 4), **ONE_FILTER),
        {
            "squeeze": {"squeeze": 2},
            "expand1": {"expand1": 2},
            "expand3": {"expand3": 2},
            "channels": public("", (1, 3, 4, 4), **ONE_FILTER),
            "image that is not square": public("", (1, 2, 4, 6), **ONE_FILTER),
            "batch": public("", (3, 2, 4, 4), **ONE_FILTER),
        },
    ),
    clues=[
        clue(
            "Three convolutions: one squeezes, and two read what it gives. Each is followed by its own ReLU.",
            *("squeeze not bent", "branches not bent", "branches read the input", "1 x 1 reads the input"),
            arguments=("squeeze", "expand1", "expand3", "channels"),
        ),
        clue(
            "The 3 x 3 needs padding 1, or its maps are smaller than those of the 1 x 1 and cannot stand beside them.",
            "padding missing",
        ),
        clue(
            "s = F.relu(self.squeeze(x)); return torch.cat([F.relu(self.one(s)), F.relu(self.three(s))], dim=1)",
            *("added", "3 x 3 first", "wrong axis", "squeeze not bent", "branches not bent", "branches read the input"),
            "1 x 1 reads the input",
            arguments=("batch",),
        ),
    ],
    mistakes=mistakes(
        """
        added: You add the two branches: put their maps side by side with torch.cat.
        3 x 3 first: You put the maps of the 3 x 3 first: those of the 1 x 1 come first.
        wrong axis: You join along the batch axis, which torch.cat does by default: channels are dim=1.
        padding missing: Your 3 x 3 shrinks its maps, so they do not fit those of the 1 x 1: give it padding 1.
        squeeze not bent: You have no ReLU after the squeeze: without it, squeeze and expand are one linear step.
        branches not bent: You have no ReLU after the expanding convolutions: each has one.
        branches read the input: Your branches read x: they read the squeezed maps, which is what makes them cheap.
        1 x 1 reads the input: Your expanding 1 x 1 reads x: both branches read the squeezed maps.
        branches exchanged: You gave expand3 to the 1 x 1 and expand1 to the 3 x 3: exchange them.
        batch norm: You added batch norms: SqueezeNet was published without; convolution and ReLU are all.
        no biases: You switched the biases off: without a norm they are needed, so keep them.
        """,
        fired,
    ),
    way=MODULE,
)
