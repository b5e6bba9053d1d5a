"""The plain training loop: read this one first.

`fit`, in `fitting.py`, trains by the same steps; only an epoch's last, smaller batch is left out. It makes a `Run`
(`run.py`: what is trained, with what, and how far it is) and calls `train_epoch` (`loop.py`), whose `_step` is the body
of the loop below. What makes it fast stands in `data.py` (images stay on the device), `batches.py`, `augment.py`,
`device.py` (narrower numbers), `optim.py` (a learning rate that rises and falls) and `average.py` (averaged weights).
What keeps a run safe stands around it: `rehearsal.py` refuses what cannot work before the first step,
`run_checkpoint.py` keeps each epoch, `processes.py` shares a batch among GPUs, `compiling.py` compiles, and
`failures.py` says what went wrong.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from cnnlab.train.data import Data, on_device
from cnnlab.train.evaluate import evaluate


def fit_plainly(
    network: nn.Module,
    train: Data,
    test: Data,
    epochs: int = 10,
    batch: int = 128,
    lr: float = 0.01,
    seed: int = 0,
) -> list[float]:
    """Train a network to classify images on the CPU, and return its test accuracy, in [0, 1], after each epoch.

    Args:
        network: gives (N, classes) scores for (N, C, H, W) float32 images; it is trained in place.
        train: images (N, C, H, W) or (N, H, W) uint8 and labels (N,).
        test: as `train`.
        epochs: passes over the training images.
        batch: images a step.
        lr: learning rate of SGD with Nesterov's momentum of 0.9.
        seed: of the order of the images.
    """
    train = on_device(train, torch.device("cpu"))
    test = on_device(test, torch.device("cpu"), like=train)
    order = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.SGD(network.parameters(), lr=lr, momentum=0.9, nesterov=True)
    accuracies = []
    for _ in range(epochs):
        network.train()
        for chosen in torch.randperm(len(train), generator=order).split(batch):
            x = train.normalised(train.pixels[chosen], torch.contiguous_format)  # (B, C, H, W) float32
            y = train.labels[chosen]  # (B,)
            optimiser.zero_grad()
            scores = network(x)  # (B, classes)
            loss = functional.cross_entropy(scores, y)
            loss.backward()
            optimiser.step()
        accuracies.append(evaluate(network, test).accuracy)
    return accuracies
