"""The IDX format: a magic number, the dimensions, then the bytes."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np


def read_idx(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Read a gzipped IDX file of unsigned bytes that must hold an array of this shape: uint8.

    Raises:
        ValueError: for anything else: a broken archive, another type or shape, bytes missing or too many.

    Source: "The IDX file format", http://yann.lecun.com/exdb/mnist/.
    """
    header = bytes((0, 0, 8, len(shape))) + b"".join(side.to_bytes(4, "big") for side in shape)
    wanted = len(header) + math.prod(shape)
    try:
        with gzip.open(path) as file:
            content = file.read(
                wanted + 1
            )  # one more would be too many; a small archive can unpack to a huge one
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"it is not a whole gzip file ({error})") from error
    if content[: len(header)] != header:
        raise ValueError(f"it is not an IDX file of unsigned bytes of shape {shape}")
    if len(content) != wanted:
        raise ValueError(f"it holds {'more' if len(content) > wanted else 'fewer'} than {wanted} bytes")
    # a copy, because an array over bytes cannot be written to
    return np.frombuffer(content, np.uint8, offset=len(header)).reshape(shape).copy()
