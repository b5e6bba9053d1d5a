"""Finds faults of this machine or this course, and says how to mend them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from autograder.course import Course, CourseError
from autograder.doctor import machine, own_course, records, sandbox
from autograder.doctor.finding import Finding, note, problem

Check = Callable[[Course], list[Finding]]

CHECKS: tuple[Check, ...] = (
    machine.system,
    machine.python,
    machine.packages,
    machine.alembic,
    machine.disk,
    sandbox.bubblewrap,
    sandbox.namespaces,
    sandbox.isolation,
    records.folder,
    records.derived_files,
    records.gradebook,
    records.secret,
    records.privacy,
    own_course.own_course,
    machine.optional_tools,
)

__all__ = ["CHECKS", "Check", "Finding", "examine", "note", "problem"]


def examine(course: Course, checks: Sequence[Check] | None = None) -> Iterator[Finding]:
    """Run checks, by default CHECKS, in order, and yield each finding as soon as it is known.

    The course is not changed. A check that itself fails counts as a finding.
    """
    for check in CHECKS if checks is None else checks:
        try:
            yield from check(course)
        except CourseError as error:
            yield problem(str(error))
        except ModuleNotFoundError as error:
            package = (error.name or str(error)).split(".")[0]
            yield problem(f"The check of {_named(check)} needs {package}: {machine.install()}")
        except Exception as error:
            what = " ".join(f"{type(error).__name__}: {error}".split())[:500]
            yield problem(f"The check of {_named(check)} failed itself ({what}): report it.")


def _named(check: Check) -> str:
    return check.__name__.replace("_", " ")
