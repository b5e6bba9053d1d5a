"""One transfer over HTTP that can go on where an earlier one stopped: pooch's downloader for the course's data."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import requests
import urllib3
from tqdm import tqdm

from cnnlab.data.errors import MirrorUnusable, TransferInterrupted, WrongContent
from cnnlab.data.notices import announce
from cnnlab.data.remote import Remote, verify

TIMEOUT = (10, 30)  # seconds to connect, and between two pieces
PIECE = 1 << 16  # bytes


class Transfer:
    """Download one file into its part file and hand it to pooch when it is whole.

    resumed: whether the part file held something before; got: bytes that came now.
    """

    def __init__(self, remote: Remote, part: Path) -> None:
        self.remote = remote
        self.part = part
        self.resumed = False
        self.got = 0

    def __call__(self, url: str, output_file: Any, pooch: Any) -> None:
        """Download a file, as pooch asks for it.

        Args:
            url: a mirror's address of the file.
            output_file: where the whole file goes.
            pooch: the caller; not used.

        Raises:
            MirrorUnusable, TransferInterrupted, WrongContent: where the mirror does not give the file.
            OSError: where the file cannot be written.
        """
        exact = self.remote.digest is not None
        have = self.part.stat().st_size if self.part.exists() else 0
        if exact and have > self.remote.size:
            have = 0
            self.part.unlink()
        self.resumed = have > 0
        if not exact or have < self.remote.size:
            self._stream(url, have, exact)
        if not exact:  # pooch compares the checksum where there is one
            verify(self.remote, self.part)
        os.replace(self.part, output_file)

    def _stream(self, url: str, have: int, exact: bool) -> None:
        """Ask for what is missing and write it as it comes."""
        # identity: a compressed file must arrive as it is, not unpacked by the way
        headers = {"Accept-Encoding": "identity", "User-Agent": "cnnlab"}
        if have:
            headers["Range"] = f"bytes={have}-"
        try:
            response = requests.get(url, headers=headers, stream=True, timeout=TIMEOUT)
        except requests.RequestException as error:
            raise MirrorUnusable(_reason(error)) from error
        with response:
            start, total = _span(response, have)
            if exact and total not in (None, self.remote.size):
                raise MirrorUnusable(f"its file has {total} bytes, not {self.remote.size}")
            total = self.remote.size if exact else total
            self.resumed = start > 0
            announce(self.remote, url, start)
            self._write(response, start, total)
        if total is not None and start + self.got < total:
            raise TransferInterrupted(f"the connection ended after {start + self.got} of {total} bytes")

    def _write(self, response: requests.Response, start: int, total: int | None) -> None:
        """Append what comes to the part file, or begin it anew where the server sends all."""
        bar = tqdm(
            total=total,
            initial=start,
            unit="B",
            unit_scale=True,
            desc=Path(self.remote.name).name,
            miniters=1,
        )
        with bar, self.part.open("ab" if start else "wb") as file:
            try:
                for piece in response.raw.stream(PIECE, decode_content=False):
                    file.write(piece)
                    self.got += len(piece)
                    bar.update(len(piece))
                    if total is not None and start + self.got > total:
                        raise WrongContent("what it sent is too long")
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                raise TransferInterrupted(
                    f"the connection broke after {start + self.got} bytes ({_reason(error)})"
                ) from error


def _span(response: requests.Response, have: int) -> tuple[int, int | None]:
    """Return the byte that the answer begins with and the size of the whole file, where the server says it.

    The first is have, or 0 from a server that sends all. Raises WrongContent where the part that is here is no beginning of
    the server's file, and MirrorUnusable for any answer that is not the file.
    """
    if response.status_code == 200:
        if response.headers.get("Content-Type", "").startswith("text/html"):
            raise MirrorUnusable("it sent a web page, not the file")  # a network's login page, mostly
        told = response.headers.get("Content-Length", "")
        return 0, int(told) if told.isdigit() else None
    if have and response.status_code in (206, 416):
        span = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        if response.status_code == 416 or span is None or int(span[1]) != have:
            raise WrongContent("it cannot go on from the part that is here")
        return have, None if span[2] == "*" else int(span[2])
    raise MirrorUnusable(f"it answered {response.status_code} {response.reason}".rstrip())


def _reason(error: Exception) -> str:
    """Say in a few words why the server did not answer."""
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not accepted"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy does not answer"
    if "NameResolution" in repr(error):
        return "its name cannot be looked up"
    return (
        "it cannot be reached" if isinstance(error, requests.RequestException) else "it closed the connection"
    )
