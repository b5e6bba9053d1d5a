"""cnnlab: what a student of the course imports."""

from cnnlab import layers
from cnnlab.answer import answer, written
from cnnlab.checking.check import check
from cnnlab.checking.keeping import import_library
from cnnlab.library import export_library
from cnnlab.progress import progress

__version__ = "0.1.0"

__all__ = ["answer", "check", "export_library", "import_library", "layers", "progress", "written"]
