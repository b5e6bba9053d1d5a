"""Checkpoints: a run that stopped anywhere ends as if it had never stopped, and no kill leaves half a file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from cnnlab.torch_settings import one_thread
from cnnlab.train import History, Recipe, TrainError, evaluate, fit, load_weights
from cnnlab.train.checkpoint import FORMAT, read, tensors_of, write
from cnnlab.train.wrapping import unwrapped
from tests.cnnlab.train.train_parts import convolutional, drawn, rehearsed, same

RECIPE = Recipe(
    epochs=5,
    batch=40,
    lr=0.05,
    average=0.9,
    shift=2,
    flip="alternating",
    cutout=4,
    label_smoothing=0.1,
    flip_test=True,
)


@pytest.fixture(autouse=True)
def single() -> Iterator[None]:
    with one_thread():
        yield


def stopping(network: nn.Module, step: int) -> nn.Module:
    """Press Ctrl-C at a training step, counted from 1."""
    steps = 0

    def press(module: nn.Module, inputs: tuple[torch.Tensor]) -> None:
        nonlocal steps
        if rehearsed(inputs):
            return
        steps += module.training
        if module.training and steps == step:
            signal.raise_signal(signal.SIGINT)

    network.register_forward_pre_hook(press)
    return network


def run(network: nn.Module, path: Path | None, recipe: Recipe = RECIPE, **how: Any) -> History:
    return fit(network, drawn(200), drawn(60, seed=2), recipe, checkpoint=path, show=False, **how)


def timeless(history: History) -> dict[str, Any]:
    return {name: value for name, value in asdict(history).items() if "seconds" not in name}


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"average": 0.0, "flip": "random"},
        {"schedule": "plateau", "patience": 0, "factor": 0.3},
        {"schedule": "cosine", "clip": 0.5},
        {"momentum": 0.0},
        {"optimiser": "adamw", "lr": 0.003, "mixup": 0.3},
        {"precision": "bf16"},
        pytest.param({"precision": "fp16"}, marks=pytest.mark.slow),  # which a CPU emulates
    ],
    ids=str,
)
def test_a_run_stopped_twice_ends_bit_for_bit_as_one_that_was_not(changed: dict, tmp_path: Path) -> None:
    how = {"precision": changed["precision"]} if "precision" in changed else {}
    recipe = replace(RECIPE, **{name: value for name, value in changed.items() if name != "precision"})
    whole, path = convolutional(dropout=0.2), tmp_path / "deep" / "run.safetensors"
    expected = run(whole, None, recipe, **how)
    for step in (7, 12):
        assert run(stopping(convolutional(dropout=0.2), step), path, recipe, **how).interrupted
    last = convolutional(seed=9, dropout=0.2)  # its own weights must not matter
    history = run(last, path, recipe, **how)
    assert same(whole, last)
    assert timeless(history) == timeless(expected)
    # 5 steps an epoch: once in the second epoch, once two epochs later
    assert history.epochs == 5 and len(history.losses) == 25


class Unused(nn.Module):
    """A network with a layer that no step reaches."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.unused = convolutional(), nn.Linear(2, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inner(x)


@pytest.mark.parametrize("optimiser", ["sgd", "adamw"])
def test_a_network_with_a_layer_that_is_not_reached_is_resumed(optimiser: str, tmp_path: Path) -> None:
    recipe = replace(RECIPE, optimiser=optimiser, lr=0.01)
    torch.manual_seed(0)
    whole, stopped = Unused(), Unused()
    stopped.load_state_dict(whole.state_dict())
    fit(whole, drawn(200), drawn(50, seed=2), recipe, show=False)
    fit(stopping(stopped, 12), drawn(200), drawn(50, seed=2), recipe, checkpoint=tmp_path / "run", show=False)
    torch.manual_seed(1)
    again = Unused()
    fit(again, drawn(200), drawn(50, seed=2), recipe, checkpoint=tmp_path / "run", show=False)
    assert same(whole, again)


def test_a_finished_run_is_not_run_again(tmp_path: Path) -> None:
    path, network, other = tmp_path / "run.safetensors", convolutional(), convolutional(seed=4)
    first = run(network, path)
    written = path.read_bytes()
    again = run(other, path)
    assert first == again and same(network, other) and path.read_bytes() == written


def test_an_interrupted_run_has_its_best_epoch_after_resuming_too(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    first = run(stopping(convolutional(), 14), path)
    # stopped at once: no epoch of its own
    network = stopping(convolutional(seed=5), 1)
    second = run(network, path)
    assert (
        second.interrupted
        and second.epochs == first.epochs == 2
        and second.note.startswith("Stopped in epoch 3 of 5")
    )
    score = evaluate(network, drawn(60, seed=2), like=_data(), flip=True)
    assert score.accuracy == max(second.test_accuracy)


def _data() -> Any:
    from cnnlab.train import DeviceData

    return DeviceData(*drawn(200))


def test_a_checkpoint_is_tensors_and_text(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    run(convolutional(), path)
    with safe_open(path, framework="pt") as file:
        about = file.metadata()
        groups = {name.split("/")[0] for name in file.keys()}  # noqa: SIM118
    assert groups == {"network", "average", "optimiser", "best"}
    state = json.loads(about["state"])
    assert about["format"] == FORMAT and state["epoch"] == 5 and state["about"]["seed"] == 0
    assert [p.name for p in tmp_path.iterdir()] == ["run.safetensors"]


def test_load_weights_gives_the_network_that_was_kept(tmp_path: Path) -> None:
    path, network, other = tmp_path / "run.safetensors", convolutional(), convolutional(seed=1)
    run(network, path)
    load_weights(other, path)
    assert same(network, other)
    with pytest.raises(TrainError, match="of another network"):
        load_weights(nn.Linear(2, 2), path)


def test_save_every_writes_some_epochs_and_the_last(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    assert run(stopping(convolutional(), 18), path, save_every=2).epochs == 3
    assert read(path)[1]["epoch"] == 2
    run(convolutional(), path, save_every=2)
    assert read(path)[1]["epoch"] == 5


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"recipe": replace(RECIPE, lr=0.06)}, "lr was 0.05 and is now 0.06"),
        ({"recipe": replace(RECIPE, epochs=6)}, "epochs was 5 and is now 6"),
        ({"seed": 1}, "seed was 0 and is now 1"),
        ({"precision": "bf16"}, "precision was fp32 and is now bf16"),
        ({"train": 190}, "training images was"),
    ],
    ids=str,
)
def test_another_run_is_refused_and_nothing_is_changed(change: dict, says: str, tmp_path: Path) -> None:
    path, network = tmp_path / "run.safetensors", convolutional()
    run(stopping(convolutional(), 7), path)
    written = path.read_bytes()
    recipe, count = change.pop("recipe", RECIPE), change.pop("train", 200)
    with pytest.raises(TrainError, match=says):
        fit(network, drawn(count), drawn(60, seed=2), recipe, checkpoint=path, show=False, **change)
    assert path.read_bytes() == written and same(network, convolutional())


def test_another_network_is_refused(tmp_path: Path) -> None:
    path, network = tmp_path / "run.safetensors", convolutional(norm=False)
    run(stopping(convolutional(), 7), path)
    with pytest.raises(TrainError, match="of another network"):
        run(network, path)
    assert same(network, convolutional(norm=False))


def test_files_that_are_no_checkpoints_are_said_and_left_alone(tmp_path: Path) -> None:
    broken, foreign, half = (tmp_path / name for name in ("broken", "foreign", "half"))
    broken.write_bytes(b"\x80\x04not safetensors")
    save_file({"x": torch.zeros(2)}, foreign)
    run(stopping(convolutional(), 7), half)
    half.write_bytes(half.read_bytes()[:-100])
    for path in (broken, foreign, half):
        content = path.read_bytes()
        with pytest.raises(TrainError, match=str(path)):
            run(convolutional(), path)
        assert path.read_bytes() == content
    odd = tmp_path / "odd"
    save_file({"x": torch.zeros(2)}, odd, metadata={"format": FORMAT, "state": "{}"})
    with pytest.raises(TrainError, match="cannot be read"):
        run(convolutional(), odd)
    with pytest.raises(TrainError, match="is a folder"):
        run(convolutional(), tmp_path)


def test_a_checkpoint_that_cannot_be_written_does_not_stop_the_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "folder" / "run.safetensors"
    network = convolutional()

    def vanish(module: nn.Module, _: Any) -> None:
        # something else takes the place of the folder
        if path.parent.is_dir():
            path.parent.rmdir()
            path.parent.write_text("")

    network.register_forward_pre_hook(vanish)
    history = run(network, path)
    assert history.epochs == 5 and "cannot be written" in capsys.readouterr().err


def test_a_killed_process_leaves_a_whole_checkpoint_from_which_the_run_ends_the_same(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    code = textwrap.dedent(
        """
        import sys, torch
        torch.set_num_threads(1)
        from train_parts import convolutional, drawn
        from cnnlab.train import Recipe, fit
        print("ready", flush=True)
        recipe = Recipe(epochs=100, batch=20, lr=0.01, average=0.9, flip="random")
        fit(convolutional(), drawn(40), drawn(20, seed=2), recipe, checkpoint=sys.argv[1], show=False)
        """
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "OMP_NUM_THREADS": "1"}
    reached = 0
    for attempt in range(2):
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(path)], env=environment, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        # writing is a large part of these small epochs, so that kills also fall into it
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and (read(path)[1]["epoch"] if path.exists() else 0) <= reached:
            time.sleep(0.01)
        time.sleep(0.05 + 0.013 * attempt)
        process.kill()
        process.wait()
        process.stdout.close()
        epoch = read(path)[1]["epoch"]  # raises where the file is not whole
        assert epoch > reached, "it began anew, or stood still"
        reached = epoch
    assert reached < 100
    recipe = Recipe(epochs=100, batch=20, lr=0.01, average=0.9, flip="random")
    network, whole = convolutional(seed=3), convolutional()
    fit(network, drawn(40), drawn(20, seed=2), recipe, checkpoint=path, show=False)
    fit(whole, drawn(40), drawn(20, seed=2), recipe, show=False)
    assert same(network, whole)
    assert [p.name for p in tmp_path.iterdir()] == ["run.safetensors"]


class Tied(nn.Module):
    """A network whose buffer is a view of a parameter: its memory would be written twice."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = convolutional()
        self.register_buffer("bias", self.inner[-1].bias.detach()[:3])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inner(x)


def test_a_buffer_that_shares_memory_with_a_parameter_is_kept_as_well(tmp_path: Path) -> None:
    path, whole, last = tmp_path / "run.safetensors", Tied(), Tied()
    run(whole, None)
    assert run(stopping(Tied(), 12), path).interrupted
    assert run(last, path).epochs == 5 and same(whole, last)


@pytest.mark.parametrize(
    "wrap", [nn.DataParallel, torch.compile, lambda n: torch.compile(nn.DataParallel(n))]
)
def test_files_of_wrapped_networks_load_either_way(wrap: Any, tmp_path: Path) -> None:
    """Compiled here is the network's outside only: without a step nothing has to be compiled."""
    path, plain = tmp_path / "run.safetensors", convolutional()
    run(plain, path)
    wrapped = wrap(convolutional(seed=3))
    load_weights(wrapped, path)
    assert same(unwrapped(wrapped), plain)
    again, inside = convolutional(seed=4), nn.Sequential(wrap(convolutional(seed=5)))
    write(tmp_path / "wrapped", {f"network/{n}": x for n, x in tensors_of(wrapped).items()}, {})
    load_weights(again, tmp_path / "wrapped")
    assert same(again, plain)
    if wrap is torch.compile:
        load = {f"network/0.{name}": x for name, x in tensors_of(plain).items()}
        write(tmp_path / "inside", load, {})
        load_weights(inside, tmp_path / "inside")
        assert same(unwrapped(inside[0]), plain)


def test_a_run_of_a_wrapped_network_goes_on_with_the_network_itself(tmp_path: Path) -> None:
    path, whole, last = tmp_path / "run.safetensors", convolutional(), convolutional(seed=2)
    run(whole, None)
    assert run(nn.DataParallel(stopping(convolutional(), 12)), path).interrupted
    run(last, path)
    assert same(whole, last)


def test_the_tilde_is_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "here")
    run(convolutional(), Path("~/runs/one"))
    assert (tmp_path / "home/runs/one").is_file() and not list((tmp_path / "here").iterdir())
    load_weights(convolutional(), "~/runs/one")


def test_a_file_that_is_not_there_is_not_to_be_deleted(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"no checkpoint")
    for path, says in (
        (tmp_path / "missing", "is not there"),
        (tmp_path, "is a folder"),
        (broken, "give another file"),
    ):
        with pytest.raises(TrainError, match=says) as caught:
            load_weights(convolutional(), path)
        assert "delete" not in str(caught.value)
