"""What the pytest plugin runs: a test for each op and area of the device."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tensorcore.errors import DeviceError
from tensorcore.plugins.host import host
from tensorcore_conformance.host_facts import facts_of
from tensorcore_conformance.judge import Judge, chosen_subjects
from tensorcore_conformance.limits import Limits
from tensorcore_conformance.plugin import REPORT, device_of
from tensorcore_conformance.report import subject_as_dict
from tensorcore_conformance.session import listed
from tensorcore_conformance.workers import Workers


def limits_of(config: pytest.Config) -> Limits:
    """How much is tried."""
    changes = {"dtypes": tuple(listed(config.getoption("--tensorcore-dtypes")))}
    examples = config.getoption("--tensorcore-examples")
    if examples is not None:
        changes["examples"] = examples
    level = "full" if config.getoption("--tensorcore-full") else "quick"
    return Limits.level(level, seed=config.getoption("--tensorcore-seed"), **changes)


def _judge(config: pytest.Config) -> Judge:
    names = listed(config.getoption("--tensorcore-ops"))
    try:
        return Judge(str(device_of(config)), names, limits_of(config))
    except (ImportError, RuntimeError, ValueError) as error:
        raise pytest.UsageError(str(error)) from error


def workers_of(config: pytest.Config) -> Workers:
    """One worker process at a time."""
    device, names = str(device_of(config)), listed(config.getoption("--tensorcore-ops"))
    return Workers(device, names, limits_of(config), 1, config.getoption("--tensorcore-timeout"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each subject."""
    config = metafunc.config
    if not config.getoption("--tensorcore-isolate"):
        metafunc.parametrize("subject", _judge(config).subjects)
        return
    try:
        # This process never loads the backend, so that it cannot be lost to it.
        host.require_known(str(device_of(config)).partition(":")[0])
        metafunc.parametrize("subject", chosen_subjects(listed(config.getoption("--tensorcore-ops"))))
    except (DeviceError, ValueError) as error:
        raise pytest.UsageError(str(error)) from error


def facts_of_device(config: pytest.Config) -> dict[str, Any]:
    """The device's side of a report, as JSON values; from a worker where this process has not loaded the backend."""
    if not config.getoption("--tensorcore-isolate"):
        judge = _judge(config)
        return {"device": judge.device, "contract": judge.contract, **facts_of(judge)}
    workers = workers_of(config)
    try:
        return workers.facts()
    finally:
        workers.close()


@pytest.fixture(scope="session")
def examiner(pytestconfig: pytest.Config) -> Iterator[Judge | Workers]:
    """What examines subjects: the judge, or a worker process."""
    if not pytestconfig.getoption("--tensorcore-isolate"):
        yield _judge(pytestconfig)
        return
    workers = workers_of(pytestconfig)
    try:
        workers.facts()
        yield workers
    finally:
        workers.close()


def test_conformance(examiner: Judge | Workers, subject: str, request: pytest.FixtureRequest) -> None:
    """All cases of an op or area."""
    report = examiner.examine(subject) if isinstance(examiner, Judge) else examiner.examine_one(subject)
    request.node.stash[REPORT] = subject_as_dict(report)
    if not report.cases:
        pytest.skip(report.note or "no cases")
    if not report.passed:
        pytest.fail(
            f"{len(report.failures)} of {report.cases} cases of {subject} fail on device {examiner.device!r}\n"
            f"{report.explained()}",
            pytrace=False,
        )
