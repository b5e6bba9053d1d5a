"""What an instructor's folder may be: one folder per student, of this assignment."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from autograder.classroom.grade_class import grade_class
from autograder.classroom.submissions import find_submissions, student_folders
from autograder.course import Course, CourseError
from autograder.recording import nbgrader_runs
from autograder.reporting import class_report

ASSIGNMENT = "1_layers"


def handed(folder: Path, *paths: str) -> Path:
    """Put empty files into the students' folders."""
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    return folder


def test_what_systems_leave_in_folders_is_passed_over(tmp_path: Path) -> None:
    folder = handed(
        tmp_path, "ada/02_convolution.ipynb", "__MACOSX/x", "Thumbs.db", ".DS_Store", "desktop.ini"
    )
    assert list(student_folders(folder).folders) == ["ada"] and not student_folders(folder).left_out


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("ada.zip", "'ada.zip' is no folder: move it into its student's folder"),
        ("02_convolution.ipynb", "move it into its student's folder"),
        ("Maria Lopez_12345_assignsubmission_file_/x.ipynb", "nbgrader zip_collect"),
        ("o'neil/x.ipynb", "is no student's id: rename the folder"),
    ],
)
def test_what_is_no_students_folder_costs_a_line_that_says_what_to_do(
    tmp_path: Path, path: str, words: str
) -> None:
    found = student_folders(handed(tmp_path, "bob/02_convolution.ipynb", path))
    assert list(found.folders) == ["bob"]
    (sentence,) = found.left_out
    assert words in sentence
    for student in found.folders.values():
        (student / "02_convolution.ipynb").unlink()
        student.rmdir()
    with pytest.raises(CourseError, match=re.escape(words)):
        student_folders(tmp_path)


def test_of_many_names_some_are_said(tmp_path: Path) -> None:
    folder = handed(tmp_path, "bob/02_convolution.ipynb", *(f"{n}.txt" for n in range(30)))
    found = student_folders(folder)
    assert list(found.folders) == ["bob"]
    assert len(found.left_out) == 21 and found.left_out[-1].startswith("10 more names")


def test_the_class_is_graded_beside_what_is_no_students_folder(course: Course, tmp_path: Path) -> None:
    folder = handed(
        tmp_path / "class", "ada/02_convolution.ipynb", "list of names.txt", "b b/02_convolution.ipynb"
    )
    result = grade_class(course, ASSIGNMENT, folder, bare=True)
    assert [row.student for row in result.rows] == ["ada"] and len(result.left_out) == 2
    page = class_report.render(result, course.lessons(ASSIGNMENT))
    text = BeautifulSoup(page, "html.parser").get_text()
    assert all(sentence in text for sentence in result.left_out)


def test_notebooks_of_another_assignment_are_refused(course: Course, tmp_path: Path) -> None:
    of_others = "ada/08_alexnet.ipynb", "bob/09_vgg (1).ipynb", "bob/Copy_of_10_GoogLeNet.ipynb"
    folder = handed(tmp_path / "class", *of_others, "ada/notes.txt", "cleo/x.txt")
    with pytest.raises(CourseError, match="holds notebooks of 2_architectures and none of 1_layers"):
        find_submissions(course, ASSIGNMENT, folder)
    assert list(find_submissions(course, "2_architectures", folder).folders) == ["ada", "bob", "cleo"]


@pytest.mark.parametrize(
    "more", ["cleo/02_convolution.ipynb", "cleo/homework.ipynb", "cleo/all.zip", "cleo/deep/x"]
)
def test_where_any_may_be_of_this_one_they_are_looked_at(course: Course, tmp_path: Path, more: str) -> None:
    folder = handed(tmp_path / "class", "ada/08_alexnet.ipynb", more)
    assert list(find_submissions(course, ASSIGNMENT, folder).folders) == ["ada", "cleo"]


def test_what_was_taken_in_is_not_handed_in_once_more(course: Course) -> None:
    handed(course.submitted, "ada/1_layers/02_convolution.ipynb")
    for folder in (course.submitted, course.submitted / "ada"):
        with pytest.raises(CourseError, match="leave the folder out"):
            find_submissions(course, ASSIGNMENT, folder)


def test_notebooks_one_folder_deeper_are_not_taken_but_said(course: Course, tmp_path: Path) -> None:
    folder = handed(tmp_path / "class", "ada/mine/02_convolution.ipynb", "bob/notes.txt")
    deeper, none = grade_class(course, ASSIGNMENT, folder, bare=True).rows
    assert deeper.problem.endswith("notebooks belong into the student's folder itself, not one inside it.")
    assert none.problem == "There is no notebook to grade."


def test_the_page_of_a_file_that_cannot_be_read_says_so_and_nothing_else(
    course: Course, tmp_path: Path
) -> None:
    folder = handed(tmp_path / "class", "ada/02_convolution.ipynb")
    (folder / "ada" / "02_convolution.ipynb").write_text("no notebook")
    assert grade_class(course, ASSIGNMENT, folder, bare=True).rows[0].points == 0
    (page,) = nbgrader_runs.feedback(course, ASSIGNMENT)["ada"]
    parsed = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    (section,) = parsed.find_all("section")
    assert "Nothing of your notebook could be used: 02_convolution.ipynb is not JSON" in section.get_text()
    assert "What you wrote" not in parsed.get_text() and "0 of 62 points" in parsed.get_text()
