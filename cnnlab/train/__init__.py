"""Training of convolutional networks: `fit` on a CPU, on a GPU or on several, and recipes for the course's networks.

How a network is trained stands on one screen in `plain.py`, as `fit_plainly`: read that first. `fit` takes the same steps,
faster and with more around them.

With data of the reader's own, `history = fit(network, (images, labels), test, Recipe(epochs=10))`; as the course does it,
`network, history = recipes.get("resnet20").run()`.
"""

from cnnlab.train import recipes
from cnnlab.train.average import Average
from cnnlab.train.checkpoint import load_weights
from cnnlab.train.data import DeviceData
from cnnlab.train.errors import TrainError
from cnnlab.train.evaluate import Score, evaluate, predict
from cnnlab.train.fitting import fit
from cnnlab.train.history import History
from cnnlab.train.plain import fit_plainly
from cnnlab.train.recipe import Recipe

__all__ = [
    "Average",
    "DeviceData",
    "History",
    "Recipe",
    "Score",
    "TrainError",
    "evaluate",
    "fit",
    "fit_plainly",
    "load_weights",
    "predict",
    "recipes",
]
