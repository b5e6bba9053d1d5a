"""Ways to ask an Answer: which arguments stand for something else, and how its outputs are turned into what is compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cnnlab.checking.wire import Value

# Of the way "module", in the order in which they are best compared: a wrong shape explains wrong values.
MODULE_OUTPUTS = {
    "y_shape": "the shape of what it returns, worked out without numbers: a large network costs nothing",
    "parameters": "how many numbers it learns",
    "shapes": "the shapes of its parameters, sorted",
    "y_eval": "what it returns in eval mode",
    "y": "what it returns in train mode",
    "dx": "the gradient of x in train mode",
    "gradients": "for each shape of a parameter, the sum of the gradients of those that have it",
}
UPSTREAM = "dout"  # the input that may hold the upstream gradient of a module
LISTS = ("functions", "table", "tensors")
OMIT_WHEN_EMPTY = ("module", "script", "table", "tensors")


@dataclass(frozen=True)
class Way:
    """A way to ask an Answer beyond a plain call.

    Args:
        functions: arguments whose input is the name of a public function of `cnnlab.checking.functions`, or of a network
            there, or a list of names.
        rng: the argument whose input is the seed of a `np.random.Generator`, "" where there is none.
        summary: the name of a function of `cnnlab.checking.summaries` that turns inputs and outputs into what is compared,
            "" where the outputs themselves are compared.
        file: the trained weights that are handed in beside the notebook and judged in place of a call, "" where there are
            none.
        speed: the name of a task of `cnnlab.checking.speed` that must be done fast, "" where there is none.
        module: the input that goes through the `torch.nn.Module` that the Answer builds from the others, as
            `cnnlab.checking.modules` does it, "" where it builds none.
        script: the input that holds method calls on the object that the Answer builds from the others, as in
            `cnnlab.checking.scripts`, "" where there are none.
        table: the columns of the rows that the Answer returns, as in `cnnlab.checking.tables`, () where it returns no table.
        tensors: arguments whose arrays reach the Answer as torch tensors; tensors that it returns become arrays again.
    """

    functions: tuple[str, ...] = ()
    rng: str = ""
    summary: str = ""
    file: str = ""
    speed: str = ""
    module: str = ""
    script: str = ""
    table: tuple[str, ...] = ()
    tensors: tuple[str, ...] = ()

    def as_value(self) -> dict[str, Value]:
        """Return the Way as a value that `wire.pack` can send."""
        value = {**vars(self), **{name: list(getattr(self, name)) for name in LISTS}}
        # Left out where they are not asked for: the Cases of lessons that know nothing of them keep their bytes.
        return {name: v for name, v in value.items() if v or name not in OMIT_WHEN_EMPTY}

    @classmethod
    def from_value(cls, value: Value) -> Way:
        """Rebuild a Way from its value."""
        return cls(**{**value, **{name: tuple(value.get(name, ())) for name in LISTS}})

    def arguments(self, inputs: Mapping[str, Value]) -> dict[str, Value]:
        """Return the inputs with which the Answer is called; the others go through what it builds."""
        apart = {self.module, UPSTREAM} if self.module else {self.script}
        return {name: value for name, value in inputs.items() if name not in apart}


CALL = Way()
