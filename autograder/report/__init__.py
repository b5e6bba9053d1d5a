"""What the instructor sees of a graded class: a table for the terminal, a page for the browser."""

from autograder.report.page import render, write_page
from autograder.report.table import Column, columns, counted, plural, text_table

__all__ = ["Column", "columns", "counted", "plural", "render", "text_table", "write_page"]
