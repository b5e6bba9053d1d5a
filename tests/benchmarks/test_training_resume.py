"""The training benchmark under a limit of time, killed in the middle, and merged from several results files."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from benchmarks import training  # noqa: E402
from benchmarks.training_parts import parts, plain, plan  # noqa: E402
from benchmarks.training_parts.record import Measured, digest, read  # noqa: E402
from benchmarks.training_parts.tables import macs  # noqa: E402
from cnnlab.data.cifar import keep_arrays  # noqa: E402
from cnnlab.torch_settings import one_thread  # noqa: E402
from cnnlab.train import checkpoint, recipes  # noqa: E402
from cnnlab.train.device import has_gpu  # noqa: E402
from tests import ROOT  # noqa: E402
from tests.benchmarks.tiny_training import CIFAR, make_cifar_small, make_tiny, run  # noqa: E402
from tests.smoke import EPOCHS, IMAGES  # noqa: E402

pytestmark = pytest.mark.skipif(has_gpu(), reason="the small size runs on the GPU here")


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two networks on few images."""
    make_tiny(monkeypatch.setitem, monkeypatch.setattr)
    with one_thread():
        yield


def here(kind: str, network: str, **values: object) -> Measured:
    """Return a measurement as this machine would make it."""
    common = {"kind": kind, "network": network, "setting": digest(recipes.get(network, "small")), "seed": 0}
    machine = {"device": training.device_name(torch.device("cpu")), "torch": torch.__version__}
    return {**common, **machine, "budget": "small", "precision": "fp32", "software": "made up", **values}


def trial(network: str, **values: object) -> Measured:
    times = {"seconds": 2.0, "seconds_to_bar": 1.0, "warm_up_seconds": 0.0, "wall_seconds": 3.0}
    known = {"images": IMAGES, "epochs": EPOCHS, "accuracy": 0.5, "images_per_second": 100.0}
    return here("trial", network, **{**times, **known, **values})


def speed(network: str, rate: float) -> Measured:
    rates = {"ours": [rate], "plain": [rate / 10], "peak": 1e12, "macs": macs(recipes.get(network, "small"))}
    return here("speed", network, wall_seconds=1.0, warm_up_seconds=0.0, **rates)


def write(path: Path, *lines: Measured) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_the_most_telling_comes_first() -> None:
    settings = [recipes.get(name, "full") for name in ("alexnet", "resnet18", "resnet20")]
    assert [str(task) for task in plan.order(settings, 2)] == [
        "resnet18, seed 0",
        "resnet18, seed 1",
        "resnet18, images a second",
        "alexnet, images a second",
        "resnet20, images a second",
        "alexnet, seed 0",
        "resnet20, seed 0",
        "alexnet, seed 1",
        "resnet20, seed 1",
    ]


def test_what_a_measurement_is_expected_to_take() -> None:
    setting = recipes.get("resnet20", "small")
    task = plan.Task("trial", setting)

    def training_seconds(known: list[Measured], trained: int = 0) -> float:
        return (plan.expected_seconds(task, known, 5, trained) - plan.START) / plan.TESTS

    assert training_seconds([]) == pytest.approx(120), "what it may take at most"
    whole = EPOCHS * IMAGES / 50
    known = [speed("resnet20", 50.0), speed("resnet18", 1.0)]
    assert training_seconds(known) == pytest.approx(whole)
    assert training_seconds(known, trained=1) == pytest.approx(whole / EPOCHS), "what is left of it"
    known.append(trial("resnet20", images_per_second=25.0, seed=3))
    assert training_seconds(known) == pytest.approx(2 * whole), "a training tells more than a comparison"
    slow = trial("resnet18", seconds=10.0, warm_up_seconds=0.0, wall_seconds=plan.START + 26.0)
    assert training_seconds([*known, slow]) == pytest.approx(2 * 2 * whole), "tests and checkpoints are slow"
    comparison = plan.Task("speed", setting)
    assert plan.expected_seconds(comparison, [], 5) == plan.COMPARISON
    assert plan.expected_seconds(comparison, [known[0]], 5) == 5, "a second for each pass of both loops"
    more = macs(setting) / macs(recipes.get("resnet18", "small"))
    assert more > 2
    assert plan.expected_seconds(comparison, known, 5) == pytest.approx(5 * more), "of more work"
    smaller = plan.Task("speed", recipes.get("resnet18", "small"))
    assert plan.expected_seconds(smaller, [known[0]], 5) == 5, "of less work, and still"


def test_what_would_not_end_in_time_is_left_out_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    networks = ("resnet18", "resnet20")
    results = write(tmp_path / "training.jsonl", speed("resnet20", 0.01))
    assert run(results, "--seeds", "1", "--minutes", "10", networks=networks) == 0
    printed = capsys.readouterr()
    assert [(m["kind"], m["network"]) for m in read(results)[1:]] == [
        ("trial", "resnet18"),
        ("speed", "resnet18"),
    ]
    assert "left out: resnet20, seed 0: it takes about 24965 s, and " in printed.err
    assert printed.out.count("| resnet20 | 0 | 0 | 10.00 |") == 1, "in the table of what is measured"
    assert run(results, "--seeds", "2", "--minutes", "0", networks=networks) == 0
    printed = capsys.readouterr()
    assert len(read(results)) == 3 and printed.err.count("left out: ") == 3
    assert "| resnet18 (width 8) |" in printed.out


def test_a_training_that_fails_is_said_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small, full = recipes.SETTINGS["resnet18"]
    bad = replace(small, recipe=replace(small.recipe, lr=1e30))
    monkeypatch.setitem(recipes.SETTINGS, "resnet18", (bad, full))
    results = write(
        tmp_path / "training.jsonl",
        speed("resnet20", 50.0),
        here("speed", "resnet18", setting=digest(bad), ours=[1.0], plain=[2.0], peak=1e12),
    )
    assert run(results, "--seeds", "1", networks=("resnet18", "resnet20")) == 2
    printed = capsys.readouterr()
    assert "failed: resnet18, seed 0: The loss is no number any more" in printed.err
    assert [m["network"] for m in read(results) if m["kind"] == "trial"] == ["resnet20"]
    assert "| resnet20 | " in printed.out


def test_a_comparison_that_fails_for_any_reason_leaves_the_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(plain, "BATCH", 64)
    results = write(tmp_path / "training.jsonl", trial("resnet18"))
    assert run(results, "--seeds", "1") == 2
    printed = capsys.readouterr()
    assert "failed: resnet18, images a second: ValueError: 96 images are 1 batches of 64" in printed.err
    assert f" | {IMAGES} x {EPOCHS} | 1 | 50.00%, 0.00 points | " in printed.out


def test_killed_in_the_middle_on_a_bare_machine_it_goes_on_from_its_last_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_cifar_small(monkeypatch.setitem)
    rng = np.random.default_rng(0)
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "here"))
    for split, count in CIFAR.items():
        keep_arrays(split, rng.integers(0, 256, (count, 3, 32, 32), np.uint8), rng.integers(0, 10, count))
    parts.split(tmp_path / "parts")
    monkeypatch.delenv("CNNLAB_DATA")

    results = tmp_path / "training.jsonl"
    more = ["--seeds", "1", "--dataset", "cifar10", "--data", str(tmp_path / "parts")]
    program = [sys.executable, "-m", "tests.benchmarks.tiny_training", "1", str(results), *more]
    killed = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not results.exists()
    (kept,) = tmp_path.glob("training.jsonl.resnet18-0-*.checkpoint")
    history = json.loads(checkpoint.read(kept)[1]["history"])
    assert len(history["seconds"]) == 1

    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "parts"))
    assert run(results, *more) == 0
    resumed = read(results)[0]
    assert not kept.exists()
    assert resumed["epoch_seconds"][:1] == history["seconds"] and resumed["epochs"] == EPOCHS
    kept.write_bytes(b"left by one killed between the measurement and the checkpoint's end")
    assert run(results, *more) == 0
    assert len(read(results)) == 2 and not kept.exists()
    assert run(tmp_path / "again.jsonl", *more) == 0
    assert read(tmp_path / "again.jsonl")[0]["accuracies"] == resumed["accuracies"]


def test_results_files_are_merged_by_device(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = trial("resnet18"), trial("resnet18", seed=1, accuracy=0.7)
    other = {"device": "another device", "torch": "1.0"}
    one = write(tmp_path / "one.jsonl", first, speed("resnet20", 10.0), trial("resnet20", setting="old"))
    two = write(tmp_path / "two.jsonl", first, second, {**first, **other})
    with open(two, "a") as file:
        file.write(json.dumps(first)[:-9])  # killed while it wrote
    assert training.main(["--merge", str(one), str(two)]) == 0
    printed = capsys.readouterr()
    assert "Left out: 1 measurements of recipes that have changed since." in printed.err
    ours, theirs = printed.out.split("another device; torch 1.0, made up; ")
    assert ours.startswith(
        f"{training.device_name(torch.device('cpu'))}; torch {torch.__version__}, made up; fp32, "
    )
    assert f" | {IMAGES} x {EPOCHS} | 2 | 60.00%, 20.00 points | 1.0% | 2.0 | 1.0 | 100 | - |" in ours
    assert "| resnet20 | 1 | 10 | 10.00 |" in ours
    assert f" | {IMAGES} x {EPOCHS} | 1 | 50.00%, 0.00 points | " in theirs
    assert "| resnet20 |" not in theirs
    assert training.main(["--merge", str(tmp_path / "none.jsonl")]) == 2
    assert "none.jsonl" in capsys.readouterr().err
