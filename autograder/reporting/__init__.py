"""Reporting: the grade table for the terminal and the pages for the browser."""

from pathlib import Path

TEMPLATES = Path(__file__).resolve().parent / "templates"
