"""How an Answer is asked: which arguments stand for something else, and what is made of its outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnnlab.checking.wire import Value


@dataclass(frozen=True)
class Way:
    """How an Answer is asked beyond a plain call.

    functions: arguments whose input is the name of a public function of `cnnlab.checking.functions`;
    rng: the argument whose input is the seed of a `np.random.Generator`, "" where there is none;
    summary: the name of a function of `cnnlab.checking.summaries` that turns inputs and outputs into what is
    compared, "" where the outputs themselves are; file: the trained weights that are handed in beside the
    notebook and judged in place of a call, "" where there are none.
    """

    functions: tuple[str, ...] = ()
    rng: str = ""
    summary: str = ""
    file: str = ""

    def as_value(self) -> dict[str, Value]:
        """Return the Way as a value that `wire.pack` can send."""
        return {
            "functions": list(self.functions),
            "rng": self.rng,
            "summary": self.summary,
            "file": self.file,
        }

    @classmethod
    def from_value(cls, value: Any) -> Way:
        """Rebuild a Way from its value."""
        return cls(tuple(value["functions"]), value["rng"], value["summary"], value["file"])


CALL = Way()
