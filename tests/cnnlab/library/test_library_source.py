"""An Answer's source from the text of cells: what it names comes along, what it does not stays away."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from cnnlab.library import MissingHelper, extract
from cnnlab.library.shelf import run
from cnnlab.library.source import MAX_CELL

IMPORTS = "import numpy as np\n\nfrom cnnlab import answer, check, written\nimport os, math"
ANSWER = "@answer\ndef double(x):\n    return twice(x)"


def loaded(cells: Sequence[str], name: str = "double") -> Any:
    """Return the Answer that the extracted source defines when it is run by itself."""
    return run(name, extract(name, cells), "<test>")


def test_only_what_is_named_comes_along():
    cells = [
        IMPORTS,
        "def unused(x):\n    return 1 / 0",
        "FACTOR = 2\nOTHER = 3",
        "def twice(x):\n    return FACTOR * x",
        ANSWER,
        "check(double)",
    ]
    assert extract("double", cells) == (
        "from cnnlab import answer\n\n"
        "FACTOR = 2\n\n\n"
        "def twice(x):\n    return FACTOR * x\n\n\n"
        "@answer\ndef double(x):\n    return twice(x)\n"
    )
    assert loaded(cells)(3) == 6


def test_the_latest_definition_counts():
    cells = [
        IMPORTS,
        "def twice(x): return 5",
        ANSWER,
        "def twice(x):\n    return x + x",
        "def double(x): pass",
        ANSWER,
    ]
    assert "return 5" not in extract("double", cells) and "pass" not in extract("double", cells)
    assert loaded(cells)(4) == 8


def test_a_helper_may_be_redefined_after_the_answer():
    cells = [IMPORTS, "def twice(x): return 5", ANSWER, "def twice(x): return x * 2"]
    assert loaded(cells)(4) == 8


def test_other_answers_and_what_they_name_come_along():
    cells = [
        IMPORTS,
        "@answer\ndef pad(x):\n    return np.pad(x, 1)",
        "@answer\ndef conv(x):\n    return pad(x).sum()",
    ]
    assert loaded(cells, "conv")(np.ones(3)) == 3
    assert "import numpy as np" in extract("conv", cells)


def test_recursion_and_a_circle_of_helpers():
    cells = [
        "def even(n):\n    return n == 0 or odd(n - 1)",
        "def odd(n):\n    return n != 0 and even(n - 1)",
        "def double(n):\n    return 0 if n == 0 else 2 + double(n - 1) * even(2)",
    ]
    assert loaded(cells)(5) == 10


def test_helpers_that_are_classes():
    cells = [
        "from dataclasses import dataclass, field",
        "class Base:\n    factor = SCALE * 2 if False else 2",
        "SCALE = 1",
        "@dataclass\nclass Twice(Base):\n    add: int = 0\n    def on(self, x):\n        return self.factor * x + self.add",
        "def double(x):\n    return Twice().on(x)",
    ]
    assert loaded(["SCALE = 1", *cells])(3) == 6


def test_an_answer_may_be_a_class():
    cells = [
        IMPORTS,
        "def twice(x): return 2 * x",
        "@answer\nclass Net:\n    def __call__(self, x):\n        return twice(x)",
    ]
    assert loaded(cells, "Net")()(3) == 6


@pytest.mark.parametrize(
    "body",
    [
        "def double(twice, x=1):\n    return twice",
        "def double(x):\n    twice = 2 * x\n    return twice",
        "def double(x):\n    for twice in [2 * x]:\n        pass\n    return twice",
        "def double(x):\n    return [twice for twice in [2 * x]][0]",
        "def double(x):\n    import math as twice\n    return 2 * x",
        "def double(x):\n    def twice():\n        return 2 * x\n    return twice()",
        "def double(x):\n    return (lambda twice: twice)(2 * x)",
        "def double(x):\n    if (twice := 2 * x):\n        return twice",
        "def double(x):\n    try:\n        raise ValueError\n    except ValueError as twice:\n        return 2 * x",
        "def double(x):\n    match x:\n        case twice:\n            return twice",
    ],
)
def test_a_shadowed_name_is_no_helper(body):
    assert extract("double", [body]) == body + "\n"
    assert "1 / 0" not in extract("double", ["def twice(x):\n    return 1 / 0", body])


def test_a_name_that_shadows_a_builtin_comes_along():
    cells = ["def sum(x):\n    return 7", "def double(x):\n    return sum(x) + abs(x)"]
    assert loaded(cells)(1) == 8


def test_what_a_default_a_decorator_and_a_base_name_comes_along():
    cells = [
        "import functools",
        "FACTOR = 2",
        "def wrap(f):\n    @functools.wraps(f)\n    def inner(x):\n        return f(x)\n    return inner",
        "@wrap\ndef double(x, factor=FACTOR):\n    return x * factor",
    ]
    assert loaded(cells)(4) == 8


def test_constants_are_taken_with_all_that_made_them():
    cells = [
        "import numpy as np",
        "def build(n):\n    return [SCALE * i for i in range(n)]",
        "SCALE = 2",
        "TABLE = build(3)\nTABLE.append(6)\nTABLE[3] += 2\nOTHER = 1 / 0",
        "N = 1\nN += 1",
        "N = N + 0",
        "for i in range(4):\n    TABLE[i] += 0",
        "def double(n):\n    return TABLE[n] * N // 2",
    ]
    double = loaded(cells)
    assert [double(n) for n in range(4)] == [0, 2, 4, 8]
    assert "1 / 0" not in extract("double", [*cells[:3], "TABLE = build(3)", "OTHER = 1 / 0", *cells[4:]])


def test_a_constant_sees_the_helper_as_it_was_then():
    cells = [
        "def f():\n    return 1",
        "ONE = f()",
        "def f():\n    return 2",
        "def double(x):\n    return ONE, f()",
    ]
    assert loaded(cells)(0) == (1, 2)


def test_cells_that_ran_several_times_are_not_repeated():
    cells = [
        "import numpy as np",
        "def twice(x):\n    return np.add(x, x)",
        "T = twice(1)",
        "def double(x):\n    return twice(x) * T // T",
    ]
    source = extract("double", cells * 5)
    assert source.count("import numpy") == 1 and source.count("def twice") == 1
    assert loaded(cells * 5)(2) == 4


def test_branches_and_loops_that_bind_a_name():
    cells = [
        "import sys",
        "if sys.platform == 'nowhere':\n    def twice(x):\n        return 0\nelse:\n    def twice(x):\n        return 2 * x",
        "try:\n    from nowhere import quick\nexcept ImportError:\n    quick = None",
        "with open(__file__) if False else __import__('contextlib').nullcontext(2) as two:\n    pass",
        "def double(x):\n    return twice(x) if quick is None else two",
    ]
    assert loaded(cells)(3) == 6


def test_several_statements_on_one_line():
    cells = ["import math; FACTOR = 2; UNUSED = 3", "def double(x): return FACTOR * x"]
    assert loaded(cells)(3) == 6


def test_imports_are_cut_to_what_is_named():
    cells = [
        "import os.path, os, json as j, collections.abc\nfrom math import pi as half_turn, e, tau",
        "import xml.dom\nimport xml.sax",
        "def double(x):\n    return os.path.sep, j.dumps(x), half_turn, xml.dom, xml.sax",
    ]
    source = extract("double", cells)
    assert "import os\n" in source and "import os.path" in source and "import json as j" in source
    assert (
        "from math import pi as half_turn" in source and "tau" not in source and "collections" not in source
    )
    assert loaded(cells)(1)[1] == "1"


def test_star_imports_may_define_anything():
    cells = ["from math import *", "def double(x):\n    return 2 * floor(x)"]
    assert loaded(cells)(3.5) == 6
    assert "import *" not in extract("double", ["from math import *", "def double(x):\n    return abs(x)"])


def test_future_imports_come_first():
    cells = [
        "from __future__ import annotations",
        "X = 3",
        "def double(x: Undefined) -> Nothing:\n    return X",
    ]
    assert extract("double", cells).startswith("from __future__ import annotations\n")
    assert loaded(cells)(1) == 3


def test_names_in_annotations_come_along():
    cells = [
        "import numpy as np",
        "from collections.abc import Sequence",
        "def double(x: Sequence) -> np.ndarray:\n    return 1",
    ]
    assert loaded(cells)(1) == 1


@pytest.mark.parametrize(
    "cell",
    [
        "%matplotlib inline\n{}",
        "{}\n%timeit double(3)",
        "!pip install \\\n    numpy \\\n    scipy\n{}",
        "%%time\n{}",
        "\n%%capture out\n{}",
        "np.pad?\n?np.pad\n{}",
        "files = !ls\nhere = %pwd\n{}",
        "for i in range(3):\n    %timeit -n1 i\n    !echo 'it's {{i}}'\n{}",
        "{}\r\n%time double(2)\r\n",
        'text = """\n%not a magic\n!nor this\n"""\n{}\n%pwd',
        "{}\nawait something()",
        "# a comment\n#%% another\n{}",
    ],
)
def test_what_is_ipython_s_own_is_skipped(cell):
    cells = [cell.format("def double(x):\n    return 2 * x")]
    assert loaded(cells)(3) == 6


def test_a_magic_inside_an_answer_is_dropped():
    assert loaded(["def double(x):\n    %time y = 2 * x\n    return 2 * x"])(3) == 6


@pytest.mark.parametrize(
    "cell", ["%%bash\ndef double(x): broken", "%%html\n<b>", "def double(x:\n  return", "double = = 3"]
)
def test_cells_that_are_no_python_are_passed_over(cell):
    cells = ["def double(x):\n    return 2 * x", cell]
    assert loaded(cells)(3) == 6


def test_comments_above_an_answer_stay_and_cell_marks_do_not():
    script = "# %% [markdown]\n# words\n\n# %% exercise='double'\n# mine\n# own\ndef double(x):\n    return 2 * x  # twice\n"
    assert extract("double", [script]) == "# mine\n# own\ndef double(x):\n    return 2 * x  # twice\n"


def test_a_missing_helper_is_named():
    cells = [IMPORTS, "def double(x):\n    return my_pad(twice(x))"]
    with pytest.raises(MissingHelper) as failure:
        extract("double", cells)
    assert str(failure.value) == "double uses `my_pad` and `twice`, which no cell defines"
    assert failure.value.name == "double" and failure.value.missing == ("my_pad", "twice")


def test_what_is_missing_may_be_left_out():
    cells = ["def double(x):\n    return 2 * x if x else never(x)"]
    assert run("double", extract("double", cells, partial=True), "<test>")(2) == 4


@pytest.mark.parametrize(
    "cells", [[], ["x = 3"], ["from math import double"], ["def outer():\n    def double(x): pass"]]
)
def test_an_answer_that_no_cell_defines(cells):
    for partial in (False, True):
        with pytest.raises(MissingHelper, match=r"^no cell defines double$"):
            extract("double", cells, partial=partial)


HOSTILE = [
    "(" * 5000,
    "-" * 100_000 + "1",
    "x = " + "[" * 150 + "]" * 150,
    "a" + ".a" * 50_000,
    "f" + "()" * 20_000,
    "x = " + "+".join(["1"] * 30_000),
    "x = '\ud800'",
    "\0",
    "\ufeffx = 3",
    "\x0c\x0bdef double(x): return x",
    "'''",
    "\\",
    "!" * 10_000,
    "\n".join(["!ls"] * 50_000),
    "\n".join(f"{'    ' * n}if 1:" for n in range(120)),
    "\n".join(f"{' ' * n}def f{n}():" for n in range(99)) + "\n" + " " * 99 + "pass",
    "x" * (MAX_CELL + 1),
    "match x:\n    case" + " [" * 2000,
    "lambda: " * 3000 + "0",
    "f'{" * 300,
    "class double(" + "double," * 5000 + "): pass",
    "".join(f"a{n} = b{n} = c{n}\n" for n in range(5000)),
]


@pytest.mark.parametrize("cell", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_neither_raises_nor_takes_long(cell):
    start = time.process_time()
    cells = [cell, "def double(x):\n    return 2 * x"]
    assert loaded(cells)(3) == 6
    try:
        extract("double", [cell])
    except MissingHelper:
        pass
    assert time.process_time() - start < 10
    assert sys.getrecursionlimit() >= 1000


def test_an_answer_that_names_very_much_is_refused_in_time():
    names = [f"n{i}" for i in range(700)]
    cells = [f"{name} = [{', '.join(names)}] if 0 else 0" for name in names for _ in range(3)]
    start = time.process_time()
    try:
        extract("double", [*cells, f"def double(x):\n    return {'+'.join(names)}"])
    except MissingHelper:
        pass
    assert time.process_time() - start < 20


def test_nothing_is_run_and_nothing_is_said(capfd):
    with_warnings = "def double(x):\n    '\\d'\n    return 2 * x is 3"
    extract("double", ["raise SystemExit", "print('ran')", with_warnings])
    assert capfd.readouterr() == ("", "")
