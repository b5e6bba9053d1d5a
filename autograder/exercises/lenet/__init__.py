"""Lesson 07: what a network still needs, from the linear layer to batch normalisation, and a LeNet-5 that was trained."""

from __future__ import annotations

from autograder.exercise import lesson
from autograder.exercises.lenet.dropout import dropout_backward, dropout_forward
from autograder.exercises.lenet.linear import linear_backward, linear_forward
from autograder.exercises.lenet.loss import softmax_cross_entropy
from autograder.exercises.lenet.norm import batchnorm2d_forward
from autograder.exercises.lenet.norm_gradients import batchnorm2d_backward
from autograder.exercises.lenet.start import he_normal
from autograder.exercises.lenet.steps import sgd_momentum_step
from autograder.exercises.lenet.trained import trained_lenet

LESSON = lesson(
    "1_layers/07_lenet",
    [
        linear_forward,
        linear_backward,
        softmax_cross_entropy,
        sgd_momentum_step,
        he_normal,
        trained_lenet,
        dropout_forward,
        dropout_backward,
        batchnorm2d_forward,
        batchnorm2d_backward,
    ],
    without=("torch", "scipy", "torchvision"),
    questions={"dropout_losses": 2},
)
