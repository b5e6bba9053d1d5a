"""The errors of data that cannot be had: DataError is the one that leaves this package."""


class DataError(RuntimeError):
    """Say in one sentence or two why a data set cannot be had and what to do about it."""


class MirrorUnusable(DataError):
    """Say why a mirror cannot give the file; the next one may."""


class TransferInterrupted(DataError):
    """Say that the connection ended early; what came is good and the same mirror can go on."""


class WrongContent(DataError, ValueError):
    """Say that what came is not the file."""
