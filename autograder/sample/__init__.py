"""A sample class: submissions of every kind with what each must earn, for `autograder demo` and for the tests."""

from __future__ import annotations

from autograder.exercise import Lesson
from autograder.sample import convolution
from autograder.sample.submission import (
    Sample,
    Solved,
    Write,
    answers,
    bodies,
    earned,
    find,
    save,
    write_class,
    wrong_answer,
)

__all__ = [
    "Sample",
    "Solved",
    "Write",
    "answers",
    "bodies",
    "earned",
    "find",
    "sample_class",
    "save",
    "write_class",
    "wrong_answer",
]


def sample_class(lesson: Lesson) -> list[Sample]:
    """Return the sample class of a lesson, in the order of the student ids; empty where the lesson has none.

    The class has one wrong submission for each exercise, and further ones that no Mistake explains.
    """
    samples = convolution.samples(lesson) if lesson.name == convolution.LESSON else []
    return sorted(samples, key=lambda sample: sample.student)
