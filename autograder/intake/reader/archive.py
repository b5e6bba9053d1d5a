"""Take files out of a zip archive that a student wrote, with caps on their number and size.

This runs in a process of its own. The archive arrives on standard input; the reply is one line of JSON, {"error": words}
or {"files": [[path, size, refusal], ...], "more": count}, and then the bytes of those files. No path in an archive is ever
used to write to. Downloads of a learning management system are opened by the same functions in the instructor's process.
"""

from __future__ import annotations

import io
import json
import stat
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from .limits import MIB, limit_process
from .names import begins_as_notebook, is_notebook_name

MAX_FILES = 40  # taken out of a student's archive
MAX_FILE = 20 * MIB  # bytes of one file
MAX_UNPACKED = 48 * MIB  # bytes of all files of a student's archive
MAX_LISTED = 2_000  # names that are looked at
MAX_PATH = 400  # characters
LOOKED_AT = 1000  # bytes of a file that may be a notebook
KNOWN = frozenset(
    ["csv", "gif", "jpeg", "jpg", "md", "npy", "npz", "pdf", "png", "pt", "py", "pyc", "safetensors", "zip"]
)
MAX_SUFFIX = 20  # characters of a name's suffix
MEMORY = 512 * MIB
CPU_SECONDS = 10

ENCRYPTED = "is encrypted"
DAMAGED = "is damaged"
LINK = "is a link or a special file"
PACKED = "is packed in an unusual way"
LARGE = "is too large"
REFUSALS = frozenset([ENCRYPTED, DAMAGED, LINK, PACKED, LARGE])

# What zipfile and zlib raise on bytes that are no sound archive.
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
    IndexError,
    KeyError,
    TypeError,
)


class UnreadableArchive(Exception):
    """A file that is no archive; its text goes on after the file's name, as in "is not a zip archive"."""


def open_archive(file: BinaryIO) -> zipfile.ZipFile:
    """Open an archive and read its directory; raise UnreadableArchive where that cannot be done."""
    try:
        return zipfile.ZipFile(file)
    except BROKEN:
        raise UnreadableArchive("is not a zip archive, or is cut off") from None


def safe_path(info: zipfile.ZipInfo) -> str:
    """Return a member's path with / between its parts, without parts that lead out of a folder; "" for a folder.

    Of a long path the first and the last part stay, and of a long part its beginning and suffix: in a downloaded
    archive the beginning names the student, and what comes later was named by the student.
    """
    path = info.orig_filename.replace("\\", "/")
    if path.endswith("/"):
        return ""
    parts = [_shortened(part) for part in path.split("/") if part not in ("", ".", "..")]
    path = "/".join(parts)
    return path if len(path) <= MAX_PATH else "/".join(dict.fromkeys([parts[0], parts[-1]]))


def _shortened(part: str) -> str:
    stem, dot, suffix = part.rpartition(".")
    limit = MAX_PATH // 2 - 1  # so that two parts and the / between them fit
    if len(part) <= limit or not dot or len(suffix) > MAX_SUFFIX:
        return part[:limit]
    return f"{stem[: limit - len(suffix) - 1]}.{suffix}"


def _refusal(info: zipfile.ZipInfo) -> str:
    """Say why a member cannot be taken, from the directory alone; "" where it can be tried."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        return LINK
    if info.flag_bits & 1:
        return ENCRYPTED
    # The others need much memory, or libraries that are seldom looked at.
    return "" if info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) else PACKED


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, max_bytes: int) -> tuple[bytes, str]:
    """Return a member's bytes and the reason why it was refused: one of the two is empty.

    Args:
        archive: where the member lies.
        info: the member's entry in the archive's directory; what it says of the member's size is not believed.
        max_bytes: a larger member is refused.
    """
    if reason := _refusal(info):
        return b"", reason
    try:
        with archive.open(info) as member:
            data = member.read(max_bytes + 1)
    except BROKEN:
        return b"", DAMAGED
    return (b"", LARGE) if len(data) > max_bytes else (data, "")


def _may_be_notebook(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: str) -> bool:
    """Say whether a file of no notebook's name begins as a notebook does."""
    if not path or path.rpartition(".")[2].lower() in KNOWN or _refusal(info):
        return False
    try:
        with archive.open(info) as member:
            return begins_as_notebook(member.read(LOOKED_AT))
    except BROKEN:
        return False


def wanted_files(archive: zipfile.ZipFile, names: Sequence[str]) -> Iterator[tuple[str, bytes, str]]:
    """Yield path, bytes and refusal of an archive's first MAX_FILES files that are notebooks or end in one of the names."""
    bytes_left, count = MAX_UNPACKED, 0
    for info in archive.infolist()[:MAX_LISTED]:
        path = safe_path(info)
        if not (
            path.lower().endswith(tuple(names))
            or is_notebook_name(path)
            or _may_be_notebook(archive, info, path)
        ):
            continue
        count += 1
        if count > MAX_FILES:
            return
        data, reason = read_member(archive, info, min(MAX_FILE, bytes_left))
        bytes_left -= len(data)
        yield path, data, reason


def main(names: Sequence[str]) -> None:
    """Read an archive from standard input and write the reply: its notebooks, and the files whose names end as given."""
    limit_process(MEMORY, CPU_SECONDS)
    pieces: list[bytes] = []
    try:
        archive = open_archive(io.BytesIO(sys.stdin.buffer.read()))
        found = list(wanted_files(archive, names))
        pieces = [data for _, data, _ in found]
        files = [[path, len(data), reason] for path, data, reason in found]
        reply = {"files": files, "more": max(0, len(archive.infolist()) - len(files))}
    except UnreadableArchive as error:
        reply = {"error": str(error)}
    except MemoryError:
        pieces, reply = [], {"error": "needs more memory to open than any hand-in should"}
    sys.stdout.buffer.write(json.dumps(reply).encode("ascii") + b"\n")
    for piece in pieces:
        sys.stdout.buffer.write(piece)
