"""Shared by the tests of the ways: an Exercise asked without a lesson."""

from __future__ import annotations

from typing import Any

from cnnlab.checking import probe
from cnnlab.checking.assess import Finding, assess
from cnnlab.checking.question import Questionnaire


def finding(questionnaire: Questionnaire, function: Any) -> Finding:
    way, returns = questionnaire.way, questionnaire.returns
    outcomes = [probe.ask(function, dict(q.inputs), returns, way) for q in questionnaire.questions]
    return assess(questionnaire, outcomes)
