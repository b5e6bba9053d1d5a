"""`check`: ask an Answer its public Cases, and tell the student the result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cnnlab.checking import cases, handin, keeping, probe, report, speed, tries
from cnnlab.checking.assess import Finding, assess
from cnnlab.checking.errors import CheckingError
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.question import Questionnaire
from cnnlab.checking.report import Remarks
from cnnlab.checking.wire import Value
from cnnlab.library import asking, cells


class CheckFailed(CheckingError, AssertionError):
    """A check that did not pass. Its message is the report's first line; IPython shows only that line."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def check(function: Callable[..., Value], folder: Path = cases.FOLDER) -> None:
    """Check an Answer against the public Cases of the Exercise of the same name, and show what was found.

    Shows one line where every Case passes, and in a notebook keeps the Answer in the student's library. Otherwise shows the
    Case, the expected and the returned values, the first wrong index, the Mistake that explains it and one clue more for
    each try, as HTML with a picture in a notebook, as text elsewhere.

    Args:
        function: the Answer, whose name is the Exercise's.
        folder: the folder of the lessons' public Cases.

    Raises:
        CheckFailed: where a Case fails, so that tools which run notebooks see the failure.
        TypeError: where `function` is not a function or class.
        LookupError: where no Exercise has its name.
    """
    name = getattr(function, "__name__", None)
    if not callable(function) or not isinstance(name, str):
        raise TypeError("check takes the function itself, as in check(conv2d_forward), without calling it")
    questionnaire = cases.load(name, folder)
    with asking.asking(name) as asked:
        finding = assess(questionnaire, _outcomes(function, questionnaire))
    code = _fingerprint(function, questionnaire)
    failed = tries.record_check(name, code, finding.passed, finding.attempted)
    kept = _keep(function, questionnaire) if finding.passed else ""
    clues = questionnaire.clues[:failed] if finding.attempted else ()
    way = questionnaire.way
    fast = speed.remark(function, way.speed) if finding.passed and way.speed else ""
    _show(finding, Remarks(way, clues, len(questionnaire.clues), tuple(asked.helped), kept, fast))
    if not finding.passed:
        # Raised here and not further down: a plain Python script prints this one frame of ours and no more.
        raise CheckFailed(report.headline(finding))


def examine(function: Callable[..., Value], exercise: str, folder: Path = cases.FOLDER) -> Finding:
    """Ask an Answer the public Cases of an Exercise and return the Finding; keep and show nothing.

    Args:
        function: the Answer.
        exercise: the Exercise's name.
        folder: the folder of the lessons' public Cases.

    Raises:
        LookupError: where no Exercise has that name.
    """
    questionnaire = cases.load(exercise, folder)
    with asking.asking(exercise):
        return assess(questionnaire, _outcomes(function, questionnaire))


def _outcomes(function: Callable[..., Value], questionnaire: Questionnaire) -> list[Outcome]:
    questions, way = questionnaire.questions, questionnaire.way
    if way.file:
        return [handin.read_weights(Path(way.file))] * len(questions)
    outcomes: list[Outcome] = []
    for question in questions:
        outcomes.append(probe.ask(function, dict(question.inputs), questionnaire.returns, way))
        if len(outcomes) == 1 and outcomes[0].kind == "not attempted":
            return outcomes * len(questions)
    return outcomes


def _fingerprint(function: Callable[..., Value], questionnaire: Questionnaire) -> bytes:
    if not questionnaire.way.file:
        return tries.fingerprint(function)
    try:
        status = Path(questionnaire.way.file).stat()
    except OSError:
        return b""
    return repr((status.st_mtime_ns, status.st_size)).encode()


def _keep(function: Callable[..., Value], questionnaire: Questionnaire) -> str:
    # A check inside an Answer keeps nothing, and what was read from a file is no code to keep.
    if not keeping.keeps() or asking.is_asking() or questionnaire.way.file:
        return ""
    try:
        return keeping.keep(function, questionnaire)
    except Exception as error:  # keeping is a service; a check that passed has passed
        return f"It is not kept ({type(error).__name__}: {error})."


def _show(finding: Finding, remarks: Remarks) -> None:
    if cells.in_notebook():
        from IPython.display import display

        shown = {"text/html": report.html(finding, remarks), "text/plain": report.text(finding, remarks)}
        display(shown, raw=True)
    else:
        print(report.text(finding, remarks))
