"""autograder: what an instructor runs, from a checkout. Nothing in here is ever installed on a student's machine."""
