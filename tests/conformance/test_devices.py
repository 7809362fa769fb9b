"""Every op and area on every available device."""

from __future__ import annotations

from functools import cache

import pytest

from tensorcore.errors import BackendUnavailableError
from tensorcore.ops.record import REGISTRY
from tensorcore.plugins.host import host
from tensorcore_conformance import Judge, Limits

#: Known without loading any of them; what is listed and cannot be loaded is skipped with its reason.
DEVICES = [state.name for state in host.states(load=False) if state.state in ("available", "loaded")]


#: Devices that compile a kernel for each shape, which takes half an hour for all ops: fewer cases of the primitives, of
#: which all others are made; `tensorcore conformance jax` examines everything.
COMPILING = {"jax": Limits(examples=0, samples=1, dtypes=("float32", "float64", "int64", "bool"))}


@cache
def judge(device: str) -> Judge:
    try:
        return Judge(device, limits=COMPILING.get(device, Limits(examples=4)))
    except BackendUnavailableError as error:
        pytest.skip(str(error))


SUBJECTS = Judge("cpu").subjects


def pairs():
    for device in DEVICES:
        for subject in SUBJECTS:
            if device not in COMPILING:
                yield pytest.param(device, subject, id=f"{device}-{subject}")
            elif subject not in REGISTRY or REGISTRY[subject].primitive:
                yield pytest.param(device, subject, id=f"{device}-{subject}", marks=pytest.mark.slow)


@pytest.mark.parametrize(("device", "subject"), list(pairs()))
def test_conformance(device, subject):
    report = judge(device).examine(subject)
    if not report.passed:
        pytest.fail(
            f"{len(report.failures)} of {report.cases} cases of {subject} fail on {device!r}\n{report.explained()}",
            pytrace=False,
        )


def test_the_two_devices_that_come_along_are_available():
    assert {"cpu", "reference"} <= set(DEVICES)
