"""Submissions that stop, or take more than is theirs."""

from __future__ import annotations

from tests.submissions.fixture import MARK, OPEN_LOST, Fixture, bodies, body, cell

STOPPED = "filter_image: it ran longer than it may"
ENDED = "filter_image: it ended the process"
NAIVE_LOST = {**OPEN_LOST, "conv2d_naive": "all"}

FIXTURES = [
    Fixture((32,), "stop-exit", "ends its process", body("import os\nos._exit(0)"), flag=ENDED),
    Fixture(
        (33,),
        "stop-sys-exit",
        "leaves by sys.exit and by an interrupt",
        bodies({"conv2d_naive": "raise KeyboardInterrupt", "filter_image": "import sys\nsys.exit(0)"}),
        NAIVE_LOST,
        unflagged="both are errors like any other: the verdict says which was raised",
    ),
    Fixture((34,), "stop-loop", "loops without end", body("while True:\n    pass"), flag=STOPPED),
    Fixture(
        (35,),
        "stop-swallows",
        "loops and lets no interruption through",
        body("""
        import signal
        for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGXCPU, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        while True:
            try:
                while True:
                    pass
            except BaseException:
                pass
        """),
        flag="filter_image: it",
    ),
    Fixture(
        (36,),
        "stop-parent",
        "kills the process that asks it",
        body("import os\nos.kill(os.getppid(), 9)\nos.kill(os.getpid(), 9)"),
        flag="filter_image",
    ),
    Fixture(
        (37,),
        "stop-fork-bomb",
        "multiplies without end, and leaves processes behind",
        body(f"""
        import os, subprocess
        while True:
            try:
                os.fork()
                subprocess.Popen(["sleep", "3600", "{MARK}"], start_new_session=True)
            except OSError:
                pass
        """),
        flag="filter_image",
    ),
    Fixture(
        (37,),
        "stop-orphan",
        "leaves a process of its own session running",
        cell(f"""
        import os, subprocess
        subprocess.Popen(["sh", "-c", "exec -a {MARK} sleep 3600"], start_new_session=True)
        subprocess.Popen(["sleep", "3600", "{MARK}"], start_new_session=True)
        """),
        unflagged="a lesson may start processes; all of them end with the sandbox",
    ),
    Fixture(
        (38,),
        "stop-memory",
        "asks for 64 GiB",
        body("return np.ones(64 * 2**30, np.uint8)"),
        flag="filter_image: it asked for more memory than there is",
    ),
    Fixture(
        (39,),
        "stop-one-line",
        "prints 200 MB on one line",
        cell("print('x' * 200_000_000)"),
        unflagged="its output is cut, which costs nobody anything",
    ),
    Fixture(
        (40,),
        "stop-prints",
        "prints without end, whatever is raised",
        cell("""
        import os
        for _ in range(50):
            try:
                while True: print("x" * 10_000)
            except Exception:
                pass
        while True: os.write(1, b"x" * 10_000)
        """),
        unflagged="its output is cut, and a cell that goes on is stopped after its time",
    ),
    Fixture(
        (41,),
        "stop-disk",
        "fills every folder that it may write to",
        cell("""
        written = 0
        for folder in ("/tmp", "/dev/shm", "."):
            try:
                for number in range(1_000):
                    with open(f"{folder}/{number}", "wb") as file:
                        written += file.write(bytes(4 << 20))
            except OSError:
                pass
        print("FULL", written < 300 << 20)
        """),
        unflagged="the folders are small, its own, and end with the sandbox",
        says="FULL True",
    ),
    Fixture(
        (42,),
        "stop-processors",
        "works on more processors than one",
        body("""
        import os, threading
        for _ in range(2):
            if os.fork() == 0:
                break
        def burn():
            while True:
                sum(range(10_000))
        for _ in range(3):
            threading.Thread(target=burn).start()
        burn()
        """),
        flag="filter_image",
    ),
    Fixture(
        (60,),
        "stop-locked",
        "asks torch for threads, leaves one running, and takes a lock across a fork",
        cell(
            """
            import threading, time
            try:
                import torch
                torch.set_num_threads(8)
            except ImportError as error:
                print("TORCH", error)
            lock = threading.Lock()
            def hold():
                with lock:
                    time.sleep(3600)
            threading.Thread(target=hold, daemon=True).start()
            time.sleep(0.05)
            """,
            body="lock.acquire()\nreturn image",
        ),
        flag=STOPPED,
        says="TORCH torch is not available in this lesson",
    ),
    # Our own
    Fixture(
        (),
        "stop-stopped",
        "halts the process that asks it instead of ending it",
        body(
            "import os, signal\nos.kill(os.getppid(), signal.SIGSTOP)\nos.kill(os.getpid(), signal.SIGSTOP)"
        ),
        flag="filter_image",
    ),
    Fixture(
        (),
        "stop-kill-all",
        "kills every process that it may, from a cell",
        cell("""
        import os, signal
        try:
            os.kill(-1, signal.SIGKILL)
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
        """),
        flag="ended or hung the sandbox",
    ),
    Fixture(
        (),
        "stop-descriptors",
        "opens files until there are no more, and closes all descriptors",
        body("""
        import os
        kept = []
        try:
            while True:
                kept.append(open("/dev/null"))
        except OSError:
            pass
        os.closerange(0, 1024)
        return image
        """),
        flag="filter_image",
    ),
    Fixture(
        (),
        "stop-long-error",
        "raises an error whose text is endless, and whose class has no name",
        body("""
        class Endless(Exception):
            def __str__(self): return "x" * 100_000_000
            __repr__ = __str__
        Endless.__name__ = "-".join(["SECRET", "INPUT"] * 100_000)
        raise Endless
        """),
        unflagged="an error's own text never leaves the sandbox in a verdict",
    ),
    Fixture(
        (),
        "stop-endless-list",
        "returns a list that holds itself many times",
        body("endless = []\nendless.extend([endless] * 9)\nreturn endless"),
        unflagged="the verdict says that it returned no plain array",
    ),
    Fixture(
        (),
        "stop-crash",
        "reads where there is no memory",
        body("import ctypes\nctypes.string_at(0)"),
        flag=ENDED,
    ),
]
