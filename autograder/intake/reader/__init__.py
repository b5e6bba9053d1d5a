"""The code of the process that opens a student's file: nothing but the standard library, and nothing of the course.

The server starts this package as `reader`, without the rest of autograder, so its modules import each other by
relative names.
"""
