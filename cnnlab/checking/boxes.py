"""Pieces of HTML that reports and the page of progress are made of."""

from __future__ import annotations

from html import escape

from cnnlab.checking.picture import INK, LINE, MONO

GREEN, RED, GREY = "#1a7f37", "#b42318", "#59636e"
SIGNS = {  # paths on a 16 x 16 grid: the shape tells pass from fail, not the colour alone
    "passes": (GREEN, "M3.5 8.5l3 3 6-7"),
    "fails": (RED, "M4 4l8 8M12 4l-8 8"),
    "is not attempted": (GREY, "M4 8h8"),
}


def box(inner: str) -> str:
    """Return HTML inside the bordered box that every report of ours is."""
    return (
        f'<div style="box-sizing:border-box;max-width:960px;padding:12px 16px;border:1px solid {LINE};'
        f"border-radius:6px;background:#ffffff;color:{INK};"
        f"font:14px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif\">"
        f"{inner}</div>"
    )


def heading(sign_name: str, words: str) -> str:
    """Return a line of HTML with a sign of SIGNS before it, in its colour."""
    colour = SIGNS[sign_name][0]
    return (
        f'<div style="display:flex;gap:8px;align-items:center;font-weight:600;color:{colour}">'
        f"{sign(sign_name, 16)}<span>{escape(words)}</span></div>"
    )


def sign(name: str, size: int) -> str:
    """Return a sign of SIGNS as a small SVG."""
    colour, path = SIGNS[name]
    return (
        f'<svg role="img" width="{size}" height="{size}" viewBox="0 0 16 16" style="flex:none">'
        f"<title>{name}</title>"
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2.2" stroke-linecap="round"/></svg>'
    )


def paragraph(inner: str, style: str = "margin-top:4px") -> str:
    """Return HTML as a paragraph whose long words are broken."""
    return f'<div style="color:{INK};overflow-wrap:anywhere;{style}">{inner}</div>'


def marked(words: str) -> str:
    """Return a sentence as HTML; text between backquotes becomes code."""
    parts = words.split("`")
    if len(parts) % 2 == 0:  # a backquote without its partner
        return escape(words)
    return "".join(code(part) if i % 2 else escape(part) for i, part in enumerate(parts))


def code(words: str) -> str:
    """Return text as code inside a line."""
    return (
        f'<code style="font-family:{MONO};font-size:12.5px;background:#f3f4f6;color:{INK};padding:1px 5px;'
        f'border-radius:4px;white-space:normal">{escape(words)}</code>'
    )


def cell(words: str, colour: str, font: str = "inherit") -> str:
    """Return text as a cell of a table.

    Args:
        words: the text.
        colour: of the text, in CSS.
        font: its family, in CSS.
    """
    return (
        f'<td style="text-align:left;padding:3px 12px;border:1px solid {LINE};background:#ffffff;'
        f'color:{colour};font-family:{font};font-size:12.5px">{escape(words)}</td>'
    )
