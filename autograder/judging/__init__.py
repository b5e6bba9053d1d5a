"""Judging: runs a notebook in the sandbox, compares it with the reference, and decides the Verdicts."""
