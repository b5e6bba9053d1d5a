"""Stand-ins made with torch for what lessons 01 to 07 define: lent where a student has not written it yet."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache, wraps
from importlib import import_module
from typing import Any

from cnnlab.checking.threads import one_thread

FAMILIES = {  # module of this package -> the Exercises that it stands in for
    "counting": "linear_scores dense_parameters local_parameters conv_parameters toeplitz_matrix toeplitz_matrix_2d",
    "convolution": "conv_output_size same_padding pad2d im2col conv2d_naive conv2d_forward filter_image",
    "backward": "conv1d_backward numerical_gradient adjoint_gap col2im conv2d_backward conv_transpose2d_forward",
    "pooling": (
        "relu_forward relu_backward max_pool2d_forward max_pool2d_backward avg_pool2d_forward avg_pool2d_backward "
        "lp_pool2d global_avg_pool2d_forward global_avg_pool2d_backward"
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
LESSONS = {
    "counting": "01",
    "convolution": "02",
    "backward": "03",
    "pooling": "04",
    "cheap": "05",
    "field": "06",
    "training": "07",
}
FAMILY = {name: family for family, names in FAMILIES.items() for name in names.split()}


def lesson_of(name: str) -> str:
    """Return the number of the lesson in which `name` is written, such as "02"; "" where none is known."""
    return LESSONS[FAMILY[name]] if name in FAMILY else ""


@cache
def standin(name: str) -> Callable[..., Any]:
    """Return the stand-in for the Exercise `name`; raise LookupError where there is none."""
    if name not in FAMILY:
        raise LookupError(f"there is no stand-in for {name}")
    function = getattr(import_module(f"cnnlab.library.standins.{FAMILY[name]}"), name)

    @wraps(function)
    def on_one_thread(*arguments: Any, **named: Any) -> Any:
        if sys.modules.get("torch") is None:  # the stand-in says where it is missing
            return function(*arguments, **named)
        with one_thread():
            return function(*arguments, **named)

    return on_one_thread
