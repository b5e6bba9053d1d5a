"""The errors of the checks: CheckingError stands above them all, also above those that other modules define."""


class CheckingError(Exception):
    """Any error of `cnnlab.checking`."""


class InvalidAnswer(CheckingError):
    """An Answer gave something that it must not give; the message is one sentence for the student."""


class InvalidOutputs(CheckingError, ValueError):
    """Outputs cannot be summarised; the message is one sentence for the student."""
