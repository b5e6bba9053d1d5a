"""Plans the run of a notebook: its cells, and the places at which its Exercises are probed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from nbformat.notebooknode import NotebookNode

from autograder.exercise import Lesson
from autograder.judging import cells
from autograder.sandbox import Probe, RunCell
from cnnlab.checking.question import Questionnaire

LATER = " (later)"  # ends the name of what an Answer below the check gave

# One Probe for all submissions, which are asked the same: Questionnaire's id -> it, and what is asked of it.
_probes: dict[int, tuple[Questionnaire, Probe]] = {}


def plan(lesson: Lesson, notebook: NotebookNode) -> list[RunCell | str]:
    """Return the steps of a notebook in order: its cells, and the names of Exercises where they are probed.

    What is answered anew below its check is probed once more when all cells have run, by its name with LATER at its end.
    """
    steps: list[RunCell | str] = []
    for index, cell in enumerate(notebook.cells):
        name = cells.exercise(cell)
        if cells.role(cell) == "check" and name in lesson.exercises:
            if not lesson.exercises[name].way.file:  # a file is judged without running anything
                steps.append(name)
        elif cell["cell_type"] == "code" and cells.role(cell) in cells.RUN_ROLES:
            steps.append(RunCell(index, cell["source"]))
    probed = {step for step in steps if isinstance(step, str)}
    return steps + [f"{name}{LATER}" for name in cells.later_answers(notebook) if name in probed]


def with_cases(
    steps: Sequence[RunCell | str], questionnaires: Mapping[str, Questionnaire]
) -> list[RunCell | Probe]:
    """Replace each Exercise's name by a Probe with the Cases that it is asked."""
    return [
        step if isinstance(step, RunCell) else _named(step, _probe(questionnaires[step.removesuffix(LATER)]))
        for step in steps
    ]


def _named(name: str, probe: Probe) -> Probe:
    return probe if name == probe.exercise else replace(probe, named=name)


def _probe(questionnaire: Questionnaire) -> Probe:
    known = _probes.get(id(questionnaire))
    if known is None or known[0] is not questionnaire:
        cases = tuple(question.inputs for question in questionnaire.questions)
        if rng := questionnaire.way.rng:
            # All again, and all with other seeds, as outcomes.py looks at them.
            cases += (*cases, *({**case, rng: case[rng] + 1} for case in cases))
        probe = Probe(questionnaire.exercise, questionnaire.returns, cases, questionnaire.way)
        known = _probes[id(questionnaire)] = questionnaire, probe
    return known[1]
