"""Runs a submission where it can do no harm: a fresh bubblewrap sandbox, and what it answered as Outcomes.

The sandbox sees the system and the Python environment read-only, `cnnlab`, and nothing else of the course: no network,
no other process, an empty environment, small in-memory folders. All that comes out is frames on sockets.
"""

from autograder.sandbox.bubblewrap import verify_available
from autograder.sandbox.errors import SandboxError
from autograder.sandbox.limits import Limits
from autograder.sandbox.race import Timing, race
from autograder.sandbox.session import MAX_PRINTED, STOPPED, Probe, RunCell, Transcript, run

__all__ = [
    "MAX_PRINTED",
    "STOPPED",
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
