"""Images that stay on the device as bytes: no loader, no copy to the device while training."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from copy import copy

import numpy as np
import torch

from cnnlab.train.errors import TrainError
from cnnlab.train.failures import first_line


class DeviceData:
    """Labelled images on a device, with the mean and spread that normalise them.

    pixels: (N, H, W, C) uint8, so that one image's place in memory is one run, and a batch of it, seen as
    (B, C, H, W), is in torch's channels_last layout without a copy; labels: (N,) int64; mean, std: (C,) of pixels in
    [0, 1].
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        device: torch.device | str = "cpu",
        like: DeviceData | None = None,
    ) -> None:
        """Put images on a device.

        images: (N, C, H, W) or (N, H, W) uint8; labels: (N,) of whole numbers from 0; like: data whose mean and spread
        to use, as test images are normalised by those of the training images. Raises TrainError for others.
        """
        images, labels = _checked(images, labels)
        moments = moments_of(images) if like is None else None
        # One number that tells two sets apart; a resumed run compares it.
        self.digest = zlib.crc32(labels.tobytes(), zlib.crc32(np.ascontiguousarray(images).tobytes()))
        self.classes = int(labels.max()) + 1
        pixels = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 2, 3, 1)))
        self.pixels = pixels.to(device)
        self.device = self.pixels.device  # with its number
        self.labels = torch.from_numpy(labels).to(self.device)
        if moments is None:
            assert like is not None
            self._normalise_by(like.mean, like.std)
        else:
            self._normalise_by(*(torch.tensor(m, dtype=torch.float32) for m in moments))

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width, in pixels."""
        return self.pixels.shape[1], self.pixels.shape[2]

    def like(self, other: DeviceData) -> DeviceData:
        """Return these data, not copied, with the mean and spread of others."""
        same = copy(self)
        same._normalise_by(other.mean, other.std)
        return same

    def _normalise_by(self, mean: torch.Tensor, std: torch.Tensor) -> None:
        self.mean, self.std = mean.to(self.device), std.to(self.device)
        # x/255/std - mean/std: one multiplication and one subtraction a value.
        self._scale, self._offset = 1 / (255 * self.std), self.mean / self.std
        if len(self.mean) != self.pixels.shape[3]:
            raise TrainError(
                f"The test images have {self.pixels.shape[3]} channels and the training images {len(self.mean)}: "
                "give both the same."
            )

    def normalised(
        self, pixels: torch.Tensor, layout: torch.memory_format = torch.channels_last
    ) -> torch.Tensor:
        """Return (B, H, W, C) uint8 as (B, C, H, W) float32, mean 0 and spread 1 over the data.

        Args:
            pixels: of some images.
            layout: the order in memory; channels_last is the pixels' own, and needs no copy.
        """
        x = pixels.float().mul_(self._scale).sub_(self._offset).permute(0, 3, 1, 2)
        return x.contiguous(memory_format=layout)

    def range(self, first: int, last: int, layout: torch.memory_format = torch.channels_last) -> torch.Tensor:
        """Return images first to last - 1, normalised: (B, C, H, W) float32 in that layout."""
        return self.normalised(self.pixels[first:last], layout)


# Images of this many pixels a side whose last axis has as few numbers as a pixel are laid out as PIL's and OpenCV's are.
LARGE = 8
COLOURS = (1, 3, 4)

Pair = tuple[np.ndarray, np.ndarray]
Data = DeviceData | Pair


def on_device(data: Data, device: torch.device, like: DeviceData | None = None) -> DeviceData:
    """Return data on a device: as they are where they are there already, else moved there.

    Args:
        data: images and labels, or DeviceData.
        device: where they shall be.
        like: data whose mean and spread to use; without, DeviceData keep theirs and arrays have their own.
    """
    if isinstance(data, DeviceData):
        if data.device == device:
            return data if like is None else data.like(like)
        images = data.pixels.permute(0, 3, 1, 2).cpu().numpy()
        return DeviceData(images, data.labels.cpu().numpy(), device, data if like is None else like)
    if not (isinstance(data, Sequence) and len(data) == 2):
        raise TrainError("Give images and labels as a pair of arrays, as cnnlab.data returns them.")
    return DeviceData(data[0], data[1], device, like)


def _checked(images: np.ndarray, labels: np.ndarray) -> Pair:
    try:
        images, labels = np.asarray(images), np.asarray(labels)
    except (TypeError, ValueError) as error:  # a tensor on a GPU, or images of several sizes
        raise TrainError(
            f"Images and labels are no arrays ({first_line(error)}): give NumPy arrays or tensors on the CPU."
        ) from error
    if images.dtype != np.uint8 or images.ndim not in (3, 4):
        raise TrainError(
            "Images are bytes (uint8) of shape (N, C, H, W) or (N, H, W); these are "
            f"{images.dtype} of shape {images.shape}. Give them as cnnlab.data returns them, not yet normalised."
        )
    if images.ndim == 4 and min(images.shape[1:3]) >= LARGE and images.shape[3] in COLOURS:
        raise TrainError(
            f"Images are (N, C, H, W), and these of shape {images.shape} look like (N, H, W, C): give "
            "images.transpose(0, 3, 1, 2)."
        )
    if not np.issubdtype(labels.dtype, np.integer) or labels.shape != (len(images),) or not len(images):
        raise TrainError(
            f"There are {len(images)} images and labels of type {labels.dtype} and shape {labels.shape}: give one "
            "whole number an image."
        )
    if labels.min() < 0:
        raise TrainError(f"A label is {labels.min()}: number the classes from 0.")
    return images if images.ndim == 4 else images[:, None], np.ascontiguousarray(labels, np.int64)


def moments_of(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of pixels in [0, 1] over (N, C, H, W): (C,) float64 each, from exact counts."""
    values = np.arange(256) / 255
    counts = np.stack([np.bincount(images[:, c].ravel(), minlength=256) for c in range(images.shape[1])])
    mean = counts @ values / counts.sum(1)
    spread = np.sqrt((counts * (values - mean[:, None]) ** 2).sum(1) / counts.sum(1))
    # Images of one grey only would otherwise be divided by zero.
    return mean, np.maximum(spread, 1 / 255)
