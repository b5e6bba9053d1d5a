"""The release of `cnnlab` that students install: [tool.cnnlab] in pyproject.toml, the only place that names it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from autograder.course import CourseError

REPO = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]*")


@dataclass(frozen=True)
class Release:
    """A public repository (OWNER/NAME) and the tag or branch of it that students install."""

    repo: str
    ref: str

    def __post_init__(self) -> None:
        if not REPO.fullmatch(self.repo):
            raise CourseError(f"--repo takes OWNER/NAME, as in cnnlab/cnnlab, not {self.repo!r}.")
        if not REF.fullmatch(self.ref) or ".." in self.ref:
            raise CourseError(f"--ref takes a tag or branch, as in v0.1.0, not {self.ref!r}.")

    @property
    def requirement(self) -> str:
        """The requirement that pip installs."""
        return f"git+https://github.com/{self.repo}@{self.ref}"

    def colab(self, path: str) -> str:
        """Return the address that opens a file of the repository on Colab."""
        return f"https://colab.research.google.com/github/{self.repo}/blob/{self.ref}/{path}"


def release(pyproject: Path) -> Release:
    """Read the release that the course is stamped with."""
    settings = tomllib.loads(pyproject.read_text(encoding="utf-8")).get("tool", {}).get("cnnlab", {})
    return Release(settings.get("repo", ""), settings.get("ref", ""))


def write_release(pyproject: Path, new: Release) -> None:
    """Change the release in pyproject.toml, and nothing else there."""
    text = pyproject.read_text(encoding="utf-8")
    for key, value in (("repo", new.repo), ("ref", new.ref)):
        pattern = rf'(?ms)(^\[tool\.cnnlab\]$.*?^{key} = )"[^"]*"'
        text, count = re.subn(pattern, lambda m, v=value: f'{m[1]}"{v}"', text, count=1)
        if count != 1:
            raise CourseError(f'{pyproject} has no line {key} = "..." under [tool.cnnlab]; put it back.')
    pyproject.write_text(text, encoding="utf-8")
