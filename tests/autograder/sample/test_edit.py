"""Wrong answers as percent scripts: what a marker may hold, and what is said of one that is odd."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.course import CourseError
from autograder.exercise import Lesson
from autograder.sample.edit import Edit, read_edits

MARKER = '# %% student="carla" exercise="pad2d" lost="axes, sides" words="swaps the axes"'
OTHER = '# %% student="emil" exercise="same_padding" lost="even" words="pads before"'


@pytest.fixture
def written(tmp_path: Path, convolution: Lesson):
    """Read wrong answers from this text."""

    def read(text: str) -> dict[str, Edit]:
        path = tmp_path / "edits.py"
        path.write_text(text, encoding="utf-8")
        return read_edits(convolution, path)

    return read


def test_a_cell_is_one_wrong_answer(written) -> None:
    text = f"# %% [markdown]\n# Wrong answers.\n\n{MARKER}\ndef pad2d(x):\n    return x\n\n\n{OTHER}\nsame_padding = 1\n"
    carla, emil = written(text).values()
    assert carla == Edit(
        "carla", "swaps the axes", "pad2d", "", ("axes", "sides"), "def pad2d(x):\n    return x\n"
    )
    assert emil.source == "same_padding = 1\n"


def test_what_follows_is_named_with_its_groups(written) -> None:
    follows = 'follows="im2col: padding, together; filter_image: even" mistake="value ignored"'
    edit = written(f"{MARKER} {follows}\nx = 1\n")["carla"]
    assert edit.follows == {"im2col": ("padding", "together"), "filter_image": ("even",)}
    assert edit.mistake == "value ignored"


def test_a_value_may_hold_any_character(written) -> None:
    words = """words="says \\"x=1 y=2\\" and \\\\n, {a: b}; then 'ü'" """
    edit = written(MARKER.replace('words="swaps the axes"', words) + "\nx = 1\n")["carla"]
    assert edit.words == """says "x=1 y=2" and \\n, {a: b}; then 'ü'"""


@pytest.mark.parametrize(
    "old, new, message",
    [
        ('exercise="pad2d"', 'exercise="pad3d"', "02_convolution has no exercise 'pad3d'"),
        ('lost="axes, sides"', 'lost="axes, side"', "pad2d has no group 'side'"),
        ('lost="axes, sides"', 'lost="axes, axes"', "no group 'axes', or it is there twice"),
        ('lost="axes, sides"', "lost=3", "lost is no key with a text"),
        ('lost="axes, sides" ', "", "the wrong answer has no lost"),
        ('lost="axes, sides" ', 'lost="" ', "lost is no key with a text"),
        ("words=", 'mistake="a riddle" words=', "pad2d has no Mistake 'a riddle'"),
        (
            "words=",
            'mistakes="value ignored" words=',
            "mistakes is no key with a text; the keys are exercise",
        ),
        ("words=", 'follows="im3col: padding" words=', "no exercise 'im3col'"),
        ("words=", 'follows="im2col: paddling" words=', "im2col has no group 'paddling'"),
        ("words=", 'follows="im2col" words=', "im2col has no group ''"),
        ("words=", 'follows="im2col: padding; im2col: padding" words=', "follows names an exercise twice"),
        ('student="carla"', 'student="emil"', "there is a wrong answer of emil already"),
        ('"swaps the axes"', '"swaps "the" axes"', r'with \\" for a quote'),
    ],
)
def test_what_is_odd_is_said_with_file_and_line(written, old: str, new: str, message: str) -> None:
    with pytest.raises(CourseError, match=rf"edits\.py:4: .*{message}"):
        written(f"{OTHER}\nx = 1\n\n{MARKER.replace(old, new)}\ny = 1\n")


def test_text_before_the_first_marker_is_odd(written) -> None:
    with pytest.raises(CourseError, match=r"edits\.py:1: a script begins with a cell marker"):
        written(f"x = 1\n{MARKER}\n")
