"""The student's own library: Answers whose check has passed are kept, and `cnnlab.layers` lends them."""

from cnnlab.library.errors import MissingHelper, NotALibrary, NotHandedIn, NotYet
from cnnlab.library.lending import lend
from cnnlab.library.onefile import export_library
from cnnlab.library.shelf import home, kept, load
from cnnlab.library.source import extract

__all__ = [
    "MissingHelper",
    "NotALibrary",
    "NotHandedIn",
    "NotYet",
    "export_library",
    "extract",
    "home",
    "kept",
    "lend",
    "load",
]
