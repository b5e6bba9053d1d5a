"""From a student's cells to a notebook that we wrote: the pristine lesson, with their Answers and other code
put in.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import nbformat
from nbformat.notebooknode import NotebookNode

from autograder.authoring.build import SETUP_LINE, TEXT_STUB
from autograder.course import Course, CourseError
from autograder.exercise import Lesson
from autograder.intake.errors import UnusableFile
from autograder.intake.read_notebook import StudentCell, StudentNotebook
from autograder.intake.reader.cell_facts import CellFacts, parse_facts

MIN_HEAD = 10  # characters of a question's text by which its cell is known again
MAX_FLAGS = 40
FUNCTION_LINE = re.compile(r"^(?:async )?(?:def|class) +(\w{1,100})\b", re.MULTILINE)


@dataclass(frozen=True)
class Taken:
    """One lesson's notebook as taken in.

    notebook: written by us; flags: sentences for the instructor; found: the Exercises and questions for which
    an Answer was found, be it the untouched stub; written: those of them that differ from the stub; notes:
    Exercise or question -> sentence for the student.
    """

    lesson: Lesson
    notebook: NotebookNode
    flags: tuple[str, ...] = ()
    found: frozenset[str] = frozenset()
    notes: Mapping[str, str] = field(default_factory=dict)
    written: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Slot:
    """A cell of the pristine lesson.

    role: "given", "setup", "show", "exercise", "check" or "question"; name: the Exercise's or question's,
    else ""; key: its text without what does not matter; defines: top-level name -> digest; imports: whether it does.
    """

    index: int
    node: NotebookNode
    role: str
    name: str
    key: str
    defines: Mapping[str, str]
    imports: bool

    @property
    def known_facts(self) -> tuple[bool, str, CellFacts]:
        """The cell's facts, which need not be parsed again where a student left the cell as it is."""
        facts = CellFacts(defines=dict(self.defines), imports=self.imports)
        return self.node.cell_type == "code", self.node.source, facts


@dataclass(frozen=True)
class Pristine:
    """A lesson's student notebook as the builder wrote it."""

    lesson: Lesson
    notebook: NotebookNode
    slots: tuple[Slot, ...]

    def of(self, role: str) -> dict[str, Slot]:
        """Return the slots of one role by name."""
        return {slot.name: slot for slot in self.slots if slot.role == role}


def pristine(course: Course, lesson: Lesson) -> Pristine:
    """Return a lesson's student notebook; raise CourseError where it was not built."""
    path = course.released(lesson)
    try:
        state = path.stat()
    except OSError as error:
        raise CourseError(f"{path} is missing; build the course first.") from error
    cells, notebook = _read_pristine(path, state.st_mtime_ns, state.st_size)
    return Pristine(lesson, notebook, cells)


@lru_cache(maxsize=64)
def _read_pristine(path: Path, _modified: int, _size: int) -> tuple[tuple[Slot, ...], NotebookNode]:
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    slots = []
    for index, node in enumerate(notebook.cells):
        role, name = _role(node)
        facts = parse_facts(node.source, code=node.cell_type == "code", use_ast=True)
        slots.append(Slot(index, node, role, name, _key(node.source), facts["defines"], facts["imports"]))
    return tuple(slots), notebook


def _role(node: NotebookNode) -> tuple[str, str]:
    about = node.metadata.get("nbgrader", {})
    if about.get("solution"):
        return ("exercise" if node.cell_type == "code" else "question"), about["grade_id"]
    if about.get("grade"):
        return "check", about["grade_id"].removesuffix("_check")
    tags = node.metadata.get("tags", [])
    return next((tag for tag in ("setup", "show") if tag in tags), "given"), ""


def _key(source: str) -> str:
    """Return a cell's text without trailing blanks and without the release that its setup line names."""
    source = SETUP_LINE.sub("CNNLAB", source)
    return "\n".join(line.rstrip() for line in source.split("\n")).strip("\n")


def untouched(lesson: Pristine, flag: str, note: str) -> Taken:
    """Return the lesson as nobody worked on it, for a submission of which nothing could be used."""
    names = [*lesson.of("exercise"), *lesson.of("question")]
    notebook = _assembled(lesson, {}, [[] for _ in range(len(lesson.slots) + 1)], [[] for _ in lesson.slots])
    return Taken(lesson.lesson, notebook, (flag,), frozenset(), {name: note for name in names})


def recognise(
    lessons: Sequence[Pristine], student: StudentNotebook, file_name: str, assignment: str
) -> Pristine:
    """Return the lesson whose ids and names the cells carry most of; the file's name only breaks ties.

    Raises UnusableFile where the cells have nothing of any lesson.
    """

    def likeness(lesson: Pristine) -> tuple[int, int, bool]:
        ids = {
            slot.node["metadata"]["nbgrader"]["grade_id"]
            for slot in lesson.slots
            if "nbgrader" in slot.node["metadata"]
        }
        exercises = set(lesson.lesson.exercises)
        marks = {("id", cell.grade_id) for cell in student.cells if cell.grade_id in ids}
        marks |= {("name", name) for cell in student.cells for name in exercises & cell.defines.keys()}
        cell_ids = {slot.node.id for slot in lesson.slots} & {cell.cell_id for cell in student.cells}
        return len(marks), len(cell_ids), named(lesson.lesson, file_name)

    best = max(lessons, key=likeness, default=None)  # the first of equals
    if best is None or likeness(best)[:2] == (0, 0):
        raise UnusableFile(
            f"is not a notebook of {assignment}: none of its cells has an id or a name of its exercises"
        )
    return best


def named(lesson: Lesson, file_name: str) -> bool:
    """Say whether a file's name holds the lesson's, as in "Copy_of_02_convolution (1).ipynb"."""
    return lesson.name.lower() in file_name.lower()


def graft(lesson: Pristine, student: StudentNotebook) -> Taken:
    """Return the lesson with the student's Answers in its cells and their other code between them."""
    return _Graft(lesson, student).taken()


class _Graft:
    """The matching of one student's cells with one lesson's."""

    def __init__(self, lesson: Pristine, student: StudentNotebook) -> None:
        self.lesson, self.cells = lesson, student.cells
        self.exercises, self.checks, self.questions = (
            lesson.of(role) for role in ("exercise", "check", "question")
        )
        ids = Counter(cell.cell_id for cell in self.cells)  # an id that several cells have says nothing
        self.by_cell_id = {slot.node["id"]: slot for slot in lesson.slots if ids[slot.node["id"]] == 1}
        self.by_key = {
            (slot.node["cell_type"], slot.key): slot for slot in reversed(lesson.slots) if slot.key
        }
        self.by_grade_id = {
            slot.node["metadata"]["nbgrader"]["grade_id"]: slot
            for slot in lesson.slots
            if "nbgrader" in slot.node["metadata"]
        }
        # Once for each cell: many may define each of the Exercises.
        self.keys = {cell.number: _key(cell.source) for cell in self.cells}
        self.flags = list(student.odd)
        self.notes: dict[str, list[str]] = {}
        self.winners: dict[str, StudentCell] = {}  # Exercise -> the cell that holds its Answer
        self.losers: dict[int, str] = {}  # number of a cell that could have been -> Exercise
        self.texts: dict[str, str] = {}  # question -> the student's text, where it is not the stub
        self.found: set[str] = set()
        self.written: set[str] = set()
        self.dropped: dict[str, dict[str, None]] = {}  # cells not taken, in words -> functions they define

    def taken(self) -> Taken:
        for name in self.exercises:
            self._match_exercise(name)
        for name in self.questions:
            self._match_question(name)
        self._say_copied_checks()
        before, after = self._placed()
        self._say_dropped()
        sources = {self.exercises[name].index: cell.source for name, cell in self.winners.items()}
        sources |= {self.questions[name].index: text for name, text in self.texts.items()}
        notebook = _assembled(self.lesson, sources, after, before)
        flags = list(dict.fromkeys(self.flags))
        if len(flags) > MAX_FLAGS:
            flags[MAX_FLAGS:] = [f"{len(flags) - MAX_FLAGS:,} more oddities of this kind are not listed."]
        notes = {name: " ".join(dict.fromkeys(sentences)) for name, sentences in self.notes.items()}
        return Taken(
            self.lesson.lesson, notebook, tuple(flags), frozenset(self.found), notes, frozenset(self.written)
        )

    def _say(self, name: str, sentence: str) -> None:
        """Tell the instructor and the student the same thing about an Exercise or question."""
        self.flags.append(f"{name}: {sentence}")
        self.notes.setdefault(name, []).append(sentence)

    def _claimed(self, cell: StudentCell) -> Slot | None:
        """The slot that a cell says it is: by its grade_id, else by its cell id."""
        return self.by_grade_id.get(cell.grade_id) or self.by_cell_id.get(cell.cell_id)

    # Exercises

    def _match_exercise(self, name: str) -> None:
        slot = self.exercises[name]
        candidates = [cell for cell in self.cells if self._may_answer(cell, slot)]
        if not candidates:
            self._say_missing(slot)
            return

        def rank(cell: StudentCell) -> tuple[bool, bool, bool, bool, bool, int]:
            claimed = self._claimed(cell)
            return (
                name in cell.defines,
                self._is_written(cell, slot),
                claimed is None or claimed.role != "check",
                cell.kind == "code",
                claimed is slot,
                cell.number,
            )

        winner = max(candidates, key=rank)
        self.winners[name] = winner
        self.found.add(name)
        if self._is_written(winner, slot):
            self.written.add(name)
        self._say_odd(winner, slot)
        for cell in candidates:
            if cell is not winner:
                self.losers.setdefault(cell.number, name)
        rivals = [cell for cell in candidates if name in cell.defines or cell is winner]
        if len(rivals) > 1:
            numbers = " and ".join(str(cell.number) for cell in rivals)
            self._say(name, f"Cells {numbers} hold an answer; the one in cell {winner.number} was taken.")

    def _may_answer(self, cell: StudentCell, slot: Slot) -> bool:
        if cell.refused:
            return False
        if slot.name in cell.defines:
            return True
        # A cell that says it is this one, but holds another Exercise's Answer, is that one's.
        return (
            self._claimed(cell) is slot
            and cell.kind == "code"
            and not self.exercises.keys() & cell.defines.keys()
        )

    def _is_written(self, cell: StudentCell, slot: Slot) -> bool:
        if self.keys[cell.number] == slot.key:
            return False
        digest = cell.defines.get(slot.name, "")
        return digest == "" or digest != slot.defines.get(slot.name)

    def _say_missing(self, slot: Slot) -> None:
        sentence = f"No cell of yours defines {slot.name}."
        for cell in self.cells:
            if self._claimed(cell) is not slot:
                continue
            if cell.refused:
                sentence = f"The cell of {slot.name} {cell.refused}, so it could not be used."
            elif cell.kind != "code":
                what = f"a {cell.kind} cell whose text is not Python"
                sentence = f"The cell of {slot.name} is {what}, so it could not be used."
            else:
                others = " and ".join(sorted(self.exercises.keys() & cell.defines.keys()))
                sentence = f"No cell of yours defines {slot.name}; its cell defines {others}."
        self._say(slot.name, sentence)

    def _say_odd(self, cell: StudentCell, slot: Slot) -> None:
        name, claimed = slot.name, self._claimed(cell)
        if cell.kind != "code":
            self._say(name, f"Its cell had become a {cell.kind} cell; it was read as code.")
        if name not in cell.defines:
            self._say(name, f"Its cell does not define {name}.")
        elif claimed is None:
            self._say(name, "It was matched by its name: its cell had lost its id.")
        elif claimed is not slot and claimed.role == "check":
            self._say(name, "It was found in a check's cell; the check itself was put back.")
        elif claimed is not slot:
            whose = f"has the id of {claimed.name}" if claimed.name else "was one of the lesson's own"
            self._say(name, f"It was matched by its name: its cell {whose}.")

    # Questions

    def _match_question(self, name: str) -> None:
        slot = self.questions[name]
        head = slot.node.source.partition(TEXT_STUB)[0].rstrip()

        def has_text(cell: StudentCell) -> bool:
            return cell.kind != "code" and len(head) >= MIN_HEAD and cell.source.startswith(head)

        candidates = [c for c in self.cells if not c.refused and (self._claimed(c) is slot or has_text(c))]
        if not candidates:
            self._say(name, "No cell of yours answers this question: its cell is gone.")
            return
        winner = max(
            candidates,
            key=lambda c: (
                self.keys[c.number] != slot.key,
                c.kind == "markdown",
                self._claimed(c) is slot,
                c.number,
            ),
        )
        self.found.add(name)
        text = winner.source
        if self.keys[winner.number] == slot.key:
            text = self._below(winner)
            if not text:
                return
            self._say(name, "Its own cell is as it was; the text of the cells right below it was taken.")
        if self._claimed(winner) is not slot:
            self._say(name, "It was matched by its text: its cell had lost its id.")
        if len(candidates) > 1:
            numbers = " and ".join(str(cell.number) for cell in candidates)
            self._say(name, f"Cells {numbers} answer it; the one in cell {winner.number} was taken.")
        self.written.add(name)
        if text.startswith(head):
            self.texts[name] = f"{head}\n\n{fenced(text[len(head) :])}".lstrip("\n")
        else:
            self.texts[name] = fenced(text)

    def _below(self, cell: StudentCell) -> str:
        """The student's own text cells that follow a question's cell."""
        texts = []
        for next_one in self.cells[self.cells.index(cell) + 1 :]:
            if next_one.kind == "code" or self._slot(next_one) is not None:
                break
            texts.append(next_one.source.strip("\n"))
        return "\n\n".join(text for text in texts if text)

    # Everything else

    def _say_copied_checks(self) -> None:
        for name, slot in self.checks.items():
            copies = [cell for cell in self.cells if self.by_grade_id.get(cell.grade_id) is slot]
            if len(copies) > 1:
                self.flags.append(
                    f"{name}: {len(copies)} cells carry the id of its check; the lesson's own was used."
                )

    def _slot(self, cell: StudentCell) -> Slot | None:
        """The slot that a cell stands at in the student's notebook."""
        claimed, key = self._claimed(cell), self.keys[cell.number]
        if claimed is not None and (cell.grade_id or claimed.key == key):
            return claimed
        return self.by_key.get((cell.kind, key)) or claimed

    def _placed(self) -> tuple[list[list[StudentCell]], list[list[StudentCell]]]:
        """Return the extra cells that come before each slot, and those that come after it (index 0: before
        them all).
        """
        before: list[list[StudentCell]] = [[] for _ in self.lesson.slots]
        after: list[list[StudentCell]] = [[] for _ in range(len(self.lesson.slots) + 1)]
        anchor = deepest = -1
        run: list[StudentCell] = []  # extra cells since the last one that has a slot
        for cell in self.cells:
            won = [self.exercises[name].index for name, winner in self.winners.items() if winner is cell]
            if won:
                # An Answer written further down than its slot takes along the helpers right above it.
                (before[min(won)] if min(won) <= deepest else after[anchor + 1]).extend(run)
                run, anchor = [], min(won)
                deepest = max(deepest, anchor)
                continue
            slot = self._slot(cell)
            if cell.number in self.losers:
                self._keep_helpers(cell, before)
            if slot is not None:
                after[anchor + 1].extend(run)
                run, anchor = [], slot.index
                deepest = max(deepest, anchor)
            if cell.number not in self.losers and self._is_extra(cell, slot):
                run.append(cell)
        after[anchor + 1].extend(run)
        return before, after

    def _keep_helpers(self, cell: StudentCell, before: list[list[StudentCell]]) -> None:
        """Keep what else a second definition of an Exercise's cell holds, before the Answer so that the
        Answer stands.
        """
        helpers = cell.imports or cell.defines.keys() - self.exercises.keys()
        claimed = self._claimed(cell)
        if cell.kind == "code" and helpers and (claimed is None or claimed.role not in ("check", "setup")):
            before[self.exercises[self.losers[cell.number]].index].append(cell)

    def _is_extra(self, cell: StudentCell, slot: Slot | None) -> bool:
        if cell.kind != "code" or cell.refused or not cell.source.strip():
            return False
        if slot is None:
            return True
        if slot.node.cell_type == "code" and self.keys[cell.number] == slot.key:
            return False
        if slot.role in ("check", "show", "setup"):
            self._note_dropped(cell, slot)
            return False
        return slot.role == "given"

    def _note_dropped(self, cell: StudentCell, slot: Slot) -> None:
        """Keep which functions were written into a cell that is not taken from the student."""
        new = [name for name in FUNCTION_LINE.findall(cell.source) if name not in slot.defines]
        where = (
            f"the cell of {slot.name}'s check"
            if slot.name
            else f"a cell that the lesson runs for {slot.role} only"
        )
        self.dropped.setdefault(where, {}).update(dict.fromkeys(new))

    def _say_dropped(self) -> None:
        """Say which functions that an Answer uses were written into cells that are not taken."""
        for name, winner in self.winners.items():
            # Not a search for each of the functions: there may be as many of them as the Answer has words.
            words = set(re.findall(r"\w+", winner.source))
            for where, new in self.dropped.items():
                used = [n for n in new if n != name and n in words]
                if used:
                    what = ", ".join(used[:5])
                    self._say(
                        name,
                        f"It uses {what} from {where}, which is not taken; put that into a cell of its own.",
                    )


def fenced(text: str) -> str:
    """Return a text as a fenced block of Markdown, in which nothing of it is markup."""
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    inner = text.strip("\n")
    return f"{fence}\n{inner}\n{fence}"


def _assembled(
    lesson: Pristine,
    sources: Mapping[int, str],
    after: Sequence[Sequence[StudentCell]],
    before: Sequence[Sequence[StudentCell]],
) -> NotebookNode:
    cells: list[NotebookNode] = []
    extra = _extras()
    cells += map(extra, after[0])
    for slot in lesson.slots:
        cells += map(extra, before[slot.index])
        cells.append(_filled(slot, sources.get(slot.index, slot.node["source"])))
        cells += map(extra, after[slot.index + 1])
    notebook = _node({**lesson.notebook, "cells": cells, "metadata": _node({**lesson.notebook.metadata})})
    own = [cell for cell in cells if cell["metadata"]["cnnlab"]["role"] in ("exercise", "question", "extra")]
    nbformat.validate(_node({**notebook, "cells": own}))  # the others are the lesson's
    return notebook


def _filled(slot: Slot, source: str) -> NotebookNode:
    """Return a copy of the lesson's cell with this text; what is deeper than its metadata is nobody's to change."""
    about = _node({"role": slot.role, "name": slot.name})
    metadata = _node({**slot.node["metadata"], "cnnlab": about})
    outputs: dict[str, Any] = {"outputs": []} if slot.node["cell_type"] == "code" else {}
    return _node({**slot.node, "source": source, "metadata": metadata, **outputs})


def _node(fields: dict[str, Any]) -> NotebookNode:
    # Not by its constructor, which would copy every value once more.
    node = NotebookNode()
    dict.update(node, fields)
    return node


def _extras() -> Callable[[StudentCell], NotebookNode]:
    count = 0

    def extra(cell: StudentCell) -> NotebookNode:
        nonlocal count
        count += 1
        about = {"cnnlab": {"role": "extra", "name": ""}}
        return nbformat.v4.new_code_cell(cell.source, id=f"extra-{count:02}", metadata=about)

    return extra
