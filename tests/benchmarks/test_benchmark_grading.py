"""The benchmark of grading: that both graders do the same work, that nothing is left out of the count, and the tables."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.notebooknode import NotebookNode

from autograder.sample import wrong_answer
from benchmarks import grading
from benchmarks.grading_stock.course import OneLesson, one_lesson
from benchmarks.grading_stock.graders import Failed, Run, Stock, Use, ours
from benchmarks.grading_stock.student_code import cpu_seconds
from benchmarks.grading_stock.submissions import write_class, wrong_answers

pytestmark = pytest.mark.slow

COUNT = 4  # solved, wrong, solved, unfinished


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> OneLesson:
    return one_lesson(tmp_path_factory.mktemp("course") / "checkout")


@pytest.fixture(scope="module")
def submissions(lesson: OneLesson, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("class")
    write_class(lesson, COUNT, folder)
    return folder


@pytest.fixture(scope="module")
def graded(
    bubblewrap: str, lesson: OneLesson, submissions: Path, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """The class, graded by ours."""
    run = ours(lesson, submissions, tmp_path_factory.mktemp("ours"))
    run.measure()
    return run


def command(folder: Path, source: str, *arguments: str) -> Run:
    """A run of some Python source."""
    return Run([sys.executable, "-c", source, *arguments], folder, {"PATH": "/usr/bin"}, folder / "none")


# The class


def test_no_two_submissions_are_alike_and_a_class_begins_as_a_smaller_one(
    lesson: OneLesson, submissions: Path, tmp_path: Path
) -> None:
    students = write_class(lesson, 60, tmp_path)
    files = [tmp_path / student / "02_convolution.ipynb" for student in students]
    texts = [path.read_text() for path in files]
    for name in lesson.lesson.exercises:
        cells = [next(c for c in json.loads(t)["cells"] if c["id"] and _named(c) == name) for t in texts]
        assert len({str(cell["source"]) for cell in cells}) == 60
    for path in submissions.rglob("*.ipynb"):
        assert path.read_text() == (tmp_path / path.relative_to(submissions)).read_text()


def test_all_cells_that_only_show_something_are_left_out(lesson: OneLesson, submissions: Path) -> None:
    notebook: NotebookNode = nbformat.read(str(next(submissions.rglob("*.ipynb"))), as_version=4)
    tags = [set(cell.metadata.get("tags", [])) for cell in notebook.cells]
    shown = [tag for tag in tags if tag & {"show", "setup"}]
    assert shown and all("skip-execution" in tag for tag in shown)
    assert sum("skip-execution" in tag for tag in tags) == len(shown)


def _named(cell: NotebookNode) -> str:
    return cell["metadata"].get("nbgrader", {}).get("grade_id", "")


def test_nobody_is_timed_unless_asked_for(lesson: OneLesson, tmp_path: Path) -> None:
    timed = one_lesson(tmp_path / "timed", timed=True)
    assert timed.lesson.total == lesson.lesson.total + 2
    for of in (lesson, timed):  # what the copy's own processes see
        source = (
            "import autograder.course as c\nprint([l.total for l in c.Course.here().lessons('1_layers')])"
        )
        run = Run([sys.executable, "-c", source], tmp_path, {"PYTHONPATH": str(of.course.root)}, tmp_path)
        run.measure()
        assert (tmp_path / "log.txt").read_text().strip() == f"[{of.lesson.total}]"


# Both graders


def test_ours_gives_each_submission_what_it_earned(graded: Run, lesson: OneLesson) -> None:
    verify_earned(graded.points(), lesson)


def verify_earned(points: Mapping[str, Mapping[str, float]], lesson: OneLesson) -> None:
    declared = lesson.lesson
    wrong = wrong_answer(wrong_answers(declared)[1])
    for name, exercise in declared.exercises.items():
        check = f"{name}_check"
        first = name == next(iter(declared.exercises))
        assert points["student-0000"][check] == exercise.total
        assert points["student-0001"][check] == wrong.points(declared, name)
        assert points["student-0003"][check] == (exercise.total if first else 0)
    assert sum(map(float, points["student-0001"].values())) < declared.total


@pytest.mark.slow  # plain nbgrader runs the class, in kernels
def test_both_graders_give_each_submission_what_it_earned(
    graded: Run, lesson: OneLesson, submissions: Path, tmp_path: Path
) -> None:
    stock = Stock(lesson, tmp_path / "course")
    (tmp_path / "run").mkdir()
    run = stock.run(submissions, tmp_path / "run")
    use = run.measure()
    assert use.seconds > 0 and use.cpu > 0
    theirs, mine = run.points(), graded.points()
    grading.verify(theirs, mine, COUNT)
    verify_earned(theirs, lesson)


def test_graders_that_differ_are_not_compared(graded: Run) -> None:
    points = graded.points()
    grading.verify(points, points, COUNT)
    odd = {**points, "student-0002": {**points["student-0002"], "pad2d_check": 1.0}}
    less = {**points, "student-0002": {"pad2d_check": points["student-0002"]["pad2d_check"]}}
    fewer = {student: points[student] for student in list(points)[:-1]}
    for mine, words in (
        (odd, "student-0002: .* pad2d_check"),
        (less, "student-0002"),
        (fewer, "autograder 3"),
    ):
        with pytest.raises(grading.Mismatch, match=words):
            grading.verify(points, mine, COUNT)
    with pytest.raises(grading.Mismatch, match="of 5"):
        grading.verify(points, points, COUNT + 1)


def test_the_students_code_is_measured_by_itself(graded: Run, lesson: OneLesson) -> None:
    submitted = graded.folder / "work" / "submitted"
    students = ["student-0000", "student-0003"]
    few, many = (cpu_seconds(lesson, submitted, students, count) for count in (1, 3))
    for seconds in (few, many):
        assert seconds.keys() == set(students)
        assert 0 < seconds["student-0003"] < seconds["student-0000"] < 1
    path = submitted / "student-0000" / "1_layers" / "02_convolution.ipynb"
    text = path.read_text()
    notebook = json.loads(text)
    cell = next(cell for cell in notebook["cells"] if _named(cell) == "conv_output_size")
    busy = "import time\nend = time.process_time() + 0.5\nwhile time.process_time() < end:\n    pass\n"
    cell["source"] = busy + "".join(cell["source"])
    try:
        path.chmod(0o644)
        path.write_text(json.dumps(notebook))
        assert cpu_seconds(lesson, submitted, students[:1], 1)["student-0000"] >= 0.5
    finally:
        path.write_text(text)


# What is counted

BURN = "import time\nwhile time.process_time() < 0.4:\n    pass\n"


def test_processes_that_outlive_the_command_are_counted(tmp_path: Path) -> None:
    twice = "import os\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
    source = f"{twice}        exec({BURN!r})\n    os._exit(0)"
    use = command(tmp_path, source).measure()
    assert use.cpu >= 0.4


def test_a_sandbox_that_is_killed_is_counted(bubblewrap: str, tmp_path: Path) -> None:
    source = (
        "import subprocess, sys, time\n"
        f"box = ['{bubblewrap}', '--die-with-parent', '--unshare-pid', '--ro-bind', '/', '/', '--proc', '/proc']\n"
        "loop = 'import time\\nprint(flush=True)\\nwhile True: pass'\n"
        "child = subprocess.Popen([*box, sys.executable, '-c', loop], stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\ntime.sleep(1.0)\nchild.kill()\n"
    )
    assert command(tmp_path, source).measure().cpu >= 0.3


def test_memory_is_told_by_role(tmp_path: Path) -> None:
    script = tmp_path / "big.py"
    script.write_text(
        "import subprocess, sys, time\n"
        "def hold(mib):\n    block = b'x' * (mib << 20)\n    time.sleep(0.5)\n    return len(block)\n"
        "if sys.argv[1:] == ['autograder-workers']:\n    hold(150)\nelse:\n"
        "    worker = subprocess.Popen([sys.executable, __file__, 'autograder-workers'])\n"
        "    hold(60)\n    worker.wait()\n"
    )
    run = Run([sys.executable, str(script)], tmp_path, {"PATH": "/usr/bin"}, tmp_path)
    peaks = run.measure(watch=True).peaks
    assert 60 <= peaks["coordinator"] / grading.MIB < 120
    assert 150 <= peaks["worker"] / grading.MIB < 210


def test_work_done_by_the_cluster_is_counted(tmp_path: Path) -> None:
    source = (
        "import sys\nfrom distributed import Client\n"
        "def burn():\n    import time\n    end = time.process_time() + 0.5\n"
        "    while time.process_time() < end:\n        pass\n"
        "with Client(sys.argv[1]) as client:\n"
        "    assert len(client.scheduler_info()['workers']) == 2\n"
        "    client.gather([client.submit(burn, pure=False) for _ in range(2)])\n"
    )
    use = command(tmp_path, source, "{scheduler}").measure(cluster=2)
    assert use.cpu >= 1.0


def test_a_command_that_fails_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(Failed, match=r"ended with 3(.|\n)*no such class"):
        command(tmp_path, "import sys\nprint('no such class')\nsys.exit(3)").measure()


# The tables


class Canned:
    """In place of runs, what they would have taken: CPU seconds 2 + 0.1 a submission, wall seconds 1 + 0.05."""

    def __init__(self, folder: Path, peaks: Callable[[int], dict[str, int]] = lambda count: {}) -> None:
        self.folder, self.peaks = folder, peaks

    def ours(self, count: int, *options: str, cheap: bool = False) -> Any:
        share = 2 if options == ("--workers", "2") else 1
        use = Use(1 + 0.05 * count / share, 2 + 0.1 * count, self.peaks(count))

        class Done:
            folder = self.folder

            def measure(self, **how: Any) -> Use:
                return use

        return Done()


def rows(section: grading.Section) -> list[list[str]]:
    lines = section.markdown().splitlines()
    assert {line.count("|") for line in lines[2:]} == {len(section.titles) + 1}
    return section.rows


def test_growing_memory_misses_its_bar(tmp_path: Path) -> None:
    def grows(count: int) -> dict[str, int]:
        return {"coordinator": 300 * grading.MIB, "worker": (200 + count) * grading.MIB}

    bench: Any = Canned(tmp_path, grows)
    flat, grown = rows(grading.memory(bench, grading.Sizes(memory=(10, 100))))
    assert flat == ["coordinator", "300", "300", "1.00", "1.1", "yes"]
    assert grown == ["worker", "210", "300", "1.43", "1.1", "NO"]
    bench = Canned(tmp_path, lambda count: {"coordinator": grading.MIB})
    assert rows(grading.memory(bench, grading.Sizes()))[1][1:] == ["-"] * 6


def test_the_students_code_and_the_start_are_not_the_graders_cost(
    graded: Run, lesson: OneLesson, submissions: Path
) -> None:
    bench: Any = Canned(graded.folder)
    bench.lesson, bench.submissions = lesson, lambda count: submissions
    section = grading.cost(bench, grading.Sizes(submissions=COUNT, small=2, repetitions=1))
    everything, theirs, own, start, *judged = rows(section)[0]
    assert (everything, start) == ("100", "2.0")
    assert 1 <= int(theirs) < 60 and abs(int(theirs) + int(own) - 100) <= 1
    assert judged == ["60", "yes" if int(own) <= 60 else "NO"]


def test_two_workers_are_compared_with_one(tmp_path: Path) -> None:
    bench: Any = Canned(tmp_path)
    one, two = rows(grading.workers(bench, grading.Sizes(workers=100)))
    assert one[:2] == ["1", "60"] and two == ["2", "35", "1.71", "1.7", "yes"]
    assert rows(grading.workers(bench, grading.Sizes(workers=60)))[1][2:] == ["1.60", "1.7", "NO"]


def test_a_cluster_is_judged_by_what_a_further_submission_costs(tmp_path: Path) -> None:
    bench: Any = Canned(tmp_path)
    table = rows(grading.cluster(bench, grading.Sizes(cluster=(100, 300, 1000))))
    assert [row[0] for row in table] == ["100", "300", "1000"]
    assert [row[4:] for row in table] == [
        ["-"] * 4,
        ["100", "-", "-", "-"],
        ["100", "1.00", "1.15", "yes"],
    ]


def test_the_header_names_machine_and_versions() -> None:
    text = grading.header(grading.machine(), repetitions=3)
    for part in ("cores", "load", "nbgrader 0.9", "Dask", "Medians of 3", "sandbox and judge on"):
        assert part in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--submissions", "10"], "more than 10"),
        (["--repetitions", "0"], "1 or more"),
        (["--only", "speed"], "invalid choice"),
    ],
)
def test_odd_options_are_refused(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        grading.main(options)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_what_was_measured_before_a_failure_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(bench: grading.Bench, sizes: grading.Sizes) -> grading.Section:
        raise Failed("The class was not graded.")

    kept = grading.Section("Words.", ["a"], [["1"]], {"numbers": [1.5]})
    monkeypatch.setattr(grading.Bench, "warm_up", lambda self: None)
    monkeypatch.setattr(
        grading, "SECTIONS", {"cost": lambda bench, sizes: kept, "memory": fails, "workers": fails}
    )
    path = tmp_path / "figures.json"
    assert grading.main(["--quick", "--only", "cost", "memory", "--json", str(path)]) == 1
    printed = capsys.readouterr()
    assert kept.markdown() in printed.out and "The class was not graded." in printed.err
    record = json.loads(path.read_text())
    assert record["cost"] == {"numbers": [1.5]} and "memory" not in record
    assert record["sizes"]["submissions"] == grading.QUICK.submissions
