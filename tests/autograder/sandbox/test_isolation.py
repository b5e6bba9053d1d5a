"""What a process in the sandbox can see, reach and change."""

from __future__ import annotations

import json
import os
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from autograder import sandbox
from tests.autograder.sandbox.sample import QUICK, look, run

pytestmark = pytest.mark.usefixtures("bubblewrap")


def test_the_process_holds_nothing_of_the_course_but_cnnlab(course) -> None:
    course.secret()
    files = json.loads(
        look(
            "json.dumps(sorted(found))",
            """
            import json, os, sys
            found = []
            for top, folders, names in os.walk("/"):
                if top.startswith(("/proc", "/usr", "/dev", "/lib", sys.base_prefix)) or "site-packages" in top:
                    folders[:] = []
                    continue
                ends = (".py", ".ipynb", ".db", ".npz", ".jsonl", "secret")
                found += [os.path.join(top, n) for n in names if n.endswith(ends)]
            found = [f for f in found if "/lib/python3" not in f]
            """.replace("            ", ""),
            limits=replace(QUICK, cell_seconds=5.0),
        )
    )
    outside = [f for f in files if not f.startswith("/course/cnnlab/")]
    names = "__init__ __main__ agreed alone cells descriptors namespaces preparing rights server shell worker"
    assert outside == [f"/course/inside/{name}.py" for name in names.split()]
    for word in ("autograder/", "solutions", "secret", "gradebook", "submitted"):
        assert not [f for f in files if word in f]
    root = str(Path(sandbox.__file__).parent)
    assert look(f"__import__('os').path.exists({root!r})") == "False"


def test_no_reference_is_in_memory_or_importable() -> None:
    modules = look("' '.join(__import__('sys').modules)", without=("torch",)).split()
    assert len(modules) > 100
    assert not {"autograder", "torch"} & {name.split(".")[0] for name in modules}
    assert look("__import__('importlib.util').util.find_spec('autograder')") == "None"


def test_no_environment_no_network_no_other_process() -> None:
    os.environ["CNNLAB_TEST_TOKEN"] = "a secret of the grader"
    try:
        assert "secret" not in look("dict(__import__('os').environ)")
        assert "secret" not in look(
            "open('/proc/1/environ', 'rb').read() if __import__('os').access('/proc/1/environ', 4) else ''"
        )
    finally:
        del os.environ["CNNLAB_TEST_TOKEN"]
    assert look("[i for _, i in __import__('socket').if_nameindex()]") in ("['lo']", "[]")
    refused = run(
        "import socket\ntry:\n    socket.create_connection(('1.1.1.1', 53), 1)\nexcept OSError as e:\n    print('refused')"
    )
    assert refused.printed[0].strip() == "refused"
    pids = look("sorted(int(p) for p in __import__('os').listdir('/proc') if p.isdigit())")
    assert len(json.loads(pids)) <= 4


def test_not_root_no_capabilities_no_new_privileges() -> None:
    assert look("__import__('os').getuid() != 0") == "True"
    status = look("open('/proc/self/status').read()")
    held = {line.split(":")[0]: line.split(":")[1].strip() for line in status.splitlines() if ":" in line}
    assert int(held["CapEff"], 16) == int(held["CapPrm"], 16) == 0
    assert held["NoNewPrivs"] == "1"


@pytest.mark.parametrize("path", ["/course/cnnlab/x.py", "/venv/x", "/usr/x", "/etc/x", "/x", "/dev/x"])
def test_nothing_but_the_small_folders_can_be_written(path: str) -> None:
    t = run(f"try:\n    open({path!r}, 'w')\n    print('written')\nexcept OSError:\n    print('refused')")
    assert t.printed[0].strip() == "refused"


def test_a_package_that_the_lesson_does_without_says_so() -> None:
    t = run("def f(x):\n    import torch\n    return x", "f", without=("torch", "scipy"))
    assert t.outcomes["f"][0].kind == "error"
    assert "torch is not available in this lesson" in t.outcomes["f"][0].message
    assert "not available" not in str(run("import json", without=("torch",)).errors)


def test_files_in_the_working_folder_shadow_no_import() -> None:
    t = run("open('random.py', 'w').write('raise SystemExit')\nimport random\nprint(random.__file__)")
    assert "/home/student" not in t.printed[0]


def test_two_sandboxes_share_nothing() -> None:
    run("open('/tmp/left', 'w').write('x'); open('/dev/shm/left', 'w').write('x')")
    assert (
        look("[__import__('os').path.exists(p) for p in ('/tmp/left', '/dev/shm/left')]") == "[False, False]"
    )


def test_calls_that_escape_the_limits_are_refused() -> None:
    t = run("""
        import ctypes, errno, os
        libc = ctypes.CDLL(None, use_errno=True)
        NEW_USER, PRIVATE, SESSION_KEYS = 0x10000000, 0, -3
        def refused(answer):
            return answer == -1 and ctypes.get_errno() == errno.ENOSYS
        print(refused(libc.unshare(NEW_USER)), refused(libc.shmget(PRIVATE, 4096, 0o1600)))
        print(refused(libc.memfd_create(b"x", 0)), refused(libc.ptrace(16, 1, 0, 0)))
        number = {"x86_64": (250, 56), "aarch64": (219, 220)}[os.uname().machine]
        print(refused(libc.syscall(number[0], 0, SESSION_KEYS, 0)))
        print(refused(libc.syscall(number[1], NEW_USER | 17, 0, 0, 0, 0)))
        import subprocess, threading
        thread = threading.Thread(target=print, args=("a thread",))
        thread.start(); thread.join()
        print(subprocess.run(["echo", "a process"], capture_output=True, text=True).stdout)
        """)
    assert t.printed[0].split() == ["True"] * 6 + ["a", "thread", "a", "process"]


UNCOUNTED = """
import ctypes, mmap, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def refused(call):
    try: return call() in (-1, None)
    except OSError: return True
"""

KEEPS_MEMORY = {
    "shared memory without a file": "refused(lambda: mmap.mmap(-1, 4096))",
    "the same in another way": "refused(lambda: mmap.mmap(os.open('/dev/zero', os.O_RDWR), 4096))",
    "semaphores": "refused(lambda: libc.semget(0, 32000, 0o1600))",
    "huge pages in a pipe": "refused(lambda: libc.vmsplice(os.pipe()[1], 0, 0, 0))",
    "sockets that reach the machine below": "refused(lambda: socket.socket(40))",
}


@pytest.mark.parametrize("what", KEEPS_MEMORY)
def test_what_keeps_memory_that_no_process_is_charged_with_is_refused(what: str) -> None:
    assert look(KEEPS_MEMORY[what], UNCOUNTED) == "True"


def test_private_memory_and_that_of_a_file_can_be_mapped() -> None:
    setup = """
    import mmap, multiprocessing.shared_memory as shared
    file = open("/tmp/page", "w+b"); file.truncate(4096)
    mapped = [mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS), mmap.mmap(file.fileno(), 4096)]
    """
    assert look("len(mapped)", textwrap.dedent(setup)) == "2"
