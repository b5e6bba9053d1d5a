"""Puts Verdicts into words, and turns what students wrote or printed into text that can be shown anywhere."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Sequence

from autograder.verdict import CaseVerdict, Verdict

MAX_PRINTED = 10_000  # characters shown of what one cell printed
MAX_LINES = 200
MAX_LINE = 1000  # characters of one sentence
COLOURS = re.compile(r"\x1b\[.*?[@-~]")  # and whatever else tells a terminal something, as nbconvert has it

STATUS = {
    "passed": "All cases pass.",
    "failed": "Some cases fail.",
    "not attempted": "Not attempted: the cell is as it was handed out.",
    "not found": "It could not be tested.",
}


def plain(text: str, longest: int = MAX_PRINTED, lines: int = MAX_LINES) -> str:
    """Return text that can be shown anywhere: without control characters, and not too long.

    Line ends and tabs stay. Characters that cannot be written as UTF-8 become question marks.

    Args:
        text: what may come from a student.
        longest: how many characters are kept at most.
        lines: how many lines are kept at most.
    """
    cut = COLOURS.sub("", text[:longest]).replace("\r\n", "\n").replace("\r", "\n")
    cut = cut.encode("utf-8", "replace").decode("utf-8")
    cut = "".join(c if c.isprintable() or c in "\n\t" else " " if c.isspace() else "" for c in cut)
    kept = cut.split("\n")[:lines]
    short = len(text) > longest or cut.count("\n") >= lines
    return "\n".join(kept).rstrip() + ("\n[... the rest is left out]" if short else "")


def verdict_text(verdict: Verdict) -> str:
    """Return a Verdict as lines of plain text."""
    lines = [f"{one_line(verdict.exercise)}: {_score(verdict.points, verdict.total)}. {_status(verdict)}"]
    if verdict.hint:
        lines.append(one_line(verdict.hint))
    lines += [one_line(pattern) for pattern in verdict.patterns]
    lines += [_sentence(note) for note in verdict.notes]
    for group, (points, total) in verdict.groups.items():
        lines.append(f"  {one_line(group)}: {_score(points, total)}")
        for case in _cases(verdict, group):
            lines.append(f"    {'pass' if case.passed else 'FAIL'}  {one_line(case.words)}{_why(case)}")
    return "\n".join(lines)


def verdict_html(verdict: Verdict) -> str:
    """Return a Verdict as HTML: points, the recognised Mistake's hint, notes, and each group with its Cases.

    Only tags and attributes are used that nbconvert's cleaning of HTML lets through, so that formgrader shows the
    same. There is no table, because that cleaning fails on the tbody that it adds itself.
    """
    parts = [
        f'<div class="cnnlab-headline"><strong>{_score(verdict.points, verdict.total)}.</strong>'
        f" {html.escape(_status(verdict))}</div>"
    ]
    if verdict.hint:
        parts.append(f'<div class="cnnlab-hint">{_escaped(verdict.hint)}</div>')
    parts += [f'<div class="cnnlab-pattern">{_escaped(pattern)}</div>' for pattern in verdict.patterns]
    if verdict.notes:
        items = "".join(f"<li>{html.escape(_sentence(note))}</li>" for note in verdict.notes)
        parts.append(f'<ul class="cnnlab-notes">{items}</ul>')
    if verdict.status in ("passed", "failed"):
        groups = "".join(_group(verdict, group, *pair) for group, pair in verdict.groups.items())
        parts.append(f'<ul class="cnnlab-groups">{groups}</ul>')
    state = verdict.status if verdict.status in ("passed", "failed") else "none"
    return f'<div class="cnnlab-verdict cnnlab-{state}">{"".join(parts)}</div>'


def _group(verdict: Verdict, group: str, points: float, total: float) -> str:
    items = [
        f'<li class="cnnlab-fail"><span>FAIL</span> {_escaped(case.words)}{html.escape(_why(case))}</li>'
        for case in _cases(verdict, group)
        if not case.passed
    ]
    passed = "; ".join(_escaped(case.words) for case in _cases(verdict, group) if case.passed)
    if passed:
        items.append(f'<li class="cnnlab-pass"><span>pass</span> {passed}</li>')
    return f"<li><strong>{_escaped(group)}</strong>: {_score(points, total)}<ul>{''.join(items)}</ul></li>"


def _cases(verdict: Verdict, group: str) -> list[CaseVerdict]:
    return [case for case in verdict.cases if case.group == group]


def _status(verdict: Verdict) -> str:
    failed = sum(not case.passed for case in verdict.cases)
    if verdict.status == "failed" and verdict.cases:
        return f"{failed} of {len(verdict.cases)} cases {'fails' if failed == 1 else 'fail'}."
    return STATUS.get(verdict.status, "")


def _why(case: CaseVerdict) -> str:
    return f": {one_line(case.sentence)}" if case.sentence and not case.passed else ""


def _score(points: float, total: float) -> str:
    return f"{points:g} of {total:g} point{'' if total == 1 else 's'}"


def _sentence(words: str) -> str:
    line = one_line(words)
    line = line[:1].upper() + line[1:]
    return line if line.endswith((".", "!", "?")) else f"{line}."


def one_line(words: str, longest: int = MAX_LINE) -> str:
    """Return text as one line of at most `longest` characters that can be shown anywhere."""
    if len(words) <= longest and words.isascii() and words.isprintable():
        return " ".join(words.split())
    return " ".join(plain(words, longest).split())


def listed(texts: Sequence[str], most: int = 5) -> str:
    """Join texts as a sentence lists them: the first `most`, and how many more there are."""
    return ", ".join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")


def _escaped(words: str) -> str:
    return html.escape(one_line(words))


def page_policy(style: str, script: str = "") -> str:
    """Return the Content-Security-Policy of a page that may use this style and this script, and load nothing else."""
    allowed = [
        f"{kind}-src '{_digest(text)}'" for kind, text in (("style", style), ("script", script)) if text
    ]
    return "; ".join(["default-src 'none'", *allowed, "base-uri 'none'", "form-action 'none'"])


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
