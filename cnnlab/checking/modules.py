"""The way "module": an Answer builds a `torch.nn.Module`, which is filled, run forward in both modes, and backward.

All in float64 on one thread. Import it only where torch is there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from cnnlab.checking.attempt import a_type, attempt, copied, plain
from cnnlab.checking.errors import InvalidAnswer
from cnnlab.checking.filling import fill, fixed, parameters
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.way import MODULE_OUTPUTS as OUTPUTS
from cnnlab.checking.way import UPSTREAM
from cnnlab.checking.wire import Value
from cnnlab.torch_settings import pinned_settings

WITHOUT_NUMBERS = {"y_shape", "parameters", "shapes"}
# torch's functions -> the leading axes that a draw is made for: all of them, or one for each map of each image.
DROPOUTS = {"dropout": None, "dropout1d": 2, "dropout2d": 2, "dropout3d": 2, "feature_dropout": 2}


def ask(build: Callable[..., Value], inputs: dict[str, Value], returns: Sequence[str], x: str) -> Outcome:
    """Build a module, send one input through it, and return the outputs asked for.

    The module is filled with fixed numbers in float64. Parameters of one shape get the same numbers, so where "gradients" is
    asked for it must use all of its parameters of a shape or none: a layer used in another's place shows nowhere else.
    Dropout drops by a fixed pattern of each shape, not by chance. Where only counts and shapes are asked for, the module is
    built without numbers in it. Settings of torch that the Answer changes are put back.

    Args:
        build: the Answer, called with the other inputs.
        inputs: argument name -> value. The upstream gradient is the input `dout` where there is one, else fixed numbers
            from -1 to 1 by y's shape.
        returns: names of `way.MODULE_OUTPUTS`; "gradients" becomes an output "gradient of SHAPE" for each shape. A module
            that returns a tuple of tensors has a tuple of arrays as y and y_eval.
        x: the name of the input that goes through the module.

    Raises:
        ValueError: where `returns` holds another name.
    """
    unknown = [name for name in returns if name not in OUTPUTS]
    if unknown:
        raise ValueError(f"a module is asked for {', '.join(OUTPUTS)}, not for {', '.join(unknown)}")
    given = {name: value for name, value in inputs.items() if name not in (x, UPSTREAM)}
    run = _Run(build, given, inputs[x], inputs.get(UPSTREAM), set(returns))
    with pinned_settings(double=True):
        if set(returns) <= WITHOUT_NUMBERS:
            outcome = attempt(build, run.without_numbers)
            if outcome.kind == "values" or outcome.kind == "not attempted":
                return _in_order(outcome, returns)
            # Some constructors look at numbers, which is no mistake.
        return _in_order(attempt(build, run.with_numbers), returns)


class _Run:
    """One Case, built and run."""

    def __init__(
        self,
        build: Callable[..., Value],
        given: dict[str, Value],
        x: np.ndarray,
        upstream: Value,
        wanted: set[str],
    ) -> None:
        self.build, self.given, self.x, self.upstream, self.wanted = build, given, x, upstream, wanted

    def without_numbers(self) -> Outcome:
        with torch.device("meta"), torch.no_grad():
            module = self._module()
            _fix_sizes(module, torch.empty(self.x.shape))
            return Outcome("values", self._shape(module, torch.empty(self.x.shape)) | self._counts(module))

    def with_numbers(self) -> Outcome:
        module = self._module()
        _fix_sizes(module, self._tensor(self.x))
        found = self._counts(module)
        torch.nn.Module.double(module)
        fill(module)
        if {"y_eval", "y_shape"} & self.wanted:
            with torch.no_grad():
                found |= self._shape(module, self._tensor(self.x))
        if "y_eval" in self.wanted:
            torch.nn.Module.eval(module)
            with torch.no_grad(), _FixedDropout():
                found["y_eval"] = _arrays(_outputs(module(self._tensor(self.x))))
        if {"y", "dx", "gradients"} & self.wanted:
            found |= self._trained(module)
        return plain(found, "plain tensors")

    def _module(self) -> torch.nn.Module:
        module = self.build(**copied(self.given))
        if module is None:
            raise InvalidAnswer("it returned None; is a return statement missing?")
        if not isinstance(module, torch.nn.Module) or "_parameters" not in module.__dict__:
            raise InvalidAnswer(f"it gives {a_type(module)}, not a torch.nn.Module")
        return module

    def _counts(self, module: torch.nn.Module) -> dict[str, Value]:
        shapes = sorted(tuple(tensor.shape) for tensor in parameters(module))
        return {"parameters": sum(map(_size, shapes)), "shapes": shapes}

    def _shape(self, module: torch.nn.Module, x: torch.Tensor) -> dict[str, Value]:
        if "y_shape" not in self.wanted:
            return {}
        torch.nn.Module.eval(module)
        shapes = [tuple(one.shape) for one in _tensors(module(x))]
        return {"y_shape": shapes[0] if len(shapes) == 1 else shapes}

    def _trained(self, module: torch.nn.Module) -> dict[str, Value]:
        torch.nn.Module.train(module)
        leaf = self._tensor(self.x).requires_grad_()
        x = leaf.clone()  # which may be changed in place, so that the reason can be said
        with _FixedDropout():
            y = _outputs(module(x))
        if not torch.equal(leaf.detach(), x.detach()):
            raise InvalidAnswer(
                "it changed its input x; leave out operations in place on x, as in ReLU(inplace=True)"
            )
        found: dict[str, Value] = {"y": _arrays(y)}
        if not {"dx", "gradients"} & self.wanted:
            return found
        ys = y if isinstance(y, tuple) else (y,)
        if not all(one.requires_grad for one in ys):
            raise InvalidAnswer(
                "no gradient goes back from what it returns; leave out detach, no_grad and .data"
            )
        douts = self._upstream(ys)
        if douts is None:
            return found  # y has another shape than it must have, which is said of y
        learned = parameters(module)
        flowing = [tensor for tensor in learned if tensor.requires_grad]
        dx, *gradients = torch.autograd.grad(ys, (leaf, *flowing), douts, allow_unused=True)
        if dx is None:
            raise InvalidAnswer("no gradient reaches x; compute with x itself, not with x.detach() or x.data")
        sums = {f"gradient of {tuple(tensor.shape)}": np.zeros(tensor.shape) for tensor in learned}
        if "gradients" in self.wanted:
            _none_replaced(flowing, gradients)
        for tensor, gradient in zip(flowing, gradients, strict=True):
            if gradient is not None:
                sums[f"gradient of {tuple(tensor.shape)}"] += gradient.detach().numpy()
        return {**found, "dx": dx.detach().numpy(), "gradients": dict(sorted(sums.items()))}

    def _upstream(self, ys: Sequence[torch.Tensor]) -> list[torch.Tensor] | None:
        if self.upstream is None:
            return [torch.from_numpy(2 * fixed(UPSTREAM, tuple(y.shape)) - 1) for y in ys]
        given = self.upstream if type(self.upstream) in (tuple, list) else [self.upstream]
        alike = len(given) == len(ys) and all(
            d.shape == tuple(y.shape) for d, y in zip(given, ys, strict=True)
        )
        return [self._tensor(one) for one in given] if alike else None

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(array.astype(np.float64))


class _FixedDropout(TorchFunctionMode):
    """Has torch's dropout drop by a fixed pattern: torch's own draws differ from machine to machine."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "").rstrip("_")
        if name in DROPOUTS:
            return self._dropped(DROPOUTS[name], *args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))

    @staticmethod
    def _dropped(
        axes: int | None,
        input: torch.Tensor,
        p: float = 0.5,
        training: bool = True,
        inplace: bool = False,
        **more: Any,
    ) -> torch.Tensor:
        training = more.get("train", training)
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        if not training or p == 0:
            return input
        drawn = tuple(input.shape) if axes is None else tuple(input.shape[:axes])
        # As many coins in the same order for (N, C, 1, 1) as for (N, C): dropout before or after flattening is the same.
        pattern = fixed("dropout", _without_ones(drawn)).reshape(drawn)
        kept = torch.from_numpy((pattern >= p) / max(1 - p, 1e-300))
        kept = kept.reshape(drawn + (1,) * (input.ndim - len(drawn))).to(input.dtype)
        return input.mul_(kept) if inplace else input * kept


def _tensors(returned: Value) -> tuple[torch.Tensor, ...]:
    """Return what a module returned as a tuple of base tensors; raise InvalidAnswer where it is something else."""
    if returned is None:
        raise InvalidAnswer("its forward returned None; is a return statement missing?")
    several = returned if type(returned) in (tuple, list) else (returned,)
    for one in several:
        if type(one) is not torch.Tensor:
            raise InvalidAnswer(f"its forward returned {a_type(one)}, not a torch.Tensor")
    if not several:
        raise InvalidAnswer("its forward returned no tensor")
    return tuple(several)


def _outputs(returned: Value) -> torch.Tensor | tuple[torch.Tensor, ...]:
    """Return a module's float64 tensor, or its tuple of them; raise InvalidAnswer where it returned something else."""
    several = _tensors(returned)
    for one in several:
        if one.dtype != torch.float64:
            raise InvalidAnswer(
                f"its forward returned {one.dtype} for an x of torch.float64; keep the dtype of x"
            )
        if one.device.type != "cpu":
            raise InvalidAnswer(f"its forward returned a tensor on {one.device} for an x on the CPU")
    return several if type(returned) in (tuple, list) else several[0]


def _none_replaced(parameters: Sequence[torch.Tensor], gradients: Sequence[torch.Tensor | None]) -> None:
    """Raise InvalidAnswer where some parameters of a shape are used and others are not, as where a layer is used twice."""
    shapes = [tuple(parameter.shape) for parameter in parameters]
    used = {shape for shape, gradient in zip(shapes, gradients, strict=True) if gradient is not None}
    unused = {shape for shape, gradient in zip(shapes, gradients, strict=True) if gradient is None}
    if unused & used:
        shape = max(unused & used, key=lambda shape: (len(shape), shape))  # rather a weight than a bias
        raise InvalidAnswer(
            f"its parameter of shape {shape} is never used in forward; is another layer used in its place?"
        )


def _fix_sizes(module: torch.nn.Module, x: torch.Tensor) -> None:
    """Have lazy layers, which take their sizes from the first input, make their parameters."""
    if any(torch.nn.parameter.is_lazy(tensor) for tensor in parameters(module)):
        torch.nn.Module.eval(module)
        with torch.no_grad():
            module(x)


def _arrays(y: torch.Tensor | tuple[torch.Tensor, ...]) -> Value:
    if isinstance(y, tuple):
        return tuple(one.detach().numpy() for one in y)
    return y.detach().numpy()


def _in_order(outcome: Outcome, returns: Sequence[str]) -> Outcome:
    """Keep what was asked for, in OUTPUTS' order, each gradient as an output of its own."""
    if outcome.kind != "values":
        return outcome
    values = {name: outcome.values[name] for name in OUTPUTS if name in returns and name in outcome.values}
    gradients = values.pop("gradients", {})
    return Outcome("values", {**values, **gradients})


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape without the axes of length 1 at its end."""
    while len(shape) > 2 and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=np.int64))
