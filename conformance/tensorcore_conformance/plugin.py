"""The pytest plugin: ``pytest -p tensorcore_conformance.plugin --tensorcore-device jax``.

Each op and each area is one test; what failed in it is in the test's message, case by case. A project whose own device
is examined names it in its configuration, ``tensorcore_device = "jax"``: the suite then runs with the project's tests,
unless files are named.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

__all__ = ["REPORT", "device_of"]

#: Where a test leaves its subject's report.
REPORT = pytest.StashKey[dict[str, Any]]()

#: Reports by subject; the hook that receives them knows no config.
_FOUND: dict[str, dict[str, Any]] = {}

_SUITE = str(Path(__file__).with_name("suite.py"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    group = parser.getgroup("tensorcore", "conformance of a tensorcore device")
    group.addoption("--tensorcore-device", metavar="NAME", help="device to examine")
    group.addoption(
        "--tensorcore-ops", metavar="NAMES", default="", help="names or patterns of ops and areas, separated by commas"
    )
    group.addoption(
        "--tensorcore-dtypes", metavar="NAMES", default="", help="dtypes to try ops in, separated by commas"
    )
    group.addoption("--tensorcore-report", metavar="FOLDER", help="where to write JSON, JUnit XML, HTML and a badge")
    group.addoption("--tensorcore-examples", metavar="N", type=int, help="random calls per op beyond the fixed cases")
    group.addoption(
        "--tensorcore-full", action="store_true", help="all samples in all dtypes, compiled ops, many draws"
    )
    group.addoption(
        "--tensorcore-seed", metavar="N", type=int, default=0, help="another seed gives other operands and draws"
    )
    group.addoption(
        "--tensorcore-isolate", action="store_true", help="run cases in a worker process that may crash and hang"
    )
    group.addoption(
        "--tensorcore-timeout", metavar="SECONDS", type=float, default=60.0, help="what a case may take, if isolated"
    )
    parser.addini("tensorcore_device", "device to examine beside the project's own tests, where no files are named")


def device_of(config: pytest.Config) -> str | None:
    """The device to examine: of the command line, else of the configuration; ``None`` where neither names one."""
    return config.getoption("--tensorcore-device") or config.getini("tensorcore_device") or None


def pytest_configure(config: pytest.Config) -> None:
    """With a device named, the suite is what is run, beside the files named on the command line."""
    if device_of(config) is None:
        return
    _FOUND.clear()
    files_named = config.args_source is pytest.Config.ArgsSource.ARGS
    device_named = config.getoption("--tensorcore-device") is not None
    own = list(config.args) if files_named or not device_named else []
    if (device_named or not files_named) and _SUITE not in own:
        config.args = [*own, _SUITE]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """The subject's report travels with the test's, from the process that ran it."""
    report = yield
    if call.when == "call" and REPORT in item.stash:
        report.tensorcore_subject = item.stash[REPORT]
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep the subject's report."""
    subject = getattr(report, "tensorcore_subject", None)
    if subject is not None:
        _FOUND[subject["name"]] = subject


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the report, in the order of the registry."""
    config = session.config
    folder = config.getoption("--tensorcore-report")
    device = device_of(config)
    if device is None or folder is None or hasattr(config, "workerinput") or not _FOUND:
        return
    from tensorcore_conformance.judge import chosen_subjects
    from tensorcore_conformance.report import Report, subject_from_dict
    from tensorcore_conformance.suite import facts_of_device, limits_of

    facts = facts_of_device(config)
    report = Report(facts.pop("device"), limits_of(config), facts, seconds=sum(e["seconds"] for e in _FOUND.values()))
    report.subjects = [subject_from_dict(_FOUND[name]) for name in chosen_subjects(()) if name in _FOUND]
    report.write(Path(folder))
