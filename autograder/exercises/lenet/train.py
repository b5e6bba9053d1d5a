"""Makes lenet.safetensors, the reference's weights, by the solved lesson's own training on the solved layers.

Run it again where the lesson's training changes: python -m autograder.exercises.lenet.train (about a minute).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograder.course import Course
from autograder.exercise import Lesson
from autograder.exercises import all_lessons
from autograder.exercises.lenet.trained import FILE
from autograder.script import read
from cnnlab import data, nn
from cnnlab.library import lending

LESSON = "07_lenet"
HELD_OUT = 1400  # the first of the held-out digits


@contextmanager
def solved_layers(course: Course) -> Iterator[dict[str, Any]]:
    """Have `cnnlab.layers` lend the solutions of every lesson of this assignment; gives the names of this lesson."""
    lessons = [lesson for lesson in all_lessons() if lesson.assignment == "1_layers"]
    lending.lend({lesson.name: _cells(course, lesson) for lesson in lessons})
    try:
        names: dict[str, Any] = {"__name__": "lesson"}
        for source in _cells(course, next(lesson for lesson in lessons if lesson.name == LESSON)):
            exec(compile(source, LESSON, "exec"), names)
        yield names
    finally:
        lending.give_back()


def digits() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return the digits as LeNet-5 takes them, and their labels: those for training, and those held out."""
    images, labels = data.digits()
    images = nn.lenet_images(images)
    return (images[:HELD_OUT], labels[:HELD_OUT]), (images[HELD_OUT:], labels[HELD_OUT:])


def _cells(course: Course, lesson: Lesson) -> list[str]:
    return [cell.source for cell in read(lesson, course.script(lesson)).run]


def main() -> None:
    """Train and write the file."""
    train, held_out = digits()
    with solved_layers(Course.here()) as names:
        weights = names["trained_lenet"](*train, np.random.default_rng(0))
        network = nn.lenet5(np.random.default_rng(0))
        network.load_state(weights)
        print(f"{nn.accuracy(network, *held_out):.1%} of the held-out digits are right")
    print(nn.save_weights(FILE, weights))


if __name__ == "__main__":
    main()
