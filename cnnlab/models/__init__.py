"""The networks of the course as plain torch modules, one family in each file.

`get("resnet18", classes=10, image=32)` returns a new network by name, `names()` lists them, and `costs` says what each
layer of one costs; blocks and whole networks are in `cnnlab.models.resnet`, `cnnlab.models.vgg` and so on. What torchvision
has too has its names of parameters, so its state dictionaries load, pretrained ones included. ReLUs do not work in place,
so what a hook is handed stays as it was.
"""

from cnnlab.models.costs import costs
from cnnlab.models.registry import get, names

__all__ = ["costs", "get", "names"]
