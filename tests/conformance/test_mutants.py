"""The tester tested: each deliberately wrong backend is caught, by the check meant for it and under its op's name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from tensorcore.devices import Device
from tensorcore.ops.record import REGISTRY
from tensorcore.plugins import BackendSpec, hookimpl
from tensorcore.plugins.host import host
from tensorcore_conformance import Judge, Limits
from tests.conformance.mutants import MUTANTS, PREFIX, MutantBackend
from tests.conformance.mutants.page import GUIDE, table

#: The quick level without draws, which find by luck what must be found in any case.
QUICK = Limits.level("quick", examples=0, steps=12)
#: Subjects that take a moment, one of which each mutant must leave alone.
BYSTANDERS = ("bitwise_xor", "roll", "diagonal", "logical_not", "argsort", "tril", "isfinite")
#: Mutants for which the whole suite is run, in the dtype it is most about.
WHOLE = ("exp_saturates", "gather_clips")
EVERYWHERE = Limits.level("quick", examples=0, steps=12, gradients=1, dtypes=("float32", "int64"))


@pytest.fixture
def plant() -> Iterator[Callable[[str], str]]:
    """A function that registers the backend of a mutant and returns the device's name."""
    planted: list[str] = []
    before = set(REGISTRY)

    def register(name: str) -> str:
        device = PREFIX + name

        class Plugin:
            @hookimpl
            def tensorcore_backends(self) -> list[BackendSpec]:
                return [BackendSpec(device, f"{MutantBackend.__module__}:MutantBackend", argument=device)]

        host.register(Plugin(), device)
        planted.append(device)
        found = MUTANTS.get(name)
        if found is not None and found.record is not None:
            found.record()
        return device

    yield register
    for device in planted:
        host.unregister(device)
    for added in set(REGISTRY) - before:
        del REGISTRY[added]


def test_there_are_enough_mutants():
    assert len(MUTANTS) >= 60


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught(name, plant):
    mutant, device = MUTANTS[name], plant(name)
    bystander = BYSTANDERS[sum(map(ord, name)) % len(BYSTANDERS)]
    judge = Judge(device, sorted({mutant.subject, bystander}), QUICK)
    report = judge.examine(mutant.subject)
    assert not report.passed, f"{name} survived: {mutant.subject} {mutant.wrong}"
    assert any(failure.case.startswith(mutant.check) for failure in report.failures), report.explained(20)
    told = str(report.failures[0])
    assert mutant.subject in told and repr(device) in told
    _spares_others(judge, [bystander])


def _spares_others(judge: Judge, others: list[str]) -> None:
    """What fails is only what the wrong code had a part in."""
    backend = Device(judge.device).backend
    for subject in others:
        backend.runs = 0
        report = judge.examine(subject)
        assert report.passed or backend.runs, report.explained()


RULES = [each.name for each in MUTANTS.values() if each.record is not None]


@pytest.mark.parametrize("name", RULES)
def test_a_wrong_rule_is_caught_on_the_reference_device_too(name, plant):
    plant(name)
    report = Judge("reference", [name], QUICK).examine(name)
    assert any(failure.case.startswith(MUTANTS[name].check) for failure in report.failures), report.explained(20)


@pytest.mark.parametrize(
    ("name", "checks", "dtypes"),
    [
        ("rule_without_second_order", {"second"}, {"float64"}),
        ("rule_unconjugated", {"gradient", "second"}, {"complex128"}),
    ],
)
def test_only_what_is_wrong_fails(name, checks, dtypes, plant):
    failures = Judge(plant(name), [name], QUICK).examine(name).failures
    real = [each for each in failures if each.dtype == "float64"] if dtypes == {"float64"} else failures
    assert {each.case.partition("/")[0] for each in real} <= checks
    assert {each.dtype for each in real} == dtypes


@pytest.mark.slow
@pytest.mark.parametrize("name", WHOLE)
def test_of_the_whole_suite_only_what_runs_the_wrong_code_fails(name, plant):
    judge = Judge(plant(name), limits=EVERYWHERE)
    assert not judge.examine(MUTANTS[name].subject).passed
    _spares_others(judge, judge.subjects)


@pytest.mark.parametrize("subject", sorted({each.subject for each in MUTANTS.values() if each.record is None}))
def test_the_same_backend_without_a_fault_passes(subject, plant):
    assert Judge(plant("none"), [subject], QUICK).examine(subject).explained() == ""


def test_the_guide_lists_the_mutants():
    written = re.search(r"<!-- mutants -->\n(.*?)<!-- end -->", GUIDE.read_text("utf-8"), re.DOTALL)
    assert written is not None and written[1] == table(), "run: python -m tests.conformance.mutants.page"
