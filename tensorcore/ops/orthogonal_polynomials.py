"""Orthogonal polynomials of a degree given for each element: Chebyshev, Hermite, Laguerre, Legendre.

Recurrences in the degree (DLMF 18.9.1, 18.9.2). Those of Chebyshev, of four kinds, are trigonometric functions of
multiples of an angle from degree 9 on (DLMF 18.5.1 to 18.5.4), hyperbolic ones outside [-1, 1]. Fractions of a degree
are dropped, and below 0 the result is 0. None has a gradient, as in PyTorch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from tensorcore.levels import everywhere
from tensorcore.ops import elementwise as e
from tensorcore.ops.approximation import agreed, without_gradient
from tensorcore.ops.record import composite
from tensorcore.ops.rules import real_floating

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

#: Up to this degree Chebyshev polynomials are recurrences.
_RECURRED: Final = 8
#: Hermite polynomials of higher degrees are NaN, as in PyTorch: they leave the range of float64.
_HERMITE_END: Final = 512
_SAMPLES: Final = (
    *({"shapes": ((3, 4),), "domains": ((-1, 1),), "args": (n,)} for n in (0, 1, 2, 5, 12, -1)),
    {"shapes": ((3, 4), (3, 4)), "domains": ((-1, 1), (0, 12)), "dtypes": (None, "int64")},
    {"shapes": ((3, 1), (4,)), "domains": ((-2, 2), (0, 12)), "dtypes": (None, "int64")},
)


def _operands(op: Any, input: Any, n: Any) -> tuple[Any, Any, int | None]:
    """The operands as tensors of one kind, and the degree, at least -1, where it is one number for all elements."""
    degree = None if hasattr(n, "_array") else max(int(n), -1) if n == n else -1
    return (*agreed(op, input, n), degree)


def _sequence(x: Any, first: Any, step: Callable[[int, Any, Any, Any], Any]) -> Iterator[Any]:
    """The polynomials of degree 0, 1, ...: 1, ``first``, and ``step(k, x, last, the one before)`` for degree k."""
    # A power of 0 is 1 for NaN and the infinities too.
    before, last = e.pow(x, 0.0), first
    yield before
    for k in range(2, 1 << 62):
        yield last
        before, last = last, step(k, x, last, before)


def _chosen(polynomials: Iterator[Any], x: Any, n: Any, degree: int | None, top: int | None = None) -> Any:
    """The polynomial of each element's degree, from the sequence of all of them; 0 for degrees below 0 or over ``top``.

    Without ``top``, how far to go with degrees in a tensor is known to its values alone.
    """
    if degree is not None:
        return next(islice(polynomials, degree, None)) if degree >= 0 else e.pow(x, 0.0) * 0.0
    whole = e.trunc(n)
    highest = e.maximum(whole, 0.0) if top is None else None
    if highest is not None:
        top = int(everywhere(highest).max().item()) if highest.numel() else 0
    result = e.where(e.eq(whole, 0), next(polynomials), 0.0)
    for k in range(1, (top or 0) + 1):
        result = e.where(e.eq(whole, k), next(polynomials), result)
    return result


# ------------------------------------------------------------------ Chebyshev

_DOUBLED: Final = lambda k, x, last, before: x * 2 * last - before  # noqa: E731 - a rule, as those of `composite`


def _chebyshev(x: Any, n: Any, degree: int | None, kind: str) -> Any:
    first = {"t": x, "u": x * 2, "v": x * 2 - 1, "w": x * 2 + 1}[kind]
    if degree is not None and degree <= _RECURRED:
        return _chosen(_sequence(x, first, _DOUBLED), x, n, degree)
    n = e.trunc(n)
    # The angle is taken from the nearer end of [-1, 1]: polynomials of -x are those of x up to sign, v for w.
    size = e.abs(x)
    odd = e.ne(e.remainder(n, 2.0), 0)
    swapped = {"t": "t", "u": "u", "v": "w", "w": "v"}[kind]
    inside, outside = e.minimum(size, 1.0), e.maximum(size, 1.0)
    angle, growth = e.acos(inside), e.acosh(outside)
    within = _multiple(angle, n, kind, e.sin, e.cos)
    beyond = _multiple(growth, n, kind, e.sinh, e.cosh)
    if swapped != kind:
        negative = e.lt(x, 0)
        within = e.where(negative, _multiple(angle, n, swapped, e.sin, e.cos), within)
        beyond = e.where(negative, _multiple(growth, n, swapped, e.sinh, e.cosh), beyond)
    value = e.where(e.le(size, 1.0), within, beyond)
    value = e.where(e.lt(x, 0) & odd, -value, value)
    at_one = {"t": 1.0, "u": n + 1, "v": 1.0, "w": n * 2 + 1}
    ends = e.where(e.gt(x, 0), at_one[kind], e.where(odd, -1.0, 1.0) * at_one[swapped])
    value = e.where(e.eq(size, 1.0), ends, value)
    if degree is not None:
        return value
    low = _chosen(_sequence(x, first, _DOUBLED), x, n, None, _RECURRED)
    return e.where(e.le(n, _RECURRED) | e.ne(n, n), low, e.where(e.ne(x, x), math.nan, value))


def _multiple(angle: Any, n: Any, kind: str, sine: Any, cosine: Any) -> Any:
    """The polynomial of a kind from the angle whose cosine the argument is."""
    if kind == "t":
        return cosine(angle * n)
    if kind == "u":
        return sine(angle * (n + 1)) / sine(angle)
    function = cosine if kind == "v" else sine
    return function(angle * (n + 0.5)) / function(angle * 0.5)


@composite(rule=real_floating, namespaces=("special",), samples=_SAMPLES, ulp=64, operands=("input", "n"))
def special_chebyshev_polynomial_t(input: Tensor, n: Any) -> Tensor:
    """Chebyshev polynomial of the first kind of degree ``n``, of each element.

    >>> tc.special.chebyshev_polynomial_t(tc.tensor([0.0, 0.5, 2.0]), 3)
    tensor([-0., -1., 26.])
    """
    input, n, degree = _operands(special_chebyshev_polynomial_t, input, n)
    return special_chebyshev_polynomial_t.emit(input, n, degree=degree)


@composite(rule=real_floating, namespaces=("special",), samples=_SAMPLES, ulp=64, operands=("input", "n"))
def special_chebyshev_polynomial_u(input: Tensor, n: Any) -> Tensor:
    """Chebyshev polynomial of the second kind of degree ``n``, of each element.

    >>> tc.special.chebyshev_polynomial_u(tc.tensor([0.25, 0.5, 2.0]), 2)
    tensor([-0.7500,  0.0000, 15.0000])
    """
    input, n, degree = _operands(special_chebyshev_polynomial_u, input, n)
    return special_chebyshev_polynomial_u.emit(input, n, degree=degree)


@composite(rule=real_floating, namespaces=("special",), samples=_SAMPLES, ulp=64, operands=("input", "n"))
def special_chebyshev_polynomial_v(input: Tensor, n: Any) -> Tensor:
    """Chebyshev polynomial of the third kind of degree ``n``, of each element.

    >>> tc.special.chebyshev_polynomial_v(tc.tensor([0.25, 0.5, 2.0]), 2)
    tensor([-1.2500, -1.0000, 11.0000])
    """
    input, n, degree = _operands(special_chebyshev_polynomial_v, input, n)
    return special_chebyshev_polynomial_v.emit(input, n, degree=degree)


@composite(rule=real_floating, namespaces=("special",), samples=_SAMPLES, ulp=64, operands=("input", "n"))
def special_chebyshev_polynomial_w(input: Tensor, n: Any) -> Tensor:
    """Chebyshev polynomial of the fourth kind of degree ``n``, of each element.

    >>> tc.special.chebyshev_polynomial_w(tc.tensor([0.25, 0.5, 2.0]), 2)
    tensor([-0.2500,  1.0000, 19.0000])
    """
    input, n, degree = _operands(special_chebyshev_polynomial_w, input, n)
    return special_chebyshev_polynomial_w.emit(input, n, degree=degree)


@composite(rule=real_floating, namespaces=("special",), samples=_SAMPLES, ulp=64, operands=("input", "n"))
def special_shifted_chebyshev_polynomial_t(input: Tensor, n: Any) -> Tensor:
    """Chebyshev polynomial of the first kind of degree ``n``, of ``2 * x - 1`` for each element x.

    >>> tc.special.shifted_chebyshev_polynomial_t(tc.tensor([0.0, 0.5, 1.0]), 2)
    tensor([ 1., -1.,  1.])
    """
    input, n, degree = _operands(special_shifted_chebyshev_polynomial_t, input, n)
    return special_shifted_chebyshev_polynomial_t.emit(input, n, degree=degree)


@composite(rule=real_floating, namespaces=("special",), samples=_SAMPLES, ulp=64, operands=("input", "n"))
def special_shifted_chebyshev_polynomial_u(input: Tensor, n: Any) -> Tensor:
    """Chebyshev polynomial of the second kind of degree ``n``, of ``2 * x - 1`` for each element x.

    >>> tc.special.shifted_chebyshev_polynomial_u(tc.tensor([0.0, 0.5, 1.0]), 2)
    tensor([ 3., -1.,  3.])
    """
    input, n, degree = _operands(special_shifted_chebyshev_polynomial_u, input, n)
    return special_shifted_chebyshev_polynomial_u.emit(input, n, degree=degree)


@composite(rule=real_floating, namespaces=("special",), samples=_SAMPLES, ulp=64, operands=("input", "n"))
def special_shifted_chebyshev_polynomial_v(input: Tensor, n: Any) -> Tensor:
    """Chebyshev polynomial of the third kind of degree ``n``, of ``2 * x - 1`` for each element x.

    >>> tc.special.shifted_chebyshev_polynomial_v(tc.tensor([0.0, 0.5, 1.0]), 2)
    tensor([ 5., -1.,  1.])
    """
    input, n, degree = _operands(special_shifted_chebyshev_polynomial_v, input, n)
    return special_shifted_chebyshev_polynomial_v.emit(input, n, degree=degree)


@composite(rule=real_floating, namespaces=("special",), samples=_SAMPLES, ulp=64, operands=("input", "n"))
def special_shifted_chebyshev_polynomial_w(input: Tensor, n: Any) -> Tensor:
    """Chebyshev polynomial of the fourth kind of degree ``n``, of ``2 * x - 1`` for each element x.

    >>> tc.special.shifted_chebyshev_polynomial_w(tc.tensor([0.0, 0.5, 1.0]), 2)
    tensor([ 1., -1.,  5.])
    """
    input, n, degree = _operands(special_shifted_chebyshev_polynomial_w, input, n)
    return special_shifted_chebyshev_polynomial_w.emit(input, n, degree=degree)


def _state_chebyshev(op: Any, kind: str, shifted: bool) -> None:
    def expression(x: Any, n: Any, *, degree: int | None) -> Any:
        return _chebyshev(x * 2 - 1 if shifted else x, n, degree, kind)

    without_gradient(op)(expression)


_state_chebyshev(special_chebyshev_polynomial_t, "t", False)
_state_chebyshev(special_chebyshev_polynomial_u, "u", False)
_state_chebyshev(special_chebyshev_polynomial_v, "v", False)
_state_chebyshev(special_chebyshev_polynomial_w, "w", False)
_state_chebyshev(special_shifted_chebyshev_polynomial_t, "t", True)
_state_chebyshev(special_shifted_chebyshev_polynomial_u, "u", True)
_state_chebyshev(special_shifted_chebyshev_polynomial_v, "v", True)
_state_chebyshev(special_shifted_chebyshev_polynomial_w, "w", True)

# ------------------------------------------------------------------ Hermite, Laguerre, Legendre


@composite(rule=real_floating, namespaces=("special",), samples=_SAMPLES, ulp=64, operands=("input", "n"))
def special_hermite_polynomial_h(input: Tensor, n: Any) -> Tensor:
    """Hermite polynomial of degree ``n``, the physicists', of each element.

    >>> tc.special.hermite_polynomial_h(tc.tensor([0.0, 0.5, 2.0]), 3)
    tensor([-0., -5., 40.])
    """
    input, n, degree = _operands(special_hermite_polynomial_h, input, n)
    return special_hermite_polynomial_h.emit(input, n, degree=degree)


@composite(rule=real_floating, namespaces=("special",), samples=_SAMPLES, ulp=64, operands=("input", "n"))
def special_hermite_polynomial_he(input: Tensor, n: Any) -> Tensor:
    """Hermite polynomial of degree ``n``, the probabilists', of each element.

    >>> tc.special.hermite_polynomial_he(tc.tensor([0.0, 0.5, 2.0]), 2)
    tensor([-1.0000, -0.7500,  3.0000])
    """
    input, n, degree = _operands(special_hermite_polynomial_he, input, n)
    return special_hermite_polynomial_he.emit(input, n, degree=degree)


@composite(rule=real_floating, namespaces=("special",), samples=_SAMPLES, ulp=64, operands=("input", "n"))
def special_laguerre_polynomial_l(input: Tensor, n: Any) -> Tensor:
    """Laguerre polynomial of degree ``n``, of each element.

    >>> tc.special.laguerre_polynomial_l(tc.tensor([0.0, 0.5, 2.0]), 2)
    tensor([ 1.0000,  0.1250, -1.0000])
    """
    input, n, degree = _operands(special_laguerre_polynomial_l, input, n)
    return special_laguerre_polynomial_l.emit(input, n, degree=degree)


@composite(rule=real_floating, namespaces=("special",), samples=_SAMPLES, ulp=64, operands=("input", "n"))
def special_legendre_polynomial_p(input: Tensor, n: Any) -> Tensor:
    """Legendre polynomial of degree ``n``, of each element.

    >>> tc.special.legendre_polynomial_p(tc.tensor([0.0, 0.5, 2.0]), 2)
    tensor([-0.5000, -0.1250,  5.5000])
    """
    input, n, degree = _operands(special_legendre_polynomial_p, input, n)
    return special_legendre_polynomial_p.emit(input, n, degree=degree)


def _state_recurrence(op: Any, first: Callable[[Any], Any], step: Any, end: int | None = None) -> None:
    def expression(x: Any, n: Any, *, degree: int | None) -> Any:
        if end is None:
            return _chosen(_sequence(x, first(x), step), x, n, degree)
        if degree is not None and degree > end:
            return x * math.nan
        within = e.where(e.gt(n, end), -1.0, n)
        return e.where(e.gt(n, end), math.nan, _chosen(_sequence(x, first(x), step), x, within, degree))

    without_gradient(op)(expression)


_state_recurrence(
    special_hermite_polynomial_h, lambda x: x * 2,
    lambda k, x, last, before: (x * last - before * (k - 1)) * 2, _HERMITE_END,
)  # fmt: skip
_state_recurrence(
    special_hermite_polynomial_he, lambda x: x,
    lambda k, x, last, before: x * last - before * (k - 1), _HERMITE_END,
)  # fmt: skip
_state_recurrence(
    special_laguerre_polynomial_l, lambda x: 1 - x,
    lambda k, x, last, before: ((2 * k - 1 - x) * last - before * (k - 1)) * (1 / k),
)  # fmt: skip
_state_recurrence(
    special_legendre_polynomial_p, lambda x: x,
    lambda k, x, last, before: (x * last * (2 * k - 1) - before * (k - 1)) * (1 / k),
)  # fmt: skip
