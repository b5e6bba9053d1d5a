"""Reads the text of a file that an instructor wrote beside work/."""

from __future__ import annotations

from pathlib import Path

from autograder.configuration.errors import ConfigurationError, Fault
from autograder.course import Course


def name_in_messages(course: Course, path: Path) -> str:
    """Return a path as messages name it: from the checkout where the file lies in it, else whole."""
    return str(path.relative_to(course.root)) if path.is_relative_to(course.root) else str(path)


def read_text(path: Path, name: str, *, max_bytes: int, save_as: str = "UTF-8") -> str | None:
    """Return the text of a file, without a byte-order mark, or None where there is no such file.

    Args:
        path: the file; it may be a link.
        name: the file's name in messages.
        max_bytes: the most bytes that the file may have.
        save_as: how the programs that write such files call UTF-8.

    Raises:
        ConfigurationError: where the file is there and cannot be read, or is no text in UTF-8.
    """
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except FileNotFoundError as error:
        if path.is_symlink():
            sentence = "this is a link to a file that is not there: put the file back, or delete the link."
            raise ConfigurationError([Fault(name, None, sentence)]) from error
        return None
    except OSError as error:
        sentence = f"the file cannot be read ({error.strerror}): mend that, or move it away."
        raise ConfigurationError([Fault(name, None, sentence)]) from error
    if len(data) > max_bytes:
        sentence = f"the file has more than {max_bytes:,} bytes: is it another file? Move it away."
        raise ConfigurationError([Fault(name, None, sentence)])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = len((error.object[: error.start] + b".").splitlines())
        raise ConfigurationError(
            [Fault(name, line, f"this is not UTF-8: save the file as {save_as}.")]
        ) from error
    if "\0" in text:
        line = len(text[: text.index("\0") + 1].encode().splitlines())
        raise ConfigurationError([Fault(name, line, f"this is not UTF-8: save the file as {save_as}.")])
    return text
