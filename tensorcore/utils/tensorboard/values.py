"""What users log, as numbers and as tensors in host memory, and the bins of histograms."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, Final

from tensorcore.errors import ArgumentError, ShapeError
from tensorcore.tensor import Tensor

__all__ = ["bins_of", "counted", "number", "tensor_of"]


def tensor_of(value: Any) -> Tensor:
    """A tensor, a number, a list or an array as a tensor on the CPU without history."""
    from tensorcore.ops.creation import as_tensor

    made = value if isinstance(value, Tensor) else as_tensor(value, device="cpu")
    return made.detach().to("cpu")


def number(op: str, value: Any) -> float:
    """One number, of a tensor of one element too."""
    if isinstance(value, int | float):
        return float(value)
    found = tensor_of(value)
    if found.numel() != 1:
        raise ShapeError(f"{op}: expected one number, got a tensor of shape {list(found.shape)}")
    return float(found.reshape(()).item())


#: Widths of bins by the rules' names: Freedman and Diaconis (1981), Scott (1979), Sturges (1926), square root, Rice.
_WIDTHS: Final[dict[str, Callable[[Tensor, float], float]]] = {
    "fd": lambda x, span: 2 * float(x.quantile(0.75) - x.quantile(0.25)) / x.numel() ** (1 / 3),
    "scott": lambda x, span: float(x.std(correction=0)) * (24 * math.sqrt(math.pi) / x.numel()) ** (1 / 3),
    "sturges": lambda x, span: span / (math.log2(x.numel()) + 1),
    "sqrt": lambda x, span: span / math.sqrt(x.numel()),
    "rice": lambda x, span: span / (2 * x.numel() ** (1 / 3)),
}


@cache
def _exponential() -> list[float]:
    """TensorFlow's edges: from 1e-12 up by tenths to 1e20, both signs and zero."""
    edges, value = [], 1e-12
    while value < 1e20:
        edges.append(value)
        value *= 1.1
    return [*(-edge for edge in reversed(edges)), 0.0, *edges]


def bins_of(values: Tensor, bins: Any) -> list[float]:
    """The edges that ``bins`` asks for: a rule's name, a number of bins, or the edges.

    Raises:
        ArgumentError: for what is none of them.
    """
    if isinstance(bins, str):
        if bins == "tensorflow":
            return _exponential()
        if bins not in ("auto", *_WIDTHS):
            raise ArgumentError(f"add_histogram: bins is a number, edges, 'tensorflow', 'auto' or {tuple(_WIDTHS)}")
    elif not isinstance(bins, int):
        edges = tensor_of(bins).double().reshape(-1).tolist()
        if len(edges) < 2 or any(right <= left for left, right in pairwise(edges)):
            raise ArgumentError("add_histogram: the edges of bins must be at least two and increase")
        return list(edges)
    low, high = float(values.min()), float(values.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    count = bins if isinstance(bins, int) else _count(values, bins, high - low)
    if count < 1:
        raise ArgumentError(f"add_histogram: expected at least one bin, got {count}")
    return [low + (high - low) * k / count for k in range(count)] + [high]


def _count(values: Tensor, rule: str, span: float) -> int:
    if rule == "auto":
        wide = _WIDTHS["sturges"](values, span)
        fine = _WIDTHS["fd"](values, span)
        width = min(wide, fine) if fine else wide
    else:
        width = _WIDTHS[rule](values, span)
    return math.ceil(span / width) if width else 1


def counted(values: Tensor, edges: Sequence[float], max_bins: int | None) -> tuple[list[float], list[float]]:
    """Right limits of bins and how many values lie in each, bins without values at the ends left out but one.

    The first bin is empty: its limit is the left end of the others.
    """
    from tensorcore.functions import histogram
    from tensorcore.ops.creation import tensor

    counts = histogram(values, bins=tensor(edges, dtype=values.dtype)).hist.tolist()
    limits = list(edges)
    if max_bins is not None and len(counts) > max_bins:
        step = len(counts) // max_bins
        counts = [sum(counts[k : k + step]) for k in range(0, len(counts), step)]
        limits = [*limits[:-1:step], limits[-1]]
    filled = [place for place, count in enumerate(counts) if count]
    first, last = (filled[0], filled[-1]) if filled else (0, 0)
    return limits[first : last + 2], [0.0, *counts[first : last + 1]]
