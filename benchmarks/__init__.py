"""Benchmarks of the course's code, run by hand and not by the tests."""
