"""The library on hostile text: it is refused, and soon; nothing of it runs before it is asked for."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from cnnlab import import_library, layers
from cnnlab.library import NotALibrary, extract, lend, lending
from cnnlab.library.onefile import HOW, MAX_FILE, TITLE
from cnnlab.library.source import blocks_of, defines

F = "def f(x):\n    return T\n"
MIB = 1 << 20
# Each would take minutes or more if it were searched with backtracking or followed pair by pair.
COSTLY = {
    "spaces": " " * 900_000 + "x y\n" + F,
    "spaces that go on": "\n" + "(" + " " * 900_000 + "x y\n" + F,
    "names": "a, " * 300_000 + "\n" + F,
    "an assignment of spaces": "x =" + " " * 900_000 + "y z\n" + F,
    "question marks": "? " * 400_000 + "x\n" + F,
    "imports from the future": "from __future__ import " * 40_000 + F,
    "changes": "T = []\n" + "T.append(1)\n" * 6_000 + F,
    "brackets": "(" * 900_000 + F,
    "signs": "x = " + "-" * 900_000 + "1\n" + F,
    "attributes": "x = a" + ".a" * 400_000 + "\n" + F,
    "functions in functions": "x = " + "lambda: " * 90_000 + "1\n" + F,
    "sums": "x = 1" + "+1" * 400_000 + "\n" + F,
    "branches": "if a: pass\n" + "elif a: pass\n" * 60_000 + F,
    "magics": "!ls\n" * 99 + "x = 1\n" * 10_000 + F,
    "stars": "from m import *\n" * 10_000 + F,
    "decorators": "@a\n" * 50_000 + F,
    "a NUL": "\0" + F,
    "half a character": "'\ud800'\n" + F,
    "too long": "#" * MIB + F,
}


@pytest.fixture(autouse=True)
def given_back():
    yield
    lending.end_lending()


@pytest.mark.parametrize("what", COSTLY)
def test_costly_text_is_read_or_refused_soon(what: str) -> None:
    cell = COSTLY[what]
    began = time.process_time()
    try:
        assert "def f(x)" in extract("f", [cell], partial=True)
    except LookupError:
        pass
    assert defines("f", [cell]) in (True, False) and isinstance(blocks_of(cell), tuple)
    assert time.process_time() - began < 5


@pytest.mark.parametrize("what", COSTLY)
def test_a_costly_cell_beside_it_does_not_hide_an_answer(what: str) -> None:
    lend({"80_x": ["T = 3\n" + F, COSTLY[what].removesuffix(F)]})
    began = time.process_time()
    try:
        assert callable(layers.f)
    except (ImportError, NameError, SyntaxError):
        assert what in ("changes", "stars", "decorators")
    assert time.process_time() - began < 5


def test_an_answer_in_a_ring_of_lessons_is_refused() -> None:
    lend(
        {
            "80_a": ["from cnnlab import layers\nONE = layers.g\ndef f(x): return ONE(x)"],
            "81_b": ["from cnnlab import layers\nTWO = layers.f\ndef g(x): return TWO(x)"],
        }
    )
    for name in ("f", "g"):
        with pytest.raises(ImportError, match="asks for itself"):
            getattr(layers, name)


def write(path: Path, *parts: str) -> Path:
    path.write_text(
        "\n\n".join([f"{TITLE}\n{HOW.format(path.name)}", *parts]) + "\n", "utf-8", "surrogatepass"
    )
    return path


@pytest.mark.parametrize(
    "part",
    [
        "# ==== ../../evil, 1 lines\npass",
        "# ==== pad2d, 99999999999999999999 lines\npass",
        "# ==== pad2d, 0 lines\npass",
        "# ==== pad2d, -1 lines\npass",
        "# ==== pad2d, 1 lines\npass\n\n# ==== pad2d, 1 lines\npass",
        "# ==== " + "a" * 5_000_000,
        "# ====" + " " * 5_000_000,
        "\ud800",
    ],
    ids=["path", "huge", "none", "negative", "twice", "a long name", "spaces", "half a character"],
)
def test_a_file_that_lies_about_its_parts_is_refused(tmp_path: Path, library: Path, part: str) -> None:
    began = time.process_time()
    with pytest.raises(NotALibrary):
        import_library(write(tmp_path / "my_cnnlab.py", part))
    assert time.process_time() - began < 3 and not library.exists()


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotALibrary, match="larger"):
        import_library(write(tmp_path / "my_cnnlab.py", "#" * MAX_FILE))


@pytest.mark.parametrize(
    "source",
    [
        "def pad2d(*a, **k): return 3",
        "raise SystemExit",
        "class E(Exception):\n    def __str__(self): raise E\nraise E",
        "x = " + "(" * 5000,
        "x = 1" + "+1" * 50_000,
        "def pad2d(*a, **k): return pad2d(*a, **k)",
        "pad2d = 3",
    ],
)
def test_a_part_that_does_not_pass_is_not_taken(tmp_path: Path, library: Path, source: str) -> None:
    part = f"# ==== pad2d, {source.count(chr(10)) + 1} lines\n{source}"
    assert import_library(write(tmp_path / "my_cnnlab.py", part)) == []
    assert not library.exists()
