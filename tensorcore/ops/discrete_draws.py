"""Draws of whole numbers: places by weight, as PyTorch draws them; Poisson's and binomial numbers by ways of their own.

Those are drawn by inversion where the mean is small, else by Hörmann's transformed rejection. All elements are drawn at
once, a round of rejection for those not accepted yet, so the numbers are the same on every device but not PyTorch's,
which draws one element after another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tensorcore.dispatch import intercepted
from tensorcore.dtypes import FLOATING, float32, float64
from tensorcore.errors import ArgumentError, DTypeError, ShapeError
from tensorcore.levels import everywhere
from tensorcore.ops import elementwise as e
from tensorcore.ops.drawing import widest
from tensorcore.ops.gamma_functions import lgamma
from tensorcore.ops.indexing import index, index_put, nonzero
from tensorcore.ops.random import finished
from tensorcore.ops.record import composite
from tensorcore.ops.searching import search
from tensorcore.random import samplers
from tensorcore.random.arguments import require_all, require_dtype, source_of
from tensorcore.random.generator import Generator
from tensorcore.shapes import broadcast_shapes

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

#: Mean from which on rejection is used.
_LARGE = 10.0

#: From the parameters of the elements and two numbers of (0, 1): the proposals, and which are accepted.
Propose = Callable[[tuple[Any, ...], Any, Any], tuple[Any, Any]]


def _places(mask: Any) -> Any:
    return nonzero(mask).reshape(-1)


def _put(out: Any, places: Any, values: Any) -> Any:
    return index_put.emit(out, values, places, accumulate=False)


def _uniform(count: int, like: Any, source: Generator) -> Any:
    return samplers.unit((count,), like._kind, source).to(like.dtype)


def _rejected(out: Any, places: Any, parameters: tuple[Any, ...], propose: Propose, source: Generator) -> Any:
    """``out`` with accepted proposals at ``places``, whose elements have the ``parameters``."""
    while places.shape[0]:
        u, v = (_uniform(places.shape[0], out, source) for _ in range(2))
        # 0 would have an infinite logarithm; accepting it takes no logarithm.
        drawn, good = propose(parameters, u - 0.5, v)
        chosen, rest = _places(good), _places(~good)
        out = _put(out, index.emit(places, chosen), index.emit(drawn, chosen))
        places = index.emit(places, rest)
        parameters = tuple(index.emit(each, rest) for each in parameters)
    return out


def _inverted(out: Any, places: Any, first: Any, ratio: Callable[[int], Any], source: Generator) -> Any:
    """``out`` with numbers at ``places`` whose chances begin with ``first`` and go on by ``ratio(k)``."""
    if not places.shape[0]:
        return out
    u = _uniform(places.shape[0], out, source)
    chance, reached, number = first, first, u * 0
    for k in range(1, 128):
        above = u >= reached
        if not bool(above.any()):
            break
        number = e.where(above, float(k), number)
        chance = chance * ratio(k)
        reached = reached + chance
    return _put(out, places, number)


# ------------------------------------------------------------------ places by weight


@composite(random=True)
def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None, out: Any = None
) -> Tensor:
    """``num_samples`` int64 places drawn from each row of weights, which need not add up to 1.

    Args:
        input: floating point, of shape (places,) or (rows, places), not negative.

    Raises:
        ShapeError: for other shapes, or more samples than places without ``replacement``.
        RangeError: for a weight that is negative or not finite, or a row without a positive weight.

    Example:
        >>> import tensorcore as tc
        >>> tc.multinomial(tc.tensor([0.0, 3.0, 0.0]), 1)
        tensor([1])
    """
    require_dtype("multinomial", input.dtype, FLOATING, FLOATING)
    if input.ndim not in (1, 2):
        raise ShapeError(f"multinomial: expected 1 or 2 dimensions, got shape {list(input.shape)}")
    places = input.shape[-1]
    if num_samples <= 0:
        raise ShapeError(f"multinomial: num_samples must be positive, got {num_samples}")
    if not replacement and num_samples > places:
        raise ShapeError(
            f"multinomial: {num_samples} samples without replacement from {places} places; shape {list(input.shape)}"
        )
    if places > 1 << 24:
        raise ShapeError(f"multinomial: at most {1 << 24} places, got shape {list(input.shape)}")
    weights = input.detach()
    if intercepted() or not _can_be_weights(weights):
        good = ((weights >= 0) & (weights < float("inf"))).all()
        require_all("multinomial", "input", weights, good, "be finite and not negative")
        good = (weights.sum(-1) > 0).all()
        require_all("multinomial", "input", weights, good, "lie in a row with a positive sum")
    source = source_of(generator, "multinomial")
    if replacement and num_samples > 1:
        made = _with_replacement(weights, num_samples, source)
    else:
        # The place of the largest w/q, q exponential, is drawn with the chances w; the next largest ones likewise.
        race = weights / samplers.exponential(tuple(weights.shape), weights._kind, 1.0, source)
        if num_samples == 1:
            made = race.argmax(-1, keepdim=True)
        else:
            made = race.sort(-1, descending=True)[1].narrow(-1, 0, num_samples).clone()
    return finished(made, False, out)


def _can_be_weights(weights: Any) -> bool:
    """Whether sums and the smallest weight, which take few passes, show that all is well."""
    if weights.numel() == 0:
        return False
    sums = everywhere(weights.sum(-1))
    # NaN and infinity reach the sums.
    low, high = (sums, sums) if sums.numel() == 1 else (sums.amin(), sums.amax())
    return low.item() > 0.0 and high.item() < float("inf") and everywhere(weights).amin().item() >= 0.0


def _with_replacement(weights: Tensor, num_samples: int, source: Generator) -> Tensor:
    """Places by bisection of the running sums, a number of 53 bits each."""
    rows = weights.reshape(-1, weights.shape[-1])
    places = rows.shape[1]
    rows = rows if rows.dtype is float64 else rows.to(float32)
    totals = rows.cumsum(1)
    totals = totals / totals.narrow(1, places - 1, 1)
    value = samplers.unit((rows.shape[0], num_samples), rows._kind, source)
    # The first running sum that is not below the number; the last one counts as 1.
    low = search.emit(totals.to(value.dtype), value, right=False).clamp(max=places - 1)
    return low if weights.ndim == 2 else low.reshape(num_samples).clone()


# ------------------------------------------------------------------ Poisson


def _propose_poisson(parameters: tuple[Any, ...], u: Any, v: Any) -> tuple[Any, Any]:
    """One round of PTRS (Hörmann, Insurance: Mathematics and Economics 12, 1993)."""
    (rate,) = parameters
    b = 0.931 + 2.53 * e.sqrt(rate)
    a = -0.059 + 0.02483 * b
    us = 0.5 - e.abs(u)
    k = e.floor((2 * a / us + b) * u + rate + 0.43)
    quick = (us >= 0.07) & (v <= 0.9277 - 3.6224 / (b - 2))
    impossible = (k < 0) | ((us < 0.013) & (v > us))
    scale = e.log(v * (1.1239 + 1.1328 / (b - 3.4)) / (a / (us * us) + b))
    likely = scale <= k * e.log(rate) - rate - lgamma(e.maximum(k, 0) + 1)
    return k, quick | (likely & ~impossible)


@composite(namespaces=("",), random=True, by_example="constant")
def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """A number of Poisson's distribution at the rate that each element of ``input`` gives, in its dtype.

    Raises:
        DTypeError: unless ``input`` is floating point.
        RangeError: if a rate is negative or NaN.

    Example:
        >>> tc.poisson(tc.zeros(3))
        tensor([0., 0., 0.])
    """
    require_dtype("poisson", input.dtype, FLOATING, FLOATING)
    source = source_of(generator, "poisson")
    rates = input.detach()
    require_all("poisson", "input", rates, (rates >= 0).all(), "not be negative")
    wide = rates.to(widest(rates._kind)).reshape(-1)
    small, large = _places(wide < _LARGE), _places(wide >= _LARGE)
    out = wide * 0
    few = index.emit(wide, small)
    out = _inverted(out, small, e.exp(-few), lambda k: few / k, source)
    out = _rejected(out, large, (index.emit(wide, large),), _propose_poisson, source)
    return out.to(input.dtype).reshape(input.shape)


# ------------------------------------------------------------------ binomial


def _propose_binomial(parameters: tuple[Any, ...], u: Any, v: Any) -> tuple[Any, Any]:
    """One round of BTRS (Hörmann, Journal of Statistical Computation and Simulation 46, 1993)."""
    n, p = parameters
    deviation = e.sqrt(n * p * (1 - p))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * p
    us = 0.5 - e.abs(u)
    k = e.floor((2 * a / us + b) * u + n * p + 0.5)
    quick = (us >= 0.07) & (v <= 0.92 - 4.2 / b)
    possible = (k >= 0) & (k <= n)
    kept = e.minimum(e.maximum(k, 0), n)
    middle = e.floor((n + 1) * p)
    scale = e.log(v * (2.83 + 5.1 / b) * deviation / (a / (us * us) + b))
    chance = lgamma(middle + 1) + lgamma(n - middle + 1) - lgamma(kept + 1) - lgamma(n - kept + 1)
    likely = scale <= chance + (kept - middle) * e.log(p / (1 - p))
    return k, possible & (quick | likely)


@composite(namespaces=("",), random=True, by_example="constant")
def binomial(count: Tensor, prob: Tensor, generator: Generator | None = None) -> Tensor:
    """How many of ``count`` trials succeed, each with the chance ``prob``; shapes broadcast, the dtype is kept.

    Where ``count`` or ``prob`` is not positive the number is 0, and where ``prob`` is 1 or more it is ``count``.

    Raises:
        ArgumentError: unless both are of a floating-point dtype.
        DTypeError: unless it is the same.

    Example:
        >>> tc.binomial(tc.tensor([5.0, 5.0]), tc.tensor([0.0, 1.0]))
        tensor([0., 5.])
    """
    floats = count.is_floating_point() and prob.is_floating_point()
    if not floats or count.dtype is not prob.dtype:
        raise (DTypeError if floats else ArgumentError)(
            f"binomial: count and prob must be of the same floating-point dtype, got {count.dtype} and {prob.dtype}"
        )
    source = source_of(generator, "binomial")
    shape = broadcast_shapes(count.shape, prob.shape)
    wide = widest(count._kind)
    n = count.detach().to(wide).expand(shape).reshape(-1)
    p = prob.detach().to(wide).expand(shape).reshape(-1)
    sure = (p >= 1) & (n > 0)
    out = e.where(sure, n, 0 * n)
    drawn = (n > 0) & (p > 0) & (p < 1) & (n < float("inf"))
    # The rarer of success and failure is counted.
    flipped = p > 0.5
    rare = e.where(flipped, 1 - p, p)
    small, large = _places(drawn & (n * rare < _LARGE)), _places(drawn & (n * rare >= _LARGE))
    few, chance = index.emit(n, small), index.emit(rare, small)
    odds = chance / (1 - chance)
    first = e.exp(few * e.log1p(-chance))
    out = _inverted(out, small, first, lambda k: e.maximum(few - (k - 1), 0) / k * odds, source)
    out = _rejected(out, large, (index.emit(n, large), index.emit(rare, large)), _propose_binomial, source)
    out = e.where(drawn & flipped, n - out, out)
    out = e.where(e.ne(p, p) & (n > 0), p, out)
    return out.to(count.dtype).reshape(shape)


__all__ = ["binomial", "multinomial", "poisson"]
