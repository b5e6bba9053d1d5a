"""The tries at each Exercise in this kernel: a try is a failed check of code that has changed since the last one."""

from __future__ import annotations

import hashlib
import types
from dataclasses import dataclass
from types import CellType

import numpy as np

Namespace = dict[str, object] | None  # the names of the cell or module that an Answer stands in
MAX_REPR = 1 << 16  # characters of one constant that count
MAX_ARRAY = 1 << 20  # bytes of one array that count


@dataclass
class Tries:
    """The tries at an Exercise so far.

    Args:
        failed: tries since it last passed.
        passed: whether its last check passed.
        code: the fingerprint of the code that was checked last.
    """

    failed: int = 0
    passed: bool = False
    code: bytes = b""


_tries: dict[str, Tries] = {}


def tries_at(exercise: str) -> Tries:
    """Return the tries at an Exercise in this kernel."""
    return _tries.get(exercise, Tries())


def forget() -> None:
    """Forget all tries, as a new kernel has."""
    _tries.clear()


def record_check(exercise: str, code: bytes, passed: bool, attempted: bool) -> int:
    """Record a check of an Exercise and return the tries that have failed since it last passed.

    Args:
        exercise: its name.
        code: the fingerprint of what was checked; the same code again is no new try.
        passed: whether the check passed.
        attempted: False for a stub, which is no try.
    """
    old = tries_at(exercise)
    failed = 0 if passed else old.failed + (attempted and code != old.code)
    _tries[exercise] = Tries(failed, passed, code if attempted else old.code)
    return failed


def fingerprint(answer: object) -> bytes:
    """Return a digest that differs between versions of an Answer: of its code, and of that of what it names.

    Helpers count that stand in the same notebook as the Answer; comments and line breaks do not.
    """
    hasher = hashlib.blake2b(digest_size=16)
    space: Namespace = getattr(answer, "__globals__", None)
    if space is None and isinstance(answer, type):
        functions = [value for value in vars(answer).values() if isinstance(value, types.FunctionType)]
        space = functions[0].__globals__ if functions else None
    waiting: list[object] = [answer]
    seen: set[int] = set()
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, (types.FunctionType, types.CodeType, type)):
            words, more = _parts(thing, space)
            hasher.update(words)
            waiting += more
        else:
            hasher.update(_words(thing))
    return hasher.digest()


def _parts(thing: types.FunctionType | types.CodeType | type, space: Namespace) -> tuple[bytes, list[object]]:
    """Return bytes that stand for a function, class or piece of code, and the parts that it consists of."""
    if isinstance(thing, types.CodeType):
        names = [space[n] for n in thing.co_names if space and n in space]
        return thing.co_code + repr((thing.co_names, thing.co_varnames)).encode("utf-8", "replace"), [
            *thing.co_consts,
            *(named for named in names if _is_own(named, space)),
        ]
    if isinstance(thing, types.FunctionType):
        cells = [cell.cell_contents for cell in thing.__closure__ or () if _is_filled(cell)]
        inside = [value for value in cells if _is_own(value, space)]
        return b"function", [thing.__code__, *(thing.__defaults__ or ()), *inside]
    inner = [getattr(value, "__func__", getattr(value, "fget", value)) for value in vars(thing).values()]
    return b"class", [
        value for value in inner if isinstance(value, (types.FunctionType, int, float, str, tuple))
    ]


def _is_own(thing: object, space: Namespace) -> bool:
    """Say whether a thing is the student's: code of the same notebook, or a plain value."""
    if isinstance(thing, types.FunctionType):
        return thing.__globals__ is space
    if isinstance(thing, type):
        return bool(space) and thing.__module__ == space.get("__name__")
    return isinstance(thing, (int, float, complex, str, bytes, tuple, list, dict, np.ndarray))


def _is_filled(cell: CellType) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:  # not bound yet
        return False


def _words(thing: object) -> bytes:
    if isinstance(thing, np.ndarray):
        small = thing.nbytes <= MAX_ARRAY and thing.dtype != object
        return repr((thing.shape, thing.dtype)).encode() + (thing.tobytes() if small else b"")
    try:
        return repr(thing)[:MAX_REPR].encode("utf-8", "replace")
    except Exception:  # a student's own __repr__
        return type(thing).__name__.encode()
