"""A headless Chromium for tests, driven over the DevTools protocol: open a page, use it as a person would, look at it.

https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SECONDS_TO_START = 60
SECONDS_TO_ANSWER = 30
OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--mute-audio",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-quic",
    "--no-pings",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
]


class BrowserError(AssertionError):
    """The browser could not do what a test asked, or a script in the page failed."""


class Page:
    """The one tab of a browser.

    requests: the addresses that it asked for since it was opened; console: what was logged, warned, thrown or refused.
    """

    def __init__(self, socket: Any) -> None:
        self._socket, self._number = socket, 0
        self.requests: list[str] = []
        self.console: list[str] = []
        self._loads = 0
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; raise BrowserError where the browser refuses."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = self._receive()
            if message.get("id") == self._number:
                if "error" in message:
                    raise BrowserError(f"{method}: {message['error']['message']}")
                return message["result"]

    def open(self, address: str) -> None:
        """Open an address in a fresh document and wait until it has loaded."""
        self.requests.clear()
        self.console.clear()
        before = self._loads
        result = self.send("Page.navigate", url=address)
        if result.get("errorText"):
            raise BrowserError(f"{address}: {result['errorText']}")
        self._loaded(before)

    def evaluate(self, script: str) -> Any:
        """Return the value of a JavaScript expression in the page, waiting for it where it is a promise."""
        result = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise BrowserError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def texts(self, selector: str) -> list[str]:
        """Return the text of each visible element that a CSS selector finds."""
        found = f"Array.from(document.querySelectorAll({json.dumps(selector)}))"
        return self.evaluate(f"{found}.filter(e => e.checkVisibility()).map(e => e.innerText.trim())")

    def click(self, selector: str) -> None:
        """Click the middle of the first element that a CSS selector finds, with the mouse."""
        found = f"document.querySelector({json.dumps(selector)})"
        self.evaluate(f"{found}.scrollIntoView({{block: 'center', inline: 'center'}})")
        box = self.evaluate(f"{found}.getBoundingClientRect().toJSON()")
        place = {"x": box["left"] + box["width"] / 2, "y": box["top"] + box["height"] / 2}
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)

    def follow(self, selector: str) -> None:
        """Click a link to another document and wait until that has loaded."""
        before = self._loads
        self.click(selector)
        self._loaded(before)

    def type(self, text: str) -> None:
        """Type text where the focus is."""
        self.send("Input.insertText", text=text)

    def press(self, key: str) -> None:
        """Press a key by its name: "Tab", "Enter" or "Space"."""
        code, text = {"Tab": (9, ""), "Enter": (13, "\r"), "Space": (32, " ")}[key]
        named = {"key": " " if key == "Space" else key, "code": key, "windowsVirtualKeyCode": code}
        for kind in ("keyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent", type=kind, **named, **({"text": text} if kind == "keyDown" else {})
            )

    def look(self, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Set the window's size in CSS pixels, and whether the reader prefers dark pages."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])

    def without_scripts(self, off: bool = True) -> None:
        """Switch the scripts of pages off, or on again; what `evaluate` runs is not touched."""
        self.send("Emulation.setScriptExecutionDisabled", value=off)

    def screenshot(self, path: Path, *, whole: bool = False) -> Path:
        """Write what is seen as PNG; whole: the page in its full length."""
        taken = self.send(
            "Page.captureScreenshot", format="png", captureBeyondViewport=whole, **self._clip(whole)
        )
        path.write_bytes(base64.b64decode(taken["data"]))
        return path

    def pdf(self, path: Path) -> Path:
        """Write what would be printed as PDF."""
        printed = self.send("Page.printToPDF", preferCSSPageSize=True, printBackground=False)
        path.write_bytes(base64.b64decode(printed["data"]))
        return path

    def wait(self, seconds: float) -> None:
        """Let the page go on for a while."""
        self.evaluate(f"new Promise(done => setTimeout(done, {1000 * seconds}))")

    def _loaded(self, before: int) -> None:
        while self._loads == before:
            self._receive()

    def _clip(self, whole: bool) -> dict[str, Any]:
        if not whole:
            return {}
        size = self.send("Page.getLayoutMetrics")["cssContentSize"]
        return {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}

    def _receive(self) -> dict[str, Any]:
        message = json.loads(self._socket.recv())
        about = message.get("params", {})
        match message.get("method"):
            case "Page.loadEventFired":
                self._loads += 1
            case "Network.requestWillBeSent":
                self.requests.append(about["request"]["url"])
            case "Runtime.consoleAPICalled":
                self.console.append(
                    " ".join(str(one.get("value", one.get("description"))) for one in about["args"])
                )
            case "Runtime.exceptionThrown":
                self.console.append(str(about["exceptionDetails"]))
            case "Log.entryAdded":
                self.console.append(about["entry"]["text"])
            case "Page.javascriptDialogOpening":
                self.console.append(f"dialog: {about['message']}")
                self._number += 1
                accept = {
                    "id": self._number,
                    "method": "Page.handleJavaScriptDialog",
                    "params": {"accept": True},
                }
                self._socket.send(json.dumps(accept))
        return message


@contextlib.contextmanager
def browser() -> Iterator[Page]:
    """Start a browser with a profile of its own, and end it and remove the profile whatever happens.

    Skips the test where there is no Chromium or no client for its protocol.
    """
    if PROGRAM is None:
        pytest.skip("chromium is not installed: sudo apt-get install chromium")
    websocket = pytest.importorskip("websocket", reason="websocket-client is not installed")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [PROGRAM, *OPTIONS, f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            socket = websocket.create_connection(_address(process, Path(profile)), timeout=SECONDS_TO_ANSWER)
            with contextlib.closing(socket):
                yield Page(socket)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _address(process: subprocess.Popen[bytes], profile: Path) -> str:
    """Return the address of the first tab, once the browser has written its port."""
    import urllib.request

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # it is on this machine
    until = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError, ValueError, IndexError, StopIteration):
            port = int((profile / "DevToolsActivePort").read_text().split("\n")[0])
            with opener.open(f"http://127.0.0.1:{port}/json/list", timeout=5) as answer:
                tabs = json.load(answer)
            return next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
        time.sleep(0.05)
    raise BrowserError(f"{PROGRAM} did not start in {SECONDS_TO_START} s, or ended with {process.poll()}")


class Listener:
    """A server on this machine that a hostile page may try to reach; hits: what was asked of it."""

    def __init__(self) -> None:
        self.hits: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self.hits))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def address(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Listener:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, hits: list[str], *arguments: Any) -> None:
        self.hits = hits
        super().__init__(*arguments)

    def do_GET(self) -> None:
        self.hits.append(self.path)
        self.send_response(204)
        self.end_headers()

    do_POST = do_GET

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""
