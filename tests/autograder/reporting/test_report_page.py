"""The class report in a real browser: it sorts, filters, loads nothing, and runs nothing that a student wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from autograder.classroom.results import ClassResult, StudentResult
from autograder.course import Course
from autograder.exercise import Lesson
from autograder.reporting.class_report import write_page
from autograder.verdict import Verdict
from tests.chromium import Listener, Page, browser

POINTS = {"ada": 6.0, "ben": 2.0, "cem": 0.0, "dee": 4.5, "eve": 6.0, "zoe": None}
ROWS = "table.students tbody tr"
NAMES = f"{ROWS} th"


def row(student: str, asked: Lesson, points: Mapping[str, float]) -> StudentResult:
    verdicts = {
        name: Verdict(name, points.get(name, e.total), e.total, "failed" if name in points else "passed")
        for name, e in asked.exercises.items()
    }
    return StudentResult(student, {asked.name: verdicts})


def small_class(asked: Lesson, evil: str = "") -> ClassResult:
    """Six students; zoe handed nothing in, and ben is told a hint; evil: stands wherever a student's words could."""
    rows = [StudentResult(s) if p is None else row(s, asked, {"pad2d": p}) for s, p in POINTS.items()]
    hostile = Verdict("pad2d", 2, 6, "failed", mistake=f"axes swapped{evil}", hint=f"Swap them.{evil}")
    rows[1].verdicts[asked.name]["pad2d"] = hostile
    rows[2].verdicts[asked.name]["im2col"] = replace(
        hostile, exercise="im2col", mistake="", notes=(evil or "a rule",)
    )
    rows[4].flags += [f"it looked around{evil}", f"file{evil}.py was left out"]
    return ClassResult("1_layers", tuple(rows), 1.0)


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browser() as page:
        yield page


@pytest.fixture
def opened(page: Page, convolution: Lesson, tmp_path: Path) -> Page:
    """The report of a small class, just opened."""
    path = write_page(small_class(convolution), [convolution], tmp_path / "report.html")
    page.look()
    page.open(path.as_uri())
    return page


def header(convolution: Lesson, exercise: str) -> str:
    place = list(convolution.exercises).index(exercise) + 2
    return f"table.students th:nth-child({place}) button"


def assert_quiet(page: Page) -> None:
    assert page.console == []
    assert [address for address in page.requests if not address.startswith("file:")] == []
    assert len(page.requests) == 1


def test_a_click_on_a_header_sorts(opened: Page, convolution: Lesson) -> None:
    assert opened.texts(NAMES) == sorted(POINTS)
    opened.click(header(convolution, "pad2d"))
    assert opened.texts(NAMES) == ["cem", "ben", "dee", "ada", "eve", "zoe"], (
        "equal ones in their order, none last"
    )
    sorted_by = "document.querySelector('table.students th[aria-sort]').innerText.split('\\n')[0]"
    assert opened.evaluate(sorted_by) == "pad2d"
    opened.click(header(convolution, "pad2d"))
    assert opened.texts(NAMES) == ["ada", "eve", "dee", "ben", "cem", "zoe"]
    opened.click("table.students th:first-child button")
    assert opened.texts(NAMES) == sorted(POINTS)
    assert opened.evaluate("document.querySelectorAll('table.students th[aria-sort]').length") == 1
    assert_quiet(opened)


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_the_keyboard_sorts(opened: Page, key: str) -> None:
    opened.evaluate("document.querySelector('#filter').focus()")
    for _ in range(2):  # over the table, which can be scrolled, to its first header
        opened.press("Tab")
    assert opened.evaluate("document.activeElement.innerText") == "student"
    opened.press(key)
    opened.press(key)
    assert opened.texts(NAMES) == sorted(POINTS, reverse=True)
    assert opened.evaluate("document.activeElement.closest('th').getAttribute('aria-sort')") == "descending"
    assert_quiet(opened)


def test_every_table_sorts(opened: Page, convolution: Lesson) -> None:
    names = "section[aria-labelledby=exercises] tbody th"
    assert opened.texts(names) == list(convolution.exercises)
    opened.click("section[aria-labelledby=exercises] th:nth-child(3) button")
    assert opened.texts(names)[0] in ("pad2d", "im2col")
    opened.click("section[aria-labelledby=exercises] th:first-child button")
    assert opened.texts(names)[-2:] == ["pad2d", "same_padding"]
    assert_quiet(opened)


def test_the_filter_finds_names_and_what_was_lost(opened: Page) -> None:
    opened.click("#filter")
    opened.type("AXES swap")
    assert opened.texts(NAMES) == ["ben"]
    assert opened.texts("output") == ["1 of 6 students"]
    opened.evaluate("document.querySelector('#filter').select()")
    opened.type("e")
    found = opened.texts(NAMES)
    assert {"ben", "dee", "eve", "zoe"} <= set(found)
    opened.evaluate("document.querySelector('#filter').select()")
    opened.type("nobody")
    assert opened.texts(NAMES) == [] and opened.texts("output") == ["0 of 6 students"]
    opened.evaluate("location.hash = '#s0'")
    opened.wait(0.1)
    assert opened.texts(NAMES) == sorted(POINTS), "a link to a student shows the student"
    assert_quiet(opened)


def test_without_scripts_the_page_says_the_same(page: Page, convolution: Lesson, tmp_path: Path) -> None:
    path = write_page(small_class(convolution), [convolution], tmp_path / "report.html")
    page.look()
    page.without_scripts()
    try:
        page.open(path.as_uri())
        assert page.texts(NAMES) == sorted(POINTS)
        assert page.texts("button") == page.texts("#filter") == [], "nothing that would do nothing"
    finally:
        page.without_scripts(False)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_fits_and_can_be_read(
    page: Page, convolution: Lesson, tmp_path: Path, width: int, dark: bool
) -> None:
    path = write_page(small_class(convolution), [convolution], tmp_path / "report.html")
    page.look(width=width, dark=dark)
    page.open(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "only tables scroll to the side"
    with Image.open(page.screenshot(tmp_path / "seen.png")) as picture:
        assert picture.size == (width, 900)
        paper = picture.convert("L").getpixel((3, 3))
        darkest, lightest = picture.convert("L").getextrema()
    assert (paper < 60 and lightest > 200) if dark else (paper > 240 and darkest < 60)
    boxes = "Array.from(document.querySelectorAll('svg.histogram rect')).map(r => r.getBoundingClientRect().height)"
    assert max(page.evaluate(boxes)) > 40, "the histogram is drawn"
    assert_quiet(page)


def test_paper_has_every_row_and_what_was_folded(opened: Page, tmp_path: Path) -> None:
    assert opened.pdf(tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
    opened.send("Emulation.setEmulatedMedia", media="print")
    assert opened.texts("nav") == opened.texts("#filter") == []
    hidden = "Array.from(document.querySelectorAll('.scroll')).some(e => e.scrollHeight > e.clientHeight + 1)"
    assert opened.evaluate(hidden) is False
    opened.send("Emulation.setEmulatedMedia", media="")


@pytest.mark.parametrize("policy", ["with", "without"])
def test_nothing_that_a_student_wrote_runs_or_loads(
    page: Page, convolution: Lesson, tmp_path: Path, policy: str
) -> None:
    with Listener() as elsewhere:
        evil = (
            f"</script></style></title></svg><script>window.hacked=1</script><img src={elsewhere.address}/a "
            f"onerror='window.hacked=2'><svg onload='window.hacked=3'><base href={elsewhere.address}/>"
            "\u202e{{ 7 * 7 }}\"' onfocus=window.hacked=4 autofocus x='"
        )
        result = small_class(convolution, evil)
        strange = StudentResult(evil, result.rows[0].verdicts, [evil], 1.0)
        result = replace(
            result, assignment=f"1{evil}", rows=(*result.rows, strange, StudentResult("y", problem=evil))
        )
        path = write_page(result, [convolution], tmp_path / "report.html")
        if policy == "without":  # it is safe by its escaping alone, too
            text = path.read_text()
            path.write_text(text.replace('http-equiv="Content-Security-Policy"', 'name="none"'))
        page.look()
        page.open(path.as_uri())
        page.click(header(convolution, "pad2d"))
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        page.wait(0.3)
        assert page.evaluate("typeof window.hacked") == "undefined"
        assert "window.hacked=1" in page.evaluate("document.body.innerText"), "it is shown, as text"
        assert_quiet(page)
        assert elsewhere.hits == []


def test_a_script_that_is_let_in_would_be_seen(page: Page, tmp_path: Path) -> None:
    """The test above can fail: the same words in a page that escapes nothing do run and load."""
    with Listener() as elsewhere:
        path = tmp_path / "page.html"
        path.write_text(
            f"<script>window.hacked=1</script><img src={elsewhere.address}/a onerror='window.hacked=2'>"
        )
        page.open(path.as_uri())
        page.wait(0.3)
        assert page.evaluate("window.hacked") == 2
        assert elsewhere.hits == ["/a"] and len(page.requests) == 2


def test_a_large_class_sorts_without_delay(page: Page, checkout: Course, tmp_path: Path) -> None:
    lessons = checkout.lessons("1_layers")
    rows = []
    for number in range(1000):
        verdicts = {}
        for asked in lessons:
            verdicts |= row(
                "", asked, {name: float(number % 7 > 0) for name in list(asked.exercises)[:1]}
            ).verdicts
        rows.append(StudentResult(f"student{number:04}", verdicts))
    path = write_page(ClassResult("1_layers", tuple(rows), 9.0), lessons, tmp_path / "report.html")
    page.look()
    page.open(path.as_uri())
    took = "(() => { const b = performance.now(); document.querySelector('table.students th:nth-child(2) button').click(); "
    took += "document.body.offsetHeight; return performance.now() - b })()"
    assert page.evaluate(took) < 3000  # milliseconds; about 100 where nothing else runs
    first = page.evaluate(
        f"Array.from(document.querySelectorAll('{NAMES}')).slice(0, 2).map(e => e.textContent)"
    )
    assert first == ["student0000", "student0007"]
    assert_quiet(page)
