"""Lesson 04: ReLU and pooling, forward and backward, and what they do when the image moves."""

from __future__ import annotations

from autograder.exercise import lesson
from autograder.exercises.pooling.average import avg_pool2d_backward, avg_pool2d_forward
from autograder.exercises.pooling.everywhere import global_avg_pool2d_backward, global_avg_pool2d_forward
from autograder.exercises.pooling.maximum import max_pool2d_backward, max_pool2d_forward
from autograder.exercises.pooling.minimum import min_pool2d_forward
from autograder.exercises.pooling.norms import lp_pool2d
from autograder.exercises.pooling.relu import relu_backward, relu_forward

LESSON = lesson(
    "1_layers/04_pooling",
    [
        relu_forward,
        relu_backward,
        max_pool2d_forward,
        min_pool2d_forward,
        max_pool2d_backward,
        avg_pool2d_forward,
        avg_pool2d_backward,
        lp_pool2d,
        global_avg_pool2d_forward,
        global_avg_pool2d_backward,
    ],
    without=("torch", "scipy", "torchvision"),
    questions={"indifferent_to_place": 2},
)
