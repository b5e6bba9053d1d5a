"""A student's folder on its way through intake."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode

from autograder import files as intake_files
from autograder import notebook_io
from autograder.course import Course, CourseError
from autograder.exercise import Lesson
from autograder.files import Entry, shown
from autograder.intake import graft as intake_graft
from autograder.intake import read_archive
from autograder.intake import records as intake_record
from autograder.intake.errors import InvalidStudentId, UnusableFile, UnusableFolder
from autograder.intake.graft import Taken
from autograder.intake.read_notebook import Reader, read_notebook, too_large
from autograder.intake.reader import notebook as reader_notebook
from autograder.intake.reader.limits import MIB
from autograder.intake.records import IntakeRecord, LessonRecord
from cnnlab.checking import handin

STUDENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
MAX_ENTRIES = 40  # of a student's folder that are looked at
MAX_NOTEBOOKS = 8 * reader_notebook.MAX_BYTES  # bytes of all notebooks of a submission that are read
TIMESTAMP = "timestamp.txt"  # nbgrader's collector writes it into a submission
MAX_TIMESTAMP = 64  # bytes
# What operating systems and editors leave in folders by themselves; nobody needs to hear of it.
LITTER = frozenset([".ipynb_checkpoints", "__pycache__", "__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"])
COPY = re.compile(r"^Copy[ _]of[ _]|[ _]?\(\d+\)(?=\.[^.]*$)|[ -]?[Cc]opy(?=\.[^.]*$)")

log = logging.getLogger(__name__)


def verify_student(student: str) -> str:
    """Return a student's id; raise IntakeError where it could be anything but the name of a folder."""
    if not STUDENT.fullmatch(student) or ".." in student:
        raise InvalidStudentId(
            f"{shown(student)!r} is not a student's id: it takes up to 64 letters, digits and . _ @ -, "
            "begins with a letter or digit and has no two dots in a row."
        )
    return student


def record(course: Course, assignment: str, student: str) -> IntakeRecord | None:
    """Return what intake noted about a submission, or None where none was taken in."""
    return intake_record.load(course, assignment, verify_student(student))


def take_in_notebook(
    course: Course, lessons: Sequence[Lesson], data: bytes, *, name: str = "", reader: Reader = read_notebook
) -> Taken:
    """Return the lesson that a student's file holds, written by us; raise IntakeError where nothing of it can
    be used.

    name: the file's name, which only breaks ties between lessons; reader: who reads the hostile bytes.
    """
    lesson, taken = _grafted(course, lessons, data, name, reader)
    return replace(taken, flags=(*_flags_of_name(lesson, lessons, name), *taken.flags))


def _grafted(
    course: Course, lessons: Sequence[Lesson], data: bytes, name: str, reader: Reader
) -> tuple[Lesson, Taken]:
    try:
        student = reader(data)
        known = [intake_graft.pristine(course, lesson) for lesson in lessons]
        assignment = lessons[0].assignment if lessons else "this course"
        lesson = intake_graft.recognise(known, student, name, assignment)
    except UnusableFile as error:
        raise UnusableFile(error.reason, name or "The notebook") from error
    return lesson.lesson, intake_graft.graft(lesson, student)


def _flags_of_name(lesson: Lesson, lessons: Sequence[Lesson], name: str) -> list[str]:
    if not name or name == f"{lesson.name}.ipynb":
        return []
    others = [other.name for other in lessons if other is not lesson and intake_graft.named(other, name)]
    if others and not intake_graft.named(lesson, name):
        return [f"It was handed in as {shown(name)}, the name of {others[0]}; its content is {lesson.name}."]
    return [f"It was handed in as {shown(name)} and recognised by its content."]


def take_in(
    course: Course,
    assignment: str,
    student: str,
    folder: Path,
    *,
    lessons: Sequence[Lesson] | None = None,
    reader: Reader = read_notebook,
) -> list[Taken]:
    """Take in a student's folder and return every lesson of theirs that now stands in work/submitted/.

    The folder is one of work/submitted/, of work/raw/ or any other; files in any other are copied and left
    alone. Keeps what was handed in in work/raw/<student>/<assignment>/, writes
    work/submitted/<student>/<assignment>/<lesson>.ipynb and the record, and leaves nothing else in the
    submitted folder but the collector's timestamp.txt. Taking in again what stands there already changes
    nothing. Raises IntakeError for a student id or folder that cannot be used, and OSError where the disk
    fails; what was handed in is then still where it was, or in work/raw/.
    """
    return _Submission(course, assignment, student, Path(folder), lessons, reader).take_in()


def take_in_safely(
    course: Course,
    assignment: str,
    student: str,
    folder: Path,
    *,
    lessons: Sequence[Lesson] | None = None,
    reader: Reader = read_notebook,
) -> list[Taken]:
    """Do what `take_in` does, and where that fails for a reason of our own put the lesson's pristine notebook
    there.

    So one submission that brings a fault of intake to light costs that submission only, and the flags say so.
    Raises IntakeError as `take_in` does.
    """
    submission = _Submission(course, assignment, student, Path(folder), lessons, reader)
    try:
        return submission.take_in()
    except CourseError:
        raise
    except Exception as error:
        log.exception("Intake failed on the submission of %s to %s.", student, assignment)
        return submission.give_up(
            f"intake failed on it ({type(error).__name__}), a fault of the course's own"
        )


def pre_convert_hook(assignment: str, student: str, notebooks: list[str]) -> None:
    """Take in a submission before nbgrader reads it: the c.Autograde.pre_convert_hook.

    So plain `nbgrader autograde` and formgrader's button are safe too. assignment and student may be
    patterns, so both come from the paths; notebooks is the list that nbgrader goes on with, changed in
    place: whatever happens, only files that we wrote are left in it.
    """
    take_in_submitted(Course.here(), notebooks)


def take_in_submitted(
    course: Course, notebooks: list[str], *, lessons: Sequence[Lesson] | None = None
) -> None:
    """Take in the submission that `notebooks` lie in, and leave in that list the notebooks that we wrote."""
    handed = list(notebooks)
    # nbgrader swallows exceptions here and goes on: it must not go on with a student's file.
    notebooks[:] = []
    if not handed:
        return
    where = os.path.dirname(handed[0])
    folder = Path(os.path.abspath(where))
    try:
        assignment, student = folder.name, verify_student(folder.parent.name)
        if not course.submitted.exists() or not os.path.samefile(folder.parent.parent, course.submitted):
            raise UnusableFolder(f"{folder} does not lie in {course.submitted}, so it was not taken in.")
        if folder.is_symlink():  # what it points to is not the student's to hand in
            target = shown(os.readlink(folder))
            folder.unlink()
            folder.mkdir()
            submission = _Submission(course, assignment, student, folder, lessons, read_notebook)
            taken = submission.give_up(f"the folder handed in was a link to {target}")
        else:
            taken = take_in_safely(course, assignment, student, folder, lessons=lessons)
        noted = record(course, assignment, student)
    except Exception as error:
        log.error("Nothing was graded in %s: %s", folder, error)
        raise
    names = {os.path.basename(path) for path in handed}
    for one in taken:
        name, source = f"{one.lesson.name}.ipynb", noted.lessons[one.lesson.name].source if noted else ""
        # With --notebook nbgrader lists only some; archives it never lists.
        if name in names or source in names or not source.lower().endswith(".ipynb"):
            notebooks.append(os.path.join(where, name))


class _Submission:
    """One student's folder on its way through intake."""

    def __init__(
        self,
        course: Course,
        assignment: str,
        student: str,
        folder: Path,
        lessons: Sequence[Lesson] | None,
        reader: Reader,
    ) -> None:
        self.course, self.assignment, self.student = course, assignment, verify_student(student)
        self.lessons = list(course.lessons(assignment) if lessons is None else lessons)
        if any(lesson.assignment != assignment for lesson in self.lessons):
            raise UnusableFolder(f"The lessons given are not those of {assignment!r}.")
        self.folder, self.reader = folder, reader
        self.raw = course.raw / student / assignment
        self.home = course.submitted / student / assignment
        for path in (folder, folder.parent if _is_same(folder, self.home) else folder):
            if not intake_files.is_real_folder(path):
                raise UnusableFolder(f"{shown(str(path))} is not a folder, or only a link to one.")
        self.before = intake_record.load(course, assignment, student)
        self.flags: list[str] = []
        self.standing: dict[str, Taken] = {}  # lessons taken in earlier whose notebook is still there
        self.offers: dict[str, list[tuple[Taken, Entry, str]]] = {}  # lesson -> what was handed in for it
        self.unusable: list[tuple[Entry, str, str]] = []
        self.kept: set[str] = set()  # names whose bytes lie in raw/
        self.asked = {name for lesson in self.lessons for name in lesson.files}
        self.files: dict[str, bytes] = {}  # what the lessons ask for beside the notebooks
        self.standing_files: set[str] = set()  # those that were taken in earlier
        self.timestamp: bytes | None = None
        self.archived = MAX_ENTRIES  # files of archives that are still looked at
        self.bytes_left = MAX_NOTEBOOKS  # bytes of notebooks that are still read

    @property
    def in_place(self) -> bool:
        """Whether the folder handed in is the one in work/submitted/ that we write to."""
        return _is_same(self.folder, self.home)

    def take_in(self) -> list[Taken]:
        self._find_standing()
        if not self.in_place:
            self._look_at_home()
        found = list(intake_files.entries(self.folder))
        # Notebooks first, then what a lesson asks for by its very name, then by name.
        found.sort(key=lambda entry: (entry.path.suffix.lower() != ".ipynb", entry.name not in self.asked))
        if len(found) > MAX_ENTRIES:
            self.flags.append(
                f"It has {len(found):,} files; those after the first {MAX_ENTRIES} were not looked at."
            )
        for entry in found[:MAX_ENTRIES]:
            self._look_at(entry)
        chosen = self._chosen()
        names = {entry.name for entry in found}
        changed = chosen or self.flags or not self.before or not names <= self._wanted(chosen)
        if changed or not self.in_place:
            self._write(chosen)
        return self._now(chosen)

    def give_up(self, reason: str) -> list[Taken]:
        """Put pristine notebooks where nothing else can be done; raise OSError where even that fails."""
        found = list(intake_files.entries(self.folder))
        self.flags, self.kept, self.timestamp = [f"{reason[0].upper()}{reason[1:]}."], set(), None
        for entry in found[:MAX_ENTRIES]:
            if entry.kind == "file":
                try:
                    self._keep(entry)
                except Exception:  # it stays where it is, or is moved into raw/ as it is
                    log.exception("%s of %s could not be copied.", shown(entry.name), self.student)
        lessons = [
            x for x in self.lessons if any(intake_graft.named(x, entry.name) for entry in found)
        ] or self.lessons
        chosen = {
            x.name: (self._untouched(x, reason), "", "") for x in lessons if x.name not in self.standing
        }
        self._write(chosen)
        return self._now(chosen)

    # What was handed in

    def _find_standing(self) -> None:
        for lesson in self.lessons:
            noted = self.before.lessons.get(lesson.name) if self.before else None
            if noted is None:
                continue
            try:
                data = intake_files.read(self.home / f"{lesson.name}.ipynb", 4 * reader_notebook.MAX_BYTES)
            except OSError:
                continue
            if intake_files.sha256(data) == noted.sha256:
                notebook = nbformat.reads(data.decode("utf-8"), as_version=nbformat.NO_CONVERT)
                taken = Taken(lesson, notebook, noted.flags, noted.found, noted.notes, noted.written)
                self.standing[lesson.name] = taken

    def _look_at_home(self) -> None:
        """See what stands in work/submitted/ while the files come from another folder."""
        if not intake_files.is_real_folder(self.home):
            return
        for entry in intake_files.entries(self.home):
            if entry.name == TIMESTAMP and entry.kind == "file":
                data = intake_files.read(entry.path, MAX_TIMESTAMP)
                self.timestamp = data if _is_date(data) else None
            elif entry.name in self.asked and entry.kind == "file":
                self.standing_files.add(entry.name)
            elif entry.name not in LITTER and entry.name not in self._wanted({}):
                self.flags.append(
                    f"{shown(entry.name)} stood in work/submitted/ already; it was moved to work/raw/."
                )

    def _look_at(self, entry: Entry) -> None:
        name = shown(entry.name)
        if entry.name in LITTER:
            return
        if entry.kind != "file":
            target = f" to {shown(entry.target)}" if entry.target else ""
            sentence = f"{name} is a {entry.kind}{target}, not a file; it was refused."
            if entry.path.suffix.lower() == ".ipynb":
                self.unusable.append((entry, sentence, ""))
            else:
                self.flags.append(sentence)
            return
        if entry.links > 1 and not self._is_ours(entry):
            self.flags.append(f"{name} is a hard link: the same file has {entry.links} names. It was copied.")
        if entry.name == TIMESTAMP:
            self._look_at_timestamp(entry)
        elif entry.path.suffix.lower() == ".ipynb":
            if not self._is_ours(entry):
                self._look_at_notebook(entry)
        elif asked := self._asked_for(entry.name):
            self._look_at_file(entry, asked)
        elif entry.path.suffix.lower() in read_archive.SUFFIXES:
            self._look_at_archive(entry)
        else:
            self._keep(entry)
            self.flags.append(f"{name} is not a file that the lesson asks for; it was left out.")

    def _asked_for(self, file_name: str) -> str:
        """Return the name of the file that a lesson asks for and this one is, or ""."""
        # Browsers and file managers write "lenet (1).safetensors" or "Copy of lenet.safetensors" for a second copy.
        plain = COPY.sub("", file_name)
        return next((name for name in (file_name, plain) if name in self.asked), "")

    def _look_at_file(self, entry: Entry, name: str) -> None:
        self._take_file(entry.name, name, self._keep(entry))

    def _take_file(self, given: str, name: str, data: bytes | None) -> None:
        """Take a file handed in as `given` for the one that a lesson asks for by `name`."""
        if data is None or len(data) > handin.MAX_BYTES:
            self.flags.append(
                f"{shown(given)} is larger than {handin.MAX_BYTES:,} bytes, or cannot be read; it was left out."
            )
        elif name in self.files and given != name:
            self.flags.append(f"{shown(given)} is a second {name}; it was left out.")
        else:
            self.files[name] = data
            if given != name:
                self.flags.append(f"{shown(given)} was taken as {name}.")

    def _look_at_archive(self, entry: Entry) -> None:
        """Take what a lesson asks for out of a zip archive; the archive itself is kept in raw/."""
        data = self._keep(entry)
        try:
            if data is None:
                raise UnusableFile(too_large(entry.size))
            found = read_archive.read_archive(data, ["ipynb", *self.asked], self.archived)
        except UnusableFile as error:
            sentence = str(UnusableFile(error.reason, entry.name))
            self.unusable.append((entry, sentence, intake_files.sha256(data or b"")))
            return
        if not found.members:
            sentence = f"{shown(entry.name)} is an archive without a notebook in it."
            self.unusable.append((entry, sentence, intake_files.sha256(data)))
            return
        self.archived -= len(found.members)
        self.flags.append(f"{shown(entry.name)} is an archive; {found.summary}.")
        for member in found.members:
            self._look_at_member(entry, member)

    def _look_at_member(self, entry: Entry, member: read_archive.Member) -> None:
        given = f"{member.name} of {entry.name}"
        inside = replace(
            entry, path=entry.path / member.name, size=len(member.data), links=1, inside=entry.name
        )
        if member.refused:
            self.unusable.append((inside, f"{shown(given)} {member.refused}; it was refused.", ""))
        elif asked := self._asked_for(member.name):
            self._take_file(member.name, asked, member.data)
        elif member.name.lower().endswith(".ipynb"):
            self._take_notebook(inside, member.data)

    def _is_ours(self, entry: Entry) -> bool:
        return self.in_place and entry.name in {f"{name}.ipynb" for name in self.standing}

    def _keep(self, entry: Entry) -> bytes | None:
        """Copy a file into raw/ and return its bytes; None where it is too large or cannot be read."""
        limit = reader_notebook.MAX_BYTES
        try:
            data = intake_files.read(entry.path, limit)
        except OSError as error:
            self.flags.append(
                f"{shown(entry.name)} cannot be read: {error.strerror or 'it is no regular file'}."
            )
            return None
        if len(data) > limit:  # moved into raw/ at the end where it is ours to move, else left where it is
            return None
        if not _is_same(self.folder, self.raw):
            intake_files.keep(data, entry.name, self.raw)
        self.kept.add(entry.name)
        return data

    def _look_at_notebook(self, entry: Entry) -> None:
        data = self._keep(entry)
        if data is None:
            self.unusable.append((entry, f"{shown(entry.name)} {too_large(entry.size)}.", ""))
            return
        self._take_notebook(entry, data)

    def _take_notebook(self, entry: Entry, data: bytes) -> None:
        """Offer a notebook for the lesson that it holds."""
        digest = intake_files.sha256(data)
        self.bytes_left -= len(data)
        if self.bytes_left < 0:
            limit = MAX_NOTEBOOKS // MIB
            sentence = f"{shown(entry.name)} comes after {limit} MiB of other notebooks; it was not read."
            self.unusable.append((entry, sentence, digest))
            return
        try:
            lesson, taken = _grafted(self.course, self.lessons, data, entry.name, self.reader)
        except UnusableFile as error:
            self.unusable.append((entry, str(error), digest))
        except CourseError:
            raise
        except Exception as error:
            log.exception("Intake failed on %s of %s.", shown(entry.name), self.student)
            why = f"({type(error).__name__}), a fault of the course's own."
            sentence = f"{shown(entry.name)} could not be used {why}"
            self.unusable.append((entry, sentence, digest))
        else:
            flags = (*_flags_of_name(lesson, self.lessons, entry.name), *taken.flags)
            self.offers.setdefault(lesson.name, []).append((replace(taken, flags=flags), entry, digest))

    def _look_at_timestamp(self, entry: Entry) -> None:
        data = self._keep(entry)
        if data is None or not _is_date(data):
            self.flags.append(f"{TIMESTAMP} holds no date; it was left out.")
        elif self.timestamp is None:  # else the collector wrote one into work/submitted/
            self.timestamp = data
            if not self.in_place:
                self.flags.append(
                    f"{TIMESTAMP} came with the files, and is taken for the time of handing in."
                )

    # What is made of it

    def _chosen(self) -> dict[str, tuple[Taken, str, str]]:
        """Return lesson -> what is written for it, the name of the file it came from, that file's digest."""
        chosen: dict[str, tuple[Taken, str, str]] = {}
        for name, offers in self.offers.items():
            best = max(
                offers,
                key=lambda o, name=name: (len(o[0].written), o[1].name == f"{name}.ipynb", o[1].modified),
            )
            others = [entry.name for _, entry, _ in offers if entry is not best[1]]
            flags = [f"{shown(o)} is the same lesson with no more answers; it was left out." for o in others]
            chosen[name] = (replace(best[0], flags=(*flags, *best[0].flags)), best[1].handed_in, best[2])
        taken_before = {one.source_sha256 for one in self.before.lessons.values()} if self.before else set()
        for entry, sentence, digest in self.unusable:
            lessons = self._lessons_of_unusable(entry, chosen)
            for lesson in lessons:
                chosen[lesson.name] = (self._untouched(lesson, sentence), entry.handed_in, digest)
            if not lessons and not (digest and digest in taken_before):
                self.flags.append(f"unreadable: {sentence}")
        if not chosen and not self.standing:
            self.flags.append("No notebook was handed in.")
        return chosen

    def _lessons_of_unusable(self, entry: Entry, chosen: dict[str, tuple[Taken, str, str]]) -> list[Lesson]:
        """The lessons that stand empty because of a file of which nothing can be used."""
        free = [x for x in self.lessons if x.name not in chosen and x.name not in self.standing]
        by_name = [lesson for lesson in self.lessons if intake_graft.named(lesson, entry.name)]
        if by_name:
            return [lesson for lesson in by_name if lesson in free]
        # A file that names no lesson may be any of them; beside files that were used it is something else.
        return free if len(free) == len(self.lessons) else []

    def _untouched(self, lesson: Lesson, reason: str) -> Taken:
        known = intake_graft.pristine(self.course, lesson)
        reason = reason.rstrip(".")
        return intake_graft.untouched(
            known, f"unreadable: {reason}.", f"Nothing of your notebook could be used: {reason}."
        )

    # What is written

    def _wanted(self, chosen: Iterable[str]) -> set[str]:
        """The names of all that may lie in the submitted folder at the end."""
        notebooks = {f"{name}.ipynb" for name in [*chosen, *self.standing]}
        return (
            notebooks | self.files.keys() | self.standing_files | ({TIMESTAMP} if self.timestamp else set())
        )

    def _write(self, chosen: dict[str, tuple[Taken, str, str]]) -> None:
        files = {f"{name}.ipynb": notebook_bytes(taken.notebook) for name, (taken, _, _) in chosen.items()}
        files |= self.files
        if self.timestamp:
            files[TIMESTAMP] = self.timestamp
        self._write_record(
            chosen, files
        )  # first: a notebook without a record would be taken for the student's
        self.home.mkdir(parents=True, exist_ok=True)
        if not intake_files.is_real_folder(self.home) or not intake_files.is_real_folder(self.home.parent):
            raise OSError(f"{self.home} is a link")
        ours = {f"{name}.ipynb" for name in self.standing}
        for entry in intake_files.entries(self.home):
            if entry.name in files and not (
                entry.kind == "file" and (entry.name in ours or self._is_kept(entry))
            ):
                intake_files.put_away(entry, self.raw)
        for name, data in files.items():
            if not intake_files.is_same(self.home / name, data):
                intake_files.write(self.home / name, data)
        self._sweep(self._wanted(chosen))
        self._set_aside_earlier(chosen)

    def _is_kept(self, entry: Entry) -> bool:
        """Say whether a file of the submitted folder lies in raw/ too, as we read it."""
        return self.in_place and entry.kind == "file" and entry.name in self.kept

    def _sweep(self, wanted: set[str]) -> None:
        """Leave in the submitted folder only what is ours: nbgrader copies whatever else lies there."""
        while foreign := [e for e in intake_files.entries(self.home) if e.name not in wanted]:
            for entry in foreign:
                if self._is_kept(entry):
                    entry.path.unlink()
                else:
                    intake_files.put_away(entry, self.raw)

    def _set_aside_earlier(self, chosen: dict[str, tuple[Taken, str, str]]) -> None:
        """Move out of raw/ the file of an earlier submission that a file of another name has replaced."""
        for name in chosen:
            noted = self.before.lessons.get(name) if self.before else None
            if (
                noted
                and noted.source
                and noted.source not in self.kept
                and os.path.lexists(self.raw / noted.source)
            ):
                intake_files.set_aside(self.raw / noted.source, self.raw)

    def _write_record(self, chosen: dict[str, tuple[Taken, str, str]], files: dict[str, bytes]) -> None:
        lessons = {name: self.before.lessons[name] for name in self.standing} if self.before else {}
        for name, (taken, source, digest) in chosen.items():
            lessons[name] = LessonRecord(
                source,
                digest,
                intake_files.sha256(files[f"{name}.ipynb"]),
                taken.flags,
                taken.found,
                taken.written,
                taken.notes,
            )
        earlier = self.before.folder_flags if self.before and self.standing.keys() - chosen.keys() else ()
        flags = tuple(dict.fromkeys([*earlier, *self.flags]))
        intake_record.save(self.course, IntakeRecord(self.assignment, self.student, flags, lessons))

    def _now(self, chosen: dict[str, tuple[Taken, str, str]]) -> list[Taken]:
        now = self.standing | {name: taken for name, (taken, _, _) in chosen.items()}
        return [now[lesson.name] for lesson in self.lessons if lesson.name in now]


def notebook_bytes(notebook: NotebookNode) -> bytes:
    """Return a notebook as the builder writes it, so that equal notebooks are equal files."""
    return notebook_io.text(notebook).encode("utf-8")


def _is_same(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def _is_date(data: bytes) -> bool:
    import dateutil.parser

    if len(data) > MAX_TIMESTAMP:
        return False
    try:
        dateutil.parser.parse(data.decode("ascii").strip()).astimezone(UTC)
    except (ValueError, OverflowError, AttributeError, TypeError):
        return False
    return True
