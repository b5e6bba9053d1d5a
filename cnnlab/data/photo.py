"""One photograph, bundled."""

from pathlib import Path

import numpy as np

FILE = Path(__file__).parent / "files" / "grace_hopper.jpg"


def photo() -> np.ndarray:
    """Load a portrait of Grace Hopper in colour.

    Returns (256, 216, 3) float64 in [0, 1]: height, width, and red, green, blue.

    Source: official US Navy portrait of Grace M. Hopper,
    https://commons.wikimedia.org/wiki/File:Grace_Hopper.jpg, by way of Matplotlib's sample data; cropped
    and halved in size. Licence: public domain, a work of the US federal government.
    """
    from PIL import Image  # imported here so that `import cnnlab.data` stays cheap

    with Image.open(FILE) as picture:
        return np.asarray(picture.convert("RGB")) / 255.0
