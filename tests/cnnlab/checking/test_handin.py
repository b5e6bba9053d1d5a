"""Weights handed in beside a notebook: what is written is read again, and nothing else is believed."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from cnnlab.checking import handin

WEIGHTS = {"conv1.w": np.arange(6, dtype=np.float32).reshape(1, 2, 3), "conv1.b": np.zeros(1)}


def file(header: object, data: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = handin.save_weights(tmp_path / "net.safetensors", WEIGHTS)
    read = handin.read_weights(path)
    assert read.kind == "values"
    assert read.values["weights"].keys() == WEIGHTS.keys()
    for name, array in WEIGHTS.items():
        got = read.values["weights"][name]
        assert got.dtype == array.dtype and np.array_equal(got, array)
    assert [p.name for p in tmp_path.iterdir()] == ["net.safetensors"]


def test_views_are_written_as_they_look(tmp_path: Path) -> None:
    turned = np.arange(6.0).reshape(2, 3).T
    path = handin.save_weights(tmp_path / "net.safetensors", {"w": turned})
    assert np.array_equal(handin.read_weights(path).values["weights"]["w"], turned)


def test_too_much_is_refused_before_it_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at most"):
        handin.save_weights(tmp_path / "net.safetensors", {"w": np.zeros(handin.MAX_BYTES)})
    with pytest.raises(ValueError, match="65 arrays"):
        handin.save_weights(tmp_path / "net.safetensors", {str(i): np.zeros(1) for i in range(65)})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("weights", [object(), [1], {"w": 1.0}])
def test_what_is_no_dict_of_arrays_is_said(weights: object, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"network.state\(\)"):
        handin.save_weights(tmp_path / "net.safetensors", weights)  # type: ignore[arg-type]


def test_a_missing_file_is_not_attempted(tmp_path: Path) -> None:
    outcome = handin.read_weights(tmp_path / "lenet.safetensors")
    assert outcome.kind == "not attempted" and "lenet.safetensors" in outcome.message


HOSTILE = {
    "empty": b"",
    "short": b"\x08\0\0",
    "not json": struct.pack("<Q", 4) + b"abcd",
    "pickle": b"\x80\x04\x95cos\nsystem\n(S'true'\ntR.",
    "long header": struct.pack("<Q", 1 << 60) + b"{}",
    "deep": struct.pack("<Q", 200_000) + b"[" * 200_000,
    "list": file([1, 2]),
    "no data": file({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}),
    "overlap": file(
        {
            "a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
            "b": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
        },
        b"\0" * 4,
    ),
    "negative": file({"w": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, b"\0" * 4),
    "overflow": file({"w": {"dtype": "F32", "shape": [1 << 62, 4], "data_offsets": [0, 0]}}),
    "huge and empty": file({"w": {"dtype": "F32", "shape": [0, 1 << 62], "data_offsets": [0, 0]}}),
    "eight bit float": file({"w": {"dtype": "F8_E5M2", "shape": [1], "data_offsets": [0, 1]}}, b"\0"),
    "bfloat": file({"w": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}, b"\0\0"),
    "many axes": file({"w": {"dtype": "F32", "shape": [1] * 40, "data_offsets": [0, 4]}}, b"\0" * 4),
    "many": file(
        {str(i): {"dtype": "U8", "shape": [1], "data_offsets": [i, i + 1]} for i in range(100)}, b"\0" * 100
    ),
    "large": b"\0" * (handin.MAX_BYTES + 1),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_are_one_sentence(name: str, tmp_path: Path) -> None:
    path = tmp_path / "lenet.safetensors"
    path.write_bytes(HOSTILE[name])
    outcome = handin.read_weights(path)
    assert outcome.kind == "bad output", outcome
    assert outcome.message.startswith("lenet.safetensors ") and "\n" not in outcome.message


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "lenet.safetensors").mkdir()
    assert handin.read_weights(tmp_path / "lenet.safetensors").kind == "bad output"


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = handin.save_weights(tmp_path / "net.safetensors", WEIGHTS)
    before = path.read_bytes()

    def full(self: Path, data: bytes) -> int:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError):
        handin.save_weights(path, {"w": np.ones(3)})
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1
