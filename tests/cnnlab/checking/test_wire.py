"""Frames: any value comes back as it was, and no bytes whatever yield anything but a value or a WireError."""

from __future__ import annotations

import io
import json
import struct
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cnnlab.checking import wire

steady = settings(derandomize=True, deadline=None, max_examples=150, database=None)

arrays = st.sampled_from(sorted(wire.DTYPES)).flatmap(
    lambda name: hnp.arrays(np.dtype(name), hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
)
plain = st.none() | st.booleans() | st.integers(-(1 << 1000), 1 << 1000) | st.floats() | st.text(max_size=8)
values = st.recursive(
    plain | arrays,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)
json_trees = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 1 << 70)
    | st.floats()
    | st.sampled_from(["float64", "bool", "x"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["array", "tuple", "dict", "k"]), inner, max_size=2)
    ),
    max_leaves=10,
)


def same(a: Any, b: Any) -> bool:
    """Say whether two values are the same in type and, bit by bit, in content."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return a == b or (a != a and b != b)


def frame(header: Any, data: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return wire.MAGIC + struct.pack("<I", len(text)) + text + data


def value_or_wire_error(data: bytes, max_bytes: int = 1 << 12) -> None:
    """Read a frame from bytes that anyone may have written; check what is asked for and what comes."""
    asked, position = 0, 0

    def read_exactly(n: int) -> bytes:
        nonlocal asked, position
        asked += n
        piece = data[position : position + n]
        position += len(piece)
        return piece

    try:
        value = wire.read_frame(read_exactly, max_bytes)
    except wire.WireError:
        pass
    else:
        assert same(wire.unpack(wire.pack(value)), value)
    assert asked <= 8 + wire.MAX_HEADER + max_bytes


@steady
@given(values)
def test_any_value_comes_back_as_it_was(value):
    assert same(wire.unpack(wire.pack(value)), value)


@steady
@given(values)
def test_splitting_and_restoring_keeps_a_value(value):
    assert same(wire.restore(*wire.flatten(value)), value)


@steady
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_a_wire_error(data):
    value_or_wire_error(data)
    value_or_wire_error(wire.MAGIC + data)


@steady
@given(st.binary(max_size=80), st.binary(max_size=80))
def test_an_arbitrary_header_is_a_wire_error(header, data):
    value_or_wire_error(wire.MAGIC + struct.pack("<I", len(header)) + header + data)


@steady
@given(json_trees, st.lists(json_trees, max_size=3) | json_trees, st.binary(max_size=64))
def test_a_well_formed_header_of_the_wrong_content_is_a_wire_error(tree, specs, data):
    value_or_wire_error(frame({"tree": tree, "arrays": specs}, data))
    value_or_wire_error(frame(tree, data))


@steady
@given(values, st.data())
def test_a_mutated_frame_is_a_value_or_a_wire_error(value, data):
    packed = bytearray(wire.pack(value))
    assume(len(packed) < 1 << 12)
    for _ in range(data.draw(st.integers(1, 4))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    value_or_wire_error(bytes(packed))
    value_or_wire_error(bytes(packed[: data.draw(st.integers(0, len(packed)))]))


@pytest.mark.parametrize(
    "header",
    [
        {"tree": {"array": 0}, "arrays": [["float64", [1 << 39]]]},
        {"tree": {"array": 0}, "arrays": [["float64", [1 << 20, 1 << 20, 1 << 20]]]},
        {"tree": {"array": 0}, "arrays": [["float64", [0, 1 << 39, 1 << 39]]]},
        {"tree": {"array": 0}, "arrays": [["float64", [-1]]]},
        {"tree": {"array": 0}, "arrays": [["float64", [True]]]},
        {"tree": {"array": 0}, "arrays": [["float64", [1] * 9]]},
        {"tree": {"array": 0}, "arrays": [["object", [1]]]},
        {"tree": {"array": 0}, "arrays": [["uint8", [64]]] * 64},
        {"tree": {"array": True}, "arrays": [["uint8", [0]]]},
        {"tree": [{"array": 0}, {"array": 0}], "arrays": [["uint8", [0]]]},
        {"tree": None, "arrays": [["uint8", [0]]]},
        {"tree": {"tuple": {}}, "arrays": []},
        {"tree": {"dict": []}, "arrays": []},
        {"tree": {"class": "Evil"}, "arrays": []},
        {"tree": 1 << 2000, "arrays": []},
        {"arrays": []},
        [],
        None,
    ],
    ids=lambda header: json.dumps(header)[:60],
)
def test_a_hostile_header_costs_no_memory(header):
    data = frame(header)
    tracemalloc.start()
    try:
        with pytest.raises(wire.WireError):
            wire.unpack(data, max_bytes=1 << 10)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_header_nested_without_end_is_a_wire_error():
    text = b'{"arrays":[],"tree":' + b"[" * 500_000
    with pytest.raises(wire.WireError):
        wire.unpack(wire.MAGIC + struct.pack("<I", len(text)) + text)


def test_a_header_longer_than_allowed_is_not_read():
    asked = []

    def read_exactly(n: int) -> bytes:
        asked.append(n)
        return wire.MAGIC + struct.pack("<I", wire.MAX_HEADER + 1)

    with pytest.raises(wire.WireError, match="header too long"):
        wire.read_frame(read_exactly, 100)
    assert asked == [8]


def test_a_boolean_that_is_neither_true_nor_false_is_a_wire_error():
    with pytest.raises(wire.WireError, match="neither true nor false"):
        wire.unpack(frame({"tree": {"array": 0}, "arrays": [["bool", [2]]]}, b"\x01\x02"))


def test_bytes_after_the_frame_are_a_wire_error():
    with pytest.raises(wire.WireError, match="after the frame"):
        wire.unpack(wire.pack([1, 2]) + b"\0")


def test_numbers_of_numpy_become_plain_ones():
    value = wire.unpack(wire.pack([np.float32(0.5), np.int64(3), np.bool_(True), np.longlong(4)]))
    assert same(value, [0.5, 3, True, 4])


def test_the_order_of_bytes_and_of_axes_does_not_matter():
    array = np.arange(6, dtype=">f8").reshape(2, 3)
    for given_array in (array, array.T, array[:, ::2]):
        back = wire.unpack(wire.pack(given_array))
        assert back.dtype == np.dtype("=f8") and (back == given_array).all()
        assert back.flags.writeable


class Liar(np.float64):
    def item(self, *args):
        return object()


class LyingType(type):
    @property
    def __name__(cls):
        raise ZeroDivisionError


class Unnamed(metaclass=LyingType):
    pass


def endless() -> list:
    value: list = []
    value += [value] * 10
    return value


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (object(), "a object"),
        (Liar(1.0), "Liar"),
        (Unnamed(), "Unnamed"),
        (np.ones((1, 1)).view(np.matrix), "matrix"),
        (np.ma.masked_array([1.0]), "MaskedArray"),
        (np.array(["a"]), "an array of dtype <U1"),
        (np.array([object()]), "an array of dtype object"),
        (np.array([1j]), "an array of dtype complex128"),
        (np.zeros((1,) * 9), "an array of 9 axes"),
        ({1: 2}, "a dict"),
        ({1, 2}, "a set"),
        (1 << 2000, "an integer that is too large"),
        (endless(), "too many values|nested too deeply"),
        ([[0]] * (1 << 20), "too many values"),
        ("x" * (wire.MAX_HEADER + 1), "too many values"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_what_cannot_travel_is_named(value, words):
    with pytest.raises(wire.WireError, match=words):
        wire.pack(value)


def test_a_header_longer_than_the_reader_allows_is_refused() -> None:
    frame = wire.pack([0] * 100)
    reader = io.BytesIO(frame).read
    with pytest.raises(wire.WireError, match="header too long"):
        wire.read_frame(reader, 1 << 20, 100)
    assert wire.read_frame(io.BytesIO(frame).read, 1 << 20, 1000) == [0] * 100
