"""A class of some hundred: every submission is judged by itself, and the grader does not grow with the class."""

from __future__ import annotations

import json
import resource
from pathlib import Path

import pytest

from autograder import classroom, sample
from autograder.course import Course
from autograder.exercise import Lesson

COPIES = 8


@pytest.mark.slow
def test_a_class_of_some_hundred(
    tmp_path: Path, course: Course, convolution: Lesson, bubblewrap: str
) -> None:
    samples = [s for s in sample.sample_class(convolution) if "loop" not in s.student]
    for number in range(COPIES):
        folder = tmp_path / "class" / str(number)
        sample.write_class(course, convolution, folder, samples)
        for path in folder.rglob("*.ipynb"):
            if not path.is_symlink():
                _make_its_own(path, number)
        for student in folder.iterdir():
            student.rename(tmp_path / "class" / f"{student.name}-{number}")
        folder.rmdir()
    peaks = []

    def watch(row: classroom.Row, done: int, of: int) -> None:
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

    result = classroom.grade(course, convolution.assignment, tmp_path / "class", on_done=watch)
    assert len(result.rows) == COPIES * len(samples)
    wanted = {s.student: {e: s.points(convolution, e) for e in convolution.exercises} for s in samples}
    for row in result.rows:
        assert not row.problem
        points = {name: verdict.points for name, verdict in row.verdicts[convolution.name].items()}
        assert points == wanted[row.student.rsplit("-", 1)[0]], row.student
    # KiB; the first fifth has loaded all there is to load.
    assert peaks[-1] - peaks[len(peaks) // 5] < 64 * 1024


def _make_its_own(path: Path, number: int) -> None:
    """Give a copy text of its own, so that it is judged and not found in the journal."""
    try:
        notebook = json.loads(path.read_text())
    except ValueError:
        return
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and "".join(cell["source"]).lstrip().startswith("@answer"):
            cell["source"] = "".join(cell["source"]) + f"\n# copy {number}"
    path.write_text(json.dumps(notebook))
