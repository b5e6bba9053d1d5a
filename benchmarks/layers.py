"""Times the lessons' layers, forward and backward, against torch, a classical im2col and the bare matrix products.

    .venv/bin/python -m benchmarks.layers [--repetitions 9] [--shape NAME ...] [--threads 1 2] [--json FILE]

Prints a Markdown table: medians of wall times in milliseconds, ratios, and whether the bar is met. All layers run in
float32 and compute all gradients, the image's too; torch uses its own default layout, NCHW.

Above 350 lines: a table of shapes, and for each layer the few lines that run it four ways.
"""

from __future__ import annotations

import argparse
import ctypes
import glob
import json
import math
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # Not before the number of threads is set, and in the process that counts only.
    import numpy as np

ROOT = Path(__file__).resolve().parent.parent
TOLERANCE = 2e-4  # relative to the largest value; the sums are in float32 and in another order
PAUSE = 0.1  # seconds; OpenBLAS's threads spin for a while after a product and would slow down the next competitor
COMPETITORS = ("torch", "products", "classic", "lesson")


class Mismatch(Exception):
    """The results of a competitor differ from torch's."""


@dataclass(frozen=True)
class Shape:
    """One row of the table.

    Args:
        name: the row's name.
        layer: the name of the lessons' layer, without _forward and _backward.
        x: the images' shape.
        w: the weights' shape in the lesson's layout, None for pooling.
        options: further arguments of the layer.
        bars: number of threads -> the largest ratio to torch that is allowed.
    """

    name: str
    layer: str
    x: tuple[int, ...]
    w: tuple[int, ...] | None
    options: dict[str, int] = field(default_factory=dict)
    bars: dict[int, float] = field(default_factory=dict)


SHAPES = (
    Shape(
        "conv3x3",
        "conv2d",
        (16, 64, 32, 32),
        (64, 64, 3, 3),
        {"stride": 1, "padding": 1},
        {1: 1.6, 2: 1.8},
    ),
    Shape(
        "alexnet1",
        "conv2d",
        (8, 3, 227, 227),
        (96, 3, 11, 11),
        {"stride": 4, "padding": 0},
        {1: 0.7, 2: 0.9},
    ),
    Shape("conv1x1", "conv1x1", (16, 256, 28, 28), (64, 256), {}, {1: 1.0, 2: 1.2}),
    Shape(
        "depthwise",
        "depthwise_conv2d",
        (16, 128, 32, 32),
        (128, 1, 3, 3),
        {"stride": 1, "padding": 1},
        {1: 1.8, 2: 2.2},
    ),
    Shape("maxpool2", "max_pool2d", (16, 64, 32, 32), None, {"kernel": 2, "stride": 2}, {1: 0.5, 2: 0.9}),
    Shape("maxpool3", "max_pool2d", (16, 96, 55, 55), None, {"kernel": 3, "stride": 2}, {1: 1.2, 2: 2.1}),
)

Run = Callable[[], "Sequence[np.ndarray]"]


def competitors(shape: Shape, lessons: Mapping[str, Callable[..., Any]]) -> dict[str, Run]:
    """Make the data of a row and return its competitors by name; each returns y, dx and, with weights, dw and db."""
    import numpy as np
    import torch

    from benchmarks import classic

    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape.x, dtype=np.float32)
    options = shape.options
    forward, backward = (lessons[f"{shape.layer}_{way}"] for way in ("forward", "backward"))

    def with_torch(layer: Callable[..., torch.Tensor], arrays: list[np.ndarray]) -> Sequence[np.ndarray]:
        leaves = [torch.from_numpy(a).requires_grad_() for a in arrays]
        y = layer(*leaves)
        gradients = torch.autograd.grad(y, leaves, torch.from_numpy(dout))
        return [y.detach().numpy(), *(g.numpy() for g in gradients)]

    def with_lesson(arrays: list[np.ndarray]) -> Sequence[np.ndarray]:
        y, gradients = forward(*arrays, **options), backward(dout, *arrays, **options)
        return [y, *(gradients if isinstance(gradients, tuple) else (gradients,))]

    if shape.w is None:
        x = np.maximum(x, 0)  # as after a ReLU: windows of zeros, where the first pixel takes the gradient

        def pool(x: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.max_pool2d(x, options["kernel"], options["stride"])

        dout = rng.standard_normal(pool(torch.from_numpy(x)).shape, dtype=np.float32)
        return {
            "torch": lambda: with_torch(pool, [x]),
            "classic": lambda: classic.max_pool(dout, x, **options),
            "lesson": lambda: with_lesson([x]),
        }

    depthwise = shape.layer == "depthwise_conv2d"
    groups = shape.x[1] if depthwise else 1
    filters = math.prod(shape.w[:2]) if depthwise else shape.w[0]
    full = (filters, shape.x[1] // groups, *(shape.w[2:] or (1, 1)))  # as torch has it: (F, C/groups, KH, KW)
    w = rng.standard_normal(shape.w, dtype=np.float32) / math.sqrt(math.prod(full[1:]))
    b = rng.standard_normal(filters, dtype=np.float32)

    def convolve(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.conv2d(x, w, b, **options, groups=groups)

    tall = w.reshape(full)
    y_shape = convolve(*map(torch.from_numpy, (x, tall, b))).shape
    dout = rng.standard_normal(y_shape, dtype=np.float32)
    return {
        "torch": lambda: with_torch(convolve, [x, tall, b]),
        "products": classic.Products(dout, x, tall, **options, groups=groups),
        "classic": lambda: classic.convolution(dout, x, tall, b, **options, groups=groups),
        "lesson": lambda: with_lesson([x, w, b]),
    }


def verify(shape: Shape, runs: Mapping[str, Run]) -> None:
    """Compare the results of each competitor with torch's.

    Raises:
        Mismatch: where they differ.
    """
    import numpy as np

    expected = dict(zip(("y", "dx", "dw", "db"), runs["torch"](), strict=False))
    for competitor, run in runs.items():
        wanted = dict(expected)
        if competitor == "products":  # their y lacks its bias, and they return only y and dw
            bias = runs["classic"]()[0][:1, :, :1, :1] - run()[0][:1, :, :1, :1]
            wanted = {"y": expected["y"] - bias, "dw": expected["dw"]}
        if competitor == "lesson" and shape.w:
            wanted["dw"] = expected["dw"].reshape(shape.w)
        for (name, right), result in zip(wanted.items(), run(), strict=True):
            same = result.shape == right.shape
            gap = np.abs(result - right).max() / np.abs(right).max() if same else np.inf
            if not gap <= TOLERANCE:
                raise Mismatch(
                    f"{shape.name}: {name} of {competitor} is off torch's by {gap:.2g} of the largest."
                )


def measure(
    shape: Shape, lessons: Mapping[str, Callable[..., Any]], repetitions: int, pause: float = PAUSE
) -> dict[str, list[float]]:
    """Verify a row's competitors, then time them in shuffled order; return name -> wall times in seconds.

    Args:
        shape: the row.
        lessons: the lessons' functions by name.
        repetitions: the number of times for each competitor.
        pause: the seconds of sleep before each.
    """
    runs = competitors(shape, lessons)
    verify(shape, runs)
    order, shuffle = list(runs), random.Random(0).shuffle
    times: dict[str, list[float]] = {name: [] for name in order}
    for _ in range(repetitions):
        shuffle(order)
        for name in order:
            time.sleep(pause)
            runs[
                name
            ]()  # not counted: in training a layer finds its memory and caches as its last call left them
            start = time.perf_counter()
            runs[name]()
            times[name].append(time.perf_counter() - start)
    return times


def processor() -> str:
    """Return the name of the processor's model."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def blas_kernels() -> str:
    """Return the processor family for which NumPy's OpenBLAS chose its kernels, "unknown" where it does not tell."""
    import numpy as np

    libraries = Path(np.__file__).parent.parent / "numpy.libs"
    for path in glob.glob(str(libraries / "*openblas*")):
        library = ctypes.CDLL(path)
        for name in ("scipy_openblas_get_corename64_", "scipy_openblas_get_corename"):
            if hasattr(library, name):
                ask = getattr(library, name)
                ask.restype = ctypes.c_char_p
                return ask().decode()
    return "unknown"


def machine() -> dict[str, Any]:
    """Describe the machine and the software, from within the process that measures."""
    import numpy as np
    import torch

    pinned = os.environ.get("OPENBLAS_CORETYPE")
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "kernels": blas_kernels() + (f" (pinned by OPENBLAS_CORETYPE={pinned})" if pinned else ""),
    }


def environment(threads: int) -> dict[str, str]:
    """Return an environment in which NumPy and torch start with that many threads."""
    count = str(threads)
    return {
        **os.environ,
        **{f"{library}_NUM_THREADS": count for library in ("OPENBLAS", "OMP", "MKL")},
        "MPLBACKEND": "Agg",  # the lessons import matplotlib
    }


def worker(names: Sequence[str], threads: int, repetitions: int) -> dict[str, Any]:
    """Measure rows in this process, which must have been started in `environment(threads)`.

    Args:
        names: the rows' names.
        threads: the number of threads.
        repetitions: as for `measure`.
    """
    import torch

    from benchmarks.lessons import answers

    torch.set_num_threads(threads)
    lessons = answers()
    times = {}
    for shape in (shape for shape in SHAPES if shape.name in names):
        print(f"{shape.name}, {threads} thread{'s'[: threads > 1]}", file=sys.stderr, flush=True)
        times[shape.name] = measure(shape, lessons, repetitions)
    return {"machine": machine(), "times": times}


def apart(names: Sequence[str], threads: int, repetitions: int) -> dict[str, Any]:
    """Run `worker` in a fresh process, because libraries read their number of threads once, when they are imported.

    Args:
        names, threads, repetitions: as for `worker`.
    """
    command = [sys.executable, "-m", "benchmarks.layers", "--worker", "--threads", str(threads)]
    command += ["--repetitions", str(repetitions), "--shape", *names]
    done = subprocess.run(command, cwd=ROOT, env=environment(threads), stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(done.returncode)
    return json.loads(done.stdout.splitlines()[-1])


def header(described: Mapping[str, Any], repetitions: int, load: float, processes: int = 1) -> str:
    """Return a sentence on the machine and the method of the measurements.

    Args:
        described: the machine, as `machine` describes it.
        repetitions: the number of times for each competitor in each process.
        load: the machine's load at the start.
        processes: the number of processes that measured.
    """
    return (
        f"{described['processor']}, {described['cores']} cores, load {load:.1f} at the start; "
        f"Python {described['python']}, NumPy {described['numpy']} with OpenBLAS kernels {described['kernels']}, "
        f"torch {described['torch']}.\nForward and all gradients, float32; medians of {repetitions * processes} wall times "
        f"in milliseconds from {processes} processes, competitors in shuffled order, each after a call "
        "that is not counted, and verified against torch before."
    )


def table(results: Mapping[int, Mapping[str, Mapping[str, Sequence[float]]]]) -> str:
    """Return the Markdown table of times.

    Args:
        results: number of threads -> row -> competitor -> times in seconds.
    """
    bars = {shape.name: shape.bars for shape in SHAPES}
    titles = ["shape", "threads", *COMPETITORS, "lesson / products", "classic / torch", "lesson / torch"]
    titles += ["bar", "met"]
    lines = [titles, ["---"] * len(titles)]
    for name in bars:
        for threads, rows in results.items():
            if name not in rows:
                continue
            median = {key: statistics.median(times) for key, times in rows[name].items()}
            bar = bars[name].get(threads)
            ratio = median["lesson"] / median["torch"]
            cells = [name, str(threads)]
            cells += [f"{1e3 * median[key]:.2f}" if key in median else "-" for key in COMPETITORS]
            cells += [f"{median['lesson'] / median['products']:.2f}" if "products" in median else "-"]
            cells += [f"{median['classic'] / median['torch']:.2f}", f"{ratio:.2f}"]
            cells += [f"{bar}", "yes" if ratio <= bar else "NO"] if bar else ["-", "-"]
            lines.append(cells)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its table."""
    names = [shape.name for shape in SHAPES]
    parser = argparse.ArgumentParser(prog="benchmarks.layers", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--repetitions", type=int, default=9, help="timed runs of each a process; default 9, 7 at least"
    )
    parser.add_argument("--processes", type=int, default=3, help="fresh processes that share them; default 3")
    parser.add_argument("--shape", nargs="+", choices=names, default=names, help="rows; default all")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2], help="default 1 2")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single time there as well")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.repetitions < 7:
        parser.error("a median of fewer than 7 times says little")
    if min(*given.threads, given.processes) < 1:
        parser.error("--threads and --processes are 1 or more")
    if given.worker:
        try:
            print(json.dumps(worker(given.shape, given.threads[0], given.repetitions)))
        except Mismatch as wrong:
            print(wrong, file=sys.stderr)
            return 1
        return 0
    load = os.getloadavg()[0]
    described: dict[str, Any] = {}
    results: dict[int, dict[str, dict[str, list[float]]]] = {threads: {} for threads in given.threads}
    # The placement of a process's memory shifts all its times by up to a third.
    for _ in range(given.processes):
        for threads in given.threads:
            found = apart(given.shape, threads, given.repetitions)
            described = found["machine"]
            for name, times in found["times"].items():
                for competitor, seconds in times.items():
                    results[threads].setdefault(name, {}).setdefault(competitor, []).extend(seconds)
    print(header(described, given.repetitions, load, given.processes), table(results), sep="\n\n")
    if given.json:
        record = {
            "machine": described,
            "load": load,
            "repetitions": given.repetitions,
            "processes": given.processes,
            "seconds": results,
        }
        given.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
