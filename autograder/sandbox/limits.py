"""The limits on a submission's use of the machine, and the time that the grader waits for its replies."""

from __future__ import annotations

from dataclasses import dataclass

from autograder.sandbox.inside.agreed import MIB, WALL_PER_CPU

REPLY_PER_CELL = (
    2  # seconds to wait for a cell, for each second that it may run: the worker stops the cell, then replies
)
MEMORY_OF_ALL = 2  # times the memory of one process that all processes of a submission may hold together


@dataclass(frozen=True)
class Limits:
    """The limits on one submission.

    Args:
        cell_seconds: wall time of a cell.
        probe_seconds: CPU time of all Cases of one Exercise.
        submission_seconds: wall time of the submission, of which cells leave half to probes.
        memory: bytes of address space of one process; all processes of a submission together may hold twice that.
        restarts: how often a sandbox that was lost is replaced.
        deaths: Cases of one Exercise that may end their process before its remaining Cases count as died.
    """

    cell_seconds: float = 5.0
    probe_seconds: float = 3.0
    submission_seconds: float = 45.0
    memory: int = 2048 * MIB
    restarts: int = 5
    deaths: int = 3

    @property
    def memory_of_all(self) -> int:
        """Bytes that all processes of a submission may hold together."""
        return MEMORY_OF_ALL * self.memory

    @property
    def cell_reply_seconds(self) -> float:
        """Wall time that the grader waits for the worker's reply to anything but a probe."""
        return REPLY_PER_CELL * self.cell_seconds

    @property
    def probe_reply_seconds(self) -> float:
        """Wall time that the grader waits for a reply that comes from an Answer's own process."""
        return WALL_PER_CPU * self.probe_seconds

    @property
    def fork_reply_seconds(self) -> float:
        """Wall time that the grader waits for a worker that asks an Answer in a fork; the worker itself gives up sooner."""
        return (WALL_PER_CPU + 1) * self.probe_seconds
