"""Lesson 13: the training recipe, ingredient by ingredient, and a network that was trained by a recipe of one's own."""

from __future__ import annotations

from autograder.exercise import lesson
from autograder.exercises.training.augment import cutout, random_crop_flip
from autograder.exercises.training.ensemble import ensemble_predict
from autograder.exercises.training.loss import label_smoothing_loss
from autograder.exercises.training.optimiser import SGD
from autograder.exercises.training.plateau import ReduceOnPlateau
from autograder.exercises.training.trained import trained_network

LESSON = lesson(
    "2_architectures/13_training",
    [SGD, ReduceOnPlateau, random_crop_flip, cutout, label_smoothing_loss, ensemble_predict, trained_network],
    without=("cnnlab.models", "cnnlab.train", "scipy", "torchvision"),
    questions={"better_recipe": 2},
)
