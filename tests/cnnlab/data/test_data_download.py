"""Downloads, from a real server on this machine: mirrors, resuming, checksums, and every way it can go wrong."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from cnnlab.data import DataError, download, notices, transfer
from cnnlab.data.cache import folder
from cnnlab.data.download import fetch
from cnnlab.data.remote import Remote
from tests.cnnlab.data.data_server import Server, serving

CONTENT = np.random.default_rng(0).bytes(3_000_000)
CLOSED = "http://127.0.0.1:9/file.bin"  # nothing listens there
DISK = namedtuple("DISK", "total used free")


@pytest.fixture
def server():
    with serving(CONTENT) as one:
        yield one


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "cache"))
    monkeypatch.setattr(transfer, "TIMEOUT", (1, 1))
    return tmp_path / "cache"


def remote(*urls: str, **changes) -> Remote:
    given = {
        "title": "The file",
        "name": "set/file.bin",
        "urls": urls,
        "size": len(CONTENT),
        "digest": "sha256:" + hashlib.sha256(CONTENT).hexdigest(),
    }
    return Remote(**(given | changes))


def leave_part(cache: Path, content: bytes) -> Path:
    part = cache / "set" / ".file.bin.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(content)
    return part


def test_a_file_is_downloaded_once_and_announced_before(server: Server, cache, capsys):
    url = server.url("ranges")
    path = fetch(remote(url))
    assert path == cache / "set" / "file.bin"
    assert path.read_bytes() == CONTENT
    told = capsys.readouterr().err
    first = told.splitlines()[0]
    assert first == (f"The file: 3.0 MB from {url.split('/')[2]} to {cache}, about 2 s at 10 Mbit/s")
    assert "100%" in told
    assert "SHA256" not in told
    assert fetch(remote(url)) == path
    assert len(server.asked) == 1
    assert capsys.readouterr().err == ""
    assert [p.name for p in path.parent.iterdir() if p.suffix != ".lock"] == ["file.bin"]


def test_a_file_put_there_by_hand_needs_no_network_and_no_writing(cache):
    path = cache / "set" / "file.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    assert fetch(remote(CLOSED)) == path
    assert [p.name for p in path.parent.iterdir()] == ["file.bin"]


def test_the_default_folder_is_the_systems_cache(monkeypatch, tmp_path):
    monkeypatch.delenv("CNNLAB_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if sys.platform == "linux":
        assert folder() == tmp_path / "cnnlab"
    monkeypatch.setenv("CNNLAB_DATA", "~/somewhere")
    assert folder() == Path.home() / "somewhere"


@pytest.mark.parametrize("bad", ["missing", "wrong", "short", "page", "hang", "closed"])
def test_the_next_mirror_is_tried(server: Server, bad, capsys):
    first = CLOSED if bad == "closed" else server.url(bad)
    assert fetch(remote(first, server.url("plain"))).read_bytes() == CONTENT
    assert "trying the next mirror" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("missing", "it answered 404 Not Found"),
        ("wrong", "what it sent has another checksum"),
        ("short", "its file has 1500000 bytes, not 3000000"),
        ("page", "it sent a web page, not the file"),
        ("hang", "no answer in time"),
        ("cut", "the connection"),
    ],
)
def test_a_mirror_that_fails_is_named_with_the_reason(server: Server, bad, reason, cache):
    with pytest.raises(DataError) as caught:
        fetch(remote(server.url(bad)))
    host = server.url(bad).split("/")[2]
    told = str(caught.value)
    assert f"({host}: {reason}" in told
    assert "\n" not in told
    assert f"get {server.url(bad)} in another way and put it at {cache / 'set' / 'file.bin'}." in told
    assert not (cache / "set" / "file.bin").exists()
    if bad == "wrong":
        assert not list((cache / "set").glob("*part"))


def test_no_network_says_which_file_to_get_where_from_and_where_to(cache):
    with pytest.raises(DataError) as caught:
        fetch(remote("http://no-such-host.invalid/file.bin", CLOSED))
    assert str(caught.value) == (
        "The file cannot be downloaded (no-such-host.invalid: its name cannot be looked up; 127.0.0.1:9: it cannot be "
        "reached). Check the network and run this again, or get http://no-such-host.invalid/file.bin in another way "
        f"and put it at {cache / 'set' / 'file.bin'}."
    )


def test_a_part_file_is_gone_on_from(server: Server, cache, capsys):
    leave_part(cache, CONTENT[:1_000_000])
    assert fetch(remote(server.url("ranges"))).read_bytes() == CONTENT
    assert server.asked == [("ranges", "bytes=1000000-")]
    assert "the rest of 3.0 MB after 1.0 MB" in capsys.readouterr().err


def test_a_server_without_ranges_begins_anew(server: Server, cache):
    leave_part(cache, CONTENT[:1_000_000])
    assert fetch(remote(server.url("plain"))).read_bytes() == CONTENT
    assert server.asked == [("plain", "bytes=1000000-")]


@pytest.mark.parametrize("how", ["ranges", "plain"])
@pytest.mark.parametrize(
    "part",
    [b"x" * 1_000_000, CONTENT + b"more", b"y" * len(CONTENT), CONTENT[:-1] + b"?"],
    ids=["wrong", "longer", "wrong and whole", "last byte"],
)
def test_a_bad_part_file_costs_one_more_try_not_the_mirror(server: Server, cache, how, part):
    leave_part(cache, part)
    assert fetch(remote(server.url(how))).read_bytes() == CONTENT
    assert len(server.asked) <= 2


def test_a_whole_part_file_needs_no_network(cache):
    leave_part(cache, CONTENT)
    assert fetch(remote(CLOSED)).read_bytes() == CONTENT


def test_a_connection_that_breaks_is_gone_on_with_at_the_same_mirror(server: Server, cache):
    # Each answer ends half way through what is left: three tries leave an eighth, and the next mirror gives it.
    assert fetch(remote(server.url("cutranges"), server.url("ranges"))).read_bytes() == CONTENT
    assert server.asked == [
        ("cutranges", ""),
        ("cutranges", "bytes=1500000-"),
        ("cutranges", "bytes=2250000-"),
        ("ranges", "bytes=2625000-"),
    ]


def test_what_came_before_a_break_is_kept_for_the_next_call(server: Server, cache):
    with pytest.raises(DataError, match=r"run this again \(2.6 MB are kept\)"):
        fetch(remote(server.url("cutranges")))
    server.asked.clear()
    assert fetch(remote(server.url("ranges"))).read_bytes() == CONTENT
    assert server.asked == [("ranges", "bytes=2625000-")]


def test_a_server_that_stops_sending_is_left(server: Server, cache):
    began = time.monotonic()
    with pytest.raises(DataError, match="no answer in time"):
        fetch(remote(server.url("hangranges")))
    assert time.monotonic() - began < 6


def test_a_damaged_file_in_the_cache_is_replaced(server: Server, cache):
    path = fetch(remote(server.url("plain")))
    for damaged in (CONTENT[:-1], CONTENT[:-1] + b"?", b""):
        path.write_bytes(damaged)
        assert fetch(remote(server.url("plain"))).read_bytes() == CONTENT


def test_a_damaged_file_stays_and_is_named_where_no_mirror_answers(cache):
    path = cache / "set" / "file.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"mine")
    with pytest.raises(DataError, match="in place of the damaged one there"):
        fetch(remote(CLOSED))
    assert path.read_bytes() == b"mine"


def refuse_other_contents(path: Path) -> None:
    if path.read_bytes() != CONTENT:
        raise ValueError("it is broken")


@pytest.mark.parametrize("how", ["plain", "untold", "ranges"])
def test_a_file_without_a_digest_is_checked_by_its_contents(server: Server, how, cache):
    one = remote(
        server.url("wrong"), server.url(how), digest=None, check=refuse_other_contents, size=2_900_000
    )
    assert fetch(one).read_bytes() == CONTENT
    (cache / "set" / "file.bin").write_bytes(b"damaged")
    assert fetch(one).read_bytes() == CONTENT
    leave = cache / "set" / ".file.bin.part"
    for part in (b"wrong", CONTENT[:10], CONTENT):
        (cache / "set" / "file.bin").unlink()
        leave.write_bytes(part)
        assert fetch(one).read_bytes() == CONTENT
    with pytest.raises(DataError, match="it is broken"):
        fetch(remote(server.url("wrong"), digest=None, check=refuse_other_contents, name="set/other.bin"))


def test_a_disk_that_is_too_small_is_told_before_anything_is_sent(server: Server, monkeypatch, cache):
    monkeypatch.setattr(download.shutil, "disk_usage", lambda place: DISK(10, 9, 1_000_000))
    with pytest.raises(DataError) as caught:
        fetch(remote(server.url("plain"), room=500_000))
    assert str(caught.value) == (
        f"The file needs 3.5 MB in {cache / 'set'}, and the disk has 1.0 MB left. "
        "Free some space, or set CNNLAB_DATA to a folder on another disk."
    )
    assert not server.asked
    # the part that is there already counts
    monkeypatch.setattr(download.shutil, "disk_usage", lambda place: DISK(10, 9, 2_100_000))
    (cache / "set" / ".file.bin.part").write_bytes(CONTENT[:1_000_000])
    fetch(remote(server.url("plain")))


@pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="needs Linux's /dev/full, a disk that is always full"
)
def test_a_disk_that_fills_up_on_the_way_is_one_error_and_gives_the_space_back(server, cache):
    part = leave_part(cache, b"")
    part.unlink()
    part.symlink_to("/dev/full")
    with pytest.raises(DataError, match=r"The file needs 3\.0 MB .* Free some space"):
        fetch(remote(server.url("plain"), server.url("ranges")))
    assert len(server.asked) == 1
    assert [p.name for p in (cache / "set").iterdir()] == [".file.bin.lock"]


def test_a_folder_that_cannot_be_written_in_is_one_error(server, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "file"))
    with pytest.raises(DataError, match="Set CNNLAB_DATA to a folder that you can write in"):
        fetch(remote(server.url("plain")))


SCRIPT = """
import sys
from cnnlab.data.download import fetch
from cnnlab.data.remote import Remote
print(fetch(Remote("The file", "set/file.bin", (sys.argv[1],), int(sys.argv[2]), sys.argv[3])).stat().st_size)
"""


def start(url: str) -> subprocess.Popen[str]:
    one = remote(url)
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), url, str(one.size), str(one.digest)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_several_processes_want_one_file(server: Server, cache):
    began = [start(server.url("slow")) for _ in range(3)]
    answers = [process.communicate(timeout=60) for process in began]
    assert [process.returncode for process in began] == [0, 0, 0], answers
    assert len(server.asked) == 1
    assert sum("waiting: file.bin is on its way" in err for _, err in answers) >= 1
    assert (cache / "set" / "file.bin").read_bytes() == CONTENT


def test_several_threads_want_one_file(server: Server, cache):
    threads = [threading.Thread(target=fetch, args=(remote(server.url("slow")),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.asked) == 1
    assert (cache / "set" / "file.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_download_is_gone_on_with(server: Server, cache, how):
    process = start(server.url("slow"))
    part = cache / "set" / ".file.bin.part"
    deadline = time.monotonic() + 30
    while not (part.exists() and part.stat().st_size > 300_000):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(how)
    process.communicate(timeout=30)
    had = part.stat().st_size
    assert CONTENT.startswith(part.read_bytes())
    server.asked.clear()
    assert fetch(remote(server.url("ranges"))).read_bytes() == CONTENT
    assert server.asked == [("ranges", f"bytes={had}-")]


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (29_515, "29.5 kB"), (170_498_071, "170.5 MB"), (2.5e9, "2.5 GB")],
)
def test_amounts(size, text):
    assert notices.amount(size) == text
