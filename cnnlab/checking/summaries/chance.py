"""Summaries of what was drawn at random: shares, means and supports instead of values."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cnnlab.checking.wire import Value

SUMMARIES: dict[str, Callable[[Mapping[str, Value], Mapping[str, Value]], dict[str, Value]]] = {}
