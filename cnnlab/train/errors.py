"""The one error of a training run that cannot go on."""


class TrainError(RuntimeError):
    """Say in one or two sentences why training cannot go on and what to change."""
