"""Real data, bundled or downloaded, and drawn data that needs neither.

`digits` and `photo` are bundled; `shapes` and `shape_images` are drawn. `fashion_mnist`, `cifar10` and `blood_cells`
are downloaded once into a folder that the environment variable CNNLAB_DATA moves.
"""

from cnnlab.data.blood import BLOOD_NAMES, blood_cells
from cnnlab.data.cifar import CIFAR10_NAMES, cifar10
from cnnlab.data.digits import digits
from cnnlab.data.errors import DataError
from cnnlab.data.fashion import FASHION_NAMES, fashion_mnist
from cnnlab.data.photo import photo
from cnnlab.data.scene import Scene
from cnnlab.data.shapes import COLOUR_NAMES, SHAPE_NAMES, shape_images, shapes

__all__ = [
    "BLOOD_NAMES",
    "CIFAR10_NAMES",
    "COLOUR_NAMES",
    "FASHION_NAMES",
    "SHAPE_NAMES",
    "DataError",
    "Scene",
    "blood_cells",
    "cifar10",
    "digits",
    "fashion_mnist",
    "photo",
    "shape_images",
    "shapes",
]
