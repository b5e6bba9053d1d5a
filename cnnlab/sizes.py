"""Kernels, strides, dilations and paddings in the forms in which the lessons write them."""

from __future__ import annotations

Size = int | tuple[int, int]  # of both axes, or (down, across)
Padding = int | tuple[Size, Size]  # of all sides; of (rows, columns); or ((top, bottom), (left, right))
Sides = tuple[tuple[int, int], tuple[int, int]]  # ((top, bottom), (left, right))


def pair(size: Size) -> tuple[int, int]:
    """Return an int or (h, w) as (h, w)."""
    first, second = size if isinstance(size, (tuple, list)) else (size, size)
    return int(first), int(second)


def sides(padding: Padding) -> Sides:
    """Return a padding in any of its three forms as ((top, bottom), (left, right))."""
    rows, columns = padding if isinstance(padding, (tuple, list)) else (padding, padding)
    return pair(rows), pair(columns)


def must_fit(shape: tuple[int, ...], kernel: Size, padding: Padding, dilation: Size = 1) -> None:
    """Raise ValueError where the dilated kernel spans more than the padded image.

    Args:
        shape: (..., H, W) of the images without their padding, in pixels.
        kernel: (KH, KW), in pixels.
        padding: pixels added around the image.
        dilation: the distance between the pixels that the kernel reads.
    """
    for size, k, side, d in zip(shape[-2:], pair(kernel), sides(padding), pair(dilation), strict=True):
        span = d * (k - 1) + 1
        if span > size + sum(side):
            raise ValueError(
                f"a kernel that spans {span} does not fit into a padded size of {size + sum(side)}"
            )
