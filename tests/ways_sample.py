"""Small Exercises of the ways "module", "script" and "table", with a right Answer to each as a student may write it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as f

from autograder.exercise import Case, Exercise, Mistake, Random, lesson, normal
from autograder.exercises.rows import plain_case, public, rows, secret
from cnnlab.checking.way import Way
from cnnlab.checking.wire import Value

# module: a residual block


class Reference(nn.Module):
    """A residual block; `slips` leaves something out."""

    def __init__(
        self, channels: int, filters: int, stride: int = 1, groups: int = 1, slips: tuple[str, ...] = ()
    ) -> None:
        super().__init__()
        self.slips = slips
        groups = 1 if "groups" in slips else groups
        self.conv1 = nn.Conv2d(channels, filters, 3, stride, 1, groups=groups, bias=False)
        self.conv2 = nn.Conv2d(filters, filters, 3, 1, 1, groups=groups, bias=False)
        norm = nn.Identity if "norm" in slips else lambda: nn.BatchNorm2d(filters)
        self.norm1, self.norm2 = norm(), norm()
        self.project: nn.Module = nn.Identity()
        if (stride, channels) != (1, filters) and "projection" not in slips:
            self.project = nn.Sequential(nn.Conv2d(channels, filters, 1, stride, bias=False), norm())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.norm2(self.conv2(f.relu(self.norm1(self.conv1(x)))))
        return f.relu(y) + self.project(x) if "relu" in self.slips else f.relu(y + self.project(x))


def slip(name: str) -> Any:
    return lambda **arguments: Reference(**arguments, slips=(name,))


def block_case(key: str, group: str, shape: tuple[int, ...], **arguments: Value) -> Case:
    return Case(key, group=group, x=normal(*shape), **arguments)


BLOCK = Exercise(
    name="BasicBlock",
    returns=("parameters", "shapes", "y_eval", "y", "dx", "gradients"),
    reference=Reference,
    cases=rows(
        block_case,
        "identity",
        public("the same shape", (2, 4, 5, 4), channels=4, filters=4),
        secret("the same shape, 6 channels", (3, 6, 5, 3), channels=6, filters=6),
        "projection",
        public("stride 2 on a 7 x 6 image", (2, 4, 7, 6), channels=4, filters=8, stride=2),
        secret("stride 2 on a 5 x 8 image", (2, 6, 5, 8), channels=6, filters=9, stride=2),
        "groups",
        public("two groups", (2, 4, 4, 5), channels=4, filters=4, groups=2),
        secret("three groups", (2, 6, 4, 3), channels=6, filters=6, groups=3),
    ),
    points={"identity": 2, "projection": 2, "groups": 1},
    mistakes=[
        Mistake("projection", "Where the shapes differ the shortcut needs a projection.", slip("projection")),
        Mistake("relu", "You apply ReLU before the addition; add first.", slip("relu")),
        Mistake("norm", "Each convolution is followed by batch normalisation.", slip("norm")),
        Mistake("groups", "Hand groups on to both 3 x 3 convolutions.", slip("groups")),
    ],
    way=Way(module="x"),
)

BLOCK_ANSWER = """
import torch
from torch import nn
class BasicBlock(nn.Module):
    def __init__(self, channels, filters, stride=1, groups=1):
        super().__init__()
        self.shortcut = nn.Sequential()
        if stride != 1 or channels != filters:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, filters, kernel_size=1, stride=stride, bias=False), nn.BatchNorm2d(filters)
            )
        self.second = nn.Sequential(
            nn.Conv2d(filters, filters, 3, padding=1, groups=groups, bias=False), nn.BatchNorm2d(filters)
        )
        self.gamma = nn.Parameter(torch.ones(filters))  # a batch normalisation of their own
        self.beta = nn.Parameter(torch.zeros(filters))
        self.register_buffer("running_mean", torch.zeros(filters))
        self.register_buffer("running_var", torch.ones(filters))
        self.first = nn.Conv2d(channels, filters, 3, stride=stride, padding=1, groups=groups, bias=False)

    def forward(self, x):
        y = self.first(x)
        y = nn.functional.batch_norm(
            y, self.running_mean, self.running_var, self.gamma, self.beta, training=self.training
        )
        return torch.relu(self.second(torch.relu(y)) + self.shortcut(x))
"""

# script: a learning rate that is cut on a plateau


class Plateau:
    """Multiplies lr by factor after `patience` steps without a smaller loss; `slips` as above."""

    def __init__(self, lr: float, factor: float, patience: int, slips: tuple[str, ...] = ()) -> None:
        self.lr, self.factor, self.patience, self.slips = lr, factor, patience, slips
        self.best, self.waited = float("inf"), 0

    def step(self, loss: float) -> bool:
        """Take note of a loss and return whether lr was cut."""
        better = loss <= self.best if "ties" in self.slips else loss < self.best
        self.waited = 0 if better else self.waited + 1
        self.best = loss if "last" in self.slips else min(loss, self.best)
        cut = self.waited >= self.patience if "early" in self.slips else self.waited > self.patience
        if cut:
            self.lr, self.waited = self.lr * self.factor, 0
        return cut


def late(name: str) -> Any:
    return lambda **arguments: Plateau(**arguments, slips=(name,))


def losses(*pattern: float) -> Random:
    """Calls of step with losses of this pattern, moved and stretched by chance."""

    def draw(rng: np.random.Generator) -> list[tuple[str, float]]:
        start, scale = rng.uniform(1, 2), rng.uniform(0.5, 1)
        return [("step", float(start + scale * value)) for value in pattern]

    return Random(draw)


PLATEAU = Exercise(
    name="ReduceOnPlateau",
    returns=("returned", "lr"),
    reference=Plateau,
    cases=rows(
        plain_case,
        "wait",
        public("a loss that stays", lr=0.1, factor=0.5, patience=2, calls=losses(3, 3, 3, 3, 3, 2)),
        secret("a longer wait", lr=0.2, factor=0.5, patience=3, calls=losses(2, 2, 2, 2, 2, 1, 1)),
        "best",
        public(
            "a loss that comes back",
            lr=0.1,
            factor=0.1,
            patience=1,
            calls=losses(3, 1, 4, 3, 2, 5),
        ),
        secret("up and down", lr=0.3, factor=0.2, patience=1, calls=losses(3, 2, 6, 5, 4, 7, 8)),
    ),
    points={"wait": 1, "best": 2},
    mistakes=[
        Mistake("ties", "A loss that is only as small as the best is no better.", late("ties")),
        Mistake("last", "Compare with the best loss so far, not with the last one.", late("last")),
        Mistake("early", "Cut when more than patience steps were no better.", late("early")),
    ],
    way=Way(script="calls"),
)

PLATEAU_ANSWER = """
class ReduceOnPlateau:
    def __init__(self, lr, factor, patience):
        self.lr, self.factor, self.patience, self.seen, self.bad = lr, factor, patience, [], 0
    def step(self, loss):
        if not self.seen or loss < min(self.seen):
            self.bad = 0
        else:
            self.bad += 1
        self.seen.append(loss)
        if self.bad <= self.patience:
            return False
        self.lr *= self.factor
        self.bad = 0
        return True
"""

# table: what a stack of convolutions costs

COLUMNS = ("name", "shape", "parameters", "macs")


def table(
    image: tuple[int, int, int], filters: tuple[int, ...], slips: tuple[str, ...] = ()
) -> list[dict[str, Any]]:
    """The layers of 3 x 3 convolutions with padding 1, each followed by 2 x 2 pooling."""
    rows: list[dict[str, Any]] = []
    c, h, w = image
    for i, count in enumerate(filters, 1):
        weights = count * c * 9
        bias = 0 if "bias" in slips else count
        at = (h // 2, w // 2) if "pooled" in slips else (h, w)
        macs = weights if "places" in slips else weights * at[0] * at[1]
        rows.append({"name": f"conv{i}", "shape": (count, h, w), "parameters": weights + bias, "macs": macs})
        h, w = h // 2, w // 2
        rows.append({"name": f"pool{i}", "shape": (count, h, w), "parameters": 0, "macs": 0})
        c = count
    return rows


def cost(name: str) -> Any:
    return lambda **arguments: table(**arguments, slips=(name,))


def even(low: int, high: int) -> Random:
    return Random(lambda rng: tuple(int(n) for n in rng.integers(low, high, 3)))


TABLE = Exercise(
    name="stack_table",
    returns=("rows",),
    reference=table,
    cases=rows(
        plain_case,
        "table",
        public("two layers", image=(3, 32, 24), filters=(8, 16)),
        secret("three layers", image=(1, 40, 28), filters=even(4, 30)),
    ),
    points={"table": 3},
    mistakes=[
        Mistake("bias", "Each filter has a bias too.", cost("bias")),
        Mistake("places", "Each weight is used at every place of the output.", cost("places")),
        Mistake("pooled", "Count the places before the pooling.", cost("pooled")),
    ],
    way=Way(table=COLUMNS),
)

TABLE_ANSWER = """
def stack_table(image, filters):
    rows, (channels, height, width) = [], image
    for number, count in enumerate(filters):
        size = 9 * channels * count
        rows.append((f"conv{number + 1}", (count, height, width), size + count, size * height * width))
        height, width, channels = height // 2, width // 2, count
        rows.append((f"pool{number + 1}", (count, height, width), 0, 0))
    return rows
"""

# networks and tensors: what several networks say together


def together(models: list[Any], images: Any, slips: tuple[str, ...] = ()) -> Any:
    """The mean of the networks' probabilities in eval mode."""
    modes = [model.training for model in models]
    with torch.no_grad():
        for model in models:
            model.eval()
        scores = torch.stack(
            [model(images) for model in models[:1] if "first" in slips] or [model(images) for model in models]
        )
    for model, mode in zip(models, modes, strict=True):
        model.train(mode)
    if "scores" in slips:
        return scores.mean(0)
    mean = f.softmax(scores, 2).mean(0)
    return mean.argmax(1) if "classes" in slips else mean


def together_slip(name: str) -> Any:
    return lambda **arguments: together(**arguments, slips=(name,))


def asked_together(key: str, group: str, *models: str, images: int) -> Case:
    return Case(
        key,
        group=group,
        models=[f"net score {m}" for m in models],
        images=normal(images, 3, 8, 8, dtype="float32"),
    )


TOGETHER = Exercise(
    name="predict_together",
    returns=("p",),
    reference=together,
    cases=rows(
        asked_together,
        "mean",
        public("two networks", "a", "b", images=3),
        public("one network", "c", images=2),
        secret("three networks", "a", "b", "c", images=4),
    ),
    points={"mean": 2},
    mistakes=[
        Mistake("scores", "Take the mean of probabilities, not of scores.", together_slip("scores")),
        Mistake("classes", "Return the probabilities, not the class.", together_slip("classes")),
        Mistake("first", "Ask every network.", together_slip("first")),
    ],
    way=Way(functions=("models",), tensors=("images",)),
)

TOGETHER_ANSWER = """
import torch
def predict_together(models, images):
    total = 0
    for model in models:
        mode = model.training
        model.eval()
        with torch.no_grad():
            total = total + torch.softmax(model(images), dim=1)
        model.train(mode)
    return total / len(models)
"""

EXERCISES = (BLOCK, PLATEAU, TABLE, TOGETHER)
ANSWERS = {
    "BasicBlock": BLOCK_ANSWER,
    "ReduceOnPlateau": PLATEAU_ANSWER,
    "stack_table": TABLE_ANSWER,
    "predict_together": TOGETHER_ANSWER,
}
LESSON = lesson("9_ways/99_ways", EXERCISES, without=("cnnlab.models", "cnnlab.train"))


def written(exercise: Exercise, source: str = "") -> Any:
    """Run an Answer's source, that of ANSWERS if no other is given, and return what it defines."""
    names: dict[str, Any] = {"__name__": "notebook"}
    exec(compile(source or ANSWERS[exercise.name], f"<{exercise.name}>", "exec"), names)
    return names[exercise.name]
