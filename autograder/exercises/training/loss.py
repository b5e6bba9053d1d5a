"""label_smoothing_loss: cross-entropy against targets that are nearly sure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.exercise import Case, Exercise, Mistake, Random
from autograder.exercises.convolution.operations import scaled, tensor
from autograder.exercises.rows import group, public, secret
from cnnlab.torch_settings import one_thread

Result = tuple[float, np.ndarray]


def smoothed(scores: np.ndarray, labels: np.ndarray, smoothing: float) -> Result:
    """Ask torch for the loss, and autograd for its gradient."""
    with one_thread() as torch:
        leaf = tensor(scores).requires_grad_()
        loss = torch.nn.functional.cross_entropy(leaf, torch.from_numpy(labels), label_smoothing=smoothing)
        loss.backward()
    return float(loss.detach()), leaf.grad.numpy().astype(scores.dtype)


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    return np.eye(classes)[labels]


def mixed(labels: np.ndarray, classes: int, smoothing: float) -> np.ndarray:
    return (1 - smoothing) * one_hot(labels, classes) + smoothing / classes


def by(
    targets: Callable[[np.ndarray, int, float], np.ndarray] = mixed,
    count: Callable[[np.ndarray], float] = len,
    gradient: Callable[[np.ndarray, np.ndarray, int], np.ndarray] = lambda p, q, n: (p - q) / n,
    shift: bool = True,
) -> Callable[..., Any]:
    """Return a loss with some of its parts exchanged."""

    def wrong(scores: np.ndarray, labels: np.ndarray, smoothing: float) -> Any:
        s = scores - scores.max(axis=1, keepdims=True) if shift else scores
        logs = s - np.log(np.exp(s).sum(axis=1, keepdims=True))
        q = targets(labels, scores.shape[1], smoothing)
        loss = -np.sum(q * logs) / count(scores)
        return float(loss), gradient(np.exp(logs), q, len(scores)).astype(scores.dtype)

    return wrong


def others(labels: np.ndarray, classes: int, smoothing: float) -> np.ndarray:
    """1 - s for the label and the rest for the other classes alone."""
    hot = one_hot(labels, classes)
    return (1 - smoothing) * hot + smoothing / (classes - 1) * (1 - hot)


def label_without_share(labels: np.ndarray, classes: int, smoothing: float) -> np.ndarray:
    """smoothing / M for the others, and only 1 - s for the label."""
    hot = one_hot(labels, classes)
    return (1 - smoothing) * hot + smoothing / classes * (1 - hot)


def hard_gradient(scores: np.ndarray, labels: np.ndarray, smoothing: float) -> Result:
    """The right loss with the gradient of the target before it was smoothed."""
    loss, _ = by()(scores, labels, smoothing)
    return loss, by(lambda labels, classes, s: one_hot(labels, classes))(scores, labels, smoothing)[1]


def of_smoothed_probabilities(scores: np.ndarray, labels: np.ndarray, smoothing: float) -> Result:
    """Smooth what the network says in place of the target."""
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p = (1 - smoothing) * p + smoothing / scores.shape[1]
    hot = one_hot(labels, scores.shape[1])
    loss = -np.mean(np.log(p[np.arange(len(labels)), labels]))
    return float(loss), ((p - hot) / len(labels)).astype(scores.dtype)


def judged(
    key: str,
    group: str,
    count: int,
    classes: int,
    smoothing: float,
    size: float = 2.0,
    dtype: str = "float64",
    offset: float = 0.0,
) -> Case:
    """A Case of scores of this size and labels, both drawn."""
    plain = scaled(size, count, classes, offset=offset)
    return Case(
        key,
        group=group,
        scores=Random(lambda rng: plain.draw(rng).astype(dtype)),
        labels=Random(lambda rng: rng.integers(0, classes, count)),
        smoothing=smoothing,
    )


label_smoothing_loss = Exercise(
    name="label_smoothing_loss",
    returns=("loss", "dscores"),
    reference=smoothed,
    points={"smooth": 3, "sharp": 1, "large": 1},
    cases=[
        *group(
            "smooth",
            public("4 images, 3 classes, smoothing 0.1", 4, 3, 0.1),
            secret("6 images, 5 classes, smoothing 0.15", 6, 5, 0.15),
            public("one image, 6 classes, smoothing 0.3", 1, 6, 0.3),
            secret("two images, 8 classes, smoothing 0.4", 2, 8, 0.4),
            public("5 images, 2 classes, float32", 5, 2, 0.2, dtype="float32"),
            secret("7 images, 3 classes, float32", 7, 3, 0.25, dtype="float32"),
            make=judged,
        ),
        *group("sharp", public("no smoothing", 3, 5, 0.0), secret("smoothing 0", 8, 4, 0.0), make=judged),
        *group(
            "large",
            public("scores around 1000", 3, 4, 0.1, offset=1000.0),
            secret("scores around -2000", 9, 3, 0.2, offset=-2000.0),
            make=judged,
        ),
    ],
    mistakes=[
        Mistake(
            "smoothing ignored",
            "Your target is still 1 for the label and 0 elsewhere: mix it with 1/M for every class.",
            by(lambda labels, classes, s: one_hot(labels, classes)),
        ),
        Mistake(
            "shared by the others alone",
            "You share the smoothing among the other classes: every class gets smoothing / M, the label's too.",
            by(others),
        ),
        Mistake(
            "label without its share",
            "Your label gets 1 - smoothing alone: it gets its share, smoothing / M, on top.",
            by(label_without_share),
        ),
        Mistake(
            "gradient of the hard target",
            "Your gradient is of the target that is 1 for the label: subtract the smoothed target q there too.",
            hard_gradient,
        ),
        Mistake(
            "smoothing turned round",
            "Your target gives the label `smoothing`: it keeps 1 - smoothing, and `smoothing` is shared.",
            by(lambda labels, classes, s: mixed(labels, classes, 1 - s)),
        ),
        Mistake(
            "label not lowered",
            "You added smoothing / M and left the label's 1: scale the one-hot target by 1 - smoothing.",
            by(lambda labels, classes, s: one_hot(labels, classes) + s / classes),
        ),
        Mistake(
            "probabilities smoothed",
            "You smoothed what the network says: it is the target that is smoothed.",
            of_smoothed_probabilities,
        ),
        Mistake(
            "summed over the batch",
            "You summed over the images: loss and gradient are of their mean.",
            by(count=lambda scores: 1.0, gradient=lambda p, q, n: p - q),
        ),
        Mistake(
            "gradient of the sum",
            "Your loss is a mean and your gradient one of the sum: divide it by N as well.",
            by(gradient=lambda p, q, n: p - q),
        ),
        Mistake(
            "mean over the classes",
            "You took the mean over images and classes: sum over the classes, then take the mean over the images.",
            by(count=lambda scores: scores.size),
        ),
        Mistake(
            "not shifted",
            "Large scores overflow, or all their exponentials vanish: subtract each row's largest score first.",
            by(shift=False),
        ),
    ],
    clues=(
        "Two arrays of shape (N, M): the logarithms of the probabilities, and the targets, (1 - smoothing) * one-hot + "
        "smoothing / M.",
        "shifted = scores - scores.max(axis=1, keepdims=True); log p = shifted - np.log(np.exp(shifted).sum(axis=1, "
        "keepdims=True)); np.eye(M)[labels] is one-hot.",
        "loss = -np.mean(np.sum(targets * log_p, axis=1)), and dscores = (np.exp(log_p) - targets) / N",
    ),
)
