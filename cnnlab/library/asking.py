"""The Exercise that is being asked right now, and the stand-ins that help: known to this process alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from cnnlab.library.catalogue import lesson_words
from cnnlab.library.errors import SelfCallError


@dataclass
class Asked:
    """An Exercise that is being asked.

    Args:
        exercise: its name.
        helped: the names of the stand-ins that were called meanwhile.
    """

    exercise: str
    helped: list[str] = field(default_factory=list)


_asked: list[Asked] = []
_said: set[str] = set()


@contextmanager
def asking(exercise: str) -> Iterator[Asked]:
    """Note that `exercise` is being asked: `cnnlab.layers` refuses it meanwhile."""
    asked = Asked(exercise)
    _asked.append(asked)
    try:
        yield asked
    finally:
        _asked.remove(asked)


def is_asking() -> bool:
    """Say whether any Exercise is being asked."""
    return bool(_asked)


def refuse_self_call(name: str) -> None:
    """Raise SelfCallError where `name` is being asked."""
    if any(asked.exercise == name for asked in _asked):
        raise SelfCallError(
            f"{name} is what you are writing here, so cnnlab.layers.{name} cannot stand in for it"
        )


def forget_said() -> None:
    """Forget which stand-ins were named to the user, as a new kernel has."""
    _said.clear()


def note_stand_in(name: str) -> None:
    """Note that a stand-in helps, and say so the first time.

    What is printed while an Answer is asked is dropped, so then the name is noted for the report instead.
    """
    for asked in _asked:
        if name not in asked.helped:
            asked.helped.append(name)
    if not _asked and name not in _said:
        _said.add(name)
        where = lesson_words(name)
        print(
            f"{name} is not in your library yet: cnnlab lends a stand-in made with torch; "
            f"write it in {where or 'its lesson'}."
        )
