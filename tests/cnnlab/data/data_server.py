"""A small web server that serves files well or badly, and where the real data lies."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests import SHARED as REAL


def real(folder: str) -> Path:
    """The folder of a real data set; skips where it is absent."""
    if not (REAL / folder).is_dir():
        pytest.skip(f"needs the real data in {REAL / folder}")
    return REAL / folder


class Server(ThreadingHTTPServer):
    """Serves `content` under every path; the first part of the path says how, as /ranges/name or /cut/name."""

    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = content
        self.asked: list[tuple[str, str]] = []  # (how, the Range asked for)

    def url(self, how: str, name: str = "file.bin") -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{how}/{name}"

    def handle_error(self, request, client_address) -> None:
        """Say nothing where a client leaves in the middle."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        how = self.path.split("/")[1]
        asked = self.headers.get("Range", "")
        self.server.asked.append((how, asked))
        content = self.server.content
        start = 0
        if how == "missing":
            self.send_error(404)
            return
        if how == "hang":
            time.sleep(3)
            return
        if how == "page":
            content = b"<html>log in</html>"
        if how == "wrong":
            content = content[::-1]
        if how == "short":
            content = content[: len(content) // 2]
        if asked and how in ("ranges", "cutranges", "hangranges", "slow"):
            start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
            if start >= len(content):
                self.send_response(416)
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Type", "text/html" if how == "page" else "application/octet-stream")
        if how != "untold":
            self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        body = content[start:]
        if how in ("cut", "cutranges", "hangranges"):  # half of what is left, then the connection ends
            body = body[: (len(body) + 1) // 2]
        if how == "slow":
            for at in range(0, len(body), 100_000):
                self.wfile.write(body[at : at + 100_000])
                time.sleep(0.05)
            return
        self.wfile.write(body)
        if how == "hangranges":
            self.wfile.flush()
            time.sleep(3)


@contextmanager
def serving(content: bytes) -> Iterator[Server]:
    with Server(content) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
