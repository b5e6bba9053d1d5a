"""Find the cell that holds the Answer to each Exercise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from autograder.intake.match_cells import CellMatcher
from autograder.intake.pristine_lesson import LessonCell
from autograder.intake.read_notebook import StudentCell
from autograder.intake.remarks import Remarks


@dataclass(frozen=True)
class Answers:
    """The cells that hold a student's Answers.

    cells: Exercise -> the cell that was taken for its Answer: the one in force at its check.
    written: the Exercises whose Answer is not the stub.
    rejected: number of a cell that could have been an Answer where another one was taken -> Exercise.
    later: Exercise -> the last cell below its check that answers it anew, where there is any; it is asked as well.
    """

    cells: Mapping[str, StudentCell]
    written: frozenset[str]
    rejected: Mapping[int, str]
    later: Mapping[str, StudentCell]


def match_answers(matcher: CellMatcher, remarks: Remarks) -> Answers:
    """Find the cell of each Exercise's Answer, and remark on what was odd about it.

    Of several cells that answer an Exercise, the one counts that is in force at its check when the notebook is run from top
    to bottom: the last one above the check, or the last one where all lie below. An untouched stub counts only where
    nothing else answers.
    """
    exercises, checks = matcher.lesson.cells_of("exercise"), _checks(matcher)
    answers: dict[str, StudentCell] = {}
    written: set[str] = set()
    rejected: dict[int, str] = {}
    later: dict[str, StudentCell] = {}
    for name, stub in exercises.items():
        candidates = [cell for cell in matcher.cells if _may_answer(matcher, cell, stub, exercises)]
        if not candidates:
            _remark_missing(matcher, stub, exercises, remarks)
            continue
        check = checks.get(name, len(matcher.cells) + 1)
        answer = max(candidates, key=lambda cell, stub=stub, check=check: _rank(matcher, cell, stub, check))
        answers[name] = answer
        if _is_written(matcher, answer, stub):
            written.add(name)
        _remark_odd(matcher, answer, stub, remarks)
        rivals = [cell for cell in candidates if name in cell.defines and _is_written(matcher, cell, stub)]
        below = [cell for cell in rivals if cell.number > max(check, answer.number) and cell.kind == "code"]
        if below:
            later[name] = below[-1]
        for cell in candidates:
            if cell is not answer and cell not in below:
                rejected.setdefault(cell.number, name)
        if len(rivals) > 1:
            numbers = " and ".join(str(cell.number) for cell in rivals)
            more = (
                f"; the one in cell {below[-1].number}, below the check, was asked as well" if below else ""
            )
            remarks.tell_both(
                name, f"Cells {numbers} hold an answer; the one in cell {answer.number} was taken{more}."
            )
    return Answers(answers, frozenset(written), rejected, later)


def _checks(matcher: CellMatcher) -> dict[str, int]:
    """Return Exercise -> the number of the student's cell that is its check; of several the first."""
    found: dict[str, int] = {}
    for cell in matcher.cells:
        counterpart = matcher.counterpart(cell)
        if counterpart is not None and counterpart.role == "check":
            found.setdefault(counterpart.name, cell.number)
    return found


def _may_answer(
    matcher: CellMatcher, cell: StudentCell, stub: LessonCell, exercises: Mapping[str, LessonCell]
) -> bool:
    if cell.refused:
        return False
    if stub.name in cell.defines:
        return True
    # A cell that says it is this one, but holds another Exercise's Answer, is that one's.
    return (
        matcher.claimed(cell) is stub and cell.kind == "code" and not exercises.keys() & cell.defines.keys()
    )


def _rank(matcher: CellMatcher, cell: StudentCell, stub: LessonCell, check: int) -> tuple[bool | int, ...]:
    """Return what makes a cell the Answer rather than others: of equals the last one counts."""
    claimed = matcher.claimed(cell)
    defines = stub.name in cell.defines
    return (
        defines,
        _is_written(matcher, cell, stub),
        cell.kind == "code",
        cell.number <= check,
        defines or claimed is None or claimed.role != "check",
        cell.number,
    )


def _is_written(matcher: CellMatcher, cell: StudentCell, stub: LessonCell) -> bool:
    if matcher.has_same_text(cell, stub):
        return False
    digest = cell.defines.get(stub.name, "")
    return digest == "" or digest != stub.defines.get(stub.name)


def _remark_missing(
    matcher: CellMatcher, stub: LessonCell, exercises: Mapping[str, LessonCell], remarks: Remarks
) -> None:
    sentence = f"No cell of yours defines {stub.name}."
    for cell in matcher.cells:
        if matcher.claimed(cell) is not stub:
            continue
        if cell.refused:
            sentence = f"The cell of {stub.name} {cell.refused}, so it could not be used."
        elif cell.kind != "code":
            what = f"a {cell.kind} cell whose text is not Python"
            sentence = f"The cell of {stub.name} is {what}, so it could not be used."
        else:
            others = " and ".join(sorted(exercises.keys() & cell.defines.keys()))
            sentence = f"No cell of yours defines {stub.name}; its cell defines {others}."
    remarks.tell_both(stub.name, sentence)


def _remark_odd(matcher: CellMatcher, cell: StudentCell, stub: LessonCell, remarks: Remarks) -> None:
    name, claimed = stub.name, matcher.claimed(cell)
    if cell.kind != "code":
        remarks.tell_both(name, f"Its cell had become a {cell.kind} cell; it was read as code.")
    if name not in cell.defines:
        remarks.tell_both(name, f"Its cell does not define {name}.")
    elif claimed is None:
        remarks.tell_both(name, "It was matched by its name: its cell had lost its id.")
    elif claimed is not stub and claimed.role == "check":
        remarks.tell_both(name, "It was found in a check's cell; the check itself was put back.")
    elif claimed is not stub:
        whose = f"has the id of {claimed.name}" if claimed.name else "was one of the lesson's own"
        remarks.tell_both(name, f"It was matched by its name: its cell {whose}.")
