"""Random tensors: PyTorch's factory functions and in-place draws, over the samplers of `tensorcore.random`."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tensorcore.devices import Device
from tensorcore.dtypes import BOOL, COMPLEX, FLOATING, DType, float32, float64, get_default_dtype, iinfo, int64
from tensorcore.dtypes import finfo as limits_of
from tensorcore.errors import DTypeError, RangeError, ShapeError
from tensorcore.ops.drawing import random_words
from tensorcore.ops.elementwise import where
from tensorcore.ops.inplace import write, write_out
from tensorcore.ops.record import composite
from tensorcore.random import samplers
from tensorcore.random.generator import Generator, default_generator
from tensorcore.shapes import broadcast_shapes, normalize_shape
from tensorcore.tensor import Tensor, check_inplace, wrap

if TYPE_CHECKING:
    from tensorcore.devices import Kind

_PUBLIC = ("",)
_METHOD = ("Tensor",)
_BOTH = ("", "Tensor")


def _source(generator: Any, op: str) -> Generator:
    if generator is None:
        return default_generator
    if not isinstance(generator, Generator):
        raise TypeError(f"{op}: generator must be a tensorcore.Generator, got {type(generator).__name__}")
    return generator


def _kind(op: str, device: Any, dtype: DType | None, least: int = FLOATING) -> Kind:
    dtype = dtype or get_default_dtype()
    _require(op, dtype, least)
    return Device(device).kind(dtype)


def _require(op: str, dtype: DType, least: int = FLOATING, most: int = COMPLEX) -> None:
    if not least <= dtype.category <= most:
        wanted = "a floating-point" + (" or complex" if most == COMPLEX else "") if least == FLOATING else "a real"
        raise DTypeError(f"{op}: expected {wanted} dtype, got {dtype}")


def _finished(made: Tensor, requires_grad: bool, out: Any) -> Tensor:
    if out is not None:
        return write_out(out, made)
    return made.requires_grad_() if requires_grad else made


# ------------------------------------------------------------------ order of drawing

Draw = Callable[[tuple[int, ...], bool], Tensor]


def _memory_order(like: Tensor) -> tuple[int, ...] | None:
    """The dimensions from the longest stride to the shortest, where that is not their own order."""
    if like.is_contiguous():
        return None
    strides = like.stride()
    order = tuple(sorted(range(len(strides)), key=lambda dim: -strides[dim]))
    return None if order == tuple(range(len(order))) else order


def _ordered(like: Tensor, draw: Draw) -> Tensor:
    """What ``draw(shape, dense)`` gives for the memory of ``like``, which PyTorch fills in the order of its strides."""
    order = _memory_order(like)
    shape = tuple(like._array.shape)
    if order is None:
        return draw(shape, like.is_contiguous())
    drawn = draw(tuple(shape[dim] for dim in order), False)
    return drawn.permute(tuple(order.index(dim) for dim in range(len(order))))  # type: ignore[no-any-return]


def _drawn_like(input: Tensor, draw: Draw) -> Tensor:
    """A new tensor laid out as ``input`` (permutations without gaps are kept, as by PyTorch's ``preserve_format``)."""
    order = _memory_order(input)
    if order is None or not input.permute(order).is_contiguous():
        return draw(tuple(input._array.shape), True)
    made = _ordered(input, draw)
    return wrap(made._array, made._kind)


def _fill(input: Tensor, op: str, draw: Draw) -> Tensor:
    """Overwrite ``input`` with what ``draw`` gives."""
    check_inplace(input, op)
    if input.numel() == 0:
        return input
    return write(input, _ordered(input, draw), op)


# ------------------------------------------------------------------ factories


@composite(namespaces=_PUBLIC, random=True)
def rand(
    *size: Any, generator: Generator | None = None, out: Any = None, dtype: DType | None = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """A tensor of shape ``size`` of uniform numbers in [0, 1).

    Raises:
        DTypeError: unless ``dtype`` is floating point or complex.

    Example:
        >>> import tensorcore as tc
        >>> tc.rand(3, generator=tc.Generator().manual_seed(0))
        tensor([0.4963, 0.7682, 0.0885])
    """
    kind = out._kind if out is not None and dtype is None else _kind("rand", device, dtype)
    made = samplers.uniform(normalize_shape(size, "rand"), kind, 0.0, 1.0, _source(generator, "rand"))
    return _finished(made, requires_grad, out)


@composite(namespaces=_PUBLIC, random=True)
def randn(
    *size: Any, generator: Generator | None = None, out: Any = None, dtype: DType | None = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """A tensor of shape ``size`` of normal numbers of mean 0 and variance 1; complex ones of variance 1 in all.

    Raises:
        DTypeError: unless ``dtype`` is floating point or complex.

    Example:
        >>> import tensorcore as tc
        >>> tc.randn(3, generator=tc.Generator().manual_seed(0))
        tensor([ 1.5410, -0.2934, -2.1788])
    """
    kind = out._kind if out is not None and dtype is None else _kind("randn", device, dtype)
    made = samplers.normal(normalize_shape(size, "randn"), kind, 0.0, 1.0, _source(generator, "randn"))
    return _finished(made, requires_grad, out)


@composite(namespaces=_PUBLIC, random=True)
def randint(
    low: Any = 0, high: Any = None, size: Any = None, *, generator: Generator | None = None, out: Any = None,
    dtype: DType | None = None, layout: Any = None, device: Any = None, requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """A tensor of shape ``size`` of integers in [low, high), int64 by default: ``randint([low,] high, size)``.

    Raises:
        RangeError: if ``low`` is not below ``high``, or the dtype does not hold them.

    Example:
        >>> import tensorcore as tc
        >>> tc.randint(10, (4,), generator=tc.Generator().manual_seed(0))
        tensor([4, 9, 3, 0])
    """
    if size is None:
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if size is None or isinstance(size, int):
        raise TypeError("randint: expected (high, size) or (low, high, size) with size a sequence of ints")
    kind = out._kind if out is not None and dtype is None else _kind("randint", device, dtype or int64, BOOL)
    low, high = _bounds("randint", low, high, kind.dtype)
    made = samplers.integers(normalize_shape((size,), "randint"), kind, low, high - low, _source(generator, "randint"))
    return _finished(made, requires_grad, out)


@composite(namespaces=_PUBLIC, random=True)
def randperm(
    n: int, *, generator: Generator | None = None, out: Any = None, dtype: DType | None = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """The integers from 0 to ``n - 1`` in random order, int64 by default.

    Raises:
        RangeError: if ``n`` is negative, or the dtype does not hold all of them.

    Example:
        >>> import tensorcore as tc
        >>> tc.randperm(4, generator=tc.Generator().manual_seed(0))
        tensor([2, 0, 1, 3])
    """
    n = n.__index__()
    if n < 0:
        raise RangeError(f"randperm: n must not be negative, got {n}")
    kind = out._kind if out is not None and dtype is None else _kind("randperm", device, dtype or int64, BOOL)
    _holds("randperm", "n - 1", max(n - 1, 0), kind.dtype, whole=True)
    ticket = _source(generator, "randperm").ticket("permutation", n)
    made = random_words(ticket, (n,), kind.sibling(int64)).to(kind.dtype)
    return _finished(made, requires_grad, out)


def _like_kind(op: str, input: Tensor, dtype: DType | None, device: Any, least: int = FLOATING) -> Kind:
    dtype = dtype or input.dtype
    _require(op, dtype, least)
    return Device(input.device if device is None else device).kind(dtype)


@composite(namespaces=_PUBLIC, random=True)
def rand_like(
    input: Tensor, *, generator: Generator | None = None, dtype: DType | None = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False, memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """`rand` of the shape, dtype and device of ``input``."""
    kind, source = _like_kind("rand_like", input, dtype, device), _source(generator, "rand_like")
    made = _drawn_like(input, lambda shape, dense: samplers.uniform(shape, kind, 0.0, 1.0, source))
    return _finished(made, requires_grad, None)


@composite(namespaces=_PUBLIC, random=True)
def randn_like(
    input: Tensor, *, generator: Generator | None = None, dtype: DType | None = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False, memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """`randn` of the shape, dtype and device of ``input``."""
    kind, source = _like_kind("randn_like", input, dtype, device), _source(generator, "randn_like")
    made = _drawn_like(input, lambda shape, dense: samplers.normal(shape, kind, 0.0, 1.0, source, dense=dense))
    return _finished(made, requires_grad, None)


@composite(namespaces=_PUBLIC, random=True)
def randint_like(
    input: Tensor, low: Any = 0, high: Any = None, *, generator: Generator | None = None, dtype: DType | None = None,
    layout: Any = None, device: Any = None, requires_grad: bool = False, memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """`randint` of the shape, dtype and device of ``input``: ``randint_like(input, [low,] high)``."""
    if high is None:
        low, high = 0, low
    kind, source = _like_kind("randint_like", input, dtype, device, BOOL), _source(generator, "randint_like")
    low, high = _bounds("randint_like", low, high, kind.dtype)
    made = _drawn_like(input, lambda shape, dense: samplers.integers(shape, kind, low, high - low, source))
    return _finished(made, requires_grad, None)


@composite(namespaces=_PUBLIC, random=True)
def normal(
    mean: Any = 0.0, std: Any = 1.0, size: Any = None, *, generator: Generator | None = None, out: Any = None,
    dtype: DType | None = None, layout: Any = None, device: Any = None, requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Normal numbers of the means and standard deviations given as tensors, or as numbers with ``size``.

    Raises:
        RangeError: if a standard deviation is negative.
        ShapeError: if the shapes of ``mean`` and ``std`` do not broadcast.

    Example:
        >>> import tensorcore as tc
        >>> tc.normal(tc.tensor([0.0, 100.0]), 0.5, generator=tc.Generator().manual_seed(0))
        tensor([ 0.7705, 99.8533])
    """
    source = _source(generator, "normal")
    mean, std = (x.detach() if isinstance(x, Tensor) else x for x in (mean, std))
    given = [x for x in (mean, std) if isinstance(x, Tensor)]
    if not given:
        if size is None:
            raise TypeError("normal: size is needed where mean and std are numbers")
        _require_std("normal", std)
        kind = out._kind if out is not None and dtype is None else _kind("normal", device, dtype)
        made = samplers.normal(normalize_shape((size,), "normal"), kind, float(mean), float(std), source)
        return _finished(made, requires_grad, out)
    if size is not None:
        raise TypeError("normal: size comes with numbers for mean and std; their shapes say it here")
    shape = tuple(broadcast_shapes(*(x.shape for x in given)))
    kind = given[0]._kind
    _require("normal", kind.dtype)
    if isinstance(std, Tensor):
        _check_values("normal", "std", std, (std >= 0).all(), "not be negative")
        made = samplers.normal(shape, kind, 0.0, 1.0, source) * std.to(kind.dtype) + mean
    else:
        _require_std("normal", std)
        made = samplers.normal(shape, kind, 0.0, float(std), source) + mean
    return _finished(made.to(kind.dtype), requires_grad, out)


@composite(namespaces=_BOTH, random=True)
def bernoulli(input: Tensor, p: float | None = None, *, generator: Generator | None = None, out: Any = None) -> Tensor:
    """1 with the probability that each element of ``input`` (or ``p``) gives, else 0; the dtype of ``input``.

    Raises:
        RangeError: if a probability lies outside [0, 1].
        DTypeError: if probabilities are no floating-point tensor.

    Example:
        >>> import tensorcore as tc
        >>> tc.bernoulli(tc.tensor([0.0, 1.0, 0.5]), generator=tc.Generator().manual_seed(0))
        tensor([0., 1., 1.])
    """
    source = _source(generator, "bernoulli")
    if p is None:
        _check_chances("bernoulli", input)
    else:
        _check_chance("bernoulli", p)
    chances = input.detach() if p is None else float(p)
    return _finished(samplers.bernoulli(tuple(input.shape), input._kind, chances, source), False, out)


@composite(namespaces=_BOTH, random=True)
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
    _require("multinomial", input.dtype, FLOATING, FLOATING)
    if input.ndim not in (1, 2):
        raise ShapeError(f"multinomial: expected 1 or 2 dimensions, got shape {list(input.shape)}")
    places = input.shape[-1]
    if num_samples <= 0:
        raise ShapeError(f"multinomial: num_samples must be positive, got {num_samples}")
    if not replacement and num_samples > places:
        raise ShapeError(f"multinomial: {num_samples} samples without replacement from {places} places; shape {list(input.shape)}")
    if places > 1 << 24:
        raise ShapeError(f"multinomial: at most {1 << 24} places, got shape {list(input.shape)}")
    weights = input.detach()
    _check_values("multinomial", "input", weights, ((weights >= 0) & (weights < float("inf"))).all(), "be finite and not negative")
    _check_values("multinomial", "input", weights, (weights.sum(-1) > 0).all(), "have a positive sum in each row")
    source = _source(generator, "multinomial")
    if replacement and num_samples > 1:
        made = _with_replacement(weights, num_samples, source)
    else:
        # The place of the largest w/q, q exponential, is drawn with the chances w; the next largest ones likewise.
        race = weights / samplers.exponential(tuple(weights.shape), weights._kind, 1.0, source)
        if num_samples == 1:
            made = race.argmax(-1, keepdim=True)
        else:
            made = race.sort(-1, descending=True)[1].narrow(-1, 0, num_samples).contiguous()
    return _finished(made, False, out)


def _with_replacement(weights: Tensor, num_samples: int, source: Generator) -> Tensor:
    """Places by bisection of the running sums, a number of 53 bits each."""
    rows = weights.reshape(-1, weights.shape[-1])
    places = rows.shape[1]
    rows = rows if rows.dtype is float64 else rows.to(float32)
    totals = rows.cumsum(1)
    totals = totals / totals.narrow(1, places - 1, 1)
    value = samplers.unit((rows.shape[0], num_samples), rows._kind, source)
    # Kept as bounds [low, high] of the first running sum that is not below the number; the last one counts as 1.
    low = (value * 0).to(int64)
    high = low + (places - 1)
    for _ in range((places - 1).bit_length()):
        middle = (low + high) // 2
        below = (totals.gather(1, middle).to(value.dtype) < value) & (low < high)
        low, high = where(below, middle + 1, low), where(below, high, middle)
    return low if weights.ndim == 2 else low.reshape(num_samples)


# ------------------------------------------------------------------ in place


@composite(namespaces=_METHOD, random=True)
def uniform_(input: Tensor, from_: float = 0.0, to: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Uniform numbers in [from, to), in place."""
    dtype = input.dtype
    _require("uniform_", dtype)
    low, high = float(from_), float(to)
    largest = limits_of(dtype).max
    if not low <= high:
        raise RangeError(f"uniform_: expected from <= to, got from={low} and to={high}")
    if not (abs(low) <= largest and abs(high) <= largest and high - low <= largest):
        raise RangeError(f"uniform_: from={low}, to={high} and their difference must lie within the range of {dtype}")
    source = _source(generator, "uniform_")
    return _fill(input, "uniform_", lambda shape, dense: samplers.uniform(shape, input._kind, low, high, source))


@composite(namespaces=_METHOD, random=True)
def normal_(input: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Normal numbers, in place."""
    _require("normal_", input.dtype)
    _require_std("normal_", std)
    source = _source(generator, "normal_")
    return _fill(
        input, "normal_",
        lambda shape, dense: samplers.normal(shape, input._kind, float(mean), float(std), source, dense=dense),
    )  # fmt: skip


@composite(namespaces=_METHOD, random=True)
def log_normal_(input: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Generator | None = None) -> Tensor:
    """Numbers whose logarithm is normal with ``mean`` and ``std``, in place."""
    _require("log_normal_", input.dtype, FLOATING, FLOATING)
    _require_positive("log_normal_", "std", std)
    source = _source(generator, "log_normal_")
    return _fill(
        input, "log_normal_",
        lambda shape, dense: samplers.log_normal(shape, input._kind, float(mean), float(std), source),
    )  # fmt: skip


@composite(namespaces=_METHOD, random=True)
def exponential_(input: Tensor, lambd: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Exponential numbers at the rate ``lambd``, in place."""
    _require("exponential_", input.dtype, FLOATING, FLOATING)
    _require_positive("exponential_", "lambd", lambd)
    source = _source(generator, "exponential_")
    return _fill(input, "exponential_", lambda shape, dense: samplers.exponential(shape, input._kind, float(lambd), source))


@composite(namespaces=_METHOD, random=True)
def cauchy_(input: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Cauchy numbers, in place."""
    _require("cauchy_", input.dtype, FLOATING, FLOATING)
    _require_positive("cauchy_", "sigma", sigma)
    source = _source(generator, "cauchy_")
    return _fill(input, "cauchy_", lambda shape, dense: samplers.cauchy(shape, input._kind, float(median), float(sigma), source))


@composite(namespaces=_METHOD, random=True)
def geometric_(input: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Number of trials up to the first success, each with probability ``p``, in place."""
    _require("geometric_", input.dtype, BOOL + 1, FLOATING)
    if not 0 < p < 1:
        raise RangeError(f"geometric_: p must lie in (0, 1), got {p}")
    source = _source(generator, "geometric_")
    return _fill(input, "geometric_", lambda shape, dense: samplers.geometric(shape, input._kind, float(p), source))


@composite(namespaces=_METHOD, random=True, operands=("input",))
def bernoulli_(input: Tensor, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
    """1 with probability ``p`` (a number, or a tensor that broadcasts), else 0, in place."""
    _require("bernoulli_", input.dtype, BOOL, FLOATING)
    source = _source(generator, "bernoulli_")
    if not isinstance(p, Tensor):
        _check_chance("bernoulli_", p)
        return _fill(input, "bernoulli_", lambda shape, dense: samplers.bernoulli(shape, input._kind, float(p), source))
    _check_chances("bernoulli_", p)
    chances = p.detach().to(input.device).expand(input.shape)
    order = _memory_order(input)
    chances = chances if order is None else chances.permute(order)
    return _fill(input, "bernoulli_", lambda shape, dense: samplers.bernoulli(shape, input._kind, chances, source))


@composite(namespaces=_METHOD, random=True)
def random_(input: Tensor, from_: int | None = None, to: int | None = None, *, generator: Generator | None = None) -> Tensor:
    """Integers in [from, to), in place: ``random_()``, ``random_(to)`` or ``random_(from, to)``.

    Without bounds, from 0 to the largest integer of the dtype, or that a floating dtype counts to without gaps;
    ``random_(from, None)`` goes up to that.
    """
    dtype = input.dtype
    _require("random_", dtype, BOOL, FLOATING)
    source = _source(generator, "random_")
    if from_ is None and to is None:
        return _fill(input, "random_", lambda shape, dense: samplers.whole(shape, input._kind, source))
    low, high = (0, from_) if to is None else (from_ or 0, to)
    low, high = _bounds("random_", low, high, dtype)
    return _fill(input, "random_", lambda shape, dense: samplers.integers(shape, input._kind, low, high - low, source))


# ------------------------------------------------------------------ checks


def _bounds(op: str, low: Any, high: Any, dtype: DType) -> tuple[int, int]:
    low, high = (x.item() if isinstance(x, Tensor) else x for x in (low, high))
    if not hasattr(low, "__index__") or not hasattr(high, "__index__"):
        raise TypeError(f"{op}: low and high must be ints, got {low!r} and {high!r}")
    first, last = low.__index__(), high.__index__()
    _require(op, dtype, BOOL, FLOATING)
    if first < last and dtype.category == FLOATING:
        first, last = samplers.smallest_above(first, dtype), samplers.largest_below(last, dtype)
    if first >= last:
        raise RangeError(f"{op}: low must be below high, got low={low} and high={high} for {dtype}")
    _holds(op, "low", first, dtype)
    _holds(op, "high - 1", last - 1, dtype)
    return first, last


def _holds(op: str, name: str, value: int, dtype: DType, whole: bool = False) -> None:
    if dtype.category == FLOATING:
        gapless = 1 << (1 - int(math.log2(limits_of(dtype).eps)))
        if abs(value) > limits_of(dtype).max or (whole and value > gapless):
            raise RangeError(f"{op}: {name} = {value} is beyond what {dtype} holds")
        if abs(value) > gapless:
            warnings.warn(
                f"{op}: {name} = {value} lies outside [-{gapless}, {gapless}], where {dtype} holds every integer",
                stacklevel=4,
            )
        return
    least, most = (0, 1) if dtype.category == BOOL else (iinfo(dtype).min, iinfo(dtype).max)
    if not least <= value <= most:
        raise RangeError(f"{op}: {name} = {value} is out of range for {dtype}, which holds {least} to {most}")


def _require_std(op: str, std: Any) -> None:
    if not std >= 0:
        raise RangeError(f"{op}: std must not be negative, got {std}")


def _require_positive(op: str, name: str, value: Any) -> None:
    if not value > 0:
        raise RangeError(f"{op}: {name} must be positive, got {value}")


def _check_chance(op: str, p: Any) -> None:
    if not 0 <= p <= 1:
        raise RangeError(f"{op}: p must lie in [0, 1], got {p}")


def _check_chances(op: str, p: Tensor) -> None:
    if not p.is_floating_point():
        raise DTypeError(f"{op}: probabilities must be a floating-point tensor, got {p.dtype}")
    _check_values(op, "p", p, ((p >= 0) & (p <= 1)).all(), "lie in [0, 1]")


def _check_values(op: str, name: str, x: Tensor, good: Tensor, wanted: str) -> None:
    from tensorcore.dispatch import intercepted

    # What is being recorded cannot be read; PyTorch's recorded programs do not check either.
    if not intercepted() and not good.item():
        raise RangeError(f"{op}: every element of {name} must {wanted}; shape {list(x.shape)}, {x.dtype}")
