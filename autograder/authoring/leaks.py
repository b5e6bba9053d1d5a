"""Searches what is handed to students for solutions and references, as a last check."""

from __future__ import annotations

import ast
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.authoring.script import BEGIN, END, read
from autograder.course import Course

MARKS = re.compile(rf"{BEGIN}|{END}|\bautograder\b")
SHORTEST = 12  # characters: shorter lines prove nothing
LONG = 3  # lines; a body this long is found by more than half of its lines, a shorter one only whole
TEXT = (".py", ".md", ".txt", ".yml", ".toml", ".json", ".typed", "METADATA", "WHEEL", "RECORD", "LICENSE")


@dataclass(frozen=True)
class Body:
    """Code that students must not get.

    Args:
        name: as in "conv2d_forward of 02_convolution".
        lines: the lines that are long enough to be recognised.
    """

    name: str
    lines: tuple[str, ...]

    def is_in(self, lines: set[str]) -> bool:
        """Say whether a text with these lines gives this code away."""
        found = sum(line in lines for line in self.lines)
        return found * 2 > len(self.lines) if len(self.lines) >= LONG else found == len(self.lines)


def leaks(course: Course, files: Mapping[str, bytes]) -> list[str]:
    """Return a clause for each thing in a kit's files (name -> bytes) that students should not get.

    A notebook may not hold a single line of a solution. The rule for cnnlab is weaker, because its stand-ins share a few
    lines with solutions: it may not hold most lines of a solution or reference. No text may hold one of the builder's
    marks or a word that belongs to the grader.
    """
    solutions, references = _solutions(course), _references(course)
    answer_lines = {line: body.name for body in solutions for line in body.lines}
    found: list[str] = []
    for name, text in texts(files):
        lines = {line.strip() for line in text.split("\n")}
        found += [f"{name} says {mark!r}" for mark in sorted(set(MARKS.findall(text)))]
        if name.endswith(".ipynb"):
            hits = [line for line in sorted(lines) if line in answer_lines]
            found += [f"{name} has a line of {answer_lines[line]}: {line}" for line in hits]
        else:
            found += [f"{name} has {body.name}" for body in (*solutions, *references) if body.is_in(lines)]
    return found + _strange(files)


def texts(files: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """Yield (name, text) for every text in a kit and in its wheel; a notebook's text is its cells and their outputs."""
    for name, data in files.items():
        if name.endswith(".whl"):
            with zipfile.ZipFile(io.BytesIO(data)) as wheel:
                inside = {f"{name}/{member}": wheel.read(member) for member in wheel.namelist()}
            yield from texts(inside)
        elif name.endswith(".ipynb"):
            cells = json.loads(data)["cells"]
            yield name, "\n".join(_cell_text(cell) for cell in cells)
        elif name.endswith(TEXT):
            yield name, data.decode("utf-8")


def _cell_text(cell: dict) -> str:
    source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
    rest = {key: value for key, value in cell.items() if key not in ("source", "id", "cell_type") and value}
    return f"{source}\n{json.dumps(rest, ensure_ascii=False)}"


def _strange(files: Mapping[str, bytes]) -> list[str]:
    """Return a clause for each file in a wheel that does not belong to cnnlab."""
    found = []
    for name, data in files.items():
        if name.endswith(".whl"):
            members = zipfile.ZipFile(io.BytesIO(data)).namelist()
            strange = [m for m in members if not re.match(r"cnnlab(-[^/]+\.dist-info)?/", m)]
            found += [f"{name} holds {member}" for member in strange]
    return found


def _solutions(course: Course) -> list[Body]:
    """Return the body of every solved cell, without the lines that the lessons show openly."""
    inside: list[tuple[str, list[str]]] = []
    shown: set[str] = set()
    for lesson in (lesson for one in course.assignments() for lesson in course.lessons(one)):
        for cell in read(lesson, course.script(lesson)).cells:
            before, _, rest = cell.source.partition(BEGIN)
            solution, _, after = rest.partition(END)
            shown |= set(_lines(before)) | set(_lines(after))
            inside.append((f"{cell.name} of {lesson.name}", _lines(solution)))
    bodies = [Body(name, tuple(line for line in lines if line not in shown)) for name, lines in inside]
    return [body for body in bodies if body.lines]


def _references(course: Course) -> list[Body]:
    """Return the bodies of the functions in autograder/exercises, without short ones, which anybody might write."""
    bodies = []
    folder = course.root / "autograder" / "exercises"
    for path in sorted(folder.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef):
                code = node.body[1:] if ast.get_docstring(node) else node.body
                text = "\n".join(source.split("\n")[code[0].lineno - 1 : node.end_lineno]) if code else ""
                bodies.append(Body(f"{node.name} of {_short(path, folder)}", tuple(_lines(text))))
    return [body for body in bodies if len(body.lines) >= LONG]


def _short(path: Path, folder: Path) -> str:
    return path.relative_to(folder.parent).as_posix()


def _lines(text: str) -> list[str]:
    lines = (line.strip() for line in text.split("\n"))
    return [x for x in lines if len(x) >= SHORTEST and not x.startswith(("#", "import ", "from "))]
