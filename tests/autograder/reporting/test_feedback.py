"""Feedback: what a Verdict says in words, and that nothing a student wrote can run or load anything."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbconvert.exporters import HTMLExporter
from nbconvert.filters import clean_html
from nbgrader.api import Gradebook
from nbgrader.server_extensions.formgrader import handlers

from autograder.course import CourseError
from autograder.recording import nbgrader_runs, nbgrader_settings
from autograder.reporting.feedback import (
    MAX_MARKDOWN,
    MAX_PAGE,
    FeedbackExporter,
    of_one_page,
    safe_markdown,
    visible,
)
from autograder.words import one_line, plain, verdict_html, verdict_text
from tests import ROOT
from tests.autograder.recording import nbgrader_sample as sample
from tests.autograder.recording.nbgrader_sample import ASSIGNMENT, NAME, judges, submit, verdict

pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")

EVIL = """</script><script>document.title='hacked'</script><img src=x onerror="document.title='hacked'">"""
MORE_EVIL = [
    EVIL,
    "</pre></div></textarea></title></style>" + EVIL,
    "<svg onload=document.title='hacked'><a xlink:href='javascript:alert(1)'>x</a></svg>",
    "[click](javascript:document.title='hacked') [data](data:text/html,<script>alert(1)</script>)",
    "![x](https://tracker.example/pixel.png) <img src='https://tracker.example/p.png'>",
    "<iframe src='https://tracker.example'></iframe><object data='x'></object><embed src='x'>",
    "<form action='https://tracker.example'><input name=q autofocus onfocus=alert(1)></form>",
    "<a href='java\tscript:alert(1)'>x</a> <a href=' javascript:alert(1)'>y</a>",
    "<math><mtext></mtext><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<style>body{background:url(https://tracker.example)}</style><base href='https://tracker.example'>",
    "<p style='background:url(https://tracker.example)' id=why class='score nbgrader_cell'>x</p>",
    "<meta http-equiv=refresh content='0;url=https://tracker.example'><link rel=stylesheet href=//tracker.example>",
    "```html\n" + EVIL + "\n```\n\n~~~<script>\n" + EVIL + "\n~~~",
    "$" + EVIL + "$ $$" + EVIL + "$$ \\begin{x}" + EVIL + "\\end{x}",
    "# " + EVIL + "\n\n| a | b |\n|---|---|\n| " + EVIL + " | x |",
    "<details open ontoggle=alert(1)><summary>x</summary></details><video><source onerror=alert(1)></video>",
]


def assert_harmless(page: str) -> None:
    """Assert that a page holds nothing that runs, loads, sends or leads anywhere by itself."""
    for element in BeautifulSoup(page, "html.parser").find_all(True):
        shown = str(element)[:200]
        assert element.name not in {
            *(
                "script",
                "img",
                "iframe",
                "object",
                "embed",
                "form",
                "input",
                "link",
                "base",
                "video",
                "audio",
            ),
            *("source", "math", "textarea", "button", "noscript", "details"),
        }, shown
        for name, value in element.attrs.items():
            assert not name.startswith("on") and name not in ("src", "srcset", "style", "action"), shown
            if name.endswith("href"):
                assert re.match(r"#|https?://|mailto:", value), shown


# The words


def test_a_verdict_in_words() -> None:
    found = verdict(1.0, hint="You flipped the kernel.", notes=("depends on im2col, which fails",))
    assert verdict_text(found) == (
        "double: 1 of 3 points. 1 of 2 cases fails.\n"
        "You flipped the kernel.\n"
        "Depends on im2col, which fails.\n"
        "  small: 1 of 1 point\n"
        "    pass  small numbers\n"
        "  large: 0 of 2 points\n"
        "    FAIL  large numbers: y has the wrong shape"
    )
    soup = BeautifulSoup(verdict_html(found), "html.parser")
    assert " ".join(soup.get_text(" ").split()) == (
        "1 of 3 points. 1 of 2 cases fails. You flipped the kernel. Depends on im2col, which fails. "
        "small : 1 of 1 point pass small numbers large : 0 of 2 points FAIL large numbers: y has the wrong shape"
    )


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("passed", "3 of 3 points. All cases pass."),
        ("not attempted", "0 of 3 points. Not attempted: the cell is as it was handed out."),
        ("not found", "0 of 3 points. It could not be tested."),
    ],
)
def test_every_status_has_its_words(status: str, words: str) -> None:
    found = verdict(3.0 if status == "passed" else 0.0, status=status)
    assert verdict_text(found).startswith(f"double: {words}")
    assert words in BeautifulSoup(verdict_html(found), "html.parser").get_text()
    assert ("FAIL" in verdict_html(found)) is False


def test_a_verdict_survives_nbconverts_cleaning_as_it_is() -> None:
    found = verdict(1.0, hint="Use < and & 'so'.", notes=("a note",))
    cleaned = clean_html(verdict_html(found))
    as_text = BeautifulSoup(cleaned, "html.parser")
    assert as_text.get_text() == BeautifulSoup(verdict_html(found), "html.parser").get_text()
    assert [t.name for t in as_text.find_all(True)] == [
        t.name for t in BeautifulSoup(verdict_html(found), "html.parser").find_all(True)
    ]


@pytest.mark.parametrize("evil", MORE_EVIL)
def test_a_hostile_verdict_is_text(evil: str) -> None:
    found = verdict(1.0, exercise=evil, mistake=evil, hint=evil, notes=(evil,), groups={evil: (0.0, 3.0)})
    found = type(found)(**{**vars(found), "cases": (type(found.cases[0])(evil, evil, False, evil),)})
    assert_harmless(verdict_html(found))
    assert "\n\n" not in verdict_text(found)


def test_plain_text_has_no_control_characters_and_an_end() -> None:
    assert plain("a\x00b\x1b[1;31mc\x1b[0m\td\u202e\u200be\r\nf\rg\u2028h\ud800") == "abc\tde\nf\ng h?"
    long = plain("x" * 20_000)
    assert len(long) < 10_100 and long.endswith("[... the rest is left out]")
    assert len(plain("line\n" * 5_000).split("\n")) == 201


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a = 'ä €'\n\tb\r\n", "a = 'ä €'\n\tb\n"),
        ("x\u202e = 1\u2066", "x⟨U+202E⟩ = 1⟨U+2066⟩"),
        ("a\x00\x1b[31m\u200b\ud800", "a⟨U+0000⟩⟨U+001B⟩[31m⟨U+200B⟩⟨U+D800⟩"),
        ("a\u00a0b\u2028c", "a b c"),
    ],
)
def test_characters_that_cannot_be_seen_are_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize("text", ["a  b\n c", " a\x00b\u202e c", "x" * 2000])
def test_one_line_is_one_line(text: str) -> None:
    assert one_line(text) in ("a b c", "ab c", "x" * 1000 + " [... the rest is left out]")
    assert one_line(text, 3).isprintable()


# Markdown that a student wrote


@pytest.mark.parametrize("evil", MORE_EVIL)
def test_hostile_markdown_is_harmless(evil: str) -> None:
    rendered = safe_markdown(evil)
    assert_harmless(rendered)
    for element in BeautifulSoup(rendered, "html.parser").find_all(True):
        assert "id" not in element.attrs
        assert not {"score", "nbgrader_cell"} & set(element.get("class", []))


def test_honest_markdown_keeps_its_form() -> None:
    rendered = safe_markdown(
        "## Why\n\n**Because** $x^2 < y$ and `a < b`, see [here](https://example.org).\n\n"
        "```python\nx = 1 < 2\n```\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    )
    soup = BeautifulSoup(rendered, "html.parser")
    assert {"h2", "strong", "code", "a", "pre", "li", "table", "td"} <= {t.name for t in soup.find_all(True)}
    assert soup.a["href"] == "https://example.org"
    assert "$x^2 < y$" in soup.get_text() and "x = 1 < 2" in soup.get_text()
    assert soup.find(class_="highlight")


def test_endless_tags_cost_no_time() -> None:
    rendered = safe_markdown("<div>" * 100_000 + "the end")
    assert "the end" in rendered and "<div" not in rendered


@pytest.mark.parametrize("part", ["\\begin{a}", r"\\(", r"\\[", "a|b\n"])
def test_text_that_takes_long_to_render_is_shown_as_it_is_written(part: str) -> None:
    began = time.process_time()
    rendered = safe_markdown("a|b\n-|-\n" + part * 100_000 + "<script>")
    assert rendered.startswith("<pre>a|b") and rendered.count(part) >= 100_000 and "<script" not in rendered
    assert time.process_time() - began < 2


def test_a_page_renders_so_much_and_no_more() -> None:
    render = of_one_page()
    text = "**so**" + " x" * (MAX_MARKDOWN // 2 - 10)
    shown = [render(text) for _ in range(2 * MAX_PAGE // len(text))]
    rendered = ["<strong>" in one for one in shown]
    assert rendered.index(False) == MAX_PAGE // len(text) == rendered.count(True)
    assert "**so**" in shown[-1]


# The page

LEFT_OUT = "[... the rest is left out]"
FLOODS = {
    "blank lines": [f"if {k}:" + "\n " * 9_990 + "\n pass" for k in range(6)],
    "short blank lines": [f"if {k}:" + "\n " * 2_480 + "\n pass" for k in range(400)],
    "tabs": ["match" + "\t" * (20_000 + k) for k in range(6)],
    "tokens": [f"#{k}\n" + "a=1;" * 4_750 for k in range(200)],
    "short tokens": [f"#{k}\n" + "a=1;" * 1_000 for k in range(1_500)],
    "quotes": ["'" * 49_000] * 200,
    "tiny cells": [f"a{k}" for k in range(2_000)],
    "nothing seen": ["\u202e" * 4_000] * 500,
}


def extra_cell(source: str, printed: str = "") -> nbformat.NotebookNode:
    cell = nbformat.v4.new_code_cell(source)
    cell.metadata["cnnlab"] = {"role": "extra", "name": ""}
    cell.outputs = [nbformat.v4.new_output("stream", text=printed)] if printed else []
    return cell


def rendered(*cells: nbformat.NotebookNode) -> str:
    about = {"notebook": NAME, "assignment": ASSIGNMENT, "student": "eve", "max_score": 3, "late_penalty": 0}
    page, _ = FeedbackExporter().from_notebook_node(
        nbformat.v4.new_notebook(cells=list(cells)), {"nbgrader": about}
    )
    return page


@pytest.mark.parametrize("which", FLOODS)
def test_a_page_costs_so_much_and_no_more(which: str) -> None:
    cells = [extra_cell("honest = True"), *map(extra_cell, FLOODS[which])]
    began = time.process_time()
    page = rendered(*cells)
    assert time.process_time() - began < 5  # two, where nothing else runs
    assert len(page.encode()) < 6_000_000
    soup = BeautifulSoup(page[: page.index("</pre>")], "html.parser")
    assert soup.find(class_="highlight").get_text().strip() == "honest = True"
    assert (LEFT_OUT in page) is (sum(map(len, FLOODS[which])) > 200_000)


def test_what_cells_printed_is_cut_where_it_is_too_much() -> None:
    printed = "<&'>" * 2_500
    page = rendered(*(extra_cell("a = 1", printed) for _ in range(100)))
    assert len(page) < 2_000_000 and "<&" not in page
    assert page.count("Printed when it ran") == 100 and LEFT_OUT in page


def test_an_answer_in_words_is_cut_where_it_is_too_much() -> None:
    cell = nbformat.v4.new_markdown_cell("Why?\n\n```\n" + "<b> " * 500_000 + "\n```")
    cell.metadata["nbgrader"] = {"grade_id": "why", "grade": True, "solution": True, "points": 4}
    page = rendered(cell)
    assert len(page) < 500_000 and LEFT_OUT in page and "Why?" in page and "<b>" not in page


def test_code_that_is_not_highlighted_is_shown_as_it_is_written() -> None:
    long = "a = '<b>\u202e' # \n" * 1_000
    page = rendered(extra_cell(long), extra_cell("b = 2"))
    assert "a = &#x27;&lt;b&gt;⟨U+202E⟩&#x27; # \n" * 1_000 in page and LEFT_OUT not in page
    assert page.count('class=" highlight') == 1, "it costs the other cell nothing"


@pytest.mark.parametrize("path", sorted((ROOT / "solutions").rglob("*.ipynb")), ids=lambda path: path.stem)
def test_all_the_code_of_a_solved_lesson_is_highlighted(path: Path) -> None:
    solution = nbformat.read(path, as_version=4)
    sources = [cell.source for cell in solution.cells if cell.cell_type == "code"]
    page = rendered(*map(extra_cell, sources))
    assert page.count('class=" highlight') == len(sources) and LEFT_OUT not in page


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> sample.SampleCourse:
    """A class of one hostile student and one honest one, graded, with their pages written."""
    course = sample.make_course(tmp_path_factory.mktemp("course"))
    hostile = f'def double(x):\n    """{EVIL}"""\n    return "{EVIL}"  # {EVIL}'
    submit(course, "eve@x.org", hostile, why="\n\n".join(MORE_EVIL), extra=f"# {EVIL}\nprint(1)")
    submit(course, "ada", why="Because **it is**.")
    printed = dict.fromkeys(range(6), f"{EVIL}\x1b[31m{EVIL}\x1b[0m")
    found = verdict(1.0, hint=EVIL, notes=(EVIL,), mistake=EVIL)
    judge = judges(found, printed=printed, flags=("secret-flag for the instructor",))
    assert nbgrader_runs.autograde(course, ASSIGNMENT, take_in=sample.as_it_is, judge=judge) == {}
    with Gradebook(course.db_url) as book:
        book.find_comment("double", NAME, ASSIGNMENT, "ada").manual_comment = f"Nicely **done**. {EVIL}"
        book.find_grade("double_check", NAME, ASSIGNMENT, "ada").manual_score = 2.5
        book.find_submission_notebook(NAME, ASSIGNMENT, "ada").late_submission_penalty = 0.5
        book.db.commit()
    pages = nbgrader_runs.feedback(course, ASSIGNMENT)
    assert pages == {
        student: [course.feedback / student / ASSIGNMENT / f"{NAME}.html"] for student in ("ada", "eve@x.org")
    }
    return course


def page(course: sample.SampleCourse, student: str) -> Path:
    return course.feedback / student / ASSIGNMENT / f"{NAME}.html"


def test_the_page_says_the_points_and_the_reasons(course: sample.SampleCourse) -> None:
    soup = BeautifulSoup(page(course, "ada").read_text(), "html.parser")
    text = " ".join(soup.get_text(" ").split())
    assert soup.title is not None and soup.title.string == f"{NAME}: feedback"
    assert "1_layers, handed in by ada" in text
    assert "2 of 3 points 4 more to be given by your instructor" in text, (
        "2.5 by hand, less 0.5 for being late"
    )
    assert "Handed in late -0.5 points" in text
    assert "Your instructor set 2.5 points; the cases gave 1." in text
    assert "1 of 3 points. 1 of 2 cases fails." in text
    assert "FAIL large numbers: y has the wrong shape" in text
    assert "4 points, to be graded by your instructor" in text
    assert "Comment: Nicely done ." in text
    assert "secret-flag" not in str(soup)
    for link in soup.find_all("a"):
        assert link["href"].startswith("#") and soup.find(id=link["href"][1:])


@pytest.mark.parametrize("student", ["ada", "eve@x.org"])
def test_the_page_loads_and_runs_nothing(course: sample.SampleCourse, student: str) -> None:
    html = page(course, student).read_text()
    soup = BeautifulSoup(html, "html.parser")
    policy = soup.find("meta", attrs={"http-equiv": "Content-Security-Policy"})
    style = base64.b64encode(hashlib.sha256(soup.style.string.encode()).digest()).decode()
    assert policy["content"] == (
        f"default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'"
    )
    for details in soup.find_all(["details", "style"]):
        assert "url(" not in details.get_text() or details.name == "details"
        details.name = "div"
    assert_harmless(str(soup))
    assert soup.get_text().count("document.title='hacked'") >= 4, "what was written is shown, as text"


def test_formgrader_shows_the_same_as_harmlessly(course: sample.SampleCourse) -> None:
    config = nbgrader_settings.configuration(course)
    config.HTMLExporter.template_name = "formgrade"  # as FormgradeExtension.build_extra_config does
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    path = course.work / "autograded" / "eve@x.org" / ASSIGNMENT / f"{NAME}.ipynb"
    names = (
        "assignment_id",
        "notebook_id",
        "submission_id",
        "base_url",
        "student",
        "last_name",
        "first_name",
    )
    about = dict.fromkeys((*names, "notebook_path"), "x") | {"index": 0, "total": 1}
    shown, _ = HTMLExporter(config=config).from_filename(str(path), resources=about)
    soup = BeautifulSoup(shown, "html.parser")
    body = soup.find(id="notebook-container")
    for field in body.find_all(["input", "button", "textarea"]) + body.find_all(attrs={"style": True}):
        field.name = "div"  # formgrader's own
        field.attrs = {}
    assert_harmless(str(body))
    assert body.get_text().count("document.title='hacked'") >= 4
    assert body.find(class_="cnnlab-verdict"), "the Verdict is shown to the instructor as well"


def test_feedback_of_nobody_and_of_one(course: sample.SampleCourse) -> None:
    assert nbgrader_runs.feedback(course, ASSIGNMENT, ["nobody"]) == {}
    assert list(nbgrader_runs.feedback(course, ASSIGNMENT, ["ada"])) == ["ada"]
    assert page(course, "eve@x.org").exists()


def test_feedback_that_fails_is_said_and_stops_nobody(tmp_path: Path) -> None:
    course = sample.make_course(tmp_path)
    for student in ("ada", "bob"):
        submit(course, student)
    nbgrader_runs.autograde(course, ASSIGNMENT, take_in=sample.as_it_is, judge=judges(verdict(3.0)))
    broken = course.work / "autograded" / "ada" / ASSIGNMENT / f"{NAME}.ipynb"
    broken.chmod(0o644)
    notebook = nbformat.read(broken, as_version=4)
    notebook.cells[2].metadata.nbgrader.grade_id = "unheard_of"
    nbformat.write(notebook, broken)
    with pytest.raises(CourseError, match=r"The feedback of ada could not be written: .*unheard_of"):
        nbgrader_runs.feedback(course, ASSIGNMENT)
    assert page(course, "bob").exists() and not page(course, "ada").exists()
