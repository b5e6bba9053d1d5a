"""The loss of a batch, and what a network must return for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.nn import functional

from cnnlab.train.errors import TrainError

AUXILIARY = 0.3  # the weight of GoogLeNet's side outputs (C. Szegedy et al., arXiv 1409.4842, section 5)


def each_output(outputs: Any) -> tuple[Any, ...]:
    """Return what a network returned as a tuple, the scores first, then any side outputs."""
    return outputs if isinstance(outputs, tuple) else (outputs,)


def loss_of(outputs: Any, targets: torch.Tensor, smoothing: float = 0.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the loss of a batch, side outputs at 0.3 each, and the scores (B, classes).

    Args:
        outputs: of the network: scores, or a tuple (scores, side, ...) of which None counts nothing.
        targets: (B,) classes, or (B, classes) shares of each.
        smoothing: the share of a target that is spread over all classes.
    """
    every = each_output(outputs)
    each = [
        functional.cross_entropy(scores.float(), targets, label_smoothing=smoothing)
        for scores in every
        if scores is not None
    ]
    return each[0] + AUXILIARY * sum(each[1:], torch.zeros_like(each[0])), every[0]


def check_outputs(outputs: Any, images: int, classes: int) -> None:
    """Raise TrainError where outputs are no scores for each image and class; a GPU would only stop with an assertion.

    Args:
        outputs: of the network in training or in evaluation.
        images: how many it was given.
        classes: how many the labels name.
    """
    every = each_output(outputs)
    for number, scores in enumerate(every):
        if number and scores is None:
            continue
        _check_scores(scores, images, classes)


def _check_scores(scores: Any, images: int, classes: int) -> None:
    wanted = f"({images}, {classes}) scores, or a tuple that begins with them"
    if isinstance(scores, Mapping):
        raise TrainError(
            f"The network returns a {type(scores).__name__} with {', '.join(map(str, scores))}: let its forward return "
            f"{wanted}."
        )
    if not isinstance(scores, torch.Tensor):
        raise TrainError(f"The network returns {type(scores).__name__}: let its forward return {wanted}.")
    if not scores.is_floating_point():
        raise TrainError(f"The network returns numbers of {scores.dtype}: let its forward return {wanted}.")
    if scores.ndim != 2 or len(scores) != images or scores.shape[1] < classes:
        raise TrainError(
            f"The network gives scores of shape {tuple(scores.shape)} for {images} images, and there are {classes} "
            f"classes: let its last layer have {classes} outputs, (N, {classes}) scores in all."
        )
