"""Random tensors: PyTorch's factory functions and in-place draws, over the samplers of `tensorcore.random`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tensorcore.autograd.inplace import check_inplace
from tensorcore.devices import Device
from tensorcore.dtypes import BOOL, FLOATING, INTEGER, DType, finfo, int64
from tensorcore.errors import RangeError
from tensorcore.ops.creation import kind_for
from tensorcore.ops.inplace import write, write_out
from tensorcore.ops.record import composite
from tensorcore.random import samplers
from tensorcore.random.arguments import (
    bounds,
    lower_bound,
    require_all,
    require_chance,
    require_chances,
    require_dtype,
    require_held,
    require_positive,
    require_std,
    source_of,
)
from tensorcore.random.generator import Generator
from tensorcore.shapes import broadcast_shapes, normalize_shape
from tensorcore.tensor import Tensor

if TYPE_CHECKING:
    from tensorcore.devices import Kind

_PUBLIC = ("",)
_METHOD = ("Tensor",)
_BOTH = ("", "Tensor")


def _kind(op: str, device: Any, dtype: DType | None, least: int = FLOATING) -> Kind:
    kind = kind_for(device, dtype)
    require_dtype(op, kind.dtype, least)
    return kind


def finished(made: Tensor, requires_grad: bool, out: Any) -> Tensor:
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
    return drawn.permute(tuple(order.index(dim) for dim in range(len(order))))


def _drawn_like(input: Tensor, draw: Draw) -> Tensor:
    """A new tensor like ``input``: permutations without gaps are filled in their order, as PyTorch keeps them."""
    order = _memory_order(input)
    if order is None or not input.permute(order).is_contiguous():
        return draw(tuple(input._array.shape), True)
    return _ordered(input, draw).clone()


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
    made = samplers.uniform(normalize_shape(size, "rand"), kind, 0.0, 1.0, source_of(generator, "rand"))
    return finished(made, requires_grad, out)


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
    made = samplers.normal(normalize_shape(size, "randn"), kind, 0.0, 1.0, source_of(generator, "randn"))
    return finished(made, requires_grad, out)


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
    low, high = bounds("randint", low, high, kind.dtype)
    shape = normalize_shape((size,), "randint")
    made = samplers.integers(shape, kind, low, high - low, source_of(generator, "randint"))
    return finished(made, requires_grad, out)


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
        tensor([0, 1, 3, 2])
    """
    n = n.__index__()
    if n < 0:
        raise RangeError(f"randperm: n must not be negative, got {n}")
    kind = out._kind if out is not None and dtype is None else _kind("randperm", device, dtype or int64, BOOL)
    require_held("randperm", "n - 1", max(n - 1, 0), kind.dtype, whole=True)
    made = samplers.permutation((n,), kind.sibling(int64), source_of(generator, "randperm")).to(kind.dtype)
    return finished(made, requires_grad, out)


def _like_kind(op: str, input: Tensor, dtype: DType | None, device: Any, least: int = FLOATING) -> Kind:
    dtype = dtype or input.dtype
    require_dtype(op, dtype, least)
    return Device(input.device if device is None else device).kind(dtype)


@composite(namespaces=_PUBLIC, random=True)
def rand_like(
    input: Tensor, *, generator: Generator | None = None, dtype: DType | None = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False, memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """`rand` of the shape, dtype and device of ``input``.

    Example:
        >>> x = tc.rand_like(tc.ones(2, 3, dtype=tc.float64))
        >>> x.shape, x.dtype, bool((x >= 0).all() and (x < 1).all())
        (tensorcore.Size([2, 3]), tensorcore.float64, True)
    """
    kind, source = _like_kind("rand_like", input, dtype, device), source_of(generator, "rand_like")
    made = _drawn_like(input, lambda shape, dense: samplers.uniform(shape, kind, 0.0, 1.0, source))
    return finished(made, requires_grad, None)


@composite(namespaces=_PUBLIC, random=True)
def randn_like(
    input: Tensor, *, generator: Generator | None = None, dtype: DType | None = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False, memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """`randn` of the shape, dtype and device of ``input``.

    Example:
        >>> _ = tc.manual_seed(0)
        >>> tc.randn_like(tc.ones(3))
        tensor([ 1.5410, -0.2934, -2.1788])
    """
    kind, source = _like_kind("randn_like", input, dtype, device), source_of(generator, "randn_like")
    made = _drawn_like(input, lambda shape, dense: samplers.normal(shape, kind, 0.0, 1.0, source, dense=dense))
    return finished(made, requires_grad, None)


@composite(namespaces=_PUBLIC, random=True)
def randint_like(
    input: Tensor, low: Any = 0, high: Any = None, *, generator: Generator | None = None, dtype: DType | None = None,
    layout: Any = None, device: Any = None, requires_grad: bool = False, memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """`randint` of the shape, dtype and device of ``input``: ``randint_like(input, [low,] high)``.

    Example:
        >>> _ = tc.manual_seed(0)
        >>> tc.randint_like(tc.ones(4), 10), tc.randint_like(tc.ones(4), -2, 0, dtype=tc.int64)
        (tensor([4., 9., 3., 0.]), tensor([-1, -1, -1, -1]))
    """
    if high is None:
        low, high = 0, low
    kind, source = _like_kind("randint_like", input, dtype, device, BOOL), source_of(generator, "randint_like")
    low, high = bounds("randint_like", low, high, kind.dtype)
    made = _drawn_like(input, lambda shape, dense: samplers.integers(shape, kind, low, high - low, source))
    return finished(made, requires_grad, None)


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
    source = source_of(generator, "normal")
    mean, std = (x.detach() if isinstance(x, Tensor) else x for x in (mean, std))
    given = [x for x in (mean, std) if isinstance(x, Tensor)]
    if not given:
        if size is None:
            raise TypeError("normal: size is needed where mean and std are numbers")
        require_std("normal", std)
        kind = out._kind if out is not None and dtype is None else _kind("normal", device, dtype)
        made = samplers.normal(normalize_shape((size,), "normal"), kind, float(mean), float(std), source)
        return finished(made, requires_grad, out)
    if size is not None:
        raise TypeError("normal: size comes with numbers for mean and std; their shapes say it here")
    shape = tuple(broadcast_shapes(*(x.shape for x in given)))
    kind = given[0]._kind
    require_dtype("normal", kind.dtype)
    if isinstance(std, Tensor):
        require_all("normal", "std", std, (std >= 0).all(), "not be negative")
        made = samplers.normal(shape, kind, 0.0, 1.0, source) * std.to(kind.dtype) + mean
    else:
        require_std("normal", std)
        made = samplers.normal(shape, kind, 0.0, float(std), source) + mean
    return finished(made.to(kind.dtype), requires_grad, out)


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
    source = source_of(generator, "bernoulli")
    if p is None:
        require_chances("bernoulli", input)
    else:
        require_chance("bernoulli", p)
    chances = input.detach() if p is None else float(p)
    return finished(samplers.bernoulli(tuple(input.shape), input._kind, chances, source), False, out)


# ------------------------------------------------------------------ in place


@composite(namespaces=_METHOD, random=True)
def uniform_(input: Tensor, from_: float = 0.0, to: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Uniform numbers in [from, to), in place.

    Example:
        >>> tc.empty(3).uniform_(generator=tc.Generator().manual_seed(0))
        tensor([0.4963, 0.7682, 0.0885])
    """
    dtype = input.dtype
    require_dtype("uniform_", dtype)
    low, high = float(from_), float(to)
    largest = finfo(dtype).max
    if not low <= high:
        raise RangeError(f"uniform_: expected from <= to, got from={low} and to={high}")
    if not (abs(low) <= largest and abs(high) <= largest and high - low <= largest):
        raise RangeError(f"uniform_: from={low}, to={high} and their difference must lie within the range of {dtype}")
    source = source_of(generator, "uniform_")
    return _fill(input, "uniform_", lambda shape, dense: samplers.uniform(shape, input._kind, low, high, source))


@composite(namespaces=_METHOD, random=True)
def normal_(input: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Normal numbers, in place.

    Example:
        >>> tc.empty(3).normal_(generator=tc.Generator().manual_seed(0))
        tensor([ 1.5410, -0.2934, -2.1788])
    """
    require_dtype("normal_", input.dtype)
    require_std("normal_", std)
    source = source_of(generator, "normal_")
    return _fill(
        input, "normal_",
        lambda shape, dense: samplers.normal(shape, input._kind, float(mean), float(std), source, dense=dense),
    )  # fmt: skip


@composite(namespaces=_METHOD, random=True)
def log_normal_(input: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Generator | None = None) -> Tensor:
    """Numbers whose logarithm is normal with ``mean`` and ``std``, in place.

    Example:
        >>> tc.empty(3).log_normal_(generator=tc.Generator().manual_seed(0))
        tensor([5.9263e+01, 1.5116e+00, 3.4819e-02])
    """
    require_dtype("log_normal_", input.dtype, FLOATING, FLOATING)
    require_positive("log_normal_", "std", std)
    source = source_of(generator, "log_normal_")
    return _fill(
        input, "log_normal_",
        lambda shape, dense: samplers.log_normal(shape, input._kind, float(mean), float(std), source),
    )  # fmt: skip


@composite(namespaces=_METHOD, random=True)
def exponential_(input: Tensor, lambd: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Exponential numbers at the rate ``lambd``, in place.

    Example:
        >>> tc.empty(3).exponential_(generator=tc.Generator().manual_seed(0))
        tensor([3.5083, 1.2304, 0.6150])
    """
    require_dtype("exponential_", input.dtype, FLOATING, FLOATING)
    require_positive("exponential_", "lambd", lambd)
    source = source_of(generator, "exponential_")
    rate = float(lambd)
    return _fill(input, "exponential_", lambda shape, dense: samplers.exponential(shape, input._kind, rate, source))


@composite(namespaces=_METHOD, random=True)
def cauchy_(input: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Cauchy numbers, in place.

    Example:
        >>> tc.empty(3).cauchy_(generator=tc.Generator().manual_seed(0))
        tensor([10.5977,  0.7648, -0.1283])
    """
    require_dtype("cauchy_", input.dtype, FLOATING, FLOATING)
    require_positive("cauchy_", "sigma", sigma)
    source = source_of(generator, "cauchy_")
    centre, width = float(median), float(sigma)
    return _fill(input, "cauchy_", lambda shape, dense: samplers.cauchy(shape, input._kind, centre, width, source))


@composite(namespaces=_METHOD, random=True)
def geometric_(input: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Number of trials up to the first success, each with probability ``p``, in place.

    Example:
        >>> tc.empty(3).geometric_(0.5, generator=tc.Generator().manual_seed(0))
        tensor([1., 1., 2.])
    """
    require_dtype("geometric_", input.dtype, INTEGER, FLOATING)
    if not 0 < p < 1:
        raise RangeError(f"geometric_: p must lie in (0, 1), got {p}")
    source = source_of(generator, "geometric_")
    return _fill(input, "geometric_", lambda shape, dense: samplers.geometric(shape, input._kind, float(p), source))


@composite(namespaces=_METHOD, random=True, operands=("input",))
def bernoulli_(input: Tensor, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
    """1 with probability ``p`` (a number, or a tensor that broadcasts), else 0, in place.

    Example:
        >>> tc.empty(3).bernoulli_(generator=tc.Generator().manual_seed(0))
        tensor([0., 0., 1.])
    """
    require_dtype("bernoulli_", input.dtype, BOOL, FLOATING)
    source = source_of(generator, "bernoulli_")
    if not isinstance(p, Tensor):
        require_chance("bernoulli_", p)
        return _fill(input, "bernoulli_", lambda shape, dense: samplers.bernoulli(shape, input._kind, float(p), source))
    require_chances("bernoulli_", p)
    chances = p.detach().to(input.device).expand(input.shape)
    order = _memory_order(input)
    chances = chances if order is None else chances.permute(order)
    return _fill(input, "bernoulli_", lambda shape, dense: samplers.bernoulli(shape, input._kind, chances, source))


_UNSET: Any = object()


@composite(namespaces=_METHOD, random=True)
def random_(
    input: Tensor, from_: int = _UNSET, to: int | None = _UNSET, *, generator: Generator | None = None
) -> Tensor:
    """Integers in [from, to), in place: ``random_()``, ``random_(to)`` or ``random_(from, to)``.

    Without bounds, from 0 to the largest integer of the dtype, or up to which a floating dtype counts without gaps;
    ``random_(from, None)`` goes up to that, too.

    Example:
        >>> tc.empty(3).random_(10, generator=tc.Generator().manual_seed(0))
        tensor([4., 9., 3.])
    """
    dtype = input.dtype
    require_dtype("random_", dtype, BOOL, FLOATING)
    source = source_of(generator, "random_")
    if from_ is _UNSET and to is _UNSET:
        return _fill(input, "random_", lambda shape, dense: samplers.whole(shape, input._kind, source))
    if to is None:
        low, high = lower_bound("random_", from_, dtype)
    else:
        low, high = (0, from_) if to is _UNSET else (0 if from_ is _UNSET else from_, to)
        low, high = bounds("random_", low, high, dtype)
    return _fill(input, "random_", lambda shape, dense: samplers.integers(shape, input._kind, low, high - low, source))
