"""What is folded in a notebook, the picture of its first screen, and how every lesson ends."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from nbformat.notebooknode import NotebookNode
from PIL import Image

from autograder.authoring import cover, frame
from autograder.authoring.notebooks import FOLDED, solved_notebook, student_notebook
from autograder.authoring.release import Release
from autograder.authoring.script import Script, read
from autograder.course import Course, CourseError
from autograder.exercise import Lesson
from autograder.exercises import all_lessons
from autograder.intake.pristine_lesson import comparable_text
from tests.autograder.intake.intake_sample import FIRST as TEXT
from tests.autograder.intake.intake_sample import LESSONS as SAMPLES

LESSONS = all_lessons()
IDS = [lesson.name for lesson in LESSONS]
WHERE = Release("cnnlab/cnnlab", "main")

COVER = """
# %% cover="Four numbers."
from matplotlib import pyplot as plt

plt.figure(figsize=(2, 1))
plt.plot([1, 2, 3, 4])
"""


def script_of(text: str, folder: Path) -> Script:
    path = folder / "1_layers" / "90_sample.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return read(SAMPLES[0], path)


def notebook_of(text: str, folder: Path) -> NotebookNode:
    return student_notebook(script_of(text, folder), WHERE)


# -- folded cells --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lesson", LESSONS, ids=IDS)
def test_setting_up_and_drawing_is_folded_and_what_a_student_writes_is_not(
    checkout: Course, lesson: Lesson
) -> None:
    script = read(lesson, checkout.script(lesson))
    for notebook in (student_notebook(script, WHERE), solved_notebook(script, WHERE)):
        for cell, node in zip(script.shown, notebook.cells, strict=True):
            folded = cell.role in ("setup", "show")
            assert {key: node.metadata.get(key) for key in FOLDED} == (
                FOLDED if folded else dict.fromkeys(FOLDED)
            )
            assert (node.source.split("\n")[0] == f"# @title {cell.name}") is folded


@pytest.mark.parametrize("lesson", LESSONS, ids=IDS)
def test_a_title_says_what_a_cell_does_and_no_two_say_the_same(checkout: Course, lesson: Lesson) -> None:
    titles = [cell.name for cell in read(lesson, checkout.script(lesson)).cells if cell.role == "show"]
    assert len(set(titles)) == len(titles)
    for title in titles:
        assert title[0].isupper() and not title.endswith(".") and len(title.split()) > 2


def test_a_notebook_from_before_the_titles_has_the_same_text() -> None:
    assert comparable_text("# @title Draw it\nplot(x)\n") == comparable_text("plot(x)")
    assert comparable_text("plot(x)\n# @title Draw it\n") != comparable_text("plot(x)")


def test_optional_text_questions_and_a_pause_are_marked(tmp_path: Path) -> None:
    more = """
# %% [markdown] optional="Why <two> of them"
# Because $a < b$.

# %% [markdown] asks="What is 1 + 1?"
# It is 2.

# %% [markdown] pause=true
# ## A pause
#
# The second part takes as long.
"""
    texts = [cell.source for cell in notebook_of(TEXT + more, tmp_path).cells[-3:]]
    assert texts == [
        "<details><summary>Optional: Why &lt;two&gt; of them</summary>\n\nBecause $a < b$.\n\n</details>",
        "**What is 1 + 1?**\n\n<details><summary>Answer</summary>\n\nIt is 2.\n\n</details>",
        "---\n\n## A pause\n\nThe second part takes as long.",
    ]


@pytest.mark.parametrize(
    "marker, message",
    [
        ('# %% optional="More"\nx = 1', "optional is a key of markdown cells"),
        ('# %% [markdown] show="Draw it"\n# text', "show is a key of code cells"),
        ('# %% [markdown] asks="a" optional="b"\n# text', "asks goes with no other key|optional goes with"),
        ('# %% [markdown] part="end"\n# text', "part is one of summary, reading, next"),
        ("# %% [markdown] pause=true\n# no heading", "a pause is written pause=true"),
        ('# %% [markdown] pause="later"\n# ## A pause', "a pause is written pause=true"),
        (f'# %% show="{"long " * 30}"\nx = 1', "show takes a line of at most 90 characters"),
        ('# %% show=""\nx = 1', "show takes a line"),
        ('# %% show="Draw it" check="scale"\nx = 1', "a cell has one role"),
    ],
)
def test_a_key_at_the_wrong_place_is_named_with_its_line(marker: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=rf"90_sample\.py:\d+: .*({message})"):
        script_of(f"{TEXT}\n{marker}\n", tmp_path)


# -- the first screen ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lesson", LESSONS, ids=IDS)
def test_the_first_screen_is_text_and_a_small_picture(checkout: Course, lesson: Lesson) -> None:
    script = read(lesson, checkout.script(lesson))
    first = student_notebook(script, WHERE).cells[0]
    assert first.cell_type == "markdown"
    (alt, data) = re.findall(r"!\[(.+)\]\(data:image/png;base64,([^)]+)\)", first.source)[0]
    png = base64.b64decode(data)
    assert png == script.picture.read_bytes() and len(png) < 30_000 and len(alt.split()) > 5
    image = Image.open(io.BytesIO(png))
    assert 400 <= image.width <= cover.WIDTH and image.height < image.width
    assert np.asarray(image.convert("L")).std() > 5  # it shows something


def test_a_picture_is_drawn_the_same_each_time(tmp_path: Path) -> None:
    script = script_of(TEXT + COVER, tmp_path)
    assert cover.draw(script) == cover.draw(script)


def test_pictures_that_look_alike_are_the_same_and_others_are_not(tmp_path: Path) -> None:
    one = cover.draw(script_of(TEXT + COVER, tmp_path))
    image = np.asarray(Image.open(io.BytesIO(one)).convert("RGB"), int)
    near, far = io.BytesIO(), io.BytesIO()
    Image.fromarray(np.clip(image + 1, 0, 255).astype(np.uint8)).save(near, "png")
    Image.fromarray((255 - image).astype(np.uint8)).save(far, "png")
    other = cover.draw(script_of(TEXT + COVER.replace("1, 2, 3, 4", "4, 1, 3"), tmp_path))
    assert cover.same(one, near.getvalue())
    assert not cover.same(one, far.getvalue()) and not cover.same(one, other)


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("plt.plot([1, 2, 3, 4])", "1 / 0", "the cover raises ZeroDivisionError"),
        (
            "plt.figure(figsize=(2, 1))\nplt.plot([1, 2, 3, 4])",
            "",
            "the cover draws no figure",
        ),
        (
            "plt.plot([1, 2, 3, 4])",
            "import numpy as np\nplt.figure(figsize=(7, 7)).figimage(np.random.rand(700, 700))",
            "the cover takes .* bytes, more than 30,000",
        ),
    ],
)
def test_a_cover_that_cannot_be_drawn_is_named_with_its_line(
    old: str, new: str, message: str, tmp_path: Path
) -> None:
    script = script_of(TEXT + COVER.replace(old, new), tmp_path)
    with pytest.raises(CourseError, match=rf"90_sample\.py:\d+: {message}"):
        cover.draw(script)


def test_a_picture_that_is_not_drawn_yet_is_asked_for(tmp_path: Path) -> None:
    script = script_of(TEXT + COVER, tmp_path)
    with pytest.raises(CourseError, match=r"90_sample\.png is missing: run autograder build"):
        cover.markdown(replace(script, picture=tmp_path / "90_sample.png"))


# -- the end -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lesson", LESSONS, ids=IDS)
def test_a_lesson_ends_with_what_was_built_what_to_read_and_what_comes_next(
    checkout: Course, lesson: Lesson
) -> None:
    script = read(lesson, checkout.script(lesson))
    frame.verify(script)
    summary, reading, following = (cell.source for cell in student_notebook(script, WHERE).cells[-3:])
    for name in lesson.exercises:
        (line,) = re.findall(rf"^- `{name}`: (.+)$", summary, re.MULTILINE)
        assert line.endswith(".") and len(line.split()) > 2
    assert "](https://" in reading
    after = frame.following(lesson)
    if after is not None:
        assert f"{after.name}.ipynb" in following
        place = checkout.student_notebook(lesson).parent / re.findall(r"\]\(([^)]*\.ipynb)\)", following)[0]
        assert place.exists()


def test_a_pause_has_exercises_on_both_sides(checkout: Course, convolution: Lesson, tmp_path: Path) -> None:
    text = checkout.script(convolution).read_text()
    place = text.index('# %% setup="')  # before all exercises
    before_all = f"{text[:place]}# %% [markdown] pause=true\n# ## A pause\n\n{text[place:]}"
    path = tmp_path / "1_layers" / "02_convolution.py"
    path.parent.mkdir()
    path.write_text(before_all)
    with pytest.raises(CourseError, match="at most one pause, with exercises before and after"):
        frame.verify(read(convolution, path))
