"""Rows: how an Exercise lists its Cases, group by group, each public Case beside its secret twin.

cases=rows(
    pool_case,
    "basic",
    public("kernel 2 on 4x6 images", x=(2, 3, 4, 6), kernel=2),
    secret("kernel 2 on 6x8 images", x=(3, 2, 6, 8), kernel=2),
    "stride",
    public("kernel 3, stride 2 on 7x9", x=(2, 2, 7, 9), kernel=3, stride=2),
    secret("kernel 3, stride 2 on 9x6", x=(2, 3, 9, 6), kernel=3, stride=2),
)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Concatenate

from autograder.exercise import PLAIN, VARIED, Case
from cnnlab.checking.wire import Value

Make = Callable[Concatenate[str, str, ...], Case]


@dataclass(frozen=True)
class Row:
    """One Case as a lesson writes it down: its key, and what the lesson's maker takes."""

    key: str
    arguments: tuple[Value, ...]
    inputs: dict[str, Value]
    words: str
    secret: bool


def public(key: str, /, *arguments: Value, words: str = "", **inputs: Value) -> Row:
    """Return the row of a Case that `check` asks.

    Args:
        key: decides what is drawn, so it never changes.
        arguments, inputs: what the lesson's maker of Cases takes.
        words: what students read, by default the key.
    """
    return Row(key, arguments, inputs, words, secret=False)


def secret(key: str, /, *arguments: Value, words: str = "", **inputs: Value) -> Row:
    """Return the row of a Case that grades.

    Args:
        key, arguments, inputs, words: as for `public`.
    """
    return Row(key, arguments, inputs, words, secret=True)


def plain_case(key: str, group: str, /, **inputs: Value) -> Case:
    """Return a Case of these inputs."""
    return Case(key, group=group, **inputs)


def varied(make: Make, plain: Row, things: Mapping[str, Row | Mapping[str, Value]]) -> list[Case]:
    """Return a plain Case and Cases that differ from it in one thing each, small and without points.

    All draw from the plain Case's key, so that what is not changed has the same values.

    Args:
        make: turns the key, the group and what else stands in a row into a Case.
        plain: the plain Case, a `public` row.
        things: what a Case varies, as in "stride" or "batch" -> the inputs of its own; or a whole row, where what differs
            stands without a name.
    """
    cases = [_varied(make, plain.key, plain, PLAIN, plain.words)]
    for name, thing in things.items():
        row = thing if isinstance(thing, Row) else replace(plain, inputs={**plain.inputs, **thing}, words="")
        cases.append(_varied(make, plain.key, row, name, row.words or f"{name} alone"))
    return cases


def _varied(make: Make, key: str, row: Row, name: str, words: str) -> Case:
    case = make(key, VARIED, *row.arguments, **row.inputs)
    case.words, case.varies = words or case.words, name
    return case


def rows(make: Make, group: str, /, *entries: Row | str) -> list[Case]:
    """Return the Cases of one or more groups.

    Args:
        make: turns the key, the group and what else stands in a row into a Case.
        group: the name of the first group, whose points the Cases decide.
        entries: the Cases in the order in which they are asked, among the public and among the secret ones; a name
            begins the next group.
    """
    cases = []
    for entry in entries:
        if isinstance(entry, str):
            group = entry
            continue
        case = make(entry.key, group, *entry.arguments, **entry.inputs)
        case.words, case.secret = entry.words or case.words, entry.secret
        cases.append(case)
    return cases
