"""linear_forward and linear_backward."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from autograder.exercise import Case, Exercise, clue, normal
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.operations import gradients
from autograder.exercises.lenet.operations import forward
from autograder.exercises.rows import public, rows, secret, varied
from cnnlab.checking.wire import Value

if TYPE_CHECKING:
    from torch import Tensor


Arrays = tuple[np.ndarray, ...]


def product(torch: ModuleType, x: Tensor, W: Tensor, b: Tensor) -> Tensor:
    return torch.nn.functional.linear(x, W.T, b)


def apply(x: np.ndarray, W: np.ndarray, b: np.ndarray) -> np.ndarray:
    return forward(product, x, W, b)


def pull(dout: np.ndarray, x: np.ndarray, W: np.ndarray, b: np.ndarray) -> Arrays:
    return gradients(product, dout, x, W, b)


def ahead(key: str, group: str, n: int, d: int, m: int, dtype: str = "float64", bias: bool = True) -> Case:
    """Return a Case of the forward: n vectors of d values, m scores. bias: whether b is not zero."""
    arrays: dict[str, Value] = {
        "x": normal(n, d, dtype=dtype),
        "W": normal(d, m, dtype=dtype),
        "b": normal(m, dtype=dtype) if bias else np.zeros(m, dtype),
    }
    return Case(key, group=group, **arrays)


def back(key: str, group: str, n: int, d: int, m: int, dtype: str = "float64") -> Case:
    """Return a Case of the backward, with a random upstream gradient."""
    inputs: dict[str, Value] = {"dout": normal(n, m, dtype=dtype), **ahead(key, group, n, d, m, dtype).inputs}
    return Case(key, group=group, **inputs)


def changed(change: Callable[..., Value]) -> Callable[..., Value]:
    """Return a backward whose gradients are `change(dx, dW, db, dout)`."""

    def wrong(dout: np.ndarray, x: np.ndarray, W: np.ndarray, b: np.ndarray) -> Value:
        return change(*pull(dout, x, W, b), dout)

    return wrong


linear_forward = Exercise(
    name="linear_forward",
    returns=("y",),
    reference=apply,
    points={"basic": 1, "edges": 1},
    cases=rows(
        ahead,
        "basic",
        public("5 vectors of 7 values, 4 scores", 5, 7, 4),
        secret("6 vectors of 9 values, 5 scores", 6, 9, 5),
        public("more scores than values", 3, 2, 6),
        secret("4 vectors of 3 values, 8 scores", 4, 3, 8),
        public("as many values as scores", 2, 4, 4),
        secret("a square matrix", 4, 5, 5),
        "edges",
        public("one vector", 1, 6, 3),
        secret("a single vector of 7 values", 1, 7, 4),
        public("one score", 4, 5, 1),
        secret("one value for each vector", 3, 1, 5),
        public("float32, 3 vectors and 3 scores", 3, 8, 3, "float32"),
        secret("float32, 4 vectors and 4 scores", 4, 6, 4, "float32"),
    ),
    mistakes=mistakes(
        """
        bias forgotten: The bias is missing: add b[m] to score m of every vector.
        W transposed: You transposed W: its shape is (D, M), so x @ W fits as it is.
        a bias for each vector: You gave each vector one bias for all its scores: b goes along the scores, the last
            axis.
        first vector for all: Every vector of the batch got the scores of the first one: multiply the whole x, (N, D).
        bias subtracted: You subtracted the bias: add it.
        """,
        {
            "bias forgotten": lambda x, W, b: apply(x, W, 0 * b),
            "W transposed": lambda x, W, b: x @ W.T + b,
            "a bias for each vector": lambda x, W, b: x @ W + b[:, None],
            "first vector for all": lambda x, W, b: np.repeat(apply(x[:1], W, b), len(x), axis=0),
            "bias subtracted": lambda x, W, b: apply(x, W, -b),
        },
    ),
    varied=varied(
        ahead,
        public("plain: one vector of 2 values, 2 scores, b zero", 1, 2, 2, bias=False),
        {
            "b": {"bias": True},
            "batch": public("", 3, 2, 2, bias=False),
            "number of values": public("", 1, 4, 2, bias=False),
            "number of scores": public("", 1, 2, 4, bias=False),
            "float32": {"dtype": "float32"},
        },
    ),
    clues=(
        clue(
            "Each score is a sum of products over the D values of a vector: that is a matrix product.",
            arguments=("number of values", "number of scores"),
        ),
        clue(
            "(N, D) times (D, M) gives (N, M); NumPy adds a b of shape (M,) to each row by itself.",
            *("W transposed", "a bias for each vector", "first vector for all"),
            arguments=("b", "batch"),
        ),
        "return x @ W + b",
    ),
)

linear_backward = Exercise(
    name="linear_backward",
    returns=("dx", "dW", "db"),
    reference=pull,
    points={"basic": 3, "edges": 1},
    cases=rows(
        back,
        "basic",
        public("5 vectors of 7 values, 4 scores", 5, 7, 4),
        secret("6 vectors of 9 values, 5 scores", 6, 9, 5),
        public("more scores than values", 3, 2, 6),
        secret("4 vectors of 3 values, 8 scores", 4, 3, 8),
        public("as many values as scores", 2, 4, 4),
        secret("a square matrix", 3, 5, 5),
        public("vectors, values and scores all 3", 3, 3, 3),
        secret("vectors, values and scores all 4", 4, 4, 4),
        "edges",
        public("one vector", 1, 6, 3),
        secret("a single vector of 7 values", 1, 7, 4),
        public("one score", 4, 5, 1),
        secret("one value for each vector", 3, 1, 5),
        public("float32", 3, 8, 2, "float32"),
        secret("float32, 5 vectors", 5, 6, 3, "float32"),
    ),
    mistakes=mistakes(
        """
        W not transposed: The gradient dx leads from the scores back to the values, (N, M) to (N, D): multiply dout by W
            transposed.
        dW transposed: Your dW has the axes of W exchanged: x transposed times dout gives (D, M).
        mean over the batch: You divided dW and db by the number of vectors: they are sums over the batch; a mean is the
            loss's matter, and dout holds it already.
        db averaged: You averaged db over the batch: every vector adds its share of the gradient, so sum.
        db not summed: Your db is dout itself: the same b is added to every vector, so sum dout over the batch, axis 0.
        db over the scores: You summed dout over the scores: each score has a bias of its own, so sum over the batch,
            axis 0.
        dW and dx exchanged: You returned dW before dx: the gradients come in the order of the forward's arguments, x,
            W, b.
        upstream gradient ignored: You passed on ones: multiply by the gradient that comes in, dout.
        """,
        {
            "W not transposed": lambda dout, x, W, b: (dout @ W, *pull(dout, x, W, b)[1:]),
            "dW transposed": changed(lambda dx, dW, db, dout: (dx, dW.T, db)),
            "mean over the batch": changed(lambda dx, dW, db, dout: (dx, dW / len(dx), db / len(dx))),
            "db averaged": changed(lambda dx, dW, db, dout: (dx, dW, db / len(dx))),
            "db not summed": changed(lambda dx, dW, db, dout: (dx, dW, dout)),
            "db over the scores": changed(lambda dx, dW, db, dout: (dx, dW, dout.sum(axis=1))),
            "dW and dx exchanged": changed(lambda dx, dW, db, dout: (dW, dx, db)),
            "upstream gradient ignored": lambda dout, x, W, b: pull(np.ones_like(dout), x, W, b),
        },
    ),
    varied=varied(
        back,
        public("plain: one vector of 2 values, 2 scores", 1, 2, 2),
        {
            "batch": public("", 3, 2, 2),
            "number of values": public("", 1, 4, 2),
            "number of scores": public("", 1, 2, 4),
            "float32": {"dtype": "float32"},
        },
    ),
    clues=(
        clue(
            "Shapes lead: dx is (N, D), and of what you have only dout (N, M) and W (D, M) can make it.",
            *("W not transposed", "dW and dx exchanged"),
            arguments=("number of values", "number of scores"),
        ),
        clue(
            "dW is made of x and dout, with the sum over the batch inside the product; db is dout summed over axis 0.",
            *("dW transposed", "mean over the batch", "db averaged", "db not summed", "db over the scores"),
            arguments=("batch",),
        ),
        "return dout @ W.T, x.T @ dout, dout.sum(axis=0)",
    ),
)
