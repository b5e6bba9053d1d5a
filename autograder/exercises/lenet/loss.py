"""softmax_cross_entropy."""

from __future__ import annotations

import numpy as np

from autograder.exercise import Case, Exercise, Random, clue, normal
from autograder.exercises.common.cases import scaled
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.operations import tensor
from autograder.exercises.lenet.operations import classes
from autograder.exercises.rows import plain_case, public, rows, secret, varied
from cnnlab.torch_settings import one_thread

Result = tuple[float, np.ndarray]


def entropy(scores: np.ndarray, labels: np.ndarray) -> Result:
    """Return torch's cross_entropy and its gradient, by autograd."""
    with one_thread() as torch:
        leaf = tensor(scores).requires_grad_()
        loss = torch.nn.functional.cross_entropy(leaf, torch.from_numpy(np.array(labels)))
        (gradient,) = torch.autograd.grad(loss, leaf)
    return float(loss.detach()), gradient.numpy().astype(scores.dtype)


def spelt(
    scores: np.ndarray, labels: np.ndarray, top: float | np.ndarray = 0.0, tiny: float = 0.0, axis: int = 1
) -> Result:
    """Spell the formula out word by word.

    Args:
        scores: (N, M).
        labels: (N,).
        top: what is subtracted from the scores first.
        tiny: what is added before the logarithm.
        axis: over which the exponentials are summed.
    """
    powers = np.exp(scores - top)
    p = powers / powers.sum(axis=axis, keepdims=True)
    rows = np.arange(len(scores))
    right = np.zeros_like(p)
    right[rows, labels] = 1
    return float(-np.log(p[rows, labels] + tiny).mean()), (p - right) / len(p)


def highest(scores: np.ndarray) -> np.ndarray:
    return scores.max(axis=1, keepdims=True)


def without_right(scores: np.ndarray, labels: np.ndarray) -> Result:
    loss, gradient = entropy(scores, labels)
    gradient[np.arange(len(scores)), labels] += 1 / len(scores)
    return loss, gradient


def scored(key: str, group: str, n: int, m: int, dtype: str = "float64", scores: Random | None = None) -> Case:
    """A Case of n images and m classes. scores: what draws them, by default normal values."""
    return Case(key, group=group, scores=scores or normal(n, m, dtype=dtype), labels=classes(n, m))


softmax_cross_entropy = Exercise(
    name="softmax_cross_entropy",
    returns=("loss", "dscores"),
    reference=entropy,
    points={"basic": 3, "large": 2, "far apart": 1},
    cases=[
        *rows(
            scored,
            "basic",
            public("5 images, 4 classes", 5, 4),
            secret("6 images, 3 classes", 6, 3),
            public("one image, 10 classes", 1, 10),
            secret("one image, 7 classes", 1, 7),
            public("as many images as classes", 3, 3),
            secret("4 images, 4 classes", 4, 4),
            public("float32", 4, 6, "float32"),
            secret("float32, 3 images", 3, 8, "float32"),
        ),
        *rows(
            plain_case,
            "basic",
            public("all scores equal: the loss is log 10", scores=np.zeros((3, 10)), labels=classes(3, 10)),
            secret("5 images with all scores equal", scores=np.full((5, 6), 0.5), labels=classes(5, 6)),
            "large",
            public("scores near 1,000", scores=scaled(3.0, 4, 5, offset=1e3), labels=classes(4, 5)),
            secret("scores near 5,000", scores=scaled(4.0, 6, 5, offset=5e3), labels=classes(6, 5)),
            public("scores near -2,000", scores=scaled(2.0, 3, 6, offset=-2e3), labels=classes(3, 6)),
            secret("scores near -1,500", scores=scaled(3.0, 2, 7, offset=-1.5e3), labels=classes(2, 7)),
            "far apart",
            public(
                "the right class 2,000 below the best",
                scores=np.array([[0.0, 2000.0, 5.0], [1.0, 0.0, -1.0]]),
                labels=np.array([0, 2]),
            ),
            secret(
                "the right class far below the best",
                scores=scaled(1.0, 3, 4, offset=np.array([0.0, 0.0, 1500.0, 0.0])),  # type: ignore[arg-type]
                labels=np.array([1, 0, 3]),
            ),
            public(
                "one image's scores 3,000 above another's",
                scores=np.array([[3001.0, 3000.0, 2998.5, 3000.5], [0.5, 1.0, -1.0, 0.0]]),
                labels=np.array([1, 3]),
            ),
            secret(
                "one image's scores far above the others'",
                scores=scaled(1.0, 3, 5, offset=np.array([[0.0], [2500.0], [-100.0]])),  # type: ignore[arg-type]
                labels=classes(3, 5),
            ),
        ),
    ],
    mistakes=mistakes(
        """
        not shifted: The exponential of a large score is infinite, and of a very low one 0: subtract each row's largest
            score first, which changes no probability.
        logarithm of a rounded zero: A small probability was rounded to 0 before you took its logarithm: take it of the
            formula, shifted score minus log of the sum, and no probability is needed.
        tiny number added: You added a tiny number before the logarithm, which caps the loss where the network is very
            wrong: use shifted score minus log of the sum instead.
        shifted by the whole batch's largest: You subtracted the largest score of the whole batch, so the other rows may
            all round to 0: take each row's own largest.
        softmax over the batch: You summed over the images: the probabilities of one image's classes add up to 1, so sum
            along axis 1.
        summed, not averaged: Your loss and gradient are sums over the batch: divide both by the number of images.
        gradient not divided: Your loss is a mean over the batch, so its gradient carries the 1/N as well: divide
            dscores by N.
        1 not subtracted: Your gradient is the probabilities alone: subtract 1 at the right class of each row.
        gradient's sign: Your gradient points downhill: it is p minus one-hot, not one-hot minus p; the step turns it
            round.
        minus forgotten: Your loss is negative: it is minus the logarithm of a probability.
        logarithm to base 2: You took the logarithm to the base 2: the gradient p - 1 belongs to the natural one,
            np.log.
        """,
        {
            "not shifted": spelt,
            "logarithm of a rounded zero": lambda scores, labels: spelt(scores, labels, highest(scores)),
            "tiny number added": lambda scores, labels: spelt(scores, labels, highest(scores), 1e-8),
            "shifted by the whole batch's largest": lambda scores, labels: spelt(scores, labels, scores.max()),
            "softmax over the batch": lambda scores, labels: spelt(scores, labels, scores.max(axis=0), axis=0),
            "summed, not averaged": lambda scores, labels: tuple(
                len(scores) * value for value in entropy(scores, labels)
            ),
            "gradient not divided": lambda scores, labels: (
                entropy(scores, labels)[0],
                len(scores) * entropy(scores, labels)[1],
            ),
            "1 not subtracted": without_right,
            "gradient's sign": lambda scores, labels: (entropy(scores, labels)[0], -entropy(scores, labels)[1]),
            "minus forgotten": lambda scores, labels: (-entropy(scores, labels)[0], entropy(scores, labels)[1]),
            "logarithm to base 2": lambda scores, labels: (
                entropy(scores, labels)[0] / np.log(2),
                entropy(scores, labels)[1],
            ),
        },
    ),
    varied=varied(
        scored,
        public("plain: one image, 3 classes", 1, 3),
        {
            "batch": public("", 2, 3),
            "classes": public("", 1, 5),
            "large scores": {"scores": scaled(1.0, 1, 3, offset=1e3)},
            "very low scores": {"scores": scaled(1.0, 1, 3, offset=-1e3)},
            "scores far apart": {"scores": scaled(2e3, 1, 3)},
            "float32": {"dtype": "float32"},
        },
    ),
    clues=(
        clue(
            "Subtract each row's largest score: s = scores - scores.max(axis=1, keepdims=True). Nothing overflows now.",
            *("not shifted", "shifted by the whole batch's largest"),
            arguments=("large scores", "very low scores"),
        ),
        clue(
            "log p = s - np.log(np.exp(s).sum(axis=1, keepdims=True)); with rows = np.arange(N) the right ones are "
            "log_p[rows, labels].",
            *("logarithm of a rounded zero", "tiny number added", "softmax over the batch", "logarithm to base 2"),
            arguments=("classes", "scores far apart"),
        ),
        clue(
            "dscores = np.exp(log_p); dscores[rows, labels] -= 1; return -log_p[rows, labels].mean(), dscores / N",
            *("summed, not averaged", "gradient not divided", "1 not subtracted", "gradient's sign", "minus forgotten"),
            arguments=("batch",),
        ),
    ),
)
