"""Takes files out of a zip archive that a stranger wrote, with caps on their number and size.

Run as a script with the archive on standard input and nothing but the standard library: `unzip.py SUFFIX...`; the
reply is one line of JSON, {"error": words} or {"files": [[path, size, refusal], ...], "more": count}, and then the
bytes of those files. No path in an archive is ever used to write to.
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

MIB = 1 << 20
MAX_FILES = 40  # taken out of a student's archive
MAX_FILE = 20 * MIB  # bytes of one file
MAX_UNPACKED = 48 * MIB  # bytes of all files of a student's archive
MAX_LISTED = 2_000  # names that are looked at
MAX_PATH = 400  # characters
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


class Unusable(Exception):
    """A file that is no archive; its text goes on after the file's name, as in "is not a zip archive"."""


def opened(file: BinaryIO) -> zipfile.ZipFile:
    """Return an archive's directory; raise Unusable where there is none to be had."""
    try:
        return zipfile.ZipFile(file)
    except BROKEN:
        raise Unusable("is not a zip archive, or is cut off") from None


def path_of(info: zipfile.ZipInfo) -> str:
    """Return a member's path with / between its parts, without what leads out of a folder; "" for a folder.

    Of a long path the first and the last part stay, and of a long part its beginning and suffix: in a downloaded
    archive the beginning says whose it is, and what comes later was named by the student.
    """
    path = info.orig_filename.replace("\\", "/")
    if path.endswith("/"):
        return ""
    parts = [_short(part) for part in path.split("/") if part not in ("", ".", "..")]
    path = "/".join(parts)
    return path if len(path) <= MAX_PATH else "/".join(dict.fromkeys([parts[0], parts[-1]]))


def _short(part: str) -> str:
    stem, dot, suffix = part.rpartition(".")
    most = MAX_PATH // 2 - 1
    if len(part) <= most or not dot or len(suffix) > MAX_SUFFIX:
        return part[:most]
    return f"{stem[: most - len(suffix) - 1]}.{suffix}"


def refusal(info: zipfile.ZipInfo) -> str:
    """Say why a member cannot be taken, from the directory alone; "" where it can be tried."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        return LINK
    if info.flag_bits & 1:
        return ENCRYPTED
    # The others need much memory, or libraries that are seldom looked at.
    return "" if info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) else PACKED


def content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> tuple[bytes, str]:
    """Return a member's bytes, at most `most`, and why it was refused: one of the two is empty.

    What its directory says of its size is not believed.
    """
    if words := refusal(info):
        return b"", words
    try:
        with archive.open(info) as member:
            data = member.read(most + 1)
    except BROKEN:
        return b"", DAMAGED
    return (b"", LARGE) if len(data) > most else (data, "")


def wanted_files(archive: zipfile.ZipFile, suffixes: Sequence[str]) -> Iterator[tuple[str, bytes, str]]:
    """Yield path, bytes and refusal of the first files of an archive whose name ends as wanted."""
    room, count = MAX_UNPACKED, 0
    for info in archive.infolist()[:MAX_LISTED]:
        path = path_of(info)
        if not path.lower().endswith(tuple(suffixes)):
            continue
        count += 1
        if count > MAX_FILES:
            return
        data, words = content(archive, info, min(MAX_FILE, room))
        room -= len(data)
        yield path, data, words


def _limit() -> None:
    import resource

    for which, limit in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        hard = resource.getrlimit(which)[1]
        limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(which, (limit, limit))


def main() -> None:
    """Read an archive from standard input and write the reply."""
    import warnings

    _limit()
    warnings.simplefilter("ignore")
    pieces: list[bytes] = []
    try:
        archive = opened(io.BytesIO(sys.stdin.buffer.read()))
        found = list(wanted_files(archive, sys.argv[1:]))
        pieces = [data for _, data, _ in found]
        files = [[path, len(data), words] for path, data, words in found]
        reply = {"files": files, "more": max(0, len(archive.infolist()) - len(files))}
    except Unusable as error:
        reply = {"error": str(error)}
    except MemoryError:
        pieces, reply = [], {"error": "needs more memory to open than any hand-in should"}
    sys.stdout.buffer.write(json.dumps(reply).encode("ascii") + b"\n")
    for piece in pieces:
        sys.stdout.buffer.write(piece)


if __name__ == "__main__":
    main()
