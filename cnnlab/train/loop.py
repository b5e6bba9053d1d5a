"""`fit`: one training run from its first epoch to its last, or to whatever ends it before."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from cnnlab.nn.live import LiveCurve
from cnnlab.train.data import Data
from cnnlab.train.device import choose_device, choose_precision, preserved_settings
from cnnlab.train.errors import TrainError
from cnnlab.train.failures import out_of_memory
from cnnlab.train.history import History
from cnnlab.train.processes import join
from cnnlab.train.recipe import Recipe
from cnnlab.train.run import Run
from cnnlab.train.run_checkpoint import RunCheckpoint


def fit(
    network: nn.Module,
    train: Data,
    test: Data | None = None,
    recipe: Recipe | None = None,
    *,
    seed: int = 0,
    device: str | torch.device | None = None,
    precision: str = "auto",
    compile: bool | str = False,
    deterministic: bool = False,
    checkpoint: str | Path | None = None,
    save_every: int = 1,
    show: bool = True,
) -> History:
    """Train a network to classify images, and return how it went.

    On a CPU with the same number of threads the same seed gives the same weights bit for bit; on a GPU the same draws, but
    sums in an order of its own unless `deterministic`. Among several processes (`cnnlab.train.processes`) each takes its
    part of every batch; norms then see that part only. Ctrl-C ends the training: the network keeps the best epoch so far.

    Args:
        network: any module that gives (N, classes) scores for (N, C, H, W) normalised images; it is moved to the device,
            trained in place and left in eval mode. Side outputs, a tuple (scores, side, ...) in training, count 0.3 each.
        train: images (N, C, H, W) or (N, H, W) uint8 and labels (N,), or DeviceData.
        test: as `train`; measured after each epoch, and never trained on. A plateau schedule looks at them, so give it
            held-out training images.
        recipe: what decides the result, Recipe() by default.
        seed: of order, augmentation and dropout; the network's first weights are the caller's.
        device: "cuda", "cpu", or the best there is.
        precision: "auto" (bf16 or fp16 on a GPU, fp32 on a CPU), "fp32", "bf16" or "fp16".
        compile: True or a mode of torch.compile, worth its minute for long runs only.
        deterministic: repeatable algorithms only, which are slower.
        checkpoint: a file written every `save_every` epochs; where it is there already, the run goes on from it, to the bit.
        save_every: epochs.
        show: a progress bar, and in a notebook a live curve.

    Raises:
        TrainError: where memory runs out or the loss is no number any more, with the weights of the last whole epoch in the
            network; and before anything changes, where data, device or checkpoint do not fit.
        ValueError: for arguments out of range.
    """
    recipe = Recipe() if recipe is None else recipe
    if save_every < 1:
        raise ValueError(f"save_every is a number of epochs, at least 1, not {save_every!r}")
    chosen = choose_device(device)
    processes = join(chosen)
    chosen = processes.device(chosen)
    with preserved_settings(chosen, deterministic):
        run = Run(network, train, test, recipe, seed, choose_precision(precision, chosen), processes, compile)
        kept = RunCheckpoint(Path(checkpoint), save_every) if checkpoint is not None else None
        return _train_to_end(run, kept, show and processes.main)


def _train_to_end(run: Run, checkpoint: RunCheckpoint | None, show: bool) -> History:
    """Train to the end, or until something ends it."""
    if checkpoint is not None:
        checkpoint.resume(run)
    curve = LiveCurve(run.steps * run.recipe.epochs, show)
    run.show_past_epochs(curve)
    try:
        if run.epoch < run.recipe.epochs:
            run.warm_up()
        while run.epoch < run.recipe.epochs:
            run.train_epoch(curve)
            if checkpoint is not None:
                checkpoint.save(run)
        if run.average is not None:
            run.average.put()
        run.processes.wait()
    except KeyboardInterrupt:
        run.stop(show)
    except TrainError:
        run.restore_weights()
        raise
    except Exception as error:
        run.restore_weights()
        raise out_of_memory(error, run.device, run.batch) from None
    finally:
        curve.close()
        run.network.eval()
        # Back to torch's usual layout: safetensors, for one, refuses to save the other.
        run.network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return run.history
