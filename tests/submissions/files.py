"""Submissions that reach for files, the network, or what is not theirs to know."""

from __future__ import annotations

import io
import os
import pickle
import stat
import zipfile
from pathlib import Path

from autograder.sample import Solved
from autograder.sample.convolution import LESSON
from tests.submissions.fixture import MARK, NOTHING, Fixture, beside, body, cell, handed_in, raw

NOT_ASKED = "is not a file that the lesson asks for"
HTML = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked=1'><svg onload='window.hacked=1'>"
NOTHING_THERE = "nothing of it is there to be found, which its own cell has printed"


def tries_to_write(*paths: str) -> str:
    """A cell that appends to each of the paths and prints where it could."""
    return f"""
    import os
    written = []
    for path in {paths!r}:
        try:
            with open(os.path.expanduser(path), "a") as file:
                file.write("# {MARK}\\n")
            written.append(path)
        except OSError:
            pass
    print("WROTE", written)
    """


def zipped(files: dict[str, bytes], change: int = 0, link: str = "") -> bytes:
    """A zip archive; change: the flag bits of its first member; link: a name that is a link to /etc/passwd."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        if link:
            info = zipfile.ZipInfo(link)
            info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, "/etc/passwd")
    out = bytearray(data.getvalue())
    for signature, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        out[out.index(signature) + at] |= change
    return bytes(out)


def _notebook(solved: Solved, folder: Path) -> bytes:
    """Return the notebook's bytes, and leave no file behind."""
    handed_in()(folder, solved)
    path = folder / f"{LESSON}.ipynb"
    data = path.read_bytes()
    path.unlink()
    return data


def _slips(folder: Path, solved: Solved) -> None:
    data = _notebook(solved, folder)
    names = [
        f"../../../{MARK}/{LESSON}.ipynb",
        f"/{MARK}/numpy.py",
        "C:\\work\\gradebook.db",
        f"{LESSON}.ipynb",
    ]
    (folder / f"{LESSON}.zip").write_bytes(zipped(dict.fromkeys(names, data)))


def _nested(folder: Path, solved: Solved) -> None:
    data = _notebook(solved, folder)
    for _ in range(5):
        data = zipped({f"{LESSON}.zip": data})
    (folder / f"{LESSON}.zip").write_bytes(data)


def _hard_link(folder: Path) -> None:
    os.link(folder / f"{LESSON}.ipynb", folder / f"copy of {LESSON}.ipynb")


def _link(folder: Path, solved: Solved) -> None:
    os.symlink("/etc/passwd", folder / f"{LESSON}.ipynb")


def _pipe(folder: Path, solved: Solved) -> None:
    os.mkfifo(folder / f"{LESSON}.ipynb")


def _zip_and_link(folder: Path, solved: Solved) -> None:
    (folder / f"{LESSON}.zip").write_bytes(zipped({}, link=f"{LESSON}.ipynb"))


class Runs:
    """What would run code in a process that unpickles it."""

    def __reduce__(self) -> tuple:
        return os.system, (f"touch /tmp/{MARK}",)


FIXTURES = [
    Fixture(
        (43,),
        "reach-gradebook",
        "looks for a gradebook to change",
        cell("""
        import os, sqlite3
        found = []
        for top, folders, names in os.walk("/"):
            if top in ("/proc", "/sys", "/usr", "/lib", "/venv"):
                folders[:] = []
            found += [os.path.join(top, name) for name in names if name.endswith((".db", ".db-journal"))]
        for path in (*found, "/work/gradebook.db", "../../gradebook.db"):
            try:
                sqlite3.connect(f"file:{path}?mode=rw", uri=True).execute("update grade set manual_score = 100")
            except (sqlite3.Error, OSError):
                pass
        print("FOUND", found)
        """),
        unflagged=NOTHING_THERE,
        says="FOUND []",
    ),
    Fixture(
        (44,),
        "reach-others",
        "looks for the notebooks of others",
        cell("""
        import os
        found = []
        for top, folders, names in os.walk("/"):
            if top in ("/proc", "/sys", "/usr", "/lib", "/venv"):
                folders[:] = []
            found += [name for name in names if name.endswith(".ipynb")]
        print("FOUND", found)
        """),
        unflagged=NOTHING_THERE,
        says="FOUND []",
    ),
    Fixture(
        (45,),
        "reach-course",
        "writes into the course, to be run by the instructor next time",
        cell(
            tries_to_write(
                "/course/nbgrader_config.py",
                "/course/solutions/1_layers/02_convolution.py",
                "/course/cnnlab/__init__.py",
                "/course/inside/worker.py",
                "../../../nbgrader_config.py",
                "/etc/profile",
                "/etc/passwd",
                "/usr/lib/python3/dist-packages/sitecustomize.py",
                "/proc/sys/kernel/core_pattern",
            )
        ),
        unflagged=NOTHING_THERE,
        says="WROTE []",
    ),
    Fixture(
        (46,),
        "reach-imports",
        "hands in modules that would take the place of others",
        beside(
            {
                name: b"raise SystemExit(1)\n"
                for name in ("numpy.py", "torch.py", "sitecustomize.py", "conftest.py")
            }
        ),
        flag=f"numpy.py {NOT_ASKED}",
    ),
    Fixture(
        (47,),
        "reach-link",
        "hands in a link to a system file",
        _link,
        NOTHING,
        flag="is a link to /etc/passwd",
    ),
    Fixture(
        (47,),
        "reach-hard-link",
        "hands in a file with a second name",
        beside(_hard_link),
        flag="is a hard link",
    ),
    Fixture((47,), "reach-pipe", "hands in a named pipe", _pipe, NOTHING, flag="is a named pipe"),
    Fixture(
        (48,),
        "reach-zip",
        "hands in an archive whose names lead out of its folder",
        _slips,
        flag="is an archive",
    ),
    Fixture(
        (48,),
        "reach-bomb",
        "hands in an archive that grows a thousandfold",
        raw(lambda: zipped({f"{LESSON}.ipynb": bytes(200 << 20)}), f"{LESSON}.zip"),
        NOTHING,
        flag="is too large",
    ),
    Fixture(
        (48,),
        "reach-nested",
        "hands in an archive in an archive",
        _nested,
        NOTHING,
        flag="is an archive without a notebook in it",
    ),
    Fixture(
        (49,),
        "reach-name",
        "has a file name of patterns, lines and turned letters",
        handed_in(name="*[!a]? \n\u202egnp.{x,y} $(touch x) %s;.ipynb"),
        flag="recognised by its content",
    ),
    Fixture(
        (50,),
        "reach-time",
        "brings a time of handing in of its own",
        beside({"timestamp.txt": b"1970-01-01 00:00:00 UTC"}),
        flag="timestamp.txt came with the files",
    ),
    Fixture(
        (50,),
        "reach-no-time",
        "brings a time that is none",
        beside({"timestamp.txt": b"yesterday, I promise"}),
        flag="timestamp.txt holds no date",
    ),
    Fixture(
        (51,),
        "reach-network",
        "asks the network for answers",
        cell("""
        import socket, urllib.request
        reached = []
        for address in (("1.1.1.1", 53), ("127.0.0.1", 8786), ("169.254.169.254", 80), ("8.8.8.8", 443)):
            try:
                socket.create_connection(address, 0.2).close()
                reached.append(address)
            except OSError:
                pass
        try:
            urllib.request.urlopen("http://example.org", timeout=0.2)
            reached.append("by name")
        except OSError:
            pass
        print("REACHED", reached)
        """),
        unflagged=NOTHING_THERE,
        says="REACHED []",
    ),
    Fixture(
        (52,),
        "reach-environment",
        "prints the environment, its own and that of others",
        cell("""
        import glob, os
        seen = [" ".join(os.environ.values()).encode()]
        for path in glob.glob("/proc/[0-9]*/environ"):
            try:
                seen.append(open(path, "rb").read())
            except OSError:
                pass
        print("TOKENS", sum(b"to-be-kept" in text for text in seen))
        """),
        unflagged=NOTHING_THERE,
        says="TOKENS 0",
    ),
    Fixture(
        (53,),
        "reach-pickle",
        "hands in pickles, one of them as trained weights",
        beside({"answers.pkl": pickle.dumps(Runs()), "lenet.safetensors": pickle.dumps(Runs())}),
        flag=f"answers.pkl {NOT_ASKED}",
    ),
    Fixture(
        (54,),
        "reach-kernel",
        "looks for a kernel's connection file and key",
        cell("""
        import os
        found = []
        for top, folders, names in os.walk("/"):
            if top in ("/proc", "/sys", "/usr", "/lib", "/venv"):
                folders[:] = []
            found += [name for name in names if name.startswith("kernel-") or name.endswith(".sock")]
        shell = get_ipython()
        key = getattr(getattr(getattr(shell, "kernel", None), "session", None), "key", None)
        print("KEYS", found, key)
        """),
        unflagged=NOTHING_THERE,
        says="KEYS [] None",
    ),
    Fixture(
        (55,),
        "reach-browser",
        "writes a page's script into outputs, answers and text",
        cell(f"""
        from IPython.display import HTML, display
        print({HTML!r})
        display(HTML({HTML!r}))
        {HTML!r}
        """),
        unflagged="a page shows it as text, whoever wrote it",
        says="window.hacked",
    ),
    Fixture(
        (56,),
        "reach-secret-inputs",
        "raises an error that carries the secret inputs",
        body("raise ValueError('-'.join(['SECRET', 'INPUT', repr(image)]))"),
        unflagged="a verdict says which error was raised and where, in our words only",
    ),
    Fixture(
        (57,),
        "reach-sheet",
        "has a file name that a spreadsheet would work out",
        handed_in(name="=HYPERLINK(1+1).ipynb"),
        flag="recognised by its content",
    ),
    # Our own
    Fixture(
        (),
        "reach-encrypted",
        "hands in an archive that needs a password",
        raw(lambda: zipped({f"{LESSON}.ipynb": b"{}"}, change=1), f"{LESSON}.zip"),
        NOTHING,
        flag="is encrypted",
    ),
    Fixture(
        (),
        "reach-zip-link",
        "hands in an archive that holds a link",
        _zip_and_link,
        NOTHING,
        flag="is a link or a special file",
    ),
    Fixture(
        (),
        "reach-left",
        "leaves files in every folder that it may write to",
        cell(
            tries_to_write(
                f"/tmp/{MARK}", f"/dev/shm/{MARK}", f"~/{MARK}", f"/var/tmp/{MARK}", f"/run/{MARK}"
            )
        ),
        unflagged="the folders that it may write to are its own, and end with the sandbox",
        says=f"WROTE ['/tmp/{MARK}', '/dev/shm/{MARK}', '~/{MARK}']",
    ),
    Fixture(
        (),
        "reach-mounts",
        "mounts folders, and makes devices",
        cell(f"""
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        done = [libc.mount(b"none", b"/tmp", b"tmpfs", 0, None), libc.unshare(0x10020000), libc.chroot(b"/tmp")]
        try:
            os.mknod("/tmp/{MARK}-sda", 0o60666, os.makedev(8, 0))
            done.append(0)
        except OSError:
            done.append(-1)
        print("DONE", done)
        """),
        unflagged=NOTHING_THERE,
        says="DONE [-1, -1, -1, -1]",
    ),
    Fixture(
        (),
        "reach-folder",
        "hands in a folder of folders in place of a file",
        beside(lambda folder: (folder / "a" / "b").mkdir(parents=True)),
        flag="is a folder",
    ),
]
