"""What may stand in course.toml: its tables and keys, and what each takes.

pydantic reads the tables. Importing it takes 0.2 s, so only a course.toml that sets something has it imported.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from autograder.configuration.errors import nearest
from autograder.configuration.toml_lines import KeyPath
from autograder.files import printable_name
from autograder.student_id import RULE, is_student_id

TAKES = "takes"  # an error whose words go on after the key's name
SENTENCE = "sentence"  # an error that is a sentence of its own
YEARS = range(2000, 2100)  # a date outside of them is a slip of the keyboard
MAX_TEXT = 200  # characters of a title, which stands in one line of a page
MAX_WEIGHT = 1000
MAX_GRACE = 7 * 24 * 60  # minutes: a week
KEY = "[key]"  # pydantic's name for the key of a table as the thing that is wrong


def takes(
    kind: type | tuple[type, ...], words: str, accept: Callable[[Any], bool] = lambda value: True
) -> BeforeValidator:
    """Return a validator that refuses every value but those of a kind.

    Args:
        kind: the type, or types, that tomllib gives such a value.
        words: the kind in words, with an example.
        accept: says whether a value of the type will do.
    """

    def verify(value: Any) -> Any:
        if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)) and accept(value):
            return value
        raise PydanticCustomError(
            TAKES, "takes {words}, not {value}", {"words": words, "value": _as_written(value)}
        )

    return BeforeValidator(verify)


def _as_written(value: Any) -> str:
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(printable_name(value)) if isinstance(value, str) else printable_name(str(value))


def _sentence(words: str) -> PydanticCustomError:
    return PydanticCustomError(SENTENCE, "{words}", {"words": words})


def _verify_time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        known = available_timezones()
        if not known:
            raise _sentence("this machine knows no time zones: sudo apt-get install tzdata.") from error
        like = nearest(name, sorted(known)) or "Europe/Berlin"
        raise _sentence(
            f"there is no time zone {_as_written(name)}: write a name of the IANA list, for example {like!r}."
        ) from error
    return name


def _verify_lesson(name: str, info: ValidationInfo) -> str:
    known = list(info.context or [])
    if name in known:
        return name
    like = (nearest(name, known) or known[0]) if known else ""
    quotes = "" if "/" in name else " A student's id with a dot stands in quotes."
    raise _sentence(
        f"the lesson {printable_name(name)} does not exist: lessons are named as the folders in solutions/, for example "
        f"{like}.{quotes}"
    )


def _verify_student(student: Any) -> Any:
    if not is_student_id(student):
        raise _sentence(f"{_as_written(student)} is not a student's id: {RULE}.")
    return student


def _is_line(words: str) -> bool:
    return words.isprintable() and len(words) <= MAX_TEXT


Words = Annotated[str, takes(str, f"one line of text in quotes, of at most {MAX_TEXT} characters", _is_line)]
Switch = Annotated[bool, takes(bool, "true or false")]
Share = Annotated[
    float, takes((int, float), "a share from 0 to 1, as in 0.1 for 10 %", lambda share: 0 <= share <= 1)
]
Minutes = Annotated[
    int,
    takes(
        int, "minutes, a whole number from 0 to a week, as in 15", lambda minutes: 0 <= minutes <= MAX_GRACE
    ),
]
Weight = Annotated[
    float,
    takes(
        (int, float), f"a factor from 0 to {MAX_WEIGHT}, as in 1.5", lambda weight: 0 <= weight <= MAX_WEIGHT
    ),
]
Due = Annotated[
    InstanceOf[date],  # a date with a time is a date as well
    takes(
        date,
        "a date without quotes, as in 2026-10-05, or with a time, as in 2026-10-05 18:00:00, in the years "
        f"{YEARS[0]} to {YEARS[-1]}",
        lambda day: day.year in YEARS,
    ),
]
TimeZone = Annotated[
    str,
    BeforeValidator(_verify_time_zone),
    takes(str, "the name of a time zone in quotes, as in 'Europe/Berlin'"),  # the last one is asked first
]
LessonName = Annotated[
    str,
    BeforeValidator(_verify_lesson),
    takes(str, "a lesson in quotes, as in '1_layers/02_convolution'"),
]
StudentId = Annotated[str, BeforeValidator(_verify_student)]


class _Table(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class LateTable(_Table):
    """The table [late]."""

    per_day: Share = Field(examples=["per_day = 0.1"])
    at_most: Share = 1.0
    grace_minutes: Minutes = 0


class LessonTable(_Table):
    """A table [[lessons]]."""

    name: LessonName = Field(examples=['name = "1_layers/02_convolution"'])
    due: Due | None = None
    weight: Weight = 1.0


class CourseTable(_Table):
    """The whole of course.toml."""

    title: Words = ""
    term: Words = ""
    time_zone: TimeZone | None = None
    follow_through: Switch = False
    late: Annotated[LateTable, takes(dict, "a table: write [late] above its keys")] | None = None
    lessons: Annotated[
        list[Annotated[LessonTable, takes(dict, "tables: write [[lessons]] above each lesson's keys")]],
        takes(list, "tables: write [[lessons]] above each lesson's keys"),
    ] = []
    extensions: Annotated[
        dict[
            StudentId,
            Annotated[
                dict[LessonName, Due],
                takes(dict, "lessons with their new due dates, as in '1_layers/02_convolution' = 2026-10-12"),
            ],
        ],
        takes(dict, "a table: write [extensions.STUDENT] above the student's lessons and dates"),
    ] = {}
    exemptions: Annotated[
        dict[
            StudentId,
            Annotated[list[LessonName], takes(list, "a list of lessons, as in ['1_layers/02_convolution']")],
        ],
        takes(dict, "a table: write [exemptions] above the students"),
    ] = {}


TABLES: dict[tuple[str, ...], type[_Table]] = {
    (): CourseTable,
    ("late",): LateTable,
    ("lessons",): LessonTable,
}


def read_tables(data: dict[str, Any], lessons: Collection[str]) -> CourseTable | list[tuple[KeyPath, str]]:
    """Return what tomllib read as tables, or all that is wrong with it: the path of a value, and a sentence.

    Args:
        data: the values that tomllib read.
        lessons: the names of the lessons that there are.
    """
    try:
        return CourseTable.model_validate(data, context=lessons)
    except ValidationError as error:
        return list(_faults(error.errors(include_url=False)))


def _faults(errors: Sequence[ErrorDetails]) -> Iterator[tuple[KeyPath, str]]:
    for error in errors:
        path = tuple(part for part in error["loc"] if part != KEY)
        if error["type"] == SENTENCE:
            yield path, error["msg"]
            continue
        names = tuple(part for part in path if isinstance(part, str))
        fields = TABLES[names[:-1]].model_fields if names and names[:-1] in TABLES else {}
        if error["type"] == "extra_forbidden":
            like = nearest(names[-1], list(fields))
            advice = f"did you mean {like}?" if like else f"take one of {', '.join(fields)}."
            yield path, f"there is no key {'.'.join(map(printable_name, names))}: {advice}"
        elif error["type"] == "missing":
            example = (fields[names[-1]].examples or [""])[0]
            yield path, f"{'.'.join(names)} is missing: add it, as in {example}"
        else:
            yield path, f"{'.'.join(map(printable_name, names))} {error['msg']}."
