"""Deliberately wrong backends: NumPy's, with one kernel spoilt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tensorcore import dtypes
from tensorcore.backend.contract import Capabilities
from tensorcore_cpu.backend import CpuBackend

Kernel = Callable[..., Any]


@dataclass(frozen=True)
class Fault:
    """A spoilt kernel: its op, how it is spoilt, and the subject and word by which the judge must name it."""

    op: str
    spoil: Callable[[Kernel], Kernel | None]
    word: str
    subject: str = ""

    @property
    def caught_by(self) -> str:
        """The subject that must fail."""
        return self.subject or self.op


def _slightly_off(kernel: Kernel) -> Kernel:
    return lambda x: (kernel(x) * 1.0005).astype(x.dtype)


def _naive(kernel: Kernel) -> Kernel:
    """A float32 sum that adds one element after the other."""

    def spoilt(x: Any, *, dim: tuple[int, ...], keepdim: bool, dtype: Any) -> Any:
        if x.dtype != np.float32 or not x.size or not dim:
            return kernel(x, dim=dim, keepdim=keepdim, dtype=dtype)
        moved = np.moveaxis(x, dim, range(len(dim)))
        total = np.cumsum(moved.reshape(-1, *moved.shape[len(dim) :]), 0, dtype=np.float32)[-1]
        return np.expand_dims(total, dim) if keepdim else total

    return spoilt


def _drops_nan(kernel: Kernel) -> Kernel:
    return lambda x, y: np.fmax(x, y) if x.dtype.kind == "f" else kernel(x, y)


def _copies(kernel: Kernel) -> Kernel:
    return lambda x, *, shape: np.array(x).reshape(shape)


def _wraps(kernel: Kernel) -> Kernel:
    return lambda x, *indices: x[tuple(at % side for at, side in zip(indices, x.shape, strict=False))]


def _wrong_float(kernel: Kernel) -> Kernel:
    return lambda x: np.exp(x.astype(np.float64)) if x.dtype == np.float32 else kernel(x)


def _narrow_places(kernel: Kernel) -> Kernel:
    return lambda x, **attributes: kernel(x, **attributes).astype(np.int32)


def _modifies(kernel: Kernel) -> Kernel:
    return lambda x: np.negative(x, out=x) if x.dtype.kind == "f" and x.flags.writeable else kernel(x)


def _memory_order(kernel: Kernel) -> Kernel:
    return lambda x: kernel(x).ravel(order="K").reshape(x.shape)


def _saturates(kernel: Kernel) -> Kernel:
    def spoilt(x: Any, y: Any) -> Any:
        if x.dtype != np.int8:
            return kernel(x, y)
        return np.clip(x.astype(int) + y.astype(int), -128, 127).astype(np.int8)

    return spoilt


def _loses_zero_sign(kernel: Kernel) -> Kernel:
    return lambda x: (0 - x).astype(x.dtype) if x.dtype.kind == "f" else kernel(x)


def _forgets_keepdim(kernel: Kernel) -> Kernel:
    return lambda x, *, dim, keepdim: kernel(x, dim=dim, keepdim=False)


def _last_of_equals(kernel: Kernel) -> Kernel:
    return lambda x, *, dim, keepdim: (
        x.shape[dim] - 1 - kernel(np.flip(x, dim), dim=dim, keepdim=keepdim)
        if x.dtype.kind == "f"
        else kernel(x, dim=dim, keepdim=keepdim)
    )


def _noisy(kernel: Kernel) -> Kernel:
    rng = np.random.default_rng()

    def spoilt(x: Any) -> Any:
        exact = kernel(x)
        if x.dtype != np.float32:
            return exact
        # Within every budget, but another number at each call; infinities stay, whose neighbours would be wrong.
        moved = np.nextafter(exact, rng.choice([-9.0, 9.0], x.shape).astype(x.dtype))
        return np.where(np.isfinite(exact), moved, exact)

    return spoilt


def _shifted_draws(kernel: Kernel) -> Kernel:
    return lambda **attributes: np.roll(kernel(**attributes), 1)


def _slow_gather(kernel: Kernel) -> Kernel:
    return lambda x, index, *, dim: np.take_along_axis(x, np.clip(index, 0, x.shape[dim] - 1), dim)


FAULTS: dict[str, Fault] = {
    "planted_tanh": Fault("tanh", _slightly_off, "ulp"),
    "planted_sum": Fault("sum", _naive, "long/float32"),
    "planted_maximum": Fault("maximum", _drops_nan, "expected nan"),
    "planted_reshape": Fault("reshape", _copies, "must write into its base"),
    "planted_index": Fault("index", _wraps, "expected IndexError", "indexing"),
    "planted_gather": Fault("gather", _slow_gather, "expected IndexError", "indexing"),
    "planted_exp": Fault("exp", _wrong_float, "its native array is float64"),
    "planted_argmax": Fault("argmax", _narrow_places, "int32"),
    "planted_neg": Fault("neg", _modifies, "was modified"),
    "planted_cumsum": Fault("cumsum", lambda kernel: None, "has no kernel"),
    "planted_cos": Fault("cos", _memory_order, "layout/transposed"),
    "planted_add": Fault("add", _saturates, "wrap/int8"),
    "planted_zero": Fault("neg", _loses_zero_sign, "special/"),
    "planted_amax": Fault("amax", _forgets_keepdim, "expected shape"),
    "planted_first": Fault("argmax", _last_of_equals, "ties/"),
    "planted_noise": Fault("sinh", _noisy, "deterministic"),
    "planted_draws": Fault("random_words", _shifted_draws, "manual_seed", "random"),
    "planted_training": Fault("tanh", _slightly_off, "losses", "training"),
}


class SpoiltBackend(CpuBackend):
    """NumPy's backend under another name, with the fault of that name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.fault = FAULTS.get(name)

    def kernel(self, name: str, dtype: Any, index: int) -> Kernel | None:
        found = super().kernel(name, dtype, index)
        if self.fault is None or self.fault.op != name or found is None:
            return found
        return self.fault.spoil(found)

    def inplace_kernel(self, name: str, dtype: Any, index: int) -> Kernel | None:
        return None


class ForgetfulBackend(SpoiltBackend):
    """Loses the payload of NaN and the sign of zero on the way from the host."""

    def from_host(self, data: Any, dtype: Any, shape: Any, index: int) -> Any:
        return (
            super().from_host(data, dtype, shape, index) + 0
            if dtype is dtypes.float32
            else super().from_host(data, dtype, shape, index)
        )


class BoastfulBackend(SpoiltBackend):
    """Says immutable and writes all the same."""

    def capabilities(self, index: int) -> Capabilities:
        return Capabilities(mutable=False, views=False)


class ExcusedBackend(SpoiltBackend):
    """Declares what it fails, and once too much."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.fault = FAULTS["planted_maximum"]

    def tensorcore_conformance_exceptions(self) -> list[dict[str, Any]]:
        """NaN in maximum is declared; minimum has nothing to declare."""
        stated: list[dict[str, Any]] = [{"op": "maximum", "cases": "special/*", "reason": "drops NaN"}]
        if self.name == "excused_too_often":
            stated.append({"op": "minimum", "dtypes": ["float32"], "reason": "drops NaN"})
        return stated
