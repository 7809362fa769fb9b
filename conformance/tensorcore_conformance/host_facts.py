"""What a report says of where it was made: versions, the backend, the oracle's processor, declared exceptions."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tensorcore.devices import Device

if TYPE_CHECKING:
    from tensorcore_conformance.judge import Judge

__all__ = ["facts_of", "oracle_facts", "versions"]


def versions(device: str) -> dict[str, str]:
    """Versions of the library, of the backend's distribution and what it requires, NumPy, Hypothesis and Python."""
    import hypothesis
    import numpy

    import tensorcore
    from tensorcore.plugins.host import host

    found = {"tensorcore": tensorcore.__version__}
    for state in host.states(load=False):
        if state.name == Device(device).type:
            brought = {state.distribution: state.version} if state.version else {}
            found.update(brought | _installed(state.requires))
    found["numpy"] = numpy.__version__
    found["hypothesis"] = hypothesis.__version__
    found["python"] = platform.python_version()
    found["system"] = f"{platform.system()} {platform.machine()}"
    return found


def _installed(modules: Iterable[str]) -> dict[str, str]:
    """The distributions that bring modules, with their versions."""
    from importlib.metadata import packages_distributions, version

    brings = packages_distributions()
    return {name: version(name) for module in modules for name in brings.get(module.partition(".")[0], ())[:1]}


def oracle_facts() -> dict[str, Any]:
    """The processor that the oracle computed on, and the precision of its widest floating-point format."""
    import numpy

    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "longdouble_digits": int(numpy.finfo(numpy.longdouble).nmant) + 1,
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def facts_of(judge: Judge) -> dict[str, Any]:
    """The device's side of a report, as JSON values."""
    place = Device(judge.device)
    able = place.capabilities
    return {
        "versions": versions(judge.device),
        "oracle": oracle_facts(),
        "capabilities": {
            "dtypes": sorted(each.name for each in able.dtypes),
            **{
                name: getattr(able, name)
                for name in ("mutable", "views", "deterministic", "subnormals", "asynchronous")
            },
        },
        "exceptions": [
            {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(each).items()}
            for each in judge.exemptions
        ],
    }
