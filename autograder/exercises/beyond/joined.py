"""DenseLayer and Fire: maps that are put side by side."""

from __future__ import annotations

from functools import partial

from autograder.exercise import Exercise
from autograder.exercises.beyond.blocks import RETURNS, WAY, case, mistake, reference
from autograder.exercises.rows import group, public, secret

dense = partial(mistake, "DenseLayer")
burnt = partial(mistake, "Fire")

dense_layer = Exercise(
    name="DenseLayer",
    returns=RETURNS,
    reference=reference("DenseLayer"),
    points={"new maps": 4, "bottleneck": 3},
    cases=[
        *group(
            "new maps",
            public("3 new maps beside 5", (2, 5, 4, 6), channels=5, growth=3),
            secret("2 new maps beside 7", (3, 7, 5, 4), channels=7, growth=2),
            public("as many new maps as there are", (2, 4, 5, 3), channels=4, growth=4),
            secret("3 new maps beside 3", (2, 3, 6, 4), channels=3, growth=3),
            public("one image of one channel", (1, 1, 3, 5), channels=1, growth=2),
            secret("one image of 2 channels", (1, 2, 4, 4), channels=2, growth=5),
            make=case,
        ),
        *group(
            "bottleneck",
            public("bottleneck 2", (2, 6, 5, 4), channels=6, growth=3, bottleneck=2),
            secret("bottleneck 3", (2, 5, 3, 6), channels=5, growth=4, bottleneck=3),
            public("bottleneck 1, one new map", (3, 4, 4, 3), channels=4, growth=1, bottleneck=1),
            secret("bottleneck 2, one new map", (2, 3, 7, 5), channels=3, growth=1, bottleneck=2),
            make=case,
        ),
    ],
    clues=[
        "The layer makes `growth` maps in two steps, each norm, ReLU, convolution in this order; then it puts them "
        "behind x.",
        "The 1 x 1 convolution gives bottleneck * growth maps, so that many the second norm has; the 3 x 3 keeps "
        "height and width.",
        "new = self.conv1(F.relu(self.norm1(x))); new = self.conv2(F.relu(self.norm2(new))); "
        "return torch.cat([x, new], dim=1)",
    ],
    mistakes=[
        dense("new maps only", "new only", "You return the new maps alone: return x with the new maps behind it."),
        dense(
            "new maps first",
            "order",
            "You put the new maps before x: x comes first, so that old maps keep their places.",
        ),
        dense(
            "wrong axis", "axis", "You join along the batch axis, which torch.cat does by default: channels are dim=1."
        ),
        dense("added", "added", "You add the new maps to x, as ResNet does: DenseNet puts them beside it."),
        dense("convolution first", "post", "You put norm and ReLU after each convolution: here they come before it."),
        dense(
            "activated input kept",
            "activated",
            "You pass on the normed and rectified input: x itself must go on, for the layers to come.",
        ),
        dense("bottleneck ignored", "fixed", "You always make 4 * growth maps in between: make bottleneck * growth."),
        dense(
            "bottleneck of the channels",
            "of channels",
            "You make bottleneck * channels maps in between: it is bottleneck * growth, however many come in.",
        ),
        dense(
            "no bottleneck",
            "direct",
            "You left out the 1 x 1 convolution: norm, ReLU and 1 x 1 come first, then norm, ReLU and 3 x 3.",
        ),
        dense("biases", "bias", "You left the convolutions their biases: say bias=False in both."),
    ],
    way=WAY,
)

fire = Exercise(
    name="Fire",
    returns=RETURNS,
    reference=reference("Fire"),
    points={"equal": 3, "unequal": 4},
    cases=[
        *group(
            "equal",
            public("both branches 4", (2, 5, 4, 6), channels=5, squeeze=3, expand1=4, expand3=4),
            secret("both branches 3", (3, 6, 5, 4), channels=6, squeeze=2, expand1=3, expand3=3),
            public("everything one", (1, 1, 3, 4), channels=1, squeeze=1, expand1=1, expand3=1),
            secret("one image, both branches 5", (1, 2, 4, 5), channels=2, squeeze=3, expand1=5, expand3=5),
            make=case,
        ),
        *group(
            "unequal",
            public("branches of 2 and 5", (2, 6, 5, 3), channels=6, squeeze=4, expand1=2, expand3=5),
            secret("branches of 3 and 4", (2, 7, 3, 6), channels=7, squeeze=3, expand1=3, expand3=4),
            public("branches of 6 and 3", (3, 4, 3, 5), channels=4, squeeze=2, expand1=6, expand3=3),
            secret("branches of 7 and 2", (2, 3, 6, 4), channels=3, squeeze=5, expand1=7, expand3=2),
            make=case,
        ),
    ],
    clues=[
        "Three convolutions: one squeezes, and two read what it gives. Each is followed by its own ReLU.",
        "The 3 x 3 needs padding 1, or its maps are smaller than those of the 1 x 1 and cannot stand beside them.",
        "s = F.relu(self.squeeze(x)); return torch.cat([F.relu(self.one(s)), F.relu(self.three(s))], dim=1)",
    ],
    mistakes=[
        burnt("added", "added", "You add the two branches: put their maps side by side with torch.cat."),
        burnt("3 x 3 first", "order", "You put the maps of the 3 x 3 first: those of the 1 x 1 come first."),
        burnt(
            "wrong axis", "axis", "You join along the batch axis, which torch.cat does by default: channels are dim=1."
        ),
        burnt(
            "padding missing",
            "padding",
            "Your 3 x 3 shrinks its maps, so they do not fit those of the 1 x 1: give it padding 1.",
        ),
        burnt(
            "squeeze not bent",
            "straight",
            "You have no ReLU after the squeeze: without it, squeeze and expand are one linear step.",
        ),
        burnt("branches not bent", "open", "You have no ReLU after the expanding convolutions: each has one."),
        burnt(
            "branches read the input",
            "unsqueezed",
            "Your branches read x: they read the squeezed maps, which is what makes them cheap.",
        ),
        burnt("1 x 1 reads the input", "past", "Your expanding 1 x 1 reads x: both branches read the squeezed maps."),
        burnt(
            "branches exchanged", "exchanged", "You gave expand3 to the 1 x 1 and expand1 to the 3 x 3: exchange them."
        ),
        burnt(
            "batch norm",
            "norm",
            "You added batch norms: SqueezeNet was published without; convolution and ReLU are all.",
        ),
        burnt("no biases", "no bias", "You switched the biases off: without a norm they are needed, so keep them."),
    ],
    way=WAY,
)
