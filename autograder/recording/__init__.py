"""Recording: graded submissions into nbgrader's gradebook and work/autograded/, as nbgrader itself would leave them.

Any number of processes write drafts, one commits them:

    found = draft(course, assignment, student, judgements)  # in a worker
    with Recorder(course, assignment) as recorder:          # in the process that coordinates
        problems = recorder.commit([found, ...])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograder.recording.drafting import Draft, draft
    from autograder.recording.recorder import Recorder

__all__ = ["Draft", "Recorder", "draft"]


def __getattr__(name: str) -> Any:
    # When asked for: nbgrader's step needs this package's records, and is needed to write drafts.
    if name in ("Draft", "draft"):
        from autograder.recording import drafting

        return getattr(drafting, name)
    if name == "Recorder":
        from autograder.recording.recorder import Recorder

        return Recorder
    raise AttributeError(name)
