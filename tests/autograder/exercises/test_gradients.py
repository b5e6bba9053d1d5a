"""Gradients are proven three ways: against torch, by central differences in float64, by the adjoint identity.

The table below says of every backward of the first assignment which forward it belongs to and how both are called. A
backward that a lesson declares and the table lacks is a failure, not a gap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pytest

from autograder.authoring.script import read
from autograder.course import Course
from autograder.exercises import all_lessons
from autograder.exercises.common.operations import tensor
from autograder.exercises.common.sizes import pair, sides
from cnnlab.torch_settings import one_thread

ASSIGNMENT = "1_layers"
MORE = {"col2im", "softmax_cross_entropy"}  # backwards by another name: of im2col, and of itself
EPS = 1e-5

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Backward:
    """How one backward is called and judged.

    forward: the Exercise that it belongs to; arrays: argument -> shape of what has a gradient, in order; oracle: torch's
    forward of these arrays and the settings; settings: the keyword arguments, one setting after another; affine: False
    where the forward is not linear, bias apart, in each array by itself; call: (functions, arrays, settings) -> output;
    back: (functions, dout, arrays, settings) -> the gradients.
    """

    forward: str
    arrays: Mapping[str, tuple[int, ...]]
    oracle: Callable[..., Any]
    settings: Sequence[dict[str, Any]] = ({},)
    affine: bool = True
    call: Callable[..., Any] | None = None
    back: Callable[..., Any] | None = None
    shapes: Mapping[int, Mapping[str, tuple[int, ...]]] = field(
        default_factory=dict
    )  # setting -> other shapes


def functional(name: str) -> Any:
    import torch

    return getattr(torch.nn.functional, name)


def padded(x: Any, padding: Any, value: float = 0.0) -> Any:
    (top, bottom), (left, right) = sides(padding)
    return functional("pad")(x, (left, right, top, bottom), value=value)


def conv2d(
    x: Any, w: Any, b: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    return functional("conv2d")(padded(x, padding), w, b, pair(stride), 0, pair(dilation), groups)


def depthwise(x: Any, w: Any, b: Any, stride: Any = 1, padding: Any = 0) -> Any:
    c, m, kh, kw = w.shape
    return conv2d(x, w.reshape(c * m, 1, kh, kw), b, stride, padding, groups=c)


def pooled(kind: str, value: float) -> Callable[..., Any]:
    def pool(x: Any, kernel: Any, stride: Any = None, padding: Any = 0) -> Any:
        return functional(kind)(
            padded(x, padding, value), pair(kernel), pair(kernel if stride is None else stride)
        )

    return pool


def unfold(x: Any, kernel: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1) -> Any:
    return functional("unfold")(padded(x, padding), pair(kernel), pair(dilation), 0, pair(stride))


def normalised(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
    return functional("batch_norm")(x, None, None, gamma, beta, training=True, eps=eps)


LABELS = np.array([2, 0, 3, 2])
RATE = 0.4


def drop(functions: Mapping[str, Any], x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return functions["dropout_forward"](x, RATE, np.random.default_rng(7))


WINDOWS = (
    {"kernel": 2},
    {"kernel": (2, 3), "stride": (1, 2), "padding": 1},
    {"kernel": 3, "stride": 2, "padding": ((1, 0), (0, 1))},
)

TABLE: dict[str, Backward] = {
    "conv1d_backward": Backward(
        "conv1d",
        {"x": (9,), "w": (4,)},
        lambda x, w: functional("conv1d")(x[None, None], w[None, None])[0, 0],
        call=lambda functions, arrays, settings: np.correlate(arrays["x"], arrays["w"], "valid"),
    ),
    "conv2d_backward": Backward(
        "conv2d_forward",
        {"x": (2, 4, 7, 6), "w": (6, 4, 3, 2), "b": (6,)},
        conv2d,
        (
            {},
            {"stride": (3, 2), "padding": ((2, 1), (0, 1))},
            {"dilation": (2, 1), "padding": (1, 0)},
            {"stride": (2, 1), "padding": ((1, 0), (2, 1)), "dilation": (1, 2), "groups": 2},
        ),
        shapes={3: {"w": (6, 2, 3, 2)}},
    ),
    "col2im": Backward(
        "im2col",
        {"x": (2, 3, 6, 7)},
        unfold,
        (*WINDOWS, {"kernel": (3, 2), "dilation": (1, 3), "padding": (0, 2)}),
        back=lambda functions, dout, arrays, settings: functions["col2im"](
            dout, arrays["x"].shape, **settings
        ),
    ),
    "relu_backward": Backward(
        "relu_forward", {"x": (2, 3, 4, 5)}, lambda x: functional("relu")(x), affine=False
    ),
    "max_pool2d_backward": Backward(
        "max_pool2d_forward", {"x": (2, 3, 6, 7)}, pooled("max_pool2d", -np.inf), WINDOWS, affine=False
    ),
    "avg_pool2d_backward": Backward(
        "avg_pool2d_forward", {"x": (2, 3, 6, 7)}, pooled("avg_pool2d", 0.0), WINDOWS
    ),
    "global_avg_pool2d_backward": Backward(
        "global_avg_pool2d_forward", {"x": (2, 3, 4, 5)}, lambda x: functional("adaptive_avg_pool2d")(x, 1)
    ),
    "conv1x1_backward": Backward(
        "conv1x1_forward",
        {"x": (2, 3, 4, 5), "w": (4, 3), "b": (4,)},
        lambda x, w, b: functional("conv2d")(x, w[:, :, None, None], b),
    ),
    "depthwise_conv2d_backward": Backward(
        "depthwise_conv2d_forward",
        {"x": (2, 3, 6, 7), "w": (3, 2, 3, 2), "b": (6,)},
        depthwise,
        ({}, {"stride": (2, 1), "padding": 1}, {"stride": 2, "padding": ((2, 1), (0, 1))}),
    ),
    "linear_backward": Backward(
        "linear_forward",
        {"x": (4, 5), "W": (5, 3), "b": (3,)},
        lambda x, W, b: x @ W + b,
    ),
    "softmax_cross_entropy": Backward(
        "softmax_cross_entropy",
        {"scores": (4, 5)},
        lambda scores: functional("cross_entropy")(scores, tensor(LABELS).long()),
        affine=False,
        call=lambda functions, arrays, settings: functions["softmax_cross_entropy"](arrays["scores"], LABELS)[
            0
        ],
        back=lambda functions, dout, arrays, settings: (
            dout * functions["softmax_cross_entropy"](arrays["scores"], LABELS)[1]
        ),
    ),
    "dropout_backward": Backward(
        "dropout_forward",
        {"x": (4, 5)},
        # What is dropped is the lesson's own draw, so torch can only multiply by what is left.
        lambda x: x * tensor(drop(solved(), np.ones((4, 5)))[0]),
        call=lambda functions, arrays, settings: drop(functions, arrays["x"])[0],
        back=lambda functions, dout, arrays, settings: functions["dropout_backward"](
            dout, drop(functions, arrays["x"])[1], RATE
        ),
    ),
    "batchnorm2d_backward": Backward(
        "batchnorm2d_forward",
        {"x": (3, 2, 4, 3), "gamma": (2,), "beta": (2,)},
        normalised,
        ({}, {"eps": 0.1}),
        affine=False,
        call=lambda functions, arrays, settings: functions["batchnorm2d_forward"](**arrays, **settings)[0],
    ),
}


def backwards(names: Iterable[str]) -> list[str]:
    """Return those of the Exercises that find gradients."""
    return [name for name in names if name.endswith("_backward") or name in MORE]


def unproven(names: Iterable[str], table: Mapping[str, Backward]) -> str:
    """Return what to do about backwards that the table lacks, "" where it has them all."""
    missing = sorted(set(backwards(names)) - set(table))
    return f"add {', '.join(missing)} to TABLE in {__file__}: nothing proves its gradients" if missing else ""


EXERCISES = [name for lesson in all_lessons() if lesson.assignment == ASSIGNMENT for name in lesson.exercises]
PROOFS = [
    (name, number)
    for name in backwards(EXERCISES)
    if name in TABLE
    for number in range(len(TABLE[name].settings))
]
each_proof = pytest.mark.parametrize("name, number", PROOFS, ids=[f"{n}-{i}" for n, i in PROOFS])


@cache
def solved() -> dict[str, Any]:
    """Return the Exercises of the solved lessons that have a backward, or are the forward of one: name -> function."""
    wanted = {name for name, _ in PROOFS} | {TABLE[name].forward for name, _ in PROOFS}
    found: dict[str, Any] = {}
    for lesson in all_lessons():
        if lesson.assignment != ASSIGNMENT or not wanted & set(lesson.exercises):
            continue
        names: dict[str, Any] = {"__name__": "lesson"}
        for cell in read(lesson, Course.here().script(lesson)).run:
            exec(compile(cell.source, f"{lesson.name}:{cell.line}", "exec"), names)
        found.update({name: names[name] for name in wanted & set(lesson.exercises)})
    return found


class Proof:
    """One backward at one setting: random inputs, and what forward and backward make of them."""

    def __init__(self, name: str, number: int) -> None:
        self.name, self.table, self.settings = name, TABLE[name], TABLE[name].settings[number]
        rng = np.random.default_rng(number)
        shapes = {**self.table.arrays, **self.table.shapes.get(number, {})}
        self.arrays = {key: rng.normal(size=shape) for key, shape in shapes.items()}
        self.direction = {key: rng.normal(size=shape) for key, shape in shapes.items()}
        self.dout = rng.normal(size=np.shape(self.forward(self.arrays)))

    def forward(self, arrays: Arrays) -> np.ndarray:
        if self.table.call:
            return self.table.call(solved(), arrays, self.settings)
        return solved()[self.table.forward](**arrays, **self.settings)

    def gradients(self) -> Arrays:
        if self.table.back:
            found = self.table.back(solved(), self.dout, self.arrays, self.settings)
        else:
            found = solved()[self.name](self.dout, *self.arrays.values(), **self.settings)
        found = found if isinstance(found, tuple) else (found,)
        return dict(zip(self.arrays, found, strict=True))

    def loss(self, **changed: np.ndarray) -> float:
        return float(np.sum(self.dout * self.forward({**self.arrays, **changed})))


def moved(array: np.ndarray, index: tuple[int, ...], step: float) -> np.ndarray:
    array = array.copy()
    array[index] += step
    return array


def largest_error(got: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest difference as a share of the largest expected value."""
    assert got.shape == expected.shape
    return float(np.abs(got - expected).max() / np.abs(expected).max())


def test_every_declared_backward_is_in_the_table() -> None:
    assert not unproven(EXERCISES, TABLE), unproven(EXERCISES, TABLE)


def test_a_backward_that_is_not_in_the_table_is_named() -> None:
    words = unproven(["conv2d_forward", "conv3d_backward", "conv2d_backward"], TABLE)
    assert "add conv3d_backward to TABLE" in words and "conv2d" not in words


@each_proof
def test_gradients_are_those_of_torch(name: str, number: int) -> None:
    proof = Proof(name, number)
    with one_thread() as torch:
        leaves = [tensor(array).requires_grad_() for array in proof.arrays.values()]
        y = proof.table.oracle(*leaves, **proof.settings)
        expected = torch.autograd.grad(y, leaves, tensor(proof.dout).reshape(y.shape))
    assert np.allclose(proof.forward(proof.arrays), y.detach().numpy(), rtol=1e-10, atol=1e-12)
    for (key, got), gradient in zip(proof.gradients().items(), expected, strict=True):
        assert got.dtype == np.float64
        assert largest_error(got, gradient.numpy()) < 1e-10, key


@each_proof
def test_gradients_are_the_measured_slopes(name: str, number: int) -> None:
    proof = Proof(name, number)
    for key, got in proof.gradients().items():
        array = proof.arrays[key]
        slopes = np.empty(array.shape)
        for index in np.ndindex(array.shape):
            above = proof.loss(**{key: moved(array, index, EPS)})
            slopes[index] = (above - proof.loss(**{key: moved(array, index, -EPS)})) / (2 * EPS)
        assert largest_error(got, slopes) < 1e-7, key


@each_proof
def test_gradients_are_the_adjoint(name: str, number: int) -> None:
    """<J v, dout> = <v, J^T dout>: J v is exact where the forward is affine in the array, else measured at a point."""
    proof = Proof(name, number)
    for key, got in proof.gradients().items():
        array, v = proof.arrays[key], proof.direction[key]
        if proof.table.affine:
            image = proof.forward({**proof.arrays, key: array + v}) - proof.forward(proof.arrays)
        else:
            above = proof.forward({**proof.arrays, key: array + EPS * v})
            image = (above - proof.forward({**proof.arrays, key: array - EPS * v})) / (2 * EPS)
        left, right = image * proof.dout, v * got
        scale = np.abs(left).sum() + np.abs(right).sum()
        assert abs(left.sum() - right.sum()) / scale < (1e-13 if proof.table.affine else 1e-8), key
