"""What the instructor sees of a graded class: a table for the terminal, a page for the browser."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from textwrap import shorten

from autograder.classroom import ClassResult, Row
from autograder.exercise import Lesson

WIDEST = 90  # characters of what was found, in the table

STYLE = """
:root { color-scheme: light dark }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem; }
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


def columns(lessons: Sequence[Lesson]) -> list[tuple[str, str, float]]:
    """Return (lesson, exercise, points) for every column of the table."""
    return [(lesson.name, e.name, e.total) for lesson in lessons for e in lesson.exercises.values()]


def text_table(result: ClassResult, lessons: Sequence[Lesson]) -> str:
    """The grade table as text: one row a student, one column an exercise, then what was found."""
    wanted = columns(lessons)
    legend = [
        f"{number:>3}  {name} ({points:g} points)" for number, (_, name, points) in enumerate(wanted, 1)
    ]
    first = max([len(row.student) for row in result.rows] + [len("student")])
    head = "".join(f"{number:>5}" for number in range(1, len(wanted) + 1))
    lines = [*legend, "", f"{'student':<{first}}{head}  total  found"]
    for row in result.rows:
        cells = "".join(f"{_points(row, lesson, name):>5}" for lesson, name, _ in wanted)
        lines.append(f"{row.student:<{first}}{cells}  {row.points:>5g}  {_found(row)}".rstrip())
    return "\n".join(lines)


def write_page(result: ClassResult, lessons: Sequence[Lesson], path: Path) -> Path:
    """Write the class report, one self-contained page without scripts, and return its path."""
    wanted = columns(lessons)
    heads = "".join(f"<th>{_breakable(name)}<br>{points:g}</th>" for _, name, points in wanted)
    body = []
    for row in result.rows:
        cells = []
        for lesson, name, total in wanted:
            verdict = row.verdicts.get(lesson, {}).get(name)
            points = verdict.points if verdict else 0.0
            kind = "full" if points == total else "part" if points else "none"
            cells.append(f'<td class="{kind}">{_points(row, lesson, name)}</td>')
        said = [*_mistakes(row), *row.flags, *([row.problem] if row.problem else [])]
        words = "<br>".join(escape(one) for one in said)
        body.append(
            f'<tr><td><a href="{escape(_feedback(result, row, lessons))}">{escape(row.student)}</a></td>'
            f"{''.join(cells)}<td>{row.points:g}</td>"
            f'<td>{row.seconds:.2f}</td><td class="words">{words}</td></tr>'
        )
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(result.assignment)}</title>'
        f"<style>{STYLE}</style><h1>{escape(result.assignment)}</h1>"
        f"<p>{len(result.rows)} submissions, graded in {result.seconds:.1f} s.</p>"
        f"<table><thead><tr><th>student</th>{heads}<th>total</th><th>seconds</th>"
        f'<th class="words">mistakes recognised, and what was odd</th></tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></html>\n"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path


def _feedback(result: ClassResult, row: Row, lessons: Sequence[Lesson]) -> str:
    """Where the row's feedback lies, seen from the report: the one lesson's page, else the folder of all."""
    folder = f"../feedback/{row.student}/{result.assignment}/"
    return f"{folder}{lessons[0].name}.html" if len(lessons) == 1 else folder


def _breakable(name: str) -> str:
    return escape(name).replace("_", "_<wbr>")


def _points(row: Row, lesson: str, exercise: str) -> str:
    verdict = row.verdicts.get(lesson, {}).get(exercise)
    return f"{verdict.points:g}" if verdict else "-"


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
    return [one for one in said if one not in row.flags]


def _found(row: Row) -> str:
    if row.problem:
        return row.problem
    flags = [f"[{row.flags[0]}]" if len(row.flags) == 1 else f"[{len(row.flags)} flags]"] if row.flags else []
    return shorten(" ".join(["; ".join(_mistakes(row)), *flags]).strip(), WIDEST, placeholder=" ...")
