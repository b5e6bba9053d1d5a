"""The speed of an Answer: its CPU time as a ratio to a matrix product of as many multiply-adds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cnnlab.checking.wire import Value


@dataclass(frozen=True)
class Task:
    """One thing to be done fast.

    Args:
        words: its name, for people.
        draw: (rng, number of images) -> inputs, argument name -> value.
        product: called with the same inputs, does the bare matrix products and returns arrays as large as the Answer's.
        at_most: the largest ratio of CPU times that is fast.
    """

    words: str
    draw: Callable[[np.random.Generator, int], dict[str, Value]]
    product: Callable[..., Value]
    at_most: float


def _conv_inputs(rng: np.random.Generator, images: int) -> dict[str, Value]:
    x = rng.standard_normal((images, 256, 32, 32), dtype=np.float32)
    w = rng.standard_normal((256, 256, 3, 3), dtype=np.float32) / 48
    return {"x": x, "w": w, "b": rng.standard_normal(256, dtype=np.float32), "padding": 1}


def _conv_product(x: np.ndarray, w: np.ndarray, b: np.ndarray, padding: int) -> np.ndarray:
    columns = np.ones((w[0].size, x[0, 0].size), x.dtype)  # (C*KH*KW, OH*OW): one image's columns
    return np.stack([w.reshape(len(w), -1) @ columns for _ in x]).reshape(len(x), len(w), *x.shape[2:])


def _conv_gradient_inputs(rng: np.random.Generator, images: int) -> dict[str, Value]:
    inputs = _conv_inputs(rng, images)
    return {"dout": rng.standard_normal((images, 256, 32, 32), dtype=np.float32), **inputs}


def _conv_gradient_product(
    dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray, padding: int
) -> tuple[np.ndarray, ...]:
    columns = np.ones((w[0].size, x[0, 0].size), x.dtype)
    filters = w.reshape(len(w), -1)
    gradients = dout.reshape(*dout.shape[:2], -1)
    dw = sum(gradient @ columns.T for gradient in gradients)  # (F, C*KH*KW)
    dx = [(filters.T @ gradient)[: x.shape[1]] for gradient in gradients]
    return np.stack(dx).reshape(x.shape), np.asarray(dw).reshape(w.shape), b.copy()


# Seen from outside, the clock counts hundredths of a second: so many images take several.
IMAGES = 3
TASKS = {
    "conv2d_forward": Task(
        "images of 256 x 32 x 32 and 256 filters of 3 x 3, float32",
        _conv_inputs,
        _conv_product,
        4.0,
    ),
    "conv2d_backward": Task(
        "gradients for images of 256 x 32 x 32 and 256 filters of 3 x 3, float32",
        _conv_gradient_inputs,
        _conv_gradient_product,
        4.0,
    ),
}


def measure(function: Callable[..., Value], task: Task, repetitions: int = 5) -> float:
    """Return the ratio of CPU times of an Answer and the task's product, here and now, on one image.

    Takes the minimum of interleaved repetitions of each; stops early where the Answer is fast or very slow. An exception of
    the Answer passes through.

    Args:
        function: the Answer.
        task: what it has to do.
        repetitions: how often, at most.
    """
    inputs = task.draw(np.random.default_rng(0), 1)
    task.product(**inputs)  # the first product after a pause waits for memory and threads
    product = answer = float("inf")
    for _ in range(repetitions):
        product = min(product, _seconds(task.product, inputs))
        answer = min(answer, _seconds(function, inputs))
        if not task.at_most < answer / product < 10 * task.at_most:
            break
    return answer / product


def remark(function: Callable[..., Value], name: str) -> str:
    """Say in a sentence how fast an Answer is at the task `name`, and which ratio is fast."""
    task = TASKS[name]
    try:
        ratio = measure(function, task)
    except Exception as error:
        return f"On {task.words}, it raises {type(error).__name__}: no points for speed yet."
    took = f"{ratio:.1f}" if ratio < 10 else f"{ratio:,.0f}"
    verdict = "fast enough" if ratio <= task.at_most else "no points for speed yet"
    return (
        f"On {task.words}, it takes {took} times as long as the bare matrix product, of at most {task.at_most:g}: "
        f"{verdict}."
    )


def _seconds(function: Callable[..., Value], inputs: dict[str, Value]) -> float:
    began = time.process_time()
    function(**inputs)
    return max(time.process_time() - began, 1e-6)
