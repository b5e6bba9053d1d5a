"""autograder: what an instructor runs, from a checkout. Nothing in here is ever installed on a student's machine."""

from __future__ import annotations

import sys
from typing import Any

# By it jsonschema, which comes with nbformat, verifies international addresses where a schema asks for that; a
# notebook's does not. It builds a parser when loaded, and jsonschema does without it where it is not installed.
_modules: dict[str, Any] = sys.modules
_modules.setdefault("rfc3987_syntax", None)
