"""The instructor's table and page of a class: what they say, that it is right, and that what students wrote is text."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from bs4 import BeautifulSoup, Tag

from autograder.classroom.changes import Change
from autograder.classroom.results import ClassResult, StudentResult
from autograder.course import Course
from autograder.exercise import Lesson, lesson
from autograder.recording.gradebook import Grade
from autograder.reporting import statistics
from autograder.reporting.class_report import render, write_page
from autograder.reporting.histogram import histogram
from autograder.reporting.statistics import Scores
from autograder.reporting.table import text_table
from autograder.verdict import CaseVerdict, Verdict

NOON = datetime(2025, 3, 1, 12)
EVIL = """</script></style></title><img src=x onerror="window.hacked=1"><script>window.hacked=1</script>"""


def row(student: str, asked: Lesson, shares: Mapping[str, float] | float, **fields: object) -> StudentResult:
    """A student with these shares of the points of each exercise, or with the same share of all."""
    verdicts = {}
    for name, exercise in asked.exercises.items():
        share = shares if isinstance(shares, float | int) else shares.get(name, 1.0)
        status = "passed" if share == 1 else "failed"
        verdicts[name] = Verdict(name, share * exercise.total, exercise.total, status)
    return replace(StudentResult(student, {asked.name: verdicts}), **fields)


def page_of(result: ClassResult, lessons: Sequence[Lesson], grades: Sequence[Grade] = ()) -> BeautifulSoup:
    return BeautifulSoup(render(result, lessons, grades=grades, when=NOON), "html.parser")


def section(page: BeautifulSoup, name: str) -> Tag:
    found = page.find("section", attrs={"aria-labelledby": name})
    assert isinstance(found, Tag)
    return found


def cells(table: Tag) -> list[list[str]]:
    """The texts of a table's body, row by row."""
    return [
        [" ".join(cell.get_text(" ").split()) for cell in line.find_all(["th", "td"], recursive=False)]
        for line in table.select("tbody > tr")
    ]


def words(tag: Tag) -> str:
    return " ".join(tag.get_text(" ").split())


# The table


def test_an_exercise_without_a_verdict_is_a_dash(convolution: Lesson) -> None:
    text = text_table(ClassResult("1_layers", (StudentResult("eve"),), 1.0), [convolution])
    assert text.splitlines()[-1].split() == ["eve", *["-"] * 7, "0"]


def test_the_table_says_what_is_graded_by_hand(convolution: Lesson) -> None:
    text = text_table(ClassResult("1_layers", (row("ada", convolution, 1.0),), 1.0), [convolution])
    assert "graded by hand, not counted here: why_not_invariant (2 points)" in text
    without = replace(convolution, questions={})
    assert "by hand" not in text_table(ClassResult("1_layers", (StudentResult("ada"),), 1.0), [without])


def test_the_table_is_one_line_a_student_whatever_is_in_it(convolution: Lesson) -> None:
    result = ClassResult(
        "1_layers",
        (StudentResult("ada", flags=["a\nb\x1b[2J\u202ec"]), StudentResult("bob", problem="x\ny")),
        1.0,
    )
    lines = text_table(result, [convolution]).splitlines()
    assert lines[-2].endswith("[a bc]") and lines[-1].endswith("x y")


def test_a_flag_is_not_said_twice_in_a_line(convolution: Lesson) -> None:
    verdict = Verdict("pad2d", 0, 6, "not found", notes=("it ended the process",))
    one = StudentResult("eve", {convolution.name: {"pad2d": verdict}}, ["pad2d: it ended the process"])
    text = text_table(ClassResult("1_layers", (one,), 1.0), [convolution])
    assert text.splitlines()[-1].count("it ended the process") == 1


def test_a_class_with_several_lessons_has_a_column_for_each_and_a_table_of_exercises_below(
    convolution: Lesson,
) -> None:
    other = lesson("1_layers/99_other", [replace(convolution.exercises["pad2d"], name="pad_again")])
    full = Verdict("pad2d", 6, 6, "passed")
    rows = (
        StudentResult(
            "ada", {convolution.name: {"pad2d": full}, other.name: {"pad_again": replace(full, points=4)}}
        ),
        StudentResult("ben", {convolution.name: {"pad2d": full}}),
    )
    result = ClassResult("1_layers", rows, 1.0)
    text = text_table(result, [convolution, other]).splitlines()
    assert text[0].split() == ["1", convolution.name, f"({convolution.total:g}", "points)"]
    assert [line.split() for line in text[-2:]] == [["ada", "6", "4", "10"], ["ben", "6", "-", "6"]]
    tables = section(page_of(result, [convolution, other]), "students").find_all("table")
    assert [line[:4] for line in cells(tables[0])] == [["ada", "6", "4", "10"], ["ben", "6", "-", "6"]]
    assert [line[0] for line in cells(tables[1])] == ["ada", "ben"]
    assert cells(tables[2]) == [["ada", "4", "4"]]
    assert tables[0].find("a", href=f"../feedback/ada/1_layers/{other.name}.html")


# The statistics


def test_discrimination_is_the_correlation_with_the_rest() -> None:
    points = np.random.default_rng(0).integers(0, 5, (40, 3)).astype(float)
    points[:, 2] += points[:, 0]
    found = statistics.discrimination(points)
    for place in range(3):
        rest = np.delete(points, place, axis=1).sum(axis=1)
        assert found[place] == pytest.approx(np.corrcoef(points[:, place], rest)[0, 1])


def test_discrimination_is_none_where_it_is_undefined() -> None:
    points = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0], [1.0, 0.0], [1.0, 3.0]])
    assert statistics.discrimination(points) == [None, None], (
        "all alike in the one, so in the rest of the other"
    )
    assert statistics.discrimination(points[:, 1:]) == [None], "nothing else in the lesson"
    assert statistics.discrimination(np.arange(8.0).reshape(4, 2)) == [None, None], "too few students"


def test_items_count_those_who_handed_the_lesson_in(convolution: Lesson) -> None:
    rows = [row("a", convolution, {"pad2d": 0.5}), row("b", convolution, 1.0), StudentResult("c")]
    rows += [row("d", convolution, 0.0, problem="the disk is full")]
    lazy = row("e", convolution, 1.0)
    lazy.verdicts[convolution.name]["pad2d"] = Verdict("pad2d", 0, 6, "not attempted")
    found = {
        item.exercise: item for item in statistics.items(ClassResult("1", (*rows, lazy), 1.0), convolution)
    }
    assert found["pad2d"].students == 3
    assert found["pad2d"].share == pytest.approx(0.5) and found["im2col"].share == pytest.approx(1.0)
    assert found["pad2d"].attempts == {"passed": 1, "failed": 1, "not attempted": 1, "not found": 0}


def test_mistakes_are_counted_and_what_only_follows_is_left_out(convolution: Lesson) -> None:
    def failed(exercise: str, **fields: object) -> Verdict:
        cases = (CaseVerdict("a stride of 2", "stride", False, "out has wrong values"),)
        return replace(Verdict(exercise, 0, 6, "failed", cases=cases), **fields)

    flipped = {"conv2d_naive": failed("conv2d_naive", mistake="flipped", hint="You flipped it.")}
    follows = {"im2col": failed("im2col", notes=("depends on pad2d, which fails",))}
    rows = tuple(
        StudentResult(name, {convolution.name: verdicts})
        for name, verdicts in [
            ("a", flipped),
            ("b", {**flipped, **follows}),
            ("c", {"pad2d": failed("pad2d")}),
        ]
    )
    result = ClassResult("1_layers", rows, 1.0)
    found = statistics.made(result)
    assert [(one.mistake, one.reason, one.students) for one in found] == [
        ("flipped", "flipped", ["a", "b"]),
        ("", "out has wrong values", ["c"]),
    ]
    said = cells(section(page_of(result, [convolution]), "mistakes"))
    assert said[0] == ["2", "conv2d_naive", "flipped. You flipped it.", "a , b"]


@pytest.mark.parametrize("total", [0.5, 3, 7, 10, 58, 60, 100, 317, 1000])
def test_every_score_is_in_one_bin(total: float) -> None:
    scores = Scores(tuple(np.linspace(0, total, 101)), total)
    bins = scores.bins()
    assert sum(count for *_, count in bins) == 101 and len(bins) <= statistics.MOST_BINS
    widths = {round(high - low, 9) for low, high, _ in bins}
    assert bins[0][0] == 0 and len(widths) == 1 and total <= bins[-1][1] < total + max(widths)
    assert all(high == low for (_, high, _), (low, _, _) in pairwise(bins))
    drawn = histogram(scores)
    assert drawn.median is not None and drawn.median.text == f"median {round(total / 2, 2):g}"
    start, end = drawn.x_ticks[0], drawn.x_ticks[-1]
    scale = (end.at - start.at) / float(end.text)  # per point
    assert drawn.median.at == pytest.approx(start.at + scale * total / 2, abs=0.2)
    assert drawn.bars[-1].words.startswith(f"{bins[-1][0]:g} to {total:g} points")
    assert start.at == drawn.left and end.at <= drawn.right
    assert all(bar.width > 0 and bar.y >= drawn.top - 0.1 for bar in drawn.bars)


def test_the_bars_are_as_high_as_the_counts() -> None:
    drawn = histogram(Scores((1.0, 1.0, 1.0, 9.5), 10.0))
    heights = [bar.height for bar in drawn.bars if bar.height]
    assert heights[0] == pytest.approx(3 * heights[1], abs=0.2)
    assert drawn.words == "1 to 1.5 points: 3 students; 9.5 to 10 points: 1 student"


# The page


def test_the_page_of_one_student_and_of_nobody_graded(convolution: Lesson) -> None:
    page = page_of(ClassResult("1_layers", (row("ada", convolution, 1.0),), 1.0), [convolution])
    assert "1 submission, graded in 1 s" in words(page.header)
    assert "median 60 of 60" in words(section(page, "scores"))
    assert {line[3] for line in cells(section(page, "exercises"))} == {"-"}, "discrimination needs a class"
    nobody = page_of(
        ClassResult("1_layers", (StudentResult("ada", problem="No space."),), 1.0), [convolution]
    )
    assert "ada : No space." in words(section(nobody, "problems"))
    assert "median -" in words(section(nobody, "scores"))


def test_points_by_hand_stand_beside_the_automatic_ones(convolution: Lesson) -> None:
    rows = tuple(row(name, convolution, 1.0) for name in ("ada", "ben", "cem"))

    def grade(student: str, exercise: str, auto: float | None, manual: float | None) -> Grade:
        return Grade(student, convolution.name, exercise, auto, manual, 0.0, 2.0, auto is None)

    grades = [
        grade("ada", "why_not_invariant", None, 1.5),
        grade("ada", "pad2d", 6.0, 5.0),  # a person took a point
        grade("ben", "why_not_invariant", None, None),
        replace(grade("ben", "of_another_lesson", None, 9.0), lesson="99_other"),
    ]
    page = page_of(ClassResult("1_layers", rows, 1.0), [convolution], grades)
    by_student = {line[0]: line[8:11] for line in cells(section(page, "students"))}
    assert by_student == {
        "ada": ["60", "0.5", "60.5"],
        "ben": ["60", "waits", "60"],
        "cem": ["60", "-", "60"],
    }
    assert "2 more points are given by hand; 1 student waits for them" in words(section(page, "scores"))
    heads = words(section(page, "students").thead)
    assert "automatic of 60 by hand of 2 total of 62" in heads


def test_what_was_lost_is_said_and_leads_to_the_feedback(convolution: Lesson) -> None:
    one = row("ada", convolution, {"pad2d": 0.0})
    one.verdicts[convolution.name]["pad2d"] = Verdict(
        "pad2d", 0, 6, "failed", mistake="axes swapped", hint="No."
    )
    one.verdicts[convolution.name]["im2col"] = Verdict("im2col", 0, 9, "not attempted")
    one.flags.append("it looked around")
    students = section(page_of(ClassResult("1_layers", (one,), 1.0), [convolution]), "students")
    assert "axes swapped in pad2d" in words(students) and "not attempted: im2col" in words(students)
    address = f"../feedback/ada/1_layers/{convolution.name}.html"
    links = [link["href"] for link in students.select("tbody a")]
    assert links == [address, *(f"{address}#{name}" for name in convolution.exercises), "#fs0"]


def test_grades_that_changed_are_listed_with_the_reason(convolution: Lesson) -> None:
    changes = (
        Change("ada", convolution.name, "pad2d", 3.0, 6.0, 6.0, 6.0, "the submission changed"),
        Change("gone", convolution.name, "im2col", None, None, 2.0, 9.0, "the exercise is new"),
    )
    rows = (row("ada", convolution, 1.0),)
    page = page_of(ClassResult("1_layers", rows, 1.0, changes), [convolution])
    assert cells(section(page, "changes")) == [
        ["ada", "pad2d", "3 of 6", "6 of 6", "the submission changed"],
        ["gone", "im2col", "-", "2 of 9", "the exercise is new"],
    ]
    assert page_of(ClassResult("1_layers", rows, 1.0), [convolution]).find(id="changes") is None


def test_every_link_in_the_page_has_its_place(convolution: Lesson) -> None:
    rows = tuple(row(f"s{n}", convolution, n / 9, flags=[f"flag {n}"]) for n in range(9))
    page = page_of(ClassResult("1_layers", rows, 1.0), [convolution])
    ids = [tag["id"] for tag in page.find_all(id=True)]
    assert len(ids) == len(set(ids))
    inside = {link["href"][1:] for link in page.find_all("a") if link["href"].startswith("#")}
    assert inside <= set(ids)
    for tag in page.find_all(attrs={"aria-labelledby": True}):
        assert set(tag["aria-labelledby"].split()) <= set(ids)


@pytest.mark.parametrize(
    "evil", [EVIL, "javascript:alert(1)", "../../..", "\u202eada\ud800\x00", "{{ 7 * 7 }}", '" x="']
)
def test_names_flags_and_problems_are_text(convolution: Lesson, evil: str) -> None:
    cases = (CaseVerdict(evil, evil, False, evil),)
    verdicts = {"pad2d": Verdict("pad2d", 0, 6, "failed", {evil: (0, 6)}, cases, evil, evil, (evil,))}
    rows = (
        StudentResult(evil, {convolution.name: verdicts}, [evil], 1.0),
        StudentResult("ada", {convolution.name: verdicts}, [evil] * 50, 1.0, evil),
        StudentResult("bob", {convolution.name: {"pad2d": replace(verdicts["pad2d"], mistake="")}}),
    )
    html = render(ClassResult(evil, rows, 1.0), [convolution], when=NOON)
    html.encode()
    assert "\u202e" not in html and "\x00" not in html and html.count("{{") == html.count("{{ 7 * 7 }}")
    page = BeautifulSoup(html, "html.parser")
    assert len(page.find_all("script")) == len(page.find_all("style")) == 1
    assert not page.find_all(["img", "iframe", "link", "base", "form", "object"])
    for tag in page.find_all(True):
        assert not [name for name in tag.attrs if name.startswith("on") or name in ("src", "style")], tag
        if tag.name == "a":
            assert re.fullmatch(r"#\w+|\.\./feedback/[\w.%/@~-]+\.html(#\w+)?", tag["href"]), tag["href"]


def test_the_policy_allows_the_one_style_and_script_and_no_request(
    convolution: Lesson, tmp_path: Path
) -> None:
    result = ClassResult("1_layers", (row("ada", convolution, 1.0),), 1.0)
    path = write_page(result, [convolution], tmp_path / "new" / "p.html", when=NOON)
    page = BeautifulSoup(path.read_bytes(), "html.parser")
    policy = page.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]

    def digest(tag: Tag) -> str:
        return base64.b64encode(hashlib.sha256(tag.string.encode()).digest()).decode()

    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest(page.style)}'; script-src 'sha256-{digest(page.script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    assert [p.name for p in path.parent.iterdir()] == ["p.html"], "no draft is left"


def test_a_large_class_is_quick_and_small(checkout: Course) -> None:
    lessons = checkout.lessons("1_layers")
    rng = np.random.default_rng(0)
    rows = []
    for student in range(1000):
        verdicts: dict[str, dict[str, Verdict]] = {}
        for asked in lessons:
            verdicts[asked.name] = {
                name: Verdict(
                    name,
                    0.0,
                    e.total,
                    "failed",
                    mistake=str(rng.choice([m.name for m in e.mistakes])),
                    hint="No.",
                )
                if e.mistakes and rng.random() < 0.3
                else Verdict(name, e.total, e.total, "passed")
                for name, e in asked.exercises.items()
            }
        rows.append(
            StudentResult(f"student-{student:04}@example.org", verdicts, ["it was handed in late"], 0.2)
        )
    began = time.process_time()
    page = render(ClassResult("1_layers", tuple(rows), 100.0), lessons, when=NOON)
    assert time.process_time() - began < 2.0
    assert len(page.encode()) < 5_000_000
