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


def _polynomial(name: str, sentence: str, example: tuple[str, str], expression: Callable[..., Any]) -> None:
    """Record the op ``name`` of elements and degrees, of this ``expression``; ``example`` is given and shown."""

    def polynomial(input: Tensor, n: Any) -> Tensor:
        input, n, degree = _operands(op, input, n)
        return op.emit(input, n, degree=degree)

    given, shown = example
    polynomial.__name__ = polynomial.__qualname__ = f"special_{name}"
    polynomial.__doc__ = f"{sentence}\n\n    >>> tc.special.{name}({given})\n    {shown}\n    "
    op = composite(
        rule=real_floating, namespaces=("special",), samples=_SAMPLES, ulp=64, operands=("input", "n")
    )(polynomial)  # fmt: skip
    without_gradient(op)(expression)


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


#: The kinds, and an example of each and of its shifted form.
_CHEBYSHEV: Final = (
    ("t", "first", ("tc.tensor([0.0, 0.5, 2.0]), 3", "tensor([-0., -1., 26.])"),
     ("tc.tensor([0.0, 0.5, 1.0]), 2", "tensor([ 1., -1.,  1.])")),
    ("u", "second", ("tc.tensor([0.25, 0.5, 2.0]), 2", "tensor([-0.7500,  0.0000, 15.0000])"),
     ("tc.tensor([0.0, 0.5, 1.0]), 2", "tensor([ 3., -1.,  3.])")),
    ("v", "third", ("tc.tensor([0.25, 0.5, 2.0]), 2", "tensor([-1.2500, -1.0000, 11.0000])"),
     ("tc.tensor([0.0, 0.5, 1.0]), 2", "tensor([ 5., -1.,  1.])")),
    ("w", "fourth", ("tc.tensor([0.25, 0.5, 2.0]), 2", "tensor([-0.2500,  1.0000, 19.0000])"),
     ("tc.tensor([0.0, 0.5, 1.0]), 2", "tensor([ 1., -1.,  5.])")),
)  # fmt: skip


def _of_kind(kind: str, shifted: bool) -> Callable[..., Any]:
    def expression(x: Any, n: Any, *, degree: int | None) -> Any:
        return _chebyshev(x * 2 - 1 if shifted else x, n, degree, kind)

    return expression


for _kind, _order, _example, _shifted in _CHEBYSHEV:
    _sentence = f"Chebyshev polynomial of the {_order} kind of degree ``n``, of"
    _polynomial(f"chebyshev_polynomial_{_kind}", f"{_sentence} each element.", _example, _of_kind(_kind, False))
    _polynomial(
        f"shifted_chebyshev_polynomial_{_kind}", f"{_sentence} ``2 * x - 1`` for each element x.", _shifted,
        _of_kind(_kind, True),
    )  # fmt: skip

# ------------------------------------------------------------------ Hermite, Laguerre, Legendre


def _recurrence(first: Callable[[Any], Any], step: Any, end: int | None = None) -> Callable[..., Any]:
    """The expression of polynomials of degree 0, 1, ... by `_sequence`; NaN from degree ``end`` on."""

    def expression(x: Any, n: Any, *, degree: int | None) -> Any:
        if end is None:
            return _chosen(_sequence(x, first(x), step), x, n, degree)
        if degree is not None and degree > end:
            return x * math.nan
        within = e.where(e.gt(n, end), -1.0, n)
        return e.where(e.gt(n, end), math.nan, _chosen(_sequence(x, first(x), step), x, within, degree))

    return expression


_polynomial(
    "hermite_polynomial_h", "Hermite polynomial of degree ``n``, the physicists', of each element.",
    ("tc.tensor([0.0, 0.5, 2.0]), 3", "tensor([-0., -5., 40.])"),
    _recurrence(lambda x: x * 2, lambda k, x, last, before: (x * last - before * (k - 1)) * 2, _HERMITE_END),
)  # fmt: skip

_polynomial(
    "hermite_polynomial_he", "Hermite polynomial of degree ``n``, the probabilists', of each element.",
    ("tc.tensor([0.0, 0.5, 2.0]), 2", "tensor([-1.0000, -0.7500,  3.0000])"),
    _recurrence(lambda x: x, lambda k, x, last, before: x * last - before * (k - 1), _HERMITE_END),
)  # fmt: skip

_polynomial(
    "laguerre_polynomial_l", "Laguerre polynomial of degree ``n``, of each element.",
    ("tc.tensor([0.0, 0.5, 2.0]), 2", "tensor([ 1.0000,  0.1250, -1.0000])"),
    _recurrence(lambda x: 1 - x, lambda k, x, last, before: ((2 * k - 1 - x) * last - before * (k - 1)) * (1 / k)),
)  # fmt: skip

_polynomial(
    "legendre_polynomial_p", "Legendre polynomial of degree ``n``, of each element.",
    ("tc.tensor([0.0, 0.5, 2.0]), 2", "tensor([-0.5000, -0.1250,  5.5000])"),
    _recurrence(lambda x: x, lambda k, x, last, before: (x * last * (2 * k - 1) - before * (k - 1)) * (1 / k)),
)  # fmt: skip
