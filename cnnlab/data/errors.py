"""The errors of data that cannot be had: DataError is the one that leaves this package."""


class DataError(RuntimeError):
    """A data set cannot be had; the message says in a sentence or two why, and what to do about it."""


class MirrorUnusable(DataError):
    """A mirror cannot give the file; the next one may."""


class TransferInterrupted(DataError):
    """The connection ended early; what came is good, and the same mirror can go on."""


class WrongContent(DataError, ValueError):
    """The bytes that came are not the file."""
