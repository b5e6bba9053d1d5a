"""The training loop of the well-known tutorials, for comparison.

Loader processes move, flip and normalise images one by one. Training uses float32, NCHW and batches of 128, and reads the
loss in every step.

https://docs.pytorch.org/tutorials/beginner/blitz/cifar10_tutorial.html and, with this recipe's augmentation,
https://github.com/kuangliu/pytorch-cifar.
"""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from cnnlab.train.data import moments_of

BATCH = 128
WORKERS = 2
PADDING = 4


class Images(Dataset[tuple[torch.Tensor, int]]):
    """Labelled images, each augmented and normalised when it is read.

    Args:
        images: (N, C, H, W) uint8.
        labels: (N,).
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        self.images, self.labels = images, labels
        self.mean, self.std = (
            torch.tensor(moment, dtype=torch.float32)[:, None, None] for moment in moments_of(images)
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        """Return one image, (C, H, W) float32, and its label.

        The image is padded, cropped and flipped at random, and normalised.
        """
        image = torch.from_numpy(self.images[index])
        height, width = image.shape[1:]
        padded = nn.functional.pad(image, (PADDING,) * 4)
        top, left = (int(torch.randint(2 * PADDING + 1, ())) for _ in range(2))
        image = padded[:, top : top + height, left : left + width]
        if torch.rand(()) < 0.5:
            image = image.flip(2)
        return (image.float() / 255 - self.mean) / self.std, int(self.labels[index])


def images_per_second(network: nn.Module, images: Images, device: torch.device, warm: int = 2) -> float:
    """Train for one pass over the images and return the images a second.

    Args:
        network: the network to train.
        images: the images and their labels.
        device: the device to train on.
        warm: the number of first batches that do not count.

    Raises:
        ValueError: where there are no more than `warm` batches.
    """
    loader = DataLoader(
        images,
        BATCH,
        shuffle=True,
        num_workers=WORKERS,
        drop_last=True,
        pin_memory=device.type == "cuda",
    )
    if len(loader) <= warm:
        raise ValueError(
            f"{len(images)} images are {len(loader)} batches of {BATCH}: more than {warm} are needed"
        )
    network = network.to(device).train()
    criterion = nn.CrossEntropyLoss()
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    began, seen, right, running = 0.0, 0, 0, 0.0
    for step, (x, y) in enumerate(loader):
        if step == warm:
            began, seen = time.perf_counter(), 0
        x, y = x.to(device), y.to(device)
        optimiser.zero_grad()
        outputs = network(x)
        scores = outputs[0] if isinstance(outputs, tuple) else outputs
        loss = criterion(scores, y)
        loss.backward()
        optimiser.step()
        running += loss.item()
        right += int((scores.argmax(1) == y).sum().item())
        seen += len(y)
    return seen / (time.perf_counter() - began)
