"""Code that the Exercises on torch modules share: each module is built, filled, run and differentiated."""

from __future__ import annotations

from autograder.exercise import Case, normal
from cnnlab.checking.way import Way
from cnnlab.checking.wire import Value

MODULE = Way(module="x")
OF_BLOCKS = ("parameters", "shapes", "y_eval", "y", "dx", "gradients")  # the outputs of a block


def block(key: str, group: str, shape: tuple[int, ...], **arguments: Value) -> Case:
    """Return a Case of a block for feature maps of this shape, (N, C, H, W), with C channels."""
    return Case(key, group=group, x=normal(*shape), channels=shape[1], **arguments)
