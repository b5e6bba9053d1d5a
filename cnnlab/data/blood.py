"""Blood cells with boxes, downloaded."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

import numpy as np

from cnnlab.data.cache import folder
from cnnlab.data.download import fetch
from cnnlab.data.errors import DataError
from cnnlab.data.remote import Remote
from cnnlab.data.scene import Scene
from cnnlab.data.voc import read_annotation

BLOOD_NAMES = ("RBC", "WBC", "Platelets")  # red cells, white cells, platelets
COUNTS = {"train": 205, "val": 87, "test": 72}
COMMIT = "d272fb14cdff6e473fafeeeba32aba5f560e9e43"
LARGEST = 2_000_000  # bytes of one image or annotation; the largest has 24 thousand
Source = Path | zipfile.Path


def check(path: Path) -> None:
    """Raise ValueError unless the file at path is a whole archive with all the images of all splits."""
    try:
        with zipfile.ZipFile(path) as archive:
            held = set(archive.namelist())
            top = f"BCCD_Dataset-{COMMIT}/BCCD/"
            for split in COUNTS:
                for name in _names(zipfile.Path(archive, top), split):
                    for member in (f"{top}JPEGImages/{name}.jpg", f"{top}Annotations/{name}.xml"):
                        if member not in held or archive.getinfo(member).file_size > LARGEST:
                            raise ValueError(f"{member} is missing or too large")
                        archive.read(member)  # compares its checksum
    # a damaged archive raises almost anything
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        KeyError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise ValueError(f"what it sent is not a whole archive ({error})") from error


ARCHIVE = Remote(
    title="Blood cells (BCCD)",
    name=f"bccd/BCCD_Dataset-{COMMIT}.zip",
    urls=(
        f"https://github.com/Shenggan/BCCD_Dataset/archive/{COMMIT}.zip",
        f"https://codeload.github.com/Shenggan/BCCD_Dataset/zip/{COMMIT}",
    ),
    size=8_000_000,
    digest=None,  # GitHub packs the archive anew and does not promise the same bytes: the contents are checked
    check=check,
)


def blood_cells(split: str = "train", shrink: int = 1) -> list[Scene]:
    """Load microscope images of blood with a box around each cell; download them first if they are not there.

    split: "train" (205 images), "val" (87) or "test" (72), as the authors drew them; one archive of 8 MB holds all.
    Each Scene has image (3, 480, 640), boxes, and labels into BLOOD_NAMES. shrink: a whole number by which height and
    width are divided, each pixel then the mean of a block; the training images take 189 MB, with shrink=4 12 MB.

    The cells were marked by hand. Cells at the border and in clumps are often not marked. Two boxes of one pixel, in
    BloodImage_00338 and BloodImage_00343, are slips and are left out: 4,886 of 4,888 remain. A folder `bccd` in the
    cache that holds Annotations, ImageSets and JPEGImages is used in place of the archive.

    Raises:
        ValueError: for another split or shrink.
        DataError: when the files cannot be had or read.

    Source: Shenggan, BCCD Dataset, 2017, https://github.com/Shenggan/BCCD_Dataset. Licence: MIT.
    """
    if split not in COUNTS:
        raise ValueError(f'split is "train", "val" or "test", not {split!r}')
    if shrink < 1:
        raise ValueError(f"shrink divides height and width and cannot be {shrink}")
    unpacked = folder() / "bccd"
    if all((unpacked / name).is_dir() for name in ("Annotations", "ImageSets", "JPEGImages")):
        return _scenes(unpacked, unpacked, split, shrink)
    path = fetch(ARCHIVE)
    with zipfile.ZipFile(path) as archive:
        return _scenes(zipfile.Path(archive, f"BCCD_Dataset-{COMMIT}/BCCD/"), path, split, shrink)


def _scenes(source: Source, path: Path, split: str, shrink: int) -> list[Scene]:
    name = f"the list of {split}"
    scenes = []
    try:
        for name in _names(source, split):
            scenes.append(_scene(source, name, shrink))
    # a damaged image raises almost anything
    except Exception as error:
        raise DataError(
            f"Blood cells: {name} cannot be read: {error}. Delete {path} and run this again."
        ) from error
    return scenes


def _names(source: Source, split: str) -> list[str]:
    """Return the names of the images of a split."""
    names = (source / "ImageSets" / "Main" / f"{split}.txt").read_bytes().decode("ascii").split()
    if len(set(names)) != COUNTS[split]:
        raise ValueError(f"the list of {split} has {len(set(names))} images, not {COUNTS[split]}")
    if not all(name.replace("_", "").isalnum() for name in names):  # each becomes a part of a path
        raise ValueError(f"the list of {split} holds something that is no name")
    return names


def _scene(source: Source, name: str, shrink: int) -> Scene:
    """Read one image and its annotation."""
    from PIL import Image  # imported here so that `import cnnlab.data` stays cheap

    size, boxes, labels = read_annotation((source / "Annotations" / f"{name}.xml").read_bytes(), BLOOD_NAMES)
    with Image.open(
        io.BytesIO((source / "JPEGImages" / f"{name}.jpg").read_bytes()), formats=["JPEG"]
    ) as picture:
        if (
            picture.height,
            picture.width,
        ) != size:  # before it is decoded: a small file can claim a huge image
            raise ValueError(f"the image has {picture.size} pixels, its annotation says {size[::-1]}")
        picture = picture.convert("RGB")
        pixels = np.asarray(picture.reduce(shrink) if shrink > 1 else picture)
    image = np.ascontiguousarray(pixels.transpose(2, 0, 1))
    boxes[:, :2] //= shrink
    boxes[:, 2:] = -(-boxes[:, 2:] // shrink)  # rounded up: the cell stays inside
    return Scene(image, boxes, labels)
