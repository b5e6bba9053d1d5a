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

    cells: Exercise -> the cell that was taken for its Answer.
    written: the Exercises whose Answer is not the stub.
    rejected: number of a cell that could have been an Answer where another one was taken -> Exercise.
    """

    cells: Mapping[str, StudentCell]
    written: frozenset[str]
    rejected: Mapping[int, str]


def match_answers(matcher: CellMatcher, remarks: Remarks) -> Answers:
    """Find the cell of each Exercise's Answer, and remark on what was odd about it."""
    exercises = matcher.lesson.cells_of("exercise")
    answers: dict[str, StudentCell] = {}
    written: set[str] = set()
    rejected: dict[int, str] = {}
    for name, stub in exercises.items():
        candidates = [cell for cell in matcher.cells if _may_answer(matcher, cell, stub, exercises)]
        if not candidates:
            _remark_missing(matcher, stub, exercises, remarks)
            continue
        answer = max(candidates, key=lambda cell, stub=stub: _rank(matcher, cell, stub))
        answers[name] = answer
        if _is_written(matcher, answer, stub):
            written.add(name)
        _remark_odd(matcher, answer, stub, remarks)
        for cell in candidates:
            if cell is not answer:
                rejected.setdefault(cell.number, name)
        rivals = [cell for cell in candidates if name in cell.defines or cell is answer]
        if len(rivals) > 1:
            numbers = " and ".join(str(cell.number) for cell in rivals)
            remarks.tell_both(
                name, f"Cells {numbers} hold an answer; the one in cell {answer.number} was taken."
            )
    return Answers(answers, frozenset(written), rejected)


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


def _rank(matcher: CellMatcher, cell: StudentCell, stub: LessonCell) -> tuple[bool | int, ...]:
    """Return what makes a cell the Answer rather than others: of equals the last one counts."""
    claimed = matcher.claimed(cell)
    return (
        stub.name in cell.defines,
        _is_written(matcher, cell, stub),
        claimed is None or claimed.role != "check",
        cell.kind == "code",
        claimed is stub,
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
