"""The one error of data that cannot be had."""


class DataError(RuntimeError):
    """Say in one sentence or two why a data set cannot be had and what to do about it."""
