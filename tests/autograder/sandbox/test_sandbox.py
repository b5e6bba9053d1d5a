"""What student code can do in the sandbox, and what it costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from autograder import sandbox
from autograder.sandbox import Limits, Probe, RunCell, SandboxError, Transcript, process, warm
from cnnlab.checking import wire
from tests import ROOT

pytestmark = pytest.mark.usefixtures("bubblewrap")
QUICK = Limits(cell_seconds=1.0, probe_seconds=1.0, submission_seconds=30.0)
TWO = ({"x": np.arange(3.0)}, {"x": np.ones(2)})


def run(source: str, *exercises: str, limits: Limits = QUICK, **options) -> Transcript:
    steps = [RunCell(0, textwrap.dedent(source))] + [Probe(name, ("out",), TWO) for name in exercises]
    return sandbox.run(steps, limits=limits, **options)


def kinds(transcript: Transcript, exercise: str) -> list[str]:
    return [outcome.kind for outcome in transcript.outcomes[exercise]]


def look(expression: str, setup: str = "", **options) -> str:
    """Evaluate an expression inside and return what it is, as the sandbox printed it."""
    return run(f"{setup}\nprint({expression})", **options).printed[0].strip()


def test_values_come_out_as_they_are() -> None:
    t = run("def double(x): return x * 2", "double")
    assert [list(o.values["out"]) for o in t.outcomes["double"]] == [[0.0, 2.0, 4.0], [2.0, 2.0]]


SHOWN = {  # a cell -> what it shows, whichever way it is run
    "def f(): pass\nf": "<function __main__.f",
    "def f(): pass": "",
    "import os; os.sep": "'/'",
    "import os; 5": "5",
    "x = 1\n(\n'''\nimport os\n  ''')": r"'\nimport os\n  '",
    "from os import (sep,\n  path\n); sep": "'/'",
    "print(1)\nclass C:\n    print(2)\n# done\n\n": "1\n2",
    "print(1)\r\ndef f():\r\n    return 1\r\n": "1",
    "@unknown\ndef f(): pass": "NameError: name 'unknown' is not defined",
    "print(1)\nraise ValueError('no')\nimport os": "1\nValueError: no",
    "print(1)\nreturn\nimport os": "SyntaxError: 'return' outside function",
    "!true\nimport os": "",
    "import asyncio\nawait asyncio.sleep(0)\n7": "7",
    "import warnings\nfor _ in 1, 2: warnings.warn('once')\nimport os": "UserWarning: once",
    "import inspect\ndef f(): return 42\nprint(inspect.getsource(f))\nimport os": "def f(): return 42",
    "print(display is not None, get_ipython().execution_count)\nimport os": "True 1",
}


@pytest.mark.parametrize("cell", SHOWN)
def test_a_cell_shows_what_a_notebook_shows(cell: str) -> None:
    shown = sandbox.run([RunCell(0, cell)], limits=QUICK).printed[0].strip()
    assert SHOWN[cell] in shown if SHOWN[cell] else shown == ""


@pytest.mark.parametrize("last", ["import os", "x = 1"])
def test_what_a_cell_hangs_into_the_shell_is_heeded(last: str) -> None:
    hang = """
    import ast
    class Doubled(ast.NodeTransformer):
        def visit_Constant(self, node):
            return ast.copy_location(ast.Constant(node.value * 2), node)
    get_ipython().ast_transformers.append(Doubled())
    get_ipython().events.register("post_execute", lambda: print("after"))
    """
    cells = [RunCell(0, textwrap.dedent(hang)), RunCell(1, f"print(21)\n{last}")]
    assert sandbox.run(cells, limits=QUICK).printed[1].split() == ["42", "after"]


DESTROYERS = {
    "os._exit": ("import os; os._exit(0)", "died"),
    "sys.exit": ("import sys; sys.exit(0)", "error"),
    "keyboard interrupt": ("raise KeyboardInterrupt", "error"),
    "endless loop": ("\n    while True: pass", "timeout"),
    "loop that swallows": (
        "\n    while True:\n        try:\n            while True: pass\n        except BaseException: pass",
        "timeout",
    ),
    "sleep": ("import time; time.sleep(60)", "timeout"),
    "endless print": ("\n    while True: print('x' * 1000)", "error"),
    "endless write": ("\n    import os\n    while True: os.write(1, b'x' * 1000)", "timeout"),
    "10 GiB": ("import numpy; return numpy.ones(10 * 2**30, 'u1')", "out of memory"),
    "kills its parent": ("import os; os.kill(os.getppid(), 9); os.kill(os.getpid(), 9)", "died"),
    "kills its group": ("import os; os.kill(0, 9)", "died"),
    "kills all": ("import os, time; os.kill(-1, 9); time.sleep(1)", "died"),
    "segmentation fault": ("import ctypes; ctypes.string_at(0)", "died"),
    "recursion": ("return f(x)", "error"),
}


@pytest.mark.parametrize("what", DESTROYERS)
def test_a_probe_that_destroys_costs_its_own_exercise_only(what: str) -> None:
    body, kind = DESTROYERS[what]
    t = run(f"def f(x): {body}\ndef good(x): return x * 2\ndef later(x): return x + 1", "good", "f", "later")
    assert set(kinds(t, "f")) == {kind}
    assert kinds(t, "good") == ["values"] * 2
    assert kinds(t, "later") == ["values"] * 2


def test_only_the_case_that_dies_is_lost() -> None:
    t = run("def f(x):\n    import os\n    return x if len(x) == 2 else os._exit(1)", "f")
    assert kinds(t, "f") == ["died", "values"]


@pytest.mark.parametrize(
    "cell",
    [
        "import os; os._exit(3)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "import os, signal; os.kill(-1, signal.SIGKILL)",
        "import signal; signal.setitimer = None; signal.alarm = None\nsignal.signal(14, signal.SIG_IGN)\nwhile True: pass",
        "import ctypes; ctypes.string_at(0)",
        "import os; os.closerange(0, 64)",
        "import os\nfor d in map(int, os.listdir('/proc/self/fd')):\n"
        "    try: os.write(d, b'CNN1' + b'\\xff' * 4096)\n    except OSError: pass",
    ],
)
def test_a_cell_that_destroys_is_skipped_and_the_rest_is_judged(cell: str) -> None:
    steps = [
        RunCell(0, "def before(x): return x"),
        RunCell(1, cell),
        Probe("before", ("out",), TWO),
        RunCell(2, "def after(x): return x"),
        Probe("after", ("out",), TWO),
    ]
    t = sandbox.run(steps, limits=QUICK)
    assert kinds(t, "before") == kinds(t, "after") == ["values"] * 2
    assert t.flags or "kill(-1" in cell  # which spares the caller, and may not reach the others


def test_a_cell_that_loops_is_stopped() -> None:
    t = run("while True: pass", limits=QUICK)
    assert "longer" in t.errors[0]


def test_a_cell_that_floods_is_stopped_and_cut() -> None:
    t = run("while True: print('x' * 10_000)", limits=replace(QUICK, cell_seconds=5.0))
    assert "printed more" in t.printed[0] or t.errors[0]
    assert len(t.printed[0]) < 50_000


def test_a_fork_bomb_costs_its_own_exercise_only_and_leaves_nothing() -> None:
    mark = f"cnnlab-bomb-{os.getpid()}"
    t = run(
        f"""
        def bomb(x):
            import os, sys, subprocess
            while True:
                try:
                    os.fork()
                    subprocess.Popen(["sleep", "1000", "{mark}"])
                except OSError:
                    pass
        def good(x): return x
        """,
        "bomb",
        "good",
    )
    assert set(kinds(t, "bomb")) <= {"timeout", "died"}
    assert kinds(t, "good") == ["values"] * 2
    assert mark not in subprocess.run(["ps", "ax", "-o", "args"], capture_output=True, text=True).stdout


def test_an_orphan_does_not_outlive_the_sandbox() -> None:
    mark = f"{os.getpid()}.125"
    run(f"import subprocess\nsubprocess.Popen(['sleep', '{mark}'], start_new_session=True)")
    until = time.monotonic() + 5  # nobody waits for a sandbox to end
    while mark in (
        found := subprocess.run(["ps", "ax", "-o", "args"], capture_output=True, text=True).stdout
    ):
        assert time.monotonic() < until, found


def test_a_thread_left_running_does_not_hang_later_probes() -> None:
    t = run(
        """
        import threading, time
        threading.Thread(target=lambda: [time.sleep(0.001) for _ in iter(int, 1)], daemon=True).start()
        def f(x): return x
        """,
        "f",
    )
    assert kinds(t, "f") == ["values"] * 2


def test_the_last_exercise_is_asked_in_the_process_of_the_cells_and_the_others_in_copies() -> None:
    t = run(
        "import os\ndef f(x): return os.getpid()\ndef g(x): return os.getpid()\nprint(os.getpid())", "f", "g"
    )
    cells = int(t.printed[0])
    assert [o.values["out"] for o in t.outcomes["g"]] == [cells, cells]
    assert len({o.values["out"] for o in t.outcomes["f"]} | {cells}) == 2


ENDS = {
    "died": "os._exit(0)",
    "out of memory": "bytearray(1 << 40)",
    "timeout": "[0 for _ in iter(int, 1)]",
}


@pytest.mark.parametrize("where", ["last", "first"])
@pytest.mark.parametrize("end", ENDS)
def test_how_an_answer_ends_its_process_is_known_wherever_it_is_asked(end: str, where: str) -> None:
    source = f"import os\ndef g(x): return x\ndef f(x):\n    if len(x) == 2: {ENDS[end]}\n    return x"
    t = run(source, *(("g", "f") if where == "last" else ("f", "g")))
    assert kinds(t, "f") == ["values", end] and kinds(t, "g") == ["values"] * 2
    assert t.flags == []


def test_what_cells_have_used_is_not_taken_from_the_last_answer() -> None:
    busy = "import time\ndef spend(seconds):\n    end = time.process_time() + seconds\n"
    busy += "    while time.process_time() < end: pass\nspend(1.5)\ndef f(x):\n    spend(1.0)\n    return x"
    limits = Limits(cell_seconds=5.0, probe_seconds=3.0, submission_seconds=60.0)
    assert kinds(run(busy, "f", limits=limits), "f") == ["values"] * 2


def test_where_the_first_cell_hangs_each_time_nothing_is_left_to_run() -> None:
    t = run("import signal, time\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\ntime.sleep(60)", "f")
    assert kinds(t, "f") == ["not attempted"] * 2 or kinds(t, "f") == ["timeout"] * 2


def test_state_does_not_pass_from_one_probe_to_the_next() -> None:
    t = run(
        "seen = []\ndef f(x):\n    seen.append(1)\n    return len(seen)\ndef g(x): return len(seen)", "f", "g"
    )
    assert [o.values["out"] for o in t.outcomes["g"]] == [0, 0]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("np.matrix([[1.0]])", "bad output"),
        ("np.ma.array([1.0])", "bad output"),
        ("np.array([object()])", "bad output"),
        ("np.array(['a'])", "bad output"),
        ("type('A', (np.ndarray,), {'__eq__': lambda s, o: True})((2,))", "bad output"),
        ("{1: 2}", "bad output"),
        ("iter([1])", "bad output"),
        ("None", "bad output"),
        ("float('nan')", "values"),
        ("10**5000", "bad output"),
    ],
)
def test_only_plain_values_come_out(value: str, kind: str) -> None:
    t = run(f"import numpy as np\ndef f(x): return {value}\ndef good(x): return x", "f", "good")
    assert set(kinds(t, "f")) == {kind}
    assert kinds(t, "good") == ["values"] * 2


def test_forged_frames_on_every_descriptor_change_nothing() -> None:
    t = run(
        """
        from cnnlab.checking import wire
        from cnnlab.checking.outcome import Outcome
        import os
        def f(x):
            forged = wire.pack(Outcome("values", {"out": x}).as_value())
            for descriptor in range(3):
                os.write(descriptor, forged)
            raise ValueError
        def good(x): return x
        """,
        "f",
        "good",
    )
    assert kinds(t, "f") == ["error"] * 2
    assert kinds(t, "good") == ["values"] * 2


def test_frames_forged_on_the_result_pipe_are_only_values() -> None:
    # A student's code may say what it likes on its own pipe: saying it is how an Answer answers. More Outcomes than
    # Cases, or bytes that are no frame, count for nothing.
    t = run(
        """
        from cnnlab.checking import wire
        from cnnlab.checking.outcome import Outcome
        import os
        def f(x):
            os.write(3, wire.pack(Outcome("values", {"out": 1.0}).as_value()) * 50)
            os._exit(0)
        def g(x):
            os.write(3, b"CNN1\\xff\\xff\\xff\\xff" + b"x" * 1000)
            os._exit(0)
        def good(x): return x
        """,
        "f",
        "g",
        "good",
    )
    assert len(t.outcomes["f"]) == 2
    assert set(kinds(t, "g")) == {"died"}
    assert kinds(t, "good") == ["values"] * 2


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
    modules = look("'\\n'.join(__import__('sys').modules)", without=("torch",))
    assert "autograder" not in modules and "torch" not in modules
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


def test_the_disk_cannot_be_filled() -> None:
    t = run(
        """
        written = 0
        try:
            for n in range(100):
                with open(f"/tmp/{n}", "wb") as f:
                    written += f.write(b"x" * 2**22)
        except OSError:
            print("full", written < 2**27)
        """,
        limits=replace(QUICK, cell_seconds=5.0),
    )
    assert t.printed[0].strip() == "full True"


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


def test_what_notebooks_write_is_tolerated() -> None:
    patient = replace(QUICK, cell_seconds=5.0)
    t = run("%matplotlib inline\n!echo from the shell\n%timeit -n1 -r1 1+1\nx = 3\nx", limits=patient)
    assert "from the shell" in t.printed[0]
    assert "Out" in t.printed[0]


def test_missing_bubblewrap_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    warm.close_all()
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(SandboxError, match="apt-get install bubblewrap"):
        run("x = 1")


def test_without_a_sandbox_the_same_outcomes() -> None:
    t = run("def f(x): return x + 1\ndef dead(x): __import__('os')._exit(1)", "f", "dead", bare=True)
    assert kinds(t, "f") == ["values"] * 2
    assert kinds(t, "dead") == ["died"] * 2


def test_as_an_ordinary_user(bubblewrap: str) -> None:
    code = (
        "import os; from autograder import sandbox; from autograder.sandbox import Probe, RunCell\n"
        "source = 'import os\\ndef f(x): return os.getuid()\\ndef g(x): os.kill(0, 9)'\n"
        "probes = [Probe(name, ('out',), ({'x': 1},)) for name in 'fg']\n"
        "t = sandbox.run([RunCell(0, source), *probes])\n"
        "print(os.getuid(), t.outcomes['f'][0].values['out'], t.outcomes['g'][0].kind)"
    )
    # Where the tests run as root, a user namespace around the grader makes it an ordinary user.
    user = [bubblewrap, "--bind", "/", "/", "--dev-bind", "/dev", "/dev", "--proc", "/proc", "--unshare-pid"]
    user += ["--unshare-user", "--uid", "1234", "--gid", "1234"] if os.getuid() == 0 else []
    done = subprocess.run([*user, sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    grader, student, kind = done.stdout.split() or [done.stderr, "", ""]
    assert (grader != "0", student, kind) == (True, "1000", "died")


def test_values_too_large_for_the_channel_are_refused() -> None:
    with pytest.raises(wire.WireError):
        wire.pack([[0]] * (1 << 20))


def test_no_cell_can_print_a_secret_input() -> None:
    # What a cell prints is shown to the student; the inputs of a probe are the course's secret.
    leak = """
    def f(x):
        import os
        for path in ("/tmp/seen", "/dev/shm/seen", "/home/student/seen"):
            open(path, "a").write(repr(x))
        return x
    """
    look_for_it = "import glob\nprint([open(p).read() for d in ('/tmp', '/dev/shm', '.') for p in glob.glob(d + '/seen')])"
    steps = [RunCell(0, textwrap.dedent(leak)), Probe("f", ("out",), TWO), RunCell(2, look_for_it)]
    t = sandbox.run([*steps, RunCell(3, "f = None")], limits=QUICK)
    assert t.printed[2].strip() == "[]"
    assert kinds(t, "f") == ["values"] * 2


def test_a_probe_asks_the_answer_as_it_was_at_its_place() -> None:
    t = sandbox.run(
        [
            RunCell(0, "def helper(x): return x\ndef f(x): return helper(x)"),
            Probe("f", ("out",), TWO),
            RunCell(2, "def helper(x): return None"),
            Probe("f", ("out",), TWO),
        ],
        limits=QUICK,
    )
    assert kinds(t, "f") == ["values"] * 2


@pytest.mark.parametrize("reply", ["[1]", "None", "{'ended': 1, 'frames': 'x', 'printed': [1]}"])
def test_a_forged_reply_is_not_believed_and_harms_nothing(reply: str) -> None:
    t = run(
        f"""
        import os
        from cnnlab.checking import wire
        for descriptor in (3, 4):  # the cells' own, and that of the next check
            os.write(descriptor, wire.pack({reply}) * 3)
        def f(x): return x
        def g(x): return x
        """,
        "f",
        "g",
    )
    assert len(t.outcomes["f"]) == 2
    assert kinds(t, "g") == ["values"] * 2


def test_no_more_is_kept_of_what_a_cell_printed_than_it_may_print() -> None:
    t = run("""
        import os
        from cnnlab.checking import wire
        os.write(3, wire.pack({"printed": "x" * 150_000, "error": "y" * 1000}))
        """)
    assert len(t.printed[0]) <= sandbox.MAX_PRINTED and len(t.errors[0]) <= 200


def test_no_more_is_kept_of_all_cells_than_a_page_can_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox.session, "MAX_ALL_PRINTED", 3_500)
    t = sandbox.run([RunCell(n, "print('x' * 999)") for n in range(6)], limits=QUICK)
    assert [len(t.printed[n]) for n in range(6)] == [1_000, 1_000, 1_000, 500, 0, 0]


def test_lists_without_end_do_not_keep_the_grader_busy() -> None:
    many = tuple({"x": np.zeros(1)} for _ in range(40))
    source = textwrap.dedent("""
        import json, os, struct
        outcome = {"kind": "values", "values": {"dict": {"out": [[]] * 250_000}}, "message": "", "error": "", "line": None}
        header = json.dumps({"tree": {"dict": outcome}, "arrays": []}).encode()
        frame = b"CNN1" + struct.pack("<I", len(header)) + header
        def f(x):
            for _ in range(30):
                os.write(3, frame)
            os._exit(0)
        """)
    began = time.process_time()
    t = sandbox.run([RunCell(0, source), Probe("f", ("out",), many)], limits=QUICK)
    assert time.process_time() - began < 10
    assert kinds(t, "f").count("values") <= QUICK.deaths + 1  # and one before each is asked in a copy


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


def test_all_processes_together_may_not_take_the_machines_memory() -> None:
    hoard = """
    import os, time
    for _ in range(6):
        if os.fork() == 0:
            time.sleep(2)  # so that what follows without the cell that is blamed has time, on a busy machine too
            taken = b"x" * (120 << 20)
            time.sleep(60)
            os._exit(0)
    def before(x): return x
    """
    steps = [
        RunCell(0, "def before(x): return x"),
        Probe("before", ("out",), TWO),
        RunCell(1, textwrap.dedent(hoard)),
        RunCell(2, "import time; time.sleep(8)"),
        RunCell(3, "def after(x): return x"),
        Probe("after", ("out",), TWO),
    ]
    t = sandbox.run(steps, limits=replace(QUICK, cell_seconds=12.0, memory=300 << 20))
    assert kinds(t, "before") == kinds(t, "after") == ["values"] * 2
    assert t.flags == ["cell 3 ended or hung the sandbox"]


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


def test_sockets_hold_little() -> None:
    setup = """
    import socket
    def held(one):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 26)
        one.setblocking(False)
        sent = 0
        try:
            while sent < 1 << 26: sent += one.send(bytes(1 << 16))
        except BlockingIOError: pass
        return sent
    with socket.create_server(("127.0.0.1", 0)) as server:
        pairs = [(socket.create_connection(server.getsockname()), server.accept()), socket.socketpair()]
    """
    assert int(look("max(held(one) for one, _ in pairs)", textwrap.dedent(setup))) < 1 << 20


def test_files_are_not_too_many() -> None:
    with process.free_slot() as slot:
        if warm.place(slot, (), Limits()) is None:
            pytest.skip("bubblewrap sets no limit to the number of files")
    free = "[os.statvfs(folder).f_files for folder in ('/tmp', '/home/student', '/dev/shm')]"
    assert max(json.loads(look(free, "import os"))) <= 20_000


def test_all_processes_together_may_not_take_the_machines_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox.process.usage, "cpu_seconds", lambda process: 0.5)  # burnt in no time
    t = run("""
        import os, time
        for _ in range(10):
            if os.fork() == 0:
                time.sleep(60)
        time.sleep(0.9)
        """)
    assert "cell 1 ended or hung the sandbox" in t.flags


def test_the_time_of_a_submission_is_kept_whatever_it_does() -> None:
    stubborn = (
        "import signal, time\nsignal.pthread_sigmask(signal.SIG_BLOCK, {14})\nwhile True: time.sleep(1)"
    )
    hang = "def f(x):\n    import os\n    os.close(3)\n    while True: __import__('time').sleep(1)"
    steps = [RunCell(0, hang), Probe("f", ("out",), TWO)]
    steps += [RunCell(n, stubborn) for n in range(1, 9)]
    began = time.monotonic()
    t = sandbox.run(steps, limits=Limits(cell_seconds=1.0, probe_seconds=1.0, submission_seconds=6.0))
    assert time.monotonic() - began < 8.0
    assert set(kinds(t, "f")) <= {"died", "timeout"} and t.flags


def test_what_stands_before_cells_that_destroy_is_judged() -> None:
    steps = [RunCell(0, "def f(x): return x"), Probe("f", ("out",), TWO)]
    steps += [RunCell(n, "import os; os._exit(1)") for n in range(1, 12)]
    assert kinds(sandbox.run(steps, limits=QUICK), "f") == ["values"] * 2


def test_nothing_outlives_a_sandbox_whose_first_process_was_talked_over(bubblewrap: str) -> None:
    """An ordinary user's sandbox runs as that user, so its code can write into bubblewrap's own process there."""
    if os.uname().machine != "x86_64":
        pytest.skip("the code written into the process is for x86_64")
    mark = f"{os.getpid()}.375"
    attack = f"""
    import os, time
    program = bytes.fromhex("b89d000000bf0100000031f60f05b8220000000f05ebf7")  # prctl(PR_SET_PDEATHSIG, 0), pause for ever
    place = int(open("/proc/1/syscall").read().split()[-1], 16)
    with open("/proc/1/mem", "rb+", buffering=0) as memory:
        memory.seek(place)
        memory.write(program)
    if os.fork() == 0:
        if os.fork() == 0:
            time.sleep(0.2)  # an orphan that ends wakes the first process
        os._exit(0)
    time.sleep(0.5)
    if os.fork() == 0:
        os.setsid()
        os.execvp("sleep", ["sleep", "{mark}"])
    """
    code = (
        "import subprocess, time; from autograder import sandbox; from autograder.sandbox import RunCell\n"
        f"sandbox.run([RunCell(0, {textwrap.dedent(attack)!r})])\n"
        "time.sleep(0.3)\n"
        "print([a for a in subprocess.run(['ps', 'ax', '-o', 'args'], capture_output=True, text=True)"
        f".stdout.splitlines() if a == 'sleep {mark}'])"
    )
    user = [bubblewrap, "--bind", "/", "/", "--dev-bind", "/dev", "/dev", "--proc", "/proc", "--unshare-pid"]
    user += ["--unshare-user", "--uid", "1234", "--gid", "1234"] if os.getuid() == 0 else []
    done = subprocess.run([*user, sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stderr
