"""The feedback page for a student: the submitted notebook, safe to look at, beside the Verdicts."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from functools import cache, lru_cache, wraps

import bleach
from nbconvert.exporters import HTMLExporter, TemplateExporter
from nbconvert.filters import Highlight2HTML, clean_html
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from pygments.formatters import HtmlFormatter
from traitlets.config import Config

from autograder.reporting import TEMPLATES
from autograder.words import page_policy

# Beyond these limits a student's text is shown as it was written: the time to render it grows with its length squared.
MAX_TAGS = 2000
MAX_FORMULAS = 200
MAX_MARKDOWN = 5_000  # characters of one text
MAX_PAGE = 20_000  # characters of all texts of a page
MAX_CODE = 5_000  # characters of one cell
MAX_PAGE_CODE = 30_000  # characters of all cells of a page
# Beyond these limits it is cut.
MAX_TEXT = 50_000  # characters of one text
MAX_SHOWN = 200_000  # characters of all texts of a page

MAX_KEPT = 20_000  # characters of a text whose rendering is kept
MOST_KEPT = 4096  # renderings of one filter that are kept
MAX_SPAN_DIGITS = 3  # of the columns or rows that a cell of a table spans: a browser takes 1000 at most
CODE_STYLES = {
    "print, (prefers-color-scheme: light)": "default",
    "screen and (prefers-color-scheme: dark)": "github-dark",
}

# The HTML that a student's Markdown may produce. No id: it could shadow one of formgrader's own fields.
# No pictures: a picture from another site tells its owner who reads the page, and when.
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


class FeedbackExporter(HTMLExporter):
    """An exporter that renders a graded notebook with our template, as a page that loads nothing and runs nothing."""

    def __init__(self, config: Config | None = None, **options: object) -> None:
        # GenerateFeedback puts its own template into the configuration; this class's section goes before it.
        ours = Config({"template_name": "cnnlab_feedback", "extra_template_basedirs": [str(TEMPLATES)]})
        settings = Config(config or {})
        settings.FeedbackExporter = Config({**ours, **settings.FeedbackExporter})
        super().__init__(config=settings, **options)
        highlight = Highlight2HTML(pygments_lexer="python3", parent=self)
        self._highlight = cached(lambda source: str(highlight(source)))

    def from_notebook_node(
        self, nb: NotebookNode, resources: dict[str, object] | None = None, **options: object
    ) -> tuple[str, dict[str, object]]:
        """Render a notebook with our template.

        HTMLExporter's own method would parse the page once more, only to add what our template already has.
        """
        self.register_filter("clean_html", _clean_html)
        self.register_filter("visible", visible)
        self.register_filter("cut", cut_for_one_page())
        self.register_filter("markdown2html", of_one_page())
        self.register_filter("highlight_code", of_one_page(self._highlight, MAX_CODE, MAX_PAGE_CODE))
        style = page_style()
        about = {**(resources or {}), "cnnlab": {"style": style, "policy": page_policy(style)}}
        return TemplateExporter.from_notebook_node(self, nb, about, **options)


@cache
def page_style() -> str:
    """Return the style sheet of a feedback page, with code highlighting for light screens, dark screens and paper."""
    page = (TEMPLATES / "cnnlab_feedback" / "style.css").read_text(encoding="utf-8")
    return page + "".join(
        f"@media {medium} {{\n{_code_style(name)}\n}}\n" for medium, name in CODE_STYLES.items()
    )


def _code_style(name: str) -> str:
    rules = HtmlFormatter(style=name).get_style_defs(".highlight").splitlines()
    return "\n".join(rule for rule in rules if rule.startswith(".highlight ."))


def visible(text: str) -> str:
    """Return a student's text with a visible code in place of each invisible character.

    Some invisible characters reverse the order in which text is shown; https://trojansource.codes shows what they can
    hide in a program.
    """
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in "\n\t" else " " if c.isspace() else f"⟨U+{ord(c):04X}⟩"
        for c in text.replace("\r\n", "\n")
    )


def cached(render: Callable[[str], str]) -> Callable[..., str]:
    """Cache the results of a function for short texts, because a class hands in many that are the same."""
    kept = lru_cache(MOST_KEPT)(render)

    @wraps(render)
    def rendered(text: str, **_: object) -> str:
        return (kept if len(text) <= MAX_KEPT else render)(text)

    return rendered


@cached
def _clean_html(element: str) -> str:
    return str(clean_html(element))


@cached
def safe_markdown(source: str) -> str:
    """Render Markdown to HTML that cannot run, load or send anything.

    The function is a Jinja filter in place of nbconvert's `markdown2html`, because nbgrader's templates do not clean its
    output. Formulas stay as they are written.
    """
    source = visible(source)
    # The renderer searches for the end of each one.
    formulas = sum(map(source.count, ("\\begin", "\\(", "\\[")))
    if len(source) > MAX_MARKDOWN or source.count("<") > MAX_TAGS or formulas > MAX_FORMULAS:
        return as_written(source)
    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
    rendered = MarkdownWithMath(renderer=renderer).render(source)
    return bleach.clean(rendered, tags=TAGS, attributes=_attribute, protocols={"http", "https", "mailto"})


def as_written(source: str) -> str:
    """Return a text as HTML that shows its characters."""
    return f"<pre>{html.escape(visible(source))}</pre>"


def of_one_page(
    render: Callable[..., str] = safe_markdown, longest: int = MAX_MARKDOWN, most: int = MAX_PAGE
) -> Callable[..., str]:
    """Return a function that renders the texts of one page, by default as Markdown, up to a limit.

    Texts beyond either limit are shown as they are written.

    Args:
        render: renders one text.
        longest: the most characters of one text that is rendered.
        most: the most characters of all rendered texts together.
    """
    left = most

    def rendered(source: str, **_: object) -> str:
        nonlocal left
        if len(source) > longest:
            return as_written(source)
        left -= len(source)
        return render(source) if left >= 0 else as_written(source)

    return rendered


def cut_for_one_page() -> Callable[[str], str]:
    """Return a function that cuts each text of one page after MAX_TEXT characters, and all of them after MAX_SHOWN."""
    left = MAX_SHOWN

    def cut(text: str) -> str:
        nonlocal left
        longest = min(MAX_TEXT, left)
        left -= min(len(text), longest)
        return text if len(text) <= longest else f"{text[:longest]}\n[... the rest is left out]"

    return cut


def _attribute(tag: str, name: str, value: str) -> bool:
    if name == "class":
        return CLASSES.fullmatch(value) is not None
    if tag == "a" and name == "href":
        return LINK.fullmatch(value) is not None
    return (
        tag in ("td", "th")
        and name in ("colspan", "rowspan")
        and value.isdecimal()
        and len(value) <= MAX_SPAN_DIGITS
    )
