"""What the instructor sees of a graded class: a table for the terminal, a page for the browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from textwrap import shorten

from autograder.classroom import ClassResult, Row
from autograder.exercise import Lesson

WIDEST = 90  # characters of what was found, in the table

STYLE = """
:root { color-scheme: light dark }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem; }
h2 { font-size: 17px; margin: 2rem 0 .5rem }
table { border-collapse: collapse; width: 100% }
th, td { padding: .3rem .6rem; text-align: right; border-bottom: 1px solid #8884; vertical-align: top }
th:first-child, td:first-child, td.words, th.words { text-align: left }
td.none { color: #b3261e } td.full { color: inherit } td.part { color: #9a6700 }
td.words { font-size: 13px; min-width: 16rem }
th { font-size: 13px }
td:first-child { white-space: nowrap }
thead th { position: sticky; top: 0; background: Canvas }
@media (prefers-color-scheme: dark) { td.none { color: #ff8a80 } td.part { color: #e3b341 } }
"""


@dataclass(frozen=True)
class Column:
    """One column of the table: an Exercise, or a whole lesson where a class handed in several.

    name: of the Exercise or lesson; points: in all; lesson: the lesson's name.
    """

    lesson: str
    name: str
    points: float

    def won(self, row: Row) -> float | None:
        """The points of a row in this column, None where nothing was handed in."""
        verdicts = row.verdicts.get(self.lesson)
        if verdicts is None:
            return None
        if self.name == self.lesson:
            return sum(verdict.points for verdict in verdicts.values())
        return verdicts[self.name].points if self.name in verdicts else None


def columns(result: ClassResult, lessons: Sequence[Lesson]) -> list[Column]:
    """Return the columns: the exercises of the one lesson that the class handed in, else the lessons."""
    shown = _handed_in(result, lessons)
    if len(shown) == 1:
        return _exercises(shown[0])
    return [Column(x.name, x.name, x.total) for x in shown]


def counted(result: ClassResult) -> str:
    """Return how many submissions a class has, in words."""
    return f"{len(result.rows)} submission{'' if len(result.rows) == 1 else 's'}"


def _handed_in(result: ClassResult, lessons: Sequence[Lesson]) -> list[Lesson]:
    names = {name for row in result.rows for name in row.verdicts}
    return [lesson for lesson in lessons if lesson.name in names] or list(lessons)


def _exercises(lesson: Lesson) -> list[Column]:
    return [Column(lesson.name, e.name, e.total) for e in lesson.exercises.values()]


def text_table(result: ClassResult, lessons: Sequence[Lesson]) -> str:
    """The grade table as text: one row a student, one column an exercise or lesson, then what was found."""
    wanted = columns(result, lessons)
    legend = [f"{number:>3}  {c.name} ({c.points:g} points)" for number, c in enumerate(wanted, 1)]
    first = max([len(row.student) for row in result.rows] + [len("student")])
    head = "".join(f"{number:>5}" for number in range(1, len(wanted) + 1))
    lines = [*legend, "", f"{'student':<{first}}{head}  total  found"]
    for row in result.rows:
        cells = "".join(f"{_points(column.won(row)):>5}" for column in wanted)
        lines.append(f"{row.student:<{first}}{cells}  {row.points:>5g}  {_found(row)}".rstrip())
    return "\n".join(lines)


def write_page(result: ClassResult, lessons: Sequence[Lesson], path: Path) -> Path:
    """Write the class report, one self-contained page without scripts, and return its path.

    Where a class handed in several lessons, their table comes first and one of exercises for each after it.
    """
    shown = _handed_in(result, lessons)
    parts = [_table(result, shown, columns(result, lessons), words=True)]
    if len(shown) > 1:
        for lesson in shown:
            parts += [f"<h2>{escape(lesson.name)}</h2>", _table(result, [lesson], _exercises(lesson))]
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(result.assignment)}</title>'
        f"<style>{STYLE}</style><h1>{escape(result.assignment)}</h1>"
        f"<p>{counted(result)}, graded in {result.seconds:.1f} s.</p>{''.join(parts)}</html>\n"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path


def _table(
    result: ClassResult, lessons: Sequence[Lesson], wanted: Sequence[Column], *, words: bool = False
) -> str:
    """One table of the page; words: with the sandbox's time and what was found."""
    heads = "".join(f"<th>{_breakable(column.name)}<br>{column.points:g}</th>" for column in wanted)
    more = '<th>seconds</th><th class="words">mistakes recognised, and what was odd</th>' if words else ""
    body = []
    for row in result.rows:
        won = [column.won(row) for column in wanted]
        if not words and not any(points is not None for points in won):
            continue
        cells = [
            f'<td class="{_kind(points, column.points)}">{_points(points)}</td>'
            for points, column in zip(won, wanted, strict=True)
        ]
        total = row.points if words else sum(points or 0.0 for points in won)
        said = [*_mistakes(row), *row.flags, *([row.problem] if row.problem else [])]
        found = f'<td>{row.seconds:.2f}</td><td class="words">{"<br>".join(map(escape, said))}</td>'
        body.append(
            f'<tr><td><a href="{escape(_feedback(result, row, lessons))}">{escape(row.student)}</a></td>'
            f"{''.join(cells)}<td>{total:g}</td>{found if words else ''}</tr>"
        )
    return (
        f"<table><thead><tr><th>student</th>{heads}<th>total</th>{more}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table>"
    )


def _kind(points: float | None, total: float) -> str:
    return "full" if points == total else "part" if points else "none"


def _feedback(result: ClassResult, row: Row, lessons: Sequence[Lesson]) -> str:
    """Where the row's feedback lies, seen from the report: the one lesson's page, else the folder of all."""
    folder = f"../feedback/{row.student}/{result.assignment}/"
    return f"{folder}{lessons[0].name}.html" if len(lessons) == 1 else folder


def _breakable(name: str) -> str:
    return escape(name).replace("_", "_<wbr>")


def _points(points: float | None) -> str:
    return "-" if points is None else f"{points:g}"


def _mistakes(row: Row) -> list[str]:
    """What went wrong in each failing exercise: the Mistake, else the rule broken, else the first Case's sentence."""
    said = []
    for verdicts in row.verdicts.values():
        for verdict in verdicts.values():
            inherited = [note for note in verdict.notes if note.startswith("depends on ")]
            rules = [note for note in verdict.notes if note not in inherited]
            sentences = [case.sentence for case in verdict.cases if not case.passed]
            if verdict.mistake:
                said.append(f"{verdict.mistake} in {verdict.exercise}")
            elif rules:
                said.append(f"{verdict.exercise}: {rules[0]}")
            elif verdict.status == "failed" and sentences and not inherited:
                said.append(f"{verdict.exercise}: {sentences[0]}")
            said += [note.split(" of ")[-1] for note in inherited if note.endswith("is not handed in")]
    return [one for one in dict.fromkeys(said) if one not in row.flags]


def _found(row: Row) -> str:
    if row.problem:
        return row.problem
    flags = [f"[{row.flags[0]}]" if len(row.flags) == 1 else f"[{len(row.flags)} flags]"] if row.flags else []
    return shorten(" ".join(["; ".join(_mistakes(row)), *flags]).strip(), WIDEST, placeholder=" ...")
