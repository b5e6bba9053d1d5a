"""The budget "smoke", which only tests use: a setting cut down to what shows that its training runs, in a second or two.

It says nothing of what a network learns: that every small setting reaches its bar is proven by `make slow`.
"""

from __future__ import annotations

from dataclasses import replace

from cnnlab.train import recipes
from cnnlab.train.recipes import Setting

IMAGES, EPOCHS, BATCH, WIDTH = 96, 2, 32, 8


def smoke(name: str) -> Setting:
    """Return the small setting of a network with few images, two epochs and no bar to speak of."""
    small = recipes.get(name, "small")
    recipe = replace(small.recipe, epochs=EPOCHS, batch=BATCH)
    return replace(
        small, images=IMAGES, recipe=recipe, bar=0.01, width=None if small.width is None else WIDTH
    )
