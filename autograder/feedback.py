"""What a student reads about graded work: Verdicts in words, and what the student wrote, safe to look at."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Callable
from functools import cache, lru_cache, wraps
from pathlib import Path
from typing import Any

import bleach
from nbconvert.exporters import HTMLExporter, TemplateExporter
from nbconvert.filters import Highlight2HTML, clean_html, strip_ansi
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from pygments.formatters import HtmlFormatter
from traitlets.config import Config

from autograder.verdict import CaseVerdict, Verdict

TEMPLATES = Path(__file__).resolve().parent / "templates"
MAX_PRINTED = 10_000  # characters shown of what one cell printed
MAX_LINES = 200
MAX_LINE = 1000  # characters of one sentence
# Beyond these a text that a student wrote is shown as it was written: the time to render it would grow with their square.
MAX_TAGS = 2000
MAX_FORMULAS = 200
MAX_MARKDOWN = 20_000  # characters of one text
MAX_PAGE = 100_000  # characters of all texts of a page
MAX_KEPT = 20_000  # characters of a text whose rendering is kept
CODE_STYLES = {
    "print, (prefers-color-scheme: light)": "default",
    "screen and (prefers-color-scheme: dark)": "github-dark",
}

# What may be left of Markdown that a student wrote. No id: it could shadow one of formgrader's own fields.
# No pictures: one from elsewhere tells its owner who reads the page, and when.
TAGS = frozenset(
    [
        *(
            "a",
            "abbr",
            "b",
            "blockquote",
            "br",
            "code",
            "dd",
            "del",
            "div",
            "dl",
            "dt",
            "em",
            "h1",
            "h2",
            "h3",
        ),
        *("h4", "h5", "h6", "hr", "i", "kbd", "li", "ol", "p", "pre", "s", "samp", "small", "span", "strong"),
        *("sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul"),
    ]
)
CODE_CLASS = (
    r"(highlight|hl-[a-z0-9]+|[a-z][a-z0-9]{0,2})"  # of highlighted code; formgrader's own are longer
)
CLASSES = re.compile(f"{CODE_CLASS}( {CODE_CLASS})*")
LINK = re.compile(r"https?://[^\s]+|#[^\s]*|mailto:[^\s]+", re.IGNORECASE)

STATUS = {
    "passed": "All cases pass.",
    "failed": "Some cases fail.",
    "not attempted": "Not attempted: the cell is as it was handed out.",
    "not found": "It could not be tested.",
}


def plain(text: str, longest: int = MAX_PRINTED, lines: int = MAX_LINES) -> str:
    """Return text that can be shown anywhere: no control characters, not too long.

    longest: characters, and lines: lines that are kept at most. Line ends and tabs stay. What cannot be
    written as UTF-8 becomes a question mark.
    """
    cut = strip_ansi(text[:longest]).replace("\r\n", "\n").replace("\r", "\n")
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
    lines += [_sentence(note) for note in verdict.notes]
    for group, (points, total) in verdict.groups.items():
        lines.append(f"  {one_line(group)}: {_score(points, total)}")
        for case in _cases(verdict, group):
            lines.append(f"    {'pass' if case.passed else 'FAIL'}  {one_line(case.words)}{_why(case)}")
    return "\n".join(lines)


def verdict_html(verdict: Verdict) -> str:
    """Return a Verdict as HTML: points, the recognised Mistake's hint, notes, and each group with its Cases.

    Only tags and attributes that nbconvert's own cleaning lets through (no table: it trips over the tbody
    it adds itself), so that formgrader shows the same.
    """
    parts = [
        f'<div class="cnnlab-headline"><strong>{_score(verdict.points, verdict.total)}.</strong>'
        f" {html.escape(_status(verdict))}</div>"
    ]
    if verdict.hint:
        parts.append(f'<div class="cnnlab-hint">{_escaped(verdict.hint)}</div>')
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
    """Return text as one line that can be shown anywhere; longest: characters that are kept at most."""
    if len(words) <= longest and words.isascii() and words.isprintable():
        return " ".join(words.split())
    return " ".join(plain(words, longest).split())


def _escaped(words: str) -> str:
    return html.escape(one_line(words))


class FeedbackExporter(HTMLExporter):
    """Renders a graded notebook with our template, whose page loads nothing and runs nothing."""

    def __init__(self, config: Config | None = None, **options: Any) -> None:
        # GenerateFeedback puts its own template into the configuration; this class's section goes before it.
        ours = Config({"template_name": "cnnlab_feedback", "extra_template_basedirs": [str(TEMPLATES)]})
        settings = Config(config or {})
        settings.FeedbackExporter = Config({**ours, **settings.FeedbackExporter})
        super().__init__(config=settings, **options)
        highlight = Highlight2HTML(pygments_lexer="python3", parent=self)
        self.register_filter("highlight_code", cached(lambda source: str(highlight(source))))

    def from_notebook_node(
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **options: Any
    ) -> tuple[str, dict[str, Any]]:
        """Render a notebook; HTMLExporter would parse the page again, to add what our template has."""
        self.register_filter("clean_html", _clean_html)
        self.register_filter("visible", visible)
        self.register_filter("markdown2html", of_one_page())
        style = page_style()
        about = {**(resources or {}), "cnnlab": {"style": style, "policy": page_policy(style)}}
        return TemplateExporter.from_notebook_node(self, nb, about, **options)


@cache
def page_style() -> str:
    """Return the style of a feedback page, with that of highlighted code for light and dark screens and for paper."""
    page = (TEMPLATES / "cnnlab_feedback" / "style.css").read_text(encoding="utf-8")
    return page + "".join(
        f"@media {medium} {{\n{_code_style(name)}\n}}\n" for medium, name in CODE_STYLES.items()
    )


def _code_style(name: str) -> str:
    rules = HtmlFormatter(style=name).get_style_defs(".highlight").splitlines()
    return "\n".join(rule for rule in rules if rule.startswith(".highlight ."))


def page_policy(style: str, script: str = "") -> str:
    """Return the Content-Security-Policy of a page that has this style and script in it, and nothing else at all."""
    allowed = [
        f"{kind}-src '{_digest(text)}'" for kind, text in (("style", style), ("script", script)) if text
    ]
    return "; ".join(["default-src 'none'", *allowed, "base-uri 'none'", "form-action 'none'"])


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def visible(text: str) -> str:
    """Return what a student wrote with every character shown that is none, such as one that turns the text around.

    https://trojansource.codes shows what such characters can hide in a program.
    """
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in "\n\t" else " " if c.isspace() else f"⟨U+{ord(c):04X}⟩"
        for c in text.replace("\r\n", "\n")
    )


def cached(render: Callable[[str], str]) -> Callable[..., str]:
    """Keep what a function made of texts that are not long: a class hands in many that are the same."""
    kept = lru_cache(4096)(render)

    @wraps(render)
    def rendered(text: str, **_: Any) -> str:
        return (kept if len(text) <= MAX_KEPT else render)(text)

    return rendered


@cached
def _clean_html(element: str) -> str:
    return str(clean_html(element))


@cached
def safe_markdown(source: str) -> str:
    """Render Markdown and keep of it only what cannot run, load or send anything.

    A Jinja filter that stands in for nbconvert's `markdown2html`, after which nbgrader's templates clean
    nothing. Formulas stay as they are written.
    """
    source = visible(source)
    formulas = sum(map(source.count, ("\\begin", "\\(", "\\[")))  # one without an end is sought to the end
    if len(source) > MAX_MARKDOWN or source.count("<") > MAX_TAGS or formulas > MAX_FORMULAS:
        return as_written(source)
    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
    rendered = MarkdownWithMath(renderer=renderer).render(source)
    return bleach.clean(rendered, tags=TAGS, attributes=_attribute, protocols={"http", "https", "mailto"})


def as_written(source: str) -> str:
    """Return a text as HTML that shows its characters."""
    return f"<pre>{html.escape(visible(source))}</pre>"


def of_one_page() -> Callable[..., str]:
    """Return what renders the Markdown of one page: as `safe_markdown` until MAX_PAGE characters are used up."""
    left = MAX_PAGE

    def rendered(source: str, **_: Any) -> str:
        nonlocal left
        left -= len(source)
        return safe_markdown(source) if left >= 0 else as_written(source)

    return rendered


def _attribute(tag: str, name: str, value: str) -> bool:
    if name == "class":
        return CLASSES.fullmatch(value) is not None
    if tag == "a" and name == "href":
        return LINK.fullmatch(value) is not None
    return tag in ("td", "th") and name in ("colspan", "rowspan") and value.isdecimal() and len(value) < 4
