"""linear_scores: the scores of a linear classifier."""

from __future__ import annotations

import numpy as np

from autograder.exercise import Case, Exercise, clue, normal, uniform
from autograder.exercises.common.cases import scaled
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.operations import tensor
from autograder.exercises.rows import plain_case, public, rows, secret, varied
from cnnlab.torch_settings import one_thread


def scored(x: np.ndarray, W: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Score by torch, whose weights are one row for each output."""
    with one_thread() as torch:
        scores = torch.nn.functional.linear(tensor(x), tensor(W.T), tensor(b))
    return scores.numpy().astype(x.dtype)


def probabilities(x: np.ndarray, W: np.ndarray, b: np.ndarray) -> np.ndarray:
    scores = scored(x, W, b)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def case(key: str, group: str, n: int, d: int, m: int, dtype: str = "float64", bias: bool = False) -> Case:
    """Return a Case of `n` images of `d` pixels and `m` classes.

    The bias is zero but where it is asked for and in the group "bias".
    """
    b = normal(m, dtype=dtype) if bias or group == "bias" else np.zeros(m, dtype)
    return Case(key, group=group, x=normal(n, d, dtype=dtype), W=normal(d, m, dtype=dtype), b=b)


linear_scores = Exercise(
    name="linear_scores",
    returns=("scores",),
    reference=scored,
    points={"product": 2, "bias": 1},
    cases=[
        *rows(
            case,
            "product",
            public("4 images of 6 pixels, 3 classes, no bias", 4, 6, 3),
            secret("6 images of 9 pixels, 4 classes, no bias", 6, 9, 4),
            public("5 pixels and 5 classes, no bias", 3, 5, 5),
            secret("6 pixels and 6 classes, no bias", 4, 6, 6),
            public("one image, no bias", 1, 7, 2),
            secret("one image of 64 pixels, 10 classes, no bias", 1, 64, 10),
            public("one class, no bias", 5, 3, 1),
            public("float32, no bias", 2, 8, 3, "float32"),
            secret("float32, 5 images, no bias", 5, 10, 2, "float32"),
            "bias",
            public("a bias for each of 4 classes", 3, 6, 4),
            secret("a bias for each of 7 classes", 2, 3, 7),
            public("as many images as classes", 5, 4, 5),
            secret("4 images and 4 classes", 4, 6, 4),
        ),
        *rows(
            plain_case,
            "bias",
            secret("scores in the thousands", x=uniform(3, 8), W=scaled(1e3, 8, 5), b=scaled(1e3, 5)),
        ),
    ],
    mistakes=mistakes(
        """
        bias forgotten: The bias is missing: add b[m] to every score of class m.
        weights transposed: You multiplied by W.T, but W holds one column for each class already: multiply x by W.
        scores transposed: Your scores have a row for each class: they need a row for each image and a column for each
            class.
        a bias for each image: You gave each image a bias of its own: b has one value for each class, so it is added
            along the columns.
        probabilities: You turned the scores into probabilities: return them as they are.
        labels: You returned the best class: return the scores of all classes.
        first image for all: Every image got the scores of the first one: compute each row from its own x[n].
        """,
        {
            "bias forgotten": lambda x, W, b: scored(x, W, 0 * b),
            "weights transposed": lambda x, W, b: x @ W.T + b,
            "scores transposed": lambda x, W, b: scored(x, W, b).T.copy(),
            "a bias for each image": lambda x, W, b: x @ W + b[:, None],
            "probabilities": probabilities,
            "labels": lambda x, W, b: scored(x, W, b).argmax(axis=1),
            "first image for all": lambda x, W, b: np.repeat(scored(x, W, b)[:1], len(x), axis=0),
        },
    ),
    varied=varied(
        case,
        public("plain: one image of 5 pixels, 3 classes, no bias", n=1, d=5, m=3),
        {
            "bias": {"bias": True},
            "batch": {"n": 3},
            "pixels": {"d": 6},
            "classes": {"m": 2},
            "as many classes as pixels": {"m": 5},
            "float32": {"dtype": "float32"},
        },
    ),
    clues=(
        clue(
            "Look at the shapes: which product of x, (N, D), and W, (D, M), has the shape (N, M)?",
            "weights transposed",
            "scores transposed",
        ),
        clue(
            "The matrix product `@` sums over the axis that both share; b, (M,), then fits onto each row by itself.",
            "weights transposed",
            "a bias for each image",
            arguments=("bias",),
        ),
        clue(
            "Two symbols join the three arrays: `x @ W`, and then `+ b`.",
            "bias forgotten",
            "weights transposed",
            "scores transposed",
            "a bias for each image",
            "probabilities",
            "labels",
            arguments=("bias", "as many classes as pixels"),
        ),
    ),
)
