"""The networks of the course as plain torch modules, one family in each file.

`get("resnet18", classes=10, image=32)` returns a new network by name, `names()` lists them, and `costs` says what each
layer of one costs; blocks and whole networks are in `cnnlab.models.resnet`, `cnnlab.models.vgg` and so on.

A network that torchvision has as well names its parameters as torchvision does. Therefore torchvision's state dictionaries
load into it, pretrained ones included. No ReLU works in place, so a tensor that a hook keeps is not overwritten later.
"""

from cnnlab.models.costs import costs
from cnnlab.models.registry import get, names

__all__ = ["costs", "get", "names"]
