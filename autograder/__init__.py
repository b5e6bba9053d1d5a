"""autograder: what an instructor runs, from a checkout. Nothing in here is ever installed on a student's machine."""

from autograder.startup import lighten_imports

lighten_imports()  # before any module of this package loads nbgrader, jupytext or jsonschema
