"""The words of a sandbox that may be repeated on a page: those that it could only choose among a few.

A student's process knows the secret inputs and could write them into a message. So nothing that it says is shown but
sentences that cnnlab says itself, from a short list, and names that stand in the very line of the student's cell.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import chain

from autograder.exercise import Exercise
from autograder.judging.outcomes import IGNORES_RNG

MAX_LINE_LENGTH = 200  # characters in which a name is looked for: among more words, a name would say more
NOT_DEFINED = re.compile(r"NameError: name '(\w{1,100})' is not defined")
TYPES = (  # that students return by mistake
    "numpy.ndarray",
    "torch.Tensor",
    "tuple",
    "list",
    "dict",
    "set",
    "str",
    "int",
    "float",
    "complex",
    "bool",
    "function",
    "generator",
)
MAX_ITEMS = 9  # of a returned tuple, that a sentence counts
OF_A_MODULE = (
    "its module has no forward method; write forward(self, x)",
    "its forward returned None; is a return statement missing?",
    "its forward returned no tensor",
    "it changed its input x; leave out operations in place on x, as in ReLU(inplace=True)",
    "no gradient goes back from what it returns; leave out detach, no_grad and .data",
    "no gradient reaches x; compute with x itself, not with x.detach() or x.data",
)
RETURNED_NONE = (
    "it returned None; is a return statement missing?",
    "it returned None instead of an object; is a return statement missing?",
)


def of_bad_output(message: str, exercise: Exercise, arguments: Collection[str]) -> str:
    """Return a message about a bad output where it is one of cnnlab's own sentences, "" where it is not.

    Args:
        message: as it came out of the sandbox.
        exercise: what was asked.
        arguments: the names of the arguments it was asked with.
    """
    return message if message in chain(_of_the_way(exercise), _of_arguments(arguments)) else ""


def undefined_name(message: str, line: int | None, cell: str) -> str:
    """Return the name that a NameError names where it stands in the line that raised it, "" where it does not.

    Args:
        message: of the error, as it came out of the sandbox.
        line: the line of the Answer's cell that raised, from 1.
        cell: that cell's text.
    """
    named, lines = NOT_DEFINED.match(message), cell.split("\n")
    if named is None or line is None or not 0 < line <= len(lines):
        return ""
    words = re.findall(r"\w+", lines[line - 1][:MAX_LINE_LENGTH])
    return named[1] if named[1] in words else ""


def _of_the_way(exercise: Exercise) -> Sequence[str]:
    way, returns = exercise.way, exercise.returns
    said = [*RETURNED_NONE]
    if way.module:
        said += OF_A_MODULE
        said += (f"it gives a {kind}, not a torch.nn.Module" for kind in TYPES)
        said += (f"its forward returned a {kind}, not a torch.Tensor" for kind in TYPES)
    elif way.table:
        said += (f"it returned a {kind}; return a list of rows" for kind in TYPES)
    elif len(returns) == 1:
        said += (f"it returned a {kind}; return a plain NumPy array or number instead" for kind in TYPES)
    else:
        counts = (f"{count} values" for count in range(MAX_ITEMS + 1))
        said += (
            f"it returned {got}; return {', '.join(returns)} as a tuple"
            for got in (*counts, *(f"a {kind}" for kind in TYPES))
        )
        said += (f"it returned a {kind}; return plain NumPy arrays or numbers instead" for kind in TYPES)
    if way.rng:
        said += (
            f"it drew nothing from {way.rng}; take all chance from {way.rng}",
            f"two calls with the same seed gave different results; take all chance from {way.rng}",
            IGNORES_RNG,
        )
    return said


def _of_arguments(arguments: Collection[str]) -> Sequence[str]:
    return [
        f"it changed its argument {one}; work on a copy instead"
        for one in (*arguments, " and ".join(arguments))
    ]
