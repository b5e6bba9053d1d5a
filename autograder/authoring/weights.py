"""Trains the weights of the reference networks, with the solved lessons' own training code.

Run it again whenever a lesson's training changes: python -m autograder.authoring.weights LESSON (one to a few minutes).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from autograder.authoring.script import read
from autograder.course import Course
from autograder.exercise import Lesson
from autograder.exercises.common.shapes import fresh
from autograder.exercises.lenet import trained as lenet
from autograder.exercises.resnet import trained as resnet
from autograder.exercises.training import trained as training
from cnnlab import data, nn
from cnnlab.checking.handin import save_weights
from cnnlab.checking.summaries.networks import NETWORKS, judge
from cnnlab.library import lending

HELD_OUT = 1400  # the first of the held-out digits
LABELS = np.arange(500) % 5  # of the drawn shapes that test trained weights
Images = tuple[np.ndarray, np.ndarray]  # with their labels


def solved_names(course: Course, lesson: Lesson) -> dict[str, Any]:
    """Run the cells of a solved lesson that grading runs, and return the names that they define."""
    names: dict[str, Any] = {"__name__": "lesson"}
    for cell in read(lesson, course.script(lesson)).run:
        exec(compile(cell.source, lesson.name, "exec"), names)
    return names


@contextmanager
def solved_layers(course: Course) -> Iterator[dict[str, Any]]:
    """Let `cnnlab.layers` use the solutions of the first assignment, and yield the names of the LeNet lesson."""
    lessons = {lesson.name: lesson for lesson in course.lessons("1_layers")}
    lending.lend(
        {name: [cell.source for cell in read(one, course.script(one)).run] for name, one in lessons.items()}
    )
    try:
        yield solved_names(course, lessons["07_lenet"])
    finally:
        lending.end_lending()


def digits() -> tuple[Images, Images]:
    """Return the digits in LeNet-5's format, (N, 1, 32, 32), with their labels: a training set and a held-out set."""
    images, labels = data.digits()
    images = nn.lenet_images(images)
    return (images[:HELD_OUT], labels[:HELD_OUT]), (images[HELD_OUT:], labels[HELD_OUT:])


def train_lenet(course: Course) -> Path:
    """Train LeNet-5 on the solved layers and write its weights."""
    train, held_out = digits()
    with solved_layers(course) as names:
        weights = names["trained_lenet"](*train, np.random.default_rng(0))
        network = nn.lenet5(np.random.default_rng(0))
        network.load_state(weights)
        print(f"{nn.accuracy(network, *held_out):.1%} of the held-out digits are right")
    return save_weights(lenet.FILE, weights)


def train_resnet(course: Course) -> Path:
    """Train ResNet-20 on 2,000 drawn shapes, as the lesson does, and write its weights."""
    names = solved_names(course, course.lesson("2_architectures", "11_resnet"))
    weights = names["trained_resnet"](*data.shape_images(2000, seed=1))
    print(_accuracy(fresh(LABELS, 1 << 42), weights), "is what it reaches")
    return save_weights(resnet.FILE, weights)


def train_hard_shapes(course: Course) -> Path:
    """Train the training lesson's network on 2,000 harder images, normalised like the plain ones, and write its weights."""
    import torch

    from cnnlab import models
    from cnnlab.train import DeviceData

    names = solved_names(course, course.lesson("2_architectures", "13_training"))
    plain = DeviceData(*data.shape_images(1000, seed=1))
    train = DeviceData(*names["hard_shapes"](2000, seed=1), like=plain)
    validation = DeviceData(*names["hard_shapes"](500, seed=2), like=plain)
    torch.manual_seed(0)
    weights = names["trained_network"](models.get("resnet20", classes=5), train, validation)
    for words, change in (("plain", training.PLAIN), ("harder", training.HARD)):
        images = change(fresh(LABELS, 1 << 42), np.random.default_rng(0))
        print(f"{words}: {_accuracy(images, weights)}")
    return save_weights(training.FILE, weights)


def _accuracy(images: np.ndarray, weights: dict[str, np.ndarray]) -> float:
    inputs = {"images": images, "labels": LABELS, "at_least": 100.1}
    return judge(NETWORKS["resnet20"], inputs, {"weights": weights})["accuracy"]


TRAINERS = {"07_lenet": train_lenet, "11_resnet": train_resnet, "13_training": train_hard_shapes}


def main() -> None:
    """Train the weights of the lesson named on the command line; print their accuracy and path."""
    name = sys.argv[1] if len(sys.argv) == 2 else ""
    if name not in TRAINERS:
        sys.exit(f"Name the lesson whose weights to train: {', '.join(TRAINERS)}.")
    print(TRAINERS[name](Course.here()))


if __name__ == "__main__":
    main()
