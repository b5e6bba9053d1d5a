"""Makes hard_shapes.safetensors, the reference's weights, by the solved lesson's own training.

Run it again where the lesson's training changes: python -m autograder.exercises.training.train (a few minutes).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.course import Course
from autograder.exercises.training import LESSON
from autograder.exercises.training.trained import FILE, HARD, PLAIN, fresh, hardened
from autograder.script import read
from cnnlab import data
from cnnlab.checking.handin import save_weights
from cnnlab.checking.summaries.networks import NETWORKS, judge


def solved_names() -> dict[str, Any]:
    """Run the cells of the solved lesson that are run when grading, and return its names."""
    names: dict[str, Any] = {"__name__": "lesson"}
    for cell in read(LESSON, Course.here().script(LESSON)).run:
        exec(compile(cell.source, LESSON.name, "exec"), names)
    return names


def trained(names: dict[str, Any]) -> dict[str, np.ndarray]:
    """Train as the lesson does: on 2,000 harder images, normalised as plain ones are."""
    import torch

    from cnnlab import models
    from cnnlab.train import DeviceData

    plain = DeviceData(*data.shape_images(1000, seed=1))
    train = DeviceData(*names["hard_shapes"](2000, seed=1), like=plain)
    validation = DeviceData(*names["hard_shapes"](500, seed=2), like=plain)
    torch.manual_seed(0)
    return names["trained_network"](models.get("resnet20", classes=5), train, validation)


def main() -> None:
    """Train, say how good the weights are, and write the file."""
    weights = trained(solved_names())
    labels = np.arange(500) % 5
    for words, how in (("plain", PLAIN), ("harder", HARD)):
        images = hardened(fresh(labels, 1 << 42), np.random.default_rng(0), **how)
        inputs = {"images": images, "labels": labels, "at_least": 100.1}
        print(f"{words}: {judge(NETWORKS['resnet20'], inputs, {'weights': weights})['accuracy']}")
    print(save_weights(FILE, weights))


if __name__ == "__main__":
    main()
