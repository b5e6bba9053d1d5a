"""A training run on a GPU and with a compiled network, and imports without torch."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cnnlab import train
from cnnlab.torch_settings import one_thread
from cnnlab.train import Recipe, TrainError, fit
from cnnlab.train.compiling import TORCH, can_compile_from
from tests.cnnlab.train.loop_parts import FULL, QUICK
from tests.cnnlab.train.train_parts import convolutional, drawn


@pytest.fixture(autouse=True)
def single() -> Iterator[None]:
    with one_thread():
        yield


# -- compiling, GPUs, imports -------------------------------------------------------------------------------------------


compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")


@pytest.mark.slow
@compiler
@pytest.mark.skipif(
    not can_compile_from(TORCH), reason="torch cannot compile where its path holds blanks or quotes"
)
def test_a_compiled_network_learns_the_same() -> None:
    plain, compiled = convolutional(), convolutional()
    a = fit(plain, drawn(200), drawn(50, seed=2), QUICK, show=False)
    b = fit(compiled, drawn(200), drawn(50, seed=2), QUICK, compile=True, show=False)
    assert b.warm_up_seconds > 0 and a.warm_up_seconds == 0
    np.testing.assert_allclose(a.losses, b.losses, rtol=1e-2)
    assert a.losses != b.losses or a.test_loss == pytest.approx(b.test_loss, rel=1e-3)
    assert compiled.state_dict().keys() == plain.state_dict().keys()


@compiler
@pytest.mark.skipif(can_compile_from(TORCH), reason="the path of torch holds neither blanks nor quotes")
def test_where_the_path_of_torch_stops_the_compiler_it_is_said() -> None:
    with pytest.raises(TrainError, match=r"cannot be compiled here \(the path of torch.*: use compile=False"):
        fit(convolutional(), drawn(200), drawn(50, seed=2), QUICK, compile=True, show=False)


@pytest.mark.parametrize(
    "folder, possible",
    [
        ("/opt/course/.venv/lib/torch", True),
        ("/opt/my course/.venv/lib/torch", False),
        ("/opt/it's/.venv/lib/torch", False),
        ("/opt/Köln/.venv/lib/torch", True),
    ],
)
def test_torch_compiles_only_where_its_path_needs_no_quotes(folder: str, possible: bool) -> None:
    assert can_compile_from(Path(folder)) is possible


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
@pytest.mark.parametrize("precision", ["fp32", "fp16", "auto"])
def test_a_gpu_learns_what_a_cpu_learns(precision: str) -> None:
    recipe = Recipe(epochs=6, batch=40, lr=0.1, average=0.9, clip=5.0)
    away = fit(
        convolutional(),
        drawn(600),
        drawn(200, seed=2),
        recipe,
        device="cuda",
        precision=precision,
        show=False,
    )
    assert away.test_accuracy[-1] > 0.6 and away.warm_up_seconds > 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_no_step_waits_for_the_gpu() -> None:
    network, forwards, epoch = convolutional(), 0, 600 // 50

    def watch(*_: Any) -> None:
        nonlocal forwards
        # The first forward is the warm-up's. From an epoch's first step to its last, looking at a value is an error.
        place = (forwards - 1) % epoch
        torch.cuda.set_sync_debug_mode("error" if forwards and place < epoch - 1 else "default")
        forwards += 1

    network.register_forward_pre_hook(watch)
    try:
        fit(network, drawn(600), None, FULL, device="cuda", show=False)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert forwards == 1 + 2 * epoch


def test_importing_cnnlab_does_not_import_torch() -> None:
    code = "import sys, cnnlab; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=dict(os.environ), check=False).returncode == 0
    assert train.fit is fit
