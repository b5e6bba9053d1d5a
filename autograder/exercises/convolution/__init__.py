"""Lesson 02: padding and output sizes, convolution by loops and by a matrix product, filters for images."""

from __future__ import annotations

from autograder.exercise import lesson
from autograder.exercises.convolution.filters import filter_image
from autograder.exercises.convolution.layer import conv2d_forward
from autograder.exercises.convolution.loops import conv2d_naive
from autograder.exercises.convolution.padding import pad2d
from autograder.exercises.convolution.patches import im2col
from autograder.exercises.convolution.sizes import conv_output_size, same_padding

LESSON = lesson(
    "1_layers/02_convolution",
    [conv_output_size, same_padding, pad2d, conv2d_naive, im2col, conv2d_forward, filter_image],
    without=("torch", "scipy", "torchvision"),
    questions={"why_not_invariant": 2},
)
