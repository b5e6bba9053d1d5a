"""Marking Answers, and knowing a stub from what was written."""

from __future__ import annotations

import pytest

from cnnlab.answer import answer, is_answer, written


@answer
def stub(x):
    """Say something.

    Shapes: x (N,).
    """
    raise NotImplementedError


@answer
def stub_with_words(x):
    raise NotImplementedError("write me")


@answer
def one_line(x):
    return x


@answer
def refuses_some(x):
    if x > 1:
        raise NotImplementedError
    return x


def test_an_answer_is_marked_and_unchanged():
    assert is_answer(one_line) and one_line(3) == 3

    @answer
    class Net:
        pass

    assert is_answer(Net)


def test_what_was_not_marked_is_no_answer():
    assert not is_answer(len) and not is_answer(None)


@pytest.mark.parametrize("function", [one_line, len, dict], ids=lambda function: function.__name__)
def test_what_is_written_is_told_from_a_stub_in_silence(function, capsys):
    assert written(function)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("function", [stub, stub_with_words], ids=lambda function: function.__name__)
def test_a_stub_is_named(function, capsys):
    assert not written(one_line, function)
    assert capsys.readouterr().out == f"Write {function.__name__} first, then run this cell again.\n"


def test_several_stubs_are_named_together(capsys):
    assert not written(stub, stub_with_words)
    assert capsys.readouterr().out == "Write stub and stub_with_words first, then run this cell again.\n"


def test_an_answer_that_refuses_some_inputs_is_more_than_a_stub():
    assert written(refuses_some)


class Parent:
    def __init__(self) -> None:
        self.ready = True


class Handed(Parent):
    """A class as it is handed out."""

    def __init__(self, channels, stride=1):
        super().__init__()
        # Write your code here, in place of the next line.
        raise NotImplementedError


class Begun(Parent):
    def __init__(self, channels):
        super().__init__()
        self.channels = channels

    def forward(self, x):
        raise NotImplementedError


class WithoutInit(Parent):
    def forward(self, x):
        return x


def test_a_class_as_it_is_handed_out_is_a_stub(capsys):
    assert not written(Handed)
    assert capsys.readouterr().out == "Write Handed first, then run this cell again.\n"


@pytest.mark.parametrize("written_class", [Begun, WithoutInit, Parent])
def test_a_class_with_something_in_it_is_none(written_class, capsys):
    assert written(written_class)
    assert capsys.readouterr().out == ""
