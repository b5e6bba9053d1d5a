"""Read the time of handing in, as nbgrader's collector, an instructor or a script wrote it into timestamp.txt."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

MAX_BYTES = 64


@dataclass(frozen=True)
class Timestamp:
    """The time of handing in.

    time: in UTC.
    unknown_zone: a name of a zone that was read as UTC, because several zones have it or none; "" for none.
    """

    time: datetime
    unknown_zone: str = ""

    @property
    def text(self) -> bytes:
        """The time as every reader understands it, as in 2026-03-01T12:00:00+00:00."""
        return self.time.isoformat().encode()


def read_timestamp(data: bytes) -> Timestamp | None:
    """Read a timestamp in any form that nbgrader reads, with an offset, the name of a zone (America/Los_Angeles), or UTC.

    Returns: None where the text is no time.
    """
    # Here, for start-up time: few submissions have a timestamp.
    import dateutil.parser
    import dateutil.tz

    if len(data) > MAX_BYTES:
        return None
    unknown: list[str] = []

    def zone(name: str | None, offset: int | None) -> int | tzinfo:
        if offset is not None:
            return offset  # seconds
        # Abbreviations are in the database of zones too, where each has one meaning (EST, CET); PST is in none.
        found = dateutil.tz.gettz(name) if name else None
        if found is None and name:
            unknown.append(name)
        return found or UTC

    try:
        text = data.decode("ascii").strip()
        words = text.rsplit(" ", 1)
        named = len(words) == 2 and "/" in words[1] and dateutil.tz.gettz(words[1])
        if named:
            time = dateutil.parser.parse(words[0]).replace(tzinfo=named)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                time = dateutil.parser.parse(text, tzinfos=zone)
        return Timestamp(
            time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC), unknown[0] if unknown else ""
        )
    except (ValueError, OverflowError, AttributeError, TypeError):
        return None
