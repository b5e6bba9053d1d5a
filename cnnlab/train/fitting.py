"""`fit`: one training run from its first epoch to its last, or to whatever ends it before."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path

import torch
from torch import nn

from cnnlab.nn.live import LiveCurve
from cnnlab.train.data import Data
from cnnlab.train.device import choose_device, choose_precision, preserved_settings
from cnnlab.train.errors import TrainError
from cnnlab.train.failures import explained
from cnnlab.train.history import History
from cnnlab.train.layout import usual_layout_after
from cnnlab.train.loop import train_epoch
from cnnlab.train.numbers import whole
from cnnlab.train.processes import join
from cnnlab.train.recipe import Recipe
from cnnlab.train.rehearsal import check_network, check_start, rehearse, warm_up
from cnnlab.train.run import Run
from cnnlab.train.run_checkpoint import RunCheckpoint

USUAL_LAYOUT = (
    "A layer of the network takes images in torch's usual layout only (view in place of reshape or flatten?), so it is "
    "trained in that one, somewhat slower."
)


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

    Its steps are those of `fit_plainly`, made faster. Before the first one, two images go through the network and back, so
    that what cannot work is said while nothing has changed.

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
    save_every, seed = whole("save_every", save_every, 1), whole("seed", seed, 0)
    chosen = choose_device(device)
    processes = join(chosen)
    chosen = processes.device(chosen)
    check_network(network)
    with preserved_settings(chosen, deterministic), usual_layout_after(network):
        run = Run(network, train, test, recipe, seed, choose_precision(precision, chosen), processes, compile)
        kept = RunCheckpoint(Path(checkpoint), save_every) if checkpoint is not None else None
        _train_to_end(run, kept, show and processes.main)
        return run.history


def _train_to_end(run: Run, checkpoint: RunCheckpoint | None, show: bool) -> None:
    """Train to the end, or until something ends it."""
    try:
        if checkpoint is not None:
            checkpoint.resume(run)
        if run.epoch < run.recipe.epochs:
            rehearse(run)
            check_start(run)
        if show and run.batches.layout is torch.contiguous_format:
            print(USUAL_LAYOUT)
    except KeyboardInterrupt:
        _stop(run, show)
        run.network.eval()
        return
    with closing(LiveCurve(run.batches.steps * run.recipe.epochs, show)) as curve:
        _show_past_epochs(run, curve)
        try:
            if run.epoch < run.recipe.epochs:
                warm_up(run)
            while run.epoch < run.recipe.epochs:
                score = train_epoch(run, partial(_show_losses, curve))
                if score is not None:
                    curve.add_accuracy(score.accuracy)
                if checkpoint is not None:
                    checkpoint.save(run)
            if run.average is not None:
                run.average.put()
            run.processes.wait()
        except KeyboardInterrupt:
            _stop(run, show)
        except TrainError:
            run.restore_weights()
            raise
        except Exception as error:
            run.restore_weights()
            raise explained(error, run.device, run.batches.size) from None
        finally:
            run.network.eval()


def _stop(run: Run, show: bool) -> None:
    """Take the best weights so far, and say so."""
    history, total = run.history, run.recipe.epochs
    history.cut(run.epoch, run.batches.steps)
    history.interrupted = True
    stopped = f"Stopped in epoch {min(run.epoch + 1, total)} of {total}"
    history.note = f"{stopped}, before the first was finished: the network has the weights of its last step."
    if run.best is not None:
        number, weights = run.best
        run.put_weights(weights, "the best epoch")
        measured = ""
        if number < len(history.test_accuracy):
            measured = f", test accuracy {history.test_accuracy[number]:.1%}"
        history.note = (
            f"{stopped}: the network has the weights after epoch {number + 1}, the best so far{measured}."
        )
    if show:
        print(history.note)


def _show_past_epochs(run: Run, curve: LiveCurve) -> None:
    """Show the epochs that a checkpoint brought along."""
    steps, history = run.batches.steps, run.history
    for epoch in range(run.epoch):
        _show_losses(curve, history.losses[epoch * steps : (epoch + 1) * steps])
        for accuracy in history.test_accuracy[epoch : epoch + 1]:
            curve.add_accuracy(accuracy)


def _show_losses(curve: LiveCurve, losses: list[float]) -> None:
    for loss in losses:
        curve.add_loss(loss)
