"""The frames that come out of a sandbox, whatever bytes a process writes there: values, or a WireError, and soon."""

from __future__ import annotations

import json
import math
import struct
import time
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.sandbox.asking import read_outcomes
from autograder.sandbox.process import MAX_REPLY, MAX_REPLY_HEADER
from cnnlab.checking import wire
from cnnlab.checking.outcome import KINDS, Outcome

MIB = 1 << 20
steady = settings(
    derandomize=True,
    deadline=None,
    max_examples=120,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)

arrays = st.sampled_from(sorted(wire.DTYPES)).flatmap(
    lambda name: hnp.arrays(np.dtype(name), hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
)
laid_out = st.tuples(arrays, st.sampled_from(["as it is", "Fortran", "backwards", "big-endian", "read-only"]))
texts = st.text(max_size=8) | st.sampled_from(["\0", "\ud800", "\u202e", "</script>", "x" * 5_000])
plain = st.none() | st.booleans() | st.integers(-(1 << 1000), 1 << 1000) | st.floats() | texts
values = st.recursive(
    plain | arrays,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(texts, inner, max_size=4)
    ),
    max_leaves=12,
)
outcomes = st.builds(
    Outcome,
    st.sampled_from(KINDS),
    st.dictionaries(texts, values, max_size=3),
    texts,
    texts,
    st.none() | st.integers(1, 1000),
)
# What a header may lie about.
counts = st.sampled_from(
    [0, 1, 2, 7, 255, 1 << 20, 1 << 31, 1 << 39, 1 << 40, 1 << 62, 1 << 64, -1, True, 1.5, "3", None]
)
shapes = st.lists(counts, max_size=10) | counts
dtypes = st.sampled_from(
    [*sorted(wire.DTYPES), "object", "O", "U8", "S4", "complex128", "V8", ">f8", "f4,f4", "", 3, None, []]
)
specs = st.lists(st.tuples(dtypes, shapes).map(list) | counts, max_size=4) | counts
trees = st.recursive(
    plain | st.fixed_dictionaries({"array": counts}),
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
        native = a.astype(a.dtype.newbyteorder("="))
        return native.dtype == b.dtype and a.shape == b.shape and native.tobytes() == b.tobytes()
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, float):
        return (math.isnan(a) and math.isnan(b)) or struct.pack("<d", a) == struct.pack("<d", b)
    return a == b


def frame(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return wire.MAGIC + struct.pack("<I", len(text) if length is None else length) + text + data


def packed(some: list[Outcome]) -> bytes:
    return b"".join(wire.pack(one.as_value()) for one in some)


def read(data: bytes, most: int = 8) -> list[Outcome]:
    """Read Outcomes as the grader does; verify that what comes is sound, and took little memory and time."""
    tracemalloc.start()
    began = time.process_time()
    try:
        found = read_outcomes(data, most)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # All headers together may have the size of one, which takes some fifty times its size while it is read.
    assert peak < 4 * len(data) + 64 * min(len(data), wire.MAX_HEADER) + MIB
    assert time.process_time() - began < 5
    assert len(found) <= most and all(type(one) is Outcome and one.kind in KINDS for one in found)
    for one in found:
        assert same(one.values, wire.unpack(wire.pack(one.values)))
    return found


def equal(a: Outcome, b: Outcome) -> bool:
    return same(a.as_value(), b.as_value())


# Round trips


def arranged(array: np.ndarray, how: str) -> np.ndarray:
    if how == "Fortran":
        return np.asfortranarray(array)
    if how == "backwards" and array.ndim:
        return array[::-1]
    if how == "big-endian":
        return array.astype(array.dtype.newbyteorder(">"))
    if how == "read-only":
        array.flags.writeable = False
    return array


@steady
@given(values)
def test_every_value_that_may_travel_comes_back_as_it_was(value: Any) -> None:
    assert same(value, wire.unpack(wire.pack(value)))


@steady
@given(laid_out)
def test_an_array_comes_back_however_it_lies_in_memory(case: tuple[np.ndarray, str]) -> None:
    array = arranged(*case)
    back = wire.unpack(wire.pack(array))
    assert same(array, back) and back.flags.writeable and type(back) is np.ndarray


@steady
@given(st.lists(outcomes, max_size=4), st.integers(0, 4))
def test_outcomes_come_back_in_order_and_no_more_than_asked(some: list[Outcome], most: int) -> None:
    found = read(packed(some), most)
    assert len(found) == min(len(some), most) and all(map(equal, found, some))


# Bytes that a hostile process wrote


@steady
@given(st.binary(max_size=400))
def test_any_bytes_are_no_outcome(data: bytes) -> None:
    assert read(data) == [] and read(wire.MAGIC + data) == []


@steady
@given(st.lists(outcomes, min_size=1, max_size=3), st.data())
def test_what_is_cut_off_costs_only_what_it_cuts(some: list[Outcome], data: st.DataObject) -> None:
    whole = packed(some)
    cut = data.draw(st.integers(0, len(whole) - 1))
    kept = [n for n in range(len(some) + 1) if len(packed(some[:n])) <= cut][-1]
    found = read(whole[:cut])
    assert len(found) == kept and all(map(equal, found, some))


@steady
@given(st.lists(outcomes, min_size=1, max_size=3), st.data())
def test_a_flipped_bit_costs_nothing_that_came_before_it(some: list[Outcome], data: st.DataObject) -> None:
    whole = bytearray(packed(some))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= 1 << data.draw(st.integers(0, 7))
    before = [n for n in range(len(some) + 1) if len(packed(some[:n])) <= at][-1]
    found = read(bytes(whole))
    assert len(found) >= before and all(map(equal, found[:before], some))


@steady
@given(trees, specs, st.binary(max_size=64), st.none() | st.sampled_from([0, 1, 7, 1 << 20, (1 << 32) - 1]))
def test_a_header_that_lies_is_a_wire_error(tree: Any, arrays: Any, data: bytes, length: int | None) -> None:
    for header in ({"tree": tree, "arrays": arrays}, {"tree": tree}, tree):
        one = frame(header, data, length)
        tracemalloc.start()
        try:
            value = wire.unpack(one, max_bytes=1 << 12)
        except wire.WireError:
            pass
        else:
            assert same(value, wire.unpack(wire.pack(value)))
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < MIB
        read(one)


@steady
@given(
    st.fixed_dictionaries(
        {}, optional={k: trees for k in ("kind", "values", "message", "error", "line", "more")}
    )
)
def test_a_value_that_is_no_outcome_is_none(value: dict[str, Any]) -> None:
    try:
        data = wire.pack(value)
    except wire.WireError:
        return
    for one in read(data):
        assert same(one.as_value(), value | {"message": one.message, "error": one.error})


LARGE = {
    "lists": b"[" + b"[]," * 340_000 + b"0]",
    "nested lists": b"[" * 500_000,
    "nested dicts": b'{"dict":' * 120_000,
    "digits": b"1" * 900_000,
    "many digits": b"[" + b"1e999," * 150_000 + b"0]",
    "keys": b"{" + b",".join(b'"%d":0' % n for n in range(90_000)) + b"}",
    "escapes": b'"' + b"\\u0000" * 170_000 + b'"',
    "surrogates": b'"' + b"\\ud800" * 170_000 + b'"',
    "arrays": b'{"tree":0,"arrays":[' + b",".join([b'["uint8",[0]]'] * 70_000) + b"]}",
    "axes": b'{"tree":0,"arrays":[["uint8",[' + b"0," * 400_000 + b"0]]]}",
}


@pytest.mark.parametrize("what", LARGE)
def test_the_largest_header_is_read_in_little_memory_and_time(what: str) -> None:
    whole = LARGE[what]
    for header in (whole, b'{"arrays":[],"tree":' + whole + b"}"):
        assert len(header) <= wire.MAX_HEADER
        # Many frames of it too: together they may cost what one does.
        data = frame(header) * 20
        began = time.process_time()
        assert read(data, 40) == []
        assert time.process_time() - began < 5


def test_many_frames_cost_what_their_bytes_do() -> None:
    one = wire.pack(Outcome("values", {"y": np.zeros(3)}).as_value())
    found = read(one * 100_000, 50)
    assert len(found) == 50
    hollow = frame({"tree": None, "arrays": []})
    assert read(hollow * 100_000, 50) == []


def test_array_data_beyond_the_cap_is_never_read() -> None:
    asked: list[int] = []
    header = {"tree": {"array": 0}, "arrays": [["uint8", [MAX_REPLY + 1]]]}
    data = frame(header)

    def read_exactly(count: int) -> bytes:
        asked.append(count)
        start = sum(asked[:-1])
        return data[start : start + count]

    with pytest.raises(wire.WireError, match="more array data than allowed"):
        wire.read_frame(read_exactly, MAX_REPLY, MAX_REPLY_HEADER)
    assert sum(asked) == len(data)


def test_arrays_that_share_their_bytes_do_not_grow() -> None:
    """A header of a MiB can name many arrays; their bytes must all be there."""
    header = {"tree": [{"array": n} for n in range(20_000)], "arrays": [["float64", [1 << 17]]] * 20_000}
    assert read(frame(header, bytes(MIB)) * 3) == []
