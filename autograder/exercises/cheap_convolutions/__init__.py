"""Lesson 05: 1x1, grouped, depthwise and separable convolutions, and what each of them costs."""

from __future__ import annotations

from autograder.exercise import lesson
from autograder.exercises.cheap_convolutions.bottleneck import bottleneck_parameters
from autograder.exercises.cheap_convolutions.depthwise import depthwise_conv2d_forward
from autograder.exercises.cheap_convolutions.depthwise_gradients import depthwise_conv2d_backward
from autograder.exercises.cheap_convolutions.grouped import grouped_conv2d_forward
from autograder.exercises.cheap_convolutions.macs import macs
from autograder.exercises.cheap_convolutions.pointwise import conv1x1_backward, conv1x1_forward
from autograder.exercises.cheap_convolutions.separable import separable_cost_ratio

LESSON = lesson(
    "1_layers/05_cheap_convolutions",
    [
        conv1x1_forward,
        conv1x1_backward,
        macs,
        bottleneck_parameters,
        grouped_conv2d_forward,
        depthwise_conv2d_forward,
        depthwise_conv2d_backward,
        separable_cost_ratio,
    ],
    without=("torch", "scipy", "torchvision"),
    questions={"why_not_faster": 2},
)
