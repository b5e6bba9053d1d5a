"""The training benchmark: it trains for real, keeps each run as soon as it is over, and goes on where it was stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from benchmarks import training  # noqa: E402
from benchmarks.training_parts import bars, peak, plain  # noqa: E402
from benchmarks.training_parts.record import Record, digest  # noqa: E402
from cnnlab.torch_settings import one_thread  # noqa: E402
from cnnlab.train import recipes  # noqa: E402
from cnnlab.train.device import has_gpu  # noqa: E402
from tests.benchmarks.tiny_training import make_tiny, run  # noqa: E402
from tests.smoke import BATCH, EPOCHS, IMAGES, WIDTH  # noqa: E402


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One network on few images, for seconds in place of minutes."""
    make_tiny(monkeypatch.setitem, monkeypatch.setattr)
    with one_thread():
        yield


def lines(results: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in results.read_text().splitlines()]


@pytest.mark.skipif(has_gpu(), reason="the small size runs on the GPU here")
def test_it_measures_prints_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = tmp_path / "folder" / "training.jsonl"
    assert run(results, "--seeds", "1") == 0
    printed = capsys.readouterr()
    first = lines(results)
    assert [one["kind"] for one in first] == ["trial", "speed"]
    assert "resnet18, seed 0: " in printed.err
    assert f"| resnet18 (width {WIDTH}) | " in printed.out and f"{IMAGES} x {EPOCHS}" in printed.out
    assert "1 seeds, 1 passes" in printed.out and torch.__version__ in printed.out
    assert run(results, "--seeds", "2") == 0, "goes on with the second seed"
    now = lines(results)
    assert now[:2] == first and [one["seed"] for one in now] == [0, 0, 1]
    accuracies = [one["accuracy"] for one in now if one["kind"] == "trial"]
    mean = np.mean(accuracies)
    assert f"{mean:.2%}, {100 * (max(accuracies) - min(accuracies)):.2f} points" in capsys.readouterr().out


@pytest.mark.skipif(has_gpu(), reason="the small size runs on the GPU here")
def test_a_recipe_that_changed_is_measured_anew_and_a_torn_line_is_left_out(tmp_path: Path) -> None:
    results = tmp_path / "training.jsonl"
    assert run(results, "--seeds", "1") == 0
    torn = results.read_text()[:-40]
    results.write_text(torn)
    assert run(results, "--seeds", "1") == 0
    assert [one["kind"] for one in Record(results).lines] == ["trial", "speed"]
    small, full = recipes.SETTINGS["resnet18"]
    recipes.SETTINGS["resnet18"] = (replace(small, images=IMAGES + BATCH), full)
    assert run(results, "--seeds", "1") == 0
    assert [one["kind"] for one in Record(results).lines] == ["trial", "speed"] * 2


def test_what_is_missed_is_said(tmp_path: Path) -> None:
    setting = replace(recipes.get("resnet18", "small"), bar=0.9)
    record = Record(tmp_path / "training.jsonl")
    bench = training.Bench((setting,), 2, torch.device("cpu"), record)
    common = {"network": "resnet18", "setting": digest(setting), "torch": torch.__version__}
    for seed, accuracy, seconds in ((0, 0.95, 10.0), (1, 0.5, 500.0)):
        about = {**common, "kind": "trial", "seed": seed, "device": training.device_name(torch.device("cpu"))}
        record.add({**about, "accuracy": accuracy, "seconds": seconds})
    assert bars.missed(bench.results()) == [
        "resnet18: 1 of 2 seeds stay below 90.0%.",
        "resnet18: 1 of 2 seeds take 120 s or more.",
    ]


@pytest.mark.skipif(has_gpu(), reason="there is a GPU here")
def test_the_full_size_without_a_gpu_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--budget", "full", "--results", str(tmp_path / "training.jsonl")]
    assert training.main(given) == 2
    assert "no GPU here" in capsys.readouterr().err
    assert not (tmp_path / "training.jsonl").exists()


def test_the_plain_loops_images_are_crops_flips_and_normalised() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 3, 8, 6), np.uint8)
    found = plain.Images(images, np.arange(40))
    torch.manual_seed(0)
    mean, std = images.mean((0, 2, 3)) / 255, images.std((0, 2, 3)) / 255
    padded = np.pad(images, ((0, 0), (0, 0), (4, 4), (4, 4)))
    for index in range(40):
        x, label = found[index]
        values = np.rint(255 * (x.numpy() * std[:, None, None] + mean[:, None, None])).astype(int)
        crops = [
            crop[:, :, ::step]
            for top in range(9)
            for left in range(9)
            for step in (1, -1)
            for crop in [padded[index, :, top : top + 8, left : left + 6]]
        ]
        assert label == index and any((values == crop).all() for crop in crops)


def test_the_plain_loop_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "BATCH", 8)
    setting = recipes.get("resnet20", "small")
    network = setting.network()
    before = network.fc.weight.detach().clone()
    images = np.zeros((32, 3, 32, 32), np.uint8)
    images[:, :, :16] = 255
    cpu, labels = torch.device("cpu"), np.arange(32) % 5
    assert plain.images_per_second(network, plain.Images(images, labels), cpu) > 0
    assert not torch.equal(before, network.fc.weight)
    with pytest.raises(ValueError, match="2 batches of 8"):
        plain.images_per_second(network, plain.Images(images[:16], labels[:16]), cpu)


def test_the_peak_is_a_number_of_this_machine() -> None:
    assert 1e8 < peak.matrix_peak(torch.device("cpu"), "fp32") < 1e14
