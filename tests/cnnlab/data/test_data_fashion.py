"""Fashion-MNIST: the real files, and files that are not."""

from __future__ import annotations

import gzip
import hashlib
import time
from dataclasses import replace

import numpy as np
import pytest

from cnnlab import data
from cnnlab.data import fashion
from cnnlab.data.idx import read_idx
from tests.cnnlab.data.data_server import real, serving

# As https://github.com/zalandoresearch/fashion-mnist publishes them.
MD5 = {
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}


def test_the_registry_is_that_of_the_published_files():
    place = real("fashion-mnist")
    for _, *remotes in fashion.FILES.values():
        for remote in remotes:
            content = (place.parent / remote.name).read_bytes()
            assert hashlib.md5(content).hexdigest() == MD5[remote.name.split("/")[1]]
            assert "sha256:" + hashlib.sha256(content).hexdigest() == remote.digest
            assert len(content) == remote.size
            assert all(url.endswith("/" + remote.name.split("/")[1]) for url in remote.urls)


@pytest.mark.parametrize(("split", "count"), [("train", 60_000), ("test", 10_000)])
def test_the_real_files(split, count, monkeypatch):
    monkeypatch.setenv("CNNLAB_DATA", str(real("fashion-mnist").parent))
    began = time.perf_counter()
    images, labels = data.fashion_mnist(split)
    assert time.perf_counter() - began < 5
    assert images.shape == (count, 28, 28)
    assert images.dtype == np.uint8
    assert labels.dtype == np.int64
    assert np.bincount(labels).tolist() == [count // 10] * 10
    assert images.min() == 0
    assert images.max() == 255
    # The published first items: an ankle boot and a T-shirt in the training set.
    first = {"train": ["ankle boot", "T-shirt/top"], "test": ["ankle boot", "pullover"]}[split]
    assert [data.FASHION_NAMES[label] for label in labels[:2]] == first
    images[...] = 0  # an array of the caller's own


def test_images_fit_their_labels(monkeypatch):
    monkeypatch.setenv("CNNLAB_DATA", str(real("fashion-mnist").parent))
    images, labels = data.fashion_mnist("test")
    flat = images.reshape(len(images), -1).astype(np.float32)
    means = np.stack([flat[:5000][labels[:5000] == k].mean(0) for k in range(10)])
    nearest = ((means**2).sum(1) - 2 * flat[5000:] @ means.T).argmin(1)
    assert np.mean(nearest == labels[5000:]) > 0.6


def test_a_real_file_comes_over_the_network(monkeypatch, tmp_path):
    content = (real("fashion-mnist") / "t10k-labels-idx1-ubyte.gz").read_bytes()
    count, _, labels = fashion.FILES["test"]
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path))
    with serving(content) as server:
        one = replace(labels, urls=(server.url("wrong"), server.url("cutranges"), server.url("ranges")))
        assert fashion.read_file(one, (count,)).shape == (10_000,)


def test_another_split_is_refused():
    with pytest.raises(ValueError, match='split is "train" or "test", not \'val\''):
        data.fashion_mnist("val")


def write(path, content: bytes, pack=gzip.compress):
    path.write_bytes(pack(content))
    return path


HEAD = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3])


def test_idx(tmp_path):
    array = read_idx(write(tmp_path / "a.gz", HEAD + bytes(range(6))), (2, 3))
    np.testing.assert_array_equal(array, np.arange(6).reshape(2, 3))
    assert array.dtype == np.uint8


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (HEAD + bytes(5), "fewer than 18 bytes"),
        (HEAD + bytes(7), "more than 18 bytes"),
        (HEAD + bytes(10_000_000), "more than 18 bytes"),
        (HEAD[:7], "not an IDX file"),
        (b"", "not an IDX file"),
        (bytes([0, 0, 13]) + HEAD[3:] + bytes(24), "not an IDX file"),  # floats
        (HEAD[:7] + b"\x03" + HEAD[8:] + bytes(9), "not an IDX file"),  # another shape
        (bytes([0, 0, 8, 1, 0, 0, 0, 6]) + bytes(6), "not an IDX file"),  # another number of dimensions
    ],
)
def test_idx_that_is_not(tmp_path, content, told):
    with pytest.raises(ValueError, match=told):
        read_idx(write(tmp_path / "a.gz", content), (2, 3))


def harmed(at: int, into: bytes):
    def pack(content: bytes) -> bytes:
        packed = gzip.compress(content)
        return packed[:at] + into

    return pack


@pytest.mark.parametrize("pack", [bytes, harmed(-1, b""), harmed(-8, b"wrong sum")])
def test_a_broken_gzip_file(tmp_path, pack):
    with pytest.raises(ValueError, match="not a whole gzip file"):
        read_idx(write(tmp_path / "a.gz", HEAD + bytes(range(6)), pack), (2, 3))


def test_a_gzip_file_cut_anywhere(tmp_path):
    packed = gzip.compress(HEAD + bytes(range(6)))
    for end in range(len(packed)):
        with pytest.raises(ValueError, match=r"not a whole gzip file|not an IDX file|fewer"):
            read_idx(write(tmp_path / "a.gz", packed[:end], bytes), (2, 3))


def test_a_file_with_the_checksum_of_something_else_is_one_error(monkeypatch, tmp_path):
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path))
    content = gzip.compress(b"something else")
    _, _, labels = fashion.FILES["test"]
    one = replace(labels, size=len(content), digest="sha256:" + hashlib.sha256(content).hexdigest())
    path = tmp_path / one.name
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(
        data.DataError, match=r"cannot be read: it is not an IDX file .* Delete .* run this again"
    ):
        fashion.read_file(one, (10_000,))
