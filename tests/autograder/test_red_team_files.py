"""What was tried with files of weights."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from autograder import intake
from autograder.course import Course
from cnnlab.checking import handin

pytestmark = pytest.mark.usefixtures("bubblewrap")


def safetensors(header: Any, data: bytes = b"") -> bytes:
    text = header if type(header) is bytes else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def tensor(shape: list[int], size: int = 0, dtype: str = "F32") -> dict[str, Any]:
    return {"a": {"dtype": dtype, "shape": shape, "data_offsets": [0, size]}}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff" * 16,
        safetensors(b"[" * 1_000_000),
        safetensors(b'{"a":' * 300_000),
        safetensors(b"null"),
        safetensors(tensor([0, 2**62])),
        safetensors(tensor([2**33, 2**33])),
        safetensors(tensor([0, 2**64 - 1])),
        safetensors(tensor([1] * 500_000, 4), bytes(4)),
        safetensors(tensor([1] * 20, 4), bytes(4)),
        safetensors(tensor([1], 8, "C64"), bytes(8)),
        safetensors(tensor([4], 2, "F4"), bytes(2)),
        safetensors({f"{n}": tensor([0])["a"] for n in range(30_000)}),
        safetensors(b'{"\\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', bytes(4)),
    ],
    ids=lambda data: f"{data[8:30]!r}",
)
def test_a_hostile_file_of_weights_is_one_sentence_and_soon(data: bytes) -> None:
    began = time.process_time()
    outcome = handin.weights_from_bytes(data, "lenet.safetensors")
    assert outcome.kind == "bad output" and len(outcome.message) < 120
    assert time.process_time() - began < 2


def taken_in(course: Course, folder: Path) -> tuple[Path, tuple[str, ...]]:
    intake.take_in(course, "1_layers", "ada", folder)
    record = intake.load_record(course, "1_layers", "ada")
    assert record is not None
    return course.submitted / "ada" / "1_layers", record.flags


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("lenet.safetensors", True),
        ("lenet (1).safetensors", True),
        ("Copy of lenet.safetensors", True),
        ("Copy_of_lenet.safetensors", True),
        ("lenet - Copy.safetensors", False),
        ("LENET.SAFETENSORS", False),
        ("lenet.safetensors ", False),
        ("lenet.safetensors\n", False),
        ("l\u0435net.safetensors", False),  # a Cyrillic letter
        ("lenet.safetensors.ipynb", False),
        ("Copy of Copy of lenet.safetensors", False),
        ("<img src=x>.safetensors", False),
    ],
)
def test_only_a_file_of_the_name_asked_for_stands(
    course: Course, tmp_path: Path, name: str, asked: bool
) -> None:
    folder = tmp_path / "handed in"
    folder.mkdir()
    (folder / name).write_bytes(b"weights")
    home, flags = taken_in(course, folder)
    assert (home / "lenet.safetensors").exists() is asked
    assert {path.suffix for path in home.iterdir()} <= {".ipynb", ".safetensors"}
    assert not home.joinpath(name).exists() or name == "lenet.safetensors"
    assert all(flag.isprintable() for flag in flags)


def test_files_of_weights_that_are_no_files_are_refused(course: Course, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"of somebody else")
    tricks = {
        "a link": lambda path: path.symlink_to(secret),
        "a pipe": os.mkfifo,
        "a folder": Path.mkdir,
        "too large": lambda path: path.write_bytes(bytes(handin.MAX_BYTES + 1)),
    }
    for what, trick in tricks.items():
        folder = tmp_path / what
        folder.mkdir()
        trick(folder / "lenet.safetensors")
        home, flags = taken_in(course, folder)
        assert not (home / "lenet.safetensors").exists() and any("safetensors" in flag for flag in flags)
    folder = tmp_path / "a second name"
    folder.mkdir()
    os.link(secret, folder / "lenet.safetensors")
    home, flags = taken_in(course, folder)
    assert (home / "lenet.safetensors").stat().st_nlink == 1 and any("hard link" in flag for flag in flags)
