"""What failures say, and declared exceptions, on backends with a fault; `test_mutants` tests what is caught."""

from __future__ import annotations

import pytest

from tensorcore_conformance import Judge, Limits

QUICK = Limits(examples=0)


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
