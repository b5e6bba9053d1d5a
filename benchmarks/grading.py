"""Times the grading of a class of the convolution lesson, against stock nbgrader and against itself.

    .venv/bin/python -m benchmarks.grading [--submissions 60] [--repetitions 3] [--only SECTION ...] [--json FILE]

Prints a Markdown table for each section, with ratios and whether the bar is met: throughput (against stock), cost (CPU
time beyond the students' code), memory, workers (two against one), cluster (eight Dask processes, up to 1,000 submissions).

Above 350 lines: five sections, each a few lines of measuring and its table, read best beside each other.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.grading_stock.course import OneLesson, one_lesson
from benchmarks.grading_stock.graders import Failed, Points, Run, Stock, Use, ours
from benchmarks.grading_stock.student_code import cpu_seconds
from benchmarks.grading_stock.submissions import write_class
from benchmarks.layers import processor

MIB = 1 << 20
FASTER = 20.0  # times stock's submissions per second, at least
OWN_CPU = 0.060  # seconds a submission, at most
FLAT = 1.1  # the largest memory over the smallest, at most
TWO_WORKERS = 1.7  # times the submissions per second of one, at least
LINEAR = 1.15  # CPU time of a further submission in a large class over that in a small one, at most


class Mismatch(Exception):
    """The two graders do not give the same points."""


@dataclass(frozen=True)
class Sizes:
    """The numbers of submissions and runs in each section.

    Args:
        submissions: in the class of throughput, and in the larger class of cost.
        repetitions: runs of each grader.
        small: submissions in the smaller class of cost.
        memory: cheap submissions in each class of memory.
        workers: submissions in the class that one and two workers grade.
        cluster: submissions in each class that the Dask workers grade.
        processes: the number of Dask workers.
    """

    submissions: int = 60
    repetitions: int = 3
    small: int = 10
    memory: tuple[int, ...] = (10, 100, 1000)
    workers: int = 240
    cluster: tuple[int, ...] = (100, 300, 1000)
    processes: int = 8


QUICK = Sizes(submissions=4, repetitions=1, small=3, memory=(3, 5), workers=4, cluster=(2, 4, 6), processes=2)


@dataclass
class Section:
    """The result of one section.

    Args:
        words: a sentence about it.
        titles, rows: its table.
        record: every number behind the table.
    """

    words: str
    titles: list[str]
    rows: list[list[str]] = field(default_factory=list)
    record: dict[str, Any] = field(default_factory=dict)

    def markdown(self) -> str:
        """Return the sentence and the table as Markdown."""
        lines = [self.titles, ["---"] * len(self.titles), *self.rows]
        table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
        return f"{self.words}\n\n{table}"


class Bench:
    """The courses and classes of a benchmark, made in a folder when first needed, and its runs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.runs = folder, 0
        self.lesson = one_lesson(folder / "checkout")
        self._timed: OneLesson | None = None
        self._stock: Stock | None = None

    def timed(self) -> OneLesson:
        """Return the lesson with its points for speed."""
        if self._timed is None:
            self._timed = one_lesson(self.folder / "timed", timed=True)
            self.ours(1, of=self._timed).measure()  # Python writes its bytecode in the first run
        return self._timed

    def stock(self, count: int) -> Run:
        """Prepare a run of stock nbgrader on a class."""
        if self._stock is None:
            self._stock = Stock(self.lesson, self.folder / "stock")
        return self._stock.run(self.submissions(count), self._next("stock"))

    def ours(self, count: int, *options: str, of: OneLesson | None = None, cheap: bool = False) -> Run:
        """Prepare a run of `autograder grade` on a class.

        Args:
            count: the number of submissions.
            options: further options of the command.
            of: the course, by default the one without points for speed.
            cheap: whether the submissions answer the first exercise only.
        """
        return ours(of or self.lesson, self.submissions(count, cheap), self._next("ours"), options)

    def submissions(self, count: int, cheap: bool = False) -> Path:
        """Return the folder of a class, after writing it where it does not exist."""
        folder = self.folder / f"class-{count}{'-cheap' if cheap else ''}"
        if not folder.exists():
            write_class(self.lesson, count, folder, cheap=cheap)
        return folder

    def warm_up(self) -> None:
        """Grade one submission that does not count, so that bytecode is written and the files are in memory."""
        self.ours(1).measure()

    def _next(self, name: str) -> Path:
        self.runs += 1
        folder = self.folder / f"{name}-{self.runs}"
        folder.mkdir()
        return folder


def throughput(bench: Bench, sizes: Sizes) -> Section:
    """Grade the same class with stock nbgrader and with our grader, in turns.

    Raises:
        Mismatch: where the points differ.
    """
    count, small = sizes.submissions, sizes.small
    bench.stock(1).measure()  # not counted, as in warm_up
    names = (f"nbgrader {version('nbgrader')} autograde", "autograder grade", "the same, speed points too")
    uses: dict[str, dict[int, list[Use]]] = {name: {small: [], count: []} for name in names}
    for turn in range(sizes.repetitions):
        for size in (count, small):
            runs = (bench.stock(size), bench.ours(size), bench.ours(size, of=bench.timed()))
            pairs = list(zip(names, runs, strict=True))
            for name, run in pairs if turn % 2 == 0 else reversed(pairs):
                uses[name][size].append(said(run.measure(), f"{size} by {name}"))
            verify(runs[0].points(), runs[1].points(), size)
    rows = []
    for name in names:
        whole, cpu, further = (rates(uses[name], small, count)[key] for key in ("seconds", "cpu", "further"))
        stock = rates(uses[names[0]], small, count)
        ratio, steady = stock["seconds"] / whole, stock["further"] / further
        cells = [f"{1e3 * whole:.0f}", f"{ratio:.1f}", *bar(ratio, at_least=FASTER)]
        if name != names[1]:
            cells[2:] = ["-", "-"]
        rows.append([name, *cells, f"{1e3 * cpu:.0f}", f"{1e3 * further:.0f}", f"{steady:.1f}"])
    return Section(
        f"Throughput on {count} submissions, start-up included; on the right a further submission, from the difference "
        f"to a class of {small}. Both run the same cells and Cases and gave the same points; nobody is timed for speed, "
        "but in the last row.",
        [
            "grader",
            "ms/submission",
            "times stock",
            "bar",
            "met",
            "CPU ms/submission",
            "ms, a further one",
            "times stock",
        ],
        rows,
        {name: {size: records(found) for size, found in sizes_of.items()} for name, sizes_of in uses.items()},
    )


def rates(uses: dict[int, list[Use]], small: int, large: int) -> dict[str, float]:
    """Return medians in seconds: wall and CPU time for each submission, and wall time for a further one.

    Args:
        uses: size of the class -> its runs.
        small, large: the two sizes; the times for each submission are those of the large class.
    """
    few, many = (statistics.median(use.seconds for use in uses[size]) for size in (small, large))
    cpu = statistics.median(use.cpu for use in uses[large])
    return {"seconds": many / large, "cpu": cpu / large, "further": (many - few) / (large - small)}


def cost(bench: Bench, sizes: Sizes) -> Section:
    """Measure the CPU time of a further submission, less the CPU time of the student's own code."""
    small, large = sizes.small, sizes.submissions
    uses: dict[int, list[Use]] = {small: [], large: []}
    run = bench.ours(large)
    for _ in range(sizes.repetitions):
        for count in (small, large):
            run = bench.ours(count)
            uses[count].append(said(run.measure(), f"{count} by {run.folder.name}"))
    students = sorted(path.name for path in bench.submissions(large).iterdir())
    code = cpu_seconds(bench.lesson, run.folder / "work" / "submitted", students)
    further = [
        (more.cpu - few.cpu) / (large - small) for few, more in zip(uses[small], uses[large], strict=True)
    ]
    all_cpu, theirs = statistics.median(further), statistics.mean(code[name] for name in students[small:])
    start_up = statistics.median(use.cpu for use in uses[small]) - small * all_cpu
    cells = [f"{1e3 * all_cpu:.0f}", f"{1e3 * theirs:.0f}", f"{1e3 * (all_cpu - theirs):.0f}"]
    judged = [f"{1e3 * OWN_CPU:.0f}", "yes" if all_cpu - theirs <= OWN_CPU else "NO"]
    return Section(
        f"CPU time of all processes for a further submission, between classes of {small} and {large}; the students' "
        "code is their cells and the calls of the Cases in a fork of a warm process, and nothing else.",
        ["CPU ms/submission", "students' code", "the grader's own", "start-up, CPU s", "bar", "met"],
        [[*cells, f"{start_up:.1f}", *judged]],
        {"uses": {count: records(found) for count, found in uses.items()}, "students' code": code},
    )


def memory(bench: Bench, sizes: Sizes) -> Section:
    """Measure the peak memory of the coordinating process and of a worker, for classes of cheap submissions."""
    uses = {
        count: said(bench.ours(count, cheap=True).measure(watch=True), f"{count} cheap ones")
        for count in sizes.memory
    }
    rows = []
    for role in ("coordinator", "worker"):
        peaks = [use.peaks.get(role, 0) / MIB for use in uses.values()]
        if not all(peaks):
            rows.append([role, *["-"] * len(peaks), "-", "-", "-"])  # one process does everything
            continue
        growth = max(peaks) / min(peaks)
        rows.append([role, *(f"{peak:.0f}" for peak in peaks), f"{growth:.2f}", *bar(growth, at_most=FLAT)])
    return Section(
        "Largest resident memory in MiB of a process of the grader, by the number of submissions (one exercise each).",
        ["process", *map(str, sizes.memory), "largest / smallest", "bar", "met"],
        rows,
        {str(count): asdict(use) for count, use in uses.items()},
    )


def workers(bench: Bench, sizes: Sizes) -> Section:
    """Grade the same class with one worker and with two, in turns."""
    uses: dict[int, list[Use]] = {1: [], 2: []}
    for turn in range(sizes.repetitions):
        for number in (1, 2) if turn % 2 == 0 else (2, 1):
            run = bench.ours(sizes.workers, "--workers", str(number))
            uses[number].append(said(run.measure(), f"{sizes.workers} by {number} workers"))
    one, two = (per_submission(uses[number], sizes.workers) for number in (1, 2))
    rows = [["1", f"{1e3 * one:.0f}", "-", "-", "-"]]
    rows += [["2", f"{1e3 * two:.0f}", f"{one / two:.2f}", *bar(one / two, at_least=TWO_WORKERS)]]
    return Section(
        f"Workers on {sizes.workers} submissions, start-up included; each worker stays on one core.",
        ["workers", "ms/submission", "times one", "bar", "met"],
        rows,
        {str(number): records(found) for number, found in uses.items()},
    )


def cluster(bench: Bench, sizes: Sizes) -> Section:
    """Grade growing classes on Dask workers in separate processes, and compare the cost of a further submission."""
    uses: dict[int, list[Use]] = {count: [] for count in sizes.cluster}
    for turn in range(sizes.repetitions):
        for count in sizes.cluster if turn % 2 == 0 else reversed(sizes.cluster):
            run = bench.ours(count, "--scheduler", "{scheduler}")
            use = run.measure(cluster=sizes.processes)
            uses[count].append(said(use, f"{count} by {sizes.processes} processes"))
    cores, rows = os.cpu_count() or 1, []
    first: float | None = None
    before: tuple[int, float] | None = None
    for count, found in uses.items():
        seconds, cpu = (statistics.median(getattr(use, what) for use in found) for what in ("seconds", "cpu"))
        cells = [str(count), f"{seconds:.1f}", f"{cpu:.1f}", f"{cpu / seconds / cores:.2f}"]
        if before is None:
            rows.append([*cells, "-", "-", "-", "-"])
        else:
            further = (cpu - before[1]) / (count - before[0])
            judged = ["-"] * 3
            if first is not None:
                judged = [f"{further / first:.2f}", *bar(further / first, at_most=LINEAR)]
            first = further if first is None else first
            rows.append([*cells, f"{1e3 * further:.0f}", *judged])
        before = count, cpu
    return Section(
        f"A cluster of {sizes.processes} Dask workers, each a process with one thread, on {cores} cores. CPU time is that "
        "of all processes, the cluster's included; cores idle where workers wait for each other.",
        [
            "submissions",
            "s",
            "CPU s",
            "cores busy",
            "CPU ms of a further one",
            "/ that of the first",
            "bar",
            "met",
        ],
        rows,
        {str(count): records(found) for count, found in uses.items()},
    )


SECTIONS = {
    "throughput": throughput,
    "cost": cost,
    "memory": memory,
    "workers": workers,
    "cluster": cluster,
}


def verify(theirs: Points, mine: Points, count: int) -> None:
    """Compare the points that the two graders gave.

    Args:
        theirs: the points of stock nbgrader.
        mine: the points of our grader.
        count: the number of students.

    Raises:
        Mismatch: where not all `count` students have the same points for each check.
    """
    if len(theirs) != count or theirs.keys() != mine.keys():
        raise Mismatch(f"nbgrader graded {len(theirs)} students of {count}, autograder {len(mine)}.")
    for student, points in theirs.items():
        odd = [name for name in points if points[name] != mine[student].get(name)]
        if odd or points.keys() != mine[student].keys():
            raise Mismatch(
                f"{student}: nbgrader and autograder differ in {', '.join(odd) or 'what they graded'}."
            )


def per_submission(uses: Sequence[Use], count: int) -> float:
    """Return the median of the runs' wall seconds, divided by the number of submissions."""
    return statistics.median(use.seconds for use in uses) / count


def bar(value: float, *, at_least: float | None = None, at_most: float | None = None) -> list[str]:
    """Return the cells that state a bar and whether a value meets it.

    Args:
        value: the measured value.
        at_least, at_most: the bar, one of the two.
    """
    met = value >= at_least if at_least is not None else value <= (at_most or 0.0)
    return [f"{at_least if at_least is not None else at_most:g}", "yes" if met else "NO"]


def records(uses: Sequence[Use]) -> list[dict[str, Any]]:
    """Return runs as dictionaries of plain values."""
    return [asdict(use) for use in uses]


def said(use: Use, what: str) -> Use:
    """Report a finished run on stderr, and return it."""
    print(f"{what}: {use.seconds:.1f} s, {use.cpu:.1f} s of CPU", file=sys.stderr, flush=True)
    return use


def machine() -> dict[str, Any]:
    """Describe the machine and the software."""
    packages = ("numpy", "nbgrader", "nbclient", "distributed")
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
        "load": round(os.getloadavg()[0], 1),
    }


def header(described: dict[str, Any], repetitions: int) -> str:
    """Return a sentence on the machine and the method of the measurements."""
    return (
        f"{described['processor']}, {described['cores']} cores, load {described['load']:.1f} at the start, Linux "
        f"{described['kernel']}; Python {described['python']}, NumPy {described['numpy']}, nbgrader "
        f"{described['nbgrader']} with nbclient {described['nbclient']}, Dask {described['distributed']}.\n"
        f"Medians of {repetitions} runs of the whole command, taken in turns, each in a new folder with an SQLite "
        "gradebook; sandbox and judge on. Memory is one run each."
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sections and print their tables."""
    parser = argparse.ArgumentParser(prog="benchmarks.grading", description=(__doc__ or "").split("\n")[0])
    whole = Sizes()
    parser.add_argument(
        "--submissions", type=int, metavar="N", help=f"of the class; default {whole.submissions}"
    )
    parser.add_argument(
        "--repetitions", type=int, metavar="N", help=f"runs of each; default {whole.repetitions}"
    )
    parser.add_argument("--only", nargs="+", choices=list(SECTIONS), default=list(SECTIONS), help="sections")
    parser.add_argument("--quick", action="store_true", help="a few submissions: to try it, not to measure")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single number there as well")
    given = parser.parse_args(arguments)
    sizes = sized(QUICK if given.quick else whole, given.submissions, given.repetitions)
    if sizes.submissions <= sizes.small or sizes.repetitions < 1:
        parser.error(f"--submissions is more than {sizes.small}, --repetitions 1 or more")
    described: dict[str, Any] = machine()
    found: dict[str, Any] = {}
    print(header(described, sizes.repetitions), flush=True)
    if given.quick:
        print("A few submissions only: these figures say nothing about speed.", flush=True)
    try:
        with tempfile.TemporaryDirectory(prefix="cnnlab-benchmark-") as folder:
            bench = Bench(Path(folder))
            bench.warm_up()
            for name in given.only:
                section = SECTIONS[name](bench, sizes)
                print(f"\n{section.markdown()}", flush=True)
                found[name] = section.record
    except (Failed, Mismatch) as wrong:
        print(wrong, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; the tables above are whole.", file=sys.stderr)
        return 130
    finally:
        if given.json:  # keeps measurements made before a failure too
            record = {"machine": described, "sizes": asdict(sizes), **found}
            given.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


def sized(sizes: Sizes, submissions: int | None, repetitions: int | None) -> Sizes:
    """Return the sizes with the user's choices in their place.

    Args:
        sizes: the sizes to change.
        submissions: replaces theirs where given; two workers get four times as many.
        repetitions: replaces theirs where given.
    """
    changed = asdict(sizes)
    if submissions is not None:
        changed |= {"submissions": submissions, "workers": 4 * submissions}
    if repetitions is not None:
        changed["repetitions"] = repetitions
    return Sizes(**changed)


if __name__ == "__main__":
    sys.exit(main())
