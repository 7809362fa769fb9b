"""The judge of backends: cases from the op records, an independent oracle, reports.

It meets a device through discovery only, so a stranger's backend is examined as the project's own::

    tensorcore conformance jax --report out/
    pytest -p tensorcore_conformance.plugin --tensorcore-device jax

A backend object is judged in this process, without being installed, by `judge_backend`; this is how the tests of
the suite ask it about wrong backends::

    from tensorcore_conformance import Limits, judge_backend

    report = judge_backend(MyBackend(), ["tanh", "indexing"], Limits(examples=0))
    report.passed                                   # whether nothing failed that was not declared
    [each.name for each in report.subjects if not each.passed]
    for failure in report.failures:
        failure.subject, failure.case               # "tanh", "values/float32/(3,4)"
        failure.kind, failure.message               # "wrong", "9 of 12 elements differ; ..."
        failure.program                             # three lines of Python; needs the backend to be registered

With ``registered(backend)`` the object is a device as long as a ``with`` block lasts, and `Judge` examines it subject
by subject (``Judge(device, ops, limits).examine("tanh")`` gives a `SubjectReport`), or check by check:
``judge.checks("tanh")`` lists `Check` objects, ``judge.run(check)`` gives an `Outcome`, whose ``kind`` is empty if it
passed. `Limits` says how much is tried; ``Limits.level("quick")`` and ``Limits.level("full")`` are the command's.
Whatever a case raises is a failure of that case, ``SystemExit`` too; only ``KeyboardInterrupt`` goes through. What
crashes or hangs does so to this process: `Workers` examines installed backends in processes that may be lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tensorcore_conformance.checks import Check
    from tensorcore_conformance.exemptions import Exemption, ExtraCase
    from tensorcore_conformance.forward import ConformanceError
    from tensorcore_conformance.in_process import judge_backend, registered
    from tensorcore_conformance.judge import Judge, replay, replay_area
    from tensorcore_conformance.limits import Limits
    from tensorcore_conformance.outcomes import Failure, Outcome, SubjectReport
    from tensorcore_conformance.report import Report
    from tensorcore_conformance.workers import Workers

__all__ = [
    "Check",
    "ConformanceError",
    "Exemption",
    "ExtraCase",
    "Failure",
    "Judge",
    "Limits",
    "Outcome",
    "Report",
    "SubjectReport",
    "Workers",
    "judge_backend",
    "registered",
    "replay",
    "replay_area",
]

_HOMES = {
    "Check": "checks",
    "ConformanceError": "forward",
    "Exemption": "exemptions",
    "ExtraCase": "exemptions",
    "Failure": "outcomes",
    "Judge": "judge",
    "Limits": "limits",
    "Outcome": "outcomes",
    "Report": "report",
    "SubjectReport": "outcomes",
    "Workers": "workers",
    "judge_backend": "in_process",
    "registered": "in_process",
    "replay": "judge",
    "replay_area": "judge",
}


def __getattr__(name: str) -> Any:
    # The package is named in an entry point, and registering must not import NumPy.
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"tensorcore_conformance.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
