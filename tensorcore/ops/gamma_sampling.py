"""Draws of the gamma and Dirichlet distributions, and how they move with their parameters.

Numbers are drawn by Marsaglia and Tsang's rejection (ACM TOMS 26 (2000), 363-372), all elements at once, a round for
those not accepted yet; so they are the same on every device but not PyTorch's, which draws one element after another.
A draw moves with its parameter so that its share of the distribution stays what it is: implicit reparameterisation
(Figurnov, Mohamed and Mnih, NeurIPS 2018). Logarithms are drawn, since small parameters give numbers below any dtype.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import FLOATING, finfo
from tensorcore.errors import ShapeError
from tensorcore.ops import elementwise as e
from tensorcore.ops.approximation import precise
from tensorcore.ops.drawing import widest
from tensorcore.ops.gamma_functions import digamma
from tensorcore.ops.indexing import index, index_put, nonzero
from tensorcore.ops.record import composite
from tensorcore.ops.softmax import softmax
from tensorcore.random import samplers
from tensorcore.random.arguments import require_all, require_dtype, source_of
from tensorcore.random.generator import Generator

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

__all__ = ["sample_dirichlet", "standard_gamma"]

# ------------------------------------------------------------------ drawing


def _places(mask: Any) -> Any:
    return nonzero(mask).reshape(-1)


def _logarithms(concentration: Any, source: Generator) -> Any:
    """Logarithms of gamma numbers of rate 1, in the widest dtype of the device."""
    wide = concentration.detach().to(widest(concentration._kind)).reshape(-1)
    # Below 1, a number of concentration + 1 times a power of a uniform one.
    small = e.lt(wide, 1.0)
    d = e.where(small, wide + 1, wide) - 1 / 3
    log_ratio = wide * 0
    places = _places(e.ge(log_ratio, 0.0))
    left = d
    while count := places.shape[0]:
        z = samplers.normal((count,), wide._kind, 0.0, 1.0, source)
        u = samplers.unit((count,), wide._kind, source).to(wide.dtype)
        root = 1 + z / e.sqrt(left * 9)
        log_cube = e.log(e.maximum(root, 1e-300 if wide.dtype.itemsize == 8 else 1e-37)) * 3
        # The logarithm of 0 is below every bound, so it accepts.
        good = (root > 0) & (e.log(u) < z * z / 2 + left * (1 - root * root * root + log_cube))
        chosen, rest = _places(good), _places(~good)
        log_ratio = index_put.emit(
            log_ratio, index.emit(log_cube, chosen), index.emit(places, chosen), accumulate=False
        )
        places, left = index.emit(places, rest), index.emit(left, rest)
    drawn = e.log(d) + log_ratio
    if bool(small.any()):
        u = samplers.unit((wide.shape[0],), wide._kind, source).to(wide.dtype)
        # 1 - u is never 0.
        drawn = e.where(small, drawn + e.log1p(-u) / wide, drawn)
    return drawn.reshape(concentration.shape)


# ------------------------------------------------------------------ moving with the parameter

#: Terms of the series, for arguments up to `_SMALL`.
_TERMS: Final = 26
_SMALL: Final = 2.0
#: The quadrature ends where the integrand is below exp(-36).
_DEPTH: Final = 36.0
#: Gauss and Legendre's rule of 32 nodes: those above 0, and their weights (DLMF 3.5.v).
_NODES: Final = (
    0.048307665687738324, 0.1444719615827965, 0.23928736225213706, 0.33186860228212767, 0.42135127613063533,
    0.5068999089322294, 0.5877157572407623, 0.6630442669302152, 0.7321821187402897, 0.7944837959679424,
    0.84936761373257, 0.8963211557660521, 0.9349060759377397, 0.9647622555875064, 0.9856115115452684,
    0.9972638618494816,
)  # fmt: skip
_WEIGHTS: Final = (
    0.09654008851472766, 0.09563872007927471, 0.09384439908080451, 0.09117387869576378, 0.08765209300440378,
    0.08331192422694671, 0.07819389578707023, 0.07234579410884834, 0.06582222277636168, 0.058684093478535565,
    0.05099805926237609, 0.042835898022226836, 0.034273862913021765, 0.025392065309262024, 0.016274394730905743,
    0.007018610009470506,
)  # fmt: skip


def _by_series(a: Any, x: Any, log_x: Any) -> Any:
    """From the series of the lower incomplete gamma function (DLMF 8.11.4), and its derivative by ``a``."""
    total: Any = 1.0
    slope: Any = 0.0
    for k in range(_TERMS, 0, -1):
        term = x / (a + k)
        slope = term * (slope - total / (a + k))
        total = 1 + term * total
    return -(total * (log_x - digamma(a + 1)) + slope) / a


def _by_quadrature(a: Any, x: Any, log_x: Any) -> Any:
    """From the integral of the density's derivative over the side of ``x`` where it does not peak.

    With t = x * exp(s * u) the density over its value at x is exp(s * (a - x) * u - x * (exp(s * u) - 1 - s * u)).
    """
    excess = (x - a).detach()
    right = e.ge(excess, 0.0)
    side = e.where(right, 1.0, -1.0).to(x.dtype)
    # Bounds of where the exponent is -_DEPTH, which it falls below at least as fast as a parabola or a line.
    bend = x.detach()
    to_right = 2 * _DEPTH / (excess + e.sqrt(e.maximum(excess * excess + bend * (2 * _DEPTH), 0.0)))
    steep = excess * -2 - _DEPTH
    to_left = 4 * _DEPTH / (steep + e.sqrt(steep * steep + a.detach() * (8 * _DEPTH)))
    half = e.where(right, to_right, to_left) / 2
    start = log_x - digamma(a)
    total: Any = 0.0
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        for place in (1 - node, 1 + node):
            u = half * place * side
            total = total + e.exp((a - x) * u - x * (e.expm1(u) - u)) * (start + u) * weight
    return total * half * side


@composite(namespaces=())
def gamma_slope(concentration: Tensor, logarithm: Tensor) -> Tensor:
    """Derivative of the logarithm of a gamma number by the concentration, its share of the distribution kept.

    That is minus the derivative of the distribution function by the concentration, over the density of the logarithm.
    """
    return gamma_slope.emit(concentration, logarithm)


@precise(gamma_slope)
def _gamma_slope(concentration: Tensor, logarithm: Tensor) -> Tensor:
    x = e.exp(logarithm)
    small = e.le(x, _SMALL)
    few = e.minimum(logarithm, 0.6931471805599453)
    series = _by_series(concentration, e.exp(few), few)
    # Where the series is taken, the quadrature gets arguments at which it is finite.
    a, many = e.where(small, _SMALL, concentration), e.maximum(logarithm, 0.6931471805599453)
    return e.where(small, series, _by_quadrature(a, e.exp(many), many))


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
