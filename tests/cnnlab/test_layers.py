"""`cnnlab.layers`: the student's own functions, and stand-ins that say so and never help to write themselves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cnnlab import check, layers
from cnnlab.checking import cases, probe
from cnnlab.checking.assess import assess
from cnnlab.checking.check import CheckFailed, examine
from cnnlab.library import NotYet, asking, catalogue, shelf, standins

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 3, 6, 5))
ASKED = [
    name for names in catalogue.lessons().values() for name in names if name in catalogue.STAND_IN_MODULE
]


@pytest.fixture(autouse=True)
def nothing_said_yet():
    asking.forget_said()


@pytest.mark.parametrize("name", ASKED)
def test_each_stand_in_passes_the_public_cases_of_its_exercise(name):
    questions = cases.load(name)
    if questions.way.summary:
        pytest.skip("judged by properties; see the tests by value below")
    stand_in = standins.standin(name)
    outcomes = [
        probe.ask(stand_in, dict(q.inputs), questions.returns, questions.way) for q in questions.questions
    ]
    finding = assess(questions, outcomes)
    assert finding.passed, [r.difference and r.difference.sentence for r in finding.failed]


@pytest.mark.parametrize("name", catalogue.STAND_IN_MODULE)
def test_each_stand_in_belongs_to_the_lesson_that_asks_for_it(name):
    lesson = catalogue.lesson_of(name)
    assert not lesson or lesson.startswith(catalogue.lesson_number(name) + "_")
    assert name in dir(layers)


def test_the_stand_ins_of_training():
    import torch

    F = torch.nn.functional
    scores, labels = RNG.normal(size=(4, 3)), np.array([0, 2, 1, 1])
    loss, dscores = layers.softmax_cross_entropy(scores, labels)
    t = torch.tensor(scores, requires_grad=True)
    expected = F.cross_entropy(t, torch.tensor(labels))
    expected.backward()
    assert isinstance(loss, float) and np.isclose(loss, float(expected.detach()))
    assert t.grad is not None and np.allclose(dscores, t.grad.numpy())

    y, mask = layers.dropout_forward(np.ones((100, 50)), 0.3, np.random.default_rng(1))
    assert mask.dtype == bool and abs(mask.mean() - 0.7) < 0.02 and np.allclose(y[mask], 1 / 0.7)
    assert np.array_equal(layers.dropout_backward(np.ones((100, 50)), mask, 0.3), y)

    gamma, beta = RNG.normal(size=3), RNG.normal(size=3)
    y, mean, var = layers.batchnorm2d_forward(X, gamma, beta)
    assert np.allclose(mean, X.mean((0, 2, 3))) and np.allclose(var, X.var((0, 2, 3)))
    assert np.allclose(y.mean((0, 2, 3)), beta) and np.allclose(y.std((0, 2, 3)), abs(gamma), atol=1e-4)
    dx, dgamma, dbeta = layers.batchnorm2d_backward(y, X, gamma, beta)
    assert dx.shape == X.shape and np.allclose(dbeta, y.sum((0, 2, 3))) and dgamma.shape == (3,)

    p, g, v = (RNG.normal(size=4) for _ in range(3))
    new, velocity = layers.sgd_momentum_step(p, g, v, 0.1, 0.9, 0.01)
    assert np.allclose(velocity, 0.9 * v + g + 0.01 * p) and np.allclose(new, p - 0.1 * velocity)

    for shape, fan_in in (((64, 16, 3, 3), 144), ((400, 80), 400)):
        weights = layers.he_normal(shape, np.random.default_rng(2))
        assert weights.shape == shape and np.isclose(weights.std(), np.sqrt(2 / fan_in), rtol=0.05)

    W, b = RNG.normal(size=(5, 2)), RNG.normal(size=2)
    x = RNG.normal(size=(3, 5))
    assert np.allclose(layers.linear_forward(x, W, b), x @ W + b)
    dx, dW, db = layers.linear_backward(np.ones((3, 2)), x, W, b)
    assert np.allclose(dx, np.ones((3, 2)) @ W.T) and np.allclose(dW, x.T @ np.ones((3, 2)))
    assert np.allclose(db, 3)


def test_the_stand_ins_of_cheap_convolutions_agree_with_the_full_one():
    w, b = RNG.normal(size=(4, 3)), RNG.normal(size=4)
    full = layers.conv2d_forward(X, w[:, :, None, None], b)
    assert np.allclose(layers.conv1x1_forward(X, w, b), full)
    dout = RNG.normal(size=full.shape)
    for got, expected in zip(
        layers.conv1x1_backward(dout, X, w, b),
        layers.conv2d_backward(dout, X, w[:, :, None, None], b),
        strict=True,
    ):
        assert np.allclose(got, expected.reshape(got.shape))
    w, b = RNG.normal(size=(3, 2, 3, 2)), RNG.normal(size=6)
    depthwise = layers.depthwise_conv2d_forward(X, w, b, stride=2, padding=1)
    grouped = layers.grouped_conv2d_forward(X, w.reshape(6, 1, 3, 2), b, 3, 2, 1)
    assert np.allclose(depthwise, grouped)
    dx, dw, db = layers.depthwise_conv2d_backward(depthwise, X, w, b, 2, 1)
    assert dx.shape == X.shape and dw.shape == w.shape and np.allclose(db, depthwise.sum((0, 2, 3)))
    assert layers.separable_cost_ratio(64, 3) == pytest.approx(1 / 64 + 1 / 9)
    assert layers.bottleneck_parameters(256, 64) == 256 * 64 * 2 + 64 * 64 * 9
    assert layers.macs((3, 32, 32), 6, 5) == 6 * 28 * 28 * 75


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_stays_and_the_arguments_too(dtype):
    x, w, b = X.astype(dtype), RNG.normal(size=(4, 3, 3, 3)).astype(dtype), np.ones(4, dtype)
    before = x.copy()
    flipped = x[:, :, ::-1]  # torch takes no negative steps
    y = layers.conv2d_forward(flipped, w, b, padding=((1, 0), (0, 2)))
    assert y.dtype == dtype and np.array_equal(x, before)
    assert all(g.dtype == dtype for g in layers.conv2d_backward(y, x, w, b, padding=((1, 0), (0, 2))))


def test_a_stand_in_says_so_once(capsys):
    for _ in range(2):
        layers.im2col(X, 2)
        layers.pad2d(X, 1)
    assert capsys.readouterr().out == (
        "im2col is not in your library yet: cnnlab lends a stand-in made with torch; write it in lesson 02.\n"
        "pad2d is not in your library yet: cnnlab lends a stand-in made with torch; write it in lesson 02.\n"
    )


def test_an_answer_of_one_s_own_is_preferred(library, capsys):
    shelf.write("im2col", "def im2col(x, kernel):\n    return 'mine'\n")
    assert layers.im2col(X, 2) == "mine" and layers.im2col is layers.im2col
    assert layers.im2col.__module__ == "cnnlab_answer_im2col"
    shelf.write("im2col", "def im2col(x, kernel):\n    return 'mine too'\n")
    assert layers.im2col(X, 2) == "mine too"
    assert capsys.readouterr().out == ""


def test_a_damaged_file_is_named(library):
    shelf.write("im2col", "def im2col(x:\n")
    with pytest.raises(
        ImportError, match=r"im2col\.py cannot be loaded \(SyntaxError.*run the check of im2col again"
    ):
        _ = layers.im2col
    shelf.write("im2col", "im2col = 3\n")
    with pytest.raises(ImportError, match=r"does not define im2col"):
        _ = layers.im2col
    (library / "im2col.py").write_bytes(b"\xff\xfe")
    with pytest.raises(ImportError, match=r"im2col\.py cannot be read"):
        _ = layers.im2col


def test_names_that_nothing_stands_for():
    with pytest.raises(
        NotYet, match=r"^cnnlab\.layers has no conv3d: no lesson has an exercise of that name$"
    ):
        _ = layers.conv3d
    assert not hasattr(layers, "conv3d") and not hasattr(layers, "__path__")


def test_a_name_without_a_stand_in_is_told_its_lesson(monkeypatch):
    monkeypatch.setattr(catalogue, "lessons", lambda folder=None: {"09_vgg": ("make_vgg",)})
    with pytest.raises(NotYet, match=r"^make_vgg is not in your library yet: write it in lesson 09$"):
        _ = layers.make_vgg


def test_what_is_being_written_cannot_lend_itself(library):
    early = layers.pad2d

    def pad2d(x, padding, value=0.0):
        return layers.pad2d(x, padding, value)

    def helper(x, padding, value):
        return early(x, padding, value)

    def by_a_helper(x, padding, value=0.0):
        return helper(x, padding, value)

    by_a_helper.__name__ = "pad2d"
    for answer in (pad2d, by_a_helper, early):
        finding = examine(answer, "pad2d")
        assert len(finding.failed) == len(finding.results)
        assert finding.results[0].outcome.message == (
            "SelfCallError: pad2d is what you are writing here, so cnnlab.layers.pad2d cannot stand in for it"
        )
    shelf.write("pad2d", "def pad2d(x, padding, value=0.0):\n    return 'an old one'\n")
    assert "SelfCallError" in examine(pad2d, "pad2d").results[0].outcome.message
    assert layers.pad2d(X, 1) == "an old one"


def test_a_check_says_what_helped(capsys):
    def conv2d_naive(x, w, b, stride=1, padding=0):
        layers.im2col(x, w.shape[2:], stride, padding)
        return layers.conv2d_forward(x, w, b, stride, padding)

    check(conv2d_naive)
    out = capsys.readouterr().out
    assert "With stand-ins for im2col and conv2d_forward, which are not in your library yet." in out
    assert "lends" not in out

    def conv2d_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
        return layers.pad2d(x, padding)

    with pytest.raises(CheckFailed):
        check(conv2d_forward)
    assert "With a stand-in for pad2d, which is not in your library yet." in capsys.readouterr().out
    layers.pad2d(X, 1)  # outside a check it still says so, once
    assert capsys.readouterr().out.startswith("pad2d is not in your library yet")


WITHOUT_TORCH = """
import sys
import numpy as np
sys.modules["torch"] = None
from cnnlab import layers
from cnnlab.library import catalogue, standins
failed = []
for name in catalogue.STAND_IN_MODULE:
    function = standins.standin(name)
    plain = function.__wrapped__
    count = plain.__code__.co_argcount - len(plain.__defaults__ or ())
    try:
        function(*[np.ones((1, 1, 1, 1))] * count)
    except ImportError as error:
        assert str(error).startswith(name + " is not in your library, and cnnlab's stand-in needs torch"), error
        continue
    failed.append(name)
print(failed)
"""


def test_without_torch_no_stand_in_helps(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).resolve().parents[2]), "PATH": ""},
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")
