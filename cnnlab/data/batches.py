"""CIFAR-10's batches: Python pickles, read without letting them run anything.

A pickle is a small program that can call whatever it can name. The names are looked up in `find_class`; here it knows
three, and gives for each a stand-in that only remembers what it was given. The arrays are then built from the bytes.
"""

from __future__ import annotations

import io
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np

ROWS, COLUMNS = 10_000, 3 * 32 * 32  # of every batch
LARGEST = 40_000_000  # bytes; a batch has 31 million
MEMBERS = {
    "train": tuple(f"cifar-10-batches-py/data_batch_{number}" for number in range(1, 6)),
    "test": ("cifar-10-batches-py/test_batch",),
}


def read_archive(path: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Read CIFAR-10's archive: for "train" and "test", images (N, 3, 32, 32) uint8 and labels (N,) int64.

    Raises:
        ValueError: for a broken archive, one that lacks a batch, and a batch that is not as CIFAR-10's are.
    """
    wanted = {member for members in MEMBERS.values() for member in members}
    batches = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                if member.name in wanted and member.isfile() and member.size <= LARGEST:
                    file = archive.extractfile(member)
                    assert file is not None  # only of a member that is no file
                    batches[member.name] = read_batch(file.read())
    except ValueError:
        raise
    # zlib.error, EOFError, OSError, tarfile.TarError and more: a damaged archive raises almost anything
    except Exception as error:
        raise ValueError(f"it is not a whole archive ({error})") from error
    missing = sorted(wanted - set(batches))
    if missing:
        raise ValueError(f"it lacks {missing[0]}")
    return {
        split: (
            np.concatenate([batches[member][0] for member in members]).reshape(-1, 3, 32, 32),
            np.concatenate([batches[member][1] for member in members]),
        )
        for split, members in MEMBERS.items()
    }


def read_batch(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Read one batch: data (10000, 3072) uint8 and labels (10000,) int64.

    Raises:
        ValueError: for a pickle that names anything but an array of bytes, and for other contents.
    """
    try:
        batch = _Reader(io.BytesIO(content), encoding="bytes").load()
        data, labels = batch[b"data"], batch[b"labels"]
    # a damaged or hostile pickle raises almost anything; what it says is of no use to the reader
    except Exception as error:
        raise ValueError(f"a batch cannot be read ({error})") from error
    if not isinstance(data, _Array):
        raise ValueError("a batch holds no array of bytes")
    if not (isinstance(labels, list) and len(labels) == ROWS and all(type(n) is int for n in labels)):
        raise ValueError(f"a batch does not hold {ROWS} labels")
    if not all(0 <= label < 10 for label in labels):
        raise ValueError("a batch holds a label that is not 0 to 9")
    return data.array(), np.array(labels, np.int64)


class _Type:
    """Stand in for numpy.dtype."""

    def __init__(self, *arguments: Any) -> None:
        self.name = arguments[0] if arguments else None

    def __setstate__(self, state: Any) -> None:
        """Drop the byte order: bytes have none."""


class _Array:
    """Stand in for numpy.ndarray."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def array(self) -> np.ndarray:
        """Return the array of bytes; ValueError for another type or shape."""
        if not (isinstance(self.state, tuple) and len(self.state) == 5):
            raise ValueError("a batch holds no array of bytes")
        _, shape, kind, by_columns, content = self.state
        if shape != (ROWS, COLUMNS) or not isinstance(kind, _Type) or kind.name not in (b"u1", "u1"):
            raise ValueError(f"a batch does not hold {ROWS} x {COLUMNS} bytes")
        if not isinstance(content, bytes) or len(content) != ROWS * COLUMNS:
            raise ValueError(f"a batch does not hold {ROWS} x {COLUMNS} bytes")
        flat = np.frombuffer(content, np.uint8)
        return flat.reshape(shape, order="F" if by_columns else "C")


def _make(*arguments: Any) -> _Array:
    """Stand in for the function with which NumPy makes an array to fill."""
    return _Array()


class _Reader(pickle.Unpickler):
    """Read a pickle that names nothing but NumPy's arrays, and make none of them."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        """Return the stand-in for a name; UnpicklingError for any other name."""
        known = {
            ("numpy.core.multiarray", "_reconstruct"): _make,
            ("numpy", "ndarray"): _Array,
            ("numpy", "dtype"): _Type,
        }
        try:
            return known[module_name, global_name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"it names {module_name}.{global_name}, which no batch needs"
            ) from None
