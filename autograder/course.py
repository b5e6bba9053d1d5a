"""The places of a course's files on disk."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autograder.exercise import Lesson

SECRET_BYTES = 32
OTHERS = 0o077  # the rights of everybody but the owner; a class's files grant none of them
CHECKOUT = Path(__file__).resolve().parent.parent  # the checkout that holds this package


class CourseError(Exception):
    """An error in the course or in a command's input, in one sentence that says what to do."""


@contextmanager
def private_files() -> Iterator[None]:
    """Give only the owner access to all files made within the block.

    This covers nbgrader's files too, and those of processes that are started within the block.
    """
    before = os.umask(OTHERS)
    try:
        yield
    finally:
        os.umask(before)


@dataclass(frozen=True)
class Course:
    """A checkout of the course, and the folder in which one class is graded.

    Args:
        root: the checkout.
        work: the class's folder, `work/` in the checkout unless $CNNLAB_WORK names another.
    """

    root: Path
    work: Path

    @classmethod
    def here(cls) -> Course:
        """Return the course of the checkout that this package lies in."""
        return cls(CHECKOUT, Path(os.environ.get("CNNLAB_WORK") or CHECKOUT / "work").resolve())

    def lesson(self, assignment: str, name: str) -> Lesson:
        """Return a lesson's declaration.

        Raises:
            CourseError: where there is no such lesson; it names those that exist.
        """
        for lesson in self.lessons(assignment):
            if lesson.name == name:
                return lesson
        names = ", ".join(lesson.name for lesson in self.lessons(assignment))
        raise CourseError(f"{assignment} has no lesson {name!r}; its lessons are {names}.")

    def lessons(self, assignment: str) -> list[Lesson]:
        """Return the lessons of an assignment, in order.

        Raises:
            CourseError: where there is no such assignment; it names those that exist.
        """
        from autograder.exercises import all_lessons

        found = [lesson for lesson in all_lessons() if lesson.assignment == assignment]
        if not found:
            raise CourseError(
                f"There is no assignment {assignment!r}; the assignments are {', '.join(self.assignments())}."
            )
        return found

    def assignments(self) -> list[str]:
        """Return the names of the assignments, in order."""
        from autograder.exercises import all_lessons

        return sorted({lesson.assignment for lesson in all_lessons()})

    def student_notebook(self, lesson: Lesson) -> Path:
        """Return the path of a lesson's notebook in notebooks/, as the builder wrote it and anybody may have changed it."""
        return self.root / "notebooks" / lesson.assignment / f"{lesson.name}.ipynb"

    def script(self, lesson: Lesson) -> Path:
        """Return the path of the authored lesson."""
        return self.root / "solutions" / lesson.assignment / f"{lesson.name}.py"

    @property
    def source(self) -> Path:
        """nbgrader's source directory: source/<assignment>/<lesson>.ipynb."""
        return self.work / "source"

    @property
    def raw(self) -> Path:
        """The files that students handed in, byte for byte: raw/<student>/<assignment>/."""
        return self.work / "raw"

    @property
    def submitted(self) -> Path:
        """Notebooks that intake wrote: submitted/<student>/<assignment>/<lesson>.ipynb."""
        return self.work / "submitted"

    @property
    def feedback(self) -> Path:
        """Feedback pages: feedback/<student>/<assignment>/<lesson>.html."""
        return self.work / "feedback"

    @property
    def db_url(self) -> str:
        """The gradebook's address for SQLAlchemy; $CNNLAB_DB_URL names another database."""
        return os.environ.get("CNNLAB_DB_URL") or f"sqlite:///{self.work / 'gradebook.db'}"

    def make_work(self) -> None:
        """Make the class's folder and any missing folders above it, accessible to their owner only."""
        with private_files():
            self.work.mkdir(parents=True, exist_ok=True)

    def secret(self) -> bytes:
        """Return the course's secret, from which the secret Cases are drawn.

        It is made on first use, readable by its owner only. It must never be handed out, and losing work/secret changes the
        secret Cases.
        """
        path = self.work / "secret"
        if not path.exists():
            self.make_work()
            draft = path.with_suffix(f".{os.getpid()}.{secrets.token_hex(4)}")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(SECRET_BYTES))
            try:
                os.link(draft, path)  # of two processes, the second keeps the first one's secret
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        secret = path.read_bytes()
        if len(secret) != SECRET_BYTES:
            raise CourseError(f"{path} is damaged; put back its copy, or delete it to draw new secret cases.")
        return secret
