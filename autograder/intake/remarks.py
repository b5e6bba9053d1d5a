"""Gather the sentences that tell the instructor and the student what was odd about a notebook."""

from __future__ import annotations

from collections.abc import Iterable

MAX_FLAGS = 40


class Remarks:
    """Sentences about one notebook: flags for the instructor, notes on an Exercise or question for the student."""

    def __init__(self, flags: Iterable[str]) -> None:
        self._flags = list(flags)
        self._notes: dict[str, list[str]] = {}

    def flag(self, sentence: str) -> None:
        """Tell the instructor."""
        self._flags.append(sentence)

    def tell_both(self, name: str, sentence: str) -> None:
        """Tell the instructor and the student the same thing about an Exercise or question."""
        self._flags.append(f"{name}: {sentence}")
        self._notes.setdefault(name, []).append(sentence)

    @property
    def flags(self) -> tuple[str, ...]:
        """The sentences for the instructor, each once, and not more than anybody would read."""
        flags = list(dict.fromkeys(self._flags))
        if len(flags) > MAX_FLAGS:
            flags[MAX_FLAGS:] = [f"{len(flags) - MAX_FLAGS:,} more oddities of this kind are not listed."]
        return tuple(flags)

    @property
    def notes(self) -> dict[str, str]:
        """Exercise or question -> the sentences for the student, each once."""
        return {name: " ".join(dict.fromkeys(sentences)) for name, sentences in self._notes.items()}
