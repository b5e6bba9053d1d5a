"""Lesson 01: linear scores, what three layers have to learn, and a convolution as a matrix."""

from __future__ import annotations

from autograder.exercise import lesson
from autograder.exercises.why_convolution.counts import conv_parameters, dense_parameters
from autograder.exercises.why_convolution.local_counts import local_parameters
from autograder.exercises.why_convolution.matrices import toeplitz_matrix
from autograder.exercises.why_convolution.matrices_2d import toeplitz_matrix_2d
from autograder.exercises.why_convolution.scores import linear_scores

LESSON = lesson(
    "1_layers/01_why_convolution",
    [linear_scores, dense_parameters, local_parameters, conv_parameters, toeplitz_matrix, toeplitz_matrix_2d],
    without=("torch", "scipy", "torchvision"),
    questions={"why_not_dense": 2},
)
