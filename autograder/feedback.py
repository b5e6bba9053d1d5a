"""What a student reads about graded work: Verdicts in words, and the safe rendering of what the student wrote."""

from __future__ import annotations

import html
import re
from pathlib import Path

import bleach
from nbconvert.filters.ansi import strip_ansi
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from autograder.verdict import CaseVerdict, Verdict

TEMPLATES = Path(__file__).resolve().parent / "templates"
MAX_PRINTED = 10_000  # characters shown of what one cell printed
MAX_LINES = 200

# What may be left of Markdown that a student wrote. No id: it could shadow one of formgrader's own fields. No picture
# from elsewhere: it would tell its owner who reads the page, and when.
TAGS = frozenset(
    "a abbr b blockquote br code dd del div dl dt em h1 h2 h3 h4 h5 h6 hr i img kbd li ol p pre s samp small span strong"
    " sub sup table tbody td th thead tr ul".split()
)
CLASSES = re.compile(r"(highlight|hl-[a-z0-9]+|[a-z][a-z0-9]{0,2})( (highlight|hl-[a-z0-9]+|[a-z][a-z0-9]{0,2}))*")
PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+")
LINK = re.compile(r"https?://[^\s]+|#[^\s]*|mailto:[^\s]+", re.IGNORECASE)

STATUS = {
    "passed": "All tests pass.",
    "failed": "Some tests fail.",
    "not attempted": "Not attempted: the cell still holds what it was handed out with.",
    "not found": "It could not be tested.",
}


def plain(text: str, longest: int = MAX_PRINTED, lines: int = MAX_LINES) -> str:
    """Return text that can be shown anywhere: no control characters, no more than `longest` characters and `lines` lines.

    Line ends and tabs stay. What cannot be written as UTF-8 becomes a question mark.
    """
    cut = strip_ansi(text[:longest]).replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode("utf-8")
    cut = "".join(c if c.isprintable() or c in "\n\t" else " " if c.isspace() else "" for c in cut)
    kept = cut.split("\n")[:lines]
    short = len(text) > longest or cut.count("\n") >= lines
    return "\n".join(kept).rstrip() + ("\n[... the rest is left out]" if short else "")


def verdict_text(verdict: Verdict) -> str:
    """Return a Verdict as lines of plain text."""
    lines = [f"{verdict.exercise}: {_score(verdict.points, verdict.total)}. {_status(verdict)}"]
    if verdict.hint:
        lines.append(_line(verdict.hint))
    lines += [_sentence(note) for note in verdict.notes]
    for group, (points, total) in verdict.groups.items():
        lines.append(f"  {_line(group)}: {_score(points, total)}")
        lines += [f"    {'pass' if c.passed else 'FAIL'}  {_line(c.words)}{_why(c)}" for c in _cases(verdict, group)]
    return "\n".join(lines)


def verdict_html(verdict: Verdict) -> str:
    """Return a Verdict as HTML: the points, the recognised Mistake's hint, notes, and each group with its Cases.

    Only tags and attributes that nbconvert's own cleaning lets through, so that formgrader shows the same.
    """
    good = verdict.status == "passed"
    parts = [
        f'<div class="cnnlab-headline"><strong>{_score(verdict.points, verdict.total)}.</strong>'
        f" {html.escape(_status(verdict))}</div>"
    ]
    if verdict.hint:
        parts.append(f'<div class="cnnlab-hint">{_escaped(verdict.hint)}</div>')
    if verdict.notes:
        items = "".join(f"<li>{html.escape(_sentence(note))}</li>" for note in verdict.notes)
        parts.append(f'<ul class="cnnlab-notes">{items}</ul>')
    if verdict.groups and verdict.status in ("passed", "failed"):
        rows = "".join(_group(verdict, group, *pair) for group, pair in verdict.groups.items())
        parts.append(f'<table class="cnnlab-cases">{rows}</table>')
    return f'<div class="cnnlab-verdict cnnlab-{"good" if good else "bad"}">{"".join(parts)}</div>'


def _group(verdict: Verdict, group: str, points: float, total: float) -> str:
    head = (
        f'<tr class="cnnlab-group"><td><strong>{_escaped(group)}</strong></td>'
        f"<td>{_score(points, total)}</td></tr>"
    )
    return head + "".join(
        f'<tr class="cnnlab-{"pass" if case.passed else "fail"}">'
        f"<td>{'pass' if case.passed else 'fail'}</td><td>{_escaped(case.words)}{html.escape(_why(case))}</td></tr>"
        for case in _cases(verdict, group)
    )


def _cases(verdict: Verdict, group: str) -> list[CaseVerdict]:
    return [case for case in verdict.cases if case.group == group]


def _status(verdict: Verdict) -> str:
    failed = sum(not case.passed for case in verdict.cases)
    if verdict.status == "failed" and verdict.cases:
        return f"{failed} of {len(verdict.cases)} tests fail{'s' if failed == 1 else ''}."
    return STATUS.get(verdict.status, "")


def _why(case: CaseVerdict) -> str:
    return f": {_line(case.sentence)}" if case.sentence and not case.passed else ""


def _score(points: float, total: float) -> str:
    return f"{points:g} of {total:g} point{'' if total == 1 else 's'}"


def _sentence(words: str) -> str:
    line = _line(words)
    line = line[:1].upper() + line[1:]
    return line if line.endswith((".", "!", "?")) else f"{line}."


def _line(words: str) -> str:
    return " ".join(plain(words, 1000).split())


def _escaped(words: str) -> str:
    return html.escape(_line(words))


def safe_markdown(source: str) -> str:
    """Render Markdown and keep of it only what cannot run, load or send anything.

    A Jinja filter that stands in for nbconvert's `markdown2html`, after which nbgrader's templates clean nothing.
    Formulas stay as they are written.
    """
    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
    rendered = MarkdownWithMath(renderer=renderer).render(source)
    return bleach.clean(rendered, tags=TAGS, attributes=_attribute, protocols={"http", "https", "mailto", "data"})


def _attribute(tag: str, name: str, value: str) -> bool:
    if name == "class":
        return CLASSES.fullmatch(value) is not None
    if tag == "a" and name == "href":
        return LINK.fullmatch(value) is not None
    if tag == "img":
        return (name == "src" and PICTURE.fullmatch(value) is not None) or name == "alt"
    return tag in ("td", "th") and name in ("colspan", "rowspan") and value.isdecimal() and len(value) < 4
