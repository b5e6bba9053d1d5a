"""CIFAR-10 in a few files that can be sent to a machine without network, each with its checksum.

`split` writes them where CIFAR-10 is, `join` puts CIFAR-10 where `cnnlab.data` looks for it. They are two thirds of the
images' plain bytes: each value is replaced by what its neighbours to the left and above do not foretell, red and blue by
their difference from green, and what is left is Huffman-coded by zlib, within two seconds. Nothing is lost.

A part is one line of JSON (see `Head`), then its piece of the packed bytes.
"""

from __future__ import annotations

import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from cnnlab.data import DataError, cifar10
from cnnlab.data.cifar import COUNTS, keep_arrays, kept_arrays

LIMIT = 35 << 20  # bytes of a part at most
HEAD = 1 << 10  # bytes of a part's first line at most
NAME = "cifar10-{}-of-{}.part"
PATTERN = re.compile(r"cifar10-[0-9]+-of-([0-9]+)\.part")


@dataclass(frozen=True)
class Head:
    """The first line of a part.

    Args:
        part: its number, from 1.
        parts: the number of parts.
        sha256: of this part's piece of the packed bytes.
        whole: SHA-256 of all packed bytes.
        counts: images of each split.
    """

    part: int
    parts: int
    sha256: str
    whole: str
    counts: dict[str, int]


def split(folder: Path, limit: int = LIMIT) -> list[Path]:
    """Write CIFAR-10 into a folder in parts, the same bytes every time, and return their paths.

    Args:
        folder: the parts' folder; parts that it holds already are deleted.
        limit: bytes of a part at most.

    Raises:
        DataError: where CIFAR-10 is not here and cannot be downloaded.
    """
    pairs = {each: cifar10(each) for each in COUNTS}
    packed = _pack(pairs.values())
    folder.mkdir(parents=True, exist_ok=True)
    for path in _parts_in(folder):
        path.unlink()
    count = -(-len(packed) // (limit - HEAD))
    size = -(-len(packed) // count)
    counts = {each: len(labels) for each, (_, labels) in pairs.items()}
    whole, paths = sha256(packed).hexdigest(), []
    for number in range(1, count + 1):
        piece = packed[(number - 1) * size : number * size]
        head = Head(number, count, sha256(piece).hexdigest(), whole, counts)
        paths.append(folder / NAME.format(number, count))
        paths[-1].write_bytes(json.dumps(asdict(head)).encode() + b"\n" + piece)
    return paths


def join(folder: Path) -> None:
    """Put CIFAR-10 where `cnnlab.data` looks for it, from all its parts; do nothing where it is there already.

    Raises:
        DataError: where a part is missing or damaged; the message names it and says what to do.
    """
    if all(kept_arrays(each) is not None for each in COUNTS):
        return
    heads, pieces = _read(folder)
    packed = b"".join(pieces)
    if sha256(packed).hexdigest() != heads[0].whole:
        raise DataError(f"The parts in {folder} do not belong together: make them and send them all again.")
    for each, (images, labels) in _unpack(packed, heads[0].counts).items():
        keep_arrays(each, images, labels)
        if kept_arrays(each) is None:
            raise DataError(
                f"CIFAR-10's {each} images, as {folder} holds them, could not be kept as they are."
            )


def _parts_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.part") if PATTERN.fullmatch(path.name))


def _read(folder: Path) -> tuple[list[Head], list[bytes]]:
    """Return all heads and pieces of the parts in a folder; raise DataError for all that is wrong with them."""
    found = {int(PATTERN.sub(r"\1", path.name)) for path in _parts_in(folder)}
    if not found:
        raise DataError(
            f"{folder} holds no part of CIFAR-10: where CIFAR-10 is, write them by "
            "`python -m benchmarks.training --pack FOLDER`, then send them."
        )
    if len(found) > 1:
        raise DataError(
            f"{folder} holds parts of two packings, {' and '.join(map(str, sorted(found)))} in number: "
            "delete those of one."
        )
    (count,) = found
    names = [NAME.format(number, count) for number in range(1, count + 1)]
    read = [_part(folder / name) for name in names]
    wholes = Counter(part[0].whole for part in read if isinstance(part, tuple))
    wrong, heads, pieces = [], [], []
    for number, (name, part) in enumerate(zip(names, read, strict=True), 1):
        if isinstance(part, str):
            wrong.append(f"{name} {part}")
        elif part[0].part != number or part[0].parts != count:
            wrong.append(f"{name} holds part {part[0].part} of {part[0].parts}")
        elif part[0].whole != wholes.most_common(1)[0][0] or part[0].counts != COUNTS:
            wrong.append(f"{name} is of other images")
        else:
            heads.append(part[0])
            pieces.append(part[1])
    if wrong:
        raise DataError(
            f"{', '.join(wrong)}; the other {len(heads)} of {count} parts in {folder} are whole. Send the parts named "
            "here and repeat the command."
        )
    return heads, pieces


def _part(path: Path) -> tuple[Head, bytes] | str:
    """Return a part's head and piece, or what is wrong with it."""
    try:
        line, _, piece = path.read_bytes().partition(b"\n")
        head = Head(**json.loads(line))
    except FileNotFoundError:
        return "is missing"
    except (ValueError, TypeError):
        return "is damaged"
    return (head, piece) if sha256(piece).hexdigest() == head.sha256 else "is damaged"


def _pack(pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> bytes:
    coder = zlib.compressobj(memLevel=9, strategy=zlib.Z_HUFFMAN_ONLY)
    packed = [
        coder.compress(_unforetold(images)) + coder.compress(_bytes(labels)) for images, labels in pairs
    ]
    return b"".join([*packed, coder.flush()])


def _unpack(packed: bytes, counts: dict[str, int]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    values = np.frombuffer(zlib.decompress(packed), np.uint8)
    pairs, first = {}, 0
    shape = (3, 32, 32)
    for each, count in counts.items():
        middle = first + count * int(np.prod(shape))
        images, labels = values[first:middle].reshape(count, *shape), values[middle : middle + count]
        pairs[each] = _foretold(images), labels.astype(np.int64)
        first = middle + count
    return pairs


def _bytes(labels: np.ndarray) -> bytes:
    return labels.astype(np.uint8).tobytes()


def _unforetold(images: np.ndarray) -> bytes:
    """Return what neighbours and green do not foretell of (N, 3, H, W) uint8, modulo 256."""
    rest = images.copy()
    rest[:, ::2] -= images[:, 1:2]
    for axis in (2, 3):
        rest = np.diff(rest, axis=axis, prepend=np.uint8(0))
    return rest.tobytes()


def _foretold(rest: np.ndarray) -> np.ndarray:
    """Return the images, (N, 3, H, W) uint8, of which `_unforetold` returned this."""
    for axis in (2, 3):
        rest = np.cumsum(rest, axis=axis, dtype=np.uint8)
    rest[:, ::2] += rest[:, 1:2]
    return rest
