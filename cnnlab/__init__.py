"""cnnlab: what a student of the course imports."""

from cnnlab.answer import answer, written
from cnnlab.checking.check import check

__version__ = "0.1.0"

__all__ = ["answer", "check", "written"]
