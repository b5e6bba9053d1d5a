"""Files from the network, kept in one folder: the course's cache.

pooch knows the checksums and puts a file in its place only when it is whole; the transfer itself is in `transfer.py`.
"""

from __future__ import annotations

import errno
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cnnlab.data.cache import VARIABLE, folder
from cnnlab.data.errors import DataError, MirrorUnusable, TransferInterrupted, WrongContent
from cnnlab.data.lock import locked
from cnnlab.data.notices import amount, say
from cnnlab.data.remote import Remote, verify

TRIES = 3  # of one mirror whose connection breaks: each goes on where the last one stopped
FULL = {errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC}


def fetch(remote: Remote) -> Path:
    """Return the path of a file in the cache; download it first if it is not there or is not whole.

    A whole file is used without a lock, without writing and without network, whoever put it there. A download goes
    into a hidden part file beside it, which an interrupted one leaves for the next to go on from.

    Raises:
        DataError: when no mirror gives the file, the disk is full or the folder cannot be written in.
    """
    path = folder() / remote.name
    try:
        if whole(remote, path):
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path.with_name(f".{path.name}.lock"), lambda: say(f"waiting: {path.name} is on its way")):
            if not whole(remote, path):  # else another process fetched it meanwhile
                _download(remote, path)
    except OSError as error:
        if error.errno in FULL:
            raise _full(remote, path.parent) from error
        raise DataError(
            f"{remote.title} cannot be kept in {path.parent}: {error.strerror or error}. "
            f"Set {VARIABLE} to a folder that you can write in."
        ) from error
    return path


def whole(remote: Remote, path: Path) -> bool:
    """Say whether the file at path is the whole and unchanged file."""
    if not path.is_file() or (remote.digest and path.stat().st_size != remote.size):
        return False
    try:
        verify(remote, path)
    except WrongContent:
        return False
    return True


def _download(remote: Remote, path: Path) -> None:
    """Try the mirrors in order until one gives the whole file."""
    found = ""
    if path.exists():
        found = " in place of the damaged one there"
        if remote.digest is None:  # pooch would take any file for the right one
            path.unlink()
            found = "; a damaged one was there"
    part = _part(path)
    had = part.stat().st_size if part.exists() else 0
    if _free(path.parent) < remote.size - had + remote.room:
        raise _full(remote, path.parent)
    reasons = []
    for number, url in enumerate(remote.urls, 1):
        reason = _from_mirror(remote, part, url)
        if reason is None:
            return
        reasons.append(f"{urlsplit(url).netloc}: {reason}")
        if number < len(remote.urls):
            say(f"{reasons[-1]}; trying the next mirror")
    kept = f" ({amount(part.stat().st_size)} are kept)" if part.exists() else ""
    raise DataError(
        f"{remote.title} cannot be downloaded ({'; '.join(reasons)}). Check the network and run this again{kept}, "
        f"or get {remote.urls[0]} in another way and put it at {path}{found}."
    )


def _from_mirror(remote: Remote, part: Path, url: str) -> str | None:
    """Download from one mirror, more than once where that helps; return None, or why it did not work."""
    import pooch

    from cnnlab.data.transfer import Transfer  # brings requests: `import cnnlab.data` stays cheap

    store = pooch.create(
        path=folder(), base_url="", registry={remote.name: remote.digest}, urls={remote.name: url}
    )
    tries = TRIES
    while True:
        tries -= 1
        transfer: Any = Transfer(remote, part)  # pooch passes no check_only, though its protocol has it
        try:
            with _quiet():
                store.fetch(remote.name, downloader=transfer)
            return None
        except MirrorUnusable as error:
            return str(error)
        except TransferInterrupted as error:
            reason = str(error)
            if not (tries and transfer.got):
                return reason
        except OSError as error:
            if error.errno in FULL:
                # what came is given back: on a full disk other programs, a notebook among them, cannot save
                part.unlink(missing_ok=True)
            raise
        except ValueError as error:  # WrongContent, or pooch's own for a checksum that differs
            reason = str(error) if isinstance(error, WrongContent) else "what it sent has another checksum"
            part.unlink(missing_ok=True)
            if not (tries and transfer.resumed):  # else the part from before was at fault, or may have been
                return reason
            tries = 1
        say(f"{urlsplit(url).netloc}: {reason}; trying again")


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _full(remote: Remote, place: Path) -> DataError:
    return DataError(
        f"{remote.title} needs {amount(remote.size + remote.room)} in {place}, and the disk has "
        f"{amount(_free(place))} left. Free some space, or set {VARIABLE} to a folder on another disk."
    )


def _free(place: Path) -> int:
    """Return the bytes free on the disk of a folder, which need not exist yet."""
    return shutil.disk_usage(next(each for each in (place, *place.parents) if each.exists())).free


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep pooch from announcing the download too, with a checksum and a temporary name."""
    import pooch

    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
