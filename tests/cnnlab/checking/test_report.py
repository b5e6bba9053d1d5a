"""Reports: one line, a text of 88 columns, and HTML that stands by itself."""

from __future__ import annotations

import base64
import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from PIL import Image

from cnnlab.checking import picture, probe, report
from cnnlab.checking.assess import Finding, assess
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.question import Clue, Question, Questionnaire
from cnnlab.checking.report import Remarks
from cnnlab.checking.way import Way
from cnnlab.checking.wire import Value

RNG = np.random.default_rng(0)
X4 = RNG.normal(size=(2, 3, 4, 3))
PHOTO = np.hypot(*np.meshgrid(np.linspace(-1, 1, 200), np.linspace(-1, 1, 200)))
HINT = "You forgot to double: each value has to be taken twice."


def find(function: Callable, right: Callable, *inputs: Mapping[str, Value], returns=("out",)) -> Finding:
    """Ask `function` one Case for each of `inputs`; `right` gives what is expected."""
    questions = []
    for n, given in enumerate(inputs):
        expected = probe.call(right, dict(given), returns).values
        mistakes = {
            "not doubled": probe.call(lambda **given: next(iter(given.values())), dict(given), returns)
        }
        questions.append(Question(f"case number {n}", "basic", given, expected, 1e-6, mistakes))
    everything = Questionnaire("double", tuple(returns), tuple(questions), {"not doubled": HINT})
    return assess(everything, [probe.call(function, dict(given), tuple(returns)) for given in inputs])


def double(x: np.ndarray, **_: Value) -> np.ndarray:
    return x * 2


def wrong_at(*index: int) -> Callable:
    def function(x: np.ndarray, **_: Value) -> np.ndarray:
        out = x * 2.0
        out[index] += 1
        return out

    return function


def parsed(finding: Finding) -> ET.Element:
    """Return the report's HTML as a tree: it has to be well formed."""
    return ET.fromstring(report.html(finding))


def words_of(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def drawings(tree: ET.Element) -> list[ET.Element]:
    return [svg for figure in tree.iter("figure") for svg in figure.iter("{http://www.w3.org/2000/svg}svg")]


def titles(tree: ET.Element) -> list[str]:
    return [svg[0].text or "" for svg in drawings(tree)]


def pixels(svg: ET.Element) -> np.ndarray:
    (image,) = svg.iter("{http://www.w3.org/2000/svg}image")
    data = image.attrib["href"].removeprefix("data:image/png;base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")).astype(int)


def stub(x: np.ndarray) -> np.ndarray:
    raise NotImplementedError


def fails(x: np.ndarray) -> np.ndarray:
    raise ValueError("no <b>such</b>\nthing & \x1b[31mmore")


def test_passing_is_one_calm_line():
    finding = find(double, double, {"x": X4}, {"x": X4[0]})
    assert report.headline(finding) == report.text(finding) == "double: all 2 cases pass."
    tree = parsed(finding)
    assert words_of(tree) == "passesdouble: all 2 cases pass." and not drawings(tree)


def test_a_stub_is_told_what_to_do_next():
    finding = find(stub, double, {"x": X4})
    assert report.headline(finding) == "double is not attempted yet."
    assert "raises NotImplementedError" in report.text(finding)
    assert "raises NotImplementedError" in words_of(parsed(finding)) and not drawings(parsed(finding))


def test_a_recognised_mistake_is_in_the_first_line():
    finding = find(lambda x: x.copy(), double, {"x": X4}, {"x": X4[0]})
    assert report.headline(finding) == f"double: 2 of 2 cases fail. {HINT}"
    assert " ".join(report.text(finding).split()).startswith(report.headline(finding))
    assert HINT in words_of(parsed(finding))


def test_a_wrong_value_in_plain_text():
    finding = find(wrong_at(1, 0, 2, 1), double, {"x": X4, "n": 2})
    lines = report.text(finding).splitlines()
    assert lines[0] == "double: its one case fails."
    assert lines[2:4] == ["Case: case number 0", "      double(x (2, 3, 4, 3), n=2)"]
    got, expected = X4[1, 0, 2, 1] * 2 + 1, X4[1, 0, 2, 1] * 2
    assert lines[5] == f"out[1, 0, 2, 1] is {got:.6g}, expected {expected:.6g} (1 of 72 values differ)."
    assert lines[7].split() == ["expected", "out[1,", "0]", "got", "out[1,", "0]"]
    assert f"[{expected:.4g}]" in lines[10] and f"[{got:.4g}]" in lines[10]
    assert lines[-1] == "  FAIL  basic: case number 0"


@pytest.mark.parametrize(
    "function", [stub, fails, double, wrong_at(0, 0, 0, 0), lambda x: x[0], lambda x: None]
)
def test_no_line_of_text_is_wider_than_a_terminal(function):
    finding = find(function, double, {"x": X4}, {"x": X4[:1] * 1e-7})
    assert max(map(len, report.text(finding).splitlines())) <= 88


def test_the_picture_of_a_wrong_value_shows_its_slice_and_marks_its_cell():
    tree = parsed(find(wrong_at(1, 0, 2, 1), double, {"x": X4}))
    assert [title.split(":")[0] for title in titles(tree)] == [
        "input x[1, 0]",
        "expected out[1, 0]",
        "yours out[1, 0]",
        "yours \N{MINUS SIGN} expected",
    ]
    assert all(title.endswith("the first that differs is at row 2, column 1") for title in titles(tree)[1:])
    assert "Outlined: out[1, 0, 2, 1], the first value that differs." in words_of(tree)
    differences = [text.text or "" for text in drawings(tree)[3].iter("{http://www.w3.org/2000/svg}text")]
    assert [float(number) for number in differences[:12]] == [0] * 7 + [1] + [0] * 4
    # One scale for what is to be compared by eye.
    assert titles(tree)[1].split("scale")[1].split(";") == titles(tree)[2].split("scale")[1].split(";")


def test_a_second_input_is_shown_where_it_is_small():
    finding = find(wrong_at(0, 0), double, {"x": PHOTO, "w": np.ones((3, 3)), "b": np.ones(3)})
    assert [title.split(":")[0] for title in titles(parsed(finding))][:2] == ["input x", "input w"]


def test_another_shape_shows_both_arrays_with_cells_of_one_size():
    tree = parsed(find(lambda x: (x * 2)[:, :, ::2], double, {"x": X4}))
    assert "out has shape (2, 3, 2, 3), expected (2, 3, 4, 3)." in words_of(tree)
    expected, yours = drawings(tree)[1:]
    assert int(expected.attrib["height"]) > int(yours.attrib["height"])
    assert expected.attrib["width"] == yours.attrib["width"]


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x[0, 0, 0],
        lambda x: x[:0],
        lambda x: np.zeros((2, 0)),
        lambda x: np.zeros((1,) * 8),
        lambda x: x[0],
    ],
)
def test_any_other_shape_can_be_drawn(function):
    finding = find(function, double, {"x": X4})
    assert len(drawings(parsed(finding))) == 3 and report.text(finding)


@pytest.mark.parametrize("index", [(0, 0), (57, 130), (199, 199)])
def test_one_wrong_value_of_a_photo_is_one_pixel_of_the_difference(index):
    svg = drawings(parsed(find(wrong_at(*index), double, {"x": PHOTO})))[3]
    coloured = np.argwhere(pixels(svg).min(axis=2) < 200)
    assert coloured.tolist() == [list(index)]
    red, green, blue = pixels(svg)[index]
    assert red > green and red > blue


def test_one_wrong_value_survives_the_shrinking_of_a_large_image():
    x = np.zeros((901, 650))
    svg = drawings(parsed(find(wrong_at(431, 222), double, {"x": x})))[3]
    image = pixels(svg)
    assert max(image.shape[:2]) <= picture.SIDE
    step = -(-901 // picture.SIDE)
    assert np.argwhere(image.min(axis=2) < 200).tolist() == [[431 // step, 222 // step]]


def test_colours_last_are_cut_along_a_colour():
    tree = parsed(find(wrong_at(57, 130, 1), double, {"x": np.stack([PHOTO] * 3, -1)}))
    assert titles(tree)[1].startswith("expected out[:, :, 1]: 200 by 200 values")


def test_the_html_of_a_photo_is_small():
    assert len(report.html(find(wrong_at(3, 4), double, {"x": PHOTO}))) < 200_000


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e308])
def test_values_off_every_scale_can_be_drawn(bad):
    def function(x: np.ndarray) -> np.ndarray:
        out = x * 2
        out[0, 0, 0, 1] = bad
        out[0, 0, 0, 2] = -bad
        return out

    tree = parsed(find(function, double, {"x": X4}))
    assert len(drawings(tree)) == 4
    assert np.isfinite(bad) or "Yellow: nan or inf." in words_of(tree)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "uint64", "float16"])
def test_every_dtype_can_be_drawn(dtype):
    x = np.array([[0, 1, 1], [1, 0, 1]], dtype)
    tree = parsed(
        find(lambda x: ~x if dtype == "bool" else x + x.dtype.type(1), lambda x: x.copy(), {"x": x})
    )
    assert len(drawings(tree)) == 4


def test_an_array_of_one_axis_is_a_strip():
    tree = parsed(find(wrong_at(4), double, {"x": np.arange(6.0)}))
    assert titles(tree)[1].startswith("expected out: 1 by 6 values")


@pytest.mark.parametrize(
    ("right", "got", "expected_words", "got_words"),
    [
        (1.234567, 1.5, "1.234567", "1.5"),
        ((2, 4, 3, 3), (2, 4, 3, 2), "(2, 4, 3, 3)", "(2, 4, 3, 2)"),
        (
            [("conv", 6, True), ("pool", 0, False)],
            [("conv", 6, True), ("pool", 1, False)],
            "('pool', 0, False)",
            "1",
        ),
        ("same", "valid", "'same'", "'valid'"),
        (2, 2.0, "2", "2.0"),
        ((5,), [5, 6], "(5,)", "[5, 6]"),
        (np.array(2.0), np.array(3.0), "2.", "3."),
    ],
)
def test_plain_values_stand_in_a_table(right, got, expected_words, got_words):
    tree = parsed(find(lambda n: got, lambda n: right, {"n": 1}))
    rows = [[words_of(cell) for cell in row] for row in tree.iter("tr")]
    assert [row[:2] for row in rows] == [["expected", "out"], ["yours", "out"]]
    assert expected_words in rows[0][2] and got_words in rows[1][2]


def test_of_a_long_list_only_the_wrong_item_is_shown():
    rows = [("layer", n, n * 2) for n in range(40)]
    tree = parsed(find(lambda n: [*rows[:-1], ("layer", 39, 0)], lambda n: rows, {"n": 1}))
    shown = [[words_of(cell) for cell in row] for row in tree.iter("tr")]
    assert shown == [["expected", "out[39][2]", "78"], ["yours", "out[39][2]", "0"]]


def test_an_error_names_its_line_and_its_words_are_escaped():
    finding = find(fails, double, {"x": X4})
    line = fails.__code__.co_firstlineno + 1
    sentence = f"ValueError: no <b>such</b> thing & [31mmore. It was raised at line {line} of your code."
    assert report.headline(finding) == "double: its one case fails. " + sentence.split(". It was")[0] + "."
    assert sentence in " ".join(report.text(finding).split())
    tree = parsed(finding)
    assert sentence in words_of(tree) and list(tree.iter("b")) == []


def test_what_the_student_names_is_escaped_and_kept_short():
    evil = type("<img src=x onerror=alert(1)>", (Exception,), {})

    def function(x):
        raise evil("\u202e" + "<script>" * 100)

    def other(x):
        return evil()

    for finding in (find(function, double, {"x": X4}), find(other, double, {"x": X4})):
        html = report.html(finding)
        assert "<script" not in html and "<img" not in html and "\u202e" not in html
        assert len(report.headline(finding)) < 300
        assert "\n" not in report.headline(finding)
        assert "img src" in words_of(ET.fromstring(html))


def test_a_message_without_an_ending_gets_one_and_a_question_keeps_its_own():
    assert report.headline(find(lambda x: None, double, {"x": X4})).endswith(
        "It returned None; is a return statement missing?"
    )
    results = Questionnaire("f", ("y",), (Question("w", "g", {}, {"y": 1}, 1e-6, {}),), {})
    assert report.headline(assess(results, [Outcome("timeout", message="it ran longer than 5 s")])) == (
        "f: its one case fails. It ran longer than 5 s."
    )
    assert report.headline(assess(results, [Outcome("died")])) == "f: its one case fails. Died."


def test_pass_and_fail_are_told_by_words_and_shapes():
    finding = find(lambda x: x * (1 + x.ndim / 4), double, {"x": X4}, {"x": X4[0]})
    signs = [title.text for title in parsed(finding).iter("title")]
    assert signs == ["fails", "passes", "fails"]
    assert [line[:6] for line in report.text(finding).splitlines()[-2:]] == ["  pass", "  FAIL"]


def test_nothing_comes_from_outside():
    html = report.html(find(wrong_at(3, 4), double, {"x": PHOTO}))
    links = set(re.findall(r'(?:href|src|url)\W{1,2}([^"\')]{4})', html)) | set(
        re.findall(r"https?://[^\"]+", html)
    )
    assert links == {"data", "http://www.w3.org/2000/svg"}
    assert "background:#ffffff;color:" in html


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (3.0, "3"),
        (-1.234, "-1.23"),
        (12.34, "12.3"),
        (123.4, "123"),
        (0.0004, "4e-4"),
        (-0.00049, "-5e-4"),
        (123456.0, "1e5"),
        (1e-12, "1e-12"),
        (1e300, "1e300"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (0.999, "1.00"),
        (9999.5, "10000"),
    ],
)
def test_numbers_are_short(value, words):
    assert picture.number(value) == words


def test_the_number_of_any_float_fits_a_cell():
    rng = np.random.default_rng(1)
    for value in rng.normal(size=500) * 10.0 ** rng.integers(-300, 300, size=500):
        assert len(picture.number(value)) <= 7


# What stands beside the Finding


def test_clues_stand_below_and_leave_the_headline_alone():
    clues = ("Look at `x` & <think>.", "Nearly the code: " + "double it, " * 40 + "done.")
    finding = find(lambda x: x.copy(), double, {"x": X4})
    remarks = Remarks(clues=tuple(map(Clue, clues)), clue_count=3)
    text, tree = report.text(finding, remarks), ET.fromstring(report.html(finding, remarks))
    assert text.startswith(report.text(finding).split("\n\n")[0])
    assert max(map(len, text.splitlines())) <= 88
    for words in (" ".join(text.split()), words_of(tree)):
        assert (
            words.index(HINT) < words.index("Clue 1 of 3") < words.index("Clue 2 of 3") and "done." in words
        )
    folded = [d for d in tree.iter("details") if "Clue" in words_of(d)]
    assert [d.attrib["open"] for d in folded] == ["open"] * 2
    assert words_of(folded[0]) == "Clue 1 of 3Look at x & <think>."
    assert [code.text for code in folded[0].iter("code")] == ["x"]


def test_functions_and_chance_are_written_as_they_are_called():
    def right(f, x, rng, rate):
        return x * 2

    given = {"f": "sum_of_squares", "x": X4, "rng": 3, "rate": 0.5}
    finding = find(lambda f, x, rng, rate: x, right, given)
    remarks = Remarks(way=Way(functions=("f",), rng="rng"))
    call = "double(f=sum_of_squares, x (2, 3, 4, 3), rng=default_rng(3), rate=0.5)"
    assert call in report.text(finding, remarks) and call in words_of(
        ET.fromstring(report.html(finding, remarks))
    )


def test_a_file_is_named_in_place_of_a_call():
    finding = find(lambda x: x, double, {"x": X4})
    assert "lenet.safetensors: x (2, 3, 4, 3)" in report.text(
        finding, Remarks(way=Way(file="lenet.safetensors"))
    )


def test_stand_ins_and_keeping_are_said_in_a_line_each():
    finding = find(double, double, {"x": X4})
    remarks = Remarks(helped=("im2col", "pad2d", "sides"), kept="Kept in my_cnnlab/double.py.")
    assert report.text(finding, remarks) == (
        "double: its one case passes.\n"
        "With stand-ins for im2col, pad2d and sides, which are not in your library yet.\n"
        "Kept in my_cnnlab/double.py."
    )
    words = words_of(ET.fromstring(report.html(finding, remarks)))
    assert "im2col, pad2d and sides" in words and words.endswith("Kept in my_cnnlab/double.py.")
    failing = find(lambda x: x, double, {"x": X4})
    assert "With a stand-in for pad2d, which is not" in report.text(failing, Remarks(helped=("pad2d",)))


def test_a_file_that_is_not_there_yet_is_asked_for():
    questions = Questionnaire("lenet", ("y",), (Question("w", "g", {}, {"y": 1}, 1e-6, {}),), {})
    missing = assess(
        questions, [Outcome("not attempted", message="lenet.safetensors is not beside the notebook")]
    )
    expected = "lenet is not attempted yet. lenet.safetensors is not beside the notebook."
    assert " ".join(report.text(missing).split()) == expected
