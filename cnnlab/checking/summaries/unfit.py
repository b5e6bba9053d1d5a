"""What a summary raises."""


class Unfit(ValueError):
    """Outputs that cannot be summarised; its message is one sentence for the student."""
