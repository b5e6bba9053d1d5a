"""Lesson 06: how much of the input an output sees, where, and what a measurement says to that."""

from __future__ import annotations

from autograder.exercise import lesson
from autograder.exercises.receptive_field.comparisons import stack_compare
from autograder.exercises.receptive_field.fields import receptive_field
from autograder.exercises.receptive_field.footprints import gradient_footprint
from autograder.exercises.receptive_field.windows import input_window

LESSON = lesson(
    "1_layers/06_receptive_field",
    [receptive_field, input_window, gradient_footprint, stack_compare],
    without=("torch", "scipy", "torchvision"),
    questions={"why_three_small": 2},
)
