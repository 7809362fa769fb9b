"""What the pytest plugin runs: a test for each op and area of the device."""

from __future__ import annotations

import pytest

from tensorcore_conformance.cases import Limits
from tensorcore_conformance.judge import Judge
from tensorcore_conformance.plugin import REPORT, device_of
from tensorcore_conformance.report import subject_as_dict
from tensorcore_conformance.session import listed


def _judge(config: pytest.Config) -> Judge:
    names = listed(config.getoption("--tensorcore-ops"))
    dtypes = tuple(listed(config.getoption("--tensorcore-dtypes")))
    limits = Limits(examples=config.getoption("--tensorcore-examples"), dtypes=dtypes)
    try:
        return Judge(str(device_of(config)), names, limits)
    except (ImportError, RuntimeError, ValueError) as error:
        raise pytest.UsageError(str(error)) from error


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each subject."""
    metafunc.parametrize("subject", _judge(metafunc.config).subjects)


@pytest.fixture(scope="session")
def judge(pytestconfig: pytest.Config) -> Judge:
    """The judge of the session."""
    return _judge(pytestconfig)


def test_conformance(judge: Judge, subject: str, request: pytest.FixtureRequest) -> None:
    """All cases of an op or area."""
    report = judge.examine(subject)
    request.node.stash[REPORT] = subject_as_dict(report)
    if not report.cases:
        pytest.skip(report.note or "no cases")
    if not report.passed:
        pytest.fail(
            f"{len(report.failures)} of {report.cases} cases of {subject} fail on device {judge.device!r}\n"
            f"{report.explained()}",
            pytrace=False,
        )
