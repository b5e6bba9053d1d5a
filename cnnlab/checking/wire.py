"""Plain values as JSON and raw bytes: one format for the public Case files and for the sandbox's channel.

A value is None, a bool, int, float or str, a NumPy array of a numeric dtype, or a tuple, list or dict of
values. Nothing is ever pickled, so reading bytes that a hostile process wrote can yield only such values or a
WireError.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from cnnlab.checking.errors import CheckingError

Value = Any  # None | bool | int | float | str | np.ndarray | tuple | list | dict[str, Value]

DTYPES = frozenset(
    [
        "bool",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "float16",
        "float32",
        "float64",
    ]
)
# NumPy makes a name anew each time that it is asked for one.
NAMES = {np.dtype(name): name for name in DTYPES}
LITTLE_ENDIAN = {name: dtype.newbyteorder("<") for dtype, name in NAMES.items()}
# The types of NumPy's own numbers. A student's subclass of one could answer `item()` with anything at all.
SCALARS = frozenset(kind for kind in np.sctypeDict.values() if np.dtype(kind).name in DTYPES)
MAX_DEPTH = 16
MAX_AXES = 8
MAX_HEADER = 1 << 20  # bytes
MAX_NODES = MAX_HEADER // 2  # a value takes at least two bytes of the header
MAX_INT_BITS = 1024  # JSON readers refuse integers of some thousand digits
MAGIC = b"CNN1"


class WireError(CheckingError, ValueError):
    """A value that cannot travel, or bytes that are not a frame."""


def flatten(value: Value) -> tuple[Any, list[np.ndarray]]:
    """Split a value into a JSON-able tree and its arrays; raise WireError naming what cannot travel."""
    arrays: list[np.ndarray] = []
    count = 0

    def walk(v: Value, depth: int) -> Any:
        nonlocal count
        count += 1
        if depth > MAX_DEPTH:
            raise WireError("something nested too deeply")
        if count > MAX_NODES:  # a list that holds itself many times would be walked for hours
            raise WireError("too many values")
        kind = type(v)
        if kind is int and v.bit_length() > MAX_INT_BITS:
            raise WireError("an integer that is too large")
        if v is None or kind in (bool, int, float, str):
            return v
        if kind is np.ndarray:
            if v.dtype not in NAMES and v.dtype.name not in DTYPES:
                raise WireError(f"an array of dtype {v.dtype}")
            if v.ndim > MAX_AXES:
                raise WireError(f"an array of {v.ndim} axes")
            arrays.append(v)
            return {"array": len(arrays) - 1}
        if kind in SCALARS:
            return v.item()
        if kind is tuple:
            return {"tuple": [walk(item, depth + 1) for item in v]}
        if kind is list:
            return [walk(item, depth + 1) for item in v]
        if kind is dict and all(type(key) is str for key in v):
            return {"dict": {key: walk(item, depth + 1) for key, item in v.items()}}
        raise WireError(f"a {type_name(kind)}")

    return walk(value, 0), arrays


def type_name(kind: type) -> str:
    """Return a type's name with its module, asking `type` itself: a metaclass may lie or raise."""
    name = type.__dict__["__name__"].__get__(kind)
    module = type.__dict__["__module__"].__get__(kind)
    return name if type(module) is not str or module == "builtins" else f"{module}.{name}"


def restore(tree: Any, arrays: list[np.ndarray]) -> Value:
    """Put a value together again from `flatten`'s two parts; raise WireError for a tree it never writes."""
    used = 0

    def walk(node: Any, depth: int) -> Value:
        nonlocal used
        if depth > MAX_DEPTH:
            raise WireError("nested too deeply")
        if type(node) is int and node.bit_length() > MAX_INT_BITS:
            raise WireError("an integer that is too large")
        if node is None or type(node) in (bool, int, float, str):
            return node
        if type(node) is list:
            return [walk(item, depth + 1) for item in node]
        if type(node) is dict and len(node) == 1:
            (tag, inner), *_ = node.items()
            if tag == "array" and type(inner) is int and inner == used < len(arrays):
                used += 1
                return arrays[inner]
            if tag == "tuple" and type(inner) is list:
                return tuple(walk(item, depth + 1) for item in inner)
            if tag == "dict" and type(inner) is dict:
                return {key: walk(item, depth + 1) for key, item in inner.items()}
        raise WireError("not a value's tree")

    value = walk(tree, 0)
    if used != len(arrays):
        raise WireError("arrays that belong to no value")
    return value


def pack(value: Value) -> bytes:
    """Encode a value as one frame: magic, header length, JSON header (tree, dtypes, shapes), array bytes."""
    tree, arrays = flatten(value)
    header = json.dumps(
        {"tree": tree, "arrays": [[NAMES.get(a.dtype) or a.dtype.name, list(a.shape)] for a in arrays]}
    ).encode()
    if len(header) > MAX_HEADER:
        raise WireError("too many values")
    little_endian = (a.astype(a.dtype.newbyteorder("<"), order="C", copy=False).tobytes() for a in arrays)
    return b"".join([MAGIC, struct.pack("<I", len(header)), header, *little_endian])


def read_frame(read_exactly: Callable[[int], bytes], max_bytes: int, max_header: int = MAX_HEADER) -> Value:
    """Read one frame's value through a function that reads a number of bytes.

    The bytes may come from a hostile process: every length is checked before anything is read or allocated.

    Args:
        read_exactly: called with a number of bytes; returns that many, or fewer at the end.
        max_bytes: of array data, at most.
        max_header: bytes; a header full of lists takes fifty times its size in memory, and half a second a MiB.

    Raises:
        WireError: for anything that `pack` would not have written.
    """
    start = read_exactly(8)
    if len(start) != 8 or start[:4] != MAGIC:
        raise WireError("not a frame")
    (length,) = struct.unpack("<I", start[4:])
    if length > min(max_header, MAX_HEADER):
        raise WireError("header too long")
    try:
        text = read_exactly(length)
        if len(text) != length:
            raise WireError("header cut short")
        header = json.loads(text)
        tree, shapes = header["tree"], header["arrays"]
        specs = [_checked_spec(spec) for spec in shapes]
    except WireError:
        raise
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise WireError("header is not what a frame holds") from error
    if sum(size for _, _, size in specs) > max_bytes:
        raise WireError("more array data than allowed")
    arrays = []
    for dtype, shape, size in specs:
        data = read_exactly(size)
        if len(data) != size:
            raise WireError("array data cut short")
        array = np.frombuffer(data, dtype=dtype).reshape(shape).astype(dtype.newbyteorder("="))
        if dtype.kind == "b" and (array.view(np.uint8) > 1).any():
            raise WireError("a boolean that is neither true nor false")
        arrays.append(array)
    return restore(tree, arrays)


def unpack(data: bytes, max_bytes: int = 1 << 30) -> Value:
    """Decode bytes that hold exactly one frame; raise WireError otherwise."""
    position = 0

    def read_exactly(n: int) -> bytes:
        nonlocal position
        piece = data[position : position + n]
        position += len(piece)
        return piece

    value = read_frame(read_exactly, max_bytes)
    if position != len(data):
        raise WireError("bytes after the frame")
    return value


def _checked_spec(spec: Any) -> tuple[np.dtype, tuple[int, ...], int]:
    name, shape = spec
    if type(name) is not str or name not in DTYPES or type(shape) is not list or len(shape) > MAX_AXES:
        raise WireError("not an array's dtype and shape")
    if not all(type(n) is int and 0 <= n < 1 << 40 for n in shape):
        raise WireError("not an array's shape")
    dtype = LITTLE_ENDIAN[name]
    # NumPy refuses axes whose product overflows, also where another axis is 0.
    if math.prod(n or 1 for n in shape) * dtype.itemsize >= 1 << 62:
        raise WireError("not an array's shape")
    return dtype, tuple(shape), dtype.itemsize * math.prod(shape)
