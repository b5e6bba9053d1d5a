"""Exports the grades to the systems that universities use: Canvas, Moodle, Gradescope.

The points are read from the gradebook, so they include a person's grading, extra credit and late penalties.
"""
