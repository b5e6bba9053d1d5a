"""CIFAR-10 in parts: split and joined it is the same, and what is wrong with a part is said by its name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from benchmarks import training  # noqa: E402
from benchmarks.training_parts.parts import join, split  # noqa: E402
from cnnlab.data import DataError, cifar10  # noqa: E402
from cnnlab.data.cifar import COUNTS, keep_arrays  # noqa: E402
from tests.benchmarks.tiny_training import CIFAR, make_cifar_small  # noqa: E402

LIMIT = 140_000  # bytes of a part: three of them


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """A CIFAR-10 of noise and of all bytes at their borders, where `cnnlab.data` finds it."""
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "here"))
    make_cifar_small(monkeypatch.setitem)
    rng = np.random.default_rng(0)
    for each, count in CIFAR.items():
        images = rng.integers(0, 256, (count, 3, 32, 32), np.uint8)
        images[0], images[1] = 255, 0
        images[2, :, ::2] = 255
        keep_arrays(each, images, rng.integers(0, 10, count))
    return {each: cifar10(each) for each in CIFAR}


@pytest.fixture
def parts(made_up: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The parts, seen from a machine that has nothing else."""
    paths = split(tmp_path / "parts", LIMIT)
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "there"))
    return paths


def problem(folder: Path) -> str:
    with pytest.raises(DataError) as raised:
        join(folder)
    return str(raised.value)


def test_joined_parts_are_what_was_split(
    parts: list[Path], made_up: dict[str, tuple[np.ndarray, np.ndarray]]
) -> None:
    assert [path.name for path in parts] == [f"cifar10-{number}-of-3.part" for number in (1, 2, 3)]
    assert all(path.stat().st_size <= LIMIT for path in parts)
    join(parts[0].parent)
    for each, (images, labels) in made_up.items():
        np.testing.assert_array_equal(cifar10(each)[0], images)
        np.testing.assert_array_equal(cifar10(each)[1], labels)
        assert cifar10(each)[1].dtype == np.int64
    for path in parts:
        path.unlink()
    join(parts[0].parent)  # what is joined already needs no parts


def test_parts_are_the_same_every_time_and_leave_no_older_ones(
    parts: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [path.read_bytes() for path in parts]
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "here"))
    assert len(split(tmp_path / "parts")) == 1
    assert [path.name for path in (tmp_path / "parts").iterdir()] == ["cifar10-1-of-1.part"]
    assert [path.read_bytes() for path in split(tmp_path / "parts", LIMIT)] == before


def test_parts_that_come_one_after_another(parts: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "arrived"
    folder.mkdir()
    assert "holds no part of CIFAR-10" in problem(folder)
    for number, path in enumerate(parts[:-1], 1):
        (folder / path.name).write_bytes(path.read_bytes())
        missing = ", ".join(f"cifar10-{n}-of-3.part is missing" for n in range(number + 1, 4))
        assert problem(folder).startswith(
            f"{missing}; the other {number} of 3 parts in {folder} are whole. Send "
        )
    (folder / parts[-1].name).write_bytes(parts[-1].read_bytes())
    join(folder)
    assert [len(cifar10(each)[0]) for each in COUNTS] == [COUNTS[each] for each in COUNTS]


def test_damaged_swapped_and_foreign_parts_are_named(parts: list[Path], tmp_path: Path) -> None:
    folder, second, third = parts[0].parent, *parts[1:]
    one, two, three = (path.read_bytes() for path in parts)
    for damage in (two[:-1], two[:50], b"", two[:-1] + bytes([two[-1] ^ 1])):
        second.write_bytes(damage)
        assert problem(folder).startswith("cifar10-2-of-3.part is damaged; the other 2 of 3 ")
    second.write_bytes(three)
    third.write_bytes(two)
    assert problem(folder).startswith(
        "cifar10-2-of-3.part holds part 3 of 3, cifar10-3-of-3.part holds part 2 of 3; the other 1 of 3 "
    )
    second.write_bytes(two)
    third.write_bytes(three.replace(b'"whole": "', b'"whole": "0', 1))
    assert problem(folder).startswith("cifar10-3-of-3.part is of other images; the other 2 of 3 ")
    third.unlink()
    (folder / "cifar10-1-of-4.part").write_bytes(one)
    assert "two packings, 3 and 4 in number" in problem(folder)
    assert not (tmp_path / "there").exists()


def test_the_command_packs_and_says_what_is_missing(
    made_up: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert training.main(["--pack", str(tmp_path / "parts")]) == 0
    assert "cifar10-1-of-1.part: 0.4 MiB" in capsys.readouterr().out
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "there"))
    assert training.main(["--data", str(tmp_path / "nothing")]) == 2
    assert "nothing holds no part of CIFAR-10" in capsys.readouterr().err
