"""Notebooks are written byte for byte as nbformat writes them."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.notebooknode import NotebookNode

from autograder import notebook_io
from tests import ROOT

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    ["a\nb\n", "\r\n", "\u2028x"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
BUNDLE = st.dictionaries(
    st.sampled_from(["text/plain", "image/png", "image/svg+xml", "application/json"]), TEXT
)
OUTPUT = st.one_of(
    st.builds(lambda t: {"output_type": "stream", "name": "stdout", "text": t}, TEXT),
    st.builds(lambda d, m: {"output_type": "display_data", "data": d, "metadata": m}, BUNDLE, st.just({})),
    st.builds(lambda t: {"output_type": "error", "ename": t, "evalue": t, "traceback": [t, t]}, TEXT),
)
METADATA = st.dictionaries(TEXT, JSON, max_size=3) | st.just({"trusted": True, "tags": ["a"]})


def cell(kind: str, source: str, metadata: Any, outputs: list[Any], data: dict[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {"cell_type": kind, "id": "c1", "source": source, "metadata": metadata}
    if kind == "code":
        return {**made, "outputs": outputs, "execution_count": None}
    return {**made, "attachments": {"a.png": data}} if data else made


CELL = st.builds(
    cell, st.sampled_from(["code", "markdown", "raw"]), TEXT, METADATA, st.lists(OUTPUT, max_size=2), BUNDLE
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(CELL, max_size=3), METADATA | st.just({"signature": "x", "orig_nbformat": 3}))
def test_as_nbformat_writes_it(cells: list[Any], metadata: Any) -> None:
    plain = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    before = json.dumps(plain)
    notebook = nbformat.from_dict(json.loads(before))
    assert notebook_io.writes(notebook) == nbformat.v4.writes(notebook) + "\n"
    assert json.dumps(notebook) == before


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").rglob("*.ipynb")), ids=lambda path: path.stem)
def test_the_lessons_are_written_as_nbformat_writes_them(path: Path) -> None:
    notebook: NotebookNode = nbformat.read(str(path), as_version=4)
    assert notebook_io.writes(notebook) == path.read_text(encoding="utf-8")


def test_long_texts_are_not_kept() -> None:
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(20):
            written = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(f"{number}" + "a" * 200_000)])
            assert notebook_io.writes(written) == nbformat.v4.writes(written) + "\n"
        del written
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 1_000_000
