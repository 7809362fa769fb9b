"""Wrong backends for tests of reports, draws and declared exceptions; `mutants` has those that test the judge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorcore_cpu.backend import CpuBackend

Kernel = Callable[..., Any]


def _slightly_off(kernel: Kernel) -> Kernel:
    return lambda x: (kernel(x) * 1.0005).astype(x.dtype)


def _drops_nan(kernel: Kernel) -> Kernel:
    return lambda x, y: np.fmax(x, y) if x.dtype.kind == "f" else kernel(x, y)


#: The op that is spoilt, and how, by the device's name.
FAULTS: dict[str, tuple[str, Callable[[Kernel], Kernel]]] = {
    "planted_tanh": ("tanh", _slightly_off),
    "planted_maximum": ("maximum", _drops_nan),
}


class SpoiltBackend(CpuBackend):
    """NumPy's backend under another name, with the fault of that name; without one where there is none."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.op, self.spoil = FAULTS.get(name, ("", _slightly_off))

    def kernel(self, name: str, dtype: Any, index: int) -> Kernel | None:
        found = super().kernel(name, dtype, index)
        return found if found is None or name != self.op else self.spoil(found)

    def inplace_kernel(self, name: str, dtype: Any, index: int) -> Kernel | None:
        return None


class ExcusedBackend(SpoiltBackend):
    """Declares what it fails, and once too much."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.op, self.spoil = FAULTS["planted_maximum"]

    def tensorcore_conformance_exceptions(self) -> list[dict[str, Any]]:
        """NaN in maximum is declared; minimum has nothing to declare."""
        stated: list[dict[str, Any]] = [{"op": "maximum", "cases": "special/*", "reason": "drops NaN"}]
        if self.name == "excused_too_often":
            stated.append({"op": "minimum", "dtypes": ["float32"], "reason": "drops NaN"})
        return stated
