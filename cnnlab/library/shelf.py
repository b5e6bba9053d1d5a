"""The folder of kept Answers: one plain file each, written whole or not at all."""

from __future__ import annotations

import os
import re
import secrets
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cnnlab.library.catalogue import lesson_of, lesson_words
from cnnlab.library.errors import Unloadable

FOLDER = "my_cnnlab"
ASSIGNMENT = re.compile(r"\d+_\w+")  # such as 1_layers
PARENTS = 2  # how far up an existing library is looked for

_loaded: dict[Path, tuple[tuple[int, ...], Any]] = {}


def home() -> Path:
    """Return the folder of the student's library, which need not exist yet.

    It is $CNNLAB_HOME; else an existing my_cnnlab in the working directory or up to two folders above; else
    my_cnnlab in the working directory, or beside it where that is an assignment's folder such as 1_layers.
    """
    named = os.environ.get("CNNLAB_HOME")
    if named:
        return Path(named).expanduser()
    here = Path.cwd()
    for folder in [here, *here.parents][: PARENTS + 1]:
        if _is_ours(folder / FOLDER):
            return folder / FOLDER
    return (here.parent if ASSIGNMENT.fullmatch(here.name) else here) / FOLDER


def kept() -> dict[str, Path]:
    """Return the name of each kept Answer with its file."""
    try:
        files = sorted(home().glob("*.py"))
    except OSError:
        return {}
    return {path.stem: path for path in files if path.stem.isidentifier() and not path.stem.startswith("_")}


def load(name: str) -> Any:
    """Return the kept Answer `name`, loaded anew where its file has changed.

    Raises:
        LookupError: where it is not kept.
        Unloadable: where its file does not define it any more.
    """
    path = Path(f"{name}.py")
    try:
        path = home() / path
        status = path.stat()
        state = (status.st_mtime_ns, status.st_size, status.st_ino)
        if path in _loaded and _loaded[path][0] == state:
            return _loaded[path][1]
        source = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise LookupError(f"{name} is not in your library") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Unloadable(f"{path} cannot be read ({error}); run the check of {name} again") from None
    try:
        found = run(name, source, str(path))
    except Exception as error:
        raise Unloadable(
            f"{path} cannot be loaded ({type(error).__name__}: {error}); run the check of {name} again"
        ) from error
    _loaded[path] = (state, found)
    return found


def run(name: str, source: str, filename: str) -> Any:
    """Run an Answer's source in a module of its own, `cnnlab_answer_NAME`, and return the Answer.

    Args:
        name: the Answer's name.
        source: the text, which is run.
        filename: the name that tracebacks show.

    Raises:
        LookupError: where the source does not define `name`.
        Exception: any that the source raises.
    """
    module = types.ModuleType(f"cnnlab_answer_{name}")
    module.__file__ = filename
    before = sys.modules.get(module.__name__)
    sys.modules[module.__name__] = module  # dataclasses and pickles look there
    try:
        exec(compile(source, filename, "exec", dont_inherit=True), module.__dict__)
        if not callable(vars(module).get(name)):
            raise LookupError(f"{filename} does not define {name}")
    except BaseException:
        sys.modules.pop(module.__name__)
        if before is not None:
            sys.modules[module.__name__] = before
        raise
    return vars(module)[name]


def headed(name: str, source: str) -> str:
    """Return an Answer's source under a comment that says what the file is."""
    lesson = lesson_of(name)
    where = f"{lesson_words(name) or 'a lesson'}{f' ({lesson})' if lesson else ''}"
    return (
        f"# {name}: your Answer to an exercise of {where}, kept by cnnlab after its check passed.\n"
        f"# cnnlab.layers.{name} is this file's function. Change it in the notebook and run its check again:\n"
        f"# then this file is written anew.\n\n{source}"
    )


def holds(name: str, text: str) -> bool:
    """Say whether a kept Answer's file is this very text."""
    try:
        return (home() / f"{name}.py").read_text(encoding="utf-8") == text
    except (OSError, UnicodeDecodeError):
        return False


def write(name: str, text: str) -> None:
    """Write a kept Answer's file, making the folder where there is none; raise OSError."""
    folder = home()
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / f"{name}.py", text)


def write_whole(path: Path, text: str) -> None:
    """Write a text file so that no reader ever sees a part of it; raise OSError."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        draft.write_text(text, encoding="utf-8", newline="\n")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def shown(path: Path) -> str:
    """Return a path as the student sees it from where they work."""
    try:
        short = os.path.relpath(path)
    except ValueError:  # another drive
        return str(path)
    return short if len(short) < len(str(path)) else str(path)


def _is_ours(folder: Path) -> bool:
    """Say whether a folder exists and belongs to this user: what lies in it is run."""
    try:
        owner = folder.stat().st_uid if folder.is_dir() else None
    except OSError:
        return False
    uid: Callable[[], int] | None = getattr(os, "getuid", None)
    return owner is not None and (uid is None or owner == uid())
