"""The kit: what students are handed holds what they need, and no solution and no reference."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import nbformat
import numpy as np
import pytest
import yaml

from autograder import cli
from autograder.authoring import build, kit
from autograder.authoring.leaks import leaks, texts
from autograder.course import Course, CourseError
from cnnlab.checking import cases, wire
from tests import ROOT

pytest.importorskip("hatchling", reason="hatchling is not installed, and without it no wheel can be built")
ASSIGNMENT = "1_layers"
FOLDER = f"cnnlab_{ASSIGNMENT}"


@pytest.fixture(scope="module", autouse=True)
def public_cases_as_they_stand() -> Iterator[None]:
    """Take the public Cases from their files: that a build works out the same is proven in test_build.py."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            build, "_public_cases", lambda lesson: tuple(cases.load(name) for name in lesson.exercises)
        )
        yield


@pytest.fixture(scope="module")
def packed(checkout: Course, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kit as the command writes it."""
    path = tmp_path_factory.mktemp("kit") / "kit.zip"
    options = cli._parser().parse_args(["kit", ASSIGNMENT, "--out", str(path)])
    assert options.run(checkout, options) == 0
    return path


@pytest.fixture(scope="module")
def unpacked(packed: Path) -> Path:
    """The kit's folder as a student has it."""
    shutil.unpack_archive(packed, packed.parent)
    return packed.parent / FOLDER


@pytest.fixture(scope="module")
def files(unpacked: Path) -> dict[str, bytes]:
    """The kit's files, name -> bytes."""
    return {p.relative_to(unpacked).as_posix(): p.read_bytes() for p in unpacked.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def installed(unpacked: Path) -> Path:
    """A folder where the kit's wheel, and nothing else, is installed."""
    (wheel,) = unpacked.glob("*.whl")
    target = unpacked.parent / "installed"
    options = ["--no-deps", "--no-index", "--no-compile", "--quiet", "--target", str(target)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(wheel)], check=True)
    return target


@pytest.fixture
def copy(tmp_path: Path) -> Course:
    """A course in a copy of this checkout."""
    for name in ("cnnlab", "notebooks", "solutions"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "autograder" / "exercises", tmp_path / "autograder" / "exercises")
    for name in ("pyproject.toml", "LICENSE", "README.md", "environment.yml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return Course(tmp_path, tmp_path / "work")


def test_the_kit_holds_the_notebooks_the_wheel_and_the_how_to(
    checkout: Course, files: dict[str, bytes]
) -> None:
    lessons = checkout.lessons(ASSIGNMENT)
    notebooks = {f"notebooks/{lesson.name}.ipynb" for lesson in lessons}
    (wheel,) = [name for name in files if name.endswith(".whl")]
    assert set(files) == {*notebooks, wheel, "environment.yml", "README.md"}
    for lesson in lessons:
        assert files[f"notebooks/{lesson.name}.ipynb"] == checkout.student_notebook(lesson).read_bytes()


def test_equal_lessons_give_equal_bytes(copy: Course, packed: Path) -> None:
    for path in copy.root.rglob("*.py"):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    (copy.root / "cnnlab" / "__pycache__").mkdir()
    (copy.root / "cnnlab" / "__pycache__" / "answer.cpython-311.pyc").write_bytes(b"anything")
    assert kit.write_kit(copy, ASSIGNMENT).read_bytes() == packed.read_bytes()
    assert [p.name for p in (copy.work / "kit").iterdir()] == [f"{FOLDER}.zip"]


# What must not be in it


def solved(path: Path) -> list[list[str]]:
    """The lines of each solution region of a lesson's script, in order, those that say something."""
    regions = re.findall(r"# BEGIN SOLUTION\n(.*?)# END SOLUTION", path.read_text(), re.DOTALL)
    return [
        [line.strip("# ").strip() for line in text.split("\n") if len(line.strip("# ")) >= 16]
        for text in regions
    ]


def test_no_line_of_a_solution_is_in_a_notebook(unpacked: Path) -> None:
    for path in sorted((unpacked / "notebooks").glob("*.ipynb")):
        script = (ROOT / "solutions" / ASSIGNMENT / f"{path.stem}.py").read_text()
        notebook = nbformat.read(path, as_version=4)
        text = "\n".join(cell.source for cell in notebook.cells)
        regions = solved(ROOT / "solutions" / ASSIGNMENT / f"{path.stem}.py")
        assert regions and not any(cell.get("outputs") for cell in notebook.cells)
        for line in (line for region in regions for line in region):
            if script.count(line) == 1:  # else the lesson shows it openly too
                assert line not in text, path.name


def test_no_solution_and_no_reference_is_in_any_text(files: dict[str, bytes], checkout: Course) -> None:
    scripts = [p for p in (ROOT / "solutions").rglob("*.py")]
    regions = [region for path in scripts for region in solved(path) if len(region) >= 3]
    assert len(regions) > 20
    references = {p.read_text() for p in (ROOT / "autograder" / "exercises").rglob("*.py")}
    names = set()
    for name, text in texts(files):
        names.add(name.rsplit("/", 1)[-1])
        assert not re.search(r"BEGIN SOLUTION|END SOLUTION|autograder", text), name
        assert text not in references
        lines = [line.strip() for line in text.split("\n")]
        for region in regions:
            for start in range(len(region) - 2):
                run = region[start : start + 3]  # two in a row are an error message that a stand-in shares
                at = [i for i, line in enumerate(lines) if line == run[0]]
                assert not any([x for x in lines[i:] if len(x) >= 16][:3] == run for i in at), (name, run)
    assert {"README.md", "METADATA", "layers.py", "02_convolution.ipynb"} <= names


def test_the_wheel_holds_cnnlab_only(unpacked: Path) -> None:
    (wheel,) = unpacked.glob("*.whl")
    members = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in members if ".dist-info/" not in name} == {"cnnlab"}
    assert not [name for name in members if name.endswith((".pyc", ".ipynb", ".safetensors"))]


def values(value: object) -> list[bytes]:
    """The arrays in a value that are long enough to be told from others by chance, as bytes."""
    if isinstance(value, np.ndarray):
        return [value.tobytes()] if value.size >= 4 and np.unique(value).size > 2 else []
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [found for part in parts for found in values(part)]


def test_the_public_cases_in_the_wheel_say_nothing_of_the_secret_ones(
    installed: Path, checkout: Course
) -> None:
    folder = installed / "cnnlab" / "checking" / "cases"
    secret = sha256(b"a secret of this test").digest()
    compared = 0
    for lesson in checkout.lessons(ASSIGNMENT):
        for name, exercise in lesson.exercises.items():
            public = cases.load(name, folder).questions
            hidden = replace(exercise, mistakes=(), clues=()).secret_questions(secret).questions
            asked = {wire.pack(dict(q.inputs)) for q in public}
            assert not [q.words for q in hidden if wire.pack(dict(q.inputs)) in asked], name
            known = {found for q in public for found in values(dict(q.expected))}
            told = {found for q in hidden for found in values(dict(q.expected))}
            assert not known & told, name
            compared += len(told)
    assert compared > 100


PLANTED = {
    "a region's mark in a notebook": ("notebooks/02_convolution.ipynb", "# BEGIN SOLUTION"),
    "a line of a solution in a notebook": ("notebooks/02_convolution.ipynb", None),
    "the grader's name in the page": ("README.md", "see autograder/exercises"),
}


@pytest.mark.parametrize("what", PLANTED)
def test_what_is_planted_is_found(what: str, files: dict[str, bytes], checkout: Course) -> None:
    name, words = PLANTED[what]
    if words is None:
        regions = solved(checkout.script(checkout.lesson(ASSIGNMENT, "02_convolution")))
        words = max((line for region in regions for line in region), key=len)
    if name.endswith(".ipynb"):
        notebook = json.loads(files[name])
        notebook["cells"][3]["source"] = [words]
        data = json.dumps(notebook).encode()
    else:
        data = files[name] + words.encode()
    found = leaks(checkout, {name: data})
    assert found and name in found[0]
    assert not leaks(checkout, {name: files[name]})


@pytest.mark.parametrize("what", ["a solution", "a reference", "a file beside cnnlab"])
def test_what_is_planted_in_cnnlab_stops_the_kit_and_nothing_is_written(what: str, copy: Course) -> None:
    extra = copy.root / "cnnlab" / "extra.py"
    if what == "a solution":
        extra.write_text("def conv(x):\n" + "\n".join(
            "    " + line for line in max(solved(ROOT / "solutions/1_layers/02_convolution.py"), key=len)
        ))  # fmt: skip
    elif what == "a reference":
        shutil.copy(ROOT / "autograder" / "exercises" / "backward" / "operations.py", extra)
        extra.write_text(extra.read_text().replace("autograder", "cnnlab"))
    else:
        pyproject = copy.root / "pyproject.toml"
        more = '[tool.hatch.build.targets.wheel.force-include]\n"LICENSE" = "answers/LICENSE"\n'
        pyproject.write_text(pyproject.read_text() + more)
    wheel, data = kit._wheel(copy)
    found = leaks(copy, {wheel: data})
    wanted = {
        "a solution": "extra.py has ",
        "a reference": "extra.py has ",
        "a file beside cnnlab": "holds answers/LICENSE",
    }
    assert any(wanted[what] in clause for clause in found)


@pytest.mark.slow
def test_a_leak_or_a_stale_notebook_stops_the_kit(copy: Course) -> None:
    released = copy.root / "notebooks" / ASSIGNMENT / "02_convolution.ipynb"
    right = released.read_text()
    released.write_text(right.replace("raise NotImplementedError", "return 1", 1))
    with pytest.raises(
        CourseError, match=r"stale: notebooks/1_layers/02_convolution.ipynb; run 'autograder build'"
    ):
        kit.write_kit(copy, ASSIGNMENT)
    released.write_text(right)
    (copy.root / "cnnlab" / "extra.py").write_text("import autograder\n")
    with pytest.raises(CourseError, match=r"extra.py says 'autograder'"):
        kit.write_kit(copy, ASSIGNMENT)
    assert not copy.work.exists()


# What a student does with it


def test_the_wheel_alone_checks_an_answer(installed: Path, tmp_path: Path) -> None:
    script = """
        import importlib.util, pathlib, sys
        assert importlib.util.find_spec("autograder") is None
        import cnnlab
        assert pathlib.Path(cnnlab.__file__).is_relative_to(sys.argv[1]), cnnlab.__file__
        import numpy as np
        from cnnlab import answer, check
        @answer
        def relu_forward(x):
            return np.maximum(x, 0)
        check(relu_forward)
        @answer
        def relu_forward(x):
            return abs(x)
        check(relu_forward)
    """
    path = tmp_path / "student.py"
    path.write_text("\n".join(line[8:] for line in script.split("\n")))
    # -S: no .pth file, so this checkout is not on the path, only the packages that it needs.
    everything = os.pathsep.join(
        [str(installed), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": everything, "HOME": str(tmp_path)}
    command = [sys.executable, "-S", str(path), str(installed)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    count = len(cases.load("relu_forward").questions)
    assert f"relu_forward: all {count} cases pass." in done.stdout, done.stderr
    assert f"{count} of {count} cases fail. You turned negative values positive" in done.stdout
    assert done.stderr.rstrip().split("\n")[-1].startswith("cnnlab.checking.check.CheckFailed: relu_forward")


def test_the_environment_installs_the_wheel_that_is_there(unpacked: Path) -> None:
    environment = yaml.safe_load((unpacked / "environment.yml").read_text())
    ours = yaml.safe_load((ROOT / "environment.yml").read_text())
    (pip,) = [line for line in environment["dependencies"] if isinstance(line, dict)]
    assert [(unpacked / path).is_file() for path in pip["pip"]] == [True]
    plain = [line for line in ours["dependencies"] if isinstance(line, str)]
    assert [line for line in environment["dependencies"] if isinstance(line, str)] == plain


def test_the_commands_of_the_how_to_name_what_is_there(unpacked: Path, checkout: Course) -> None:
    page = (unpacked / "README.md").read_text()
    commands = [shlex.split(line) for line in page.split("\n") if line.startswith("    ")]
    assert ["conda", "env", "create", "-f", "environment.yml"] in commands
    paths = {word for words in commands for word in words if word.endswith((".whl", ".ipynb", ".yml"))}
    assert len(paths) == 3 and all((unpacked / path).is_file() for path in paths)
    environment = yaml.safe_load((unpacked / "environment.yml").read_text())
    assert ["conda", "activate", environment["name"]] in commands
    for lesson in checkout.lessons(ASSIGNMENT):
        points = lesson.total + sum(lesson.questions.values())
        assert re.search(rf"\| `{lesson.name}.ipynb` \| .+ \| {points:g} \|", page)
        assert all(file in page for file in lesson.files)
    assert len(page.split("\n")) < 70 and "{" not in page


def test_an_unknown_assignment_is_one_sentence(checkout: Course) -> None:
    with pytest.raises(CourseError, match="There is no assignment '9_none'"):
        kit.write_kit(checkout, "9_none")
