"""Lesson 12: the blocks that came after ResNet, and what each costs."""

from __future__ import annotations

from autograder.exercise import lesson
from autograder.exercises.beyond.channels import separable_block, squeeze_excite
from autograder.exercises.beyond.joined import dense_layer, fire
from autograder.exercises.beyond.residual import resnext_block, wide_block

LESSON = lesson(
    "2_architectures/12_beyond",
    [wide_block, resnext_block, dense_layer, fire, squeeze_excite, separable_block],
    without=("cnnlab.models", "cnnlab.train", "scipy", "torchvision"),
    questions={"read_the_picture": 2},
)
