"""Lesson 03: the gradients of a convolution, three ways to prove them, and transposed convolution."""

from __future__ import annotations

from autograder.exercise import lesson
from autograder.exercises.backward.columns import col2im
from autograder.exercises.backward.layer import conv2d_backward
from autograder.exercises.backward.proofs import adjoint_gap, numerical_gradient
from autograder.exercises.backward.signal import conv1d_backward
from autograder.exercises.backward.transposed import conv_transpose2d_forward

LESSON = lesson(
    "1_layers/03_backward",
    [conv1d_backward, numerical_gradient, adjoint_gap, col2im, conv2d_backward, conv_transpose2d_forward],
    without=("torch", "scipy", "torchvision"),
    questions={"what_to_keep": 2},
)
