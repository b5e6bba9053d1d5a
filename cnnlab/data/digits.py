"""The UCI handwritten digits, bundled."""

from pathlib import Path

import numpy as np

FILE = Path(__file__).parent / "files" / "digits.npz"


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Load 1,797 handwritten digits, each 8 x 8 pixels.

    Returns images: (1797, 8, 8) float64 in [0, 1], 1 is ink; labels: (1797,) int64 in 0..9.
    Every call returns fresh arrays. Thirteen people wrote them; a pixel counts the ink in a
    4 x 4 block of a 32 x 32 scan, so it takes one of 17 levels.

    Source: the test set of "Optical Recognition of Handwritten Digits", E. Alpaydin and C. Kaynak,
    UCI Machine Learning Repository, 1998, https://doi.org/10.24432/C50P49. Licence: CC BY 4.0.
    """
    with np.load(FILE, allow_pickle=False) as bundle:
        images = bundle["images"] / 16.0  # stored as uint8 in 0..16
        labels = bundle["labels"].astype(np.int64)
    return images, labels
