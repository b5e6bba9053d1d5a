"""Networks of NumPy layers that compute with `cnnlab.layers`: with the student's own code where it is kept.

A layer remembers its last input, fills `gradients` in `backward`, and holds its arrays in `parameters`. What
stands in for an `nn.Conv2d` inside a torch network is in `cnnlab.nn.in_torch`.
"""

from cnnlab.checking.handin import save_weights
from cnnlab.nn.augment import jitter
from cnnlab.nn.convolution import Conv2d, DepthwiseConv2d
from cnnlab.nn.dense import Dropout, Linear
from cnnlab.nn.layer import Flatten, Layer, Sequential
from cnnlab.nn.lenet import lenet5, lenet_images
from cnnlab.nn.normalise import BatchNorm2d
from cnnlab.nn.optimiser import SGD
from cnnlab.nn.pooling import AvgPool2d, GlobalAvgPool2d, MaxPool2d, ReLU
from cnnlab.nn.training import History, accuracy, fit, predict

__all__ = [
    "SGD",
    "AvgPool2d",
    "BatchNorm2d",
    "Conv2d",
    "DepthwiseConv2d",
    "Dropout",
    "Flatten",
    "GlobalAvgPool2d",
    "History",
    "Layer",
    "Linear",
    "MaxPool2d",
    "ReLU",
    "Sequential",
    "accuracy",
    "fit",
    "jitter",
    "lenet5",
    "lenet_images",
    "predict",
    "save_weights",
]
