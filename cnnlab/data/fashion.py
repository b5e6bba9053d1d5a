"""Fashion-MNIST, downloaded."""

from __future__ import annotations

import numpy as np

from cnnlab.data.download import fetch
from cnnlab.data.errors import DataError
from cnnlab.data.idx import read_idx
from cnnlab.data.remote import Remote

FASHION_NAMES = (
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
MIRRORS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
)


def _remote(what: str, file: str, size: int, sha256: str) -> Remote:
    return Remote(
        title=f"Fashion-MNIST ({what})",
        name=f"fashion-mnist/{file}",
        urls=tuple(mirror + file for mirror in MIRRORS),
        size=size,
        digest=f"sha256:{sha256}",
    )


# split: how many, its images, its labels. The MD5 sums that the authors publish fit these files too (a test).
FILES = {
    "train": (
        60_000,
        _remote(
            "training images",
            "train-images-idx3-ubyte.gz",
            26_421_880,
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        ),
        _remote(
            "training labels",
            "train-labels-idx1-ubyte.gz",
            29_515,
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        ),
    ),
    "test": (
        10_000,
        _remote(
            "test images",
            "t10k-images-idx3-ubyte.gz",
            4_422_102,
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        ),
        _remote(
            "test labels",
            "t10k-labels-idx1-ubyte.gz",
            5_148,
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    ),
}


def fashion_mnist(split: str = "train") -> tuple[np.ndarray, np.ndarray]:
    """Load photographs of clothes in grey, each 28 x 28 pixels; download them first if they are not there.

    split: "train" (60,000 images, 26 MB) or "test" (10,000 images, 4 MB). Returns images: (N, 28, 28) uint8, 0 is the
    background; labels: (N,) int64 into FASHION_NAMES, each class equally often. Every call returns fresh arrays.

    Raises:
        ValueError: for another split.
        DataError: when the files cannot be had.

    Source: H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
    Algorithms", 2017, https://github.com/zalandoresearch/fashion-mnist. Licence: MIT.
    """
    if split not in FILES:
        raise ValueError(f'split is "train" or "test", not {split!r}')
    count, images, labels = FILES[split]
    return read_file(images, (count, 28, 28)), read_file(labels, (count,)).astype(np.int64)


def read_file(remote: Remote, shape: tuple[int, ...]) -> np.ndarray:
    """Return the array of one of the files, downloaded first if it is not there; raise DataError where it is broken."""
    path = fetch(remote)
    try:
        return read_idx(path, shape)
    except ValueError as error:
        raise DataError(
            f"{remote.title} cannot be read: {error}. Delete {path} and run this again."
        ) from error
