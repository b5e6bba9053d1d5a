"""CIFAR-10: archives in the original layout, real and made up, and pickles that would run something."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import struct
import subprocess
import sys
import tarfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cnnlab import data
from cnnlab.data import batches, cifar
from tests.cnnlab.data.data_server import REAL, real, serving

NAMES = ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"]


def string(text: bytes) -> bytes:
    """A string as Python 2 pickled it: the batches are that old."""
    return b"U" + bytes([len(text)]) + text if len(text) < 256 else b"T" + struct.pack("<i", len(text)) + text


def number(value: int) -> bytes:
    return b"K" + bytes([value]) if 0 <= value < 256 else b"J" + struct.pack("<i", value)


def pickled_array(array: np.ndarray, kind: bytes = b"u1") -> bytes:
    """An array as Python 2 and its NumPy pickled it."""
    shape = b"".join(number(side) for side in array.shape) + b"\x86"
    return (
        b"cnumpy.core.multiarray\n_reconstruct\nq\x06cnumpy\nndarray\nq\x07K\x00\x85"
        + string(b"b")
        + b"\x87Rq\x08(K\x01"
        + shape
        + b"cnumpy\ndtype\nq\x09"
        + string(kind)
        + b"K\x00K\x01\x87Rq\x0a(K\x03"
        + string(b"|")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        + string(array.tobytes())
        + b"tb"
    )


def pickled_batch(images: np.ndarray, labels: list[int], array: bytes | None = None) -> bytes:
    """A batch: the keys in the original's order. array: in place of the images."""
    return (
        b"\x80\x02}q\x01("
        + string(b"batch_label")
        + string(b"training batch 1 of 5")
        + string(b"labels")
        + b"]q\x04("
        + b"".join(map(number, labels))
        + b"e"
        + string(b"data")
        + (array or pickled_array(images))
        + string(b"filenames")
        + b"]("
        + string(b"leptodactylus_pentadactylus_s_000004.png")
        + b"eu."
    )


def pack(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def remote_for(path: Path, *urls: str):
    content = path.read_bytes()
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    return replace(cifar.ARCHIVE, urls=urls or ("http://127.0.0.1:9/",), size=len(content), digest=digest)


@pytest.fixture(scope="module")
def made_up(tmp_path_factory) -> dict[str, bytes]:
    """Batches of flat images: image i of batch b has the value (b + i) % 256 in red, 100 in green and 7 in blue."""
    members = {"readme.html": b"<html>", "batches.meta": b"not read"}
    for at, name in enumerate(NAMES):
        images = np.empty((10_000, 3, 1024), np.uint8)
        images[:, 0] = ((at + np.arange(10_000)) % 256)[:, None]
        images[:, 1:] = np.array([[100], [7]])
        members[name] = pickled_batch(images.reshape(10_000, -1), [(at + i) % 10 for i in range(10_000)])
    return members


@pytest.fixture(scope="module")
def archive(made_up, tmp_path_factory) -> Path:
    return pack(tmp_path_factory.mktemp("cifar") / "cifar-10-python.tar.gz", made_up)


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path))
    return tmp_path


def test_an_archive_in_the_original_layout(archive, cache, monkeypatch):
    monkeypatch.setattr(cifar, "ARCHIVE", remote_for(archive))
    (cache / "cifar10").mkdir()
    (cache / cifar.ARCHIVE.name).write_bytes(archive.read_bytes())
    for split, count, first in [("train", 50_000, 0), ("test", 10_000, 5)]:
        images, labels = data.cifar10(split)
        assert images.shape == (count, 3, 32, 32)
        assert images.dtype == np.uint8
        assert labels.shape == (count,)
        assert labels.dtype == np.int64
        assert images[3, :, 31, 0].tolist() == [first + 3, 100, 7]
        assert labels[:3].tolist() == [first, first + 1, (first + 2) % 10]
        images[0] = 0
    # batch after batch
    images, labels = data.cifar10("train")
    assert images[::10_000, 0, 0, 0].tolist() == [0, 1, 2, 3, 4]
    assert labels[::10_000].tolist() == [0, 1, 2, 3, 4]


def test_later_loads_need_no_archive_and_no_second(archive, cache, monkeypatch):
    monkeypatch.setattr(cifar, "ARCHIVE", remote_for(archive))
    (cache / "cifar10").mkdir()
    path = cache / cifar.ARCHIVE.name
    path.write_bytes(archive.read_bytes())
    expected = data.cifar10("train")
    path.unlink()
    began = time.perf_counter()
    images, labels = data.cifar10("train")
    assert time.perf_counter() - began < 1
    np.testing.assert_array_equal(images, expected[0])
    np.testing.assert_array_equal(labels, expected[1])
    assert data.cifar10("test")[0].shape == (10_000, 3, 32, 32)


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


@pytest.mark.slow
def test_damaged_arrays_are_made_again(archive, cache, monkeypatch):
    monkeypatch.setattr(cifar, "ARCHIVE", remote_for(archive))
    (cache / "cifar10").mkdir()
    path = cache / cifar.ARCHIVE.name
    path.write_bytes(archive.read_bytes())
    expected = data.cifar10("test")
    (kept,) = (cache / "cifar10").glob("test-*.npz")
    size = kept.stat().st_size
    whole = kept.read_bytes()
    # Damage is found before the archive is read, which takes a second: from here on, what it holds is known.
    monkeypatch.setattr(cifar, "read_archive", lambda path: {"test": expected})

    def harm(content: bytes):
        return lambda: kept.write_bytes(content)

    class Runs:
        def __reduce__(self):
            return os.system, (f"touch {cache / 'run'}",)

    objects = io.BytesIO()
    np.savez(objects, images=np.array([Runs()], object), labels=np.zeros(10_000, np.int64))
    other = io.BytesIO()
    np.savez(other, images=np.zeros((3, 3, 32, 32), np.uint8), labels=np.zeros(3, np.int64))
    for damage in (
        lambda: flip(kept, size // 2),  # in the images: the zip archive's checksum tells
        lambda: flip(kept, whole.rindex(b"labels.npy", 0, size - 200) + 400),  # in the labels
        harm(whole[: size // 2]),
        harm(b""),
        harm(b"not a zip archive"),
        harm(objects.getvalue()),
        harm(other.getvalue()),
    ):
        damage()
        assert kept.read_bytes() != whole
        images, labels = data.cifar10("test")
        np.testing.assert_array_equal(images, expected[0])
        np.testing.assert_array_equal(labels, expected[1])
        assert kept.stat().st_size == size
        assert cifar.kept_arrays("test") is not None
    assert not (cache / "run").exists()
    assert not list((cache / "cifar10").glob("*.part"))


def test_arrays_that_cannot_be_kept_are_still_returned(archive, cache, monkeypatch, capsys):
    monkeypatch.setattr(cifar, "ARCHIVE", remote_for(archive))
    (cache / "cifar10").mkdir()
    (cache / cifar.ARCHIVE.name).write_bytes(archive.read_bytes())

    def full(*arguments, **named):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cifar.np, "savez", full)
    assert data.cifar10("test")[0].shape == (10_000, 3, 32, 32)
    assert "No space left on device" in capsys.readouterr().err
    assert sorted(p.name for p in (cache / "cifar10").iterdir()) == ["cifar-10-python.tar.gz"]


class Runs:
    """Pickles to a call of a function of the system's."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def attacks(mark: Path) -> dict[str, bytes]:
    command = f"touch {mark}"
    flat = np.zeros((10_000, 3072), np.uint8)
    inside = pickle.dumps(Runs(os.system, command), 2)[2:-1]
    found = {
        "os.system": pickle.dumps({b"data": Runs(os.system, command), b"labels": []}),
        "subprocess": pickle.dumps(Runs(subprocess.check_call, ["touch", str(mark)]), 2),
        "eval": pickle.dumps(Runs(eval, f"__import__('os').system({command!r})"), 0),
        "in place of the array": pickled_batch(flat, [0] * 10_000, inside),
        "numpy's own loader": b"\x80\x02cnumpy\nload\n(" + string(str(mark).encode()) + b"tR.",
        "through the known module": b"\x80\x02cnumpy.core.multiarray\n_reconstruct.__globals__\n.",
        "dotted": b"\x80\x04\x8c\x05numpy\x8c\x0dndarray.__mro\x93.",
        "stack global": b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c"
        + bytes([len(command)])
        + command.encode()
        + b"\x85R.",
        "instance": b"(S'" + command.encode() + b"'\nios\nsystem\n.",
        "persistent": b"\x80\x02Pos.system\n.",
        "extension": b"\x80\x02\x82\x01.",
    }
    return found


@pytest.mark.parametrize("name", sorted(attacks(Path("mark"))))
def test_a_pickle_that_would_run_something_runs_nothing(name, tmp_path):
    content = attacks(tmp_path / "mark")[name]
    with pytest.raises(ValueError, match="a batch cannot be read"):
        batches.read_batch(content)
    assert not (tmp_path / "mark").exists()


def test_the_attack_is_one_that_works(tmp_path):
    pickle.loads(attacks(tmp_path / "mark")["os.system"])
    assert (tmp_path / "mark").exists()


def test_a_hostile_archive_is_one_error_and_nothing_is_run(cache, monkeypatch, made_up):
    mark = cache / "mark"
    hostile = pack(cache / "hostile.tar.gz", made_up | {"data_batch_3": attacks(mark)["os.system"]})
    with serving(hostile.read_bytes()) as server:
        monkeypatch.setattr(cifar, "ARCHIVE", remote_for(hostile, server.url("plain")))
        with pytest.raises(data.DataError) as caught:
            data.cifar10("test")
    assert str(caught.value) == (
        "CIFAR-10 cannot be read: a batch cannot be read (it names posix.system, which no batch needs). "
        f"Delete {cache / 'cifar10' / 'cifar-10-python.tar.gz'} and run this again."
    )
    assert not mark.exists()
    assert not list((cache / "cifar10").glob("*.npz"))


FLAT = np.zeros((10_000, 3072), np.uint8)
ZEROS = [0] * 10_000


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (pickled_batch(FLAT, ZEROS)[:-100], "cannot be read"),
        (b"", "cannot be read"),
        (b"garbage", "cannot be read"),
        (pickle.dumps({}), "cannot be read"),
        (pickle.dumps([1]), "cannot be read"),
        (pickle.dumps({b"data": b"x", b"labels": ZEROS}, 3), "no array of bytes"),
        (pickled_batch(FLAT, ZEROS[:-1]), "10000 labels"),
        (pickled_batch(FLAT, [*ZEROS[:-1], 10]), "not 0 to 9"),
        (pickled_batch(FLAT, [*ZEROS[:-1], -1]), "not 0 to 9"),
        (pickled_batch(FLAT[:-1], ZEROS), "10000 x 3072 bytes"),
        (pickled_batch(FLAT, ZEROS, pickled_array(FLAT, b"i1")), "10000 x 3072 bytes"),
        (pickled_batch(FLAT, ZEROS, pickled_array(FLAT, b"O8")), "10000 x 3072 bytes"),
        (pickled_batch(FLAT, ZEROS, b"cnumpy.core.multiarray\n_reconstruct\n)R"), "no array of bytes"),
        (
            pickled_batch(FLAT, ZEROS, b"cnumpy.core.multiarray\n_reconstruct\n)R(K\x01tb"),
            "no array of bytes",
        ),
        (pickled_batch(FLAT, ZEROS, b"cnumpy\nndarray\n"), "no array of bytes"),
    ],
)
def test_a_batch_that_is_not(content, told):
    with pytest.raises(ValueError, match=told):
        batches.read_batch(content)


def test_an_unrestricted_reader_reads_the_same():
    # Ours against Python's own, with NumPy's own functions: the layout made up here is a real pickle of an array.
    images = np.random.default_rng(0).integers(0, 256, (10_000, 3072), dtype=np.uint8)
    labels = np.random.default_rng(1).integers(0, 10, 10_000)
    content = pickled_batch(images, labels.tolist())
    theirs = pickle.loads(content, encoding="bytes")
    ours = batches.read_batch(content)
    np.testing.assert_array_equal(ours[0], theirs[b"data"])
    np.testing.assert_array_equal(ours[1], theirs[b"labels"])
    np.testing.assert_array_equal(ours[0], images)


@pytest.mark.parametrize(
    "harm",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content[:1000] + bytes(1000) + content[2000:],
        lambda content: b"no archive",
        lambda content: b"",
    ],
)
def test_a_broken_archive(archive, tmp_path, harm):
    (tmp_path / "broken.tar.gz").write_bytes(harm(archive.read_bytes()))
    with pytest.raises(ValueError, match=r"not a whole archive|lacks|cannot be read"):
        batches.read_archive(tmp_path / "broken.tar.gz")


def test_an_archive_that_lacks_a_batch(made_up, tmp_path):
    few = {name: content for name, content in made_up.items() if name != "data_batch_4"}
    with pytest.raises(ValueError, match="lacks cifar-10-batches-py/data_batch_4"):
        batches.read_archive(pack(tmp_path / "few.tar.gz", few))


def test_another_split_is_refused():
    with pytest.raises(ValueError, match='split is "train" or "test", not \'val\''):
        data.cifar10("val")


@pytest.mark.slow
def test_the_real_images_over_the_network(cache, monkeypatch, tmp_path):
    real("cifar10")
    tool = REAL.parent / "tools" / "unpack_cifar10.py"
    subprocess.run([sys.executable, tool, tmp_path / "real"], check=True)
    held = {p.stem: np.load(p) for p in (tmp_path / "real").glob("*.npy")}
    members = {}
    for at, name in enumerate(NAMES):
        split, part = ("train", slice(at * 10_000, (at + 1) * 10_000)) if at < 5 else ("test", slice(None))
        images = held[f"{split}_images"][part].transpose(0, 3, 1, 2).reshape(10_000, 3072)
        members[name] = pickled_batch(images, held[f"{split}_labels"][part].tolist())
    whole = pack(tmp_path / "whole.tar.gz", members)
    with serving(whole.read_bytes()) as server:
        bad = (server.url("missing"), server.url("wrong"), server.url("cutranges"), server.url("ranges"))
        monkeypatch.setattr(cifar, "ARCHIVE", remote_for(whole, *bad))
        for split, count in [("train", 50_000), ("test", 10_000)]:
            images, labels = data.cifar10(split)
            np.testing.assert_array_equal(images.transpose(0, 2, 3, 1), held[f"{split}_images"])
            np.testing.assert_array_equal(labels, held[f"{split}_labels"])
            assert np.bincount(labels).tolist() == [count // 10] * 10
    began = time.perf_counter()
    images, labels = data.cifar10("train")
    assert time.perf_counter() - began < 1
    # The first training image is the well-known frog, the second a truck.
    assert [data.CIFAR10_NAMES[label] for label in labels[:2]] == ["frog", "truck"]
