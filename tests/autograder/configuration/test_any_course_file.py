"""Any text at all, drawn at random, is a course.toml that can be used or one whose faults have lines."""

from __future__ import annotations

import tempfile
import tomllib
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from autograder import configuration
from autograder.configuration import ConfigurationError, CourseFile
from autograder.configuration.toml_lines import line_of, lines_of_values
from autograder.course import Course
from tests import ROOT

NAMES = st.sampled_from(
    ["title", "time_zone", "late", "per_day", "lessons", "name", "due", "weight", "extensions", "ada", "exemptions",
     '"1_layers/04_pooling"', "'b.c'", "x.y", "lessons.due", "é"]
)  # fmt: skip
VALUES = st.recursive(
    st.sampled_from(
        ["1", "0.5", "nan", "true", "2026-10-05", "2026-10-05 18:00:00", "2026-10-05T18:00:00Z", "18:00:00",
         "'Europe/Berlin'", '"1_layers/04_pooling"', "'x'", '"""a\n[late]\nb"""', "'''\n'''", "9e999", "{}", "x"]
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda values: "[" + ", ".join(values) + "]"),
        st.lists(inner, max_size=3).map(lambda values: "[ # [\n" + ",\n".join(values) + "\n]"),
        inner.map(lambda value: "{a = " + value + "}"),
    ),
    max_leaves=5,
)  # fmt: skip
LINES = st.one_of(
    st.tuples(NAMES, VALUES).map(" = ".join),
    NAMES.map("[{}]".format),
    NAMES.map("  [[{}]] # a table".format),
    st.tuples(NAMES, NAMES).map("[{0[0]}.{0[1]}]".format),
    st.sampled_from(["", "# [a comment", "[", '"""', "\\", "\x0b", "\x85"]),
    st.text(max_size=10),
)
TEXTS = st.tuples(st.lists(LINES, max_size=12), st.sampled_from(["\n", "\r\n"])).map(
    lambda drawn: drawn[1].join(drawn[0])
)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_any_text_is_a_course_or_has_faults_with_lines_in_it(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        course = Course(ROOT, Path(folder) / "work")
        configuration.course_file_path(course).write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            assert isinstance(configuration.course_file(course), CourseFile)
        except ConfigurationError as error:
            assert error.faults
            for fault in error.faults:
                assert fault.line is not None and 1 <= fault.line <= max(1, len(text.split("\n")))
                assert fault.sentence and str(fault).isprintable()


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_the_line_of_a_value_holds_its_key(text: str) -> None:
    try:
        data = tomllib.loads(text)
    except ValueError:
        return
    lines, written = lines_of_values(text), text.split("\n")
    for table in data:
        assert table in written[line_of((table,), lines) - 1]
        for key in data[table] if isinstance(data[table], dict) else ():
            line = line_of((table, key), lines)
            assert line >= line_of((table,), lines)
            assert key in written[line - 1] or key == "a"  # which may stand on a later line of an array
