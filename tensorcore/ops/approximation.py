"""What approximations of special functions share: Horner's scheme, the precision they run in, exact reductions.

A table of coefficients was fitted to its function by interpolation at Chebyshev nodes in 60 digits, where no other
source is named; in exact arithmetic it errs by less than 3e-17. Tables are pairs of polynomials, highest power first.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import DType, float32, float64
from tensorcore.ops import elementwise as e

if TYPE_CHECKING:
    from tensorcore.devices import Kind
    from tensorcore.ops.record import Op


def polynomial(x: Any, coefficients: Sequence[float]) -> Any:
    """The polynomial of ``x`` with these coefficients, highest power first."""
    first, *rest = coefficients
    total = x * first + rest[0] if first != 1 else x + rest[0]
    for coefficient in rest[1:]:
        total = total * x + coefficient
    return total


def quotient(x: Any, table: tuple[Sequence[float], Sequence[float]]) -> Any:
    """The quotient of two polynomials of ``x``."""
    over, under = table
    return polynomial(x, over) / polynomial(x, under)


@functools.cache
def _widest(kind: Kind) -> DType:
    return float64 if float64 in kind.device.capabilities.dtypes else float32


def precise(op: Op) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator of the expression of ``op``: it is computed in float64, where the device has that, and rounded once.

    Special functions cancel, reduce angles and raise to powers; in float32 that would cost most of the digits. The
    float64 kernel is used where a backend has one.
    """

    def decorate(body: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(body)
        def expression(*inputs: Any, **attributes: Any) -> Any:
            kind = inputs[0]._kind
            wide = _widest(kind)
            if kind.dtype is wide or kind.dtype is float64:
                return body(*inputs, **attributes)
            return op.emit(*[x.to(wide) for x in inputs], **attributes).to(kind.dtype)

        return op.expression(expression)

    return decorate


def as_int(op: str, name: str, value: Any) -> int:
    """The argument ``name`` as an int.

    Raises:
        TypeError: if it is none, such as a float or a tensor.
    """
    if hasattr(value, "_array") or not hasattr(value, "__index__"):
        raise TypeError(f"{op}: {name} must be an int, got {type(value).__name__}")
    return operator.index(value)


def tensors_only(op: str, **operands: Any) -> tuple[Any, ...]:
    """The operands of an op that takes no numbers.

    Raises:
        TypeError: if one is none.
    """
    for name, x in operands.items():
        if not hasattr(x, "_array"):
            raise TypeError(f"{op}: {name} must be a tensor, got {type(x).__name__}")
    return tuple(operands.values())


def no_derivative(op: str, operand: str) -> Any:
    """Refuse a derivative in a gradient rule, where PyTorch has none either."""
    raise NotImplementedError(
        f"{op}: no derivative by {operand!r} is known in closed form; detach it, or let it not require grad"
    )


def agreed(op: Op, *inputs: Any) -> tuple[Any, ...]:
    """The operands, of which one may be a number, as tensors of the kind in which ``op`` computes."""
    from tensorcore.promotion import agree, convert

    operands, kind = agree(op, inputs)
    compute = op.rule(kind.dtype, op.name)[0]
    # From what was given: -1 beside bytes is not 255.
    given = inputs if kind.level is None else operands
    return operands if compute is kind.dtype else convert(op, given, kind.sibling(compute))


def from_integer(x: Any) -> Any:
    """``x`` minus the nearest integer, exactly: half-periods of sin(pi * x) removed."""
    return x - e.round(x)


#: Polynomials of f * f for f from -1/2 to 1/2: ``sin(pi * f) / f``, and ``cos(pi * f) / (1 - 4 * f * f)``.
_SINE: Final = (
    7.697826768224191e-07, -2.1903497074626018e-05, 0.0004662998161898394, -0.007370430505916944, 0.0821458865731029,
    -0.5992645293189447, 2.5501640398773007, -5.167712780049969, 3.141592653589793,
)  # fmt: skip
_COSINE: Final = (
    -1.033202820981855e-06, 2.5879018170871116e-05, -0.0004759174972778394, 0.006332742410528358, -0.05724947188084237,
    0.3195033242373781, -0.9348022005446713, 1.0,
)  # fmt: skip


def sine_of_pi(f: Any) -> Any:
    """``sin(pi * f)`` for f from -1/2 to 1/2, without rounding the angle."""
    return f * polynomial(f * f, _SINE)


def cotangent_of_pi(f: Any) -> Any:
    """``1 / tan(pi * f)`` for f from -1/2 to 1/2, 0 at both ends."""
    square = f * f
    return (1 - square * 4) * polynomial(square, _COSINE) / sine_of_pi(f)


def split_square(x: Any) -> tuple[Any, Any]:
    """Two numbers whose sum is ``x * x``, the first exact: rounding the square would cost exp of it digits."""
    coarse = e.floor(x * 16) * (1 / 16)
    return coarse * coarse, (x - coarse) * (x + coarse)


#: Beyond it every float64 is an integer, and functions of the sizes still differ from infinity.
HUGE = 1e300


def without_gradient(op: Op) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`precise` for functions that have no gradient in PyTorch: results never require grad."""

    def decorate(body: Callable[..., Any]) -> Callable[..., Any]:
        computed = precise(op)(body)

        @functools.wraps(body)
        def expression(*inputs: Any, **attributes: Any) -> Any:
            return computed(*[x.detach() for x in inputs], **attributes)

        return op.expression(expression)

    return decorate
