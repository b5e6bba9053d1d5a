"""The bundled data: what it holds, and that loading it, or drawing shapes, needs neither network nor pyplot."""

import subprocess
import sys

import numpy as np
import pytest

from cnnlab import data


def test_digits_have_the_documented_shapes_types_and_range():
    images, labels = data.digits()
    assert images.shape == (1797, 8, 8)
    assert images.dtype == np.float64
    assert labels.shape == (1797,)
    assert labels.dtype == np.int64
    assert images.min() == 0
    assert images.max() == 1
    np.testing.assert_array_equal(images * 16, np.round(images * 16))


def test_digits_are_the_uci_test_set():
    images, labels = data.digits()
    # The counts that the archive's own description gives for its test set.
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    # Its first line begins 0,0,5,13,9,1,0,0 and is a zero.
    assert (images[0, 0] * 16).tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    assert labels[0] == 0


def test_images_fit_their_labels():
    # Means of one half classify the other: wrongly paired or transposed data would be near chance, 0.1.
    images, labels = data.digits()
    means = np.stack([images[:900][labels[:900] == digit].mean(axis=0) for digit in range(10)])
    distances = ((images[900:, None] - means) ** 2).sum(axis=(2, 3))
    assert np.mean(distances.argmin(axis=1) == labels[900:]) > 0.8


def test_photo_is_a_small_colour_photograph():
    photo = data.photo()
    assert photo.shape == (256, 216, 3)
    assert photo.dtype == np.float64
    assert 0 <= photo.min() < 0.05
    assert 0.95 < photo.max() <= 1
    assert photo[20, 200, 2] > photo[20, 200, 0] + 0.2  # the wall at the top right is blue


def test_every_call_gives_fresh_arrays():
    for load in (lambda: data.digits()[0], lambda: data.digits()[1], data.photo):
        first = load()
        kept = first.copy()
        first[...] = 0
        np.testing.assert_array_equal(load(), kept)


@pytest.mark.parametrize("call", ["data.digits()", "data.photo()", "data.shapes(3)", "data.shape_images(3)"])
def test_loading_needs_no_network_and_no_pyplot(call):
    script = f"""
import socket, sys
def refuse(*arguments, **keywords):
    raise OSError("no network here")
socket.socket = socket.create_connection = socket.getaddrinfo = refuse
from cnnlab import data
loaded = set(sys.modules)
{call}
heavy = {{"matplotlib.pyplot", "torch", "scipy"}} & set(sys.modules)
assert not heavy, heavy
heavy = {{"PIL", "pooch", "requests", "tqdm"}} & loaded
assert not heavy, f"importing the package already imports {{heavy}}"
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_bundled_file_is_small_and_its_source_named():
    from importlib.resources import files

    folder = files("cnnlab.data") / "files"
    sources = (folder / "SOURCES.md").read_text()
    bundled = [file for file in folder.iterdir() if file.name != "SOURCES.md"]
    assert len(bundled) >= 2
    for file in bundled:
        assert f"`{file.name}`" in sources
        assert len(file.read_bytes()) < 60_000
