"""The grade table of a class: its columns, and the whole table as text for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import TYPE_CHECKING

from autograder.words import one_line

if TYPE_CHECKING:
    from autograder.classroom.results import ClassResult, StudentResult
    from autograder.exercise import Lesson
    from autograder.verdict import Verdict

ROUNDING = 1e-9  # points by which a sum of points may miss what it is by rounding
WIDEST = 90  # characters of the findings in the text table
DEPENDS = "depends on "


@dataclass(frozen=True)
class Column:
    """One column of the table: an Exercise, or a whole lesson where a class handed in several.

    Args:
        name: of the Exercise or lesson.
        points: all that it gives.
        lesson: the lesson's name.
    """

    lesson: str
    name: str
    points: float

    def won(self, row: StudentResult) -> float | None:
        """Return the points of a row in this column, None where nothing was handed in."""
        verdicts = row.verdicts.get(self.lesson)
        if verdicts is None:
            return None
        if self.name == self.lesson:
            return sum(verdict.points for verdict in verdicts.values())
        return verdicts[self.name].points if self.name in verdicts else None


def columns(result: ClassResult, lessons: Sequence[Lesson]) -> list[Column]:
    """Return the columns: the exercises of the one lesson that the class handed in, else the lessons."""
    shown = handed_in(result, lessons)
    if len(shown) == 1:
        return exercises(shown[0])
    return [Column(lesson.name, lesson.name, lesson.total) for lesson in shown]


def exercises(lesson: Lesson) -> list[Column]:
    """Return a column for each Exercise of a lesson."""
    return [Column(lesson.name, exercise.name, exercise.total) for exercise in lesson.exercises.values()]


def handed_in(result: ClassResult, lessons: Sequence[Lesson]) -> list[Lesson]:
    """Return the lessons that at least one student handed in, or all lessons where nobody did."""
    names = {name for row in result.rows for name in row.verdicts}
    return [lesson for lesson in lessons if lesson.name in names] or list(lessons)


def by_hand(lessons: Sequence[Lesson]) -> dict[str, float]:
    """Return the free-text questions of some lessons, which a person grades: name -> points."""
    return {name: points for lesson in lessons for name, points in lesson.questions.items()}


def counted(result: ClassResult) -> str:
    """Return the number of a class's submissions, in words."""
    return plural(len(result.rows), "submission")


def plural(count: float, noun: str) -> str:
    """Return a number with its noun, as in "1 point" or "2,000 points"."""
    return f"{number(count, ',')} {noun}{'' if count == 1 else 's'}"


def number(value: float | None, option: str = "") -> str:
    """Return points as people write them, with at most two decimals; "-" for None."""
    if value is None:
        return "-"
    text = f"{round(value, 2) + 0.0:{option}.2f}"
    return text.rstrip("0").rstrip(".")


def text_table(result: ClassResult, lessons: Sequence[Lesson]) -> str:
    """Return the grade table as text, with one row for each student.

    The columns are exercises or lessons; the findings follow at the end of each row.
    """
    wanted = columns(result, lessons)
    legend = [f"{place:>3}  {c.name} ({number(c.points)} points)" for place, c in enumerate(wanted, 1)]
    questions = by_hand(handed_in(result, lessons))
    if questions:
        names = ", ".join(questions)
        legend.append(
            f"     graded by hand, not counted here: {names} ({plural(sum(questions.values()), 'point')})"
        )
    first = max([len(one_line(row.student)) for row in result.rows] + [len("student")])
    head = "".join(f"{place:>5}" for place in range(1, len(wanted) + 1))
    lines = [*legend, "", f"{'student':<{first}}{head}  total  found"]
    for row in result.rows:
        cells = "".join(f"{number(column.won(row)):>5}" for column in wanted)
        student = f"{one_line(row.student):<{first}}"
        lines.append(f"{student}{cells}  {number(row.points):>5}  {_found(row)}".rstrip())
    return "\n".join(lines)


def findings(row: StudentResult) -> list[str]:
    """Return a clause for each failing Exercise and for each earlier lesson that is missing."""
    said: list[str] = []
    for verdicts in row.verdicts.values():
        for verdict in verdicts.values():
            reason = cause(verdict)
            if reason:
                said.append(
                    f"{reason} in {verdict.exercise}" if verdict.mistake else f"{verdict.exercise}: {reason}"
                )
            said += [
                note.split(" of ")[-1] for note in _inherited(verdict) if note.endswith("is not handed in")
            ]
    return list(dict.fromkeys(said))


def not_attempted(row: StudentResult) -> list[str]:
    """Return the names of the Exercises that still are as they were handed out."""
    verdicts = [verdict for one in row.verdicts.values() for verdict in one.values()]
    return [verdict.exercise for verdict in verdicts if verdict.status == "not attempted"]


def cause(verdict: Verdict) -> str:
    """Return why points were lost: the Mistake, the broken rule, a pattern, or what the first failing Case says.

    The first of these that there is.

    Return "" where no points were lost, where nothing was written, or where the only cause is an earlier Answer that
    fails.
    """
    if verdict.mistake:
        return verdict.mistake
    inherited = _inherited(verdict)
    rules = [note for note in verdict.notes if note not in inherited]
    if rules:
        return rules[0]
    sentences = [case.sentence for case in verdict.cases if not case.passed and case.sentence]
    sentences[:0] = verdict.patterns
    return sentences[0] if verdict.status == "failed" and sentences and not inherited else ""


def _inherited(verdict: Verdict) -> list[str]:
    return [note for note in verdict.notes if note.startswith(DEPENDS)]


def _found(row: StudentResult) -> str:
    if row.problem:
        return one_line(row.problem)
    flags = [f"[{row.flags[0]}]" if len(row.flags) == 1 else f"[{len(row.flags)} flags]"] if row.flags else []
    said = [one for one in findings(row) if one not in row.flags]
    return shorten(one_line(" ".join(["; ".join(said), *flags])), WIDEST, placeholder=" ...")
