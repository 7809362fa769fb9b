"""The judge of backends: cases from the op records, an independent oracle, reports.

It meets a device through discovery only, so a stranger's backend is examined as the project's own::

    tensorcore conformance jax --report out/
    pytest -p tensorcore_conformance.plugin --tensorcore-device jax
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tensorcore_conformance.cases import Limits
    from tensorcore_conformance.exemptions import Exemption, ExtraCase
    from tensorcore_conformance.forward import ConformanceError
    from tensorcore_conformance.judge import Judge, replay, replay_area

__all__ = ["ConformanceError", "Exemption", "ExtraCase", "Judge", "Limits", "replay", "replay_area"]

_HOMES = {
    "ConformanceError": "forward",
    "Exemption": "exemptions",
    "ExtraCase": "exemptions",
    "Judge": "judge",
    "Limits": "cases",
    "replay": "judge",
    "replay_area": "judge",
}


def __getattr__(name: str) -> Any:
    # The package is named in an entry point, and registering must not import NumPy.
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"tensorcore_conformance.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
