"""Shared by the proofs of the exercises: the solved lessons and what their Cases ask, each worked out once a process."""

from __future__ import annotations

from functools import cache
from types import CodeType
from typing import Any

from autograder.authoring.script import Cell, read
from autograder.course import Course
from autograder.exercise import Lesson
from autograder.exercises import all_lessons
from cnnlab.checking import probe
from cnnlab.checking.assess import Finding, assess
from cnnlab.checking.question import Questionnaire

LESSONS = {lesson.name: lesson for lesson in all_lessons()}


@cache
def lesson_cells(lesson: Lesson) -> tuple[Cell, ...]:
    """Return the cells of a solved lesson that are run when grading."""
    return read(lesson, Course.here().script(lesson)).run


@cache
def compiled(source: str, where: str) -> CodeType:
    """Compile a cell; where: what a traceback calls its file."""
    return compile(source, where, "exec")


def namespace(lesson: Lesson, exercise: str = "", source: str = "") -> dict[str, Any]:
    """Run the solved lesson as a student's notebook would run, with `source` as the cell of `exercise`; return its names."""
    names: dict[str, Any] = {"__name__": "lesson"}
    for cell in lesson_cells(lesson):
        replaced = bool(exercise) and (cell.role, cell.name) == ("exercise", exercise)
        exec(compiled(source if replaced else cell.source, f"{lesson.name}:{cell.line}"), names)
    return names


@cache
def solved(lesson: Lesson) -> dict[str, Any]:
    """Run the solved lesson and return its names."""
    return namespace(lesson)


@cache
def secret_cases(lesson: Lesson, exercise: str, secret: bytes, which: int = 0) -> Questionnaire:
    """Return a set of the secret Cases of the course that holds `secret`."""
    return lesson.exercises[exercise].secret_questions(secret, which)


def finding(questionnaire: Questionnaire, function: Any) -> Finding:
    """Ask `function` each Case and judge what it does; where weights are handed in, it takes nothing and returns them."""
    way = questionnaire.way
    outcomes = [
        probe.ask(function, {} if way.file else dict(q.inputs), questionnaire.returns, way)
        for q in questionnaire.questions
    ]
    return assess(questionnaire, outcomes)
