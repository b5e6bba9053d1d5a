"""ensemble_predict: what several networks, and each image and its mirror, say together."""

from __future__ import annotations

from autograder.exercise import Case, Exercise, clue, normal
from autograder.exercises.common.lazy_import import lazy_imports
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.rows import public, rows, secret, varied
from cnnlab.checking.way import Way

average, slipped = lazy_imports("autograder.exercises.training.averages", "average", "slipped")
A, B, C = "net score a", "net score b", "net score c"


def asked(key: str, group: str, count: int, *models: str) -> Case:
    return Case(key, group=group, models=list(models), images=normal(count, 3, 8, 8, dtype="float32"))


ensemble_predict = Exercise(
    name="ensemble_predict",
    returns=("probabilities",),
    reference=average,
    points={"one": 3, "many": 4},
    way=Way(functions=("models",), tensors=("images",)),
    cases=rows(
        asked,
        "one",
        public("one network, 5 images", 5, A),
        secret("one network, 6 images", 6, B),
        secret("one network, one image", 1, C),
        "many",
        public("two networks, 4 images", 4, A, B),
        secret("two networks, 3 images", 3, C, B),
        public("three networks, one image", 1, C, A, B),
        secret("three networks, 7 images", 7, B, A, C),
        "one",
        public("a network that is in eval mode, 2 images", 2, "net eval"),
        secret("a network that is in eval mode, 5 images", 5, "net eval"),
    ),
    mistakes=mistakes(
        """
        scores averaged: You averaged scores: turn each view's scores into probabilities first, with softmax.
        softmax of the mean score: You averaged the scores and then took softmax: take softmax of each view's scores,
            then the mean.
        no mirror: You looked at the images only as they are: look at each image's mirror too.
        mirror only: You looked at the mirrored images only: look at the images as they are too.
        upside down: You turned the images upside down: the mirror reverses the columns, axis 3.
        channels reversed: You reversed the channels, so red is blue: the mirror reverses the columns, axis 3.
        votes: You counted votes: average the probabilities, which also say how sure a network is.
        softmax over the batch: Your softmax runs over the images: the probabilities of one image sum to 1, so it is
            softmax(1) of (N, M).
        sum: You added up and did not divide: return the mean.
        largest probability: You took the largest probability that any view gives a class: take the mean.
        classes returned: You return the class: return the probabilities, (N, M).
        first network only: You asked the first network only: ask all of them.
        """,
        slipped,
    ),
    varied=varied(
        asked, public("plain: one network, one image", 1, A), {"models": public("", 1, A, B), "batch": public("", 3, A)}
    ),
    clues=(
        clue(
            "A list of tensors (N, M), one for each network and each of the two views; torch.stack(views).mean(0) is "
            "their mean.",
            *("votes", "sum", "largest probability", "classes returned", "first network only"),
            arguments=("models",),
        ),
        clue(
            "before = model.training, model.eval(), ask it within `with torch.no_grad():`, model.train(before). "
            "images.flip(3) is the mirror.",
            *("no mirror", "upside down", "channels reversed"),
        ),
        clue(
            "views += [model(images).softmax(1), model(images.flip(3)).softmax(1)]",
            *("scores averaged", "softmax of the mean score", "no mirror", "mirror only", "upside down"),
            *("channels reversed", "softmax over the batch"),
        ),
    ),
)
