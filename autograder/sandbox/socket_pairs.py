"""Pairs of sockets: one end for the grader, the other for a process that is about to be started."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


@contextmanager
def pairs(count: int) -> Iterator[tuple[list[socket.socket], list[int]]]:
    """Give `count` sockets and the descriptors of their other ends.

    The other ends are closed at the end, when the process that was started has them; where that fails, all ends are.
    """
    made: list[tuple[socket.socket, socket.socket]] = []
    try:
        made += [socket.socketpair() for _ in range(count)]
        yield [ours for ours, _ in made], [their.fileno() for _, their in made]
    except BaseException:
        close([ours for ours, _ in made])
        raise
    finally:
        close([their for _, their in made])


def close(sockets: Iterable[socket.socket]) -> None:
    """Close all of them."""
    for one in sockets:
        one.close()
