"""From what a hostile classroom hands in: one clear sentence or a sound notebook, never a crash."""

from __future__ import annotations

import ast
import copy
import json
import os
import socket
import stat
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder import files, intake, notebook_io
from autograder.course import Course
from autograder.intake import IntakeError, reader_process
from autograder.intake.read_notebook import read_notebook, read_notebook_here
from autograder.intake.reader import cell_facts
from autograder.intake.reader import notebook as reader_notebook
from autograder.intake.reader.cell_facts import CellFacts
from tests.autograder.intake.intake_sample import (
    ASSIGNMENT,
    LESSONS,
    SCALE,
    SHIFT,
    Sample,
    answers,
    as_bytes,
    by_name,
    code,
    extras,
    file_names,
    put_in,
    solved,
    sound,
)

MIB = 1 << 20
DEEP = 100_000
READERS = {"here": read_notebook_here, "child": read_notebook}


# Files that are no notebook


def nested(levels: int) -> bytes:
    return b'{"cells": ' + b"[" * levels + b"]" * levels + b"}"


UNREADABLE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "blank": (b" \n" * 99, "is empty"),
    "truncated": (b'{"cells": [{"cell_type": "code", "source": "def', "breaks off"),
    "truncated between values": (b'{"cells": [{"cell_type": "code"},', "breaks off"),
    "text": (b"def shift(x): pass", "is not JSON"),
    "a zip": (b"PK\x03\x04" + bytes(range(256)), "is not UTF-8"),
    "latin-1": ('{"cells": ["é"]}'.encode("latin-1"), "is not UTF-8"),
    "utf-16": ('{"cells": []}'.encode("utf-16"), "UTF-16"),
    "nested lists": (nested(DEEP), "levels deep"),
    "nested objects": (b'{"a":' * DEEP + b"1" + b"}" * DEEP, "levels deep"),
    "nesting after a quote": (rb'{"a": "\"", "cells": ' + b"[" * DEEP, "levels deep"),
    "a list": (b"[]", "not a notebook"),
    "a number": (b"3", "not a notebook"),
    "NaN": (b"NaN", "not a notebook"),
    "no cells": (b'{"nbformat": 4}', "no cells"),
    "cells are a string": (b'{"cells": "abc"}', "no list of cells"),
    "cells are an object": (b'{"cells": {"0": 1}}', "no list of cells"),
    "worksheets of nothing": (b'{"worksheets": [3]}', "worksheet"),
    "no cell of the course": (b'{"cells": []}', "is not a notebook of 1_layers"),
    "21 MiB": (b'{"cells": [' + b" " * 21 * MIB + b"]}", "21.0 MiB"),
}


@pytest.mark.parametrize("which", UNREADABLE)
def test_what_is_no_notebook_yields_one_sentence(s: Sample, which: str) -> None:
    data, words = UNREADABLE[which]
    with pytest.raises(IntakeError) as caught:
        s.take(data, name="x.ipynb", reader=read_notebook)
    message = str(caught.value)
    assert (
        message.startswith("x.ipynb ") and words in message and message.endswith(".") and "\n" not in message
    )


@pytest.mark.parametrize(
    "data", [b"[" * (19 * MIB), b"[]" * (9 * MIB), b'"' * (19 * MIB), b"\\" * (19 * MIB)]
)
def test_large_nonsense_is_refused_soon(data: bytes) -> None:
    began = time.perf_counter()
    with pytest.raises(IntakeError):
        read_notebook(data)
    assert time.perf_counter() - began < 15


def test_what_takes_all_memory_is_refused(s: Sample) -> None:
    data = b'{"cells": [' + b'{"a":{}},' * (2 * MIB) + b"0]}"
    with pytest.raises(IntakeError, match=r"memory|is not a notebook of"):
        s.take(data, reader=read_notebook)


def test_an_unreadable_notebook_becomes_the_pristine_one_with_the_reason(s: Sample) -> None:
    folder = s.submitted()
    (folder / "01_shifting (2).ipynb").write_bytes(b'{"cells": [')
    assert s.autograde(folder) == ["01_shifting.ipynb"] == file_names(folder)
    (taken,) = intake.take_in(s.course, ASSIGNMENT, "ada", folder, lessons=LESSONS)
    sound(s, taken)
    assert taken.found == frozenset() and taken.flags[0].startswith(
        "unreadable: 01_shifting (2).ipynb is not"
    )
    assert "breaks off" in taken.notes["shift"] and set(taken.notes) == {"shift", "scale", "why"}
    assert (s.raw() / "01_shifting (2).ipynb").read_bytes() == b'{"cells": ['


def test_an_unreadable_notebook_of_no_known_name_is_said_for_every_lesson_or_beside_a_good_one(
    s: Sample,
) -> None:
    folder = s.submitted()
    (folder / "homework.ipynb").write_bytes(b"{")
    assert s.autograde(folder) == ["01_shifting.ipynb", "02_turning.ipynb"]
    assert all("homework.ipynb" in flag for flag in s.record().flags)
    other = s.submitted("bob")
    (other / "homework.ipynb").write_bytes(b"{")
    (other / "x.ipynb").write_bytes(as_bytes(solved(s.first)))
    assert s.autograde(other) == ["01_shifting.ipynb"]
    assert s.record("bob").folder_flags[0].startswith("unreadable: homework.ipynb")


def test_an_unreadable_resubmission_beside_a_good_one_does_not_replace_it(s: Sample) -> None:
    folder = s.submitted()
    (folder / "01_shifting.ipynb").write_bytes(as_bytes(solved(s.first)))
    s.autograde(folder)
    (folder / "Copy_of_01_shifting.ipynb").write_bytes(b"{")
    assert s.autograde(folder) == ["01_shifting.ipynb"]
    assert s.record().lessons["01_shifting"].written == {"shift", "scale"}
    assert any("Copy_of_01" in flag for flag in s.record().flags)


# Notebooks with something wrong in them: the answers in them still count


def huge_output(notebook: Any, size: int) -> None:
    by_name(notebook, "shift").outputs = [{"output_type": "stream", "name": "stdout", "text": "x" * size}]


def each_cell(**fields: Any) -> Callable[[Any], None]:
    def edit(notebook: Any) -> None:
        for cell in notebook.cells:
            cell.update(copy.deepcopy(fields))

    return edit


def bad_metadata(notebook: Any) -> None:
    for number, cell in enumerate(notebook.cells):
        if not cell.metadata.get("nbgrader"):
            odd = [
                None,
                3,
                [],
                {"nbgrader": None},
                {"nbgrader": []},
                {"nbgrader": {"grade_id": [1]}},
                {"tags": 3},
            ]
            cell["metadata"] = odd[number % len(odd)]


def schema_99(notebook: Any) -> None:
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader.update(schema_version=99, points=1e9, task=True)


def flipped_flags(notebook: Any) -> None:
    for cell in notebook.cells:
        about = cell.metadata.get("nbgrader", {})
        about.update({k: not about[k] for k in ("grade", "solution", "locked") if k in about})


def copied_check(notebook: Any) -> None:
    check = copy.deepcopy(by_name(notebook, "shift_check"))
    check.source = "points = 100"
    put_in(notebook, "shift", check)
    put_in(notebook, "scale_check", copy.deepcopy(check), copy.deepcopy(check))


def odd_cells(notebook: Any) -> None:
    notebook.cells += [
        None,
        3,
        "x",
        [],
        {},
        {"cell_type": "evil"},
        {"cell_type": ["code"]},
        {"cell_type": "code"},
    ]
    notebook.cells += [
        {"cell_type": "code", "source": source} for source in (3, None, {"a": 1}, ["a", 1], [["a"]])
    ]


def skip_tags(notebook: Any) -> None:
    for cell in notebook.cells:
        cell.metadata["tags"] = ["skip-execution", "remove-cell", "setup", "show"]


def reversed_cells(notebook: Any) -> None:
    notebook.cells.reverse()


def stripped(notebook: Any) -> None:
    for cell in notebook.cells:
        cell["metadata"] = {}
        cell.pop("id")


def as_lists(notebook: Any) -> None:
    for cell in notebook.cells:
        cell.source = cell.source.splitlines(keepends=True)


ODD: dict[str, Callable[[Any], None]] = {
    "19 MiB of output": lambda n: huge_output(n, 19 * MIB),
    "attachments": each_cell(attachments={"a.png": {"image/png": "AAAA"}}),
    "unknown kernelspec": lambda n: n.metadata.update(kernelspec={"name": "; rm -rf /", "display_name": 3}),
    "metadata of other types": bad_metadata,
    "notebook metadata is a list": lambda n: n.update(metadata=[]),
    "nbformat 99": lambda n: n.update(nbformat=99, nbformat_minor="x"),
    "schema version 99": schema_99,
    "flipped flags": flipped_flags,
    "copied check": copied_check,
    "odd cells": odd_cells,
    "tags": skip_tags,
    "reversed": reversed_cells,
    "all metadata stripped": stripped,
    "source as lists": as_lists,
    "a cell id of 10 MB": lambda n: n.cells[0].update(id="x" * 10_000_000),
    "cell ids of other types": each_cell(id={"a": [1]}),
    "one cell id for all": each_cell(id="01-shifting-01"),
    "execution counts": each_cell(execution_count=float("nan"), outputs="none"),
    "a number of 10,000 digits": each_cell(execution_count=10**4000),
}


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@pytest.mark.parametrize("which", ODD)
def test_answers_survive_what_is_odd_around_them(s: Sample, which: str, reader: Any) -> None:
    notebook = solved(s.first)
    ODD[which](notebook)
    taken = s.take(json.loads(json.dumps(notebook)), reader=reader)
    sound(s, taken)
    assert taken.written >= {"shift", "scale"}
    assert answers(taken)["shift"] == SHIFT and answers(taken)["scale"] == SCALE
    assert extras(taken) == []


def test_a_copied_check_and_odd_cells_are_flagged(s: Sample) -> None:
    notebook = solved(s.first)
    copied_check(notebook)
    odd_cells(notebook)
    flags = s.take(notebook).flags
    assert "shift: 4 cells carry the id of its check; the lesson's own was used." in flags
    assert sum("was left out" in flag for flag in flags) == 13


def test_a_duplicated_grade_id_on_other_code_does_not_displace_the_answer(s: Sample) -> None:
    notebook = solved(s.first)
    about = copy.deepcopy(by_name(notebook, "shift").metadata)
    put_in(notebook, "shift", code("print('no answer')", metadata=about))
    taken = s.take(notebook)
    sound(s, taken)
    assert answers(taken)["shift"] == SHIFT


def test_a_duplicate_key_is_read_as_jupyter_reads_it(s: Sample) -> None:
    text = json.dumps(solved(s.first)).replace('"source"', '"source": "first", "source"')
    assert answers(s.take(text.encode(), reader=read_notebook))["shift"] == SHIFT


def test_a_byte_order_mark_and_windows_lines_are_tolerated(s: Sample) -> None:
    notebook = solved(s.first)
    for cell in notebook.cells:
        cell.source = cell.source.replace("\n", "\r\n")
    taken = s.take(b"\xef\xbb\xbf" + json.dumps(notebook, indent=1).replace("\n", "\r\n").encode())
    sound(s, taken)
    assert answers(taken)["shift"] == SHIFT and extras(taken) == [] and taken.flags == ()


@pytest.mark.parametrize(
    ("bad", "words"), [("\0", "NUL"), ("\ud800", "surrogate"), ("#" * (MIB + 1), "longer than")]
)
def test_a_cell_whose_text_cannot_be_used_costs_that_cell_only(s: Sample, bad: str, words: str) -> None:
    notebook = solved(s.first)
    by_name(notebook, "shift").source += bad
    put_in(notebook, "shift", code(f"'{bad}'"))
    taken = s.take(notebook, reader=read_notebook)
    sound(s, taken)
    assert answers(taken)["scale"] == SCALE and taken.found == {"scale", "why"}
    assert words in taken.notes["shift"] and any(flag.startswith("Cell 4 ") for flag in taken.flags)


def test_thousands_of_cells_and_flags_are_cut(s: Sample) -> None:
    notebook = solved(s.first)
    notebook.cells += [code("\0")] * 3_000
    taken = s.take(notebook, reader=read_notebook)
    sound(s, taken)
    assert len(taken.flags) == 41 and any("3,011 cells" in flag for flag in taken.flags)
    assert taken.written == {"shift", "scale"}


def test_more_text_than_any_notebook_holds_is_cut(s: Sample) -> None:
    notebook = solved(s.first)
    notebook.cells += [code("#" * (MIB - 1))] * 18
    taken = s.take(notebook, reader=read_notebook)
    assert len(extras(taken)) < 18 and taken.written == {"shift", "scale"}


def test_only_so_many_definitions_are_noted(s: Sample) -> None:
    notebook = solved(s.first)
    notebook.cells += [code("\n".join(f"a{cell}_{at} = 1" for at in range(9_000))) for cell in range(5)]
    student = read_notebook(as_bytes(notebook))
    assert sum(len(cell.defines) for cell in student.cells) <= reader_notebook.MAX_NAMES
    assert sum("definitions" in sentence for sentence in student.odd) == 3
    assert s.take(notebook, reader=read_notebook).written == {"shift", "scale"}


@pytest.mark.parametrize(("cells", "functions"), [(1, 3_000), (300, 10)])
def test_functions_in_a_checks_cell_cost_no_time_however_many(s: Sample, cells: int, functions: int) -> None:
    notebook = solved(s.first)
    by_name(notebook, "shift").source = SHIFT + "# n1 n2x x_n3 n0.n4" + " ab" * 100_000
    check = by_name(notebook, "shift_check")
    check.source = "\n".join(f"def n{at}(): 0" for at in range(functions))
    put_in(notebook, "shift_check", *(copy.deepcopy(check) for _ in range(1, cells)))
    student = read_notebook_here(as_bytes(notebook))
    began = time.process_time()
    taken = s.take(notebook, reader=lambda _: student)
    assert time.process_time() - began < 2
    assert taken.notes["shift"].endswith(
        "It uses n0, n1, n4 from the cell of shift's check, which is not taken; put that into a cell of its own."
    )


def test_blank_lines_in_cells_that_define_every_exercise_are_looked_at_once(checkout: Course) -> None:
    lesson = max(checkout.lessons(ASSIGNMENT), key=lambda one: len(one.exercises))
    notebook: Any = nbformat.read(checkout.released(lesson), as_version=4)
    every = "".join(f"def {name}(): 0\n" for name in lesson.exercises)
    notebook.cells += [code(every + "\n" * 900_000 + "0")] * 9
    student = read_notebook_here(as_bytes(notebook))
    began = time.process_time()
    taken = intake.take_in_notebook(checkout, [lesson], b"", reader=lambda _: student)
    assert time.process_time() - began < 1.5
    assert taken.written == set(lesson.exercises) and len(lesson.exercises) >= 10


DEEP_SOURCE = {
    "parentheses": "(" * DEEP,
    "closed parentheses": "(" * DEEP + ")" * DEEP,
    "brackets": "[" * 2 * DEEP,
    "signs": "-" * DEEP + "1",
    "short signs": "x = " + "-" * 20_000 + "1",
    "attributes": "x" + ".x" * 40_000,
    "sums": "x" + "+x" * 40_000,
    "lambdas": "lambda:" * 12_000 + "0",
    "blocks": "".join(" " * at + "if x:\n" for at in range(400)),
    "digits": "9" * 99_000,
    "backslashes": "x = \\" + "\n\\" * 40_000,
    "spaces": "x" + " " * 99_000 + "y?",
    "equals": "x =" + " =" * 49_000 + " %",
    "f-strings": "f'{" * 400,
}


@pytest.mark.parametrize("which", DEEP_SOURCE)
def test_source_that_breaks_parsers_costs_nothing(s: Sample, which: str) -> None:
    notebook = solved(s.first)
    put_in(notebook, "shift", code(DEEP_SOURCE[which]))
    by_name(notebook, "shift").source += "\n" + DEEP_SOURCE[which]
    taken = s.take(notebook, reader=read_notebook)
    sound(s, taken)
    assert taken.written == {"shift", "scale"} and len(extras(taken)) == 1


def test_where_the_parser_crashes_the_cells_are_read_without_it(
    s: Sample, replace_reader: Callable[[str, str], None]
) -> None:
    script = Path(cell_facts.__file__).read_text()
    crash = script.replace("ast.parse(text)", "os.abort()").replace("import ast\n", "import ast, os\n")
    assert crash != script
    replace_reader("cell_facts", crash)
    taken = s.take(solved(s.first), reader=read_notebook)
    assert taken.written == {"shift", "scale"} and taken.flags == ()


LYING = [
    "print('{}')",
    "print('[' * 100000)",
    """print('{"error": 3}')""",
    """print('{"cells": [{}], "odd": []}')""",
    """print('{"cells": [], "odd": ["' + 'x' * 1000 + '"]}')""",
    "import os; os.abort()",
    "import sys; print('x' * (1 << 20)); sys.exit(3)",
    "import sys\nwhile True: sys.stdout.write('x' * (1 << 20))",
    "import time; time.sleep(60)",
    "import os; os.close(1); import time; time.sleep(60)",
    "import os, signal; os.kill(os.getppid(), signal.SIGKILL)",
]


@pytest.mark.parametrize("script", LYING)
def test_the_childs_word_is_checked_and_its_time_is_bounded(
    s: Sample, monkeypatch: pytest.MonkeyPatch, replace_reader: Callable[[str, str], None], script: str
) -> None:
    replace_reader("notebook", "def main(known, options):\n" + textwrap.indent(script, "    "))
    monkeypatch.setattr(reader_process, "WALL_SECONDS", 0.5)
    with pytest.raises(IntakeError):
        s.take(solved(s.first), reader=read_notebook)


def test_the_child_has_no_environment_and_little_memory(
    monkeypatch: pytest.MonkeyPatch, replace_reader: Callable[[str, str], None]
) -> None:
    report = "import os, resource; memory = resource.getrlimit(resource.RLIMIT_AS)[0]; "
    report += "reply = {'error': f'{len(os.environ)} {memory}'}"
    monkeypatch.setenv("TOKEN", "secret")
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    script = Path(reader_notebook.__file__).read_text()
    reporting = script.replace("reply = extract_cells", f"{report}; extract_cells")
    assert reporting != script
    replace_reader("notebook", reporting)
    with pytest.raises(
        IntakeError, match=rf"^The file [01] {reader_notebook.MEMORY}\.$"
    ):  # Python itself may set LC_CTYPE
        read_notebook(b'{"cells": []}')


Preload = Callable[[list[tuple[bool, str, CellFacts]]], None]


@pytest.fixture
def preloading() -> Iterator[Preload]:
    """Start a reader that knows the facts of cells; after the test none is known again."""

    def preload(known: list[tuple[bool, str, CellFacts]]) -> None:
        reader_process.preload_facts(known)
        reader_process.stop_server()

    preload([])
    yield preload
    preload([])


def test_known_facts_of_cells_change_nothing_that_is_read(s: Sample, preloading: Preload) -> None:
    source = "def shift(x): return x  # another one, and in a cell of its own"
    notebook = solved(s.first)
    put_in(notebook, "shift", code(source))
    data = as_bytes(notebook)
    read = read_notebook(data)
    facts = [(c.kind == "code", c.source, {"defines": c.defines, "imports": c.imports}) for c in read.cells]
    known = [cell.known_facts for cell in intake.load_pristine_lesson(s.course, LESSONS[0]).cells]
    assert sum(fact in facts for fact in known) > len(facts) // 2
    preloading(known)
    assert read_notebook(data) == read
    preloading([(True, source, CellFacts(defines={}, imports=True))])
    assert read_notebook(data) != read, "or else nothing is taken from it"


def test_files_are_read_side_by_side_and_after_one_that_crashes(s: Sample) -> None:
    good, deep = as_bytes(solved(s.first)), b'{"cells": ' + b"[" * 50
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(readable, [good, deep, good, b"", good, deep, good] * 3))
    assert found == [True, False, True, False, True, False, True] * 3


def readable(data: bytes) -> bool:
    try:
        return bool(read_notebook(data).cells)
    except IntakeError:
        return False


# Folders


@pytest.mark.parametrize(
    "student", ["", ".", "..", "a/b", "a\\b", "../ada", "a..b", "-x", "*", "a\n", "ü", "a" * 65, "a b"]
)
def test_a_student_id_that_is_no_plain_name_is_refused(s: Sample, student: str, tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="not a student's id"):
        intake.take_in(s.course, ASSIGNMENT, student, tmp_path, lessons=LESSONS)
    with pytest.raises(IntakeError):
        intake.load_record(s.course, ASSIGNMENT, student)


def test_the_hook_hands_on_nothing_from_a_folder_with_a_bad_name_or_elsewhere(
    s: Sample, tmp_path: Path
) -> None:
    for folder in (s.submitted("a b"), tmp_path / "other" / "ada" / ASSIGNMENT):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "01_shifting.ipynb").write_bytes(as_bytes(solved(s.first)))
        notebooks = [str(folder / "01_shifting.ipynb")]
        with pytest.raises(IntakeError):
            intake.take_in_submitted(s.course, notebooks, lessons=LESSONS)
        assert notebooks == []


def test_links_are_refused_and_never_followed(s: Sample, tmp_path: Path) -> None:
    secret = tmp_path / "secret.ipynb"
    secret.write_bytes(as_bytes(solved(s.first)))
    folder = s.submitted()
    (folder / "01_shifting.ipynb").symlink_to(secret)
    (folder / "etc").symlink_to("/etc")
    (folder / "timestamp.txt").symlink_to(secret)
    assert s.autograde(folder) == ["01_shifting.ipynb"] == file_names(folder)
    assert stat.S_ISREG((folder / "01_shifting.ipynb").lstat().st_mode)
    assert secret.read_bytes() == as_bytes(solved(s.first)) and file_names(s.raw()) == []
    record = s.record()
    assert record.found == frozenset() and str(secret)[:20] in record.lessons["01_shifting"].flags[0]
    assert sum("is a link" in flag for flag in record.flags) == 3


@pytest.mark.parametrize("kind", ["folder", "named pipe", "socket"])
def test_a_notebook_that_is_no_file_is_refused_without_waiting(
    s: Sample, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = s.submitted()
    path = folder / "01_shifting.ipynb"
    if kind == "folder":
        path.mkdir()
        (path / "inside.txt").write_text("x")
    elif kind == "named pipe":
        os.mkfifo(path)
    else:
        monkeypatch.chdir(folder)  # a socket's path may have 107 bytes only
        socket.socket(socket.AF_UNIX).bind("01_shifting.ipynb")
    assert s.autograde(folder) == ["01_shifting.ipynb"] == file_names(folder)
    assert kind in s.record().flags[0] and s.record().found == frozenset()
    assert file_names(s.raw()) == (["01_shifting.ipynb"] if kind == "folder" else [])


def test_a_hard_link_is_copied_and_flagged(s: Sample, tmp_path: Path) -> None:
    original = tmp_path / "mine.ipynb"
    original.write_bytes(as_bytes(solved(s.first)))
    folder = s.submitted()
    os.link(original, folder / "01_shifting.ipynb")
    s.autograde(folder)
    original.write_bytes(b"changed afterwards")
    assert (s.raw() / "01_shifting.ipynb").read_bytes() == as_bytes(solved(s.first))
    assert s.record().lessons["01_shifting"].written == {"shift", "scale"}
    assert any("hard link" in flag for flag in s.record().flags)


def test_a_linked_submission_folder_is_replaced_not_followed(s: Sample, tmp_path: Path) -> None:
    other = s.submitted("bob")
    (other / "01_shifting.ipynb").write_bytes(as_bytes(solved(s.first)))
    folder = s.submitted("eve")
    folder.rmdir()
    folder.symlink_to(other)
    assert s.autograde(folder) == ["01_shifting.ipynb", "02_turning.ipynb"]
    assert not folder.is_symlink() and (other / "01_shifting.ipynb").read_bytes() == as_bytes(solved(s.first))
    assert s.record("eve").found == frozenset() and "link to" in s.record("eve").flags[0]
    with pytest.raises(IntakeError, match="link"):
        (tmp_path / "link").symlink_to(other)
        intake.take_in(s.course, ASSIGNMENT, "eve", tmp_path / "link", lessons=LESSONS)


def test_a_notebook_of_25_mib_is_kept_and_said(s: Sample) -> None:
    folder, notebook = s.submitted(), solved(s.first)
    huge_output(notebook, 25 * MIB)
    (folder / "01_shifting.ipynb").write_bytes(as_bytes(notebook))
    assert s.autograde(folder) == ["01_shifting.ipynb"]
    assert "25.0 MiB" in s.record().flags[0] and "clear its outputs" in s.record().notes["shift"]
    assert (s.raw() / "01_shifting.ipynb").stat().st_size > 25 * MIB


def test_hundreds_of_files_are_moved_and_counted(s: Sample) -> None:
    folder = s.submitted()
    for number in range(300):
        (folder / f"a{number:03}.txt").write_text(str(number))
    (folder / "z.ipynb").write_bytes(as_bytes(solved(s.first)))
    assert s.autograde(folder) == ["01_shifting.ipynb"] == file_names(folder)
    assert len(file_names(s.raw())) == 301 and (s.raw() / "a299.txt").read_text() == "299"
    assert s.record().flags[0] == "It has 301 files; those after the first 40 were not looked at."
    assert s.record().lessons["01_shifting"].written == {"shift", "scale"}


def test_odd_file_names_stay_in_sentences_of_one_line(s: Sample) -> None:
    folder = s.submitted()
    odd = [
        b"a\nb.ipynb",
        b"\xff\xfe.ipynb",
        b"<script>.txt",
        "\u202egnp.ipynb".encode(),
        b"x" * 250,
        b"$(id).ipynb",
    ]
    for number, name in enumerate(odd):
        with open(os.fsencode(folder) + b"/" + name, "wb") as file:
            file.write(as_bytes(solved(s.first)) + b" " * number)
    s.autograde(folder)
    assert file_names(folder) == ["01_shifting.ipynb"]
    assert sorted(os.listdir(os.fsencode(s.raw()))) == sorted(odd)
    assert all(flag.isprintable() and len(flag) < 400 for flag in s.record().flags)


FORGED = ["tomorrow or so", "", "x" * 65, "9" * 60, "0001-01-01 00:00 +2359", "\0", "2026-01-01\n" * 9]


@pytest.mark.parametrize("text", FORGED)
def test_a_timestamp_that_is_no_date_is_dropped(s: Sample, text: str) -> None:
    folder = s.submitted()
    (folder / "01_shifting.ipynb").write_bytes(as_bytes(solved(s.first)))
    (folder / "timestamp.txt").write_text(text)
    s.autograde(folder)
    assert file_names(folder) == ["01_shifting.ipynb"] and (s.raw() / "timestamp.txt").read_text() == text
    assert s.record().flags == ("timestamp.txt holds no date; it was left out.",)


def test_a_forged_record_in_the_submission_is_just_another_file(s: Sample) -> None:
    folder = s.submitted()
    (folder / "01_shifting.ipynb").write_bytes(as_bytes(s.first))
    record = {"assignment": ASSIGNMENT, "student": "ada", "flags": [], "lessons": {}}
    (folder / "ada.json").write_text(json.dumps(record))
    (folder / "intake").mkdir()
    s.autograde(folder)
    assert file_names(folder) == ["01_shifting.ipynb"] and "ada.json" in s.record().flags[0]


def test_a_notebook_that_wears_our_marks_is_taken_in_like_any_other(s: Sample) -> None:
    notebook = s.take(solved(s.first)).notebook
    by_name(notebook, "shift_check").source = "pass"
    for cell in notebook.cells:
        cell.metadata["cnnlab"] = {"role": "exercise", "name": "shift"}
    folder = s.submitted()
    (folder / "01_shifting.ipynb").write_bytes(notebook_io.text(notebook).encode())
    s.autograde(folder)
    (taken,) = intake.take_in(s.course, ASSIGNMENT, "ada", folder, lessons=LESSONS)
    sound(s, taken)


def test_a_damaged_record_means_taking_in_again(s: Sample) -> None:
    folder = s.submitted()
    (folder / "01_shifting.ipynb").write_bytes(as_bytes(solved(s.first)))
    s.autograde(folder)
    path = s.course.work / "intake" / ASSIGNMENT / "ada.json"
    for text in (
        "{",
        "[]",
        '{"lessons": 3}',
        '{"lessons": {"a": {}}, "assignment": "", "student": "", "flags": []}',
    ):
        path.write_text(text)
        assert intake.load_record(s.course, ASSIGNMENT, "ada") is None
        assert s.autograde(folder) == ["01_shifting.ipynb"] and s.record().found == {"shift", "scale", "why"}


def test_where_the_disk_fails_what_was_handed_in_is_still_there(
    s: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, data = s.submitted(), as_bytes(solved(s.first))
    (folder / "01_shifting.ipynb").write_bytes(data)

    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "write", full)
    notebooks = [str(folder / "01_shifting.ipynb")]
    with pytest.raises(OSError, match="No space"):
        intake.take_in_submitted(s.course, notebooks, lessons=LESSONS)
    assert notebooks == [] and (folder / "01_shifting.ipynb").read_bytes() == data
    monkeypatch.undo()
    assert s.autograde(folder) == ["01_shifting.ipynb"] and s.record().lessons["01_shifting"].written == {
        "shift",
        "scale",
    }


@pytest.mark.parametrize("at", range(1, 6))
def test_whichever_write_fails_nothing_is_lost(s: Sample, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    folder, data = s.submitted(), as_bytes(solved(s.first))
    (folder / "01_shifting.ipynb").write_bytes(data)
    (folder / "Copy_of_01_shifting.ipynb").write_bytes(data + b" ")
    (folder / "timestamp.txt").write_text("2026-03-01")
    write, count = files.write, [0]

    def failing(path: Path, data: bytes) -> None:
        count[0] += 1
        if count[0] == at:
            raise OSError(5, "Input/output error")
        write(path, data)

    monkeypatch.setattr(files, "write", failing)
    with pytest.raises(OSError, match="Input/output"):
        intake.take_in(s.course, ASSIGNMENT, "ada", folder, lessons=LESSONS)
    monkeypatch.undo()
    kept = {path.read_bytes() for path in s.course.work.rglob("*.ipynb")}
    assert data in kept and data + b" " in kept
    assert s.autograde(folder) == ["01_shifting.ipynb"]
    assert s.record().lessons["01_shifting"].written == {"shift", "scale"}


# Anything at all


TEXT = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            SHIFT,
            SCALE,
            "check(shift)",
            "def turn(x): return 1",
            "import numpy as np",
            "",
            "%%bash\nls",
            "(" * 300,
        ]
    ),
)
IDS = st.one_of(
    st.sampled_from(["shift", "scale", "why", "turn", "shift_check", "turn_check", "01-shifting-04", "../x"]),
    TEXT,
)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
GRADING = st.fixed_dictionaries(
    {}, optional={"grade_id": IDS | JUNK, "solution": JUNK, "schema_version": JUNK}
)
CELL = st.fixed_dictionaries(
    {
        "cell_type": st.sampled_from(["code", "code", "markdown", "raw", "heading"]) | JUNK,
        "source": TEXT | st.lists(TEXT, max_size=3) | JUNK,
    },
    optional={
        "metadata": st.fixed_dictionaries({}, optional={"nbgrader": GRADING | JUNK, "tags": JUNK}) | JUNK,
        "id": IDS | JUNK,
        "outputs": JUNK,
        "attachments": JUNK,
    },
)
NOTEBOOK = st.fixed_dictionaries(
    {"cells": st.lists(CELL | JUNK, max_size=8) | JUNK}, optional={"metadata": JUNK, "nbformat": JUNK}
)
QUIET = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


def either_refused_or_sound(s: Sample, notebook: Any, reader: Any) -> None:
    try:
        taken = s.take(json.dumps(notebook).encode(), name="02_turning.ipynb", reader=reader)
    except IntakeError as error:
        assert "\n" not in str(error)
    else:
        sound(s, taken)


@given(notebook=NOTEBOOK)
@settings(derandomize=True, deadline=None, max_examples=150, suppress_health_check=QUIET)
def test_any_notebook_is_refused_or_becomes_a_sound_one(s: Sample, notebook: Any) -> None:
    either_refused_or_sound(s, notebook, read_notebook_here)


@given(notebook=NOTEBOOK)
@settings(derandomize=True, deadline=None, max_examples=15, suppress_health_check=QUIET)
def test_any_notebook_through_the_child_is_refused_or_becomes_a_sound_one(s: Sample, notebook: Any) -> None:
    either_refused_or_sound(s, notebook, read_notebook)


@given(data=st.data())
@settings(derandomize=True, deadline=None, max_examples=60, suppress_health_check=QUIET)
def test_a_good_notebook_with_any_cells_put_in_stays_sound(s: Sample, data: st.DataObject) -> None:
    notebook = solved(s.first)
    for cell in data.draw(st.lists(CELL, max_size=6)):
        notebook.cells.insert(data.draw(st.integers(0, len(notebook.cells))), cell)
    taken = s.take(json.dumps(notebook).encode())
    sound(s, taken)
    assert taken.lesson is LESSONS[0] and taken.found >= {"shift", "scale", "why"}


@given(data=st.binary(max_size=40))
@settings(derandomize=True, deadline=None, max_examples=100, suppress_health_check=QUIET)
def test_any_bytes_are_refused_or_become_a_sound_notebook(s: Sample, data: bytes) -> None:
    with pytest.raises(IntakeError):
        s.take(data)


@pytest.mark.parametrize("module", sorted(reader_process.PACKAGE.glob("*.py")), ids=lambda path: path.stem)
def test_what_reads_students_files_imports_nothing_but_the_standard_library(module: Path) -> None:
    nodes = list(ast.walk(ast.parse(module.read_text())))
    absolute = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    absolute |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    assert {name.split(".")[0] for name in absolute} <= set(sys.stdlib_module_names)
    # One dot stays inside the package.
    assert {node.level for node in nodes if isinstance(node, ast.ImportFrom)} <= {0, 1}


def test_the_hook_leaves_nothing_in_the_list_whatever_happens(
    s: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Course, "lessons", fail)
    monkeypatch.setattr(Course, "here", classmethod(lambda cls: s.course))
    folder = s.submitted()
    (folder / "01_shifting.ipynb").write_bytes(b"{}")
    notebooks = [str(folder / "01_shifting.ipynb")]
    with pytest.raises(KeyboardInterrupt):
        intake.pre_convert_hook(assignment=ASSIGNMENT, student="ada", notebooks=notebooks)
    assert notebooks == []
