"""The time of handing in, in every form that nbgrader reads."""

from __future__ import annotations

from datetime import datetime

import pytest
from nbgrader import utils

from tests.autograder.intake.intake_sample import (
    Sample,
    as_bytes,
    solved,
)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2015-02-02 15:58:23.948203 America/Los_Angeles", "2015-02-02T23:58:23.948203+00:00"),
        ("2015-07-02 15:58:23.948203 America/Los_Angeles", "2015-07-02T22:58:23.948203+00:00"),
        ("2015-02-02 15:58:23.948203 -08:00", "2015-02-02T23:58:23.948203+00:00"),
        ("2015-02-02 15:58:23.948203 -0800", "2015-02-02T23:58:23.948203+00:00"),
        ("2015-02-02 15:58:23 UTC", "2015-02-02T15:58:23+00:00"),
        ("2015-02-02T15:58:23Z", "2015-02-02T15:58:23+00:00"),
        ("2015-02-02 15:58:23 GMT", "2015-02-02T15:58:23+00:00"),
        ("2015-02-02 15:58:23", "2015-02-02T15:58:23+00:00"),
        ("2015-07-02 15:58:23 CET", "2015-07-02T13:58:23+00:00"),
        ("2015-02-02", "2015-02-02T00:00:00+00:00"),
        ("Mon, 02 Feb 2015 15:58:23 +0100", "2015-02-02T14:58:23+00:00"),
    ],
)
def test_a_timestamp_may_have_any_form_that_nbgrader_reads(s: Sample, text: str, time: str) -> None:
    folder = s.submitted()
    (folder / "01_shifting.ipynb").write_bytes(as_bytes(solved(s.first)))
    (folder / "timestamp.txt").write_text(text)
    s.autograde(folder)
    assert (folder / "timestamp.txt").read_text() == time and not s.record().flags
    assert utils.parse_utc(time) == datetime.fromisoformat(time).replace(tzinfo=None)
    s.autograde(folder)
    assert (folder / "timestamp.txt").read_text() == time and not s.record().flags


@pytest.mark.parametrize("zone", ["PST", "IST", "Mars/Olympus"])
def test_a_zone_that_is_none_or_several_is_said(s: Sample, zone: str) -> None:
    folder = s.submitted()
    (folder / "01_shifting.ipynb").write_bytes(as_bytes(solved(s.first)))
    (folder / "timestamp.txt").write_text(f"2015-02-02 15:58:23 {zone}")
    s.autograde(folder)
    (flag,) = s.record().flags
    if "/" in zone:
        assert "holds no date" in flag and not (folder / "timestamp.txt").exists()
    else:
        assert f"names the time zone {zone}, which is none or several: it was read as UTC" in flag
        assert (folder / "timestamp.txt").read_text() == "2015-02-02T15:58:23+00:00"
