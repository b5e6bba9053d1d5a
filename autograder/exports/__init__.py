"""Takes the grades to where a university wants them: Canvas, Moodle, Gradescope.

What counts is read from the gradebook, so a person's points, extra credit and late penalties are in it.
"""
