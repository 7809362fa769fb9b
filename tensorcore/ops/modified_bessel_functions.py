"""Modified Bessel functions of orders 0 and 1, and those scaled by an exponential.

Near 0 they are series in the square of the argument, of the second kind beside a logarithm (DLMF 10.25.2, 10.31);
far out quotients in its reciprocal beside the exponential and the root (DLMF 10.40).
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

#: I0 and I1 over x, for x up to 8 in the square of x; from there, scaled, by the root of x, in its reciprocal.
_I0_NEAR: Final = (
    8.487698345602824e-37, 4.601357767863732e-34, 5.0327117729737235e-31, 3.829411247002327e-28,
    2.5987841051325663e-25, 1.4962822964042478e-22, 7.242279005317181e-20, 2.896902788810415e-17,
    9.385967122158306e-15, 2.4028075474081917e-12, 4.709502797312111e-10, 6.781684027758202e-08,
    6.781684027778812e-06, 0.00043402777777777445, 0.015625000000000007, 0.25, 1.0,
)  # fmt: skip
_I0_FAR: Final = (
    -1.275157678359399e+17, 2.117178294978942e+17, -1.6152477638117373e+17, 7.53040054106209e+16,
    -2.4049812781769384e+16, 5588422472361119.0, -979382699825018.5, 132426446115336.7, -14018918140389.285,
    1172543710213.4622, -77865419597.2315, 4110831391.735897, -172180240.17940608, 5689864.384531398,
    -146947.7186839245, 2927.9211559499013, -43.32226529761294, 0.7152545651097955, 0.08679154879375332,
    0.04476220281773234, 0.029219340642759342, 0.02805062920355303, 0.049867785050096314, 0.3989422804014327,
)  # fmt: skip
_I1_NEAR: Final = (
    2.716505589516919e-35, 1.3808181584914298e-32, 1.408926251589232e-29, 9.956969230500738e-27,
    6.2370206832638684e-24, 3.2918259018287706e-21, 1.448455537254395e-18, 5.214425120919993e-16,
    1.5017547367976848e-13, 3.3639305668982475e-11, 5.651403356704746e-09, 6.781684027764357e-07,
    5.42534722222271e-05, 0.0026041666666666574, 0.06250000000000001, 0.5,
)  # fmt: skip
_I1_FAR: Final = (
    1.1779149600544136e+17, -1.9890937417339053e+17, 1.5379314706008474e+17, -7.24756688629622e+16,
    2.3351559061770692e+16, -5465955743290051.0, 963781088649226.6, -130985940912181.11, 13926403168115.809,
    -1169064617284.1255, 77874987440.70961, -4122161339.16898, 173041473.87008265, -5729225.719157538,
    148202.52657380272, -2957.2834881349477, 43.70411653670819, -0.7626461677167796, -0.10687664894591295,
    -0.05754596138083894, -0.040907101864715634, -0.046751048598974755, -0.14960335515045328, 0.39894228040143265,
)  # fmt: skip
#: The same for x up to 2; what K0 and K1 have there beside logarithms; and K0 and K1 beyond, scaled.
_I0_SHORT: Final = (
    3.045242653561327e-17, 9.373259435491812e-15, 2.4028675787778216e-12, 4.709501086185397e-10,
    6.78168405793189e-08, 6.7816840274543955e-06, 0.0004340277777779769, 0.015624999999999938, 0.25, 1.0,
)  # fmt: skip
_I1_SHORT: Final = (
    5.481464855453059e-16, 1.4997362179030207e-13, 3.364012518066672e-11, 5.651401420587637e-09,
    6.781684054619206e-07, 5.4253472220132724e-05, 0.0026041666666674814, 0.062499999999999875, 0.5,
)  # fmt: skip
_K0_NEAR: Final = (
    1.785441437129245e-19, 6.515238891874141e-17, 2.009241432611261e-14, 4.8431971437706104e-12,
    8.819883094824484e-10, 1.1570350941095384e-07, 1.0214014135961433e-05, 0.0005451899602568561,
    0.014418505235913549, 0.10569608377461678, -0.5772156649015329,
)  # fmt: skip
_K0_FAR: Final = (
    (
        0.4420559843445099, 25.28329762679211, 230.8575140918076, 723.5635435381143, 1001.1625094135846,
        679.4015331653551, 231.96430801349175, 37.6543316254417, 2.278511986539112,
    ),
    (
        1.0, 31.33682692301366, 231.79292939918415, 655.7796456278139, 858.0148820633888, 563.6808129934782,
        188.73679494996884, 30.271058543248955, 1.8179895356638238,
    ),
)  # fmt: skip
_K1_NEAR: Final = (
    -3.4954207500589544e-18, -1.1438082386213382e-15, -3.12092406456102e-13, -6.54019536882146e-11,
    -1.0112909430427644e-08, -1.0892182538383959e-06, -7.493042905990667e-05, -0.0028371119837633627,
    -0.042049020943654196, 0.03860783245076643,
)  # fmt: skip
_K1_FAR: Final = (
    (
        12.17168368336927, 280.7111456564699, 1748.951938598892, 4522.700542603149, 5691.271480647599,
        3705.4739039042365, 1250.036484755223, 203.69062607347504, 12.473919417225613,
    ),
    (
        1.0, 71.42415978362719, 726.5401750694483, 2469.8630690712953, 3652.9199459922074, 2622.001064933919,
        939.0051522502941, 158.78932533090668, 9.952747715703392,
    ),
)  # fmt: skip
#: Where the approximations of the first and of the second kind change.
_FIRST_FAR: Final = 8.0
_SECOND_FAR: Final = 2.0
#: Of any larger argument the unscaled functions are infinite, or 0.
_END: Final = 1000.0
_SAMPLES: Final = ({"shapes": ((3, 4),), "domains": ((-12, 12),)}, {"shapes": ((3, 4),)}, {"shapes": ((),)})
_POSITIVE: Final = ({"shapes": ((3, 4),), "domains": ((0.1, 12),)}, {"shapes": ((3, 4),), "domains": ((0.1, 2),)})


def _first(x: Any, order: int, scaled: bool) -> Any:
    """I of an order; scaled, times ``exp(-abs(x))``."""
    near, far = (_I1_NEAR, _I1_FAR) if order else (_I0_NEAR, _I0_FAR)
    size = e.abs(x)
    if not scaled:
        size = e.minimum(size, _END)
    low = polynomial(e.minimum(size * size, _FIRST_FAR**2), near)
    large = e.maximum(size, _FIRST_FAR)
    high = polynomial(1 / large, far) / e.sqrt(large)
    if scaled:
        low = low * e.exp(-size)
    else:
        # In two steps, as the exponential overflows before the product does.
        root = e.exp(size * 0.5)
        high = high * root * root
    if order == 0:
        return e.where(e.le(size, _FIRST_FAR), low, high)
    return e.where(e.le(size, _FIRST_FAR), x * low, e.where(e.lt(x, 0), -high, high))


def _second(x: Any, order: int, scaled: bool) -> Any:
    """K of an order; scaled, times ``exp(x)``."""
    square = x * x
    log = e.log(x * 0.5)
    if order == 0:
        low = polynomial(square, _K0_NEAR) - log * polynomial(square, _I0_SHORT)
    else:
        low = x * (polynomial(square, _K1_NEAR) + log * polynomial(square, _I1_SHORT)) + 1 / x
    large = e.maximum(x, _SECOND_FAR)
    high = quotient(1 / large, _K1_FAR if order else _K0_FAR) / e.sqrt(large)
    if scaled:
        low = low * e.exp(x)
    else:
        root = e.exp(large * -0.5)
        high = high * root * root
    result = e.where(e.le(x, _SECOND_FAR), low, high)
    return e.where(e.eq(x, 0), math.inf, e.where(e.lt(x, 0), math.nan, result))


def _slope_over(x: Any, y: Any) -> Any:
    """``y / x``, and its limit 1/2 at 0."""
    zero = e.eq(x, 0)
    return e.where(zero, 0.5, y / e.where(zero, 1.0, x))


@composite(
    rule=real_floating, vjp=lambda g, input: g * special_i1(input), namespaces=("", "Tensor", "special"), inplace=True,
    samples=_SAMPLES, ulp=6,
)  # fmt: skip
def i0(input: Tensor) -> Tensor:
    """Modified Bessel function of the first kind and order 0 of each element.

    >>> tc.i0(tc.tensor([0.0, 1.0, 2.0]))
    tensor([1.0000, 1.2661, 2.2796])
    """
    return i0.emit(input)


@precise(i0)
def _i0(input: Tensor) -> Tensor:
    return _first(input, 0, False)


@composite(
    rule=real_floating, vjp=lambda g, y, input: g * (special_i1e(input) - e.sign(input) * y), namespaces=("special",),
    samples=_SAMPLES, ulp=6, shown="SpecialI0EBackward0",
)  # fmt: skip
def special_i0e(input: Tensor) -> Tensor:
    """`i0` of each element times ``exp(-abs(x))``.

    >>> tc.special.i0e(tc.tensor([0.0, 1.0, 2.0]))
    tensor([1.0000, 0.4658, 0.3085])
    """
    return special_i0e.emit(input)


@precise(special_i0e)
def _i0e(input: Tensor) -> Tensor:
    return _first(input, 0, True)


@composite(
    rule=real_floating, vjp=lambda g, y, input: g * (i0(input) - _slope_over(input, y)), namespaces=("special",),
    samples=_SAMPLES, ulp=6,
)  # fmt: skip
def special_i1(input: Tensor) -> Tensor:
    """Modified Bessel function of the first kind and order 1 of each element.

    >>> tc.special.i1(tc.tensor([0.0, 1.0, 2.0]))
    tensor([0.0000, 0.5652, 1.5906])
    """
    return special_i1.emit(input)


@precise(special_i1)
def _i1(input: Tensor) -> Tensor:
    return _first(input, 1, False)


@composite(
    rule=real_floating,
    vjp=lambda g, y, input: g * (special_i0e(input) - e.sign(input) * y - _slope_over(input, y)),
    namespaces=("special",), samples=_SAMPLES, ulp=6, shown="SpecialI1EBackward0",
)  # fmt: skip
def special_i1e(input: Tensor) -> Tensor:
    """`i1` of each element times ``exp(-abs(x))``.

    >>> tc.special.i1e(tc.tensor([0.0, 1.0, 2.0]))
    tensor([0.0000, 0.2079, 0.2153])
    """
    return special_i1e.emit(input)


@precise(special_i1e)
def _i1e(input: Tensor) -> Tensor:
    return _first(input, 1, True)


# ------------------------------------------------------------------ without derivatives, as in PyTorch


@composite(rule=real_floating, namespaces=("special",), samples=_SAMPLES, ulp=6)
def special_modified_bessel_i0(input: Tensor) -> Tensor:
    """`i0` of each element, without a gradient.

    >>> tc.special.modified_bessel_i0(tc.tensor([0.0, 1.0, 2.0]))
    tensor([1.0000, 1.2661, 2.2796])
    """
    return special_modified_bessel_i0.emit(input)


@composite(rule=real_floating, namespaces=("special",), samples=_SAMPLES, ulp=6)
def special_modified_bessel_i1(input: Tensor) -> Tensor:
    """`special.i1` of each element, without a gradient.

    >>> tc.special.modified_bessel_i1(tc.tensor([0.0, 1.0, 2.0]))
    tensor([0.0000, 0.5652, 1.5906])
    """
    return special_modified_bessel_i1.emit(input)


@composite(rule=real_floating, namespaces=("special",), samples=_POSITIVE, ulp=8)
def special_modified_bessel_k0(input: Tensor) -> Tensor:
    """Modified Bessel function of the second kind and order 0 of each element; NaN below 0. It has no gradient.

    >>> tc.special.modified_bessel_k0(tc.tensor([0.0, 1.0, 2.0]))
    tensor([   inf, 0.4210, 0.1139])
    """
    return special_modified_bessel_k0.emit(input)


@composite(rule=real_floating, namespaces=("special",), samples=_POSITIVE, ulp=8)
def special_modified_bessel_k1(input: Tensor) -> Tensor:
    """Modified Bessel function of the second kind and order 1 of each element; NaN below 0. It has no gradient.

    >>> tc.special.modified_bessel_k1(tc.tensor([0.0, 1.0, 2.0]))
    tensor([   inf, 0.6019, 0.1399])
    """
    return special_modified_bessel_k1.emit(input)


@composite(rule=real_floating, namespaces=("special",), samples=_POSITIVE, ulp=8)
def special_scaled_modified_bessel_k0(input: Tensor) -> Tensor:
    """`special.modified_bessel_k0` of each element times ``exp(x)``. It has no gradient.

    >>> tc.special.scaled_modified_bessel_k0(tc.tensor([0.0, 1.0, 2.0]))
    tensor([   inf, 1.1445, 0.8416])
    """
    return special_scaled_modified_bessel_k0.emit(input)


@composite(rule=real_floating, namespaces=("special",), samples=_POSITIVE, ulp=8)
def special_scaled_modified_bessel_k1(input: Tensor) -> Tensor:
    """`special.modified_bessel_k1` of each element times ``exp(x)``. It has no gradient.

    >>> tc.special.scaled_modified_bessel_k1(tc.tensor([0.0, 1.0, 2.0]))
    tensor([   inf, 1.6362, 1.0335])
    """
    return special_scaled_modified_bessel_k1.emit(input)


without_gradient(special_modified_bessel_i0)(lambda input: _first(input, 0, False))
without_gradient(special_modified_bessel_i1)(lambda input: _first(input, 1, False))
without_gradient(special_modified_bessel_k0)(lambda input: _second(input, 0, False))
without_gradient(special_modified_bessel_k1)(lambda input: _second(input, 1, False))
without_gradient(special_scaled_modified_bessel_k0)(lambda input: _second(input, 0, True))
without_gradient(special_scaled_modified_bessel_k1)(lambda input: _second(input, 1, True))
