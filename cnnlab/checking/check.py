"""`check`: ask an Answer its public Cases, and tell the student what came of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from cnnlab.checking import cases, probe, report
from cnnlab.checking.assess import Finding, assess
from cnnlab.checking.outcome import Outcome


class CheckFailed(AssertionError):
    """A check that did not pass. Its message is the report's first line; IPython shows only that line."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def check(function: Any, folder: Path = cases.FOLDER) -> None:
    """Check an Answer against the public Cases of the Exercise of the same name, and show what was found.

    folder: where the lessons' public Cases lie. Shows one line where every Case passes. Otherwise shows the
    Case, what was expected and what came, the first wrong index and the Mistake that explains it (as HTML
    with a picture in a notebook, as text elsewhere), and raises CheckFailed, so that tools which run
    notebooks see the failure. Raises TypeError for something that is not a function or class, and LookupError
    where no Exercise has its name.
    """
    name = getattr(function, "__name__", None)
    if not callable(function) or not isinstance(name, str):
        raise TypeError("check takes the function itself, as in check(conv2d_forward), without calling it")
    finding = examine(function, name, folder)
    _show(finding)
    if not finding.passed:
        # Raised here and not further down: a plain Python script prints this one frame of ours and no more.
        raise CheckFailed(report.headline(finding))


def examine(function: Any, exercise: str, folder: Path = cases.FOLDER) -> Finding:
    """Ask an Answer the public Cases of `exercise` and return what they say.

    folder: where the lessons' public Cases lie. Raises LookupError where no Exercise has that name.
    """
    questionnaire = cases.load(exercise, folder)
    outcomes: list[Outcome] = []
    for question in questionnaire.questions:
        outcomes.append(probe.ask(function, dict(question.inputs), questionnaire.returns, questionnaire.way))
        if len(outcomes) == 1 and outcomes[0].kind == "not attempted":
            outcomes += [outcomes[-1]] * (len(questionnaire.questions) - len(outcomes))
            break
    return assess(questionnaire, outcomes)


def _show(finding: Finding) -> None:
    if _in_notebook():
        from IPython.display import display

        display({"text/html": report.html(finding), "text/plain": report.text(finding)}, raw=True)
    else:
        print(report.text(finding))


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    # A terminal's shell shows text; notebooks, Colab and nbclient talk to a kernel.
    return shell is not None and getattr(shell, "kernel", None) is not None
