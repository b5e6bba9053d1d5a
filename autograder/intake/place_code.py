"""Place the student's other code, which is no Answer, between the lesson's cells: helpers and imports live there."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from autograder.intake.match_answers import Answers
from autograder.intake.match_cells import CellMatcher
from autograder.intake.pristine_lesson import LessonCell
from autograder.intake.read_notebook import StudentCell
from autograder.intake.remarks import Remarks

TOP = -1  # stands for the lesson's cell before the first one
MAX_LISTED = 5  # functions named in a sentence
FUNCTION_LINE = re.compile(r"^(?:async )?(?:def|class) +(\w{1,100})\b", re.MULTILINE)


@dataclass(frozen=True)
class Placement:
    """The places where the student's other code cells run.

    before: index of a lesson's cell -> the student's cells right before it.
    after: index of a lesson's cell, or TOP -> the student's cells right after it.
    """

    before: Mapping[int, Sequence[StudentCell]] = field(default_factory=dict)
    after: Mapping[int, Sequence[StudentCell]] = field(default_factory=dict)


def place_code(matcher: CellMatcher, answers: Answers, remarks: Remarks) -> Placement:
    """Place the student's other code where it stood, and remark on functions of theirs that are not taken.

    Args:
        matcher: knows the lesson's cells.
        answers: the cells that hold the student's Answers.
        remarks: where the sentences go.
    """
    return _Placing(matcher, answers, remarks).placement()


class _Placing:
    def __init__(self, matcher: CellMatcher, answers: Answers, remarks: Remarks) -> None:
        self.matcher, self.answers, self.remarks = matcher, answers, remarks
        self.exercises = matcher.lesson.cells_of("exercise")
        self.dropped: dict[str, dict[str, None]] = {}  # cells not taken, in words -> functions they define

    def placement(self) -> Placement:
        before: dict[int, list[StudentCell]] = defaultdict(list)
        after: dict[int, list[StudentCell]] = defaultdict(list)
        anchor = deepest = TOP
        run: list[StudentCell] = []  # extra cells since the last one that has a place in the lesson
        for cell in self.matcher.cells:
            answered = [self.exercises[name].index for name, one in self.answers.cells.items() if one is cell]
            if answered:
                # An Answer written further down than its place takes along the helpers right above it.
                place = min(answered)
                (before[place] if place <= deepest else after[anchor]).extend(run)
                run, anchor = [], place
                deepest = max(deepest, anchor)
                continue
            if any(cell is one for one in self.answers.later.values()):
                run.append(cell)  # where it stands: it answers anew what was checked above
                continue
            counterpart = self.matcher.counterpart(cell)
            is_rejected = cell.number in self.answers.rejected
            if is_rejected and self._has_helpers(cell):
                # Before the Answer, so that the Answer stands.
                before[self.exercises[self.answers.rejected[cell.number]].index].append(cell)
            if counterpart is not None:
                after[anchor].extend(run)
                run, anchor = [], counterpart.index
                deepest = max(deepest, anchor)
            if not is_rejected and self._is_extra(cell, counterpart):
                run.append(cell)
        after[anchor].extend(run)
        self._remark_dropped()
        return Placement(before, after)

    def _has_helpers(self, cell: StudentCell) -> bool:
        """Say whether a second definition of an Exercise shares its cell with something that the Answer may use."""
        helpers = cell.imports or cell.defines.keys() - self.exercises.keys()
        claimed = self.matcher.claimed(cell)
        return (
            cell.kind == "code"
            and bool(helpers)
            and (claimed is None or claimed.role not in ("check", "setup"))
        )

    def _is_extra(self, cell: StudentCell, counterpart: LessonCell | None) -> bool:
        """Say whether a cell is code that the lesson does not have."""
        if cell.kind != "code" or cell.refused or not cell.source.strip():
            return False
        if counterpart is None:
            return True
        if counterpart.node.cell_type == "code" and self.matcher.has_same_text(cell, counterpart):
            return False
        if counterpart.role in ("check", "show", "setup"):
            self._note_dropped(cell, counterpart)
            return False
        return counterpart.role == "given"

    def _note_dropped(self, cell: StudentCell, counterpart: LessonCell) -> None:
        """Note the functions in a cell of the student's that is not taken."""
        new = [name for name in FUNCTION_LINE.findall(cell.source) if name not in counterpart.defines]
        where = (
            f"the cell of {counterpart.name}'s check"
            if counterpart.name
            else f"a cell that the lesson runs for {counterpart.role} only"
        )
        self.dropped.setdefault(where, {}).update(dict.fromkeys(new))

    def _remark_dropped(self) -> None:
        """Remark on functions that an Answer uses and that stand in cells that are not taken."""
        for name, answer in self.answers.cells.items():
            # Not a search for each of the functions: there may be as many of them as the Answer has words.
            words = set(re.findall(r"\w+", answer.source))
            for where, functions in self.dropped.items():
                used = [function for function in functions if function != name and function in words]
                if used:
                    listed = ", ".join(used[:MAX_LISTED])
                    self.remarks.tell_both(
                        name,
                        f"It uses {listed} from {where}, which is not taken; put that into a cell of its own.",
                    )
