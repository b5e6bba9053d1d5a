"""Notes to a student whose Answer fails: the packages it may not use, and the Answers it depends on that fail too."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from nbformat.notebooknode import NotebookNode

from autograder.exercise import Lesson
from autograder.judging import cells, repeatable
from autograder.judging.companions import Submission
from cnnlab.checking.assess import Finding


@dataclass(frozen=True)
class Notes:
    """Writes the notes of one notebook.

    Args:
        lesson: the lesson that the notebook answers.
        submission: the submission that the notebook is part of.
        failing: the Exercises of this lesson that fail.
        failing_in: returns the Exercises of an earlier lesson that fail; that lesson is judged only where an Answer that
            names one of its Answers fails.
        notebook: as intake wrote it.
    """

    lesson: Lesson
    submission: Submission
    failing: Collection[str]
    failing_in: Callable[[Lesson], Collection[str]]
    notebook: NotebookNode

    def of(self, finding: Finding, source: str) -> list[str]:
        """Return the notes on one Answer, none where it passes; source: that of its cell."""
        if finding.passed:
            return []
        return [
            *self._on_packages(finding),
            *self._on_names_from_below(finding, source),
            *self._on_own_lesson(finding.exercise, source),
            *self._on_earlier_lessons(source),
        ]

    def _on_packages(self, finding: Finding) -> list[str]:
        messages = " ".join(result.outcome.message for result in finding.failed)
        instead = "with NumPy" if "torch" in self.lesson.without else "yourself"
        return [
            f"{package} is not available in this lesson: write it {instead}"
            for package in self.lesson.without
            if f"{package} is not available in this lesson" in messages
            or f"No module named '{package}'" in messages
        ]

    def _on_names_from_below(self, finding: Finding, source: str) -> list[str]:
        outcomes = [result.outcome for result in finding.failed]
        missing = dict.fromkeys(repeatable.undefined_name(o.message, o.line, source) for o in outcomes)
        return [
            f"{name} is defined only below the check: move it above, for the check fails without it"
            for name in missing
            if name and cells.is_defined_below_check(self.notebook, finding.exercise, name)
        ]

    def _on_own_lesson(self, exercise: str, source: str) -> list[str]:
        names = list(self.lesson.exercises)
        return [
            f"depends on {name}, which fails"
            for name in names[: names.index(exercise)]
            if name in self.failing and re.search(rf"\b{name}\b", source)
        ]

    def _on_earlier_lessons(self, source: str) -> list[str]:
        words, notes = cells.identifiers([source]), []
        for other in self.submission.earlier(self.lesson):
            named = [name for name in other.exercises if name in words]
            if not named:
                continue
            if self.submission.notebook(other) is None:
                notes.append(f"depends on {' and '.join(named)} of {other.name}, which is not handed in")
            else:
                failing = self.failing_in(other)
                notes += [
                    f"depends on {name} of {other.name}, which fails" for name in named if name in failing
                ]
        return notes
