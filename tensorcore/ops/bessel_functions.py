"""Bessel functions of orders 0 and 1, the spherical one of order 0, and the Airy function Ai.

Up to 5 a Bessel function is a polynomial over its zeros, of the second kind beside a logarithm (DLMF 10.8); beyond, a
modulus and a phase that quotients in the square of the reciprocal correct (DLMF 10.17), as in Cephes. Ai likewise: DLMF
9.7 far out. None has a gradient, as in PyTorch.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tensorcore.ops import elementwise as e
from tensorcore.ops.approximation import polynomial, precise, quotient, without_gradient
from tensorcore.ops.record import composite
from tensorcore.ops.rules import real_floating

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

#: For x up to 5: J0, and J1 over x, over their zeros, in x * x; what Y0, and Y1 over x, have beside logarithms, in
#: x * x / 12.5 - 1.
_J0_NEAR: Final = (
    -3.027341846156215e-28, 2.422940453295708e-25, -1.4048419907288446e-22, 6.72768839420786e-20,
    -2.6504977669610348e-17, 8.413184775762446e-15, -2.0931214084068986e-12, 3.935827378974691e-10,
    -5.317886335202576e-08, 4.784356140904163e-06, -0.00025120235414943397, 0.005674693325155617,
)  # fmt: skip
_J1_NEAR: Final = (
    -1.0631969736944809e-29, 9.032726597645911e-27, -5.634791037496399e-24, 2.924810096966701e-21,
    -1.257470262923774e-18, 4.389759631294681e-16, -1.2121603955634093e-13, 2.557633445162873e-11,
    -3.929471053740682e-09, 4.0859145336524104e-07, -2.530477407973052e-05, 0.0006919228366408253,
)  # fmt: skip
_Y0_NEAR: Final = (
    -1.9304457499806157e-15, 1.1666039506524883e-13, -6.043180387114119e-12, 2.653997524870454e-10,
    -9.720964498315574e-09, 2.914220688963699e-07, -6.985504367742786e-06, 0.0001299462909208217,
    -0.0018028096665526022, 0.01763534538933876, -0.11151682184328618, 0.38851639956570944, -0.4705763655297288,
    -0.4326558222855125, 0.4837248578102995,
)  # fmt: skip
_Y1_NEAR: Final = (
    4.2776864213996106e-15, -2.3977823351124533e-13, 1.1448944556881608e-11, -4.6013010745671685e-10,
    1.5288901824838603e-08, -4.1137780795312214e-07, 8.733098304849315e-06, -0.00014141835794484212,
    0.001668803132863594, -0.013433433740818165, 0.06634695354779108, -0.16312020358118715, 0.09108650838448444,
    0.13974939033568806,
)  # fmt: skip
#: From 5 on, in 1 over the square of x: the factors of cosine and sine, those of the sine times x.
_P0: Final = (
    (
        0.8459394762483747, 4.474239665021564, 3.5965407513098153, 0.8981308397637776, 0.08842450445991168,
        0.003731429821100209, 6.577448867705722e-05, 3.867695274093479e-07,
    ),
    (
        1.0, 4.6637752499776965, 3.6519381042788748, 0.9039824752907125, 0.08868003451188519, 0.0037360131249504023,
        6.580168340945318e-05, 3.867695274093479e-07,
    ),
)  # fmt: skip
_Q0: Final = (
    (
        -0.05161299447635379, -0.31215628010290153, -0.26054711657546215, -0.07031214825974474,
        -0.007953731929648516, -0.0004192337471114112, -1.0554653971911403e-05, -1.1983178994673093e-07,
        -4.806610298776086e-10,
    ),
    (
        1.0, 3.292716198173627, 2.348563374988245, 0.5956885132184657, 0.06548131220512877, 0.0034019780359639527,
        8.499327709979187e-05, 9.609074181513985e-07, 3.845288239020869e-09,
    ),
)  # fmt: skip
_P1: Final = (
    (
        1.3819084669422796, 6.560729756279703, 5.3744998797707835, 1.3790222293421424, 0.13903377348621632,
        0.005982981814593782, 0.00010716834566628237, 6.385960703335151e-07,
    ),
    (
        1.0, 6.080894340863189, 5.231272029171061, 1.3636023030099877, 0.13834911305842368, 0.005970523876584251,
        0.00010709351018929019, 6.385960703335151e-07,
    ),
)  # fmt: skip
_Q1: Final = (
    (
        0.24426222240089182, 1.2467590897729648, 1.0289920664101018, 0.28037989739253605, 0.03215055968432368,
        0.0017176089817300829, 4.377660006883385e-05, 5.02447781531838e-07, 2.034702913461694e-09,
    ),
    (
        1.0, 3.808728579797269, 2.907678312723167, 0.7685662143058906, 0.08691579910875698, 0.004611346223145707,
        0.00011710035778654402, 1.3413443882926334e-06, 5.425874435897851e-09,
    ),
)  # fmt: skip
#: Ai over its first zero for x from -3.2 to 1, in (x + 1.1) / 2.1; beyond, in the phase.
_AIRY_NEAR: Final = (
    3.356854068356984e-10, -1.550894595931357e-09, -1.4667700630250549e-09, 3.0112861703218934e-08,
    -7.956255013728582e-08, -1.3756640929881457e-07, 1.4395611216521468e-06, -2.9082841613503517e-06,
    -6.930978523567128e-06, 4.969437329688326e-05, -7.346085952304583e-05, -0.00023372970969965352,
    0.0011746230400410654, -0.0011508517273133667, -0.005006043098940724, 0.017438906266535097, -0.00922549865498925,
    -0.06152754864032188, 0.14198904764401396, -0.020128962286237628, -0.35976474713727596, 0.49687208376361564,
    0.06219281598369473, -0.6532184663790267, 0.4311504041739589,
)  # fmt: skip
_AIRY_FAR: Final = (
    (
        0.47374759990183773, 82.85495226293422, 2803.317157575463, 34860.408351221464, 203412.06201392348,
        631034.2805001352, 1117151.9506586522, 1173853.9556116196, 743886.4665344203, 282406.1398148638,
        61877.8110886304, 7113.393481694334, 327.9053536664534,
    ),
    (
        1.0, 125.75910200348366, 3665.2296942798466, 41725.33049322652, 229856.3994998605, 685720.2819548347,
        1181479.8335492213, 1218108.8297388088, 761717.7381907774, 286484.2462737198, 62361.20181136805,
        7136.164686810058, 327.9053536664534,
    ),
)  # fmt: skip
_AIRY_SINE: Final = (
    (
        0.8978699020207686, 6.941303616011515, 8.885029681215752, 3.697915550062499, 0.6361521478387163,
        0.05010245423546734, 0.001851080295505473, 3.0297973041601972e-05, 1.7218030451787824e-07,
    ),
    (
        1.0, 7.1593007624015055, 8.996707212188408, 3.719167725871385, 0.6379166463766038, 0.05016953590482265,
        0.001852195676276939, 3.030436669681409e-05, 1.7218030451787824e-07,
    ),
)  # fmt: skip
_AIRY_COSINE: Final = (
    (
        0.02436321900010069, 0.276113121807804, 0.45003151329257596, 0.24617890726685732, 0.05927361105631046,
        0.007122119685458996, 0.00045371260964485407, 1.5613091329365716e-05, 2.8395044783568787e-07,
        2.5052843310438973e-09, 8.247654617492722e-12,
    ),
    (
        1.0, 5.836014216058614, 7.8118378912375, 3.9179217613900863, 0.9026065820829412, 0.10586385571536415,
        0.006651229798771564, 0.00022701733360304082, 4.10846067431529e-06, 3.6141071375655206e-08,
        1.1876622649189518e-10,
    ),
)  # fmt: skip
#: The zeros below 5 or just above, each as two numbers.
_ZEROS: Final = (
    ((2.404825557695773, -1.176691651530894e-16), (5.520078110286311, 8.088597146146722e-17)),
    ((3.8317059702075125, -1.5269184090088067e-16), (7.015586669815619, -9.414165653410389e-17)),
)
_AIRY_ZERO: Final = (-2.338107410459767, -3.912260409818305e-17)
_FAR: Final = 5.0
_AIRY_LOW, _AIRY_HIGH = -3.2, 1.0
#: From here on Ai is 0 in float64.
_AIRY_END: Final = 120.0
_SAMPLES: Final = ({"shapes": ((3, 4),), "domains": ((-20, 20),)}, {"shapes": ((3, 4),)}, {"shapes": ((),)})
_POSITIVE: Final = ({"shapes": ((3, 4),), "domains": ((0.1, 20),)}, {"shapes": ((3, 4),), "domains": ((0.1, 5),)})


def _over_zeros(x: Any, order: int) -> Any:
    """J of an order for x up to 5, not negative; over x for order 1."""
    result = polynomial(x * x, _J1_NEAR if order else _J0_NEAR)
    for high, low in _ZEROS[order]:
        result = result * (((x - high) - low) * (x + high))
    return result


def _wave(x: Any, sine: Any, cosine: Any, order: int, second: bool) -> Any:
    """J, or the second kind, Y, of an order from 5 on, from the sine and cosine of x."""
    inverse = 1 / x
    square = inverse * inverse
    over, under = (_P1, _Q1) if order else (_P0, _Q0)
    level, tilt = quotient(square, over), quotient(square, under) * inverse
    # The cosine and sine of the phase x - pi / 4, or 3 * pi / 4, times the root of 2: the angle itself is not rounded.
    along, across = (sine - cosine, -(sine + cosine)) if order else (sine + cosine, sine - cosine)
    wave = level * across + tilt * along if second else level * along - tilt * across
    return e.where(e.eq(x, math.inf), 0.0, wave / e.sqrt(x * math.pi))


@composite(rule=real_floating, namespaces=(), samples=tuple(
    {"shapes": ((3, 4),) * 3, "domains": ((0.1, 20), (-1, 1), (-1, 1)), "nu": nu, "second": second}
    for nu in (0, 1) for second in (False, True)
), ulp=64)  # fmt: skip
def bessel_from_angle(input: Tensor, sine: Tensor, cosine: Tensor, *, nu: int, second: bool) -> Tensor:
    """J, or the second kind, Y, of the order ``nu``, 0 or 1, from the sine and cosine of each absolute value.

    A record of its own, as a backend that compiles expressions has no sine of large angles.
    """
    return bessel_from_angle.emit(input, sine, cosine, nu=nu, second=second)


@precise(bessel_from_angle)
def _bessel(x: Any, sine: Any, cosine: Any, *, nu: int, second: bool) -> Any:
    size = e.abs(x)
    near = _over_zeros(size, nu)
    far = _wave(e.maximum(size, _FAR), sine, cosine, nu, second)
    if not second:
        if nu:
            near, far = near * x, e.where(e.lt(x, 0), -far, far)
        return e.where(e.le(size, _FAR), near, far)
    near = e.log(x) * near * (2 / math.pi)
    if nu:
        near = x * (near + polynomial(x * x * 0.08 - 1, _Y1_NEAR)) - (2 / math.pi) / x
    else:
        near = near + polynomial(x * x * 0.08 - 1, _Y0_NEAR)
    result = e.where(e.le(x, _FAR), near, far)
    return e.where(e.eq(x, 0), -math.inf, e.where(e.lt(x, 0), math.nan, result))


def _bessel_of(x: Any, nu: int, second: bool) -> Any:
    size = e.abs(x)
    return bessel_from_angle.emit(x, e.sin(size), e.cos(size), nu=nu, second=second)


def _phase(x: Any) -> Any:
    """``2 / 3 * abs(x) ** 1.5``, bounded on both sides of where Ai is a polynomial."""
    size = e.where(e.gt(x, _AIRY_HIGH), e.minimum(x, _AIRY_END), e.maximum(-x, -_AIRY_LOW))
    return size * e.sqrt(size) * (2 / 3)


@composite(rule=real_floating, namespaces=(), ulp=64,
           samples=({"shapes": ((3, 4),) * 3, "domains": ((-9, 6), (-1, 1), (-1, 1))},))  # fmt: skip
def airy_from_angle(input: Tensor, sine: Tensor, cosine: Tensor) -> Tensor:
    """Airy function Ai from the sine and cosine of the phase of each element, `bessel_from_angle`'s like."""
    return airy_from_angle.emit(input, sine, cosine)


@precise(airy_from_angle)
def _airy_from_angle(x: Any, sine: Any, cosine: Any) -> Any:
    middle = polynomial((x + 1.1) * (1 / 2.1), _AIRY_NEAR) * ((x - _AIRY_ZERO[0]) - _AIRY_ZERO[1])
    phase = _phase(x)
    inverse = 1 / phase
    # The fourth root of the argument is the sixth of the phase; taken from the argument it is exacter.
    root = e.sqrt(e.sqrt(e.where(e.gt(x, _AIRY_HIGH), e.minimum(x, _AIRY_END), e.maximum(-x, -_AIRY_LOW))))
    scale = 1 / (root * math.sqrt(math.pi))
    decay = e.exp(-phase) * quotient(inverse, _AIRY_FAR) * (scale * 0.5)
    square = inverse * inverse
    wave = (sine + cosine) * quotient(square, _AIRY_SINE) - (cosine - sine) * quotient(square, _AIRY_COSINE) * inverse
    wave = e.where(e.eq(phase, math.inf), 0.0, wave * scale * math.sqrt(0.5))
    return e.where(e.gt(x, _AIRY_HIGH), decay, e.where(e.lt(x, _AIRY_LOW), wave, middle))


def _airy(x: Any) -> Any:
    phase = _phase(x)
    return airy_from_angle.emit(x, e.sin(phase), e.cos(phase))


def _sine_over(x: Any) -> Any:
    zero = e.eq(x, 0)
    return e.where(e.eq(e.abs(x), math.inf), 0.0, e.where(zero, 1.0, e.sin(x) / e.where(zero, 1.0, x)))


@composite(rule=real_floating, namespaces=("special",), samples=_SAMPLES, ulp=8)
def special_bessel_j0(input: Tensor) -> Tensor:
    """Bessel function of the first kind and order 0 of each element.

    Beyond 5 it errs by a few units in the last place of its envelope ``sqrt(2 / (pi * x))``.

    >>> tc.special.bessel_j0(tc.tensor([0.0, 1.0, 10.0]))
    tensor([ 1.0000,  0.7652, -0.2459])
    """
    return special_bessel_j0.emit(input)


@composite(rule=real_floating, namespaces=("special",), samples=_SAMPLES, ulp=8)
def special_bessel_j1(input: Tensor) -> Tensor:
    """Bessel function of the first kind and order 1 of each element.

    Beyond 5 it errs by a few units in the last place of its envelope ``sqrt(2 / (pi * x))``.

    >>> tc.special.bessel_j1(tc.tensor([0.0, 1.0, 10.0]))
    tensor([0.0000, 0.4401, 0.0435])
    """
    return special_bessel_j1.emit(input)


@composite(rule=real_floating, namespaces=("special",), samples=_POSITIVE, ulp=8)
def special_bessel_y0(input: Tensor) -> Tensor:
    """Bessel function of the second kind and order 0 of each element; NaN below 0.

    It errs by a few units in the last place of 1 up to 5, of its envelope ``sqrt(2 / (pi * x))`` beyond.

    >>> tc.special.bessel_y0(tc.tensor([0.0, 1.0, 10.0]))
    tensor([  -inf, 0.0883, 0.0557])
    """
    return special_bessel_y0.emit(input)


@composite(rule=real_floating, namespaces=("special",), samples=_POSITIVE, ulp=8)
def special_bessel_y1(input: Tensor) -> Tensor:
    """Bessel function of the second kind and order 1 of each element; NaN below 0.

    It errs by a few units in the last place of 1 up to 5, of its envelope ``sqrt(2 / (pi * x))`` beyond.

    >>> tc.special.bessel_y1(tc.tensor([0.0, 1.0, 10.0]))
    tensor([   -inf, -0.7812,  0.2490])
    """
    return special_bessel_y1.emit(input)


@composite(rule=real_floating, namespaces=("special",), samples=_SAMPLES, ulp=8)
def special_spherical_bessel_j0(input: Tensor) -> Tensor:
    """Spherical Bessel function of the first kind and order 0 of each element: ``sin(x) / x``, 1 at 0.

    >>> tc.special.spherical_bessel_j0(tc.tensor([0.0, 1.0, 10.0]))
    tensor([ 1.0000,  0.8415, -0.0544])
    """
    return special_spherical_bessel_j0.emit(input)


@composite(rule=real_floating, namespaces=("special",), samples=({"shapes": ((3, 4),), "domains": ((-9, 6),)},), ulp=8)
def special_airy_ai(input: Tensor) -> Tensor:
    """Airy function Ai of each element.

    >>> tc.special.airy_ai(tc.tensor([-5.0, 0.0, 1.0]))
    tensor([0.3508, 0.3550, 0.1353])
    """
    return special_airy_ai.emit(input)


without_gradient(special_bessel_j0)(lambda input: _bessel_of(input, 0, False))
without_gradient(special_bessel_j1)(lambda input: _bessel_of(input, 1, False))
without_gradient(special_bessel_y0)(lambda input: _bessel_of(input, 0, True))
without_gradient(special_bessel_y1)(lambda input: _bessel_of(input, 1, True))
without_gradient(special_spherical_bessel_j0)(_sine_over)
without_gradient(special_airy_ai)(_airy)
