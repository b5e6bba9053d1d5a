"""relu_forward and relu_backward."""

from __future__ import annotations

import numpy as np

from autograder.exercise import Exercise, clue, integers, normal, uniform
from autograder.exercises.common.cases import scaled
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.operations import gradients, tensor
from autograder.exercises.rows import plain_case, public, rows, secret, varied
from cnnlab.torch_settings import one_thread


def rectified(x: np.ndarray) -> np.ndarray:
    """Rectify, by torch."""
    with one_thread() as torch:
        return torch.relu(tensor(x)).numpy().astype(x.dtype)


def rectified_gradient(dout: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the gradient with respect to x, by torch's autograd: 0 at x = 0."""
    (dx,) = gradients(lambda torch, leaf: torch.relu(leaf), dout, x)
    return dx


def pair_of(*shape: int, dtype: str = "float64") -> dict:
    """Return a dout and an x of normal values."""
    return {"dout": normal(*shape, dtype=dtype), "x": normal(*shape, dtype=dtype)}


relu_forward = Exercise(
    name="relu_forward",
    returns=("y",),
    reference=rectified,
    points={"values": 2},
    cases=rows(
        plain_case,
        "values",
        public("the numbers -3 to 3", x=np.arange(-3.0, 4.0)),
        public("two images of 3 channels", x=normal(2, 3, 4, 5)),
        secret("one image of 4 channels", x=normal(1, 4, 5, 3)),
        public("a batch of scores", x=normal(4, 6)),
        secret("a vector", x=normal(9)),
        secret("whole numbers, zeros among them", x=integers(3, 2, 3, 4, low=-2, high=3)),
        public("float32", x=normal(1, 2, 3, 4, dtype="float32")),
        secret("float32 scores", x=normal(5, 3, dtype="float32")),
        public("values in the millions", x=scaled(1e6, 2, 1, 3, 3)),
        secret("values near a thousandth", x=scaled(1e-3, 2, 2, 4, 4)),
    ),
    mistakes=mistakes(
        """
        absolute value: You turned negative values positive: they become 0.
        mask returned: You returned where x is positive, as ones: return x itself there.
        negative part: You kept the negative values and removed the positive ones: it is the other way round.
        clipped at one: You also cut values above 1: what is positive passes unchanged, however large.
        leaky: You let a hundredth of the negative values through, which is the leaky ReLU: they become 0.
        positive values only: You left the negative values out, so the shape is lost: put a 0 in their places.
        """,
        {
            "absolute value": lambda x: np.abs(x),  # np.abs itself takes no x by name
            "mask returned": lambda x: (x > 0).astype(x.dtype),
            "negative part": lambda x: np.minimum(x, 0),
            "clipped at one": lambda x: np.clip(x, 0, 1),
            "leaky": lambda x: np.where(x > 0, x, 0.01 * x),
            "positive values only": lambda x: x[x > 0],
        },
    ),
    varied=varied(
        plain_case,
        public("plain: 8 values between -1 and 1", x=uniform(8, low=-1, high=1)),
        {
            "large values": {"x": uniform(8, low=-100, high=100)},
            "several axes": {"x": uniform(1, 2, 2, 2, low=-1, high=1)},
            "float32": {"x": normal(8, dtype="float32")},
        },
    ),
    clues=(
        clue(
            "Each value is treated alone: compare it with 0 and keep the larger of the two.",
            "absolute value",
            "mask returned",
            "negative part",
            "clipped at one",
            "leaky",
            arguments=("large values",),
        ),
        clue(
            "np.maximum compares an array with a number, element by element (np.max is something else).",
            "positive values only",
            arguments=("several axes",),
        ),
        clue(
            "return np.maximum(x, 0)",
            "absolute value",
            "mask returned",
            "negative part",
            "clipped at one",
            "leaky",
            "positive values only",
            arguments=("large values", "several axes"),
        ),
    ),
)


relu_backward = Exercise(
    name="relu_backward",
    returns=("dx",),
    reference=rectified_gradient,
    points={"values": 2, "zeros": 1},
    cases=rows(
        plain_case,
        "values",
        public("two images of 3 channels", **pair_of(2, 3, 4, 5)),
        secret("one image of 4 channels", **pair_of(1, 4, 5, 3)),
        public("a batch of scores", **pair_of(4, 6)),
        secret("a vector", **pair_of(12)),
        public("float32", **pair_of(1, 2, 3, 4, dtype="float32")),
        secret("float32 scores", **pair_of(5, 3, dtype="float32")),
        "zeros",
        public("x is -2, -1, 0, 1, 2", dout=np.array([5.0, -6.0, 7.0, 8.0, -9.0]), x=np.arange(-2.0, 3.0)),
        public("whole numbers with many zeros", dout=normal(2, 2, 3, 4), x=integers(2, 2, 3, 4, low=-1, high=2)),
        secret("whole numbers, zeros among them", dout=normal(3, 1, 4, 4), x=integers(3, 1, 4, 4, low=-1, high=2)),
        secret("a dead unit: x is 0 everywhere", dout=normal(6, 3), x=np.zeros((6, 3))),
    ),
    mistakes=mistakes(
        """
        mask of dout: You looked at the sign of dout: what decides is whether x was positive.
        both masks: You let only positive gradients through: where x is positive, negative ones pass as well.
        zero counts as positive: At x = 0 you passed the gradient on: this course's choice there, and torch's, is 0.
        upstream gradient ignored: You returned the slope alone: multiply it by the gradient that comes in, dout.
        forward of dout: You returned the ReLU of x times dout: the slope where x is positive is 1, not x.
        sign of x: Where x is negative you turned the gradient round: no gradient passes there.
        """,
        {
            "mask of dout": lambda dout, x: np.where(dout > 0, dout, 0.0).astype(x.dtype),
            "both masks": lambda dout, x: np.where((dout > 0) & (x > 0), dout, 0.0).astype(x.dtype),
            "zero counts as positive": lambda dout, x: np.where(x >= 0, dout, 0.0).astype(x.dtype),
            "upstream gradient ignored": lambda dout, x: (x > 0).astype(x.dtype),
            "forward of dout": lambda dout, x: np.maximum(x, 0) * dout,
            "sign of x": lambda dout, x: np.sign(x) * dout,
        },
    ),
    varied=varied(
        plain_case,
        public("plain: 8 values, positive gradients", dout=uniform(8), x=normal(8)),
        {
            "negative gradients": {"dout": uniform(8, low=-1, high=0)},
            "zeros in x": {"x": np.array([-1.0, 0.0, 1.0, 0.0, -2.0, 2.0, 0.0, 0.5])},
            "several axes": {"dout": uniform(1, 2, 2, 2), "x": normal(1, 2, 2, 2)},
            "float32": pair_of(8, dtype="float32"),
        },
    ),
    clues=(
        clue(
            "The chain rule: dx is dout times the slope of the ReLU at x, and that slope is 1 or 0.",
            "mask of dout",
            "both masks",
            "upstream gradient ignored",
            "forward of dout",
            "sign of x",
            arguments=("negative gradients",),
        ),
        clue(
            "x > 0 is an array of True and False; multiplied by an array of numbers they count as 1 and 0.",
            "mask of dout",
            "both masks",
            "zero counts as positive",
            arguments=("zeros in x",),
        ),
        clue(
            "return dout * (x > 0)",
            "mask of dout",
            "both masks",
            "zero counts as positive",
            "upstream gradient ignored",
            "forward of dout",
            "sign of x",
            arguments=("negative gradients", "zeros in x"),
        ),
    ),
)
