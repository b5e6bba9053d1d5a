"""sgd_momentum_step: one step of gradient descent."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.exercise import Case, Exercise, clue, normal
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.operations import tensor
from autograder.exercises.rows import public, rows, secret, varied
from cnnlab.checking.wire import Value
from cnnlab.torch_settings import one_thread

Result = tuple[np.ndarray, np.ndarray]


def stepped(
    p: np.ndarray, g: np.ndarray, velocity: np.ndarray, lr: float, momentum: float, weight_decay: float
) -> Result:
    """Take one step of torch.optim.SGD from a state that it had before."""
    with one_thread() as torch:
        leaf = tensor(p).requires_grad_()
        optimiser = torch.optim.SGD([leaf], lr=lr, momentum=momentum, weight_decay=weight_decay)
        leaf.grad = tensor(g)
        if momentum:
            optimiser.state[leaf]["momentum_buffer"] = tensor(velocity)
        optimiser.step()
        moved = optimiser.state[leaf].get("momentum_buffer") if momentum else leaf.grad + weight_decay * tensor(p)
    return leaf.detach().numpy().astype(p.dtype), moved.numpy().astype(p.dtype)


def by(change: Callable[..., Value]) -> Callable[..., Value]:
    """Return a step that asks `change` for p and velocity; d: the gradient with the decay."""

    def wrong(
        p: np.ndarray, g: np.ndarray, velocity: np.ndarray, lr: float, momentum: float, weight_decay: float
    ) -> Value:
        return change(p, g, velocity, lr, momentum, weight_decay, g + weight_decay * p)

    return wrong


def stepping(key: str, group: str, *shape: int, dtype: str = "float64", still: bool = False, **how: Value) -> Case:
    """Return a Case of arrays of this shape.

    Args:
        key, group: of the Case.
        shape: of the arrays.
        dtype: of the arrays.
        still: whether it is the first step, so that the velocity is zero.
        how: the other arguments.
    """
    velocity = np.zeros(shape, dtype) if still else normal(*shape, dtype=dtype)
    settings = {"lr": 0.1, "momentum": 0.0, "weight_decay": 0.0, **how}
    arrays = {"p": normal(*shape, dtype=dtype), "g": normal(*shape, dtype=dtype), "velocity": velocity}
    return Case(key, group=group, **arrays, **settings)


sgd_momentum_step = Exercise(
    name="sgd_momentum_step",
    returns=("p", "velocity"),
    reference=stepped,
    points={"plain": 1, "momentum": 2, "decay": 1, "together": 1},
    cases=rows(
        stepping,
        "plain",
        public("no momentum, no decay", 4, 3, lr=0.1),
        secret("neither momentum nor decay", 3, 5, lr=0.2),
        public("a learning rate of 1", 5, lr=1.0, still=True),
        secret("a learning rate of 2", 7, lr=2.0, still=True),
        "momentum",
        public("momentum 0.9", 4, 3, momentum=0.9),
        secret("momentum 0.95", 5, 2, lr=0.4, momentum=0.95),
        public("momentum 0.5, the first step", 2, 3, lr=0.3, momentum=0.5, still=True),
        secret("momentum 0.7, a first step", 3, 4, lr=0.2, momentum=0.7, still=True),
        "decay",
        public("weight decay 0.1", 4, 3, weight_decay=0.1),
        secret("weight decay 0.3", 2, 6, lr=0.3, weight_decay=0.3),
        "together",
        public("filters, momentum and weight decay", 2, 3, 2, 2, momentum=0.9, weight_decay=0.05),
        secret("filters with both", 3, 2, 1, 3, lr=0.2, momentum=0.85, weight_decay=0.15),
        public("float32", 6, lr=0.05, momentum=0.8, weight_decay=0.2, dtype="float32"),
        secret("float32 with both", 9, lr=0.3, momentum=0.6, weight_decay=0.1, dtype="float32"),
    ),
    mistakes=mistakes(
        """
        uphill: You added the step: the gradient points to where the loss grows, so subtract lr times the velocity.
        momentum ignored: You left the old velocity out: it stays as momentum * velocity, and the gradient is added to
            it.
        old velocity used: You moved p by the velocity that came in: compute the new velocity first and move by that.
        gradient dampened: You multiplied the gradient by 1 - momentum, as in an average: here it is added in full.
        Nesterov: You looked one step ahead, which is Nesterov's momentum: here p moves by lr times the new velocity.
        learning rate in the velocity: You multiplied the gradient by lr before it entered the velocity: keep lr out of
            it and multiply when p moves.
        velocity downhill: Your velocity is -lr times what is asked, and you add it to p: keep lr and the minus sign out
            of it, and apply both when p moves.
        decay ignored: You left the weight decay out: add weight_decay * p to the gradient first.
        decay beside the velocity: You shrank p by itself, which is decoupled weight decay: here weight_decay * p is
            part of the gradient and so of the velocity.
        decay's sign: Your weights grow: the decay is added to the gradient, which is then subtracted.
        decay towards the gradient: You multiplied the gradient by the decay: it is p that decays, so add weight_decay *
            p.
        """,
        {
            "uphill": by(lambda p, g, v, lr, m, wd, d: (p + lr * (m * v + d), m * v + d)),
            "momentum ignored": by(lambda p, g, v, lr, m, wd, d: (p - lr * d, d)),
            "old velocity used": by(lambda p, g, v, lr, m, wd, d: (p - lr * v, m * v + d)),
            "gradient dampened": by(
                lambda p, g, v, lr, m, wd, d: (p - lr * (m * v + (1 - m) * d), m * v + (1 - m) * d)
            ),
            "Nesterov": by(lambda p, g, v, lr, m, wd, d: (p - lr * (d + m * (m * v + d)), m * v + d)),
            "learning rate in the velocity": by(lambda p, g, v, lr, m, wd, d: (p - (m * v + lr * d), m * v + lr * d)),
            "velocity downhill": by(lambda p, g, v, lr, m, wd, d: (p + m * v - lr * d, m * v - lr * d)),
            "decay ignored": by(lambda p, g, v, lr, m, wd, d: (p - lr * (m * v + g), m * v + g)),
            "decay beside the velocity": by(
                lambda p, g, v, lr, m, wd, d: (p - lr * wd * p - lr * (m * v + g), m * v + g)
            ),
            "decay's sign": by(lambda p, g, v, lr, m, wd, d: (p - lr * (m * v + g - wd * p), m * v + g - wd * p)),
            "decay towards the gradient": by(
                lambda p, g, v, lr, m, wd, d: (p - lr * (m * v + g + wd * g), m * v + g + wd * g)
            ),
        },
    ),
    varied=varied(
        stepping,
        public("plain: 3 values, momentum 0, weight decay 0", 3),
        {
            "lr": {"lr": 0.5},
            "momentum": {"momentum": 0.9},
            "weight_decay": {"weight_decay": 0.1},
            "filters in place of a vector": public("", 2, 2, 3, 3),
            "float32": {"dtype": "float32"},
        },
    ),
    clues=(
        clue(
            "Three lines in the order of the formulas: the gradient with its decay, the new velocity, the new p.",
            *("old velocity used", "decay beside the velocity"),
        ),
        clue(
            "g = g + weight_decay * p makes a new array; g += ... would change the caller's.",
            *("decay ignored", "decay's sign", "decay towards the gradient", "decay beside the velocity"),
            arguments=("weight_decay",),
        ),
        "velocity = momentum * velocity + g + weight_decay * p; return p - lr * velocity, velocity",
    ),
)
