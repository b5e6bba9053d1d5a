"""The ways "module", "script" and "table" in the sandbox, and what a hostile module can do there."""

from __future__ import annotations

import textwrap
from functools import cache
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook

torch = pytest.importorskip("torch")

from autograder import sandbox  # noqa: E402
from autograder.course import Course  # noqa: E402
from autograder.exercise import Exercise  # noqa: E402
from autograder.judging.judge import judge_notebook  # noqa: E402
from autograder.judging.judgement import Judgement  # noqa: E402
from autograder.sandbox import Limits, Probe, RunCell, Transcript, warm  # noqa: E402
from cnnlab.checking.assess import Finding, Questionnaire, assess  # noqa: E402
from tests.ways_sample import ANSWERS, BLOCK, BLOCK_ANSWER, EXERCISES, LESSON, PLATEAU, PLATEAU_ANSWER  # noqa: E402

pytestmark = pytest.mark.usefixtures("bubblewrap")
QUICK = Limits(cell_seconds=3.0, probe_seconds=2.0, submission_seconds=30.0)


@cache
def public_questions(name: str) -> Questionnaire:
    return next(exercise for exercise in EXERCISES if exercise.name == name).public_questions()


def run(*cells: str, asked: tuple[Exercise, ...] = (BLOCK,), **options: Any) -> Transcript:
    """Run cells, then ask the public Cases of these Exercises."""
    steps: list[Any] = [RunCell(i, textwrap.dedent(source)) for i, source in enumerate(cells)]
    for exercise in asked:
        q = public_questions(exercise.name)
        steps.append(Probe(q.exercise, q.returns, tuple(one.inputs for one in q.questions), q.way))
    return sandbox.run(steps, limits=QUICK, **options)


def found(transcript: Transcript, exercise: Exercise = BLOCK) -> Finding:
    return assess(public_questions(exercise.name), transcript.outcomes[exercise.name])


def judged(course: Course, answers: dict[str, str]) -> Judgement:
    """Judge a notebook with these Answers on the secret Cases."""
    cells = []
    for name, source in answers.items():
        for role, text in (("exercise", source), ("check", f"check({name})")):
            cells.append(new_code_cell(text, metadata={"cnnlab": {"role": role, "name": name}}))
    return judge_notebook(course, LESSON, new_notebook(cells=cells), limits=QUICK)


def test_a_lesson_of_right_answers_has_full_marks_and_wrong_ones_their_mistake(course: Course) -> None:
    for verdict in judged(course, ANSWERS).verdicts.values():
        assert (verdict.status, verdict.points) == ("passed", verdict.total), verdict
    wrong = {
        "BasicBlock": BLOCK_ANSWER.replace("+ self.shortcut(x))", "+ x)"),
        "ReduceOnPlateau": PLATEAU_ANSWER.replace("loss < min", "loss <= min"),
        "stack_table": ANSWERS["stack_table"].replace("size + count", "size"),
        "predict_together": ANSWERS["predict_together"].replace("/ len(models)", "/ len(models) * 0.5"),
    }
    verdicts = judged(course, wrong).verdicts
    assert [verdicts[e.name].mistake for e in EXERCISES] == ["projection", "ties", "bias", ""]
    assert verdicts["predict_together"].points == 0
    assert verdicts["BasicBlock"].points == 3
    said = {case.sentence for verdict in verdicts.values() for case in verdict.cases}
    assert "rows[0]['parameters'] has wrong values" in said


@pytest.mark.slow
def test_what_a_wrong_kind_of_answer_says_in_the_feedback_holds_none_of_its_own_words(course: Course) -> None:
    broken = {
        "BasicBlock": "def BasicBlock(**more): return type('LEAK' + str(more), (), {})()",
        "ReduceOnPlateau": PLATEAU_ANSWER.replace("return True", "return {'LEAK': {1}}"),
        "stack_table": "def stack_table(image, filters): return [{'LEAK' + str(filters): 1}]",
    }
    verdicts = judged(course, broken).verdicts
    said = [case.sentence for name in broken for case in verdicts[name].cases if not case.passed]
    assert len(said) >= 5 and "LEAK" not in " ".join(said)
    assert any("no module" in s for s in said) and any("a list of rows" in s for s in said)


@pytest.mark.slow
def test_without_a_server_and_without_a_sandbox_it_is_the_same() -> None:
    assert found(run(BLOCK_ANSWER)).passed
    warm.close_all()
    warm.refuse("as a test wants it")
    try:
        assert found(run(BLOCK_ANSWER)).passed
    finally:
        warm.refuse("")
    assert found(run(BLOCK_ANSWER, bare=True)).passed


MASKED = (
    "import cnnlab.models",
    "from cnnlab.models import resnet",
    "import cnnlab.train.loop",
    "import cnnlab.plot",
)


def test_a_part_of_a_package_that_the_lesson_does_without_cannot_be_imported() -> None:
    t = run(
        *MASKED,
        "import cnnlab.data, cnnlab.layers",
        asked=(),
        without=("cnnlab.models", "cnnlab.train", "cnnlab.plot"),
    )
    names = ["cnnlab.models", "cnnlab.models", "cnnlab.train", "cnnlab.plot"]
    assert [t.printed[i].strip() for i in range(4)] == [
        f"ImportError: {name} is not available in this lesson" for name in names
    ]
    assert 4 not in t.errors
    assert not run(*MASKED, asked=()).errors


def test_torch_is_there_on_one_thread_only_where_the_lesson_has_it() -> None:
    look = "import os, sys\nprint('torch' in sys.modules, len(os.listdir('/proc/self/task')))"
    more = "import torch\ntorch.set_num_threads(8); torch.set_num_interop_threads(8)\nprint(torch.get_num_threads())"
    work = "a = torch.ones(300, 300) @ torch.ones(300, 300)\nprint(len(os.listdir('/proc/self/task')))"
    t = run(look, more, work, asked=())
    assert [t.printed[i].strip() for i in range(3)] == ["True 1", "1", "1"]
    assert run(look, asked=(), without=("torch",)).printed[0].strip() == "False 1"


def test_chance_of_torch_is_not_the_same_in_every_fork() -> None:
    draw = "import torch\nprint(torch.rand(3).tolist())"
    assert run(draw, asked=()).printed != run(draw, asked=()).printed


HOSTILE = {
    "default dtype": "torch.set_default_dtype(torch.float16)",
    "threads": "torch.set_num_threads(8); torch._C.set_num_threads(8)\ntorch.ones(500, 500) @ torch.ones(500, 500)",
    "no gradients": "torch.set_grad_enabled(False)",
    "inference": "torch.inference_mode().__enter__()",
    "a hook on every module": "torch.nn.modules.module.register_module_forward_hook(lambda m, i, o: print('x'))",
    "chance": "torch.manual_seed(1)",
    "another device": "torch.set_default_device('meta')",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_a_cell_does_to_torch_changes_no_other_probe(what: str) -> None:
    t = run("import torch\n" + HOSTILE[what], BLOCK_ANSWER, PLATEAU_ANSWER, asked=(BLOCK, PLATEAU))
    assert found(t).passed, t.outcomes["BasicBlock"][0]
    assert found(t, PLATEAU).passed


HOOKED = """
y = x * 1.0
if y.requires_grad:
    y.register_hook(lambda gradient: WHAT)
return y
"""
SUBCLASS = """
class T(torch.Tensor):
    @classmethod
    def __torch_function__(cls, *arguments, **more):
        return True
return x.as_subclass(T)
"""
LIARS = {
    "a subclass": ("return torch.zeros(1).as_subclass(type('T', (torch.Tensor,), {}))", "bad output"),
    "one that is always equal": (SUBCLASS, "bad output"),
    "a leak": ("self.kept = [torch.empty(1 << 26) for _ in range(1000)]\nreturn x", "out of memory"),
    "exit": ("import os; os._exit(0)", "died"),
    "endless": ("while True: pass", "timeout"),
    "a huge view": ("return x.sum().expand(1 << 20, 1 << 20)", "out of memory"),
    "a hook that exits": (HOOKED.replace("WHAT", "__import__('os')._exit(0)"), "died"),
    "a hook that raises": (HOOKED.replace("WHAT", "gradient.nothing"), "error"),
}
BUILDS = """
import torch
class BasicBlock(torch.nn.Module):
    def __init__(self, **more):
        super().__init__()
    def forward(self, x):
"""


@pytest.mark.parametrize("what", LIARS)
def test_a_hostile_module_costs_its_own_exercise_only(what: str) -> None:
    body, kind = LIARS[what]
    t = run(BUILDS + textwrap.indent(body, " " * 8), PLATEAU_ANSWER, asked=(BLOCK, PLATEAU))
    assert {o.kind for o in t.outcomes["BasicBlock"]} == {kind}, t.outcomes["BasicBlock"]
    assert found(t, PLATEAU).passed


@pytest.mark.slow
def test_torch_patched_inside_changes_no_verdict(course: Course) -> None:
    patch = """
    import torch
    from cnnlab.checking import compare, assess, modules, probe
    torch.equal = torch.allclose = lambda *a, **k: True
    modules.ask = lambda build, inputs, returns, x: probe.Outcome("values", {name: inputs[x] for name in returns})
    modules._Run.with_numbers = None
    BasicBlock = type("BasicBlock", (torch.nn.Module,), {})
    """
    judgement = judged(course, {**ANSWERS, "BasicBlock": textwrap.dedent(patch)})
    assert judgement.verdicts["BasicBlock"].points == 0
    assert judgement.verdicts["stack_table"].status == "passed"
