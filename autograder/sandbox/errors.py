"""The errors of the sandbox: one tree below SandboxError.

Only SandboxError and GradingStopped leave this package; the others decide the fate of the step that raises them.
"""

from __future__ import annotations

from autograder.course import CourseError


class SandboxError(CourseError):
    """The sandbox cannot be started or used: nothing is known about the submission."""


class GradingStopped(SandboxError):
    """The grader was told to stop: nothing is known about the submission."""


class CannotFork(SandboxError):
    """A server cannot make workers on this machine, or has ended."""


class SandboxLost(SandboxError):
    """The sandbox ended, hung, used too much, or sent something that is not a frame."""


class ProbeTimeout(SandboxError):
    """A probe has used up its time; its sandbox is still there."""


class SubmissionTimeout(SandboxError):
    """The submission has used up its time."""
