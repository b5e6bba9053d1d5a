"""A worker in a sandbox of its own, or in none."""

from __future__ import annotations

from collections.abc import Sequence

from .rights import become_student


def main(arguments: Sequence[str]) -> None:
    """Become the student, import everything, and work.

    arguments: the worker's descriptors with commas between them, the user and the group to become (0: stay as it is), the
    bytes of address space of one process, and the modules to import besides.
    """
    given, uid, gid, memory, *modules = arguments
    alone = uid != "0"
    if alone:
        become_student(int(uid), int(gid))
    # Only now that this process has no rights any more.
    from .preparing import prepare
    from .worker import work

    work(prepare(modules), list(map(int, given.split(","))), int(memory), alone)
