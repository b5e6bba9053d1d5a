"""The student's own library: Answers whose check has passed are kept, and `cnnlab.layers` lends them."""

from cnnlab.library.lending import NotHandedIn, NotYet, lend
from cnnlab.library.onefile import NotALibrary, export_library
from cnnlab.library.shelf import home, kept, load
from cnnlab.library.source import MissingHelper, extract

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
