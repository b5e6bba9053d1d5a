"""The library as one file, for machines that forget: Colab, a borrowed computer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from cnnlab.library import shelf
from cnnlab.library.errors import NotALibrary

MAX_FILE = 8 << 20  # bytes; a library of a hundred Answers has about a tenth of a MiB
TITLE = "# my_cnnlab: the library of a student of cnnlab as one file."
HOW = "# To use it elsewhere, put it beside your notebook and run\n#     import cnnlab; cnnlab.import_library({!r})"
PART = re.compile(r"# ={4} (\w+), (\d+) lines")


def export_library(path: str | Path = "my_cnnlab.py") -> Path:
    """Write all kept Answers into one file and return its path; on Colab, offer it as a download.

    Raises:
        LookupError: where nothing is kept yet.
    """
    files = shelf.kept()
    if not files:
        raise LookupError("your library is empty: an Answer is kept when its check passes in a notebook")
    path = Path(path)
    parts = [f"{TITLE}\n{HOW.format(path.name)}"]
    for name, file in files.items():
        text = file.read_text(encoding="utf-8").rstrip("\n")
        parts.append(f"# ==== {name}, {len(text.split(chr(10)))} lines\n{text}")
    shelf.write_whole(path, "\n\n".join(parts) + "\n")
    print(f"{count(len(files))} written to {path}.")
    if colab := _colab():
        colab.download(str(path))
    return path


def read_library(path: Path) -> dict[str, str]:
    """Return the Answers of a file that export_library wrote: name -> text.

    On Colab, a file that is not there is asked for.

    Raises:
        NotALibrary: where it is any other file; the message says what is wrong.
        FileNotFoundError: where it is not there.
    """
    return _parts(_text(path), path.name)


def count(number: int) -> str:
    """Return a number of Answers in words."""
    return f"{number} Answer{'' if number == 1 else 's'}"


def _parts(text: str, name: str) -> dict[str, str]:
    """Return Answer -> text; each part says how long it is, so whatever stands in it cannot be misread."""
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[0] != TITLE:
        raise NotALibrary(f"{name} is not a library that export_library wrote")
    parts: dict[str, str] = {}
    at = 1 + HOW.count("\n") + 1
    while at < len(lines):
        if not lines[at]:
            at += 1
            continue
        head = PART.fullmatch(lines[at])
        until = at + 1 + int(head[2]) if head and len(head[2]) < 7 else 0
        if head is None or not at + 1 < until <= len(lines) or not head[1].isidentifier() or head[1] in parts:
            raise NotALibrary(f"{name} is damaged at line {at + 1}: export the library again")
        parts[head[1]] = "\n".join(lines[at + 1 : until]) + "\n"
        at = until
    return parts


def _text(path: Path) -> str:
    colab = None if path.exists() else _colab()
    if colab:
        data = next(iter(colab.upload().values()), b"")
    else:
        try:
            with open(path, "rb") as file:
                data = file.read(MAX_FILE + 1)
        except FileNotFoundError:
            raise FileNotFoundError(
                f"{path} is not there: give the path of the file that export_library wrote"
            ) from None
    if len(data) > MAX_FILE:
        raise NotALibrary(f"{path.name} is larger than the {MAX_FILE:,} bytes that a library can have")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise NotALibrary(f"{path.name} is not a library that export_library wrote") from None


def _colab() -> Any:
    """Return Colab's way to move files between the machine and the browser; None elsewhere."""
    try:
        from google.colab import files  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    return files
