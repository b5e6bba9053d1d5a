"""Collect the downloads of learning management systems: plugins of nbgrader's `zip_collect`.

nbgrader's own extractor opens archives inside archives without end, and trusts the names in them to say which student a
file belongs to. Here only the downloaded archive is opened, member by member and with caps; what a student zipped is
collected as it is, and intake opens it. The student is read from the name that the system gave a file, never from a name
that a student chose.

In nbgrader_config.py: c.ZipCollectApp.extractor_plugin = "autograder.intake.collect.Extractor" and
c.ZipCollectApp.collector_plugin = "autograder.intake.collect.Collector".
"""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import BinaryIO

from nbgrader.plugins.zipcollect import ExtractorPlugin, FileNameCollectorPlugin

from autograder import files
from autograder.files import printable_name
from autograder.intake.download_names import free_path, match_download, plain_name, plain_path
from autograder.intake.reader import archive as reader_archive
from autograder.student_id import STUDENT_ID
from cnnlab.checking import handin

MAX_MEMBERS = 50_000  # files of a downloaded archive
MAX_MEMBER = max(reader_archive.MAX_FILE, handin.MAX_BYTES)  # bytes


class Extractor(ExtractorPlugin):
    """Copy files out of the downloaded archives, each to a plain path inside the folder for them."""

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Extract the archives in a folder member by member, and copy its other files as they are.

        The names of the arguments are nbgrader's.

        Args:
            archive_path: the folder of what was downloaded.
            extracted_path: the folder to write to.
        """
        for entry in files.list_entries(Path(archive_path)):
            if entry.kind != "file":
                self.log.warning("%s is a %s; it was left out.", printable_name(entry.name), entry.kind)
            elif entry.path.suffix.lower() == ".zip":
                self._extract_archive(entry.path, Path(extracted_path) / plain_name(entry.path.stem))
            else:
                shutil.copyfile(entry.path, Path(extracted_path) / plain_name(entry.name))

    def _extract_archive(self, path: Path, folder: Path) -> None:
        try:
            with path.open("rb") as file:
                self._extract_members(file, folder)
        except reader_archive.UnreadableArchive as error:
            self.log.error("%s %s; download it again.", printable_name(path.name), error)

    def _extract_members(self, file: BinaryIO, folder: Path) -> None:
        archive = reader_archive.open_archive(file)
        taken: set[str] = set()
        members = archive.infolist()
        if len(members) > MAX_MEMBERS:
            self.log.error(
                "%s holds more than %d files; the rest was left out.",
                printable_name(folder.name),
                MAX_MEMBERS,
            )
        for info in members[:MAX_MEMBERS]:
            path = reader_archive.safe_path(info)
            if not path:
                continue
            data, refused = reader_archive.read_member(archive, info, MAX_MEMBER)
            if refused:
                self.log.warning("%s %s; it was left out.", printable_name(path), refused)
                continue
            try:
                files.write(folder / free_path(plain_path(path), taken), data)
            except (NotADirectoryError, FileExistsError):  # another member has the name of its folder
                self.log.warning("%s lies in a folder that is a file; it was left out.", printable_name(path))


class Collector(FileNameCollectorPlugin):
    """Read a file's student from its name, as Moodle and Canvas write it; a named_regexp of your own comes first."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self._times_seen: Counter[tuple[str, str]] = Counter()
        # What students zipped is collected as it is; the lessons ask for weights beside the notebooks.
        if self.valid_ext == [".ipynb"]:
            self.valid_ext = [".ipynb", ".zip", ".safetensors"]

    def _match(self, filename: str) -> dict[str, str] | None:
        if self.named_regexp:
            return super()._match(filename)
        found = match_download(filename)
        if found is None or not STUDENT_ID.fullmatch(found["student_id"]):
            self.log.warning(
                "%s is not named as Moodle or Canvas name it; set c.FileNameCollectorPlugin.named_regexp.",
                printable_name(os.path.basename(filename)),
            )
            return None
        return {"student_id": found["student_id"], "file_id": self._unique_name(found)}

    def _unique_name(self, found: re.Match[str]) -> str:
        """Return a name that no other file of the student has: nbgrader stops the whole class at a second one."""
        stem, suffix = os.path.splitext(os.path.basename(found["file_id"]))
        key = (found["student_id"], (stem + suffix).lower())
        self._times_seen[key] += 1
        return f"{stem} ({self._times_seen[key]}){suffix}" if self._times_seen[key] > 1 else stem + suffix
