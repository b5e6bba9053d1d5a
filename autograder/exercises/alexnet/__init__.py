"""Lesson 08: AlexNet as published, layer by layer, and where its parameters, memory and operations go."""

from __future__ import annotations

from autograder.exercise import lesson
from autograder.exercises.alexnet.modules import AlexNet, alexnet_features
from autograder.exercises.alexnet.norm import local_response_norm
from autograder.exercises.alexnet.sizes import alexnet_sides
from autograder.exercises.alexnet.tables import conv_share, layer_table

LESSON = lesson(
    "2_architectures/08_alexnet",
    [alexnet_sides, local_response_norm, alexnet_features, AlexNet, layer_table, conv_share],
    without=("cnnlab.models", "cnnlab.train", "scipy", "torchvision"),
    questions={"halve_what": 2},
)
