"""Reporting: what people read of a graded class, a table for the terminal and pages for the browser."""

from pathlib import Path

TEMPLATES = Path(__file__).resolve().parent / "templates"
