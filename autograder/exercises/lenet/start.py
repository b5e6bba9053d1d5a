"""he_normal: weights to begin with."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from autograder.exercise import Case, Exercise, clue
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.lenet.operations import seed
from autograder.exercises.rows import public, rows, secret, varied
from cnnlab.checking.way import Way
from cnnlab.checking.wire import Value

Shape = tuple[int, ...]


def read_by_one(shape: Shape) -> int:
    """Return how many values one output reads, counted on an array of that shape."""
    places = np.zeros(shape)
    return places[:, 0].size if len(shape) == 2 else places[0].size


def weights(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """Draw the weights one by one."""
    spread = math.sqrt(2 / read_by_one(shape))
    return np.array([rng.normal(0, spread) for _ in range(math.prod(shape))]).reshape(shape)


def spread_by(spread: Callable[[Shape], float]) -> Callable[..., Value]:
    """Return a function that draws normal weights of the standard deviation `spread(shape)`."""
    return lambda shape, rng: rng.normal(0, spread(shape), shape)


def fan_out(shape: Shape) -> int:
    return shape[1] if len(shape) == 2 else shape[0] * math.prod(shape[2:])


def drawn(key: str, group: str, *shape: int) -> Case:
    return Case(key, group=group, shape=shape, rng=seed())


he_normal = Exercise(
    name="he_normal",
    returns=("w",),
    reference=weights,
    points={"filters": 2, "matrix": 1},
    way=Way(rng="rng", summary="he_normal"),
    cases=rows(
        drawn,
        "filters",
        public("40 filters of 6 channels, 5x5", 40, 6, 5, 5),
        secret("30 filters of 8 channels, 4x3", 30, 8, 4, 3),
        public("24 filters of 90 channels, 3x2", 24, 90, 3, 2),
        secret("20 filters of 120 channels, 2x3", 20, 120, 2, 3),
        public("90 filters of one channel, 5x5", 90, 1, 5, 5),
        secret("70 filters of one channel, 7x5", 70, 1, 7, 5),
        "matrix",
        public("a matrix from 120 values to 30 scores", 120, 30),
        secret("a matrix from 160 values to 40 scores", 160, 40),
        public("a matrix from 50 values to 200", 50, 200),
        secret("a matrix from 60 values to 240", 60, 240),
    ),
    mistakes=mistakes(
        """
        fan in of a matrix read from the wrong axis: For a matrix you took the number of outputs: its shape is (D, M),
            and each output reads D values.
        channels only: For filters you counted the channels only: one output reads a window of each, C * KH * KW values.
        first axis always: You took the first axis always: for filters it is their number, and each reads C * KH * KW
            values.
        outputs counted: You counted the outputs that a value feeds, which is fan out: fan in counts the values that an
            output reads.
        variance as standard deviation: You used 2 / fan in as the standard deviation: it is the variance, so take its
            root.
        1 in place of 2: Your variance is 1 / fan in: a ReLU loses half, so it takes 2 / fan in.
        not scaled: You left the normal numbers as they are: multiply them by sqrt(2 / fan in).
        divided: You divided by sqrt(2 / fan in): multiply by it.
        uniform: Your numbers are spread evenly, not normal: draw them with rng.normal or rng.standard_normal.
        never negative: Your weights are never negative: draw normal numbers around 0.
        """,
        {
            "fan in of a matrix read from the wrong axis": spread_by(lambda shape: math.sqrt(2 / math.prod(shape[1:]))),
            "channels only": spread_by(lambda shape: math.sqrt(2 / (shape[0] if len(shape) == 2 else shape[1]))),
            "first axis always": spread_by(lambda shape: math.sqrt(2 / shape[0])),
            "outputs counted": spread_by(lambda shape: math.sqrt(2 / fan_out(shape))),
            "variance as standard deviation": spread_by(lambda shape: 2 / read_by_one(shape)),
            "1 in place of 2": spread_by(lambda shape: math.sqrt(1 / read_by_one(shape))),
            "not scaled": spread_by(lambda shape: 1.0),
            "divided": spread_by(lambda shape: math.sqrt(read_by_one(shape) / 2)),
            "uniform": lambda shape, rng: rng.uniform(-1, 1, shape) * math.sqrt(6 / read_by_one(shape)),
            "never negative": lambda shape, rng: np.abs(weights(shape, rng)),
        },
    ),
    varied=varied(
        drawn,
        public("plain: 300 filters of 2 channels, 3x3", 300, 2, 3, 3),
        {
            "number of filters": public("", 600, 2, 3, 3),
            "channels": public("", 300, 6, 3, 3),
            "kernel that is not square": public("", 300, 2, 3, 5),
            "a matrix in place of filters": public("", 18, 300),
        },
    ),
    clues=(
        clue(
            "Count what one output reads: D values of a vector, or a window of KH * KW pixels in each of C channels.",
            *("channels only", "first axis always", "outputs counted"),
            arguments=("number of filters", "channels", "kernel that is not square"),
        ),
        clue(
            "fan_in = shape[0] if len(shape) == 2 else np.prod(shape[1:]); rng.standard_normal(shape) has the standard "
            "deviation 1.",
            *("fan in of a matrix read from the wrong axis", "channels only", "first axis always", "outputs counted"),
            *("uniform", "never negative"),
            arguments=("kernel that is not square", "a matrix in place of filters"),
        ),
        clue(
            "return rng.standard_normal(shape) * np.sqrt(2 / fan_in)",
            *("variance as standard deviation", "1 in place of 2", "not scaled", "divided"),
        ),
    ),
)
