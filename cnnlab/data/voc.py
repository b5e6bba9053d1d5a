"""Pascal VOC annotations: one XML file for each image, with a box and a name for each object."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np


def read_annotation(content: bytes, names: tuple[str, ...]) -> tuple[tuple[int, int], np.ndarray, np.ndarray]:
    """Read one annotation: (height, width) of the image, boxes (K, 4) int64 and labels (K,) int64 into names.

    VOC counts pixels from 1 and a box includes its last; the boxes returned count from 0, are half-open (x0, y0, x1,
    y1) and lie in the image. An object whose first and last pixel are the same, or which lies outside, is left out.

    Raises:
        ValueError: for XML that is broken or declares a document type (no annotation needs one, and one can define
            entities that grow without end), a missing or odd number, and an unknown name.

    Source: M. Everingham et al., "The PASCAL Visual Object Classes Challenge 2012 Development Kit", section 3.
    """
    try:
        tree = ElementTree.fromstring(content, ElementTree.XMLParser(target=_Builder()))
    except (ElementTree.ParseError, LookupError) as error:  # LookupError: an encoding that does not exist
        raise ValueError(f"it is not XML ({error})") from error
    width, height = _number(tree, "size/width"), _number(tree, "size/height")
    boxes, labels = [], []
    for item in tree.iter("object"):
        name = (item.findtext("name") or "").strip()
        if name not in names:
            raise ValueError(f"it names an unknown object, {name[:40]!r}")
        first_x, first_y, last_x, last_y = (
            _number(item, f"bndbox/{s}") for s in ("xmin", "ymin", "xmax", "ymax")
        )
        box = max(first_x - 1, 0), max(first_y - 1, 0), min(last_x, width), min(last_y, height)
        if last_x > first_x and last_y > first_y and box[2] > box[0] and box[3] > box[1]:
            boxes.append(box)
            labels.append(names.index(name))
    return (height, width), np.array(boxes, np.int64).reshape(-1, 4), np.array(labels, np.int64)


def _number(element: ElementTree.Element, where: str) -> int:
    text = (element.findtext(where) or "").strip()
    try:
        number = float(text)  # some programs write 12.0
        if abs(number) < 1e6:  # and not nan
            return round(number)
    except ValueError:
        pass
    raise ValueError(f"{where} is {text[:40]!r}, not a number of pixels")


class _Builder(ElementTree.TreeBuilder):
    """Build a tree from XML that declares no document type, so no entities either."""

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        """Refuse the declaration as it begins, before anything in it is read."""
        raise ValueError("it declares a document type, which no annotation needs")
