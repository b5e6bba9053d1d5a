"""Two processes on a CPU, started as several GPUs would be: they learn what one process learns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

pytest.importorskip("accelerate", reason="Hugging Face Accelerate is not installed")

RUN = """
import json, os, sys, torch
torch.set_num_threads(1)
from safetensors.torch import save_file
from train_parts import convolutional, drawn
from cnnlab.train import Recipe, TrainError, fit
from cnnlab.train.processes import join

def go(folder, norm, checkpoint, batch):
    network = convolutional(norm=norm)
    recipe = Recipe(epochs=3, batch=batch, lr=0.05, average=0.9, shift=2, flip="random", cutout=4, clip=2.0)
    kept = f"{folder}/run.safetensors" if checkpoint else None
    try:
        history = fit(network, drawn(200), drawn(70, seed=2), recipe, device="cpu", checkpoint=kept)
    except TrainError as error:
        sys.exit(f"TrainError: {error}")
    rank = join(torch.device("cpu")).rank
    with open(f"{folder}/{rank}.json", "w") as file:
        file.write(history.to_json())
    save_file(network.state_dict(), f"{folder}/{rank}.safetensors")
"""
# Registered before all others, so run after them: the names of the threads there are as the interpreter ends.
THREADS = """
import atexit, os, sys
def note():
    names = [open(f"/proc/self/task/{task}/comm").read().strip() for task in os.listdir("/proc/self/task")]
    open(f"{sys.argv[1]}/{os.environ.get('RANK', 0)}.threads", "w").write("\\n".join(names))
if os.path.isdir("/proc/self/task"):
    atexit.register(note)
"""
SHELL = THREADS + RUN + "\ngo(sys.argv[1], sys.argv[2] == 'norm', sys.argv[3] == 'keep', int(sys.argv[4]))\n"
# What notebook_launcher does for GPUs, Accelerate offers for CPU processes under this name: both fork the notebook's kernel.
NOTEBOOK = RUN + textwrap.dedent(
    """
    from accelerate import debug_launcher
    debug_launcher(go, (sys.argv[1], sys.argv[2] == 'norm', sys.argv[3] == 'keep', int(sys.argv[4])), num_processes=2)
    """
)
LAUNCH = (
    "-m",
    "accelerate.commands.launch",
    "--multi_gpu",  # the launcher of several processes; the run itself asks for the CPU
    "--num_processes=2",
    "--num_machines=1",
    "--mixed_precision=no",
    "--dynamo_backend=no",
    "--main_process_port=0",
)


def start(
    how: str, folder: Path, *, norm: bool = False, keep: bool = False, batch: int = 40
) -> subprocess.CompletedProcess[str]:
    """Run the script below the folder: how is "alone", "shell" or "notebook"."""
    folder.mkdir(exist_ok=True)
    script = folder / "script.py"
    script.write_text(NOTEBOOK if how == "notebook" else SHELL)
    before = LAUNCH if how == "shell" else ()
    return subprocess.run(
        [
            sys.executable,
            *before,
            str(script),
            str(folder),
            "norm" if norm else "plain",
            "keep" if keep else "drop",
            str(batch),
        ],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def weights(folder: Path, rank: int = 0) -> dict[str, torch.Tensor]:
    return load_file(folder / f"{rank}.safetensors")


def history(folder: Path, rank: int = 0) -> dict:
    return json.loads((folder / f"{rank}.json").read_text())


@pytest.mark.parametrize("how", [pytest.param("shell", marks=pytest.mark.slow), "notebook"])
def test_two_processes_learn_what_one_learns(how: str, tmp_path: Path) -> None:
    alone, both = tmp_path / "alone", tmp_path / "both"
    assert start("alone", alone).returncode == 0
    done = start(how, both)
    assert done.returncode == 0, done.stderr
    one, two = history(alone), history(both)
    assert (one["processes"], two["processes"]) == (1, 2)
    # gradients are averaged over the processes: the same sums in another order
    np.testing.assert_allclose(one["losses"], two["losses"], rtol=1e-4)
    np.testing.assert_allclose(one["test_loss"], two["test_loss"], rtol=1e-4)
    assert one["train_accuracy"] == pytest.approx(two["train_accuracy"], abs=0.011)
    for name, expected in weights(alone).items():
        torch.testing.assert_close(weights(both)[name], expected, rtol=1e-3, atol=1e-5)
    if how == "shell" and Path("/proc/self/task").is_dir():
        # a thread of gloo's that still held a tensor at the interpreter's end would abort the process
        names = [(both / f"{rank}.threads").read_text().split() for rank in (0, 1)]
        assert all(names) and not any("gloo" in name for each in names for name in each), names
    # one bar, by the main process
    assert (done.stdout + done.stderr).count("15/15") == 1


@pytest.mark.slow
def test_both_processes_end_with_the_same_network_and_one_checkpoint_goes_on(tmp_path: Path) -> None:
    done = start("shell", tmp_path, norm=True, keep=True)
    assert done.returncode == 0, done.stderr
    first = [weights(tmp_path, rank) for rank in (0, 1)]
    # statistics of norms as well, though each process saw its own half of each batch
    assert all(torch.equal(first[0][name], first[1][name]) for name in first[0])
    assert {name: v for name, v in history(tmp_path, 0).items() if "seconds" not in name} == {
        name: v for name, v in history(tmp_path, 1).items() if "seconds" not in name
    }
    assert (tmp_path / "run.safetensors").is_file() and not list(tmp_path.glob(".*"))
    written = (tmp_path / "run.safetensors").read_bytes()
    assert start("shell", tmp_path, norm=True, keep=True).returncode == 0
    assert (tmp_path / "run.safetensors").read_bytes() == written
    assert all(torch.equal(weights(tmp_path)[name], first[0][name]) for name in first[0])


@pytest.mark.slow  # for the launcher, which takes seconds to start
def test_a_batch_that_cannot_be_shared_is_said(tmp_path: Path) -> None:
    done = start("shell", tmp_path, batch=41)
    assert done.returncode != 0
    assert (
        "A batch of 41 images cannot be shared by 2 processes: give a batch that is a multiple of 2."
        in done.stderr
    )
