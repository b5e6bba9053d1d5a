"""Progress through the course: every lesson and Exercise against the student's library, and the next one to do."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from cnnlab.checking import boxes, report, tries
from cnnlab.checking.picture import INK, LINE, MONO, PALE_INK
from cnnlab.library import catalogue, shelf
from cnnlab.library.cells import in_notebook

SIGNS = {"done": "passes", "failed": "fails", "to do": "is not attempted"}


@dataclass(frozen=True)
class ExerciseProgress:
    """A student's progress with one Exercise.

    Args:
        lesson, exercise: their names.
        done: its Answer is kept, or has passed in this kernel.
        failed: the tries that failed in this kernel.
    """

    lesson: str
    exercise: str
    done: bool
    failed: int

    @property
    def state(self) -> str:
        """One of "done", "failed" and "to do"."""
        return "done" if self.done else "failed" if self.failed else "to do"


def progress() -> None:
    """Show what is done and what is next: a table of lessons and exercises, and the next one in a sentence."""
    rows = table()
    if in_notebook():
        from IPython.display import display

        display({"text/html": html(rows), "text/plain": text(rows)}, raw=True)
    else:
        print(text(rows))


def table() -> list[ExerciseProgress]:
    """Return every Exercise of the course, in order."""
    kept = shelf.kept()
    rows = []
    for lesson, exercises in catalogue.lessons().items():
        for exercise in exercises:
            record = tries.tries_at(exercise)
            rows.append(ExerciseProgress(lesson, exercise, exercise in kept or record.passed, record.failed))
    return rows


def text(rows: Iterable[ExerciseProgress]) -> str:
    """Return the table as plain text of at most 88 columns."""
    rows = list(rows)
    lines = []
    for lesson, of_lesson in _by_lesson(rows).items():
        lines.append(f"{lesson:<24} {_count(of_lesson)}")
        for state in SIGNS:
            names = [_words(row) for row in of_lesson if row.state == state]
            if names:
                lines += textwrap.wrap(
                    ", ".join(names), report.WIDTH, initial_indent=f"  {state:<8}", subsequent_indent=" " * 10
                )
    return "\n".join([*lines, "", *textwrap.wrap(_next(rows), report.WIDTH)])


def html(rows: Iterable[ExerciseProgress]) -> str:
    """Return the table as one bordered box of HTML that needs nothing from outside."""
    rows = list(rows)
    body = "".join(_lesson(lesson, of_lesson) for lesson, of_lesson in _by_lesson(rows).items())
    upcoming = f'<div style="margin-bottom:8px;font-weight:600;color:{INK}">{escape(_next(rows))}</div>'
    style = "border-collapse:collapse;background:#ffffff;width:100%"
    return boxes.box(f'{upcoming}<table style="{style}">{body}</table>')


def _by_lesson(rows: Iterable[ExerciseProgress]) -> dict[str, list[ExerciseProgress]]:
    lessons: dict[str, list[ExerciseProgress]] = {}
    for row in rows:
        lessons.setdefault(row.lesson, []).append(row)
    return lessons


def _count(rows: list[ExerciseProgress]) -> str:
    return f"{sum(row.done for row in rows)} of {len(rows)}"


def _words(row: ExerciseProgress) -> str:
    if row.done or not row.failed:
        return row.exercise
    return f"{row.exercise} ({row.failed} {'try' if row.failed == 1 else 'tries'})"


def _next(rows: list[ExerciseProgress]) -> str:
    upcoming = next((row for row in rows if not row.done), None)
    done = f"{_count(rows)} exercises done."
    if upcoming is None:
        return f"{done} That is all of them."
    number = upcoming.lesson.split("_")[0]
    return f"{done} Next: {upcoming.exercise} in lesson {number} ({upcoming.lesson}.ipynb)."


def _lesson(lesson: str, rows: list[ExerciseProgress]) -> str:
    chips = "".join(
        f'<span style="display:inline-flex;align-items:center;gap:4px;margin:1px 14px 1px 0;white-space:nowrap">'
        f'{boxes.sign(SIGNS[row.state], 11)}<span style="font-family:{MONO};font-size:12.5px;'
        f'color:{INK if row.done or row.failed else PALE_INK}">{escape(_words(row))}</span></span>'
        for row in rows
    )
    cell = f"text-align:left;vertical-align:top;padding:5px 12px 5px 0;border-top:1px solid {LINE}"
    plain = f"{cell};background:#ffffff;color:{INK};font-size:13px"
    return (
        f'<tr style="background:#ffffff"><td style="{plain};white-space:nowrap">{escape(lesson)}</td>'
        f'<td style="{plain};white-space:nowrap;color:{PALE_INK}">{_count(rows)}</td>'
        f'<td style="{plain}">{chips}</td></tr>'
    )
