"""alexnet_sides: 227-55-27-13-6, and what other images come to."""

from __future__ import annotations

from autograder.exercise import Exercise, Random, clue
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.rows import plain_case, public, rows, secret, varied

# kernel, stride, padding; the first convolution's padding is asked
LAYERS = [(11, 4, None), (3, 2, 0), (5, 1, 2), (3, 2, 0), (3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 2, 0)]
POOLINGS = (1, 3, 7)  # which of them


def places(size: int, kernel: int, stride: int, padding: int, slip: str) -> int:
    """Count the windows by laying them down, one after the other."""
    if slip == "rounded up":
        return -(-(size + 2 * padding - kernel) // stride) + 1
    if slip == "one too few":
        return max((size + 2 * padding - kernel) // stride, 0)
    if slip == "padding on one side":
        return (size + padding - kernel) // stride + 1
    return len(range(-padding, size + padding - kernel + 1, stride))


def sides(image: int, padding: int = 0, slip: str = "") -> list[int]:
    found, side = [], image
    for number, (kernel, stride, own) in enumerate(LAYERS):
        around = padding if own is None else own
        if slip == "later layers unpadded" and own is not None:
            around = 0
        if slip == "windows that do not overlap" and number in POOLINGS:
            kernel = 2
        side = places(side, kernel, stride, around, slip)
        found.append(side)
    if slip == "poolings left out":
        return [side for number, side in enumerate(found) if number not in POOLINGS]
    return [image, *found] if slip == "the image too" else found


def of_even(low: int, high: int, rest: int) -> Random:
    """An image whose first convolution, unpadded, has an even side and leaves `rest` pixels over."""
    return Random(lambda rng: 8 * int(rng.integers(low, high)) + 7 + rest)


def fitting(low: int, high: int) -> Random:
    """An image of which no layer leaves a pixel over, as of 67, 99 and 227."""
    return Random(lambda rng: 32 * int(rng.integers(low, high)) + 35)


def of_odd(low: int, high: int, rest: int) -> Random:
    return Random(lambda rng: 8 * int(rng.integers(low, high)) + 11 + rest)


alexnet_sides = Exercise(
    name="alexnet_sides",
    returns=("sides",),
    reference=sides,
    points={"paper": 1, "rest": 2, "padding": 1},
    cases=rows(
        plain_case,
        "paper",
        public("227 pixels, as they must have been", image=227),
        secret("an image that fits all the way", image=fitting(8, 20)),
        public("99 pixels", image=99),
        "rest",
        public("224 pixels without padding: three are left over", image=224),
        secret("an image that leaves one pixel over", image=of_even(30, 60, 1)),
        public("300 pixels", image=300),
        secret("an image that leaves three over", image=of_even(60, 90, 3)),
        public("102 pixels: even sides", image=102),
        secret("an image that leaves two over", image=of_odd(14, 25, 2)),
        "padding",
        public("224 pixels with padding 2", image=224, padding=2),
        secret("padding 1", image=of_even(28, 60, 2), padding=1),
        public("150 pixels with padding 5", image=150, padding=5),
        secret("padding 3", image=of_odd(28, 60, 1), padding=3),
    ),
    varied=varied(
        plain_case,
        public("plain: 67 pixels, of which none is left over", image=67),
        {
            "image": {"image": 99},
            "pixels left over by the first layer": {"image": 70},
            "an even side": {"image": 71},
            "padding": {"padding": 16},
        },
    ),
    clues=[
        clue(
            "Write the eight layers down as a list of (kernel, stride, padding) and go through it with one side that "
            "changes.",
            *("windows that do not overlap", "later layers unpadded", "the image too", "poolings left out"),
        ),
        clue(
            "Each layer turns the side n into (n + 2*padding - kernel) // stride + 1; the 3 x 3 convolutions give n "
            "again.",
            *("rounded up", "one too few", "padding on one side", "later layers unpadded"),
            arguments=("padding", "pixels left over by the first layer", "an even side"),
        ),
    ],
    mistakes=mistakes(
        """
        rounded up: You rounded a window that does not fit up: what is left over at the end is dropped, as // does.
        one too few: You counted steps, not windows: add 1 for the window before the first step.
        padding on one side: You added the padding once: it lies on both sides, so a layer's input is n + 2 * padding
            long.
        windows that do not overlap: You pooled with 2 x 2 windows: here they are 3 x 3 at stride 2, and overlap.
        later layers unpadded: You left out the padding of the later convolutions: 2 for the 5 x 5, 1 for each of the 3
            x 3.
        the image too: You put the image's own side first: return the eight sides that come after it.
        poolings left out: You gave the sides after the five convolutions only: list those after the three poolings too,
            in order.
        """,
        sides,
    ),
)
