"""The benchmark of what each choice of a recipe is worth: stopped, resumed, and its table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from benchmarks import choices  # noqa: E402
from benchmarks.training_parts.record import Record, read  # noqa: E402
from cnnlab.torch_settings import one_thread  # noqa: E402
from cnnlab.train import recipes  # noqa: E402
from tests.benchmarks.tiny_training import make_tiny  # noqa: E402


def test_each_choice_changes_one_thing() -> None:
    recipe = recipes.get("resnet20", "small").recipe
    changed = [choice.recipe(recipe) for choice in choices.CHOICES]
    network = [choice for choice in choices.CHOICES if choice.recipe(recipe) == recipe]
    assert [choice.title for choice in network] == [choices.BASE, "last gamma of each block 0"]
    assert len(set(changed)) == len(changed) - 1


def test_a_run_that_was_stopped_measures_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_tiny(monkeypatch.setitem, monkeypatch.setattr)
    monkeypatch.setattr(choices, "CHOICES", choices.CHOICES[:3])
    fit, results, calls = choices.fit, tmp_path / "choices.jsonl", []
    arguments = ["--networks", "resnet18", "--seeds", "2", "--images", "40", "--results", str(results)]

    def stopped(*given: Any, **how: Any) -> Any:
        calls.append(how["seed"])
        if len(calls) == 4:
            raise KeyboardInterrupt
        return fit(*given, **how)

    monkeypatch.setattr(choices, "fit", stopped)
    with one_thread():
        assert choices.main(arguments) == 130
        assert "start again to go on" in capsys.readouterr().err and len(read(results)) == 3
        assert choices.main(arguments) == 0
    assert calls == [0, 1, 0, 1, 1, 0, 1]
    head, _, *rows = capsys.readouterr().out.strip().splitlines()
    assert head == "| choice | resnet18: test accuracy | resnet18: test loss |"
    assert [row.split(" | ")[0] for row in rows] == [f"| {choice.title}" for choice in choices.CHOICES]
    accuracy = [line["accuracy"] for line in Record(results).lines]
    assert rows[0].split(" | ")[1] == f"{50 * (accuracy[0] + accuracy[1]):.1f} %"
    differences = sorted(100 * (accuracy[2 + seed] - accuracy[seed]) for seed in range(2))
    if any(differences):
        assert f"({differences[0]:+.1f} to {differences[1]:+.1f})" in rows[1]
