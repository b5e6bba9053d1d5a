"""Runs a submission where it can do no harm, in a bubblewrap sandbox, and returns its answers as Outcomes.

The sandbox sees the system and the Python environment read-only, `cnnlab`, and nothing else of the course: no network,
no other process, an empty environment, small in-memory folders. All that comes out is frames on sockets. What runs inside
is in the folder `inside`; all other modules run in the grader's own process.
"""

from autograder.sandbox.asking import STOPPED
from autograder.sandbox.bubblewrap import verify_available
from autograder.sandbox.errors import GradingStopped, SandboxError
from autograder.sandbox.limits import Limits
from autograder.sandbox.racing import Timing, race
from autograder.sandbox.session import MAX_PRINTED, run
from autograder.sandbox.steps import Probe, RunCell, Transcript

__all__ = [
    "MAX_PRINTED",
    "STOPPED",
    "GradingStopped",
    "Limits",
    "Probe",
    "RunCell",
    "SandboxError",
    "Timing",
    "Transcript",
    "race",
    "run",
    "verify_available",
]
