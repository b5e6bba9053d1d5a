"""Lesson 09: VGG, its costs layer by layer, and the whole family from lists."""

from __future__ import annotations

from autograder.exercise import lesson
from autograder.exercises.vgg.builds import make_vgg, vgg
from autograder.exercises.vgg.memory import memory_bytes
from autograder.exercises.vgg.stacks import stack_parameters, vgg_config
from autograder.exercises.vgg.tables import vgg16_table

LESSON = lesson(
    "2_architectures/09_vgg",
    [stack_parameters, vgg_config, vgg16_table, memory_bytes, make_vgg, vgg],
    without=("cnnlab.models", "cnnlab.train", "scipy", "torchvision"),
    questions={"which_part_to_change": 2},
)
