"""Gathers the Outcomes to be judged: the sandbox's, with a check that rng alone decides draws, and those read from files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autograder.judging.companions import Submission
from cnnlab.checking import handin
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.probe import same
from cnnlab.checking.question import Questionnaire

IGNORES_RNG = "its result is not decided by its rng"


def to_be_judged(
    questionnaires: Mapping[str, Questionnaire],
    answered: Mapping[str, Sequence[Outcome]],
    submission: Submission,
) -> dict[str, list[Outcome]]:
    """Return the Outcomes of each Exercise that was asked, one for each of its Cases.

    Args:
        questionnaires: what the lesson asks, by exercise.
        answered: the Outcomes from the sandbox, by exercise, as plan.py had them asked.
        submission: where the files lie by which some Exercises are judged.
    """
    outcomes = {
        name: _fairly_drawn(questionnaires[name], found) if questionnaires[name].way.rng else list(found)
        for name, found in answered.items()
    }
    for name, questionnaire in questionnaires.items():
        if questionnaire.way.file:
            outcome = _from_file(questionnaire.way.file, submission)
            outcomes[name] = [outcome] * len(questionnaire.questions)
    return outcomes


def _fairly_drawn(questionnaire: Questionnaire, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the Outcomes of an Exercise that draws at random; one that its rng does not decide becomes "bad output".

    outcomes: of all Cases, of all Cases again, and of all Cases with other seeds. The sandbox checks this too, but there
    a student's code can change both the check's result and rng itself.
    """
    count = len(questionnaire.questions)
    firsts, again, others = (outcomes[start : start + count] for start in (0, count, 2 * count))
    pairs = [(a, b) for a, b in zip(firsts, others, strict=True) if a.kind == b.kind == "values"]
    ignores_rng = bool(pairs) and all(same(a.values, b.values) for a, b in pairs)
    bad = Outcome("bad output", message=IGNORES_RNG)
    return [
        bad
        if a.kind == "values" and (ignores_rng or b.kind != "values" or not same(a.values, b.values))
        else a
        for a, b in zip(firsts, again, strict=True)
    ]


def _from_file(name: str, submission: Submission) -> Outcome:
    data = submission.file(name)
    if data is None:
        return Outcome("not attempted", message=f"{name} was not handed in")
    return handin.weights_from_bytes(data, name)
