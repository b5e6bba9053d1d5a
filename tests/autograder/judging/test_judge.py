"""What a notebook earns, and what of it the feedback may say."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from nbformat.v4 import new_markdown_cell

from autograder.course import Course
from autograder.exercise import SETS, Lesson
from autograder.intake import take_in_notebook
from autograder.judging import secret_cases
from autograder.judging.companions import Submission
from autograder.judging.journal import Journal
from autograder.judging.judge import judge_notebook
from autograder.judging.judgement import Judgement
from autograder.sample import Solved
from autograder.sandbox import Limits
from cnnlab.checking.question import Questionnaire

pytestmark = pytest.mark.usefixtures("bubblewrap")


@pytest.fixture
def judged(course: Course, convolution: Lesson) -> Callable[[dict[str, str]], Judgement]:
    """Judge the solved lesson with the bodies of some functions written otherwise."""
    solved = Solved(course, convolution)

    def run(bodies: dict[str, str]) -> Judgement:
        filled = solved.notebook({name: solved.with_body(name, body) for name, body in bodies.items()})
        taken = take_in_notebook(course, [convolution], json.dumps(filled).encode())
        return judge_notebook(course, convolution, taken.notebook, limits=Limits(probe_seconds=2.0))

    return run


def test_the_solved_lesson_has_full_marks(judged) -> None:
    for verdict in judged({}).verdicts.values():
        assert (verdict.status, verdict.points) == ("passed", verdict.total)
        assert not verdict.mistake and not verdict.notes and all(c.passed for c in verdict.cases)


def test_points_go_by_group(judged, convolution: Lesson) -> None:
    body = "out = np.pad(x, ((0, 0), (0, 0), *sides(padding)))\nreturn out  # value is forgotten"
    verdict = judged({"pad2d": body}).verdicts["pad2d"]
    lost = {group for group, (won, total) in verdict.groups.items() if won < total}
    assert (
        lost == {"value"} and verdict.points == verdict.total - convolution.exercises["pad2d"].points["value"]
    )
    assert {c.group for c in verdict.cases if not c.passed} == {"value"}
    assert verdict.status == "failed" and verdict.mistake and verdict.hint


def test_what_is_built_on_a_failing_answer_says_so(judged) -> None:
    verdicts = judged({"im2col": "return x"}).verdicts
    assert verdicts["conv2d_forward"].points == 0
    assert "depends on im2col, which fails" in verdicts["conv2d_forward"].notes
    assert verdicts["conv2d_naive"].points == verdicts["conv2d_naive"].total


def test_a_package_that_is_not_there_is_named_as_the_rule_it_is(judged) -> None:
    body = "import torch\nreturn torch.nn.functional.conv2d(torch.tensor(x), torch.tensor(w), torch.tensor(b)).numpy()"
    verdict = judged({"conv2d_naive": body}).verdicts["conv2d_naive"]
    assert verdict.points == 0
    assert verdict.notes[0] == "torch is not available in this lesson: write it with NumPy"


@pytest.mark.parametrize(
    "body",
    [
        "raise ValueError('LEAK ' + repr(x.tolist()))",
        "raise type('LEAK_' + str(x.size), (Exception,), {})()",
        "return {'LEAK': x.tolist()}",
        "class LEAK(np.ndarray): pass\nreturn x.view(LEAK)",
        "print('LEAK', x.tolist())\nreturn x",
        "return 'LEAK' + str(x.tolist())",
        "import warnings; warnings.warn('LEAK' + str(x)); return x * 0",
    ],
)
def test_nothing_that_a_probe_says_reaches_the_feedback(judged, body: str) -> None:
    judgement = judged({"pad2d": body})
    assert "LEAK" not in json.dumps(judgement.as_json())


def test_a_line_that_the_cell_does_not_have_is_not_told(judged) -> None:
    body = (
        "code = compile('\\n' * 70000 + 'raise ValueError', pad2d.__code__.co_filename, 'exec')\nexec(code)"
    )
    sentences = {case.sentence for case in judged({"pad2d": body}).verdicts["pad2d"].cases}
    assert all("7000" not in sentence for sentence in sentences)
    assert any(sentence.startswith("it raised ValueError") for sentence in sentences)


def test_a_stub_is_not_attempted(judged) -> None:
    verdict = judged({"filter_image": "raise NotImplementedError"}).verdicts["filter_image"]
    assert (verdict.status, verdict.points) == ("not attempted", 0)


def test_the_public_answers_by_heart_earn_nothing(judged, convolution: Lesson) -> None:
    body = """
from cnnlab.checking import cases
for q in cases.load("conv2d_forward").questions:
    given = q.inputs
    if given["x"].shape == x.shape and np.array_equal(given["x"], x):
        return q.expected["out"]
return np.zeros(1)
"""
    assert judged({"conv2d_forward": body}).verdicts["conv2d_forward"].points == 0


def test_judging_again_runs_nothing_and_says_the_same(
    judged, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = judged({"pad2d": "return x"})
    monkeypatch.setenv("PATH", "/nonexistent")  # without bubblewrap nothing could run
    again = judged({"pad2d": "return x"})
    assert again.as_json() == first.as_json()
    assert len((course.work / "journal.jsonl").read_text().splitlines()) == 1


def test_a_journal_cut_short_by_a_crash_goes_on(judged, course: Course) -> None:
    first = judged({})
    path = course.work / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    judged({})
    kept = Journal(path).find(first.key)  # as another process finds it
    assert kept and Judgement.from_json(kept).verdicts["pad2d"].points == 6
    assert judged({}).verdicts["pad2d"].points == 6
    assert len(path.read_text().splitlines()) == 2


def test_secret_cases_differ_between_courses_and_stay_the_same_in_one(
    tmp_path, checkout: Course, convolution: Lesson
) -> None:
    one, other = (Course(checkout.root, tmp_path / name) for name in ("one", "other"))
    assert one.secret() == one.secret() != other.secret()
    assert one.secret() and (one.work / "secret").stat().st_mode & 0o077 == 0

    def inputs(course: Course) -> str:
        questionnaires = secret_cases.questionnaires(course, convolution)
        return repr([q.inputs for q in questionnaires["pad2d"].questions])

    assert inputs(one) == inputs(one) != inputs(other)


def test_secret_cases_are_kept_for_their_owner_and_drawn_anew_for_another_secret(
    course: Course, convolution: Lesson, as_another_process: Callable[[Course], Course]
) -> None:
    def inputs(of: Course) -> str:
        found = secret_cases.questionnaires(of, convolution)
        return repr([(q.inputs, q.expected, q.mistakes) for q in found["pad2d"].questions])

    def kept(of: Course) -> Path:
        (path,) = (of.work / "expected").rglob("*.npz")
        return path

    first = inputs(course)
    assert kept(course).stat().st_mode & 0o077 == 0
    again = as_another_process(course)
    before = kept(again).stat()
    assert inputs(again) == first
    assert kept(again).stat().st_ino == before.st_ino  # nothing was worked out
    again = as_another_process(course)
    kept(again).write_bytes(kept(again).read_bytes()[:1000])
    assert inputs(again) == first
    again = as_another_process(course)
    (again.work / "secret").write_bytes(b"x" * 32)
    assert inputs(again) != first
    assert kept(again).name != kept(course).name


def test_the_same_code_at_other_places_is_not_mixed_up(course: Course, convolution: Lesson) -> None:
    # What cells print is kept by their places, so the journal may not answer for a notebook with other text cells.
    taken = take_in_notebook(
        course, [convolution], json.dumps(Solved(course, convolution).notebook()).encode()
    )
    notebook = taken.notebook
    place = next(i for i, cell in enumerate(notebook.cells) if cell.metadata.cnnlab.get("role") == "exercise")
    notebook.cells[place].source += "\nprint('from the first answer')"
    first = judge_notebook(course, convolution, notebook)
    notebook.cells.insert(0, new_markdown_cell("A note."))
    second = judge_notebook(course, convolution, notebook)
    assert "from the first" in first.printed[place] and "from the first" in second.printed[place + 1]


# -- sets of secret Cases ------------------------------------------------------------------------------------------------


def test_a_submission_is_asked_its_own_set_and_the_journal_tells_sets_apart(
    course: Course, convolution: Lesson, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = take_in_notebook(
        course, [convolution], json.dumps(Solved(course, convolution).notebook({})).encode()
    )
    asked: list[int] = []
    questionnaires = secret_cases.questionnaires

    def noted(of: Course, lesson: Lesson, which: int = 0) -> dict[str, Questionnaire]:
        asked.append(which)
        return questionnaires(of, lesson, which)

    monkeypatch.setattr(secret_cases, "questionnaires", noted)
    sets = {}
    for which in (0, 2):
        submission = Submission(None, [convolution], lambda which=which: {convolution.name: which})
        judged = judge_notebook(course, convolution, taken.notebook, submission)
        again = judge_notebook(course, convolution, taken.notebook, submission)
        assert again.verdicts == judged.verdicts and again.key == judged.key  # from the journal
        assert all(verdict.status == "passed" for verdict in judged.verdicts.values())
        sets[which] = judged.key
    assert asked == [0, 2] and sets[0] != sets[2]


def test_the_sets_of_a_course_differ_and_each_is_kept(course: Course, convolution: Lesson) -> None:
    inputs = []
    for which in range(SETS):
        found = secret_cases.questionnaires(course, convolution, which)
        inputs.append(repr([q.inputs for q in found["pad2d"].questions]))
        assert secret_cases.is_kept(course, convolution, which)
    assert len(set(inputs)) == SETS
    with pytest.raises(ValueError, match="there are sets 0 to 3 of secret Cases, not 4"):
        secret_cases.secret_questionnaires(convolution, b"a course", SETS)


WAITING = """
import sys
from pathlib import Path
from autograder.course import Course
from autograder.judging import secret_cases
course = Course(Path(sys.argv[1]), Path(sys.argv[2]))
print(len(secret_cases.questionnaires(course, course.lesson("1_layers", "02_convolution"), 2)), "torch" in sys.modules)
"""


def test_a_set_is_worked_out_by_who_claims_it_when_another_waits_for_it(
    course: Course, convolution: Lesson
) -> None:
    claims = secret_cases.claim(course, [convolution])
    assert len(claims) == SETS
    assert secret_cases.claim(course, [convolution]) == []  # somebody is at it
    assert not any(claim.is_wanted for claim in claims)
    command = [sys.executable, "-c", WAITING, str(course.root), str(course.work)]
    waiting = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    secret_cases.work_out_what_is_wanted(claims[2:3])
    assert waiting.communicate(timeout=60)[0].split() == [str(len(convolution.exercises)), "False"]
    assert [secret_cases.is_kept(course, convolution, which) for which in range(SETS)] == [
        which == 2 for which in range(SETS)
    ]
    assert not any(claim.is_wanted for claim in claims)
    for claim in claims:
        claim.give_up()
    assert len(secret_cases.claim(course, [convolution])) == SETS - 1


def test_a_set_whose_process_ended_is_worked_out_by_who_needs_it(course: Course, convolution: Lesson) -> None:
    for claim in secret_cases.claim(course, [convolution]):
        claim.give_up()
    assert secret_cases.questionnaires(course, convolution, 1).keys() == convolution.exercises.keys()
