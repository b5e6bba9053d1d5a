"""roster.csv is read as spreadsheets and universities write it, and what is wrong is said with its line and its remedy."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autograder import configuration
from autograder.configuration import ConfigurationError, Person
from autograder.course import Course
from tests.autograder.configuration.conftest import Writer


def faults(course: Course) -> list[str]:
    """What is wrong with the class list, a sentence each, with only the file's name."""
    with pytest.raises(ConfigurationError) as caught:
        configuration.roster(course)
    return [line.removeprefix(f"{course.work.parent}/") for line in str(caught.value).split("\n")]


@pytest.mark.parametrize(
    "content",
    [
        "student_id,name,email\nada,Ada King,ada@uni.edu\nben,Zoë,\n",
        "Student;NAME;Email\r\nada;Ada King;ada@uni.edu\r\nben;Zoë;\r\n",
        "\ufeffStudent ID\tname\temail\r\nada\tAda King\tada@uni.edu\r\n\r\n\t\t\r\nben\tZoë\t\r\n",
        '\n"email", "name" ,student\nada@uni.edu,Ada King, ada\n,"Zoë",ben',
        "student,email,name\rada,ada@uni.edu,Ada King\rben,,Zoë\r",
    ],
    ids=["as we name it", "semicolons", "tabs and a byte-order mark", "quoted", "lines of an old Mac"],
)
def test_a_class_list_as_programs_write_it(course: Course, write: Writer, content: str) -> None:
    write("roster.csv", content.replace('"email", "name" ', '"email","name"'))
    found = configuration.roster(course)
    assert found == {
        "ada": Person("ada", name="Ada King", email="ada@uni.edu"),
        "ben": Person("ben", name="Zoë"),
    }
    assert list(found) == ["ada", "ben"], "in the order of the file"


def test_each_column_that_an_export_needs_is_read(course: Course, write: Writer) -> None:
    columns = "student,name,email,username,idnumber,canvas_id,SIS User ID,SIS Login ID,section"
    write("roster.csv", f"{columns}\na,b,c,d,e,f,g,h,i\n")
    assert configuration.roster(course) == {"a": Person(*"abcdefghi")}


def test_a_cell_may_hold_the_separator_and_a_line_end(course: Course, write: Writer) -> None:
    write("roster.csv", 'student,name\nada,"King, Ada\nLovelace"\nben\n')
    assert faults(course) == [
        "roster.csv:4: this row has 1 cell, the first one 2: give each row all cells, and put a cell that holds the "
        "separator into quotation marks."
    ]


def test_all_faults_are_said_at_once_each_with_its_line(course: Course, write: Writer) -> None:
    write("roster.csv", "student,name\nada,Ada\n\n,Nobody\nada,Ada\n../ben,Ben\nzoe,King,Zoe\n\x1b[31m,Red\n")
    rule = "it takes up to 64 letters, digits and . _ @ -, begins with a letter or digit and has no two dots in a row."
    assert faults(course) == [
        "roster.csv:4: its student_id is empty: write the name of the student's folder, or delete the row.",
        "roster.csv:5: its student_id is there twice (ada): delete one of the rows.",
        f"roster.csv:6: '../ben' is not a student's id: {rule}",
        "roster.csv:7: this row has 3 cells, the first one 2: give each row all cells, and put a cell that holds the "
        "separator into quotation marks.",
        f"roster.csv:8: \"'\\\\x1b[31m'\" is not a student's id: {rule}",
    ]


@pytest.mark.parametrize(
    ("content", "fault"),
    {
        "empty": ("", "1: the file needs a first line with student_id and any of name, email,"),
        "no id": ("name\nAda", "1: the file needs a first line with student_id"),
        "a slip in a column": ("student,emial\n", "1: there is no column 'emial': did you mean email?"),
        "an unknown column": ("\nstudent,zzz\n", "2: there is no column 'zzz': delete the column, or call it one of"),
        "a column twice": ("student,name,Name\n", "1: the column name is there twice: delete one."),
        "an id twice": ("student,student_id\n", "1: the column student_id is there twice"),
        "an open quote": ('student,name\nada,x\nben,"Ben\nzoe,Zoe\n', "3: this is no CSV ("),
        "a quote inside": ('student,name\nada,"x"y\n', "2: this is no CSV ("),
        "another encoding": (b"student,name\nada,Zo\xeb\n", "2: this is not UTF-8: save the file as 'CSV UTF-8'."),
        "UTF-16": ("student,name\nada,x\n".encode("utf-16"), "1: this is not UTF-8: save the file as 'CSV UTF-8'."),
        "UTF-16, no mark": ("student\nada\n".encode("utf-16-be"), "1: this is not UTF-8: save the file as"),
        "a spreadsheet": (b"PK\x03\x04\x14\x00\x06\x00\x08\x00", "1: this is not UTF-8: save the file as 'CSV UTF-8'."),
    }.values(),
)  # fmt: skip
def test_each_fault_has_its_line_and_a_remedy(
    course: Course, write: Writer, content: str | bytes, fault: str
) -> None:
    write("roster.csv", content)
    assert any(said.startswith(f"roster.csv:{fault}") for said in faults(course)), faults(course)


def test_a_named_class_list_has_to_be_there(course: Course) -> None:
    with pytest.raises(ConfigurationError, match="there is no such file"):
        configuration.read_roster(configuration.roster_path(course))


CELLS = st.one_of(
    st.sampled_from(["student", "name", "ada", "ben", ",", ";", "\t", '"', "\n", "\r\n"]), st.text(max_size=4)
)


@example('""student\t')
@given(st.lists(CELLS, max_size=20).map("".join))
def test_any_text_is_a_class_list_or_has_faults_with_lines_in_it(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any_roster.csv"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        assert all(
            person.student_id == student for student, person in configuration.read_roster(path).items()
        )
    except ConfigurationError as error:
        for fault in error.faults:
            assert fault.line is not None and 1 <= fault.line <= max(1, len(text.splitlines()) + 1)
            assert str(fault).isprintable()
