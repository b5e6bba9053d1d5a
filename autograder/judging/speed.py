"""Points for speed: a right Answer is raced against a matrix product, on large secret inputs."""

from __future__ import annotations

from collections.abc import Callable

from autograder.course import Course
from autograder.exercise import FLOAT32_TOLERANCE, SPEED, Exercise, Lesson
from autograder.judging import points, secret_cases
from autograder.sandbox import STOPPED, Probe, Timing
from autograder.sandbox.racing import REPETITIONS
from autograder.verdict import CaseVerdict, Verdict
from cnnlab.checking.compare import compare
from cnnlab.checking.speed import TASKS

Race = Callable[[Probe, str], Timing]  # what is asked, and the name of the task -> the times


def raced(verdict: Verdict, course: Course, lesson: Lesson, race: Race) -> Verdict:
    """Have a right Answer timed where its Exercise asks for speed, and add what came of it.

    Args:
        verdict: what the Answer earned so far.
        course: the course, from whose secret the inputs are drawn.
        lesson: the lesson that has the Exercise.
        race: runs the race in the sandbox.
    """
    exercise = lesson.exercises[verdict.exercise]
    if not exercise.way.speed or verdict.status != "passed":
        return verdict
    task = TASKS[exercise.way.speed]
    cases = tuple(secret_cases.large_inputs(exercise, course.secret(), turn) for turn in range(REPETITIONS))
    timing = race(Probe(exercise.name, exercise.returns, cases, exercise.way), exercise.way.speed)
    reason = _why_slow(timing, course, lesson, exercise)
    words = f"{task.words}: at most {task.at_most:g} times the CPU time of the bare matrix product"
    case = CaseVerdict(words, SPEED, not reason, reason)
    return points.with_speed(verdict, float(exercise.points[SPEED]), case)


def _why_slow(timing: Timing, course: Course, lesson: Lesson, exercise: Exercise) -> str:
    """Say why there are no points for speed, "" where there are."""
    if timing.outcome.kind != "values":
        return STOPPED.get(timing.outcome.kind, "it failed on the large input")
    expected = secret_cases.on_large_inputs(course, lesson, exercise, timing.turn)
    if compare(expected, timing.outcome, FLOAT32_TOLERANCE):
        return "it has wrong values on the large input"
    at_most = TASKS[exercise.way.speed].at_most
    if timing.ratio > at_most:
        return f"it takes {timing.ratio:.2g} times as long as the matrix product; at most {at_most:g} is fast"
    return ""
