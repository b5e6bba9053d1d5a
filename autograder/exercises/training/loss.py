"""label_smoothing_loss: cross-entropy against targets that are nearly sure."""

from __future__ import annotations

import numpy as np

from autograder.exercise import Case, Exercise, Random, clue
from autograder.exercises.common.cases import scaled
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.operations import tensor
from autograder.exercises.rows import public, rows, secret, varied
from cnnlab.torch_settings import one_thread

SIZE = 2.0  # of scores: large enough for some to be sure
Result = tuple[float, np.ndarray]


def smoothed(scores: np.ndarray, labels: np.ndarray, smoothing: float) -> Result:
    """Ask torch for the loss, and autograd for its gradient."""
    with one_thread() as torch:
        leaf = tensor(scores).requires_grad_()
        loss = torch.nn.functional.cross_entropy(leaf, torch.from_numpy(labels), label_smoothing=smoothing)
        (gradient,) = torch.autograd.grad(loss, leaf)
    return float(loss.detach()), gradient.numpy().astype(scores.dtype)


def target(hot: np.ndarray, smoothing: float, slip: str) -> np.ndarray:
    """Smooth a one-hot target, (N, M)."""
    classes = hot.shape[1]
    if slip == "smoothing ignored":
        return hot
    if slip == "smoothing turned round":
        smoothing = 1 - smoothing
    kept, share = (1 - smoothing) * hot, smoothing / classes
    if slip == "shared by the others alone":
        return kept + smoothing / (classes - 1) * (1 - hot)
    if slip == "label without its share":
        return kept + share * (1 - hot)
    return hot + share if slip == "label not lowered" else kept + share


def slipped(scores: np.ndarray, labels: np.ndarray, smoothing: float, slip: str) -> Result:
    """The same in NumPy, wrong in one way."""
    (count, classes), hot = scores.shape, np.eye(scores.shape[1])[labels]
    shifted = scores if slip == "not shifted" else scores - scores.max(axis=1, keepdims=True)
    if slip == "probabilities smoothed":
        p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
        p = (1 - smoothing) * p + smoothing / classes
        return float(-np.mean(np.log(p[np.arange(count), labels]))), ((p - hot) / count).astype(scores.dtype)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    q = target(hot, smoothing, slip)
    divisor = {"summed over the batch": 1, "mean over the classes": scores.size}.get(slip, count)
    gradient = np.exp(logs) - (hot if slip == "gradient of the hard target" else q)
    if slip not in {"summed over the batch", "gradient of the sum"}:
        gradient = gradient / count
    return float(-np.sum(q * logs) / divisor), gradient.astype(scores.dtype)


def judged(
    key: str, group: str, count: int, classes: int, smoothing: float, dtype: str = "float64", offset: float = 0.0
) -> Case:
    """A Case of scores of this size and labels, both drawn."""
    plain = scaled(SIZE, count, classes, offset=offset)
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
    cases=rows(
        judged,
        "smooth",
        public("4 images, 3 classes, smoothing 0.1", 4, 3, 0.1),
        secret("6 images, 5 classes, smoothing 0.15", 6, 5, 0.15),
        public("one image, 6 classes, smoothing 0.3", 1, 6, 0.3),
        secret("two images, 8 classes, smoothing 0.4", 2, 8, 0.4),
        public("5 images, 2 classes, float32", 5, 2, 0.2, dtype="float32"),
        secret("7 images, 3 classes, float32", 7, 3, 0.25, dtype="float32"),
        "sharp",
        public("no smoothing", 3, 5, 0.0),
        secret("smoothing 0", 8, 4, 0.0),
        "large",
        public("scores around 1000", 3, 4, 0.1, offset=1000.0),
        secret("scores around -2000", 9, 3, 0.2, offset=-2000.0),
    ),
    mistakes=mistakes(
        """
        smoothing ignored: Your target is still 1 for the label and 0 elsewhere: mix it with 1/M for every class.
        shared by the others alone: You share the smoothing among the other classes: every class gets smoothing / M, the
            label's too.
        label without its share: Your label gets 1 - smoothing alone: it gets its share, smoothing / M, on top.
        gradient of the hard target: Your gradient is of the target that is 1 for the label: subtract the smoothed
            target q there too.
        smoothing turned round: Your target gives the label `smoothing`: it keeps 1 - smoothing, and `smoothing` is
            shared.
        label not lowered: You added smoothing / M and left the label's 1: scale the one-hot target by 1 - smoothing.
        probabilities smoothed: You smoothed what the network says: it is the target that is smoothed.
        summed over the batch: You summed over the images: loss and gradient are of their mean.
        gradient of the sum: Your loss is a mean and your gradient one of the sum: divide it by N as well.
        mean over the classes: You took the mean over images and classes: sum over the classes, then take the mean over
            the images.
        not shifted: Large scores overflow, or all their exponentials vanish: subtract each row's largest score first.
        """,
        slipped,
    ),
    varied=varied(
        judged,
        public("plain: one image, 3 classes, smoothing 0", 1, 3, 0.0),
        {
            "smoothing": public("", 1, 3, 0.2),
            "batch": public("", 3, 3, 0.0),
            "classes": public("", 1, 5, 0.0),
            "large scores": {"offset": 1000.0},
            "very low scores": {"offset": -1000.0},
            "float32": {"dtype": "float32"},
        },
    ),
    clues=(
        clue(
            "Two arrays of shape (N, M): the logarithms of the probabilities, and the targets, (1 - smoothing) * one-hot "
            "+ smoothing / M.",
            *("smoothing ignored", "shared by the others alone", "label without its share", "smoothing turned round"),
            *("label not lowered", "probabilities smoothed"),
            arguments=("smoothing", "classes"),
        ),
        clue(
            "shifted = scores - scores.max(axis=1, keepdims=True); log p = shifted - np.log(np.exp(shifted).sum(axis=1, "
            "keepdims=True)); np.eye(M)[labels] is one-hot.",
            "not shifted",
            arguments=("large scores", "very low scores"),
        ),
        clue(
            "loss = -np.mean(np.sum(targets * log_p, axis=1)), and dscores = (np.exp(log_p) - targets) / N",
            *("gradient of the hard target", "summed over the batch", "gradient of the sum", "mean over the classes"),
            arguments=("batch",),
        ),
    ),
)
