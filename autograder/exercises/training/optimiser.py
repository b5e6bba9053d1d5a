"""SGD: an optimiser that changes arrays in place."""

from __future__ import annotations

import numpy as np

from autograder.exercise import Case, Exercise, Random, clue
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.operations import tensor
from autograder.exercises.rows import public, rows, secret, varied
from cnnlab.checking.way import Way
from cnnlab.checking.wire import Value
from cnnlab.torch_settings import one_thread

Arrays = tuple[np.ndarray, ...]


class TorchSGD:
    """torch.optim.SGD, with what it does copied into the arrays."""

    def __init__(
        self, parameters: Arrays, lr: float, momentum: float = 0.9, weight_decay: float = 0.0, nesterov: bool = False
    ) -> None:
        self.parameters, self.lr = parameters, lr
        with one_thread() as torch:
            self.leaves = [tensor(p).requires_grad_() for p in parameters]
            how = {"momentum": momentum, "weight_decay": weight_decay, "nesterov": nesterov}
            self.optimiser = torch.optim.SGD(self.leaves, lr=lr, **how)

    def step(self, gradients: list[np.ndarray]) -> None:
        """Set the gradients, step, copy."""
        with one_thread():
            self.optimiser.param_groups[0]["lr"] = self.lr
            for leaf, gradient in zip(self.leaves, gradients, strict=True):
                leaf.grad = tensor(gradient)
            self.optimiser.step()
        for p, leaf in zip(self.parameters, self.leaves, strict=True):
            p[...] = leaf.detach().numpy()


class Slipped:
    """SGD in NumPy that goes wrong in one way."""

    def __init__(
        self,
        parameters: Arrays,
        lr: float,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        slip: str = "",
    ) -> None:
        self.parameters, self.lr, self.momentum, self.decay = parameters, lr, momentum, weight_decay
        self.nesterov = {"Nesterov ignored": False, "always Nesterov": True}.get(slip, nesterov)
        self.slip = slip
        self.velocities = [np.zeros(p.shape) for p in parameters]

    def step(self, gradients: list[np.ndarray]) -> None:
        """Make a step with the slip in it."""
        slip, m, lr = self.slip, self.momentum, self.lr
        for i, (p, g) in enumerate(zip(self.parameters, gradients, strict=True)):
            decay = {"decay ignored": 0.0, "decay's sign": -self.decay}.get(slip, self.decay)
            d = g if slip == "decay beside the velocity" else g + decay * p
            share = {"gradient dampened": 1 - m, "learning rate in the velocity": lr}.get(slip, 1.0)
            v = share * d if slip == "velocity forgotten" else m * self.velocities[i] + share * d
            self.velocities[i] = v
            move = share * d + m * v if self.nesterov else v
            move = move + decay * p if slip == "decay beside the velocity" else move
            if slip == "not in place":
                continue  # p = p - lr * move: a new array, which nobody keeps
            if slip == "arrays replaced":
                self.parameters[i] = p - lr * move  # type: ignore[index]
            p -= (-lr if slip == "uphill" else 1.0 if slip == "learning rate in the velocity" else lr) * move


def run(
    key: str,
    group: str,
    *shapes: tuple[int, ...],
    steps: int = 3,
    rates: tuple[float, ...] = (),
    dtype: str = "float64",
    **how: Value,
) -> Case:
    """A Case of steps on arrays of these shapes.

    Args:
        steps: how many; the gradients of each are drawn.
        rates: the learning rate from the second step on, step by step.
        dtype: of parameters and gradients.
        how: the settings that are not their default.
    """

    def draw(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        return tuple(rng.standard_normal(shape).astype(dtype) for shape in shapes)

    def calls(rng: np.random.Generator) -> list[Value]:
        made: list[Value] = []
        for number in range(steps):
            if 0 < number <= len(rates):
                made.append(("__setattr__", "lr", rates[number - 1]))
            made.append(("step", list(draw(rng))))
        return made

    tolerance = 1e-4 if dtype == "float32" else None
    settings = {"lr": 0.1, "momentum": 0.0, **how}
    return Case(key, group=group, tolerance=tolerance, parameters=Random(draw), calls=Random(calls), **settings)


SGD = Exercise(
    name="SGD",
    returns=("parameters",),
    reference=TorchSGD,
    points={"plain": 1, "momentum": 2, "decay": 2, "nesterov": 2, "rate": 1},
    way=Way(script="calls"),
    cases=rows(
        run,
        "plain",
        public("no momentum, no decay", (3, 2), (3,)),
        secret("neither momentum nor decay", (2, 4), (2,), lr=0.2),
        "momentum",
        public("momentum 0.9", (2, 3), (4,), momentum=0.9, steps=4),
        secret("momentum 0.95", (3, 2), (5,), lr=0.05, momentum=0.95, steps=5),
        public("momentum 0.5, float32", (2, 1, 2, 2), (2,), lr=0.3, momentum=0.5, dtype="float32"),
        secret("momentum 0.6, float32", (3, 1, 1, 2), (3,), lr=0.2, momentum=0.6, dtype="float32"),
        "decay",
        public("weight decay 0.1", (3, 2), (2,), weight_decay=0.1),
        secret("weight decay 0.2", (2, 3), (4,), lr=0.2, weight_decay=0.2),
        public("momentum and weight decay", (2, 4), momentum=0.9, weight_decay=0.05, steps=4),
        secret("momentum and decay", (5, 2), momentum=0.85, weight_decay=0.1, steps=5),
        "nesterov",
        public("Nesterov", (3, 3), (2,), momentum=0.9, nesterov=True),
        secret("Nesterov's momentum", (2, 2), (3,), lr=0.2, momentum=0.85, nesterov=True),
        public("Nesterov with weight decay", (2, 5), momentum=0.8, weight_decay=0.1, nesterov=True, steps=4),
        secret("Nesterov and decay", (4, 3), momentum=0.7, weight_decay=0.15, nesterov=True, steps=4),
        "rate",
        public("lr changed between steps", (4, 2), (3,), momentum=0.9, steps=4, rates=(0.01, 0.2)),
        secret("lr cut between steps", (3, 4), (2,), momentum=0.8, steps=4, rates=(0.03, 0.01)),
    ),
    mistakes=mistakes(
        """
        uphill: You added the step: the gradient points to where the loss grows, so subtract lr times the velocity.
        not in place: Your arrays stay as they were: p = p - ... makes a new array under the name p. Write p -= ...,
            which changes the array that the network holds.
        arrays replaced: You put new arrays in place of those given, so the network keeps its old ones: change them with
            p -= ...
        velocity forgotten: Your velocity begins anew at every step: keep one array for each parameter in the object.
        gradient dampened: You multiplied the gradient by 1 - momentum, as in an average: here it is added in full.
        learning rate in the velocity: Your velocity holds lr times the gradient, so a change of lr comes late: keep lr
            out of it and multiply when p moves.
        decay ignored: You left the weight decay out: add weight_decay * p to the gradient first.
        decay beside the velocity: You took the decay off after the momentum, which is decoupled weight decay: here
            weight_decay * p joins the gradient before the velocity.
        decay's sign: Your weights grow: add weight_decay * p to the gradient, which is then subtracted.
        Nesterov ignored: You make the same step with nesterov=True: then p moves by lr times gradient plus momentum *
            velocity.
        always Nesterov: You look ahead even where nesterov is False: then p moves by lr times the velocity.
        """,
        Slipped,
    ),
    varied=varied(  # of one step, which momentum leaves as it is: without momentum torch refuses Nesterov
        run,
        public("plain: one step of 3 values, momentum 0.9", (3,), steps=1, momentum=0.9),
        {
            "lr": {"lr": 0.5},
            "several steps": {"steps": 3},
            "weight_decay": {"weight_decay": 0.1},
            "nesterov": {"nesterov": True},
            "several parameters": public("", (3,), (2,), steps=1, momentum=0.9),
            "filters in place of a vector": public("", (2, 2, 3, 3), steps=1, momentum=0.9),
            "float32": {"dtype": "float32"},
        },
    ),
    clues=(
        clue(
            "In __init__ keep the settings and one array of zeros for each parameter; step goes through parameters, "
            "gradients and velocities together with zip.",
            "velocity forgotten",
            arguments=("several parameters", "several steps"),
        ),
        clue(
            "g = g + weight_decay * p makes a new array; velocity *= momentum and velocity += g change the kept one.",
            *("velocity forgotten", "gradient dampened", "learning rate in the velocity", "decay ignored"),
            *("decay beside the velocity", "decay's sign"),
            arguments=("weight_decay", "several steps"),
        ),
        clue(
            "move = g + momentum * velocity if nesterov else velocity, and at last p -= self.lr * move",
            *("uphill", "not in place", "arrays replaced", "learning rate in the velocity", "Nesterov ignored"),
            "always Nesterov",
            arguments=("lr", "nesterov"),
        ),
    ),
)
