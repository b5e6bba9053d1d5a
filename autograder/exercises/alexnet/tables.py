"""layer_table and conv_share: where a network's parameters and multiply-adds are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autograder.exercise import Exercise, Random, clue
from autograder.exercises.common.lazy_import import lazy_import
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.rows import plain_case, public, rows, secret, varied
from cnnlab.checking.way import Way
from cnnlab.checking.wire import Value

Row = dict[str, Value]  # column -> value
COLUMNS = ("name", "kind", "shape", "parameters", "activations", "macs")
table = lazy_import("autograder.exercises.alexnet.counting", "layer_table")


def image(channels: int, low: int, high: int) -> Random:
    """A shape of this many channels, wider than it is high."""
    return Random(lambda rng: (channels, int(rng.integers(low, high)), int(rng.integers(high, 2 * high))))


layer_table = Exercise(
    name="layer_table",
    returns=("rows",),
    reference=table,
    way=Way(functions=("model",), table=COLUMNS),
    points={"chain": 3, "groups": 3, "nested": 3, "shared": 1, "biases": 2},
    cases=rows(
        plain_case,
        "chain",
        public("a chain, a 12 x 10 image", model="net chain", input_shape=(3, 12, 10)),
        secret("a chain", model="net chain", input_shape=image(3, 13, 20)),
        public("a chain in eval mode", model="net eval", input_shape=(3, 10, 14)),
        secret("a chain after training", model="net eval", input_shape=image(3, 15, 21)),
        "groups",
        public("groups, a stride of (2, 1)", model="net grouped", input_shape=(4, 9, 11)),
        secret("groups", model="net grouped", input_shape=image(4, 12, 18)),
        public("depthwise, a 9 x 6 image", model="net depthwise", input_shape=(3, 9, 6)),
        secret("depthwise", model="net depthwise", input_shape=image(3, 11, 16)),
        "nested",
        public("blocks in blocks", model="net nested", input_shape=(3, 5, 6)),
        secret("blocks in blocks, another image", model="net nested", input_shape=image(3, 7, 12)),
        "shared",
        public("a layer that is used twice", model="net shared", input_shape=(1, 10, 9)),
        secret("used twice", model="net shared", input_shape=image(1, 11, 17)),
        "biases",
        public("without biases", model="net no bias", input_shape=(2, 6, 8)),
        secret("no biases", model="net no bias", input_shape=(2, 5, 10)),
    ),
    varied=varied(  # no two of the networks differ in one thing, but for the mode
        plain_case,
        public("plain: the chain on a 10 x 10 image", model="net chain", input_shape=(3, 10, 10)),
        {
            "input_shape": {"input_shape": (3, 12, 12)},
            "image that is not square": {"input_shape": (3, 10, 14)},
            "odd size": {"input_shape": (3, 11, 11)},
            "eval mode": {"model": "net eval"},
        },
    ),
    clues=[
        clue(
            "named_modules() gives every module with its name; a layer is one for which list(module.children()) is "
            "empty.",
            *("containers counted", "layers without weights left out"),
        ),
        clue(
            "A hook does not know its module's name, so make one for each: a function note(name) that returns the hook, "
            "or a dict from module to name. Keep what register_forward_hook returns, and call remove() on each at the "
            "end.",
            *("order of definition", "one name for all", "second use left out"),
        ),
        clue(
            "Each output value of a convolution or linear layer costs as many multiply-adds as a filter has weights: "
            "math.prod(shape) * math.prod(module.weight.shape[1:]).",
            *("groups ignored", "one place", "places of the input", "kernel taken for square"),
            *("biases as multiply-adds", "multiplications and additions apart"),
            arguments=("input_shape", "image that is not square", "odd size"),
        ),
    ],
    mistakes=mistakes(
        """
        containers counted: You have rows for modules that hold others: leave those with children out, or their
            parameters count twice.
        order of definition: Your rows are in the order in which the layers were defined: add a row when a layer is
            used, in its hook.
        one name for all: All your rows have the last layer's name: a hook looks the loop's variable up when it runs,
            after the loop; make each hook in a function that takes the name.
        layers without weights left out: You left out the layers that learn nothing: they have a row too, for the
            activations they make.
        batch in the shape: Your shapes begin with the batch: leave out the first axis.
        groups ignored: You gave each filter all input channels: in groups it sees channels / groups of them.
        one place: You counted each weight of a convolution once: it is used at every place of the output.
        places of the input: You counted the places of the input: there is one use of a weight for each place of the
            output.
        kernel taken for square: You squared one side of the kernel: it may be 3 x 5, so multiply both.
        biases left out: Your parameters lack the biases: add up all of module.parameters().
        biases as multiply-adds: You counted a multiply-add for each bias: it is only added.
        multiplications and additions apart: You counted a multiplication and an addition as two: a multiply-add is both
            together.
        running statistics counted: You counted what batch normalisation keeps but does not learn: count parameters, not
            buffers.
        shared parameters counted twice: A layer that is used twice learns its parameters once: give its second row 0 of
            them.
        second use left out: A layer that is used twice works twice: give it a row for each use.
        """,
        table,
    ),
)


def shares(rows: Sequence[Row], slip: str = "") -> tuple[float, float]:
    """Take the convolutions' share in each column, 0.0 of nothing."""
    chosen = np.array([row["kind"] == "Conv2d" for row in rows])
    if slip == "all maps":
        chosen = np.array([len(row["shape"]) == 3 for row in rows])
    if slip == "share of the rest":
        chosen = ~chosen
    of_what = np.array([slip != "ratio to the dense layers" or row["kind"] == "Linear" for row in rows])
    found = []
    for column in ("parameters", "macs"):
        numbers = np.array([1 if slip == "share of the layers" else row[column] for row in rows], dtype=np.float64)
        total = numbers[of_what].sum()
        found.append(float(numbers[chosen].sum() / total) if total else 0.0)
    if slip == "swapped":
        found.reverse()
    factor = 100 if slip == "percent" else 1
    return factor * found[0], factor * found[1]


def row(kind: str, shape: tuple[int, ...], parameters: int = 0, macs: int = 0) -> Row:
    name = {"Conv2d": "conv", "Linear": "fc", "BatchNorm2d": "norm"}.get(kind, kind.lower())
    return {
        "name": f"{name}{shape[0]}",
        "kind": kind,
        "shape": shape,
        "parameters": parameters,
        "activations": int(np.prod(shape)),
        "macs": macs,
    }


def few() -> list[Row]:
    """Return the rows of a convolution and a linear layer."""
    return [row("Conv2d", (3, 4, 4), 84, 1296), row("Linear", (2,), 98, 96)]


def small(rng: np.random.Generator, normed: bool = False) -> list[Row]:
    """Rows of a network with two convolutions and a linear layer, whose numbers are drawn."""
    f, g, m = (int(n) for n in rng.integers(6, 40, 3))
    first = [row("Conv2d", (f, 8, 6), 28 * f, 27 * f * 48)]
    norm = [row("BatchNorm2d", (f, 8, 6), 2 * f)] if normed else []
    second = [row("ReLU", (f, 8, 6)), row("Conv2d", (g, 4, 3), 9 * f * g, 9 * f * g * 12)]
    last = [row("Flatten", (12 * g,)), row("Linear", (m,), (12 * g + 1) * m, 12 * g * m)]
    return [*first, *norm, *second, *last]


def drawn(normed: bool = False) -> Random:
    return Random(lambda rng: small(rng, normed))


conv_share = Exercise(
    name="conv_share",
    returns=("of_parameters", "of_macs"),
    reference=shares,
    points={"shares": 3, "nothing": 1},
    cases=rows(
        plain_case,
        "shares",
        public("two convolutions and a linear layer", rows=small(np.random.default_rng(1))),
        public("with batch normalisation", rows=small(np.random.default_rng(2), normed=True)),
        secret("another network", rows=drawn()),
        public("no convolution", rows=[row("Flatten", (48,)), row("Linear", (10,), 490, 480)]),
        secret("another network with norms", rows=drawn(normed=True)),
        "nothing",
        public("no layer that learns", rows=[row("MaxPool2d", (3, 4, 4)), row("ReLU", (3, 4, 4))]),
        secret("only pooling", rows=[row("AvgPool2d", (5, 3, 7)), row("Flatten", (105,))]),
    ),
    varied=varied(
        plain_case,
        public("plain: a convolution and a linear layer", rows=few()),
        {
            "a second convolution": {"rows": [*few(), row("Conv2d", (5, 4, 4), 140, 2160)]},
            "batch normalisation": {"rows": [*few(), row("BatchNorm2d", (3, 4, 4), 6)]},
            "layers that learn nothing": {"rows": [*few(), row("ReLU", (3, 4, 4)), row("Flatten", (48,))]},
            "no convolution": {"rows": few()[1:]},
            "nothing learned": {"rows": [row("ReLU", (3, 4, 4))]},
        },
    ),
    clues=[
        clue(
            "For one column: the sum over the rows with kind 'Conv2d', divided by the sum over all rows.",
            *("all maps", "percent", "ratio to the dense layers", "share of the layers", "share of the rest"),
            arguments=("a second convolution", "batch normalisation", "layers that learn nothing", "no convolution"),
        ),
        clue(
            "Where the sum over all rows is 0, the share is 0.0: look before you divide.",
            arguments=("nothing learned",),
        ),
    ],
    mistakes=mistakes(
        """
        swapped: You returned the two shares in the wrong order: that of the parameters comes first.
        all maps: You counted every layer that returns maps: take those whose kind is Conv2d, for norms learn too.
        percent: You returned percent: return shares, from 0 to 1.
        ratio to the dense layers: You divided by the dense layers: divide by the sum over all rows, the convolutions
            among them.
        share of the layers: You counted layers: add up their parameters, and their multiply-adds.
        share of the rest: You returned the share of all other layers: take those whose kind is Conv2d.
        """,
        shares,
    ),
)
