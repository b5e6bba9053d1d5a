"""The ways "module", "script" and "table": right Answers pass however they are written, wrong ones are told why."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from autograder.authoring.matrix import told_apart
from autograder.exercise import DeclarationError, Exercise, normal
from autograder.exercises.rows import plain_case, public, rows, secret
from cnnlab import check
from cnnlab.checking import cases, report
from cnnlab.checking.check import CheckFailed, examine
from cnnlab.checking.question import Questionnaire
from cnnlab.checking.report import Remarks
from cnnlab.checking.way import Way
from tests.cnnlab.checking.ways_parts import finding
from tests.ways_sample import ANSWERS, BLOCK, COLUMNS, EXERCISES, PLATEAU, TABLE, TOGETHER, written

SECRETS = (b"first course", b"second course")

each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)


def questionnaires(exercise: Exercise) -> list[Questionnaire]:
    return [exercise.public_questions(), *(exercise.secret_questions(secret) for secret in SECRETS)]


# The proof matrix


@each_exercise
def test_a_right_answer_passes_however_it_is_written(exercise: Exercise) -> None:
    for questionnaire in questionnaires(exercise):
        failed = finding(questionnaire, written(exercise)).failed
        assert not failed, [f"{r.question.words}: {r.difference and r.difference.sentence}" for r in failed]


@each_exercise
def test_every_mistake_is_killed_and_recognised_and_any_two_are_told_apart(exercise: Exercise) -> None:
    for questionnaire in questionnaires(exercise):
        for mistake in exercise.mistakes:
            found = finding(questionnaire, mistake.function)
            assert found.failed and found.mistake == mistake.name
        for one, other in combinations([mistake.name for mistake in exercise.mistakes], 2):
            assert any(told_apart(q, one, other) for q in questionnaire.questions), (one, other)


EDITS = [
    (BLOCK, "+ self.shortcut(x))", "+ x)", "projection"),
    (BLOCK, "torch.relu(self.second(torch.relu(y)) + self.shortcut(x))",
     "self.shortcut(x) + torch.relu(self.second(torch.relu(y)))", "relu"),
    (BLOCK, "groups=groups", "groups=1", "groups"),
    (PLATEAU, "loss < min", "loss <= min", "ties"),
    (PLATEAU, "min(self.seen)", "self.seen[-1]", "last"),
    (PLATEAU, "self.bad <= self.patience", "self.bad < self.patience", "early"),
    (TABLE, "size + count", "size", "bias"),
    (TABLE, "size * height * width", "size", "places"),
    (TOGETHER, "torch.softmax(model(images), dim=1)", "model(images)", "scores"),
    (TOGETHER, "total / len(models)", "(total / len(models)).argmax(dim=1)", "classes"),
]  # fmt: skip


@pytest.mark.parametrize(("exercise", "right", "wrong", "mistake"), EDITS, ids=lambda v: str(v)[:20])
def test_a_wrong_answer_of_a_students_own_is_recognised(
    exercise: Exercise, right: str, wrong: str, mistake: str
) -> None:
    source = ANSWERS[exercise.name]
    assert right in source
    for questionnaire in questionnaires(exercise):
        found = finding(questionnaire, written(exercise, source.replace(right, wrong)))
        assert found.mistake == mistake


# What a student sees


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the public Cases of these Exercises."""
    cases.save(tmp_path / "99_ways.npz", [exercise.public_questions() for exercise in EXERCISES])
    return tmp_path


@each_exercise
def test_check_passes_a_right_answer(exercise: Exercise, folder: Path, capsys) -> None:
    check(written(exercise), folder)
    assert f"{exercise.name}: " in capsys.readouterr().out


REPORTS = [
    (BLOCK, "+ self.shortcut(x))", "+ x)", ["BasicBlock(channels=4, filters=8, stride=2) on x (2, 4, 7, 6)"]),
    (BLOCK, "torch.relu(self.second(torch.relu(y)) + self.shortcut(x))",
     "self.shortcut(x) + torch.relu(self.second(torch.relu(y)))", ["add first", "y_eval[0, 0, ", "expected"]),
    (PLATEAU, "self.bad <= self.patience", "self.bad < self.patience",
     ["ReduceOnPlateau(lr=0.1, factor=0.5, patience=2), then step(", "is True, expected False", "That is call 3"]),
    (TABLE, "size + count", "size", ["rows[0]['parameters'] is 216, expected 224", "165,888"]),
]  # fmt: skip


@pytest.mark.parametrize(("exercise", "right", "wrong", "words"), REPORTS, ids=lambda v: str(v)[:12])
def test_a_wrong_answer_is_reported(
    exercise: Exercise, right: str, wrong: str, words: list[str], folder: Path, capsys
) -> None:
    answer = written(exercise, ANSWERS[exercise.name].replace(right, wrong))
    with pytest.raises(CheckFailed):
        check(answer, folder)
    said = " ".join(capsys.readouterr().out.split())
    found = examine(answer, exercise.name, folder)
    page = report.html(found, Remarks(way=exercise.way))
    for word in words:
        assert word in said
    assert max(map(len, report.text(found, Remarks(way=exercise.way)).splitlines())) <= report.WIDTH
    assert ("<svg" in page) and ("<script" not in page)


def test_a_table_is_drawn_with_the_wrong_cells_marked_and_nothing_of_a_students_as_html() -> None:
    hostile = "def stack_table(image, filters): return [('<script>', (8, 32, 24), 2**900, None)] * 6"
    page = report.html(
        finding(TABLE.public_questions(), written(TABLE, hostile)), Remarks(way=Way(table=COLUMNS))
    )
    assert "<script" not in page and "&lt;script&gt;" in page and "Yours has 2 more rows." in page


# Declaring


def test_an_exercise_that_its_way_cannot_ask_is_refused() -> None:
    parts: dict[str, Any] = {
        "name": "e",
        "reference": nn.Identity,
        "cases": rows(
            plain_case,
            "basic",
            public("any", x=normal(2)),
            secret("any", x=normal(2)),
        ),
        "points": {"basic": 1},
    }
    for returns, way in (
        (("z",), Way(module="x")),
        (("y",), Way(module="image")),
        (("lr",), Way(script="calls")),
        (("a", "b"), Way(table=("name",))),
    ):
        with pytest.raises(DeclarationError):
            Exercise(returns=returns, way=way, **parts)


def test_a_way_survives_its_journey() -> None:
    for way in (Way(module="x"), Way(script="calls"), Way(table=("a", "b")), Way(functions=("f",))):
        assert Way.from_value(way.as_value()) == way
    assert set(Way().as_value()) == {"functions", "rng", "summary", "file", "speed"}
