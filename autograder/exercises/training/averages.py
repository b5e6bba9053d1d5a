"""What several networks say together: the reference and what goes wrong, in torch."""

from __future__ import annotations

import torch
from torch import nn


def average(models: list[nn.Module], images: torch.Tensor) -> torch.Tensor:
    """Add up one view of one network after the other."""
    total, count = torch.zeros(()), 0
    before = [model.training for model in models]
    with torch.inference_mode():
        for model in models:
            model.eval()
            for view in (images, torch.flip(images, (3,))):
                exponentials = torch.exp(model(view))
                total = total + exponentials / exponentials.sum(1, keepdim=True)
                count += 1
    for model, mode in zip(models, before, strict=True):
        model.train(mode)
    return (total / count).clone()


def slipped(models: list[nn.Module], images: torch.Tensor, slip: str) -> torch.Tensor:
    """Ask the networks, with a slip."""
    models = models[:1] if slip == "first network only" else models
    axis = {"upside down": 2, "channels reversed": 1}.get(slip, 3)
    views = [images] if slip == "no mirror" else [images, images.flip(axis)]
    if slip == "mirror only":
        views = views[1:]
    said = []
    with torch.no_grad():
        for model in models:
            model.eval()
            said += [model(view) for view in views]
            model.train()
        scores = torch.stack(said)  # (views of all models, N, M)
        if slip == "scores averaged":
            return scores.mean(0)
        if slip == "softmax of the mean score":
            return scores.mean(0).softmax(1)
        if slip == "votes":
            return nn.functional.one_hot(scores.argmax(2), scores.shape[2]).to(scores.dtype).mean(0)
        if slip == "softmax over the batch":
            return scores.softmax(1).mean(0)
        if slip == "sum":
            return scores.softmax(2).sum(0)
        if slip == "largest probability":
            return scores.softmax(2).amax(0)
        if slip == "classes returned":
            return scores.softmax(2).mean(0).argmax(1)
        return scores.softmax(2).mean(0)
