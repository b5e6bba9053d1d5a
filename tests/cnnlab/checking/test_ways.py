"""The ways "module", "script" and "table": right Answers pass however they are written, wrong ones are told why."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from autograder.authoring.matrix import told_apart  # noqa: E402
from autograder.exercise import DeclarationError, Exercise, normal  # noqa: E402
from autograder.exercises.rows import group, public, secret  # noqa: E402
from cnnlab import check  # noqa: E402
from cnnlab.checking import cases, probe, report  # noqa: E402
from cnnlab.checking.assess import Finding, Questionnaire, assess  # noqa: E402
from cnnlab.checking.check import CheckFailed, examine  # noqa: E402
from cnnlab.checking.outcome import Outcome  # noqa: E402
from cnnlab.checking.report import Remarks  # noqa: E402
from cnnlab.checking.way import Way  # noqa: E402
from tests.ways_sample import ANSWERS, BLOCK, COLUMNS, EXERCISES, PLATEAU, TABLE, TOGETHER, written  # noqa: E402

SECRETS = (b"first course", b"second course")
X = np.random.default_rng(0).normal(size=(2, 3, 5, 4))
each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)


def questionnaires(exercise: Exercise) -> list[Questionnaire]:
    return [exercise.public_questions(), *(exercise.secret_questions(secret) for secret in SECRETS)]


def finding(questionnaire: Questionnaire, function: Any) -> Finding:
    way, returns = questionnaire.way, questionnaire.returns
    outcomes = [probe.ask(function, dict(q.inputs), returns, way) for q in questionnaire.questions]
    return assess(questionnaire, outcomes)


def module(build: Any, *returns: str, **inputs: Any) -> Outcome:
    return probe.ask(build, {"x": X, **inputs}, returns or ("y",), Way(module="x"))


def network(forward: Any = None, *layers: nn.Module) -> Any:
    """Return what builds a module of these layers, whose forward is `forward(layers, x)`."""

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(*layers)

        def forward(self, x: torch.Tensor) -> Any:
            return forward(self.layers, x) if forward else self.layers(x)

    return Network


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


# module


def test_the_order_of_definition_and_the_names_do_not_matter() -> None:
    class Other(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.b = nn.Conv2d(4, 2, 1)
            self.a = nn.Conv2d(3, 4, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.b(torch.relu(self.a(x)))

    asked = ("parameters", "shapes", "y_eval", "y", "dx", "gradients")
    one = module(network(None, nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 1)), *asked)
    other = module(Other, *asked)
    assert one.kind == "values" and probe.same(one.values, other.values)
    assert one.values["shapes"] == [(2,), (2, 4, 1, 1), (4,), (4, 3, 3, 3)]
    assert one.values["parameters"] == 2 + 8 + 4 + 108
    assert all(type(v) is np.ndarray and v.dtype == np.float64 for v in list(one.values.values())[2:])


def test_dropout_before_or_after_flattening_is_the_same() -> None:
    layers = [nn.AdaptiveAvgPool2d(1), nn.Dropout(0.4), nn.Flatten()]
    one, other = (module(network(None, *which), "y", "dx") for which in (layers, [layers[0], *layers[:0:-1]]))
    assert one.kind == "values" and probe.same(one.values, other.values)


def test_gradients_are_those_of_the_given_upstream_and_summed_by_shape() -> None:
    dout = np.random.default_rng(1).normal(size=(2, 3, 5, 4))
    layers = [nn.Conv2d(3, 3, 3, padding=1) for _ in range(2)]
    outcome = module(network(None, *layers), "y", "dx", "gradients", dout=dout)
    net = nn.Sequential(*(nn.Conv2d(3, 3, 3, padding=1).double() for _ in range(2)))
    for layer, filled in zip(net, layers, strict=True):
        layer.load_state_dict(filled.double().state_dict())
    x = torch.from_numpy(X).requires_grad_()
    y = net(x)
    y.backward(torch.from_numpy(dout))
    assert np.allclose(outcome.values["y"], y.detach().numpy(), atol=1e-12)
    assert np.allclose(outcome.values["dx"], x.grad.numpy(), atol=1e-12)
    weights = net[0].weight.grad + net[1].weight.grad
    assert np.allclose(outcome.values["gradient of (3, 3, 3, 3)"], weights.numpy(), atol=1e-12)
    assert torch.equal(layers[0].weight, layers[1].weight)


def test_train_and_eval_mode_differ_where_they_must() -> None:
    layer = nn.BatchNorm2d(3)
    values = module(network(None, layer), "y", "y_eval").values
    normed = (X - X.mean((0, 2, 3), keepdims=True)) / np.sqrt(X.var((0, 2, 3), keepdims=True) + 1e-5)
    scale, bias = (v.detach().numpy()[None, :, None, None] for v in (layer.weight, layer.bias))
    assert np.allclose(values["y"], scale * normed + bias)
    assert not np.allclose(values["y"], values["y_eval"])


def test_dropout_is_the_same_each_time_and_off_in_eval_mode() -> None:
    first, second = (module(network(None, nn.Dropout(0.5)), "y", "y_eval").values for _ in range(2))
    assert probe.same(first, second) and np.array_equal(first["y_eval"], X)
    dropped = first["y"] == 0
    assert 0.3 < dropped.mean() < 0.7 and np.allclose(first["y"][~dropped], 2 * X[~dropped])
    always = network(lambda layers, x: nn.functional.dropout(x, 0.5))
    assert not np.array_equal(module(always, "y_eval").values["y_eval"], X)
    maps = module(network(None, nn.Dropout2d(0.5)), "y").values["y"] == 0
    assert (maps.all((2, 3)) == maps.any((2, 3))).all()
    by_itself = network(lambda layers, x: torch.dropout(x, 0.5, layers.training))
    assert np.array_equal(module(by_itself, "y").values["y"], first["y"])


def test_a_tuple_of_outputs_has_a_gradient_through_each() -> None:
    two = network(lambda layers, x: (layers[0](x), layers[1](x)), nn.Conv2d(3, 2, 1), nn.Conv2d(3, 4, 1))
    values = module(two, "y_shape", "y", "gradients").values
    assert [y.shape for y in values["y"]] == [(2, 2, 5, 4), (2, 4, 5, 4)] == values["y_shape"]
    assert all(np.abs(values[f"gradient of ({n}, 3, 1, 1)"]).min() > 0 for n in (2, 4))


def test_a_large_network_is_counted_without_its_numbers() -> None:
    def build() -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(60, 1 << 20), nn.Linear(1 << 20, 1 << 16))

    outcome = module(build, "y_shape", "parameters", "shapes")
    assert outcome.values["parameters"] == 60 * 2**20 + 2**20 + 2**36 + 2**16
    assert outcome.values["y_shape"] == (2, 1 << 16)


def test_a_lazy_layer_has_its_size_from_the_input() -> None:
    lazy = module(lambda: nn.Sequential(nn.LazyConv2d(4, 3)), "parameters", "y")
    assert probe.same(
        lazy.values, module(lambda: nn.Sequential(nn.Conv2d(3, 4, 3)), "parameters", "y").values
    )


def test_a_constructor_that_looks_at_numbers_can_be_counted_too() -> None:
    def build() -> nn.Module:
        torch.linspace(0, 0.1, 3).tolist()
        return nn.Conv2d(3, 4, 3)

    assert module(build, "parameters").values == {"parameters": 112}


def test_a_parameter_without_a_gradient_has_zeros_and_a_shared_one_counts_once() -> None:
    unused = network(lambda layers, x: layers[0](x), nn.Conv2d(3, 2, 1), nn.Linear(7, 5))
    assert not module(unused, "gradients").values["gradient of (5, 7)"].any()
    layer = nn.Conv2d(3, 3, 1)
    assert module(network(None, layer, layer), "parameters").values == {"parameters": 12}


def test_a_layer_used_in_place_of_another_like_it_is_noticed_where_gradients_are_asked_for() -> None:
    layers = [nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4)]
    right = network(None, *layers)
    first_norm_twice = network(lambda n, x: n[1](n[2](n[1](n[0](x)))), *layers)
    asked = ("parameters", "shapes", "y_eval", "y", "dx")
    assert probe.same(module(first_norm_twice, *asked).values, module(right, *asked).values)
    assert module(right, *asked, "gradients").kind == "values"
    outcome = module(first_norm_twice, *asked, "gradients")
    assert (outcome.kind, outcome.values) == ("bad output", {})
    assert outcome.message.startswith("its parameter of shape (4,) is never used in forward")
    layers[3].requires_grad_(False)  # what is frozen may be left aside
    assert module(first_norm_twice, "gradients").kind == "values"


class Subclass(torch.Tensor):
    pass


class NoForward(nn.Module):
    pass


class NoSuper(nn.Module):
    def __init__(self) -> None:
        pass


def raising(layers: Any, x: torch.Tensor) -> torch.Tensor:
    raise ValueError("my own words")


WRONG = {
    "a function of x": (lambda: torch.relu, "bad output", "it gives a builtin_function_or_method, not a"),
    "nothing built": (lambda: None, "bad output", "it returned None; is a return statement missing?"),
    "no forward": (NoForward, "bad output", "its module has no forward method; write forward(self, x)"),
    "no super": (NoSuper, "bad output", "it gives a "),
    "an argument too many": (lambda wide: None, "error", "TypeError: "),
    "another name": (lambda **more: nn.Conv2d(3, 4, 3, wide=1), "error", "TypeError: "),
    "nothing": (network(lambda n, x: None), "bad output", "its forward returned None; is a return"),
    "NumPy": (network(lambda n, x: x.detach().numpy()), "bad output", "returned a numpy.ndarray, not a torch"),
    "a subclass": (network(lambda n, x: x.as_subclass(Subclass)), "bad output", "Subclass, not a torch.Tensor"),
    "a float32": (network(lambda n, x: x.float()), "bad output", "returned torch.float32 for an x of torch.float64"),
    "detached": (network(lambda n, x: x.detach()), "bad output", "no gradient goes back from what it returns"),
    "no grad": (network(torch.no_grad()(lambda n, x: n(x)), nn.Conv2d(3, 2, 1)), "bad output", "no gradient goes"),
    "x.data": (network(lambda n, x: n(x.data), nn.Conv2d(3, 2, 1)), "bad output", "no gradient reaches x"),
    "in place": (network(lambda n, x: x.relu_()), "bad output", "it changed its input x"),
    "a wrong size": (network(None, nn.Conv2d(4, 2, 1)), "error", "RuntimeError: "),
    "its own error": (network(raising), "error", "ValueError: my own words"),
    "stub": (network(lambda n, x: stub()), "error", "it needs stub, which is not written yet"),
}  # fmt: skip


def stub() -> None:
    raise NotImplementedError


@pytest.mark.parametrize("what", WRONG)
def test_what_a_module_does_wrong_is_said_in_one_sentence(what: str) -> None:
    build, kind, words = WRONG[what]
    outcome = module(build, "y", "dx", "gradients")
    assert outcome.kind == kind
    assert words in outcome.message


def test_a_class_that_is_still_a_stub_is_not_attempted() -> None:
    class InInit(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            raise NotImplementedError

    class InForward(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            raise NotImplementedError

    for one in (InInit, InForward, stub):
        assert module(one, "y").kind == module(one, "parameters", "y_shape").kind == "not attempted"


def test_what_it_overrides_does_not_change_what_is_counted() -> None:
    class Liar(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Conv2d(3, 2, 1)

        def parameters(self, recurse: bool = True) -> Any:
            return iter(())

        named_parameters = state_dict = buffers = modules = children = parameters

        def __getattr__(self, name: str) -> Any:
            return super().__getattr__(name)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.inner(x)

    honest = module(network(None, nn.Conv2d(3, 2, 1)), "parameters", "shapes", "y", "gradients")
    assert probe.same(module(Liar, "parameters", "shapes", "y", "gradients").values, honest.values)


def test_settings_of_torch_that_an_answer_changes_are_put_back() -> None:
    def forward(layers: Any, x: torch.Tensor) -> torch.Tensor:
        torch.set_default_dtype(torch.float16)
        torch.set_grad_enabled(False)
        torch.set_num_threads(torch.get_num_threads() + 1)
        torch.manual_seed(3)
        return layers(x)

    torch.set_default_dtype(torch.float32)
    build = network(forward, nn.Conv2d(3, 2, 1))
    threads, chance = torch.get_num_threads(), torch.get_rng_state()
    first = module(build, "y_eval").values
    assert torch.get_default_dtype() is torch.float32 and torch.is_grad_enabled()
    assert torch.get_num_threads() == threads and torch.equal(torch.get_rng_state(), chance)
    assert probe.same(module(build, "y_eval").values, first)
    assert module(network(None, nn.Conv2d(3, 2, 1)), "dx").kind == "values"


def test_a_case_is_not_changed_by_what_is_done_with_it() -> None:
    x, before = X.copy(), X.copy()
    probe.ask(network(lambda n, x: x.mul_(2)), {"x": x}, ("y_eval",), Way(module="x"))
    assert np.array_equal(x, before)


# script


def script(build: Any, calls: list[Any], *returns: str, **inputs: Any) -> Outcome:
    return probe.ask(build, {"calls": calls, **inputs}, returns, Way(script="calls"))


class Momentum:
    """An optimiser that changes the arrays it was given."""

    def __init__(self, weights: list[np.ndarray], lr: float) -> None:
        self.weights, self.lr, self.count = weights, lr, 0

    def step(self, gradients: list[np.ndarray]) -> None:
        self.count += 1
        for weight, gradient in zip(self.weights, gradients, strict=True):
            weight -= self.lr * gradient


def test_an_optimiser_is_followed_from_step_to_step() -> None:
    weights, gradient = [np.ones(2)], [np.array([1.0, 2.0])]
    outcome = script(
        Momentum, [("step", gradient)] * 2, "weights", "count", "returned", weights=weights, lr=0.5
    )
    assert [list(w[0]) for w in outcome.values["weights"]] == [[1, 1], [0.5, 0], [0, -1]]
    assert list(outcome.values["count"]) == [0, 1, 2] and outcome.values["returned"] == [None, None]
    assert list(weights[0]) == [1, 1]


class Odd:
    def __init__(self) -> None:
        self.held: Any = AlwaysEqual()

    def spoil(self, array: np.ndarray) -> None:
        array[0] = 7

    def fail(self) -> None:
        raise KeyError("nothing")

    def stub(self) -> None:
        raise NotImplementedError


class AlwaysEqual:
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("calls", "returns", "kind", "words"),
    [
        ([("spoil", np.zeros(2))], "returned", "bad output", "spoil, call 1 of 1, changed its argument"),
        ([("gone",)], "returned", "bad output", "Odd, has no method gone"),
        ([], "missing", "bad output", "Odd, has no attribute missing when it is built"),
        ([], "held", "bad output", "when it is built its held is a test_ways.AlwaysEqual; it must be"),
        ([("fail",)], "returned", "error", "KeyError: 'nothing'"),
        ([("stub",)], "returned", "not attempted", "it still raises NotImplementedError"),
    ],
)
def test_what_an_object_does_wrong_is_said_in_one_sentence(
    calls: list[Any], returns: str, kind: str, words: str
) -> None:
    outcome = script(Odd, calls, returns)
    assert outcome.kind == kind and words in outcome.message


def test_whole_numbers_and_others_make_one_array() -> None:
    class Lr:
        lr: float = 1

        def halve(self) -> None:
            self.lr = self.lr / 2

    assert script(Lr, [("halve",)], "lr").values["lr"].tolist() == [1.0, 0.5]


# table


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (5, "it returned a int; return a list of rows"),
        ([("a", 1), ("b",)], "row 1 has 1 values, not 2; its columns are name, macs"),
        ([{"name": "a"}], "row 0 lacks macs"),
        ([{"name": "a", "macs": 1, "more": 2}], "row 0 has more too"),
        (["ab"], "row 0 is a str, not a dict or a tuple"),
    ],
)
def test_rows_that_are_none_are_said(rows: Any, words: str) -> None:
    outcome = probe.ask(lambda: rows, {}, ("rows",), Way(table=("name", "macs")))
    assert outcome.kind == "bad output" and words in outcome.message


def test_a_table_that_differs_says_row_column_expected_and_got() -> None:
    questionnaire = TABLE.public_questions()
    found = finding(questionnaire, written(TABLE, ANSWERS["stack_table"].replace("height * width", "height")))
    assert found.telling is not None and found.telling.difference is not None
    assert found.telling.difference.sentence == "rows[0]['macs'] is 6912, expected 165888"
    short = "def stack_table(image, filters): return [(f'conv1', (8, 32, 24), 224, 165888)]"
    found = finding(questionnaire, written(TABLE, short))
    assert (
        found.telling and found.telling.difference and found.telling.difference.sentence
    ) == "rows has 1 rows, expected 4 rows"


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
        "cases": group("basic", public("any", x=normal(2)), secret("any", x=normal(2))),
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
