"""The process that reads students' files: what it may use, and what happens where it crashes, hangs or lies."""

from __future__ import annotations

import ast
import sys
import textwrap
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autograder import intake
from autograder.intake import IntakeError, reader_process
from autograder.intake.read_notebook import read_notebook
from autograder.intake.reader import cell_facts
from autograder.intake.reader import notebook as reader_notebook
from autograder.intake.reader.cell_facts import CellFacts
from tests.autograder.intake.intake_sample import (
    LESSONS,
    Sample,
    as_bytes,
    code,
    put_in,
    solved,
)


def test_where_the_parser_crashes_the_cells_are_read_without_it(
    s: Sample, replace_reader: Callable[[str, str], None]
) -> None:
    script = Path(cell_facts.__file__).read_text()
    crash = script.replace("ast.parse(text)", "os.abort()").replace("import ast\n", "import ast, os\n")
    assert crash != script
    replace_reader("cell_facts", crash)
    taken = s.take(solved(s.first), reader=read_notebook)
    assert taken.written == {"shift", "scale"} and taken.flags == ()


NONSENSE = "makes no sense"
NOTHING = "takes more time or memory"
LYING = {
    "print('{}')": NONSENSE,
    "print('[' * 100000)": NONSENSE,
    """print('{"error": 3}')""": NONSENSE,
    """print('{"cells": [{}], "odd": []}')""": NONSENSE,
    """print('{"cells": [], "odd": ["' + 'x' * 1000 + '"]}')""": NONSENSE,
    "import os; os.abort()": NOTHING,
    "import sys; print('x' * (1 << 20)); sys.exit(3)": NOTHING,
    "import sys\nwhile True: sys.stdout.write('x' * (1 << 20))": NOTHING,
    "import os, signal; os.kill(os.getppid(), signal.SIGKILL)": NOTHING,
}
HANGING = ["import time; time.sleep(60)", "import os; os.close(1); import time; time.sleep(60)"]


@pytest.mark.parametrize(("script", "words"), LYING.items(), ids=LYING)
def test_the_readers_word_is_checked_and_its_length_is_bounded(
    s: Sample, replace_reader: Callable[[str, str], None], script: str, words: str
) -> None:
    replace_reader("notebook", "def main(known, options):\n" + textwrap.indent(script, "    "))
    with pytest.raises(IntakeError, match=words):
        s.take(solved(s.first), reader=read_notebook)


@pytest.mark.parametrize("script", HANGING)
def test_the_readers_time_is_bounded(
    s: Sample, monkeypatch: pytest.MonkeyPatch, replace_reader: Callable[[str, str], None], script: str
) -> None:
    replace_reader("notebook", "def main(known, options):\n" + textwrap.indent(script, "    "))
    monkeypatch.setattr(reader_process, "WALL_SECONDS", 0.1)
    with pytest.raises(IntakeError, match=NOTHING):
        s.take(solved(s.first), reader=read_notebook)


def test_the_reader_has_no_environment_and_little_memory(
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
    # Python itself may set LC_CTYPE.
    with pytest.raises(IntakeError, match=rf"^The file [01] {reader_notebook.MEMORY}\.$"):
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


@pytest.mark.parametrize("module", sorted(reader_process.PACKAGE.glob("*.py")), ids=lambda path: path.stem)
def test_what_reads_students_files_imports_nothing_but_the_standard_library(module: Path) -> None:
    nodes = list(ast.walk(ast.parse(module.read_text())))
    absolute = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    absolute |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    assert {name.split(".")[0] for name in absolute} <= set(sys.stdlib_module_names)
    # One dot stays inside the package.
    assert {node.level for node in nodes if isinstance(node, ast.ImportFrom)} <= {0, 1}
