"""numerical_gradient and adjoint_gap: two ways to prove a gradient without deriving it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from autograder.exercise import FLOAT64_TOLERANCE, Case, Exercise, clue, normal, uniform
from autograder.exercises.backward.operations import whole
from autograder.exercises.common.mistakes import Wrong, mistakes
from autograder.exercises.rows import plain_case, public, rows, secret, varied
from cnnlab.checking.way import Way
from cnnlab.checking.wire import Value

Function = Callable[[np.ndarray], Value]


def one_by_one(f: Function, x: np.ndarray, eps: float = 1e-5) -> np.ndarray:
    """Take two fresh copies of x for each entry."""
    grad = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        above, below = x.astype(np.float64), x.astype(np.float64)
        above[index], below[index] = above[index] + eps, below[index] - eps
        grad[index] = (f(above) - f(below)) / (2 * eps)
    return grad


def one_sided(f: Function, x: np.ndarray, eps: float, sign: int) -> np.ndarray:
    grad = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        moved = x.astype(np.float64)
        moved[index] += sign * eps
        grad[index] = sign * (f(moved) - f(x.astype(np.float64))) / eps
    return grad


def never_put_back(f: Function, x: np.ndarray, eps: float = 1e-5) -> np.ndarray:
    """Leave every entry eps lower when going on to the next."""
    grad, moving = np.empty(x.shape), x.astype(np.float64)
    for index in np.ndindex(x.shape):
        moving[index] += eps
        above = f(moving)
        moving[index] -= 2 * eps
        grad[index] = (above - f(moving)) / (2 * eps)
    return grad


def in_the_dtype_of_x(f: Function, x: np.ndarray, eps: float = 1e-5) -> np.ndarray:
    """Move a copy of x's own dtype, which float32 rounds and whole numbers lose."""
    grad = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[index] = x[index] + eps
        below[index] = x[index] - eps
        grad[index] = (f(above) - f(below)) / (2 * eps)
    return grad


def all_at_once(f: Function, x: np.ndarray, eps: float = 1e-5) -> np.ndarray:
    """Move the whole array, and so measure one slope for all."""
    y = x.astype(np.float64)
    return np.full(x.shape, (f(y + eps) - f(y - eps)) / (2 * eps))


numerical_gradient = Exercise(
    name="numerical_gradient",
    returns=("grad",),
    reference=one_by_one,
    way=Way(functions=("f",)),
    points={"basic": 3, "eps": 2, "dtype": 1},
    cases=rows(
        plain_case,
        "basic",
        public("f weighs and adds up 4 values", f="weighted_sum", x=normal(4)),
        secret("f weighs and adds up 6 values", f="weighted_sum", x=normal(6)),
        public("f weighs and squares a 2x3 array", f="weighted_squares", x=normal(2, 3)),
        secret("f is log-sum-exp of a 3x2 array", f="log_sum_exp", x=normal(3, 2)),
        public("f multiplies neighbours in a 2x1x3 array", f="neighbours", x=normal(2, 1, 3)),
        secret("f multiplies neighbours in a 1x3x2 array", f="neighbours", x=normal(1, 3, 2)),
        public("f is log-sum-exp of one value", f="log_sum_exp", x=normal(1)),
        secret("f squares one value", f="weighted_squares", x=uniform(1, low=1, high=2)),
        "eps",
        public("sines, eps 0.1", f="waves", x=normal(3, 2), eps=0.1),
        secret("sines of 7 values, eps 0.2", f="waves", x=normal(7), eps=0.2),
        public("cubes, eps 0.5", f="cubes", x=normal(5), eps=0.5),
        secret("cubes of a 2x2 array, eps 0.3", f="cubes", x=normal(2, 2), eps=0.3),
        "dtype",
        public("squares of whole numbers", f="weighted_squares", x=np.array([[1, -2, 3]])),
        secret("cubes of 4 whole numbers", f="cubes", x=whole(4, low=1)),
        public("a distance in float32", f="distance", x=normal(2, 2, dtype="float32"), tolerance=1e-6),
        secret("a distance in float32 from 3 values", f="distance", x=normal(3, dtype="float32"), tolerance=1e-6),
    ),
    clues=(
        clue(
            "Loop over the indices of x with np.ndindex(x.shape); each derivative asks f twice.",
            "all entries at once",
            arguments=("several axes",),
        ),
        clue(
            "Work on a float64 copy: move one entry up, ask f, move it down, ask f, and put the old value back "
            "before the next entry.",
            "forward difference",
            "backward difference",
            "never put back",
            "in the dtype of x",
            "all entries at once",
            arguments=("f of entries that depend on each other", "whole numbers", "float32"),
        ),
        clue(
            "In the loop: old = x[index]; x[index] = old + eps; above = f(x); x[index] = old - eps; below = f(x); "
            "x[index] = old; grad[index] = (above - below) / (2 * eps).",
            "forward difference",
            "backward difference",
            "divided by eps",
            "half a step",
            "eps ignored",
            "sign exchanged",
            "never put back",
            arguments=("eps",),
        ),
    ),
    mistakes=mistakes(
        """
        forward difference: You compared with f(x) itself: step eps up and eps down, which is far more exact.
        backward difference: You compared f(x) with the value eps below: step eps up and eps down, which is far more
            exact.
        divided by eps: Your gradient is twice too large: from x - eps to x + eps it is 2 * eps.
        half a step: You stepped eps / 2 to each side: the step to each side is eps.
        eps ignored: You step by a number of your own: use the argument eps.
        sign exchanged: Your gradient has the wrong sign: subtract the lower value from the upper one.
        never put back: You went on to the next entry before putting the last one back to its old value.
        in the dtype of x: You moved the entries in the dtype of x, which rounds the step away: work on a float64 copy.
        all entries at once: You moved all entries together: each derivative moves one entry and leaves the others.
        flat: Your gradient is one long row: give it the shape of x.
        """,
        {
            "forward difference": lambda f, x, eps=1e-5: one_sided(f, x, eps, 1),
            "backward difference": lambda f, x, eps=1e-5: one_sided(f, x, eps, -1),
            "divided by eps": lambda f, x, eps=1e-5: 2 * one_by_one(f, x, eps),
            "half a step": lambda f, x, eps=1e-5: one_by_one(f, x, eps / 2),
            "eps ignored": lambda f, x, eps=1e-5: one_by_one(f, x),
            "sign exchanged": lambda f, x, eps=1e-5: -one_by_one(f, x, eps),
            "never put back": never_put_back,
            "in the dtype of x": in_the_dtype_of_x,
            "all entries at once": all_at_once,
            "flat": lambda f, x, eps=1e-5: one_by_one(f, x, eps).ravel(),
        },
    ),
    varied=varied(
        plain_case,
        public("plain: cubes of 3 values", f="cubes", x=normal(3)),
        {
            "eps": {"eps": 0.5},
            "f of entries that depend on each other": {"f": "neighbours"},
            "several axes": {"x": normal(2, 2)},
            "whole numbers": {"x": np.array([1, -2, 3])},
            "float32": {"x": normal(3, dtype="float32"), "tolerance": FLOAT64_TOLERANCE},
        },
    ),
)


def products(one: np.ndarray, other: np.ndarray) -> list[float]:
    if one.shape != other.shape:
        raise ValueError(f"arrays of shape {one.shape} and {other.shape} have no inner product")
    return [float(a) * float(b) for a, b in zip(one.ravel(), other.ravel(), strict=True)]


def gap_of(forward: Function, adjoint: Function, x: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Return both inner products and the sum of the sizes of all their terms, each rounded once."""
    left, right = products(forward(x), y), products(x, adjoint(y))
    return math.fsum(left), math.fsum(right), math.fsum(map(abs, left + right))


def gap_with(formula: Callable[[float, float, float], float]) -> Wrong:
    """Return an adjoint_gap that makes `formula(left, right, scale)` of the two inner products."""

    def gap(forward: Function, adjoint: Function, x: np.ndarray, y: np.ndarray) -> float:
        left, right, scale = gap_of(forward, adjoint, x, y)
        return formula(left, right, scale) if scale else 0.0

    return gap


def not_a_number(forward: Function, adjoint: Function, x: np.ndarray, y: np.ndarray) -> float:
    left, right, scale = gap_of(forward, adjoint, x, y)
    return abs(left - right) / scale if scale else math.nan


def only_sums(forward: Function, adjoint: Function, x: np.ndarray, y: np.ndarray) -> float:
    ones = np.ones_like
    left, right = products(forward(x), ones(y)), products(ones(x), adjoint(y))
    scale = math.fsum(map(abs, left + right))
    return abs(math.fsum(left) - math.fsum(right)) / scale if scale else 0.0


def scale_of_one_side(forward: Function, adjoint: Function, x: np.ndarray, y: np.ndarray) -> float:
    left, right, scale = gap_of(forward, adjoint, x, y)
    scale = math.fsum(map(abs, products(forward(x), y)))
    return abs(left - right) / scale if scale else 0.0


def gap_case(key: str, group: str, names: str, x: Value, y: Value) -> Case:
    """Return a Case of two public functions, named `forward adjoint`."""
    forward, adjoint = names.split()
    return Case(key, group=group, forward=forward, adjoint=adjoint, x=x, y=y)


adjoint_gap = Exercise(
    name="adjoint_gap",
    returns=("gap",),
    reference=gap_with(lambda left, right, scale: abs(left - right) / scale),
    way=Way(functions=("forward", "adjoint")),
    points={"right": 2, "wrong": 3, "zeros": 1},
    cases=rows(
        gap_case,
        "right",
        public("a sliding kernel and its adjoint", "slide slide_adjoint", normal(8), normal(6)),
        secret("a turn and its adjoint", "turn turn_adjoint", normal(3, 4), normal(3, 4)),
        public("a border of zeros, cut off", "frame frame_adjoint", normal(2, 3), normal(4, 5)),
        secret("copies, added up", "copies copies_adjoint", normal(2, 2), normal(3, 2, 2)),
        "wrong",
        public("a sliding kernel, flipped", "slide slide_adjoint_flipped", normal(7), normal(5)),
        secret("a sliding kernel, flipped, on 10 values", "slide slide_adjoint_flipped", normal(10), normal(8)),
        public(
            "an adjoint twice too large",
            "slide slide_adjoint_doubled",
            uniform(6, low=1, high=2),  # positive throughout, so that the difference has a known sign
            uniform(4, low=1, high=2),
        ),
        secret("a turn the same way", "turn turn_adjoint_same_way", normal(2, 5), normal(2, 5)),
        secret("a border cut off askew", "frame frame_adjoint_shifted", normal(3, 2), normal(5, 4)),
        public("an adjoint with the wrong sign", "slide slide_adjoint_negated", normal(5), normal(3)),
        secret(
            "an adjoint twice too large, on 12 values",
            "slide slide_adjoint_doubled",
            uniform(12, low=1, high=2),
            uniform(10, low=1, high=2),
        ),
        public("an adjoint one place further", "slide slide_adjoint_shifted", normal(9), normal(7)),
        secret("an adjoint with the wrong sign, on 8 values", "slide slide_adjoint_negated", normal(8), normal(6)),
        public("copies, averaged", "copies copies_adjoint_averaged", normal(4), normal(3, 4)),
        "zeros",
        public("x is all zeros", "slide slide_adjoint_flipped", np.zeros(5), normal(3)),
        secret("y is all zeros", "copies copies_adjoint_averaged", normal(6), np.zeros((3, 6))),
    ),
    clues=(
        clue(
            "The inner product of two arrays of the same shape is np.sum(a * b).",
            "only sums",
            arguments=("several axes",),
        ),
        clue(
            "Keep the products before you add them up: the two sums give the difference, and the sums of their "
            "absolute values give the scale.",
            "absolute values after the sums",
            "scale of one side",
        ),
        clue(
            "left = forward(x) * y and right = x * adjoint(y); the gap is abs(left.sum() - right.sum()) / "
            "(np.abs(left).sum() + np.abs(right).sum()), and 0.0 where the scale is 0.",
            "not divided",
            "sign kept",
            "absolute values after the sums",
            "scale of one side",
            "only sums",
            "nought by nought",
            "squared",
            arguments=("adjoint twice too large", "adjoint with the wrong sign", "x of zeros"),
        ),
    ),
    mistakes=mistakes(
        """
        not divided: You returned the difference itself: divide it by the scale, so that large numbers and small ones
            are judged alike.
        sign kept: Your gap can be negative: take the absolute value of the difference.
        absolute values after the sums: Your scale adds up first and takes absolute values then, so it can be tiny by
            chance: add up the absolute values of the products.
        scale of one side: Your scale counts the products of forward(x) and y only: add those of x and adjoint(y).
        only sums: You added up forward(x) and adjoint(y) themselves: multiply by y and by x first.
        nought by nought: All your products are 0 here and so is your scale: return 0.0 then, before you divide.
        squared: You squared the difference: take its absolute value.
        """,
        {
            "not divided": gap_with(lambda left, right, scale: abs(left - right)),
            "sign kept": gap_with(lambda left, right, scale: (left - right) / scale),
            "absolute values after the sums": gap_with(
                lambda left, right, scale: abs(left - right) / ((abs(left) + abs(right)) or 1.0)
            ),
            "scale of one side": scale_of_one_side,
            "only sums": only_sums,
            "nought by nought": not_a_number,
            "squared": gap_with(lambda left, right, scale: (left - right) ** 2 / scale),
        },
    ),
    varied=varied(
        gap_case,
        public(
            "plain: a kernel on 5 positive values, and its adjoint",
            names="slide slide_adjoint",
            x=uniform(5, low=1, high=2),
            y=uniform(3, low=1, high=2),
        ),
        {
            "adjoint twice too large": {"names": "slide slide_adjoint_doubled"},
            "adjoint with the wrong sign": {"names": "slide slide_adjoint_negated"},
            "several axes": {"names": "turn turn_adjoint", "x": normal(3, 2), "y": normal(3, 2)},
            "x of zeros": {"x": np.zeros(5)},
        },
    ),
)
