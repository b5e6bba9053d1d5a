"""memory_bytes: what a network's values take, when it predicts and when it is trained."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from autograder.exercise import Exercise, Random, clue
from autograder.exercises.common.drawn import whole
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.rows import plain_case, public, rows, secret, varied
from autograder.exercises.vgg.tables import COLUMNS, Row


def memory(rows: list[Row], batch: int, value_bytes: int = 4, slip: str = "") -> tuple[int, int]:
    """Count values as they are alive: at each layer when predicting, at the turn when training."""
    maps = [row["activations"] for row in rows]
    learned = sum(row["parameters"] for row in rows)
    pair = max(one + other for one, other in pairwise(maps))
    if slip == "largest map only":
        pair = max(maps)
    if slip == "largest two maps":
        pair = sum(sorted(maps)[-2:])
    if slip == "values not bytes":
        value_bytes = 1
    if slip == "always four bytes":
        value_bytes = 4
    per_image = sum(maps) + pair
    if slip == "all maps twice":
        per_image = 2 * sum(maps)
    if slip == "gradients of maps forgotten":
        per_image = sum(maps)
    copies = 2 if slip == "momentum forgotten" else 1 if slip == "weights once" else 3
    each = batch if slip == "weights for each image" else 1
    if slip == "batch ignored":
        batch = 1
    seen = sum(maps) if slip == "all maps kept when predicting" else pair
    return value_bytes * (each * learned + batch * seen), value_bytes * (each * copies * learned + batch * per_image)


def rows_of(*pairs: tuple[int, int]) -> list[Row]:
    """Rows of a table from (activations, parameters) of each, other columns made up to fit."""
    return [
        dict(zip(COLUMNS, (f"layer {i}", (count,), count, learned, 3 * learned), strict=True))
        for i, (count, learned) in enumerate(pairs)
    ]


def some_rows(count: int) -> Random:
    """Rows of any sizes, the largest two of them not neighbours."""

    def draw(rng: np.random.Generator) -> list[Row]:
        maps = rng.integers(100, 2000, count)
        maps[1], maps[-1] = rng.integers(5000, 9000, 2)
        learned = rng.integers(100, 5000, count)
        learned[0] = 0
        return rows_of(*((int(a), int(p)) for a, p in zip(maps, learned, strict=True)))

    return Random(draw)


memory_bytes = Exercise(
    name="memory_bytes",
    returns=("predicting", "training"),
    reference=memory,
    points={"one image": 2, "batch": 2, "bytes": 2},
    cases=rows(
        plain_case,
        "one image",
        public("three layers, one image", rows=rows_of((12, 0), (30, 5), (10, 7), (40, 9)), batch=1),
        secret("five layers, one image", rows=some_rows(6), batch=1),
        "batch",
        public("the same layers, 10 images", rows=rows_of((12, 0), (30, 5), (10, 7), (40, 9)), batch=10),
        secret("four layers, some images", rows=some_rows(5), batch=whole(2, 60)),
        "bytes",
        secret("64 bits a value", rows=some_rows(7), batch=whole(2, 60), value_bytes=8),
        public(
            "16 bits a value, 3 images",
            rows=rows_of((50, 0), (200, 100), (20, 40), (90, 30), (150, 7)),
            batch=3,
            value_bytes=2,
        ),
        secret("16 bits a value", rows=some_rows(4), batch=whole(2, 60), value_bytes=2),
    ),
    varied=varied(
        plain_case,
        public("plain: the input and one layer, one image", rows=rows_of((4, 0), (3, 5)), batch=1),
        {
            "batch": {"batch": 3},
            "value_bytes": {"value_bytes": 2},
            "a second layer": {"rows": rows_of((4, 0), (3, 5), (2, 7))},
            "the largest maps apart": {"rows": rows_of((4, 0), (3, 5), (6, 7))},
        },
    ),
    clues=[
        clue(
            "Count values first and multiply by value_bytes at the end. Parameters are there once, whatever the batch; "
            "maps are there for each image.",
            *("values not bytes", "always four bytes", "weights for each image", "batch ignored"),
            arguments=("batch", "value_bytes"),
        ),
        clue(
            "The pair: the largest sum of two rows that follow each other, max over i of rows[i] + rows[i + 1].",
            *("largest map only", "largest two maps"),
            arguments=("a second layer", "the largest maps apart"),
        ),
        clue(
            "predicting = parameters + batch * pair; training = 3 * parameters + batch * (all activations + pair).",
            *("all maps twice", "gradients of maps forgotten", "momentum forgotten", "weights once"),
            *("weights for each image", "batch ignored", "all maps kept when predicting"),
            arguments=("batch",),
        ),
    ],
    mistakes=mistakes(
        """
        largest map only: You took the largest map alone: a layer holds the map that it reads and the one that it makes.
        largest two maps: You added the two largest maps: they count together only where one follows the other.
        values not bytes: You counted values: each takes value_bytes bytes.
        always four bytes: You took 4 bytes for each value: take value_bytes.
        all maps twice: You doubled all maps, as the slide does: of their gradients only two neighbours are there at a
            time.
        gradients of maps forgotten: You left out the gradients of the maps: two neighbours' are there at a time, as
            large as the pair.
        momentum forgotten: You counted weights and their gradients: momentum keeps a third number for each.
        weights once: You counted the parameters once in training: each also has a gradient and a momentum.
        weights for each image: You multiplied the parameters by the batch: all images share one set of them.
        batch ignored: You counted the maps of one image: there are `batch` images.
        all maps kept when predicting: You keep all maps when predicting: there a map may go as soon as the next layer
            has read it.
        """,
        memory,
    ),
)
