"""Proves that an Answer's source stands by itself: run alone, it passes its public Cases."""

from __future__ import annotations

import contextlib
import io
import re

from cnnlab.checking import probe
from cnnlab.checking.assess import Finding, assess
from cnnlab.checking.question import Questionnaire
from cnnlab.library import shelf
from cnnlab.library.asking import asking


def problem(name: str, source: str, questionnaire: Questionnaire) -> str:
    """Return why an Answer's source does not pass by itself, as the end of a sentence; "" where it does.

    Args:
        name: the Exercise's name.
        source: the text, which is run.
        questionnaire: the Cases that it has to pass.
    """
    try:
        with (
            asking(name),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            function = shelf.run(name, source, f"<{name} by itself>")
            outcomes = [
                probe.ask(function, dict(q.inputs), questionnaire.returns, questionnaire.way)
                for q in questionnaire.questions
            ]
    except KeyboardInterrupt:
        raise
    except NameError as error:
        return _undefined(_text(error)) or f"not by itself ({_text(error)})"
    except BaseException as error:
        return f"not by itself ({type(error).__name__}: {_text(error)})"
    return _why(assess(questionnaire, outcomes))


def _text(error: BaseException) -> str:
    try:
        return " ".join(str(error).split())[:200]
    except Exception:  # an exception's own __str__ may raise
        return ""


def _why(finding: Finding) -> str:
    if finding.passed:
        return ""
    message = finding.failed[0].outcome.message
    if missing := _undefined(message):
        return missing
    count = f"{len(finding.failed)} of {len(finding.results)} cases fail"
    return f"not by itself ({count}{f': {message}' if message else ''})"


def _undefined(message: str) -> str:
    name = re.search(r"name '(\w+)' is not defined", message)
    return f"uses `{name[1]}`, which no cell defines" if name else ""
