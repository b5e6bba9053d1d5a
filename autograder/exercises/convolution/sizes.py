"""conv_output_size and same_padding: how large the output is, and the padding that keeps the size."""

from __future__ import annotations

from itertools import count

from autograder.exercise import Exercise, Random, clue
from autograder.exercises.common.mistakes import Wrong, mistakes
from autograder.exercises.common.sizes import Size, pair
from autograder.exercises.rows import plain_case, public, rows, secret, varied
from cnnlab.checking.wire import Value


def some(first: int, step: int) -> Random:
    """Draw a size that the secret chooses, first + n * step: what a stride leaves over stays the same."""
    return Random(lambda rng: first + step * int(rng.integers(20)))


def count_positions(size: int, kernel: int, stride: int = 1, padding: Size = 0, dilation: int = 1) -> int:
    """Try the starts of a window, one stride apart, and count those where its last tap is inside."""
    length = size + sum(pair(padding))
    taps = [tap * dilation for tap in range(kernel)]
    return sum(start + taps[-1] < length for start in range(0, length, stride))


def search_same(size: int, kernel: int, stride: int = 1, dilation: int = 1) -> tuple[int, int]:
    """Try totals from 0 on until the output has one value for every `stride` inputs."""
    wanted = len(range(0, size, stride))
    total = next(t for t in count() if count_positions(size, kernel, stride, (0, t), dilation) == wanted)
    return total // 2, total - total // 2


def spare(size: int, kernel: int, padding: Size = 0, dilation: int = 1) -> int:
    """Return how far the kernel can move: its last possible start, before any stride."""
    return count_positions(size, kernel, 1, padding, dilation) - 1


def output_size_with(change: Wrong) -> Wrong:
    """Return a wrong conv_output_size: change(spare, stride) stands in for the last step of the formula."""

    def wrong(size: int, kernel: int, stride: int = 1, padding: Size = 0, dilation: int = 1) -> Value:
        return change(spare(size, kernel, padding, dilation), stride)

    return wrong


def padding_with(total: Wrong, split: Wrong = lambda total: (total // 2, total - total // 2)) -> Wrong:
    """Return a wrong same_padding: split(total(size, reach, stride)), reach the dilated kernel's extent."""

    def wrong(size: int, kernel: int, stride: int = 1, dilation: int = 1) -> Value:
        return split(total(size, dilation * (kernel - 1) + 1, stride))

    return wrong


def same_total(size: int, reach: int, stride: int) -> int:
    return max((len(range(0, size, stride)) - 1) * stride + reach - size, 0)


conv_output_size = Exercise(
    name="conv_output_size",
    returns=("out",),
    reference=count_positions,
    clues=(
        clue(
            "Count positions of the first tap: it starts at 0 and moves by `stride` while the last tap is still inside.",
            "plus one forgotten",
            "ceil instead of floor",
            "stride ignored",
            arguments=("stride", "stride that leaves inputs over"),
        ),
        clue(
            "The dilated kernel spans `dilation * (kernel - 1) + 1`; the padded signal has `size + before + after` values.",
            "total padding",
            "first of the pair twice",
            "dilation ignored",
            "dilated kernel too large",
            arguments=("padding", "one-sided padding", "dilation"),
        ),
        clue(
            "Steps are `(room - span) // stride`, and there is one position more than steps.",
            "plus one forgotten",
            "one added before dividing",
            "ceil instead of floor",
            "float returned",
            "stride ignored",
            arguments=("stride", "stride that leaves inputs over"),
        ),
    ),
    points={"basic": 1, "stride": 1, "padding": 1, "dilation": 1, "together": 1},
    cases=rows(
        plain_case,
        "basic",
        public("kernel 3 on size 7", size=7, kernel=3),
        secret("kernel 4", size=some(9, 1), kernel=4),
        public("kernel as large as the input, 5", size=5, kernel=5),
        secret("kernel as large as the input", size=6, kernel=6),
        public("kernel 1 on size 6", size=6, kernel=1),
        secret("kernel 2", size=some(23, 1), kernel=2),
        public("LeNet-5's first layer: kernel 5 on size 32", size=32, kernel=5),
        "stride",
        public("kernel 3, stride 2 on size 7", size=7, kernel=3, stride=2),
        secret("kernel 4, stride 3", size=some(10, 3), kernel=4, stride=3),
        public("kernel 3, stride 2 on size 8: one input is left over", size=8, kernel=3, stride=2),
        secret("kernel 2, stride 4: one input is left over", size=some(11, 4), kernel=2, stride=4),
        public("kernel 3, stride 3 on size 11: two inputs are left over", size=11, kernel=3, stride=3),
        secret("kernel 5, stride 4: three inputs are left over", size=some(16, 4), kernel=5, stride=4),
        public("AlexNet's first layer: kernel 11, stride 4 on size 227", size=227, kernel=11, stride=4),
        secret("a stride larger than the input", size=5, kernel=2, stride=7),
        "padding",
        public("kernel 3, padding 1 on size 5", size=5, kernel=3, padding=1),
        secret("kernel 5, padding 2", size=some(8, 1), kernel=5, padding=2),
        public("kernel 4, padding 2 on size 6", size=6, kernel=4, padding=2),
        secret("kernel 2, padding 3", size=some(4, 1), kernel=2, padding=3),
        public("kernel 4, padding (1, 2) on size 6", size=6, kernel=4, padding=(1, 2)),
        secret("kernel 3, padding (0, 3)", size=some(7, 1), kernel=3, padding=(0, 3)),
        "dilation",
        public("kernel 3, dilation 2 on size 9", size=9, kernel=3, dilation=2),
        secret("kernel 4, dilation 3", size=some(13, 1), kernel=4, dilation=3),
        public("kernel 1, dilation 4 on size 6", size=6, kernel=1, dilation=4),
        secret("kernel 1, dilation 5", size=some(9, 1), kernel=1, dilation=5),
        "together",
        public("the lecture's example: kernel 3, stride 2, padding 1 on size 5", size=5, kernel=3, stride=2, padding=1),
        secret("kernel 5, stride 3, padding 1", size=some(9, 3), kernel=5, stride=3, padding=1),
        public(
            "kernel 3, stride 2, padding (2, 1), dilation 3 on size 15",
            size=15,
            kernel=3,
            stride=2,
            padding=(2, 1),
            dilation=3,
        ),
        secret(
            "kernel 2, stride 3, padding (3, 1), dilation 4",
            size=some(12, 3),
            kernel=2,
            stride=3,
            padding=(3, 1),
            dilation=4,
        ),
    ),
    mistakes=mistakes(
        """
        plus one forgotten: You counted the steps between the windows, so the first window is missing: add 1.
        one added before dividing: You added the 1 before dividing by the stride: divide first, round down, then add 1.
        ceil instead of floor: You rounded up, which counts a window that hangs over the end: round down.
        float returned: You divided with /, which gives a float: a number of positions is an int, so divide with //.
        stride ignored: You counted every position: the window moves by `stride` at a time, so divide by it.
        total padding: You added the padding once, but an int is the padding of each side: add it twice.
        first of the pair twice: You took (before, after) as twice its first number: add before and after.
        dilation ignored: You left the dilation out: a dilated kernel covers dilation * (kernel - 1) + 1 inputs.
        dilated kernel too large: You took dilation * kernel as the extent, but there is no gap after the last tap: it
            covers dilation * (kernel - 1) + 1 inputs.
        """,
        {
            "plus one forgotten": output_size_with(lambda spare, stride: spare // stride),
            "one added before dividing": output_size_with(lambda spare, stride: (spare + 1) // stride),
            "ceil instead of floor": output_size_with(lambda spare, stride: -(-spare // stride) + 1),
            "float returned": output_size_with(lambda spare, stride: spare / stride + 1),
            "stride ignored": output_size_with(lambda spare, stride: spare + 1),
            "total padding": lambda padding=0, **how: count_positions(
                padding=padding if isinstance(padding, tuple) else (0, padding), **how
            ),
            "first of the pair twice": lambda padding=0, **how: count_positions(
                padding=(pair(padding)[0], pair(padding)[0]), **how
            ),
            "dilation ignored": lambda dilation=1, **how: count_positions(**how),
            "dilated kernel too large": lambda kernel, dilation=1, **how: count_positions(
                kernel=kernel * dilation, **how
            ),
        },
    ),
    varied=varied(
        plain_case,
        public("plain: kernel 2 on size 4", size=4, kernel=2),
        {
            "stride": {"stride": 2},
            "stride that leaves inputs over": {"stride": 3},
            "padding": {"padding": 1},
            "one-sided padding": {"padding": (1, 0)},
            "dilation": {"dilation": 2},
            "kernel of 1": {"kernel": 1},
            "kernel as large as the input": {"kernel": 4},
        },
    ),
)

same_padding = Exercise(
    name="same_padding",
    returns=("before", "after"),
    reference=search_same,
    clues=(
        clue(
            "Ask first where the last window ends: it is the one with number ceil(size / stride) - 1, counted from 0.",
            "half the kernel on both sides",
            "stride ignored",
            "output as large as the input",
            "floor of size over stride",
            arguments=("stride", "stride that does not divide the size"),
        ),
        clue(
            "What that end exceeds `size` by is the padding in all; where it is negative, pad nothing.",
            "total on each side",
            "negative padding",
            arguments=("stride larger than the kernel",),
        ),
        clue(
            "`total // 2` goes before and the rest, `total - total // 2`, after.",
            "extra before",
            "same on both sides",
            "total on each side",
            "float halves",
            arguments=("even kernel",),
        ),
    ),
    points={"basic": 1, "even": 1, "stride": 2, "dilation": 1, "together": 1},
    cases=rows(
        plain_case,
        "basic",
        public("kernel 3 on size 7", size=7, kernel=3),
        secret("kernel 3 on a larger input", size=some(11, 1), kernel=3),
        public("kernel 5 on size 10", size=10, kernel=5),
        secret("kernel 5 on a larger input", size=some(11, 1), kernel=5),
        public("kernel 1 on size 6", size=6, kernel=1),
        secret("kernel 9 on size 5", size=5, kernel=9),
        public("kernel 7, larger than the input of size 4", size=4, kernel=7),
        "even",
        public("kernel 2 on size 8", size=8, kernel=2),
        secret("kernel 2 on an odd size", size=some(11, 2), kernel=2),
        public("kernel 4 on size 7", size=7, kernel=4),
        secret("kernel 6", size=some(9, 1), kernel=6),
        "stride",
        public("kernel 3, stride 2 on size 7", size=7, kernel=3, stride=2),
        secret("kernel 5, stride 3", size=some(10, 3), kernel=5, stride=3),
        public("kernel 3, stride 2 on size 8", size=8, kernel=3, stride=2),
        secret("kernel 2, stride 3", size=some(7, 3), kernel=2, stride=3),
        public("kernel 1, stride 4 on size 8: nothing to pad", size=8, kernel=1, stride=4),
        secret("kernel 2, stride 5: nothing to pad", size=some(10, 5), kernel=2, stride=5),
        public("ResNet's first layer: kernel 7, stride 2 on size 224", size=224, kernel=7, stride=2),
        secret("kernel 4, stride 2 on an odd size", size=some(15, 2), kernel=4, stride=2),
        "dilation",
        public("kernel 3, dilation 2 on size 9", size=9, kernel=3, dilation=2),
        secret("kernel 3, dilation 3", size=some(8, 1), kernel=3, dilation=3),
        public("kernel 2, dilation 3 on size 10", size=10, kernel=2, dilation=3),
        secret("kernel 4, dilation 3", size=some(11, 1), kernel=4, dilation=3),
        "together",
        public("kernel 3, stride 2, dilation 2 on size 12", size=12, kernel=3, stride=2, dilation=2),
        secret("kernel 2, stride 5, dilation 5", size=some(13, 5), kernel=2, stride=5, dilation=5),
    ),
    mistakes=mistakes(
        """
        extra before: Where the padding cannot be halved you put the extra one before; put it after.
        same on both sides: You padded both sides alike, but an odd total cannot be halved: the after side takes one
            more.
        half the kernel on both sides: Half the kernel on both sides fits odd kernels at stride 1 only: start from the
            total that the output of ceil(size / stride) needs.
        total on each side: You put the whole padding on each side: it is the total, so split it between them.
        float halves: You halved the total with /, which gives floats: use // for one side and the rest for the other.
        stride ignored: You padded as for stride 1: with a stride the last window starts at (out - 1) * stride.
        output as large as the input: You padded until the output is as large as the input, which a stride is not meant
            to give: the output has ceil(size / stride) values.
        floor of size over stride: You rounded size / stride down, so the last inputs get no output: round up.
        negative padding: Your padding is negative where the windows leave inputs out: it is never less than 0.
        dilation ignored: You left the dilation out: a dilated kernel covers dilation * (kernel - 1) + 1 inputs.
        """,
        {
            "extra before": padding_with(same_total, lambda total: (total - total // 2, total // 2)),
            "same on both sides": padding_with(same_total, lambda total: (total // 2, total // 2)),
            "half the kernel on both sides": padding_with(
                lambda size, reach, stride: reach // 2, lambda half: (half, half)
            ),
            "total on each side": padding_with(same_total, lambda total: (total, total)),
            "float halves": padding_with(same_total, lambda total: (total / 2, total / 2)),
            "stride ignored": padding_with(lambda size, reach, stride: reach - 1),
            "output as large as the input": padding_with(
                lambda size, reach, stride: (size - 1) * stride + reach - size
            ),
            "floor of size over stride": padding_with(
                lambda size, reach, stride: max((size // stride - 1) * stride + reach - size, 0)
            ),
            "negative padding": padding_with(
                lambda size, reach, stride: (len(range(0, size, stride)) - 1) * stride + reach - size
            ),
            "dilation ignored": lambda dilation=1, **how: search_same(**how),
        },
    ),
    varied=varied(
        plain_case,
        public("plain: kernel 3 on size 6", size=6, kernel=3),
        {
            "stride": {"stride": 3},
            "stride that does not divide the size": {"stride": 5},
            "stride larger than the kernel": {"stride": 6},
            "dilation": {"dilation": 2},
            "even kernel": {"kernel": 2},
            "odd size": {"size": 5},
            "kernel larger than the input": {"kernel": 7},
        },
    ),
)
