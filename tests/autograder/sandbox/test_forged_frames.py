"""What a hostile process writes on its descriptors is believed to be a value and nothing more."""

from __future__ import annotations

import textwrap
import time

import numpy as np
import pytest

from autograder.sandbox import Probe, RunCell
from cnnlab.checking import wire
from tests.autograder.sandbox.sample import QUICK, kinds, run, steps_run

pytestmark = pytest.mark.usefixtures("bubblewrap")


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


def test_values_too_large_for_the_channel_are_refused() -> None:
    with pytest.raises(wire.WireError):
        wire.pack([[0]] * (1 << 20))


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
    t = steps_run([RunCell(0, source), Probe("f", ("out",), many)])
    assert time.process_time() - began < 10
    assert kinds(t, "f").count("values") <= QUICK.deaths + 1  # and one before each is asked in a copy
