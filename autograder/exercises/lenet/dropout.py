"""dropout_forward and dropout_backward."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.exercise import Case, Exercise, clue, integers, normal
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.lenet.operations import coins, seed
from autograder.exercises.rows import public, rows, secret, varied
from cnnlab.checking.way import Way
from cnnlab.checking.wire import Value

Result = tuple[np.ndarray, np.ndarray]


def drop(x: np.ndarray, rate: float, rng: np.random.Generator) -> Result:
    """Decide value by value whether it is kept."""
    mask = np.array([rng.random() >= rate for _ in range(x.size)]).reshape(x.shape)
    return np.where(mask, x / (1 - rate), 0).astype(x.dtype), mask


def dropping(
    draw: Callable[..., Value] = lambda rng, rate, shape: rng.random(shape) >= rate,
    scale: Callable[[float], float] = lambda rate: 1 / (1 - rate),
    tells: Callable[[np.ndarray], np.ndarray] = lambda mask: mask,
) -> Callable[..., Value]:
    """Return a forward with some of its parts exchanged."""

    def forward(x: np.ndarray, rate: float, rng: np.random.Generator) -> Value:
        mask = np.broadcast_to(draw(rng, rate, x.shape), x.shape)
        return (np.where(mask, x * scale(rate), 0).astype(x.dtype), tells(mask.copy()))

    return forward


def ahead(key: str, group: str, *shape: int, rate: float) -> Case:
    # Whole numbers from 1 on: a zero of y was dropped, and the file of the public Cases stays small.
    return Case(key, group=group, x=integers(*shape, low=1, high=9), rate=rate, rng=seed())


def back(key: str, group: str, *shape: int, rate: float, dtype: str = "float64") -> Case:
    return Case(key, group=group, dout=normal(*shape, dtype=dtype), mask=coins(*shape, rate=rate), rate=rate)


dropout_forward = Exercise(
    name="dropout_forward",
    returns=("y", "mask"),
    reference=drop,
    points={"vectors": 2, "maps": 1},
    way=Way(rng="rng", summary="dropout"),
    cases=rows(
        ahead,
        "vectors",
        public("rate 0.3, 60 vectors of 50 values", 60, 50, rate=0.3),
        secret("rate 0.2, 50 vectors of 70 values", 50, 70, rate=0.2),
        public("rate 0.5, one long vector", 3000, rate=0.5),
        secret("rate 0.5, one vector of 4,000 values", 4000, rate=0.5),
        public("rate 0.8, 40 vectors of 80 values", 40, 80, rate=0.8),
        secret("rate 0.75, 90 vectors of 40 values", 90, 40, rate=0.75),
        "maps",
        public("rate 0.25, 10 images of 6 channels", 10, 6, 8, 7, rate=0.25),
        secret("rate 0.4, 12 images of 5 channels", 12, 5, 9, 7, rate=0.4),
        public("rate 0.6, 6 images of 12 channels", 6, 12, 6, 8, rate=0.6),
        secret("rate 0.7, 8 images of 10 channels", 8, 10, 6, 7, rate=0.7),
    ),
    mistakes=mistakes(
        """
        survivors not scaled: You left the survivors as they are, so the mean shrinks: divide them by 1 - rate.
        divided by the rate: You divided the survivors by the rate: 1 - rate is the share that survives, so divide by
            that.
        multiplied by the share kept: You multiplied by 1 - rate, which is for the time after training where nothing is
            dropped: here divide by it.
        rate taken as what is kept: You kept a share of `rate` and dropped the others: `rate` is the share that is
            dropped.
        mask turned round: Your mask is True where a value was dropped: make it True where it is kept.
        mask of numbers: Your mask holds numbers: it is an array of booleans, True where a value is kept.
        one mask for the batch: You dropped the same places in every image: draw a number for each value of x, an array
            of x's shape.
        mask smaller than x: Your mask is smaller than x: draw a number for each value, an array of x's shape.
        normal numbers: You compared normal numbers with the rate: those of rng.random are spread evenly over [0, 1), so
            a share of `rate` lies below the rate.
        """,
        {
            "survivors not scaled": dropping(scale=lambda rate: 1.0),
            "divided by the rate": dropping(scale=lambda rate: 1 / rate),
            "multiplied by the share kept": dropping(scale=lambda rate: 1 - rate),
            "rate taken as what is kept": dropping(draw=lambda rng, rate, shape: rng.random(shape) < rate),
            "mask turned round": dropping(tells=lambda mask: ~mask),
            "mask of numbers": dropping(tells=lambda mask: mask.astype(np.float64)),
            "one mask for the batch": dropping(
                draw=lambda rng, rate, shape: rng.random(shape[1:] if len(shape) > 1 else shape) >= rate
            ),
            "mask smaller than x": dropping(
                draw=lambda rng, rate, shape: rng.random(shape[1:] if len(shape) > 1 else shape) >= rate,
                tells=lambda mask: mask[0] if mask.ndim > 1 else mask,
            ),
            "normal numbers": dropping(draw=lambda rng, rate, shape: rng.standard_normal(shape) >= rate),
        },
    ),
    varied=varied(
        ahead,
        public("plain: rate 0.5, one vector of 2,000 values", 2000, rate=0.5),
        {"rate": {"rate": 0.2}, "batch": public("", 40, 50, rate=0.5), "images": public("", 10, 2, 10, 10, rate=0.5)},
    ),
    clues=(
        clue(
            "rng.random(x.shape) gives numbers spread evenly over [0, 1); each is at least `rate` with probability "
            "1 - rate.",
            *("rate taken as what is kept", "one mask for the batch", "mask smaller than x", "normal numbers"),
            arguments=("batch", "images"),
        ),
        clue(
            "mask = rng.random(x.shape) >= rate is True where a value is kept; as a factor, True counts as 1.",
            *("rate taken as what is kept", "mask turned round", "mask of numbers"),
        ),
        clue(
            "return x * mask / (1 - rate), mask",
            *("survivors not scaled", "divided by the rate", "multiplied by the share kept"),
            arguments=("rate",),
        ),
    ),
)


def pull(dout: np.ndarray, mask: np.ndarray, rate: float) -> np.ndarray:
    """Pass on what was kept, value by value."""
    dx = np.zeros_like(dout)
    for index in np.ndindex(dout.shape):
        if mask[index]:
            dx[index] = dout[index] / (1 - rate)
    return dx


dropout_backward = Exercise(
    name="dropout_backward",
    returns=("dx",),
    reference=pull,
    points={"basic": 2},
    cases=rows(
        back,
        "basic",
        public("4 vectors of 6 values, rate 0.3", 4, 6, rate=0.3),
        secret("5 vectors of 4 values, rate 0.4", 5, 4, rate=0.4),
        public("images, rate 0.5", 2, 3, 4, 2, rate=0.5),
        secret("maps, rate 0.5", 3, 2, 3, 4, rate=0.5),
        public("float32, rate 0.75", 3, 7, rate=0.75, dtype="float32"),
        secret("float32, rate 0.8", 4, 8, rate=0.8, dtype="float32"),
    ),
    mistakes=mistakes(
        """
        not scaled: You passed the survivors' gradient on as it is: y grew by 1 / (1 - rate), so does the gradient.
        mask ignored: You passed a gradient through what was dropped: y is 0 there whatever x is, so multiply by the
            mask.
        mask turned round: You let the gradient pass where values were dropped: mask is True where they were kept.
        multiplied by the share kept: You multiplied by 1 - rate: the forward divides by it, so the gradient is divided
            as well.
        divided by the rate: You divided by the rate: the forward divides by 1 - rate, the share that survives.
        """,
        {
            "not scaled": lambda dout, mask, rate: dout * mask,
            "mask ignored": lambda dout, mask, rate: dout / (1 - rate),
            "mask turned round": lambda dout, mask, rate: (dout * ~mask / (1 - rate)).astype(dout.dtype),
            "multiplied by the share kept": lambda dout, mask, rate: dout * mask * (1 - rate),
            "divided by the rate": lambda dout, mask, rate: dout * mask / rate,
        },
    ),
    varied=varied(
        back,
        public("plain: one vector of 6 values, rate 0.5", 6, rate=0.5),
        {
            "rate": {"rate": 0.25},
            "batch": public("", 3, 6, rate=0.5),
            "images": public("", 1, 2, 4, 4, rate=0.5),
            "float32": {"dtype": "float32"},
        },
    ),
    clues=(
        clue(
            "With the mask fixed, y is x times a number: 1 / (1 - rate) where the mask is True, else 0.",
            *("not scaled", "mask ignored", "mask turned round", "multiplied by the share kept", "divided by the rate"),
            arguments=("rate", "mask"),
        ),
        "So dx is dout times that same number.",
        "return dout * mask / (1 - rate)",
    ),
)
