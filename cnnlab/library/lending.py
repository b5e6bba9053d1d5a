"""The Answers that `cnnlab.layers` lends: from the student's library, or from the cells of a submission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cnnlab.library import asking, shelf, standins
from cnnlab.library.catalogue import STAND_IN_MODULE, lesson_of, lesson_words, lessons
from cnnlab.library.errors import MissingHelper, NotHandedIn, NotYet
from cnnlab.library.source import extract


class _Lent:
    """The Answers of a submission's lessons; each is read and run when it is first asked for."""

    def __init__(self, cells: Mapping[str, Sequence[str]]) -> None:
        self.cells = {lesson: tuple(texts) for lesson, texts in cells.items()}
        self.found: dict[str, Any] = {}
        self.running: set[str] = set()

    def find(self, name: str) -> Any:
        """Return the Answer `name`; raise NotHandedIn where no lesson of the submission defines it."""
        if name in self.found:
            return self.found[name]
        if name in self.running:
            raise NotHandedIn(f"{name} of this submission asks for itself")
        source = self._source(name)
        self.running.add(name)
        try:
            self.found[name] = shelf.run(name, source, f"<{name} of this submission>")
        finally:
            self.running.discard(name)
        return self.found[name]

    def _source(self, name: str) -> str:
        own = lesson_of(name)
        # Only the lesson that asks for it counts; where that is not known, the last one that defines it.
        places = [own] if own else list(reversed(self.cells))
        for lesson in places:
            if lesson in self.cells:
                try:
                    return extract(name, self.cells[lesson], partial=True)
                except MissingHelper:
                    continue
        if own in self.cells:
            raise NotHandedIn(f"{name} is not in this submission: no cell of {own} defines it")
        where = lesson_words(name)
        more = f": hand in the notebook of {where} as well" if where else ""
        raise NotHandedIn(f"{name} is not in this submission{more}")

    def names(self) -> list[str]:
        return [name for lesson in self.cells for name in lessons().get(lesson, ())]


_lent: _Lent | None = None


def lend(cells: Mapping[str, Sequence[str]]) -> None:
    """Make `cnnlab.layers` hold the Answers of a submission, and nothing else, from now on.

    cells: lesson, such as "02_convolution", -> the texts of its code cells in order. An Answer is taken from
    the lesson that asks for it, with what it names there, and run in a module of its own when it is first
    used; a name that is not there raises NotHandedIn, an ImportError. Runs what the submission's author wrote.
    """
    global _lent
    _lent = _Lent(cells)


def end_lending() -> None:
    """Make `cnnlab.layers` hold the student's own library again, after `lend`."""
    global _lent
    _lent = None


def find(name: str) -> Any:
    """Return what `cnnlab.layers.NAME` is: the kept Answer of that name, else a stand-in.

    Raises:
        SelfCallError: where that Answer is being asked.
        NotYet: where there is neither.
        Unloadable: where a kept file is damaged.
    """
    asking.refuse_self_call(name)
    if _lent is not None:
        return _lent.find(name)
    try:
        return shelf.load(name)
    except LookupError:
        pass
    try:
        return standins.standin(name)
    except LookupError:
        pass
    where = lesson_words(name)
    if where:
        raise NotYet(f"{name} is not in your library yet: write it in {where}")
    raise NotYet(f"cnnlab.layers has no {name}: no lesson has an exercise of that name")


def names() -> list[str]:
    """Return the names that `cnnlab.layers` offers."""
    if _lent is not None:
        return sorted(_lent.names())
    return sorted({*shelf.kept(), *STAND_IN_MODULE})
