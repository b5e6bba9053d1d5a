"""Lesson 10: several kernel sizes side by side, made cheap by 1 x 1 convolutions; heads without hidden layers."""

from __future__ import annotations

from autograder.exercise import lesson
from autograder.exercises.googlenet.blocks import AuxiliaryHead, Inception
from autograder.exercises.googlenet.costs import inception_macs
from autograder.exercises.googlenet.network import GoogLeNet

LESSON = lesson(
    "2_architectures/10_googlenet",
    [inception_macs, Inception, AuxiliaryHead, GoogLeNet],
    without=("cnnlab.models", "cnnlab.train", "scipy", "torchvision"),
    questions={"why_reduce": 2},
)
