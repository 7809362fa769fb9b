"""Draws of the gamma and Dirichlet distributions, and how they move with their parameters.

Numbers are drawn by Marsaglia and Tsang's rejection (ACM TOMS 26 (2000), 363-372), all elements at once, a round for
those not accepted yet; so they are the same on every device but not PyTorch's, which draws one element after another.
A draw moves with its parameter so that its share of the distribution stays what it is: implicit reparameterisation
(Figurnov, Mohamed and Mnih, NeurIPS 2018). Logarithms are drawn, since small parameters give numbers below any dtype.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tensorcore.dtypes import FLOATING, finfo, float64
from tensorcore.errors import ShapeError
from tensorcore.ops import elementwise as e
from tensorcore.ops.creation import tensor
from tensorcore.ops.drawing import widest
from tensorcore.ops.gamma_functions import digamma
from tensorcore.ops.indexing import index, index_put, nonzero
from tensorcore.ops.record import composite
from tensorcore.ops.softmax import softmax
from tensorcore.random import samplers
from tensorcore.random.arguments import require_all, require_dtype, source_of
from tensorcore.random.generator import Generator
from tensorcore.shapes import broadcast_shapes

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

__all__ = ["sample_dirichlet", "standard_gamma"]

# ------------------------------------------------------------------ drawing


def _places(mask: Any) -> Any:
    return nonzero(mask).reshape(-1)


def _proposed(d: Any, source: Generator) -> tuple[Any, Any]:
    """One round: logarithms of what ``d`` is multiplied by, and which are accepted."""
    z = samplers.normal(tuple(d.shape), d._kind, 0.0, 1.0, source)
    u = samplers.unit(tuple(d.shape), d._kind, source).to(d.dtype)
    root = 1 + z / e.sqrt(d * 9)
    log_cube = e.log(e.maximum(root, finfo(d.dtype).tiny)) * 3
    # The logarithm of 0 is below every bound, so it accepts; so does the bound of an infinite concentration, NaN.
    above = e.ge(e.log(u), z * z / 2 + d * (1 - root * root * root + log_cube))
    return log_cube, (root > 0) & ~above


def _logarithms(concentration: Any, source: Generator) -> Any:
    """Logarithms of gamma numbers of rate 1, in the widest dtype of the device."""
    wide = concentration.detach().to(widest(concentration._kind)).reshape(-1)
    # Below 1, a number of concentration + 1 times a power of a uniform one.
    small = e.lt(wide, 1.0)
    d = e.where(small, wide + 1, wide) - 1 / 3
    log_ratio, good = _proposed(d, source)
    places = _places(~good)
    while places.shape[0]:
        again, good = _proposed(index.emit(d, places), source)
        chosen = _places(good)
        log_ratio = index_put.emit(log_ratio, index.emit(again, chosen), index.emit(places, chosen), accumulate=False)
        places = index.emit(places, _places(~good))
    drawn = e.log(d) + log_ratio
    if bool(small.any()):
        u = samplers.unit((wide.shape[0],), wide._kind, source).to(wide.dtype)
        # 1 - u is never 0.
        drawn = e.where(small, drawn + e.log1p(-u) / wide, drawn)
    return drawn.reshape(concentration.shape)


# ------------------------------------------------------------------ moving with the parameter

#: Up to here the series is taken, beyond it the quadrature.
_SMALL: Final = 2.0
#: Gauss and Legendre's rules (DLMF 3.5.v) of 32 and of 16 nodes: those above 0, and their weights.
_NODES_32: Final = (
    0.048307665687738324, 0.1444719615827965, 0.23928736225213706, 0.33186860228212767, 0.42135127613063533,
    0.5068999089322294, 0.5877157572407623, 0.6630442669302152, 0.7321821187402897, 0.7944837959679424,
    0.84936761373257, 0.8963211557660521, 0.9349060759377397, 0.9647622555875064, 0.9856115115452684,
    0.9972638618494816,
)  # fmt: skip
_WEIGHTS_32: Final = (
    0.09654008851472766, 0.09563872007927471, 0.09384439908080451, 0.09117387869576378, 0.08765209300440378,
    0.08331192422694671, 0.07819389578707023, 0.07234579410884834, 0.06582222277636168, 0.058684093478535565,
    0.05099805926237609, 0.042835898022226836, 0.034273862913021765, 0.025392065309262024, 0.016274394730905743,
    0.007018610009470506,
)  # fmt: skip
_NODES_16: Final = (
    0.09501250983763744, 0.2816035507792589, 0.45801677765722737, 0.6178762444026438, 0.755404408355003,
    0.8656312023878318, 0.9445750230732326, 0.9894009349916499,
)  # fmt: skip
_WEIGHTS_16: Final = (
    0.18945061045506864, 0.18260341504492364, 0.16915651939500265, 0.1495959888165767, 0.12462897125553407,
    0.0951585116824926, 0.062253523938647456, 0.027152459411754176,
)  # fmt: skip
#: Elements times nodes that are computed at once.
_AT_ONCE: Final = 1 << 16


class _Rule(NamedTuple):
    """How far a precision has to go."""

    #: Terms of the series.
    terms: int
    #: The quadrature ends where the integrand is below the exponential of minus this.
    depth: float
    nodes: tuple[float, ...]
    weights: tuple[float, ...]


_FLOAT64: Final = _Rule(26, 36.0, _NODES_32, _WEIGHTS_32)
_FLOAT32: Final = _Rule(16, 20.0, _NODES_16, _WEIGHTS_16)


def _by_series(a: Any, log_x: Any, mean: Any, rule: _Rule) -> Any:
    """From the series of the lower incomplete gamma function (DLMF 8.11.4), and its derivative by ``a``.

    ``mean`` is digamma(a + 1).
    """
    x = e.exp(log_x)
    total: Any = 1.0
    slope: Any = 0.0
    for k in range(rule.terms, 0, -1):
        below = a + k
        term = x / below
        slope = term * (slope - total / below)
        total = 1 + term * total
    return -(total * (log_x - mean) + slope) / a


def _by_quadrature(a: Any, log_x: Any, mean: Any, rule: _Rule) -> Any:
    """From the integral of the density's derivative over the side of x where it does not peak.

    With t = x * exp(s * u) the density over its value at x is exp(s * (a - x) * u - x * (exp(s * u) - 1 - s * u)).
    """
    x = e.exp(log_x)
    excess, bend, depth = (x - a).detach(), x.detach(), rule.depth
    right = e.ge(excess, 0.0)
    # Bounds of where the exponent is -depth, which it falls below at least as fast as a parabola or a line.
    to_right = 2 * depth / (excess + e.sqrt(e.maximum(excess * excess + bend * (2 * depth), 0.0)))
    steep = excess * -2 - depth
    to_left = 4 * depth / (steep + e.sqrt(steep * steep + a.detach() * (8 * depth)))
    half = e.where(right, to_right, -to_left) / 2
    start, gap = log_x - (mean - 1 / a), a - x
    places = [place for node in rule.nodes for place in (1 - node, 1 + node)]
    weights = [weight for weight in rule.weights for _ in range(2)]
    step = max(1, _AT_ONCE // a.shape[0])
    total: Any = 0.0
    for first in range(0, len(places), step):
        at, of = (
            tensor(each[first : first + step], dtype=a.dtype, device=a.device).reshape(-1, 1)
            for each in (places, weights)
        )
        u = half * at
        total = total + (e.exp(gap * u - x * (e.expm1(u) - u)) * (start + u) * of).sum(0)
    return total * half


@composite(
    namespaces=(),
    samples=(
        {"shapes": ((3, 4), (3, 4)), "domains": ((0.2, 6), (-2, 0.6))},
        {"shapes": ((3, 4), (3, 4)), "domains": ((2, 40), (0.8, 3.5))},
    ),
    ulp=2000,
)
def gamma_slope(concentration: Tensor, logarithm: Tensor) -> Tensor:
    """Derivative of the logarithm of a gamma number by the concentration, its share of the distribution kept.

    That is minus the derivative of the distribution function by the concentration, over the density of the logarithm.
    """
    return gamma_slope.emit(concentration, logarithm)


@gamma_slope.expression
def _gamma_slope(concentration: Tensor, logarithm: Tensor) -> Tensor:
    rule = _FLOAT64 if concentration.dtype is float64 else _FLOAT32
    wide = widest(concentration._kind)
    shape = broadcast_shapes(concentration.shape, logarithm.shape)
    a, log_x = (each.to(wide).expand(shape).reshape(-1) for each in (concentration, logarithm))
    mean = digamma(a + 1)
    small = e.le(log_x, math.log(_SMALL))
    out = log_x * 0
    ways: tuple[tuple[Any, Callable[..., Any]], ...] = ((small, _by_series), (~small, _by_quadrature))
    for mask, compute in ways:
        places = _places(mask)
        if places.shape[0]:
            found = compute(*[index.emit(each, places) for each in (a, log_x, mean)], rule)
            out = index_put.emit(out, found, places, accumulate=False)
    return out.to(concentration.dtype).reshape(shape)


def _slope(g: Any, y: Any, concentration: Any, logarithmic: bool) -> Any:
    if logarithmic:
        return g * gamma_slope.emit(concentration, y)
    return g * (y * gamma_slope.emit(concentration, e.log(y)))


@composite(namespaces=(), vjp=(_slope, None))
def reparameterized_gamma(concentration: Tensor, drawn: Tensor, *, logarithmic: bool) -> Tensor:
    """``drawn``, a gamma number (its logarithm), which moves with ``concentration``."""
    return reparameterized_gamma.emit(concentration, drawn, logarithmic=logarithmic)


@reparameterized_gamma.expression
def _reparameterized_gamma(concentration: Tensor, drawn: Tensor, *, logarithmic: bool) -> Tensor:
    return drawn.clone()


# ------------------------------------------------------------------ what is drawn


def _checked(op: str, concentration: Any) -> Any:
    require_dtype(op, concentration.dtype, FLOATING, FLOATING)
    values = concentration.detach()
    require_all(op, "input", values, (values > 0).all(), "be positive")
    return concentration


@composite(namespaces=("",), aliases=("_standard_gamma",), random=True)
def standard_gamma(input: Tensor, generator: Generator | None = None) -> Tensor:
    """A number of the gamma distribution of rate 1 for each concentration of ``input``, in its dtype.

    Gradients flow into ``input`` (Figurnov, Mohamed and Mnih, 2018). The numbers are positive.

    Raises:
        DTypeError: unless ``input`` is floating point.
        RangeError: if a concentration is not positive.

    Example:
        >>> tc.standard_gamma(tc.full((1000,), 1e6)).mean().round(decimals=-4)
        tensor(1000000.)
    """
    source = source_of(generator, "standard_gamma")
    concentration = _checked("standard_gamma", input)
    dtype = concentration.dtype
    drawn = e.exp(_logarithms(concentration, source)).to(dtype).clamp(finfo(dtype).tiny)
    return reparameterized_gamma.emit(concentration, drawn, logarithmic=False)


@composite(namespaces=("",), aliases=("_sample_dirichlet",), random=True)
def sample_dirichlet(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Points of the simplex, drawn from the Dirichlet distributions whose concentrations are in the last dimension.

    They are gamma numbers over their sum. Gradients flow into ``input``.

    Raises:
        DTypeError: unless ``input`` is floating point.
        ShapeError: if it has no dimension.
        RangeError: if a concentration is not positive.

    Example:
        >>> x = tc.sample_dirichlet(tc.tensor([1.0, 2.0, 3.0]))
        >>> x.shape, x.sum()
        (tensorcore.Size([3]), tensor(1.))
    """
    source = source_of(generator, "sample_dirichlet")
    concentration = _checked("sample_dirichlet", input)
    if concentration.ndim == 0:
        raise ShapeError("sample_dirichlet: the concentrations of a distribution need a dimension, got a 0-d tensor")
    dtype = concentration.dtype
    drawn = _logarithms(concentration, source).to(dtype)
    made = softmax(reparameterized_gamma.emit(concentration, drawn, logarithmic=True), -1)
    limits = finfo(dtype)
    # Neither 0 nor 1, where densities can be infinite; the gradient is that of what was drawn.
    return made + (made.clamp(limits.tiny, 1 - limits.eps / 2) - made).detach()
