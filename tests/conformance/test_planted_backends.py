"""The tester tested: each deliberately wrong backend must be caught, with the op and the fault named."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tensorcore_conformance import Judge, Limits

sys.path.insert(0, str(Path(__file__).parent))
from planted_backends import FAULTS

sys.path.pop(0)

#: Faults that only bad luck with the data would show, and why each is not planted on its own.
QUICK = Limits(examples=0)


@pytest.mark.parametrize("name", FAULTS)
def test_a_spoilt_kernel_is_caught(name, plant):
    fault = FAULTS[name]
    report = Judge(plant(name), [fault.caught_by], QUICK).examine(fault.caught_by)
    assert not report.passed
    told = "\n".join(map(str, report.failures))
    assert fault.word in told
    assert (fault.caught_by in told and repr(name) in told and "replay" in told) or fault.word == "has no kernel"


def test_the_same_backend_without_a_fault_passes(plant):
    name = plant("unspoilt")
    judge = Judge(name, sorted({fault.caught_by for fault in FAULTS.values()}), QUICK)
    for subject in judge.subjects:
        assert judge.examine(subject).explained() == ""


@pytest.mark.parametrize(
    ("name", "cls", "subject", "word"),
    [
        ("forgetful", "ForgetfulBackend", "transfers", "bits/float32"),
        ("boastful", "BoastfulBackend", "claims", "immutable"),
    ],
)
def test_a_false_contract_is_caught(name, cls, subject, word, plant):
    report = Judge(plant(name, cls), [subject], QUICK).examine(subject)
    assert word in "\n".join(map(str, report.failures))


def test_draws_shrink_to_a_small_call(plant):
    judge = Judge(plant("planted_tanh"), ["tanh"], Limits(examples=20))
    (failure,) = [each for each in judge.examine("tanh").failures if each.case == "draws"]
    assert "replay('planted_tanh', 'values', 'tanh', shapes=((),)" in failure.program


def test_the_three_lines_of_a_failure_repeat_it(plant):
    failure = Judge(plant("planted_tanh"), ["tanh"], QUICK).examine("tanh").failures[0]
    assert len(failure.program.splitlines()) == 3
    with pytest.raises(AssertionError, match="ulp"):
        exec(failure.program)


# ------------------------------------------------------------------ exceptions


def test_a_declared_failure_is_expected(plant):
    report = Judge(plant("excused", "ExcusedBackend"), ["maximum"], QUICK).examine("maximum")
    assert report.passed
    assert {reason for _, reason in report.expected} == {"drops NaN"}


def test_an_exception_that_passes_is_a_failure(plant):
    judge = Judge(plant("excused_too_often", "ExcusedBackend"), ["m*imum"], QUICK)
    assert judge.examine("maximum").passed
    (failure,) = judge.examine("minimum").failures
    assert "pass; remove the declaration" in failure.message and "drops NaN" in failure.message
