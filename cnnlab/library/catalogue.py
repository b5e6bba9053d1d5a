"""The lessons and their Exercises, as the files of public Cases name them, and which of them have a stand-in."""

from __future__ import annotations

import zipfile
from functools import cache
from pathlib import Path

CASES = Path(__file__).resolve().parents[1] / "checking" / "cases"
STAND_INS = {  # module of cnnlab.library.standins -> the Exercises that it stands in for
    "counting": "linear_scores dense_parameters local_parameters conv_parameters toeplitz_matrix toeplitz_matrix_2d",
    "convolution": "conv_output_size same_padding pad2d im2col conv2d_naive conv2d_forward filter_image",
    "backward": "conv1d_backward numerical_gradient adjoint_gap col2im conv2d_backward conv_transpose2d_forward",
    "pooling": (
        "relu_forward relu_backward max_pool2d_forward min_pool2d_forward max_pool2d_backward avg_pool2d_forward "
        "avg_pool2d_backward lp_pool2d global_avg_pool2d_forward global_avg_pool2d_backward"
    ),
    "cheap": (
        "conv1x1_forward conv1x1_backward grouped_conv2d_forward depthwise_conv2d_forward depthwise_conv2d_backward "
        "separable_cost_ratio bottleneck_parameters macs"
    ),
    "field": "receptive_field input_window gradient_footprint stack_compare",
    "training": (
        "linear_forward linear_backward softmax_cross_entropy dropout_forward dropout_backward batchnorm2d_forward "
        "batchnorm2d_backward sgd_momentum_step he_normal"
    ),
}
LESSON_NUMBERS = {  # module of cnnlab.library.standins -> the lesson in which its Exercises are written
    "counting": "01",
    "convolution": "02",
    "backward": "03",
    "pooling": "04",
    "cheap": "05",
    "field": "06",
    "training": "07",
}
STAND_IN_MODULE = {name: module for module, names in STAND_INS.items() for name in names.split()}


@cache
def lessons(folder: Path = CASES) -> dict[str, tuple[str, ...]]:
    """Return each lesson's name with its Exercises in order, such as "02_convolution": ("pad2d", ...).

    Reads only the files' tables of contents.
    """
    found = {}
    for path in sorted(folder.glob("*.npz")):
        with zipfile.ZipFile(path) as archive:
            found[path.stem] = tuple(name.removesuffix(".npy") for name in archive.namelist())
    return found


def lesson_of(exercise: str, folder: Path = CASES) -> str:
    """Return the name of the lesson that `exercise` belongs to, "" where none has it."""
    return next((lesson for lesson, names in lessons(folder).items() if exercise in names), "")


def lesson_number(exercise: str) -> str:
    """Return the number of the lesson of an Exercise that has a stand-in, such as "02"; "" for any other."""
    return LESSON_NUMBERS[STAND_IN_MODULE[exercise]] if exercise in STAND_IN_MODULE else ""


def lesson_words(exercise: str, folder: Path = CASES) -> str:
    """Return such as "lesson 02" for an Exercise, "" where no lesson is known to have it."""
    number = lesson_of(exercise, folder).split("_")[0] or lesson_number(exercise)
    return f"lesson {number}" if number else ""
