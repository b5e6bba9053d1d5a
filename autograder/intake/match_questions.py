"""Find the text that answers each question."""

from __future__ import annotations

import re

from autograder.authoring.notebooks import TEXT_STUB
from autograder.intake.match_cells import CellMatcher
from autograder.intake.pristine_lesson import LessonCell
from autograder.intake.read_notebook import StudentCell
from autograder.intake.remarks import Remarks

MIN_HEAD = 10  # characters of a question's text by which its cell is known again
MIN_FENCE = 3  # backticks


def match_questions(matcher: CellMatcher, remarks: Remarks, *, fenced: bool = True) -> dict[str, str]:
    """Return question -> the text that its cell is to hold, "" where the student left the cell as it was.

    Where the cell of a question is gone, the student's own text that stands in its place is taken, else all own text of the
    notebook, for a person to look through; where there is none, the question is left out. Each is remarked on.

    Args:
        matcher: knows the lesson's cells.
        remarks: where the sentences go.
        fenced: whether the text becomes a block in which nothing is markup.
    """
    texts: dict[str, str] = {}
    for name, stub in matcher.lesson.cells_of("question").items():
        head = stub.node.source.partition(TEXT_STUB)[0].rstrip()
        candidates = [cell for cell in matcher.cells if _may_answer(matcher, cell, stub, head)]
        if not candidates:
            found = _text_in_its_place(matcher, stub)
            if found:
                remarks.tell_both(
                    name, "Its cell had lost its id and its question; the text in its place was taken."
                )
            elif found := _own_text(matcher, 0, len(matcher.cells)):
                remarks.tell_both(
                    name, "Its cell is gone: a person will look for your answer in all that you wrote."
                )
            else:
                remarks.tell_both(name, "No cell of yours answers this question: its cell is gone.")
                continue
            texts[name] = f"{head}\n\n{fence(found) if fenced else found}".lstrip("\n")
            continue
        answer = max(candidates, key=lambda cell, stub=stub: _rank(matcher, cell, stub))
        text = answer.source
        if matcher.has_same_text(answer, stub):
            text = _text_below(matcher, answer)
            if not text:
                texts[name] = ""
                continue
            remarks.tell_both(
                name, "Its own cell is as it was; the text of the cells right below it was taken."
            )
        if matcher.claimed(answer) is not stub:
            remarks.tell_both(name, "It was matched by its text: its cell had lost its id.")
        if len(candidates) > 1:
            numbers = " and ".join(str(cell.number) for cell in candidates)
            remarks.tell_both(name, f"Cells {numbers} answer it; the one in cell {answer.number} was taken.")
        if not fenced:
            texts[name] = text
        elif text.startswith(head):
            texts[name] = f"{head}\n\n{fence(text[len(head) :])}".lstrip("\n")
        else:
            texts[name] = fence(text)
    return texts


def fence(text: str) -> str:
    """Return a text as a fenced block of Markdown, in which nothing of it is markup."""
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    backticks = "`" * max(MIN_FENCE, longest + 1)
    inner = text.strip("\n")
    return f"{backticks}\n{inner}\n{backticks}"


def _may_answer(matcher: CellMatcher, cell: StudentCell, stub: LessonCell, head: str) -> bool:
    if cell.refused:
        return False
    has_head = cell.kind != "code" and len(head) >= MIN_HEAD and cell.source.startswith(head)
    return matcher.claimed(cell) is stub or has_head


def _rank(matcher: CellMatcher, cell: StudentCell, stub: LessonCell) -> tuple[bool | int, ...]:
    """Return what makes a cell the answer rather than others: of equals the last one counts."""
    return (
        not matcher.has_same_text(cell, stub),
        cell.kind == "markdown",
        matcher.claimed(cell) is stub,
        cell.number,
    )


def _text_below(matcher: CellMatcher, cell: StudentCell) -> str:
    """Return the student's own text cells that follow a question's cell, as one text."""
    texts = []
    for next_cell in matcher.cells[matcher.cells.index(cell) + 1 :]:
        if next_cell.kind == "code" or matcher.counterpart(next_cell) is not None:
            break
        texts.append(next_cell.source.strip("\n"))
    return "\n\n".join(text for text in texts if text)


def _text_in_its_place(matcher: CellMatcher, stub: LessonCell) -> str:
    """Return the student's own text between those of the lesson's cells that stand around a question."""
    places = [(at, one.index) for at, cell in enumerate(matcher.cells) if (one := matcher.counterpart(cell))]
    before = max((index for _, index in places if index < stub.index), default=None)
    start = next((at + 1 for at, index in places if index == before), 0)
    end = next((at for at, index in places if at >= start and index > stub.index), len(matcher.cells))
    return _own_text(matcher, start, end)


def _own_text(matcher: CellMatcher, start: int, end: int) -> str:
    """Return the text cells in a part of the notebook that are none of the lesson's, as one text."""
    texts = [
        cell.source.strip("\n")
        for cell in matcher.cells[start:end]
        if cell.kind != "code" and not cell.refused and matcher.counterpart(cell) is None
    ]
    return "\n\n".join(text for text in texts if text)
