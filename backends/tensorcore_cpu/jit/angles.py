"""Sine and cosine of angles of a few turns.

The polynomials are those of Cephes (Moshier, 1992); for angles within [-8, 8] results are within 1.5 units in the last
place of 1, and of themselves but next to their zeros.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from tensorcore_cpu.jit.vectors import NEAREST, Vector

__all__ = ["sine_and_cosine"]

#: A quarter turn, and what is missing of it.
_QUARTER: Final = {
    False: (1.57079637050628662109375, -4.37113900018624283e-8),
    True: (1.5707963267948966, 6.123233995736766e-17),
}
#: sin(r) = r + r * z * P(z) with z = r * r, for |r| up to an eighth of a turn.
_SINE: Final = {
    False: (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1),
    True: (
        1.58962301576546568060e-10, -2.50507477628578072866e-8, 2.75573136213857245213e-6, -1.98412698295895385996e-4,
        8.33333333332211858878e-3, -1.66666666666666307295e-1,
    ),
}  # fmt: skip
#: cos(r) = 1 - z / 2 + z * z * P(z).
_COSINE: Final = {
    False: (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2),
    True: (
        -1.13585365213876817300e-11, 2.08757008419747316778e-9, -2.75573141792967388112e-7, 2.48015872888517045348e-5,
        -1.38888888888730564116e-3, 4.16666666666665929218e-2,
    ),
}  # fmt: skip


def _polynomial(z: Vector, coefficients: Sequence[float]) -> Vector:
    total = z.body.number(coefficients[0])
    for coefficient in coefficients[1:]:
        total = total.times_plus(z, coefficient)
    return total


def sine_and_cosine(angle: Vector) -> tuple[Vector, Vector]:
    """The sine and the cosine of an angle within [-8, 8]."""
    body = angle.body
    width = 64 if body.double else 32
    high, low = _QUARTER[body.double]
    quarters = (angle * (2 / math.pi)).round(NEAREST)
    r = quarters.then("fnmadd", low, quarters.then("fnmadd", high, angle))
    z = r * r
    sine = (r * z).times_plus(_polynomial(z, _SINE[body.double]), r)
    cosine = (z * z).times_plus(_polynomial(z, _COSINE[body.double]), z.then("fnmadd", 0.5, 1.0))
    # The quarters as an integer, modulo 4, in the lowest bits.
    count = quarters + (1.5 * 2.0**52 if body.double else 1.5 * 2.0**23)
    one = body.bits(1, 1)
    odd = body.bits(0, 0).sub_integer(count & one)
    sine_sign = count.shift_right(1).shift_left(width - 1)
    cosine_sign = count.add_integer(one).shift_right(1).shift_left(width - 1)
    return odd.select(cosine, sine) ^ sine_sign, odd.select(sine, cosine) ^ cosine_sign
