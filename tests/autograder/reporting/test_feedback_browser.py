"""Feedback on a hostile submission, taken in, judged and written for real, in a real browser: all of it is text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from PIL import Image

from autograder.classroom.grade_class import grade_class
from autograder.course import Course
from autograder.exercise import Lesson
from autograder.recording import nbgrader_runs
from autograder.reporting.class_report import write_page
from autograder.reporting.feedback import safe_markdown
from autograder.sample import Solved, save
from tests.chromium import Listener, Page, browser

STUDENT = "eve"


def payloads(server: str) -> list[str]:
    """What would set window.hacked or reach the server, if any of it were more than text."""
    run, load = "window.hacked=1", f"{server}/hit"
    image = f"<img src={load} onerror={run}>"
    return [
        f"<script>{run}</script>",
        f"</script></style></title></textarea></pre><script>{run}</script>{image}",
        image,
        f"<svg onload={run}><script>{run}</script><image href={load} /><use href={load}#a /></svg>",
        f"<svg><a xlink:href='javascript:{run}'><text y=20>press</text></a><set onbegin={run} attributeName=x></svg>",
        f"<math><mtext><mglyph><style><!--</style><img title='--&gt;&lt;img src={load} onerror={run}&gt;'></math>",
        f"<math href='javascript:{run}'>press</math> <maction xlink:href='javascript:{run}'>press</maction>",
        f"<iframe src={load}></iframe><iframe srcdoc='<script>parent.{run}</script>'></iframe><object data={load}></object>",
        f"<meta http-equiv=refresh content='0;url={load}'><link rel=stylesheet href={load}><base href={server}/>",
        f"<form action={load}><input name=q autofocus onfocus={run}><button>press</button></form>",
        f"<style>@import '{load}'; * {{ background: url({load}) !important; display: none !important }}</style>",
        f"<p style='background:url({load});position:fixed;inset:0'>cover</p><video poster={load} src={load} onerror={run}>",
        f"[press](javascript:{run}) [press](data:text/html,<script>opener.{run}</script>) ![]({load})",
        f"<a href='java\tscript:{run}'>press</a> <a href=' &#106;avascript:{run}'>press</a> [x]: javascript:{run}",
        "<a href='data:text/html;base64,PHNjcmlwdD4='>press</a>",
        f"<noscript><p title='</noscript>{image}'></noscript><template>{image}</template>",
        f"<details open ontoggle={run}><summary>press</summary></details><marquee onstart={run}>m</marquee>",
        f"$</code>{image}$ \\({image}\\) `</code>{image}`",
        "\u202egnihton\u202c \u2066hidden\u2069 \u200b\u200f",
    ]


@dataclass(frozen=True)
class Class:
    """A graded class of one: the course, the feedback page, the points in words, and the server that nobody must ask."""

    course: Course
    page: Path
    points: str
    server: Listener


def hostile(solved: Solved, words: list[str]) -> nbformat.NotebookNode:
    """A submission with every payload in an answer, in what it prints, raises and says, and in cells of its own."""
    body = f"for words in {json.dumps(words)}:\n    print(words)\nraise ValueError({json.dumps(' '.join(words))})"
    comment = "".join(f"# {line}\n" for text in words for line in text.splitlines())
    notebook = solved.notebook(
        {
            "conv_output_size": f"{comment}print({json.dumps(words)!r})\n"
            + solved.answers["conv_output_size"],
            "pad2d": solved.with_body("pad2d", body),
            "filter_image": f"{comment}def filter_image(image kernel):",
            "why_not_invariant": "\n\n".join(
                [*words, *(f"```html\n{one}\n```" for one in words), "**the end**"]
            ),
        }
    )
    printing = "\n".join(f"print({json.dumps(one)})" for one in words)
    outputs = [
        {"output_type": "display_data", "data": {"text/html": one, "image/svg+xml": one}, "metadata": {}}
        for one in words
    ]
    own = {
        "cell_type": "code",
        "execution_count": 1,
        "metadata": {"tags": [words[0]]},
        "outputs": outputs,
        "source": printing,
    }
    note = {"cell_type": "markdown", "metadata": {}, "source": "\n\n".join(words)}
    notebook.cells[2:2] = [nbformat.from_dict(own), nbformat.from_dict(note)]
    notebook.metadata["title"] = words[1]
    return notebook


@pytest.fixture(scope="module")
def hacked(
    tmp_path_factory: pytest.TempPathFactory, checkout: Course, convolution: Lesson, bubblewrap: str
) -> Iterator[Class]:
    folder = tmp_path_factory.mktemp("hostile")
    course = Course(checkout.root, folder / "work")
    with Listener() as server:
        notebook = hostile(Solved(course, convolution), payloads(server.address))
        save(notebook, folder / "class" / STUDENT / f"{convolution.name}.ipynb")
        result = grade_class(course, convolution.assignment, folder / "class", workers=1)
        assert [row.problem for row in result.rows] == [""]
        pages = nbgrader_runs.feedback(course, convolution.assignment)
        write_page(result, [convolution], course.work / "report" / f"{convolution.assignment}.html")
        points = f"{result.rows[0].points:g} of {convolution.total:g} points"
        yield Class(course, pages[STUDENT][0], points, server)


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browser() as page:
        yield page


def assert_harmless(page: Page, hacked: Class) -> None:
    page.wait(0.3)
    assert page.evaluate("typeof window.hacked") == "undefined"
    assert page.console == []
    assert [one for one in page.requests if not one.startswith("file:")] == [] and len(page.requests) == 1
    assert hacked.server.hits == []


def test_what_it_wrote_and_printed_is_shown(hacked: Class, page: Page) -> None:
    page.look()
    page.open(hacked.page.as_uri())
    text = page.evaluate("document.body.innerText")
    assert text.count("<script>window.hacked=1</script>") >= 4
    assert hacked.points in text and "2 more to be given by your instructor" in text
    assert "⟨U+202E⟩" in text and not re.search("[\u202a-\u202e\u2066-\u2069]", text), (
        "nothing turns the text around"
    )
    assert "the end" in page.texts(".answer")[0], "the rest of the answer is still there"
    sections = page.texts("section h2")
    assert {"conv_output_size", "pad2d", "filter_image", "why_not_invariant"} <= set(sections)


@pytest.mark.parametrize("policy", ["with", "without"])
def test_nothing_runs_or_loads(hacked: Class, page: Page, tmp_path: Path, policy: str) -> None:
    path = hacked.page
    if policy == "without":  # it is safe by its cleaning alone, too
        path = tmp_path / "page.html"
        path.write_text(
            hacked.page.read_text().replace('http-equiv="Content-Security-Policy"', 'name="none"')
        )
    page.look()
    page.open(path.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert_harmless(page, hacked)
    inside = "script, img, image, iframe, object, form, input, button, math, style, link, meta, base, video, template"
    assert page.evaluate(f"document.querySelectorAll('main :is({inside})').length") == 0
    assert page.evaluate("document.querySelectorAll('main [style]').length") == 0
    links = page.evaluate("Array.from(document.querySelectorAll('a'), a => a.getAttribute('href') || '')")
    assert all(re.match(r"#|https?://|mailto:|$", link) for link in links)
    presses = "Array.from(document.querySelectorAll('main *')).filter(e => !e.children.length && e.innerText == 'press')"
    page.evaluate(f"{presses}.forEach(e => e.click())")
    assert_harmless(page, hacked)


def test_free_text_is_safe_by_the_cleaning_of_markdown_alone(
    hacked: Class, page: Page, tmp_path: Path
) -> None:
    words = payloads(hacked.server.address)
    texts = ["\n\n".join(words), *words, *(f"{one}\n\n- {one}\n\n| a |\n|---|\n| {one} |" for one in words)]
    path = tmp_path / "page.html"
    path.write_text('<meta charset="utf-8">' + "<hr>".join(safe_markdown(text) for text in texts))
    page.open(path.as_uri())
    presses = "Array.from(document.querySelectorAll('body *')).filter(e => e.innerText == 'press')"
    assert page.evaluate(f"{presses}.forEach(e => e.click()), {presses}.length") > 0
    assert_harmless(page, hacked)


def test_no_letter_of_it_covers_the_page(hacked: Class, page: Page) -> None:
    page.look()
    page.open(hacked.page.as_uri())
    covered = "document.elementFromPoint(innerWidth / 2, 50).closest('header') === null"
    assert page.evaluate(covered) is False
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).display") == "block"


def test_the_report_of_it_is_as_harmless(hacked: Class, page: Page) -> None:
    page.look()
    page.open((hacked.course.work / "report" / "1_layers.html").as_uri())
    assert page.texts("table.students tbody th") == [STUDENT]
    assert_harmless(page, hacked)
    page.follow("table.students tbody td:nth-child(4) a")
    assert page.evaluate("location.hash") == "#pad2d", "the points lead to the exercise in the feedback"
    assert page.evaluate("document.title") == "02_convolution: feedback"
    assert hacked.server.hits == []


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_fits_and_can_be_read(hacked: Class, page: Page, tmp_path: Path, width: int, dark: bool) -> None:
    page.look(width=width, dark=dark)
    page.open(hacked.page.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    with Image.open(page.screenshot(tmp_path / "seen.png")) as picture:
        grey = picture.convert("L")
        darkest, lightest = grey.getextrema()
        assert (
            (grey.getpixel((3, 3)) < 60 and lightest > 200)
            if dark
            else (grey.getpixel((3, 3)) > 240 and darkest < 60)
        )


def test_words_that_are_let_in_would_be_seen(hacked: Class, page: Page, tmp_path: Path) -> None:
    """The tests above can fail: each payload that runs by itself does so in a page that escapes nothing."""
    server = hacked.server
    try:
        for number in (0, 1, 2, 3):
            path = tmp_path / f"{number}.html"
            path.write_text(f"<body>{payloads(server.address)[number]}")
            page.open(path.as_uri())
            page.wait(0.2)
            assert page.evaluate("window.hacked") == 1, number
        assert server.hits
    finally:
        server.hits.clear()
