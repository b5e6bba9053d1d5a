"""Real data that needs no network: handwritten digits and one photograph."""

from cnnlab.data.digits import digits
from cnnlab.data.photo import photo

__all__ = ["digits", "photo"]
