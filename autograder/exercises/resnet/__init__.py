"""Lesson 11: residual blocks, the networks that are stacked of them, and a ResNet-20 that was trained."""

from __future__ import annotations

from autograder.exercise import lesson
from autograder.exercises.resnet.blocks import BasicBlock, Bottleneck
from autograder.exercises.resnet.stacks import ResNet18, make_resnet
from autograder.exercises.resnet.trained import trained_resnet

LESSON = lesson(
    "2_architectures/11_resnet",
    [BasicBlock, make_resnet, Bottleneck, ResNet18, trained_resnet],
    without=("cnnlab.models", "cnnlab.train", "scipy", "torchvision"),
    questions={"why_plain_fails": 2},
)
