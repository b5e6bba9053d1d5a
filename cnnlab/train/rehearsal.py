"""What comes before the first step: all that cannot work is refused, while nothing has changed yet."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from cnnlab.train.compiling import explained_compiling
from cnnlab.train.errors import TrainError
from cnnlab.train.evaluate import layout_for, measure
from cnnlab.train.layout import lay_out, lay_out_state, working_layout
from cnnlab.train.loss import check_outputs, loss_of
from cnnlab.train.modes import mode_kept
from cnnlab.train.run import Run
from cnnlab.train.wrapping import buffers_by_name, parameters_by_name, unwrapped

IMAGES = 2  # of the rehearsal: as few as batch norm takes
OTHER = (torch.float16, torch.bfloat16, torch.float64)  # types in which `fit` does not train


def check_network(network: nn.Module) -> None:
    """Raise TrainError for a network that has nothing to train, or numbers of a type in which `fit` does not train."""
    parameters = parameters_by_name(network)
    if not any(parameter.requires_grad for parameter in parameters.values()):
        if not parameters:
            raise TrainError(
                "The network has no parameters, so there is nothing to train: give it a layer that has."
            )
        raise TrainError(
            "The network is frozen, so there is nothing to train: unfreeze a layer with requires_grad_(True)."
        )
    for name, parameter in parameters.items():
        if parameter.dtype in OTHER:
            narrow = (
                ""
                if parameter.dtype is torch.float64
                else '; precision="bf16" or "fp16" computes in 16 bits all the same'
            )
            raise TrainError(
                f"The network's {name} is {str(parameter.dtype).removeprefix('torch.')}, and fit trains float32: call "
                f"network.float(){narrow}."
            )


def rehearse(run: Run) -> None:
    """Run two images forward and backward, choose the layout by that, and undo everything.

    Raises TrainError where network, images and labels do not fit, for the test images as well.
    """
    network, batch = unwrapped(run.network), run.batches.first(min(run.batches.part, IMAGES))
    classes = max(data.classes for data in (run.train, run.test) if data is not None)

    def attempt(layout: torch.memory_format) -> None:
        lay_out(run.network, layout)
        network.train()
        with run.precision.autocast():
            outputs = network(batch.images.contiguous(memory_format=layout))
        check_outputs(outputs, len(batch.labels), classes)
        loss, _ = loss_of(outputs, batch.labels)
        loss.backward()
        run.first_loss = float(loss.detach())

    with _put_back(run):
        with mode_kept(run.network):
            run.batches.layout = working_layout(
                attempt, "training images", tuple(batch.images.shape), run.device
            )
            if run.test is not None:
                _rehearse_test(run, network, classes)
        if run.batches.layout is torch.contiguous_format:
            lay_out_state(run.optimiser)


@contextmanager
def _put_back(run: Run) -> Iterator[None]:
    """Keep nothing of the steps within: neither their gradients nor what they did to parameters and buffers."""
    own = run.weights()
    try:
        yield
    finally:
        run.optimiser.zero_grad(set_to_none=True)
        run.put_weights(own, "the weights before the first step")


def _rehearse_test(run: Run, network: nn.Module, classes: int) -> None:
    assert run.test is not None
    layout = layout_for(network, run.test, run.precision, classes)
    if layout is torch.contiguous_format:
        run.batches.layout = layout
        lay_out(run.network, layout)


def check_start(run: Run) -> None:
    """Raise TrainError where a number of the network is not finite, or its first loss is not, before any step."""
    for name, tensor in (*parameters_by_name(run.network).items(), *buffers_by_name(run.network).items()):
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise TrainError(
                f"The network's {name} holds numbers that are not finite before the first step: make the network anew."
            )
    if run.epoch == 0 and not math.isfinite(run.first_loss):
        raise TrainError(
            "The loss of the first images is no number before any step, though all weights are finite: look for a layer "
            "whose numbers overflow, or that divides by zero or takes the logarithm of zero."
        )


def warm_up(run: Run) -> None:
    """Go through a whole step where a GPU chooses algorithms or a compiler compiles; keep nothing of it but its seconds.

    Raises TrainError where memory runs out or nothing can be compiled.
    """
    if run.device.type != "cuda" and not run.compile:
        return
    began = time.perf_counter()
    with _put_back(run):
        try:
            run.model.train()
            batch = run.batches.first(run.batches.part)
            with run.precision.autocast():
                outputs = run.model(batch.images)
            loss, _ = loss_of(outputs, batch.targets, run.recipe.label_smoothing)
            run.scaler.scale(loss).backward()
            if run.test is not None:
                flip = run.recipe.flip_test
                measure(run.fast, run.test, run.precision, flip, run.processes, run.batches.layout)
            loss.item()
        except Exception as error:
            raise explained_compiling(error, run.device, run.batches.size, run.compile) from None
    run.history.warm_up_seconds = time.perf_counter() - began
