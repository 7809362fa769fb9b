"""The regularised incomplete gamma functions, lower and upper.

Four ways, each where it is good: the series of the lower function (DLMF 8.11.4) for small second arguments, the
continued fraction of the upper one (DLMF 8.9.2) for large ones, for both small the upper function's own series (DLMF
8.7.3, rearranged by Gautschi, ACM TOMS 5 (1979), 466-481), and for two large arguments close to one another Temme's
uniform expansion (DLMF 8.12). All run a fixed number of terms, enough at the worst place of their region.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tensorcore.ops import elementwise as e
from tensorcore.ops.approximation import no_derivative, polynomial, precise, tensors_only
from tensorcore.ops.error_function import special_erfcx
from tensorcore.ops.gamma_functions import log_gamma, log_gamma_of_next, stirling
from tensorcore.ops.record import composite
from tensorcore.ops.rules import inexact

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

#: ``(atanh(u) / u - 1) / (u * u)`` in the square of u, for u up to 1/4.
_ATANH: Final = (
    0.06610380126249618, 0.049709922090089266, 0.05907138106603283, 0.06665411675099396, 0.0769234677519242,
    0.09090908352709809, 0.11111111119099863, 0.14285714285670462, 0.20000000000000093, 0.3333333333333333,
)  # fmt: skip
#: Temme's coefficients: rows by the power of ``1 / a``, each a polynomial of eta; what is under 3e-17 for a from 20 on
#: and eta up to 0.48 is left out. They follow from the recurrence of DLMF 8.12.10 and 8.12.12.
_TEMME: Final = (
    (
        2.4361948020667415e-11, -5.830772132550426e-11, -2.5514193994946248e-11, 9.14769958223679e-10,
        -4.382036018453353e-09, 1.0261809784240309e-08, 6.707853543401498e-09, -1.7665952736826078e-07,
        8.296711340953087e-07, -1.85406221071516e-06, -2.185448510679992e-06, 3.919263178522438e-05,
        -0.0001787551440329218, 0.0003527336860670194, 0.0011574074074074073, -0.014814814814814815,
        0.08333333333333333, -0.3333333333333333,
    ),
    (
        -8.56390702649298e-11, 4.162792991842583e-10, -1.0091543710600413e-09, -1.7543241719747647e-11,
        1.1951628599778148e-08, -5.752545603517705e-08, 1.378633446915721e-07, 4.647127802807434e-09,
        -1.6120900894563446e-06, 7.64916091608111e-06, -1.8098550334489977e-05, -4.018775720164609e-07,
        0.00020576131687242798, -0.0009902263374485596, 0.0026455026455026454, -0.003472222222222222,
        -0.001851851851851852,
    ),
    (
        -1.3670488396617114e-09, 6.228974084922022e-09, -1.409252991086752e-08, -2.0477098421990866e-10,
        1.4280614206064242e-07, -6.298992138380055e-07, 1.3721957309062934e-06, 3.423578734096138e-08,
        -1.2760635188618728e-05, 5.2923448829120125e-05, -0.0001073665322636516, 2.0093878600823047e-06,
        0.0007716049382716049, -0.0026813271604938273, 0.004133597883597883,
    ),
    (
        -1.9111168485973655e-08, 8.099464905388083e-08, -1.6958404091930278e-07, -2.7861080291528143e-11,
        1.4230900732435883e-06, -5.6749528269915965e-06, 1.1082654115347302e-05, -2.396505113867297e-07,
        -7.561801671883977e-05, 0.00026772063206283885, -0.0004691894943952557, 0.00022947209362139917,
        0.0006494341563786008,
    ),
    (
        -2.292934834000805e-07, 8.907507532205309e-07, -1.6954149536558305e-06, 2.507497226237533e-10,
        1.1375726970678419e-05, -3.968365047179435e-05, 6.641498215465122e-05, -1.4638452578843418e-06,
        -0.0002990724803031902, 0.0007840392217200666, -0.0008618882909167117,
    ),
    (
        3.4652846491085265e-07, -3.252473551298454e-10, -2.291481176508095e-06, 8.018470256334202e-06,
        -1.3594048189768693e-05, 1.419062920643967e-07, 6.797780477937208e-05, -0.00019932570516188847,
        0.0002772753244959392, -6.972813758365857e-05, -0.00033679855336635813,
    ),
    (
        -2.0291327396058603e-06, 3.465155368803609e-06, -3.0796134506033047e-09, -1.8329116582843375e-05,
        5.61168275310625e-05, -8.153969367561969e-05, 7.902353232660328e-07, 0.0002708782096718045,
        -0.0005921664373536939, 0.0005313079364639922,
    ),
    (
        -1.8263488805711332e-05, 2.7744451511563645e-05, -1.2741009095484485e-07, -0.00010976582244684731,
        0.0002812695154763237, -0.00033493161081142234, 5.171790908260592e-05, 0.00034436760689237765,
    ),
    (
        -0.00012783517679769218, 0.00016644846642067547, -6.969091458420552e-07, -0.000438297098541721,
        0.0008394987206720873, -0.0006526239185953094,
    ),
    (
        -0.0006401475260262758, 0.0006782308837667328, -7.204895416020011e-05, -0.0005967612901927463,
    ),
    (
        -0.0019144384985654776, 0.0013324454494800656,
    ),
)  # fmt: skip
#: Temme's region: the first argument from here on, the second within this part of it.
_LARGE, _CLOSE = 20.0, 0.4
_SERIES_TERMS: Final = 75
_FRACTION_TERMS: Final = 60
_SMALL_TERMS: Final = 24
#: Where both arguments count as small.
_SMALL: Final = 2.0
_SAMPLES: Final = tuple(
    {"shapes": shapes, "domains": domains}
    for shapes in (((3, 4), (3, 4)), ((3, 1), (4,)))
    for domains in (((0.2, 6), (0.2, 6)), ((20, 60), (20, 60)), ((0.2, 2), (0.1, 1.5)))
)


def _log1p_less(u: Any, over: Any) -> Any:
    """``log(1 + u) - u`` without cancellation, ``over`` being its direct value where u is far from 0."""
    ratio = u / (u + 2)
    square = ratio * ratio
    near = ratio * (square * 2 * polynomial(square, _ATANH) - u)
    return e.where(e.le(e.abs(ratio), 0.25), near, over)


def _series(a: Any, x: Any) -> Any:
    """The lower function over ``x ** a * exp(-x) / gamma(a + 1)``, from the smallest term up."""
    total = 1.0
    for k in range(_SERIES_TERMS, 0, -1):
        total = x / (a + k) * total + 1
    return total


def _fraction(a: Any, x: Any) -> Any:
    """The upper function over ``x ** a * exp(-x) / gamma(a)``: the continued fraction, from its end."""
    start = x - a
    tail = start + (2 * _FRACTION_TERMS + 1)
    for k in range(_FRACTION_TERMS, 0, -1):
        tail = start + (2 * k - 1) - (k - a) * k / tail
    return 1 / tail


def _small_upper(a: Any, x: Any, log_x: Any) -> Any:
    """The upper function of small arguments: one minus the leading term of the lower one, and the rest of that."""
    total = 0.0
    for n in range(_SMALL_TERMS, 0, -1):
        total = (total + 1 / (a + n)) * x * (-1 / n)
    leading = a * log_x - log_gamma_of_next(a)
    return -e.expm1(leading) - e.exp(leading) * a * total


def _lower_and_upper(a: Any, x: Any, upper: bool) -> Any:
    size = e.maximum(a, 1e-300)
    gap = (x - a) / size
    log_x = e.log(x)
    # The factor x ** a * exp(-x) / gamma(a + 1): for a from 3 on by Stirling's formula, without the large powers.
    decay = _log1p_less(gap, e.log(x / size) - gap)
    large = e.maximum(a, 3.0)
    stirlings = e.exp(large * decay - stirling(1 / large)) / e.sqrt(large * (2 * math.pi))
    factor = e.where(e.ge(a, 3.0), stirlings, e.exp(a * log_x - x - log_gamma(e.minimum(a, 3.0) + 1)))

    close = e.ge(a, _LARGE) & e.lt(e.abs(gap), _CLOSE)
    both_small = e.lt(x, _SMALL) & e.lt(a, 1.0)
    beyond = e.ge(x, e.maximum(a + 1, _SMALL))
    low = factor * _series(a, x)
    high = factor * a * _fraction(a, e.where(beyond, x, a + 4))
    tiny = _small_upper(e.minimum(a, 1.0), e.minimum(x, _SMALL), log_x)
    eta = e.sqrt(e.where(close, decay, 0.0) * -2)
    eta = e.where(e.lt(gap, 0), -eta, eta)
    sign = 1.0 if upper else -1.0
    uniform = _temme(e.where(close, a, _LARGE), eta, sign)
    if upper:
        result = e.where(beyond, high, e.where(both_small, tiny, 1 - low))
    else:
        result = e.where(beyond, 1 - high, low)
    return e.where(close, uniform, result)


def _temme(a: Any, eta: Any, sign: float) -> Any:
    inverse = 1 / a
    total = polynomial(eta, _TEMME[-1])
    for row in reversed(_TEMME[:-1]):
        total = total * inverse + polynomial(eta, row)
    bell = e.exp(a * eta * eta * -0.5)
    shifted = eta * e.sqrt(a * 0.5) * sign
    # erfc of a positive number is taken scaled, so that the bell is rounded once for both terms.
    size = e.abs(shifted)
    tail = bell * special_erfcx(size) * 0.5
    return e.where(e.lt(shifted, 0), 1 - tail, tail) + bell * total * e.sqrt(inverse * (0.5 / math.pi)) * sign


def _regularized(a: Any, x: Any, upper: bool) -> Any:
    zero, one = (1.0, 0.0) if upper else (0.0, 1.0)
    finite = e.gt(a, 0) & e.lt(a, math.inf) & e.gt(x, 0) & e.lt(x, math.inf)
    result = _lower_and_upper(e.where(finite, a, 1.0), e.where(finite, x, 1.0), upper)
    # All mass lies at 0 for a = 0, and at infinity for infinite a.
    at_one = (e.eq(a, 0) & e.gt(x, 0)) | (e.eq(x, math.inf) & e.ge(a, 0) & e.lt(a, math.inf))
    at_zero = (e.eq(x, 0) & e.gt(a, 0)) | (e.eq(a, math.inf) & e.ge(x, 0) & e.lt(x, math.inf))
    return e.where(finite, result, e.where(at_one, one, e.where(at_zero, zero, result * math.nan)))


def _slope(g: Any, a: Any, x: Any) -> Any:
    from tensorcore.ops.gamma_functions import lgamma
    from tensorcore.ops.logarithmic import xlogy

    return g * e.exp(xlogy(a - 1, x) - x - lgamma(a))


@composite(
    rule=inexact,
    vjp=(lambda: no_derivative("igamma", "input"), lambda g, input, other: _slope(g, input, other)),
    aliases=("special.gammainc",),
    inplace=True,
    samples=_SAMPLES,
    ulp=60,
)
def igamma(input: Tensor, other: Tensor) -> Tensor:
    """Regularised lower incomplete gamma function, the share of ``gamma(input)`` up to ``other``, element by element.

    NaN for negative arguments. PyTorch knows no derivative by ``input``.

    >>> tc.igamma(tc.tensor([4.0]), tc.tensor([3.0, 4.0, 5.0]))
    tensor([0.3528, 0.5665, 0.7350])

    Raises:
        DTypeError: for operands that are no real floating-point tensors.
    """
    return igamma.emit(*tensors_only("igamma", input=input, other=other))


@precise(igamma)
def _igamma(input: Tensor, other: Tensor) -> Tensor:
    return _regularized(input, other, False)


@composite(
    rule=inexact,
    vjp=(lambda: no_derivative("igammac", "input"), lambda g, input, other: -_slope(g, input, other)),
    aliases=("special.gammaincc",),
    inplace=True,
    samples=_SAMPLES,
    ulp=60,
)
def igammac(input: Tensor, other: Tensor) -> Tensor:
    """Regularised upper incomplete gamma function, the share of ``gamma(input)`` from ``other`` on.

    NaN for negative arguments. PyTorch knows no derivative by ``input``.

    >>> tc.igammac(tc.tensor([4.0]), tc.tensor([3.0, 4.0, 5.0]))
    tensor([0.6472, 0.4335, 0.2650])

    Raises:
        DTypeError: for operands that are no real floating-point tensors.
    """
    return igammac.emit(*tensors_only("igammac", input=input, other=other))


@precise(igammac)
def _igammac(input: Tensor, other: Tensor) -> Tensor:
    return _regularized(input, other, True)
