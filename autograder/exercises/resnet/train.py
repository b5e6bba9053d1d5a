"""Makes resnet20.safetensors, the reference's weights, by the solved lesson's own training.

Run it again where the lesson's training changes: python -m autograder.exercises.resnet.train (about a minute).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.course import Course
from autograder.exercises.resnet import LESSON
from autograder.exercises.resnet.trained import FILE, fresh
from autograder.script import read
from cnnlab import data
from cnnlab.checking.handin import save_weights
from cnnlab.checking.summaries.networks import NETWORKS, judge

IMAGES, SEED = 2000, 1  # of data.shape_images, as in the lesson


def solved_names() -> dict[str, Any]:
    """Run the cells of the solved lesson that are run when grading, and return its names."""
    names: dict[str, Any] = {"__name__": "lesson"}
    for cell in read(LESSON, Course.here().script(LESSON)).run:
        exec(compile(cell.source, LESSON.name, "exec"), names)
    return names


def main() -> None:
    """Train and write the file."""
    weights = solved_names()["trained_resnet"](*data.shape_images(IMAGES, seed=SEED))
    labels = np.arange(500) % 5
    inputs = {"images": fresh(labels, 1 << 42), "labels": labels, "at_least": 100.1}
    print(judge(NETWORKS["resnet20"], inputs, {"weights": weights})["accuracy"], "is what it reaches")
    print(save_weights(FILE, weights))


if __name__ == "__main__":
    main()
