"""The points of an Exercise: those of each group whose Cases all pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from autograder.exercise import SPEED, Exercise
from autograder.judging.sentences import sentence
from autograder.verdict import CaseVerdict, Verdict
from cnnlab.checking.assess import Finding


def decide(exercise: Exercise, finding: Finding, notes: Sequence[str], cell: str) -> Verdict:
    """Give the points of each group whose Cases all pass, and say what went wrong without a word of the secret Cases.

    Args:
        exercise: what was asked.
        finding: what the Cases say of the Answer.
        notes: further sentences for the student.
        cell: the text of the Answer's cell.
    """
    groups = {}
    for group, points in exercise.points.items():
        won = all(r.passed for r in finding.results if r.question.group == group)
        if group == SPEED and exercise.way.speed:
            won = False  # until a race has shown it, which is held where all else is right
        groups[group] = (float(points) if won else 0.0, float(points))
    cases = tuple(
        CaseVerdict(
            r.question.words, r.question.group, r.passed, "" if r.passed else sentence(exercise, r, cell)
        )
        for r in finding.results
    )
    return Verdict(
        exercise=exercise.name,
        points=sum(won for won, _ in groups.values()),
        total=exercise.total,
        status="passed" if finding.passed else "failed" if finding.attempted else "not attempted",
        groups=groups,
        cases=cases,
        mistake=finding.mistake,
        hint=finding.hint,
        patterns=finding.patterns,
        notes=tuple(notes),
    )


def not_found(exercise: Exercise, reason: str) -> Verdict:
    """Give no points for an Exercise that could not be asked, and say why."""
    groups = {group: (0.0, float(points)) for group, points in exercise.points.items()}
    return Verdict(exercise.name, 0.0, exercise.total, "not found", groups, notes=(reason,))


def is_right(verdict: Verdict) -> bool:
    """Say whether an Answer passed all its Cases, be it slow: a slow Answer fails none of those that call it."""
    cases = [case for case in verdict.cases if case.group != SPEED]
    return verdict.status == "passed" or (bool(cases) and all(case.passed for case in cases))


def with_speed(verdict: Verdict, points: float, case: CaseVerdict) -> Verdict:
    """Add the Case of a race, and its points where the Answer was fast.

    Args:
        verdict: without the race.
        points: those for speed.
        case: the Verdict on the race.
    """
    won = points if case.passed else 0.0
    return replace(
        verdict,
        points=verdict.points + won,
        status="passed" if case.passed else "failed",
        groups={**verdict.groups, SPEED: (won, points)},
        cases=(*verdict.cases, case),
    )
