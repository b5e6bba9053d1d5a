"""Turns what an Answer returned into what is compared, where the values themselves may differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from cnnlab.checking.errors import InvalidOutputs
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.summaries import chance, networks, weights
from cnnlab.checking.wire import Value

Summary = Callable[[Mapping[str, Value], Mapping[str, Value]], dict[str, Value]]
SUMMARIES: dict[str, Summary] = {**chance.SUMMARIES, **weights.SUMMARIES, **networks.SUMMARIES}


def summarise(name: str, inputs: Mapping[str, Value], outcome: Outcome) -> Outcome:
    """Return an Outcome with a summary of its values in place of them.

    The outputs are a hostile process's word: a summary must look at type and shape before it computes, and whatever else it
    raises is the outputs' fault. (A summary that fails on a right Answer fails on the reference too, which is not let pass.)

    Args:
        name: a name in SUMMARIES; "" leaves the Outcome as it is.
        inputs: the Case's, argument name -> value.
        outcome: what the Answer did; where the summary raises InvalidOutputs, "bad output" with its sentence is returned.
    """
    if not name or outcome.kind != "values":
        return outcome
    try:
        return replace(outcome, values=SUMMARIES[name](inputs, outcome.values))
    except InvalidOutputs as error:
        return Outcome("bad output", message=str(error))
    except Exception:
        return Outcome("bad output", message="what it returned cannot be judged")
