"""course.toml is read as an instructor means it, and what is wrong is said with its line and its remedy."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from autograder import configuration
from autograder.configuration import ConfigurationError, CourseFile, LateRule, PlannedLesson
from autograder.course import Course, CourseError
from tests import ROOT
from tests.autograder.configuration.conftest import Writer

BERLIN = ZoneInfo("Europe/Berlin")
WHOLE = """\
title = "Netze"
term = "Herbst 2026"
time_zone = "Europe/Berlin"
follow_through = true

[late]
per_day = 0.1
at_most = 0.5
grace_minutes = 15

[[lessons]]
name = "1_layers/02_convolution"
due = 2026-10-24
weight = 2

[[lessons]]
name = "1_layers/01_why_convolution"
due = 2026-10-05 18:00:00

[[lessons]]
name = "1_layers/03_backward"
due = 2026-11-01T12:00:00Z

[extensions.ada]
"1_layers/02_convolution" = 2026-10-25

[extensions."ben@uni.edu"]
"1_layers/01_why_convolution" = 2026-10-05 18:00:00

[exemptions]
ada = ["1_layers/03_backward"]
"""


def faults(course: Course) -> list[str]:
    """What is wrong with the files, a sentence each, with only the names of the files."""
    with pytest.raises(ConfigurationError) as caught:
        configuration.course_file(course)
    lines = str(caught.value).split("\n")
    assert len(lines) == len(caught.value.faults)
    return [line.removeprefix(f"{course.work.parent}/") for line in lines]


def test_without_a_file_everything_is_as_today(course: Course) -> None:
    assert configuration.course_file(course) == CourseFile()
    assert configuration.roster(course) is None
    assert not course.work.parent.joinpath("course.toml").exists()


def test_a_file_that_sets_nothing_changes_nothing(course: Course, write: Writer) -> None:
    for empty in ("", "\n", "# title = 'x'\n", b"\xef\xbb\xbf# a mark of Windows' editor\r\n"):
        write("course.toml", empty)
        assert configuration.course_file(course) == CourseFile()


def test_each_key_is_read(course: Course, write: Writer) -> None:
    write("course.toml", WHOLE)
    found = configuration.course_file(course)
    end_of_day = {"hour": 23, "minute": 59, "second": 59, "microsecond": 999999, "tzinfo": BERLIN}
    assert found == CourseFile(
        title="Netze",
        term="Herbst 2026",
        time_zone=BERLIN,
        lessons=(
            PlannedLesson("1_layers/02_convolution", datetime(2026, 10, 24, **end_of_day), 2.0),  # type: ignore[arg-type]
            PlannedLesson("1_layers/01_why_convolution", datetime(2026, 10, 5, 18, tzinfo=BERLIN)),
            PlannedLesson("1_layers/03_backward", datetime(2026, 11, 1, 13, tzinfo=BERLIN)),
        ),
        late=LateRule(0.1, 0.5, timedelta(minutes=15)),
        extensions={
            "ada": {"1_layers/02_convolution": datetime(2026, 10, 25, **end_of_day)},  # type: ignore[arg-type]
            "ben@uni.edu": {"1_layers/01_why_convolution": datetime(2026, 10, 5, 18, tzinfo=BERLIN)},
        },
        exemptions={"ada": frozenset({"1_layers/03_backward"})},
        follow_through=True,
    )
    assert pickle.loads(pickle.dumps(found)) == found, "workers on other machines get it"


def test_an_extension_of_a_day_on_which_clocks_change_is_longer(course: Course, write: Writer) -> None:
    write("course.toml", WHOLE)
    found = configuration.course_file(course)
    usual, extended = found.lessons[0].due, found.extensions["ada"]["1_layers/02_convolution"]
    assert usual and extended.timestamp() - usual.timestamp() == 25 * 3600


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-10-25 02:30:00", "2026-10-25T02:30:00+01:00"),
        ("2026-03-29 02:30:00", "2026-03-29T03:30:00+02:00"),
    ],
    ids=["twice", "never"],
)
def test_a_time_that_comes_twice_or_never_is_the_later_moment(
    course: Course, write: Writer, written: str, meant: str
) -> None:
    write(
        "course.toml",
        f'time_zone = "Europe/Berlin"\n[[lessons]]\nname = "1_layers/04_pooling"\ndue = {written}',
    )
    (lesson,) = configuration.course_file(course).lessons
    assert lesson.due and lesson.due.isoformat() == meant


def test_all_faults_are_said_at_once_each_with_its_line(course: Course, write: Writer) -> None:
    write(
        "course.toml",
        'titel = "Netze"\n'
        'time_zone = "Europe/Berln"\n'
        "follow_through = 1\n"
        "\n"
        "[[lessons]]\n"
        'name = "2_layers/02_convolution"\n'
        'due = "2026-10-05"\n'
        "\n"
        "[[lessons]]\n"
        "weight = -1\n"
        "\n"
        "[late]\n"
        "per_day = 10\n"
        "grace = 15\n"
        "[extensions]\n"
        "'no id' = {}\n",
    )
    assert faults(course) == [
        "course.toml:1: there is no key titel: did you mean title?",
        "course.toml:2: there is no time zone 'Europe/Berln': write a name of the IANA list, for example 'Europe/Berlin'.",
        "course.toml:3: follow_through takes true or false, not 1.",
        "course.toml:6: the lesson 2_layers/02_convolution does not exist: lessons are named as the folders in solutions/, "
        "for example 1_layers/02_convolution.",
        "course.toml:7: lessons.due takes a date without quotes, as in 2026-10-05, or with a time, as in 2026-10-05 "
        "18:00:00, in the years 2000 to 2099, not '2026-10-05'.",
        'course.toml:9: lessons.name is missing: add it, as in name = "1_layers/02_convolution"',
        "course.toml:10: lessons.weight takes a factor from 0 to 1000, as in 1.5, not -1.",
        "course.toml:13: late.per_day takes a share from 0 to 1, as in 0.1 for 10 %, not 10.",
        "course.toml:14: there is no key late.grace: did you mean grace_minutes?",
        "course.toml:16: 'no id' is not a student's id: it takes up to 64 letters, digits and . _ @ -, begins with a "
        "letter or digit and has no two dots in a row.",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    {
        "no TOML": ("title = 'x'\nterm = Autumn\n", "2: this is no TOML (Invalid value): write KEY = VALUE, text in"),
        "an at-sign without quotes": ("\n[extensions.ada@uni.edu]\n", "2: this is no TOML ("),
        "a list that is not closed": ("term = 'x'\n[exemptions]\nada = [\n'x',\n\n", "3: this is no TOML ("),
        "a text that is not closed": ('term = "x"\ntitle = """x\n[late]\nper_day = 1\n', "2: this is no TOML ("),
        "a key twice": ("title = 'x'\ntitle = 'x'\n", "2: this is no TOML (Cannot overwrite a value)"),
        "a day that is none": ("\nx = 2026-02-30\n", "2: this is no TOML (Invalid date or datetime)"),
        "a number too long": ("\nx = " + "9" * 5000, "2: this is no TOML (a value is too long or too deep)"),
        "lists too deep": ("\nx = " + "[" * 50_000, "2: this is no TOML (a value is too long or too deep)"),
        "no table": ("late = 0.1", "1: late takes a table: write [late] above its keys, not 0.1."),
        "a list of names": ("lessons = ['x']", "1: lessons takes tables: write [[lessons]] above each lesson's keys,"),
        "one table": ("[lessons]\nname = 'x'", "1: lessons takes tables: write [[lessons]] above each lesson's keys,"),
        "an id with a dot": (
            "[extensions.ada.king]\nx = 2", "1: the lesson king does not exist: lessons are named as the folders in "
            "solutions/, for example 1_layers/01_why_convolution. A student's id with a dot stands in quotes."),
        "a time of the day": ("[[lessons]]\ndue = 18:00:00", "2: lessons.due takes a date without quotes"),
        "a slip in the year": ("[[lessons]]\ndue = 0226-01-01", "2: lessons.due takes a date"),
        "not a number": ("[late]\nper_day = nan", "2: late.per_day takes a share from 0 to 1,"),
        "an endless number": ("[[lessons]]\nweight = inf", "2: lessons.weight takes a factor"),
        "a title of two lines": ("title = '''a\nb'''", "1: title takes one line of text in quotes"),
        "part of a zone": ("time_zone = 'Europe'", "1: there is no time zone 'Europe'"),
        "a zone that is a path": ("time_zone = '../../etc/passwd'", "1: there is no time zone '../../etc/passwd'"),
        "a zone that is a number": ("time_zone = 1", "1: time_zone takes the name of a time zone in quotes"),
        "a date without a zone": (
            "[[lessons]]\nname = '1_layers/04_pooling'\ndue = 2026-10-05\n",
            "3: dates need the course's time zone: add a line as time_zone = 'Europe/Berlin' at the top",
        ),
    }.values(),
)  # fmt: skip
def test_each_fault_has_its_line_and_a_remedy(course: Course, write: Writer, text: str, fault: str) -> None:
    write("course.toml", text)
    assert any(said.startswith(f"course.toml:{fault}") for said in faults(course)), faults(course)


def test_what_contradicts_itself_is_found(course: Course, write: Writer) -> None:
    write("roster.csv", "student,name\nada,Ada\nben@uni.edu,Ben\n")
    write("course.toml", WHOLE)
    configuration.course_file(course)
    write(
        "course.toml",
        WHOLE
        + "adda = []\nzoe = ['1_layers/04_pooling']\n"
        + "[[lessons]]\nname = '1_layers/02_convolution'\n"
        + "[extensions.zoe]\n'1_layers/04_pooling' = 2026-10-25\n'1_layers/03_backward' = 2026-10-25\n",
    )
    assert faults(course) == [
        "course.toml:32: the student adda is not in roster.csv: did you mean ada?",
        "course.toml:33: the student zoe is not in roster.csv: add the student there, or delete this line.",
        "course.toml:33: 1_layers/04_pooling is not among the [[lessons]] of this course: add it there, or delete it here.",
        "course.toml:35: the lesson 1_layers/02_convolution is listed twice: delete one of them.",
        "course.toml:36: the student zoe is not in roster.csv: add the student there, or delete this line.",
        "course.toml:37: 1_layers/04_pooling has no due date to extend: give it one under [[lessons]], or delete this line.",
        "course.toml:38: this is before 1_layers/03_backward is due for everybody (2026-11-01 13:00): write a later date.",
    ]


def test_a_roster_that_cannot_be_used_is_said_first(course: Course, write: Writer) -> None:
    write("roster.csv", "name\nAda\n")
    write("course.toml", WHOLE)
    assert faults(course)[0].startswith("roster.csv:1: ")


def test_a_file_that_cannot_be_read_is_said(course: Course, write: Writer) -> None:
    path = configuration.course_file_path(course)
    write("course.toml", b"title = 'x'\nterm = '\xfcber'\n")
    assert faults(course) == ["course.toml:2: this is not UTF-8: save the file as UTF-8."]
    write("course.toml", b"#" * (1 << 20))
    assert "more than 262,144 bytes" in faults(course)[0]
    path.unlink()
    path.symlink_to("nowhere")
    assert "link to a file that is not there" in faults(course)[0]
    path.unlink()
    path.mkdir()
    assert faults(course) == [
        "course.toml: the file cannot be read (Is a directory): mend that, or move it away."
    ]
    with pytest.raises(CourseError):
        configuration.course_file(course)


def test_a_file_of_the_checkout_is_named_from_there(write: Writer, course: Course) -> None:
    write("course.toml", "x = 1")
    inside = Course(course.work.parent, course.work)
    with pytest.raises(ConfigurationError, match=r"^course\.toml:1: "):
        configuration.course_file(inside)


@pytest.mark.parametrize("content", [None, "# all is commented out\n"])
def test_without_settings_no_command_waits_for_pydantic(
    course: Course, write: Writer, content: str | None
) -> None:
    if content is not None:
        write("course.toml", content)
    code = (
        "import sys; from autograder import cli, configuration, doctor; from autograder.classroom import grade_class\n"
        "from autograder.course import Course\n"
        "configuration.course_file(Course.here()); configuration.roster(Course.here())\n"
        "sys.exit('pydantic' in sys.modules)"
    )
    environment = {**os.environ, "CNNLAB_WORK": str(course.work)}
    assert (
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=False).returncode == 0
    )
