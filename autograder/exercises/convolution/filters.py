"""filter_image: one kernel over a photograph, grey or in colour."""

from __future__ import annotations

import numpy as np

from autograder.exercise import Exercise, Random, clue, normal, uniform
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.rows import plain_case, public, rows, secret, varied

SOBEL = np.array([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])


def mirrored(index: int, size: int) -> int:
    """Return the pixel that stands at `index` when the image goes on mirrored at its edge pixels' centres."""
    index = abs(index) % (2 * size - 2)
    return min(index, 2 * size - 2 - index)


def read_mirrored(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Add up, tap by tap, the image as that tap sees it."""
    y = np.zeros(image.shape)
    height, width = image.shape[:2]
    for (row, column), weight in np.ndenumerate(kernel):
        down, across = row - (kernel.shape[0] - 1) // 2, column - (kernel.shape[1] - 1) // 2
        rows = [mirrored(i + down, height) for i in range(height)]
        columns = [mirrored(j + across, width) for j in range(width)]
        y += float(weight) * image[np.ix_(rows, columns)]
    return y.astype(image.dtype)


def filtered(image: np.ndarray, kernel: np.ndarray, mode: str = "reflect", spare_before: bool = False) -> np.ndarray:
    """Filter an image whose edges np.pad continues in `mode`; "valid" adds none."""
    before, after = [(k - 1) // 2 for k in kernel.shape], [k // 2 for k in kernel.shape]
    if spare_before:
        before, after = after, before
    around = [(b, a) for b, a in zip(before, after, strict=True)] + [(0, 0)] * (image.ndim - 2)
    padded = image if mode == "valid" else np.pad(image, around, mode=mode)  # type: ignore[call-overload]
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape, axis=(0, 1))
    return np.einsum("...ij,ij->...", windows, kernel).astype(image.dtype)


def grey_only(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    height, width = image.shape
    return filtered(image, kernel)[:height, :width]


def one_result_for_all(image: np.ndarray, kernel: np.ndarray, channels: slice) -> np.ndarray:
    if image.ndim == 2:
        return filtered(image, kernel)
    return np.repeat(filtered(image, kernel)[:, :, channels].sum(axis=2, keepdims=True), 3, axis=2)


def framed(*shape: int, black: int, dtype: str = "float64") -> Random:
    """Return an image of normal values inside a black frame: what lies beyond its edges does not matter."""

    def draw(rng: np.random.Generator) -> np.ndarray:
        image = np.zeros(shape, dtype)
        inside = image[black:-black, black:-black]
        inside[...] = rng.standard_normal(inside.shape)
        return image

    return Random(draw)


filter_image = Exercise(
    name="filter_image",
    returns=("filtered",),
    reference=read_mirrored,
    clues=(
        clue(
            "A grey image is a batch of one with one channel; a colour image is best seen as a batch of three grey ones.",
            "grey only",
            "colours added up",
            "first colour for all",
            arguments=("colour",),
        ),
        clue(
            'Mirror first, with `np.pad(..., mode="reflect")`: (KH - 1)//2 rows before and KH//2 after, columns likewise.',
            "edge pixel mirrored too",
            "edge pixel repeated",
            "zero edges",
            "wrapped edges",
            "smaller output",
            "extra before",
            arguments=("image without a black frame", "even kernel"),
        ),
        clue(
            "Then conv2d_forward with the kernel as `kernel[None, None]`, no padding and a bias of zero.",
            "kernel flipped",
            "kernel transposed",
            "kernel normalised",
        ),
    ),
    points={"basic": 3, "edges": 2, "colour": 1, "even": 1, "together": 1},
    cases=rows(
        plain_case,
        "basic",
        public("Sobel's kernel on a 9x8 image with a black frame", image=framed(9, 8, black=3), kernel=SOBEL),
        secret("a 3x3 kernel on an 8x10 image with a black frame", image=framed(8, 10, black=3), kernel=normal(3, 3)),
        public("a 3x5 kernel on a 10x12 image with a black frame", image=framed(10, 12, black=3), kernel=normal(3, 5)),
        secret("a 5x3 kernel on an 11x9 image with a black frame", image=framed(11, 9, black=3), kernel=normal(5, 3)),
        public("a 1x1 kernel", image=normal(4, 5), kernel=normal(1, 1)),
        secret("a 1x1 kernel on a 3x6 image", image=normal(3, 6), kernel=normal(1, 1)),
        public(
            "float32 with a black frame",
            image=framed(8, 7, black=2, dtype="float32"),
            kernel=normal(3, 3, dtype="float32"),
        ),
        secret(
            "float32, a 1x3 kernel, with a black frame",
            image=framed(7, 9, black=2, dtype="float32"),
            kernel=normal(1, 3, dtype="float32"),
        ),
        "edges",
        public("a 3x3 kernel on a 6x7 image", image=uniform(6, 7), kernel=normal(3, 3)),
        secret("a 3x3 kernel on a 5x8 image", image=uniform(5, 8), kernel=normal(3, 3)),
        public("a 5x3 kernel on a 7x5 image", image=uniform(7, 5), kernel=normal(5, 3)),
        secret("a 3x7 kernel on a 6x9 image", image=uniform(6, 9), kernel=normal(3, 7)),
        "colour",
        public(
            "a 3x3 kernel on an 8x9 colour image with a black frame",
            image=framed(8, 9, 3, black=2),
            kernel=normal(3, 3),
        ),
        secret(
            "a 3x3 kernel on a 9x7 colour image with a black frame", image=framed(9, 7, 3, black=2), kernel=normal(3, 3)
        ),
        "even",
        public("a 2x2 kernel on a 7x8 image with a black frame", image=framed(7, 8, black=2), kernel=normal(2, 2)),
        secret("a 2x2 kernel on a 9x6 image with a black frame", image=framed(9, 6, black=2), kernel=normal(2, 2)),
        public("a 4x3 kernel on an 11x9 image with a black frame", image=framed(11, 9, black=3), kernel=normal(4, 3)),
        secret("a 3x4 kernel on a 10x11 image with a black frame", image=framed(10, 11, black=3), kernel=normal(3, 4)),
        "together",
        public("a 4x5 kernel on an 8x6 colour image", image=uniform(8, 6, 3), kernel=normal(4, 5)),
        secret("a 6x3 kernel on a 7x9 colour image", image=uniform(7, 9, 3), kernel=normal(6, 3)),
    ),
    mistakes=mistakes(
        """
        kernel flipped: Your kernel is flipped: put it on the image as it is.
        kernel transposed: You exchanged the kernel's rows and columns: kernel[i, j] meets the pixel i down and j
            across.
        edge pixel mirrored too: You mirrored the edge pixel as well, so it stands twice (np.pad calls this symmetric):
            use reflect.
        edge pixel repeated: You repeated the edge pixel outwards (np.pad calls this edge): reflect the image instead.
        zero edges: You put zeros around the image, which darkens its edges: reflect the image instead.
        wrapped edges: You continued the image with its opposite edge: reflect it instead.
        smaller output: Your output lost its edges: continue the image beyond them first, so that the size is kept.
        extra before: For an even kernel you put the extra row and column before the image: put them after it.
        clipped: You clipped the result to 0..1, but edges come out negative too: return the values as they are.
        absolute value: You returned the size without the sign, but a dark-to-bright edge is not a bright-to-dark one:
            keep the sign.
        kernel normalised: You divided by the kernel's sum, which is 0 for an edge filter: use the kernel as it is.
        grey only: Your function takes grey images only: a colour image (H, W, 3) is filtered channel by channel.
        colours added up: You added the three colours up: filter each channel by itself.
        first colour for all: All three channels hold the first one's result: filter each channel by itself.
        """,
        {
            "kernel flipped": lambda image, kernel: filtered(image, kernel[::-1, ::-1]),
            "kernel transposed": lambda image, kernel: filtered(image, kernel.T),
            "edge pixel mirrored too": lambda image, kernel: filtered(image, kernel, "symmetric"),
            "edge pixel repeated": lambda image, kernel: filtered(image, kernel, "edge"),
            "zero edges": lambda image, kernel: filtered(image, kernel, "constant"),
            "wrapped edges": lambda image, kernel: filtered(image, kernel, "wrap"),
            "smaller output": lambda image, kernel: filtered(image, kernel, "valid"),
            "extra before": lambda image, kernel: filtered(image, kernel, spare_before=True),
            "clipped": lambda image, kernel: np.clip(filtered(image, kernel), 0, 1),
            "absolute value": lambda image, kernel: np.abs(filtered(image, kernel)),
            "kernel normalised": lambda image, kernel: filtered(image, kernel / kernel.sum()),
            "grey only": grey_only,
            "colours added up": lambda image, kernel: one_result_for_all(image, kernel, slice(0, 3)),
            "first colour for all": lambda image, kernel: one_result_for_all(image, kernel, slice(0, 1)),
        },
    ),
    varied=varied(
        plain_case,
        public(
            "plain: a 3x3 kernel on a 6x6 image with a black frame", image=framed(6, 6, black=2), kernel=normal(3, 3)
        ),
        {
            "image without a black frame": {"image": uniform(6, 6)},
            "colour": {"image": framed(6, 6, 3, black=2)},
            "even kernel": {"kernel": normal(2, 2)},
            "kernel that is not square": {"kernel": normal(1, 3)},
            "image that is not square": {"image": framed(6, 8, black=2)},
            "float32": {"image": framed(6, 6, black=2, dtype="float32"), "kernel": normal(3, 3, dtype="float32")},
        },
    ),
)
