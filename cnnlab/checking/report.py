"""The report of a check: one line, text for a terminal, HTML with a picture for a notebook."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from cnnlab.checking import picture, rows, scripts
from cnnlab.checking.assess import Finding
from cnnlab.checking.boxes import box, cell, code, heading, marked, paragraph, sign
from cnnlab.checking.picture import INK, LINE, MONO, PALE_INK
from cnnlab.checking.question import CaseResult, Clue
from cnnlab.checking.way import CALL, Way
from cnnlab.checking.wire import Value

WIDTH = 88  # columns of a terminal
MADE = 6  # calls of a script that are written out
LONGEST = 240  # characters of one value, message or Case in words
NEXT_STEP = "Replace the line that raises NotImplementedError with your own code, then run both cells again."


@dataclass(frozen=True)
class Remarks:
    """Remarks of a report beside the Cases' results.

    Args:
        way: the way in which the Answer was asked.
        clues: those to show.
        clue_count: the number of all clues.
        helped: the names of the stand-ins that the Answer used.
        kept: a sentence about keeping the Answer.
        speed: a sentence about the Answer's speed.
    """

    way: Way = CALL
    clues: tuple[Clue, ...] = ()
    clue_count: int = 0
    helped: tuple[str, ...] = ()
    kept: str = ""
    speed: str = ""


NONE = Remarks()


def headline(finding: Finding) -> str:
    """Say the result of a check in one line of plain text, with the Mistake or failure that explains it."""
    why = finding.hint or _failure(finding.telling) if finding.attempted else ""
    return f"{_count(finding)} {_clean(why)}".rstrip()


def text(finding: Finding, remarks: Remarks = NONE) -> str:
    """Return the report for a terminal: at most 88 columns of plain text."""
    helped = [_wrap(_helped(remarks))] if remarks.helped else []
    if finding.passed:
        said = [_wrap(words) for words in (remarks.speed, remarks.kept) if words]
        return "\n".join([_wrap(headline(finding)), *helped, *said])
    if not finding.attempted:
        return _wrap(f"{headline(finding)} {_next_step(finding)}")
    result = finding.telling
    assert result is not None, "a Finding that did not pass has a failed Case"
    parts = [
        _wrap(f"{_count(finding)} {_clean(finding.hint)}".rstrip()),
        *map(_wrap, finding.patterns),
        *helped,
        "",
    ]
    parts += [_wrap(f"Case: {_clean(result.question.words)}", "      ")]
    parts += [_wrap(_call(finding.exercise, result.question.inputs, remarks.way), "      ", "      ")]
    parts += ["", _wrap(_what_came(result, remarks.way)), *_numbers(result)]
    for number, clue in enumerate(remarks.clues, 1):
        parts += ["", _wrap(f"Clue {number} of {remarks.clue_count}: {_printable(clue.words)}", "  ")]
    return "\n".join([*parts, "", *_case_lines(finding)])


def html(finding: Finding, remarks: Remarks = NONE) -> str:
    """Return the report for a notebook: one bordered box of HTML that needs nothing from outside."""
    quiet = f"margin-top:4px;font-size:13px;color:{PALE_INK}"
    helped = paragraph(escape(_helped(remarks)), quiet) if remarks.helped else ""
    if finding.passed:
        fast = paragraph(escape(remarks.speed), quiet) if remarks.speed else ""
        kept = paragraph(marked(_printable(remarks.kept)), quiet) if remarks.kept else ""
        return box(heading("passes", _count(finding)) + helped + fast + kept)
    if not finding.attempted:
        step = paragraph(escape(_next_step(finding)))
        return box(heading("is not attempted", _count(finding)) + step)
    result = finding.telling
    assert result is not None, "a Finding that did not pass has a failed Case"
    hint = paragraph(marked(_clean(finding.hint)), "font-size:15px;margin-top:6px") if finding.hint else ""
    patterns = "".join(paragraph(escape(words), "margin-top:6px") for words in finding.patterns)
    case = paragraph(
        f'<span style="color:{PALE_INK}">Case:</span> {escape(_clean(result.question.words))}'
        f"<br/>{code(_call(finding.exercise, result.question.inputs, remarks.way))}",
        "margin-top:10px",
    )
    came = paragraph(escape(_what_came(result, remarks.way)), "margin-top:10px")
    shown = picture.draw(result) or rows.draw(result, _in_a_row) or _table(result)
    top = heading("fails", _count(finding)) + hint + patterns + helped + case + came + shown
    return box(top + _clues(remarks.clues, remarks.clue_count) + _case_list(finding))


def _count(finding: Finding) -> str:
    total, failed = len(finding.results), len(finding.failed)
    if finding.passed:
        return f"{finding.exercise}: {f'all {total} cases pass' if total != 1 else 'its one case passes'}."
    if not finding.attempted:
        return f"{finding.exercise} is not attempted yet."
    return f"{finding.exercise}: {f'{failed} of {total} cases fail' if total != 1 else 'its one case fails'}."


def _next_step(finding: Finding) -> str:
    outcome = finding.results[0].outcome
    # A file that is not there yet says so itself.
    return _failure(finding.results[0]) if outcome.message and not outcome.error else NEXT_STEP


def _helped(remarks: Remarks) -> str:
    names = [*remarks.helped]
    listed = " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
    stand_ins = f"stand-ins for {listed}, which are" if names[1:] else f"a stand-in for {listed}, which is"
    return f"With {stand_ins} not in your library yet."


def _failure(result: CaseResult | None) -> str:
    """Return a failed Outcome's message as a sentence; "" where the Answer returned values."""
    if result is None or result.outcome.kind == "values":
        return ""
    words = _clean(result.outcome.message or result.outcome.kind)
    # An exception's own words start with its type's name, and some with a file's, which stay; ours start small.
    named = "." in words.split(" ")[0].rstrip(".")
    if not named and not (result.outcome.error and result.outcome.message.startswith(result.outcome.error)):
        words = words[:1].upper() + words[1:]
    return words if words.endswith((".", "!", "?")) else f"{words}."


def _what_came(result: CaseResult, way: Way = CALL) -> str:
    """Say in a sentence how a failed Case differs, with the line that raised where one did."""
    if result.outcome.kind == "values" and result.difference:
        return _clean(result.difference.sentence) + "." + (_when(result, way) if way.script else "")
    where = f" It was raised at line {result.outcome.line} of your code." if result.outcome.line else ""
    return _failure(result) + where


def _call(exercise: str, inputs: Mapping[str, Value], way: Way) -> str:
    later = (way.module, way.script, "dout" if way.module else "")  # what does not go into the constructor
    listed = ", ".join(_argument(name, value, way) for name, value in inputs.items() if name not in later)
    if way.module:
        through = [_argument(name, inputs[name], way) for name in (way.module, "dout") if name in inputs]
        return f"{exercise}({listed}) on {', '.join(through)}"
    if way.script:
        calls = inputs[way.script]
        made = ", ".join(map(_made, calls[:MADE])) + (f" ... {len(calls)} calls" if len(calls) > MADE else "")
        return f"{exercise}({listed}), then {made or 'no call'}"
    return f"{way.file}: {listed}" if way.file else f"{exercise}({listed})"


def _made(call: Value, longest: int = 30) -> str:
    """Write a method call of a script, such as step(0.5)."""
    method, *arguments = call
    listed = (
        f"{v.dtype.name} {v.shape}" if isinstance(v, np.ndarray) else _plain(v, longest) for v in arguments
    )
    return f"{_clean(str(method))}({', '.join(listed)})"


def _when(result: CaseResult, way: Way) -> str:
    """Name the call of a script after which the first value differs."""
    difference, calls = result.difference, result.question.inputs[way.script]
    step = re.match(r"[^\[]+\[(\d+)\]", difference.name) if difference else None
    if difference is None or not (difference.index or step):
        return ""
    at = int(step[1]) if step else (difference.index or (0,))[0]
    at += (
        difference.name.split("[")[0] == scripts.RETURNED
    )  # the attributes are read once before the first call
    if at == 0:
        return " That is before the first call."
    return f" That is call {at}, {_made(calls[at - 1])}." if at <= len(calls) else ""


def _in_a_row(value: Value) -> str:
    """Write a value of a table; whole numbers get commas, because they are long."""
    if type(value) is int:
        return f"{value:,}" if abs(value) < 10**15 else _plain(value, 24)
    return _clean(value)[:40] if type(value) is str else _plain(value, 40)


def _argument(name: str, value: Value, way: Way) -> str:
    if name in way.functions:
        return f"{name}={_clean(str(value))}"
    if name == way.rng:
        return f"{name}=default_rng({_plain(value, 60)})"
    if isinstance(value, np.ndarray):
        dtype = "" if value.dtype == np.float64 else f" {value.dtype.name}"
        return f"{name} {value.shape}{dtype}"
    return f"{name}={_plain(value, 60)}"


def _plain(value: Value, longest: int = LONGEST) -> str:
    """Write a value as a student would type it, cut where it is long."""
    return textwrap.shorten(_clean(_unclipped(value)), longest, placeholder=" ...") or "''"


def _unclipped(value: Value) -> str:
    if isinstance(value, np.ndarray):
        return np.array2string(value, precision=4, threshold=12, edgeitems=2)
    if type(value) is float:
        return f"{value:.8g}" if value != _whole(value) else f"{value:.1f}"
    if type(value) is tuple:
        return f"({', '.join(map(_unclipped, value))}{',' if len(value) == 1 else ''})"
    if type(value) is list:
        return f"[{', '.join(map(_unclipped, value))}]"
    return repr(value)


def _whole(value: float) -> float:
    return float(int(value)) if abs(value) < 1e8 else float("nan")


def _clean(words: str) -> str:
    """Return one line of printable characters: messages and type names come from the student."""
    line = _printable(words[: 4 * LONGEST])
    return line if len(line) <= LONGEST else line[: LONGEST - 4] + " ..."


def _printable(words: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())


# Plain text


def _wrap(words: str, indent: str = "", first: str = "") -> str:
    return textwrap.fill(words, WIDTH, initial_indent=first, subsequent_indent=indent, break_on_hyphens=False)


def _numbers(result: CaseResult) -> list[str]:
    """Return expected and got side by side where the slice with the first wrong value is small, or rows of a table."""
    if table := rows.text(result, _in_a_row):
        return ["", *(line[:WIDTH] for line in table)]
    difference = result.difference
    if difference is None or difference.what not in ("value", "finite") or not difference.index:
        return []
    sides = (("expected", result.question.expected), ("got", result.outcome.values))
    arrays = [picture.follow(values, difference.name) for _, values in sides]
    if not all(isinstance(array, np.ndarray) for array in arrays):
        return []
    cuts = [picture.cut(array, difference.index) for array in arrays]
    height, width = cuts[0].values.shape
    if height > picture.NUMBERED or width > 4:
        return []
    blocks = [
        _block(piece, f"{title} {difference.name}{piece.where}")
        for piece, (title, _) in zip(cuts, sides, strict=True)
    ]
    return ["", *(f"  {left:<40}  {right}".rstrip() for left, right in zip(*blocks, strict=True))]


def _block(piece: picture.Cut, title: str) -> list[str]:
    def write(row: int, column: int) -> str:
        digits = f"{float(piece.values[row, column]):.4g}"
        return f"[{digits}]" if (row, column) == piece.mark else f" {digits} "

    height, width = piece.values.shape
    return [title, *("".join(f"{write(r, c):>10}" for c in range(width)) for r in range(height))]


def _case_lines(finding: Finding) -> list[str]:
    lines = []
    for result in finding.results:
        words = f"{_clean(result.question.group)}: {_clean(result.question.words)}"
        words = textwrap.shorten(words, WIDTH - 8, placeholder=" ...")
        lines.append(f"  {'pass' if result.passed else 'FAIL'}  {words}")
    return lines


# HTML: styles stand in each element, since a notebook's own style sheet reaches what is left open


def _clues(clues: Sequence[Clue], count: int) -> str:
    """Return the clues that have been earned, the latest last; each can be folded away."""
    summary = f'style="cursor:pointer;font-weight:600;color:{PALE_INK};font-size:13px"'
    return "".join(
        f'<details open="open" style="margin-top:8px;padding:4px 0 4px 10px;border-left:3px solid {LINE}">'
        f"<summary {summary}>Clue {number} of {count}</summary>{paragraph(marked(_printable(clue.words)))}</details>"
        for number, clue in enumerate(clues, 1)
    )


def _table(result: CaseResult) -> str:
    """Return expected and got as a small table; "" where the Answer returned no values."""
    difference = result.difference
    if difference is None or result.outcome.kind != "values":
        return ""
    name = difference.name.split("[")[0]
    if len(_unclipped(result.question.expected.get(name))) > LONGEST:
        name = difference.name  # of a long list only the item that differs
    sides = (("expected", result.question.expected), ("yours", result.outcome.values))
    values = [(title, picture.follow(named, name)) for title, named in sides]
    lines = "".join(
        f'<tr style="background:#ffffff">{cell(title, PALE_INK)}{cell(name, INK, MONO)}'
        f"{cell(_plain(value), INK, MONO)}</tr>"
        for title, value in values
    )
    return f'<table style="border-collapse:collapse;margin:10px 0 2px;background:#ffffff">{lines}</table>'


def _case_list(finding: Finding) -> str:
    if len(finding.results) == 1:
        return ""
    lines = "".join(
        f'<div style="display:flex;gap:7px;align-items:center">{sign("passes" if r.passed else "fails", 11)}'
        f'<span><span style="color:{PALE_INK}">{escape(_clean(r.question.group))}:</span> '
        f"{escape(_clean(r.question.words))}</span></div>"
        for r in finding.results
    )
    return (
        f'<details style="margin-top:10px;font-size:13px;color:{INK}"><summary style="cursor:pointer">'
        f"All {len(finding.results)} cases</summary>"
        f'<div style="margin:5px 0 0 2px;line-height:20px">{lines}</div></details>'
    )
