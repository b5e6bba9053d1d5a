"""What a submission may use."""

from __future__ import annotations

from dataclasses import dataclass

from autograder.sandbox.inside.agreed import MIB


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Seconds are wall time for cells and the submission, of which cells leave half to probes, and CPU time for probes. memory:
    bytes of address space of one process; all processes of a submission together may hold twice that.
    """

    cell_seconds: float = 5.0
    probe_seconds: float = 3.0
    submission_seconds: float = 45.0
    memory: int = 2048 * MIB
    restarts: int = 5
    deaths: int = 3  # probes of one Exercise that may die before its remaining Cases count as died
