"""The Outcome of one Case: named values, or a named failure."""

from __future__ import annotations

from dataclasses import dataclass, field

from cnnlab.checking.wire import Value

KINDS = ("values", "not attempted", "error", "timeout", "out of memory", "died", "bad output")
MAX_MESSAGE = 400  # characters


@dataclass(frozen=True)
class Outcome:
    """Named values, or a named failure with one sentence about it.

    Args:
        kind: one of KINDS.
        values: output name -> value, filled only where kind is "values".
        message: one sentence for the student.
        error: the exception's type name.
        line: the line of the Answer's cell that raised, counted from 1.
    """

    kind: str
    values: dict[str, Value] = field(default_factory=dict)
    message: str = ""
    error: str = ""
    line: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"an Outcome is one of {', '.join(KINDS)}, not {self.kind!r}")

    def as_value(self) -> dict[str, Value]:
        """Return the Outcome as a value that `wire.pack` can send."""
        return {
            "kind": self.kind,
            "values": self.values,
            "message": self.message[:MAX_MESSAGE],
            "error": self.error[:MAX_MESSAGE],
            "line": self.line,
        }

    @classmethod
    def from_value(cls, value: Value) -> Outcome:
        """Rebuild an Outcome from a received value; raise ValueError where it is none."""
        if type(value) is not dict or set(value) != {"kind", "values", "message", "error", "line"}:
            raise ValueError("not an Outcome")
        kind, values, message, error, line = (
            value[k] for k in ("kind", "values", "message", "error", "line")
        )
        if (
            type(kind) is not str
            or type(values) is not dict
            or type(message) is not str
            or type(error) is not str
        ):
            raise ValueError("not an Outcome")
        if line is not None and (type(line) is not int or not 0 < line < 1 << 20):
            raise ValueError("not an Outcome")
        return cls(kind, values, message[:MAX_MESSAGE], error[:MAX_MESSAGE], line)
