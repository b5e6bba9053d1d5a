"""The errors of the student's library: LibraryError stands above them all."""


class LibraryError(Exception):
    """Any error of `cnnlab.library`."""


class SelfCallError(LibraryError, RuntimeError):
    """An Answer, while it is asked, calls the function of `cnnlab.layers` that it is itself to be."""


class NotYet(LibraryError, AttributeError):
    """A name is not in the library, and nothing can stand in for it."""


class NotHandedIn(LibraryError, ImportError):
    """A submission does not hold the Answer that is asked for."""


class Unloadable(LibraryError, ImportError):
    """A kept Answer cannot be loaded any more."""


class NotALibrary(LibraryError, ValueError):
    """A file was not written by export_library, or was changed since."""


class MissingHelper(LibraryError, LookupError):
    """An Answer cannot stand by itself, because no cell defines a name that it uses.

    Args:
        name: the Answer.
        missing: the names that no cell defines, the Answer's own where that is missing.
    """

    def __init__(self, name: str, missing: tuple[str, ...]) -> None:
        self.name, self.missing = name, missing
        used = " and ".join(f"`{one}`" for one in missing)
        super().__init__(
            f"no cell defines {name}" if missing == (name,) else f"{name} uses {used}, which no cell defines"
        )
