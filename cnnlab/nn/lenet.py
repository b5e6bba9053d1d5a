"""LeNet-5, the network that lesson 07 trains."""

from __future__ import annotations

import numpy as np

from cnnlab.nn.convolution import Conv2d
from cnnlab.nn.dense import Linear
from cnnlab.nn.layer import Flatten, Sequential
from cnnlab.nn.pooling import MaxPool2d, ReLU

SIZE = 32  # LeNet-5's input, pixels a side


def lenet5(rng: np.random.Generator, classes: int = 10, dtype: type = np.float32) -> Sequential:
    """Return LeNet-5 for images (N, 1, 32, 32), with ReLU and max pooling in place of the paper's own.

    It has 61,706 parameters for ten classes.

    Args:
        rng: draws the weights.
        classes: the number of scores for each image.
        dtype: of the parameters.

    Source: LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition, 1998.
    """
    return Sequential(
        conv1=Conv2d(1, 6, 5, rng=rng, dtype=dtype),  # (N, 6, 28, 28)
        relu1=ReLU(),
        pool1=MaxPool2d(2),  # (N, 6, 14, 14)
        conv2=Conv2d(6, 16, 5, rng=rng, dtype=dtype),  # (N, 16, 10, 10)
        relu2=ReLU(),
        pool2=MaxPool2d(2),  # (N, 16, 5, 5)
        flatten=Flatten(),  # (N, 400)
        linear1=Linear(400, 120, rng=rng, dtype=dtype),
        relu3=ReLU(),
        linear2=Linear(120, 84, rng=rng, dtype=dtype),
        relu4=ReLU(),
        linear3=Linear(84, classes, rng=rng, dtype=dtype),  # (N, classes): scores
    )


def lenet_images(images: np.ndarray) -> np.ndarray:
    """Return grey images as LeNet-5 takes them: (N, 1, 32, 32) float32 from -1 (empty) to 1 (full).

    images: (N, 8, 8) in [0, 1], each pixel becomes 4 x 4; (N, 28, 28) uint8 or in [0, 1], surrounded by 2
    empty pixels; or (N, 32, 32) in [0, 1]. Raises ValueError for other sizes.
    """
    size = images.shape[-1]
    if images.ndim != 3 or images.shape[1] != size or size not in (8, 28, SIZE):
        raise ValueError(f"images are (N, 8, 8), (N, 28, 28) or (N, 32, 32), not {images.shape}")
    x = images.astype(np.float32) / (255 if images.dtype == np.uint8 else 1)
    if size == 8:
        x = x.repeat(4, axis=1).repeat(4, axis=2)
    elif size == 28:
        x = np.pad(x, ((0, 0), (2, 2), (2, 2)))
    return (2 * x - 1)[:, None]
