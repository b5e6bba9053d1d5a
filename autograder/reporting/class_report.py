"""The class report: one page that loads nothing and shows whatever comes from students as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from autograder import files
from autograder.reporting import TEMPLATES, statistics
from autograder.reporting.histogram import histogram
from autograder.reporting.table import (
    ROUNDING,
    Column,
    by_hand,
    columns,
    counted,
    exercises,
    findings,
    handed_in,
    not_attempted,
    number,
    plural,
)
from autograder.words import one_line, page_policy

if TYPE_CHECKING:
    from autograder.classroom.results import ClassResult, StudentResult
    from autograder.exercise import Lesson
    from autograder.recording.gradebook import Grade

# Lines shown of one student; the feedback pages and intake's records have the rest.
MAX_LOST = MAX_FLAGS = 12
MAX_NAMED = 3  # names of exercises not attempted that are shown
MAX_LINE = 300  # characters of a flag
SLOWEST = 3  # students who are named with their seconds
MOST_STUDENTS = 95  # per cent of the students whose seconds are no outliers


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table.

    Args:
        text: the text that the cell shows.
        kind: "part" or "none" where only some or none of the points were earned, else "".
        link: the address that the cell leads to, or "".
    """

    text: str
    kind: str = ""
    link: str = ""


@dataclass(slots=True)
class Line:
    """One student's row in the table.

    Args:
        student: the student's id.
        anchor: the row's id in the page.
        cells: the cells, one for each column.
        automatic, hand, total: points, as text.
        seconds: the time that grading took.
        link: the address of the feedback page, or "".
        problem: why the submission could not be graded, or "".
        lost: sentences that say what cost points.
        more: how many further such sentences are left out.
        flags: how many flags intake raised.
    """

    student: str
    anchor: str
    cells: list[Cell]
    automatic: str
    hand: str
    total: str
    seconds: float
    link: str
    problem: str
    lost: list[str] = field(default_factory=list)
    more: int = 0
    flags: int = 0


def write_page(
    result: ClassResult,
    lessons: Sequence[Lesson],
    path: Path,
    *,
    grades: Iterable[Grade] = (),
    when: datetime | None = None,
) -> Path:
    """Write the class report, one self-contained page, and return its path.

    The page is written row by row, so that a large class needs no more memory than a small one. It replaces an older
    page only when it is complete.

    Args:
        result: the graded class.
        lessons: the lessons of the assignment.
        path: the file to write.
        grades: the gradebook's grades, for the points that a person gave.
        when: the time that the page shows, by default now.
    """
    with files.replacing(path) as file:
        for piece in _pieces(result, lessons, grades, when):
            file.write(piece.encode("utf-8"))
    return path


def render(
    result: ClassResult,
    lessons: Sequence[Lesson],
    *,
    grades: Iterable[Grade] = (),
    when: datetime | None = None,
) -> str:
    """Return the class report as HTML.

    Args:
        result, lessons, grades, when: as for `write_page`.
    """
    return "".join(_pieces(result, lessons, grades, when))


def _pieces(
    result: ClassResult, lessons: Sequence[Lesson], grades: Iterable[Grade], when: datetime | None
) -> Iterator[str]:
    shown = handed_in(result, lessons)
    wanted = columns(result, lessons)
    hand = Hand(shown, grades)
    anchors = {row.student: f"s{place}" for place, row in enumerate(result.rows)}
    scores = statistics.scores(result, shown)
    style, script = _file("style.css"), _file("table.js")
    page = _environment().get_template("page.html.j2")
    yield from page.generate(
        style=Markup(style),
        script=Markup(script),
        policy=Markup(page_policy(style, script)),
        title=result.assignment,
        lessons=shown,
        when=when or datetime.now().astimezone(),
        counted=counted(result),
        seconds=result.seconds,
        scores=scores,
        drawing=histogram(scores) if scores.total else None,
        items=[item for lesson in shown for item in statistics.items(result, lesson)],
        fewest=statistics.FEWEST,
        made=statistics.made(result),
        anchors=anchors,
        columns=wanted,
        lines=(_line(result, shown, wanted, hand, anchors[row.student], row) for row in result.rows),
        tables=_tables(result, shown, anchors) if len(shown) > 1 else {},
        hand=hand,
        flags={row.student: row.flags[:MAX_FLAGS] for row in result.rows if row.flags},
        flagged={row.student: len(row.flags) for row in result.rows if row.flags},
        problems={row.student: row.problem for row in result.rows if row.problem},
        left_out=result.left_out,
        time=_time(result),
        changes=result.changes,
    )
    yield "\n"


class Hand:
    """The points that people give: for free-text questions, and where they set an Exercise's points themselves.

    Attributes:
        questions: name -> points of the free-text questions.
        known: whether the gradebook was asked, so that there are points to show.
    """

    def __init__(self, lessons: Sequence[Lesson], grades: Iterable[Grade]) -> None:
        self.questions = by_hand(lessons)
        self.points = float(sum(self.questions.values()))
        self._given: dict[str, float] = {}
        self._waiting: set[str] = set()
        names, asked = {lesson.name for lesson in lessons}, False
        for grade in grades:
            asked = True
            if grade.lesson not in names:
                continue
            given = grade.score - (grade.auto or 0.0)
            self._given[grade.student] = self._given.get(grade.student, 0.0) + given
            if grade.auto is None and grade.manual is None:
                self._waiting.add(grade.student)
        self.known = asked and bool(self.questions or any(self._given.values()))
        self.waiting = len(self._waiting)

    def given(self, student: str) -> float:
        """Return the points that people gave a student, negative where they took some away."""
        return self._given.get(student, 0.0)

    def text(self, student: str) -> str:
        """Return the points that people gave a student, as the table shows them."""
        if student not in self._given:
            return "-"
        return "waits" if student in self._waiting else number(self.given(student))


def _line(
    result: ClassResult,
    lessons: Sequence[Lesson],
    wanted: Sequence[Column],
    hand: Hand,
    anchor: str,
    row: StudentResult,
) -> Line:
    unwritten = not_attempted(row)
    named = ", ".join(unwritten) if len(unwritten) <= MAX_NAMED else plural(len(unwritten), "exercise")
    lost = findings(row) + ([f"not attempted: {named}"] if unwritten else [])
    return Line(
        row.student,
        anchor,
        [_cell(result, row, column) for column in wanted],
        number(row.points),
        hand.text(row.student),
        number(row.points + hand.given(row.student)),
        row.seconds,
        _feedback(result, row, lessons[0].name) if len(lessons) == 1 else "",
        row.problem,
        lost[:MAX_LOST],
        max(0, len(lost) - MAX_LOST),
        len(row.flags),
    )


def _cell(result: ClassResult, row: StudentResult, column: Column, *, linked: bool = True) -> Cell:
    points = column.won(row)
    if points is None:
        return Cell("-")
    kind = "" if points >= column.points - ROUNDING else "part" if points else "none"
    fragment = "" if column.name == column.lesson else f"#{_part(column.name)}"
    page = _feedback(result, row, column.lesson) if linked else ""
    return Cell(number(points), kind, page and f"{page}{fragment}")


def _tables(
    result: ClassResult, lessons: Sequence[Lesson], anchors: Mapping[str, str]
) -> dict[str, tuple[list[Column], int, Iterator[tuple[str, str, list[Cell], str]]]]:
    """Return lesson -> its columns, how many handed it in, and (student, anchor, cells, points) of each."""
    return {
        lesson.name: (
            wanted := exercises(lesson),
            sum(lesson.name in row.verdicts for row in result.rows),
            _table(result, lesson, wanted, anchors),
        )
        for lesson in lessons
    }


def _table(
    result: ClassResult, lesson: Lesson, wanted: Sequence[Column], anchors: Mapping[str, str]
) -> Iterator[tuple[str, str, list[Cell], str]]:
    whole = Column(lesson.name, lesson.name, lesson.total)
    for row in result.rows:
        if lesson.name in row.verdicts:
            cells = [_cell(result, row, column, linked=False) for column in wanted]
            yield row.student, anchors[row.student], cells, number(whole.won(row))


def _feedback(result: ClassResult, row: StudentResult, lesson: str) -> str:
    """Return the path of a student's feedback page relative to the report, "" where none was written."""
    if row.problem or lesson not in row.verdicts:
        return ""
    return f"../feedback/{_part(row.student)}/{_part(result.assignment)}/{_part(lesson)}.html"


def _part(name: str) -> str:
    """Return a name escaped for use as one part of an address."""
    return quote(name, safe="@", errors="replace")


def _time(result: ClassResult) -> dict[str, object]:
    """Return the seconds spent in the sandbox: sum, median, 95th percentile, and the slowest students."""
    seconds = [row.seconds for row in result.rows]
    slowest = sorted(result.rows, key=lambda row: -row.seconds)[:SLOWEST]
    return {
        "all": sum(seconds),
        "median": float(np.median(seconds)) if seconds else 0.0,
        "most": float(np.percentile(seconds, MOST_STUDENTS)) if seconds else 0.0,
        "slowest": [(row.student, row.seconds) for row in slowest],
    }


def _file(name: str) -> str:
    return (TEMPLATES / "class_report" / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES / "class_report"),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=number, plural=plural, breakable=_breakable, line=_cut)
    return environment


def _shown(value: object) -> object:
    """Remove from a text that the page shows whatever could disturb the reader."""
    return one_line(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _cut(sentence: str) -> str:
    return one_line(sentence, MAX_LINE)


def _breakable(name: str) -> Markup:
    """Return a name that the browser may break after its underscores."""
    return Markup("_<wbr>").join(escape(part) for part in one_line(name).split("_"))
