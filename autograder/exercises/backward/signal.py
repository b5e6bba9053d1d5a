"""conv1d_backward: the two gradients of a kernel that slides over a signal."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from autograder.exercise import Case, Exercise, clue, normal
from autograder.exercises.common.mistakes import Wrong, mistakes
from autograder.exercises.common.operations import gradients
from autograder.exercises.rows import plain_case, public, rows, secret, varied
from cnnlab.checking.wire import Value

if TYPE_CHECKING:
    from torch import Tensor


Pair = tuple[np.ndarray, np.ndarray]


def by_autograd(dout: np.ndarray, x: np.ndarray, w: np.ndarray) -> Value:
    def forward(torch: ModuleType, x: Tensor, w: Tensor) -> Tensor:
        return torch.nn.functional.conv1d(x[None, None], w[None, None])[0, 0]

    return gradients(forward, dout, x, w)


def each_its_own(dout: np.ndarray, x: np.ndarray, w: np.ndarray) -> Pair:
    """Give x[i] the gradient dout[i] times the sum of the weights, as the lecture's formula is misread."""
    dx = np.zeros_like(x)
    dx[: len(dout)] = dout * w.sum()
    return dx, by_autograd(dout, x, w)[1]


def edges_lost(dout: np.ndarray, x: np.ndarray, w: np.ndarray) -> Pair:
    """Add up where the whole kernel has gradients under it, and leave zeros elsewhere."""
    dx, dw = by_autograd(dout, x, w)
    edge = len(w) - 1
    kept = np.zeros_like(dx)
    kept[edge : len(x) - edge] = dx[edge : len(x) - edge]
    return kept, dw


def with_dw(change: Wrong) -> Wrong:
    """Return a wrong backward that finds dx, and makes of dw what `change(dw, dout)` says."""

    def wrong(dout: np.ndarray, x: np.ndarray, w: np.ndarray) -> Pair:
        dx, dw = by_autograd(dout, x, w)
        return dx, change(dw, dout)

    return wrong


def signal_case(key: str, group: str, n: int, k: int, dtype: str = "float64") -> Case:
    dout, x, w = (normal(size, dtype=dtype) for size in (n - k + 1, n, k))
    return Case(key, group=group, dout=dout, x=x, w=w)


conv1d_backward = Exercise(
    name="conv1d_backward",
    returns=("dx", "dw"),
    reference=by_autograd,
    points={"basic": 4, "edges": 2},
    cases=[
        *rows(
            plain_case,
            "basic",
            public(
                "the signal 1 to 5, weights 1, 2, 3, one gradient that is not 0",
                dout=np.array([0.0, 1.0, 0.0]),
                x=np.arange(1.0, 6.0),
                w=np.array([1.0, 2.0, 3.0]),
            ),
        ),
        *rows(
            signal_case,
            "basic",
            public("3 weights on 8 values", 8, 3),
            secret("3 weights on 11 values", 11, 3),
            public("2 weights on 5 values", 5, 2),
            secret("4 weights on 7 values", 7, 4),
            secret("2 weights on 3 values", 3, 2),
            public("float32, 4 weights on 9 values", 9, 4, dtype="float32"),
            secret("float32, 5 weights on 12 values", 12, 5, dtype="float32"),
            "edges",
            public("one weight on 4 values", 4, 1),
            secret("one weight on 6 values", 6, 1),
            public("4 weights on 4 values", 4, 4),
            secret("3 weights on 3 values", 3, 3),
            public("5 weights on 6 values: no value is seen by all of them", 6, 5),
            secret("6 weights on 8 values: no value is seen by all of them", 8, 6),
        ),
    ],
    clues=(
        clue(
            "Start with loops: output i was made from x[i + u] * w[u]. So it sends dout[i] * w[u] back to x[i + u], "
            "and dout[i] * x[i + u] back to w[u].",
            "kernel not flipped",
            "dw flipped",
            "every value by itself",
            "edges lost",
            "upstream gradient ignored",
        ),
        clue(
            "Without the loop over outputs: for each u, dx[u : u + len(dout)] grows by dout * w[u].",
            "kernel not flipped",
            "every value by itself",
            "edges lost",
        ),
        clue("dw[u] is one dot product: dout @ x[u : u + len(dout)].", "dw flipped", "dw averaged"),
    ),
    mistakes=mistakes(
        """
        kernel not flipped: Your dx slides the kernel as it is: x[i] got its share of dout[i - u] through w[u], so over
            dout the kernel lies backwards.
        dw flipped: Your dw is backwards: w[u] met x[i + u] in output i, so dw cross-correlates x with dout.
        every value by itself: You gave x[i] dout[i] times all the weights: each weight brings its own output, w[u] that
            of dout[i - u].
        edges lost: The first and last values of your dx are 0 or missing a share: pad dout with len(w) - 1 zeros on
            each side, so that every output sends its share back.
        upstream gradient ignored: You did as if every output counted once: multiply by dout, the loss's gradient for
            each output.
        dw averaged: You divided dw by the number of outputs: a gradient adds up over them.
        order exchanged: You returned dw, dx: the gradients come in the order of the arguments, dx first.
        """,
        {
            "kernel not flipped": lambda dout, x, w: (by_autograd(dout, x, w[::-1])[0], by_autograd(dout, x, w)[1]),
            "dw flipped": with_dw(lambda dw, dout: dw[::-1]),
            "every value by itself": each_its_own,
            "edges lost": edges_lost,
            "upstream gradient ignored": lambda dout, x, w: by_autograd(np.ones_like(dout), x, w),
            "dw averaged": with_dw(lambda dw, dout: dw / len(dout)),
            "order exchanged": lambda dout, x, w: by_autograd(dout, x, w)[::-1],
        },
    ),
    varied=varied(
        signal_case,
        public("plain: 2 weights on 5 values", n=5, k=2),
        {"one weight": {"k": 1}, "as many weights as values": {"k": 5}, "float32": {"dtype": "float32"}},
    ),
)
