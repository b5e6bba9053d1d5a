"""Blood cells: the real images and boxes, archives as GitHub makes them, and annotations that are not."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnlab import data
from cnnlab.data import blood
from cnnlab.data.voc import read_annotation
from tests.cnnlab.data.data_server import real, serving

TOP = f"BCCD_Dataset-{blood.COMMIT}/BCCD/"


def annotation(*objects: tuple[str, int, int, int, int], size=(48, 64)) -> bytes:
    items = "".join(
        f"<object><name>{name}</name><bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{x1}</xmax><ymax>{y1}</ymax>"
        "</bndbox></object>"
        for name, x0, y0, x1, y1 in objects
    )
    return f"<annotation><size><width>{size[1]}</width><height>{size[0]}</height></size>{items}</annotation>".encode()


def jpeg(height: int = 48, width: int = 64) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (200, 150, 160)).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture
def members() -> dict[str, bytes]:
    """Small images in the layout of the archive."""
    found = {}
    image, boxes, at = jpeg(), annotation(("RBC", 1, 1, 10, 12), ("WBC", 21, 11, 64, 48)), 0
    for split, count in blood.COUNTS.items():
        names = [f"BloodImage_{number:05}" for number in range(at, at + count)]
        at += count
        found[f"ImageSets/Main/{split}.txt"] = "\n".join(names).encode() + b"\n"
        for name in names:
            found[f"JPEGImages/{name}.jpg"] = image
            found[f"Annotations/{name}.xml"] = boxes
    return found


def pack(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(TOP + name, content)
    return file.getvalue()


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path))
    monkeypatch.setattr(blood, "ARCHIVE", replace(blood.ARCHIVE, urls=("http://127.0.0.1:9/",)))
    return tmp_path


def place(cache: Path, content: bytes) -> Path:
    path = cache / blood.ARCHIVE.name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_archive_is_of_the_named_commit():
    assert all(blood.COMMIT in url for url in blood.ARCHIVE.urls)
    assert len(blood.COMMIT) == 40
    assert blood.ARCHIVE.name == f"bccd/BCCD_Dataset-{blood.COMMIT}.zip"  # as a browser names it


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_the_real_images(split, monkeypatch):
    place = real("bccd")
    monkeypatch.setenv("CNNLAB_DATA", str(place.parent))
    scenes = data.blood_cells(split)
    names = (place / "ImageSets" / "Main" / f"{split}.txt").read_text().split()
    assert len(scenes) == len(names) == blood.COUNTS[split]
    for scene in scenes:
        assert scene.image.shape == (3, 480, 640)
        assert scene.image.dtype == np.uint8
        assert scene.boxes.shape == (len(scene.labels), 4)
        assert (scene.boxes >= 0).all()
        assert (scene.boxes[:, :2] < scene.boxes[:, 2:]).all()
        assert (scene.boxes[:, 2:] <= [640, 480]).all()
    marked = sum((place / "Annotations" / f"{name}.xml").read_text().count("<object>") for name in names)
    slips = sum(name in ("BloodImage_00338", "BloodImage_00343") for name in names)
    assert sum(len(scene.labels) for scene in scenes) == marked - slips
    # White cells are the large violet ones, platelets the small ones.
    areas = [
        np.median([np.prod(b[2:] - b[:2]) for s in scenes for b in s.boxes[s.labels == k]]) for k in range(3)
    ]
    assert areas[2] < areas[0] < areas[1]
    violet = [
        np.mean(
            [s.image[1, y0:y1, x0:x1].mean() for s in scenes for x0, y0, x1, y1 in s.boxes[s.labels == k]]
        )
        for k in range(3)
    ]
    assert violet[1] < violet[0] - 10


def test_the_real_boxes_are_those_of_the_files(monkeypatch):
    place = real("bccd")
    monkeypatch.setenv("CNNLAB_DATA", str(place.parent))
    names = (place / "ImageSets" / "Main" / "test.txt").read_text().split()
    for name, scene in zip(names, data.blood_cells("test"), strict=True):
        if name == "BloodImage_00338":
            continue
        text = (place / "Annotations" / f"{name}.xml").read_text()
        kinds = re.findall(r"<name>(.*?)</name>", text)
        corners = [
            [int(n) for n in re.findall(rf"<{side}>(\d+)<", text)]
            for side in ("xmin", "ymin", "xmax", "ymax")
        ]
        assert [data.BLOOD_NAMES[label] for label in scene.labels] == kinds
        counted_from_one = np.add(scene.boxes, [1, 1, 0, 0])
        np.testing.assert_array_equal(counted_from_one, np.array(corners).T)


def test_all_the_real_boxes(monkeypatch):
    monkeypatch.setenv("CNNLAB_DATA", str(real("bccd").parent))
    labels = np.concatenate([s.labels for split in blood.COUNTS for s in data.blood_cells(split, shrink=8)])
    assert np.bincount(labels).tolist() == [4_153, 372, 361]


def test_the_real_images_as_github_packs_them_over_the_network(cache, monkeypatch):
    place = real("bccd")
    content = pack(
        {str(p.relative_to(place)): p.read_bytes() for p in sorted(place.rglob("*")) if p.is_file()}
    )
    assert 0.8 < len(content) / blood.ARCHIVE.size < 1.2
    with serving(content) as server:
        urls = (server.url("short"), server.url("wrong"), server.url("untold"))
        monkeypatch.setattr(blood, "ARCHIVE", replace(blood.ARCHIVE, urls=urls))
        scenes = data.blood_cells("val")
    assert len(scenes) == 87
    monkeypatch.setenv("CNNLAB_DATA", str(place.parent))
    for ours, theirs in zip(scenes, data.blood_cells("val"), strict=True):
        np.testing.assert_array_equal(ours.image, theirs.image)
        np.testing.assert_array_equal(ours.boxes, theirs.boxes)


def test_an_archive(cache, members):
    place(cache, pack(members))
    for split, count in blood.COUNTS.items():
        scenes = data.blood_cells(split)
        assert len(scenes) == count
        assert scenes[-1].boxes.tolist() == [[0, 0, 10, 12], [20, 10, 64, 48]]
        assert scenes[-1].labels.tolist() == [0, 1]
        assert scenes[-1].image.shape == (3, 48, 64)
        assert scenes[-1].caption == ""


def test_shrunk(cache, members):
    place(cache, pack(members))
    scene = data.blood_cells("test", shrink=4)[0]
    assert scene.image.shape == (3, 12, 16)
    assert scene.boxes.tolist() == [[0, 0, 3, 3], [5, 2, 16, 12]]


def test_another_split_or_shrink_is_refused():
    with pytest.raises(ValueError, match='split is "train", "val" or "test"'):
        data.blood_cells("all")
    with pytest.raises(ValueError, match="cannot be 0"):
        data.blood_cells("train", shrink=0)


def without(members, name):
    return {key: content for key, content in members.items() if key != name}


@pytest.mark.parametrize(
    "harm",
    [
        lambda m: pack(m)[:-500],
        lambda m: pack(m)[:5000] + bytes(100) + pack(m)[5100:],
        lambda m: b"no archive",
        lambda m: b"",
        lambda m: pack({}),
        lambda m: pack(without(m, "JPEGImages/BloodImage_00300.jpg")),
        lambda m: pack(without(m, "ImageSets/Main/val.txt")),
        lambda m: pack(m | {"ImageSets/Main/val.txt": b"BloodImage_00001\n"}),
        lambda m: pack(m | {"JPEGImages/BloodImage_00007.jpg": bytes(3_000_000)}),
        lambda m: pack(m | {"ImageSets/Main/val.txt": b"\n".join(b"../../x%d" % i for i in range(87))}),
    ],
)
def test_a_broken_archive_is_taken_for_none(cache, members, harm):
    place(cache, harm(members))
    with pytest.raises(data.DataError, match=r"Blood cells \(BCCD\) cannot be downloaded .* put it at .*zip"):
        data.blood_cells()


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("Annotations/BloodImage_00003.xml", b"<annotation>", "it is not XML"),
        ("Annotations/BloodImage_00003.xml", annotation(size=(50, 64)), "its annotation says"),
        ("Annotations/BloodImage_00003.xml", annotation(("cat", 1, 1, 5, 5)), "unknown object, 'cat'"),
        ("JPEGImages/BloodImage_00003.jpg", jpeg()[:300], "truncated|broken|identify"),
        ("JPEGImages/BloodImage_00003.jpg", b"GIF89a", "identify"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(cache, members, name, content, told):
    path = place(cache, pack(members | {name: content}))
    with pytest.raises(data.DataError) as caught:
        data.blood_cells()
    assert str(caught.value).startswith("Blood cells: BloodImage_00003 cannot be read: ")
    assert str(caught.value).endswith(f"Delete {path} and run this again.")
    assert re.search(told, str(caught.value), re.IGNORECASE)


NAMES = ("RBC", "WBC")


def test_voc_counts_from_one_and_includes_the_last():
    size, boxes, labels = read_annotation(annotation(("WBC", 1, 2, 64, 48), ("RBC", 3, 4, 4, 5)), NAMES)
    assert size == (48, 64)
    assert boxes.tolist() == [[0, 1, 64, 48], [2, 3, 4, 5]]
    assert labels.tolist() == [1, 0]
    assert boxes.dtype == labels.dtype == np.int64


def test_voc_boxes_are_clipped_and_slips_left_out():
    _, boxes, labels = read_annotation(
        annotation(
            ("RBC", -5, 0, 70, 50),
            ("RBC", 5, 5, 5, 5),
            ("RBC", 9, 9, 4, 4),
            ("RBC", 65, 5, 80, 9),
            ("WBC", 1, 1, 2, 2),
        ),
        NAMES,
    )
    assert boxes.tolist() == [[0, 0, 64, 48], [0, 0, 2, 2]]
    assert labels.tolist() == [0, 1]


def test_voc_without_objects():
    _, boxes, labels = read_annotation(annotation(), NAMES)
    assert boxes.shape == (0, 4)
    assert labels.shape == (0,)


BOMB = (
    '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9))
    + "]><annotation>&j;</annotation>"
)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (BOMB.encode(), "declares a document type"),
        (BOMB.encode("utf-16"), "declares a document type"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotation/>', "declares a document type"),
        (
            b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation>&x;</annotation>',
            "document type",
        ),
        (b"<annotation>&x;</annotation>", "not XML"),
        (b"", "not XML"),
        (b"\xff\xfe\x00", "not XML"),
        (b'<?xml version="1.0" encoding="nonsense"?><annotation/>', "not XML"),
        (b"<annotation/>", "size/width is ''"),
        (annotation(("RBC", 1, 1, 5, 5)).replace(b"<xmax>5", b"<xmax>nan"), "bndbox/xmax is 'nan'"),
        (annotation(("RBC", 1, 1, 5, 5)).replace(b"<xmax>5", b"<xmax>1e99"), "bndbox/xmax is '1e99'"),
        (annotation(("RBC", 1, 1, 5, 5)).replace(b"<xmax>5</xmax>", b""), "bndbox/xmax is ''"),
        (annotation(("RBC", 1, 1, 5, 5)).replace(b"RBC", b""), "unknown object, ''"),
    ],
)
def test_an_annotation_that_is_not(content, told):
    with pytest.raises(ValueError, match=told):
        read_annotation(content, NAMES)
