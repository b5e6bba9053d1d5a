"""Drawn shapes: boxes and captions against the pixels, not against the code that drew them."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest

from cnnlab import data

WHERE = {
    "left of": lambda a, b: a[0] < b[0],
    "right of": lambda a, b: a[0] > b[0],
    "above": lambda a, b: a[1] < b[1],
    "below": lambda a, b: a[1] > b[1],
}


@pytest.fixture(scope="module")
def scenes():
    return data.shapes(300, seed=3)


def seen(image: np.ndarray) -> np.ndarray:
    """The pixels that differ from the background of a plain scene."""
    return (image != image[:, :1, :1]).any(0)


def plain(scene: data.Scene) -> bool:
    corners = scene.image[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    return bool((corners == corners[:, :1]).all() and (scene.image[:, 0] == corners[:, :1]).mean() > 0.5)


def test_what_a_scene_holds(scenes):
    for scene in scenes:
        assert scene.image.shape == (3, 64, 64)
        assert scene.image.dtype == np.uint8
        assert scene.boxes.dtype == scene.labels.dtype == np.int64
        assert scene.boxes.shape == (len(scene.labels), 4)
        assert (scene.boxes >= 0).all()
        assert (scene.boxes <= 64).all()
    assert {len(scene.labels) for scene in scenes} == {1, 2, 3}
    assert set(np.concatenate([scene.labels for scene in scenes])) == set(range(len(data.SHAPE_NAMES)))
    backgrounds = [plain(scene) for scene in scenes]
    assert 0.3 < np.mean(backgrounds) < 0.7


def test_boxes_are_tight_around_what_is_drawn(scenes):
    tried = 0
    for scene in filter(plain, scenes):
        drawn = seen(scene.image)
        inside = np.zeros_like(drawn)
        for x0, y0, x1, y1 in scene.boxes:
            part = drawn[y0:y1, x0:x1]
            assert part[0].any() and part[-1].any() and part[:, 0].any() and part[:, -1].any()
            assert not inside[y0:y1, x0:x1].any(), "boxes overlap"
            inside[y0:y1, x0:x1] = True
        assert not (drawn & ~inside).any()
        tried += 1
    assert tried > 50


def middle(box):
    return (box[0] + box[2], box[1] + box[3])


def colour_of(scene: data.Scene, box) -> str:
    """The named colour nearest to the middle of a shape."""
    from cnnlab.data.shapes import COLOURS

    x, y = (value // 2 for value in middle(box))
    pixel = scene.image[:, y - 1 : y + 2, x - 1 : x + 2].mean((1, 2))
    return min(COLOURS, key=lambda name: np.abs(np.array(COLOURS[name]) - pixel).sum())


def test_captions_say_what_is_there(scenes):
    assert "a red circle" in " ".join(scene.caption for scene in scenes)
    for scene in scenes:
        names = re.findall(r"a (\w+) (\w+)", scene.caption)
        assert [data.SHAPE_NAMES[label] for label in scene.labels] == [shape for _, shape in names]
        assert [colour_of(scene, box) for box in scene.boxes] == [colour for colour, _ in names]
        assert len(set(names)) == len(names)
        places = re.findall(r"left of|right of|above|below", scene.caption)
        assert len(places) == len(names) - 1
        for where, box in zip(places, scene.boxes[1:], strict=True):
            assert WHERE[where](middle(scene.boxes[0]), middle(box)), scene.caption
        assert re.fullmatch(r"a \w+ \w+( (left of|right of|above|below) a \w+ \w+( and .*)?)?", scene.caption)


def test_the_same_seed_draws_the_same(scenes):
    again = data.shapes(20, seed=3)
    for one, two in zip(again, scenes, strict=False):  # a shorter list is the beginning of a longer one
        np.testing.assert_array_equal(one.image, two.image)
        np.testing.assert_array_equal(one.boxes, two.boxes)
        assert one.caption == two.caption
    assert any(a.caption != b.caption for a, b in zip(again, data.shapes(20, seed=4), strict=True))
    images, labels = data.shape_images(50, seed=1)
    np.testing.assert_array_equal(images[:20], data.shape_images(20, seed=1)[0])
    assert (labels[:20] == data.shape_images(20, seed=1)[1]).all()
    assert (images[:20] != data.shape_images(20, seed=2)[0]).any()


@pytest.mark.parametrize("size", [24, 33, 100])
def test_other_sizes(size):
    for scene in data.shapes(20, size=size):
        assert scene.image.shape == (3, size, size)
        assert (scene.boxes[:, 2:] - scene.boxes[:, :2]).min() >= 3
        assert (scene.boxes[:, 2:] <= size).all()
    assert data.shape_images(3, size=size)[0].shape == (3, 3, size, size)


def test_ten_thousand_images_take_seconds():
    began = time.process_time()
    images, labels = data.shape_images(10_000)
    assert time.process_time() - began < 5
    assert images.shape == (10_000, 3, 32, 32)
    assert images.dtype == np.uint8
    assert labels.dtype == np.int64
    assert np.bincount(labels).min() > 1_800
    assert len(np.bincount(labels)) == len(data.SHAPE_NAMES)


def test_the_class_is_the_shape_not_the_colour_or_place():
    images, labels = data.shape_images(3_000, seed=5)
    flat = images.reshape(len(images), -1).astype(float)
    means = np.stack([flat[:2000][labels[:2000] == k].mean(0) for k in range(5)])
    nearest = ((means**2).sum(1) - 2 * flat[2000:] @ means.T).argmin(1)
    assert np.mean(nearest == labels[2000:]) < 0.5  # a mean image does not tell them apart; a network can


def test_none_and_refusals():
    assert data.shapes(0) == []
    assert data.shape_images(0)[0].shape == (0, 3, 32, 32)
    for door in (data.shapes, data.shape_images):
        with pytest.raises(ValueError, match="cannot be -1"):
            door(-1)
        with pytest.raises(ValueError, match="at least 24 pixels, not 8"):
            door(1, size=8)
