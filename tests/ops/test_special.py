"""Special functions: identities, values known to many digits, extremes, dtypes, in-place forms, errors."""

from __future__ import annotations

import math

import pytest

import tensorcore as tc
from tensorcore.errors import DTypeError, RangeError

INF, NAN = math.inf, math.nan
S = tc.special


def wide(*values):
    return tc.tensor(values, dtype=tc.float64)


def close(found, wanted, units=4):
    for x, y in zip(found.reshape(-1).tolist(), wanted, strict=True):
        assert x == y or (math.isnan(x) and math.isnan(y)) or abs(x - y) <= units * math.ulp(y), (x, y)


#: Values of mpmath in 40 digits, where approximations change, near zeros, and far out.
KNOWN = {
    "lgamma": (
        (1e-300, 690.7755278982137),
        (0.999999, 5.772164873855652e-07),
        (1.9999999999829599, -7.204307249365466e-12),
        (2.9999999, 0.693147088281514),
        (3.0, 0.6931471805599453),
        (10000000000.0, 220258509288.81058),
        (1e305, 7.012884533631839e307),
    ),
    "digamma": (
        (1e-10, -10000000000.577215),
        (1.4616321449683622, -9.241265521729427e-17),
        (2.5, 0.7031566406452432),
        (3.0, 0.9227843350984671),
        (1e20, 46.051701859880914),
    ),
    "special.bessel_j0": (
        (2.404825557695773, -6.10876525973673e-17),
        (5.0, -0.1775967713143383),
        (1e16, 8.661427680921676e-10),
        (1e22, -1.8561051065108217e-12),
    ),
    "special.erfcx": (
        (-26.0, 7.657724931490568e293),
        (0.46875, 0.6320696892495561),
        (0.4687500000000001, 0.632069689249556),
        (10000000000.0, 5.641895835477563e-11),
    ),
    "special.log_ndtr": (
        (-100.0, -5005.524208694205),
        (-1.0, -1.8410216450092636),
        (-0.9999, -1.8408691354861395),
        (37.0, -5.725571222524577e-300),
    ),
    "special.airy_ai": (
        (-3.2, -0.4174434205641514),
        (-2.338107410459767, 2.743319340666283e-17),
        (1.0, 0.13529241631288141),
        (10.0, 1.1047532552898686e-10),
    ),
    "special.ndtri": ((0.075, -1.439531470938456), (0.5000000001, 2.506628482030354e-10), (0.925, 1.4395314709384561)),
    "i0": ((8.0, 427.5641157218048), (712.0, 2.4684110577627523e307)),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_values(name):
    function = tc
    for part in name.split("."):
        function = getattr(function, part)
    arguments, wanted = zip(*KNOWN[name], strict=True)
    close(function(wide(*arguments)), wanted, 8)


def test_gamma_function_of_the_standard_library():
    x = [0.1 * k for k in range(1, 400)]
    x += [-0.5, -1.5, -3.25, -1e-300]
    assert tc.allclose(tc.lgamma(wide(*x)), wide(*map(math.lgamma, x)), rtol=1e-13)


def test_recurrences_hold_over_the_changes_of_the_approximations():
    x = tc.linspace(0.05, 6, 300, dtype=tc.float64)
    for left, right in (
        (tc.lgamma(x + 1), tc.lgamma(x) + x.log()),
        (tc.digamma(x + 1), tc.digamma(x) + 1 / x),
        (tc.polygamma(1, x + 1), tc.polygamma(1, x) - x**-2),
        (tc.polygamma(3, x), tc.polygamma(3, x + 1) + 6 * x**-4),
        (S.zeta(x + 2, x + 1), S.zeta(x + 2, x) - x ** -(x + 2)),
        (tc.igamma(x + 1, x), tc.igamma(x, x) - (x * x.log() - x - tc.lgamma(x + 1)).exp()),
        (tc.igamma(x, x + 1) + tc.igammac(x, x + 1), tc.ones_like(x)),
    ):
        assert tc.allclose(left, right, rtol=1e-12, atol=3e-12)


def test_wronskians_of_the_bessel_functions():
    x = tc.linspace(0.1, 60, 600, dtype=tc.float64)
    plain = S.bessel_j1(x) * S.bessel_y0(x) - S.bessel_j0(x) * S.bessel_y1(x)
    assert tc.allclose(plain, 2 / (math.pi * x), rtol=1e-12)
    scaled = S.i0e(x) * S.scaled_modified_bessel_k1(x) + S.i1e(x) * S.scaled_modified_bessel_k0(x)
    assert tc.allclose(scaled, 1 / x, rtol=1e-13)


def test_inverses():
    p = tc.cat([tc.logspace(-300, -1, 300, dtype=tc.float64), tc.linspace(0.1, 0.9, 100, dtype=tc.float64)])
    # A relative error of the quantile q is one of the probability q * q times as large.
    assert tc.allclose(S.ndtr(S.ndtri(p)), p, rtol=1e-12)
    assert tc.allclose(S.log_ndtr(S.ndtri(p)), p.log(), rtol=1e-14, atol=1e-14)
    x = tc.linspace(-0.999, 0.999, 301, dtype=tc.float64)
    assert tc.allclose(tc.erf(tc.erfinv(x)), x, rtol=1e-14)
    y = tc.linspace(0.01, 0.99, 99, dtype=tc.float64)
    assert tc.allclose(S.expit(tc.logit(y)), y, rtol=1e-14)


def test_large_incomplete_gamma_functions_go_to_the_normal_distribution():
    a = wide(1e6, 1e10, 1e14)
    assert tc.allclose(tc.igamma(a, a), wide(0.5, 0.5, 0.5), atol=2e-4)
    assert tc.allclose(tc.igamma(a, a + 2 * a.sqrt()), S.ndtr(wide(2, 2, 2)), atol=1e-3)


@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        (lambda: tc.lgamma(wide(0.0, -0.0, -1.0, -1e300, INF, -INF, NAN)), [INF, INF, INF, INF, INF, INF, NAN]),
        (lambda: tc.digamma(wide(0.0, -0.0, -1.0, INF, -INF, NAN)), [-INF, INF, NAN, INF, NAN, NAN]),
        (lambda: tc.polygamma(2, wide(0.0, -1.0, INF, NAN)), [-INF, -INF, -0.0, NAN]),
        (lambda: S.zeta(wide(2, 1, 0.5, 2, 2.5, INF), wide(INF, 2, 2, -1, -1.5, 2)), [0, INF, NAN, INF, NAN, 0]),
        (lambda: tc.i0(wide(INF, -INF, NAN)), [INF, INF, NAN]),
        (lambda: S.i1(wide(INF, -INF, NAN)), [INF, -INF, NAN]),
        (lambda: S.i0e(wide(INF, -INF)), [0, 0]),
        (lambda: S.modified_bessel_k0(wide(0, -1, INF)), [INF, NAN, 0]),
        (lambda: S.modified_bessel_k1(wide(0, -0.0, -1, INF)), [INF, INF, NAN, 0]),
        (lambda: S.bessel_j0(wide(INF, -INF, NAN)), [0, 0, NAN]),
        (lambda: S.bessel_y1(wide(0, -1, INF)), [-INF, NAN, 0]),
        (lambda: S.airy_ai(wide(INF, -INF, 200)), [0, 0, 0]),
        (lambda: tc.erfinv(wide(1, -1, 1.5, NAN)), [INF, -INF, NAN, NAN]),
        (lambda: S.ndtri(wide(0, 1, -0.1, 1.1)), [-INF, INF, NAN, NAN]),
        (lambda: S.erfcx(wide(INF, -INF, -30)), [0, INF, INF]),
        (lambda: S.log_ndtr(wide(INF, -INF)), [0, -INF]),
        (lambda: S.entr(wide(0, -1, INF, NAN)), [0, -INF, -INF, NAN]),
        (lambda: tc.ldexp(wide(1, 3, 0.75), tc.tensor([-1074, 1022, 2000])), [5e-324, 3 * 2.0**1022, INF]),
        (lambda: tc.nextafter(wide(0, 1, INF, 1.7976931348623157e308), wide(-1, INF, 0, INF)),
         [-5e-324, 1 + 2**-52, 1.7976931348623157e308, INF]),
    ],
)  # fmt: skip
def test_extremes(call, wanted):
    close(call(), wanted, 0)


def test_empty_and_0_d_operands_and_views():
    assert tc.lgamma(tc.zeros(0, 3)).shape == (0, 3)
    assert tc.igamma(tc.tensor(2.0), tc.zeros(0)).shape == (0,)
    assert S.hermite_polynomial_h(tc.zeros(0), tc.zeros(0)).shape == (0,)
    x = tc.rand(4, 6).T[::2]
    assert tc.equal(tc.lgamma(x), tc.lgamma(x.clone()))


@pytest.mark.parametrize("dtype", [tc.float16, tc.bfloat16])
def test_16_bits_are_rounded_once(dtype):
    x = tc.linspace(0.1, 0.9, 50).to(dtype)
    for function in (tc.lgamma, tc.digamma, tc.erfinv, S.ndtri, S.bessel_y0, S.i1e):
        assert tc.equal(function(x), function(x.double()).to(dtype))


def test_second_derivatives_of_the_named_functions():
    x = tc.tensor([0.7, 2.5], dtype=tc.float64, requires_grad=True)
    for function in (
        tc.lgamma,
        S.i1e,
        S.erfcx,
        S.log_ndtr,
        S.entr,
        lambda v: tc.igamma(wide(1.5), v),
        lambda v: S.zeta(3.0, v),
    ):
        assert tc.autograd.gradcheck(function, (x,)) and tc.autograd.gradgradcheck(function, (x,))


def test_what_has_no_gradient_in_pytorch_has_none():
    x = tc.tensor([0.5], requires_grad=True)
    for function in (S.bessel_j0, S.airy_ai, S.modified_bessel_k1, lambda v: S.legendre_polynomial_p(v, 3)):
        assert not function(x).requires_grad


def test_frexp_into_given_tensors():
    mantissa, exponent = tc.empty(2), tc.empty(2, dtype=tc.int32)
    found = tc.frexp(tc.tensor([8.0, 0.3]), out=(mantissa, exponent))
    assert found.mantissa is mantissa and found.exponent is exponent
    assert (mantissa * 2.0**exponent).tolist() == tc.tensor([8.0, 0.3]).tolist()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: tc.polygamma(-1, tc.ones(1)), RangeError, "n, the order of the derivative, .* got -1"),
        (lambda: tc.polygamma(1.5, tc.ones(1)), TypeError, "n must be an int, got float"),
        (lambda: tc.mvlgamma(tc.ones(1), 0), RangeError, "p, the dimension, must be at least 1, got 0"),
        (lambda: tc.igamma(tc.ones(1), 2.0), TypeError, "igamma: other must be a tensor, got float"),
        (lambda: tc.nextafter(tc.ones(1), 2.0), TypeError, "nextafter: other must be a tensor, got float"),
        (lambda: tc.nextafter(tc.ones(1).int(), tc.ones(1).int()), DTypeError, "nextafter: .*int32"),
        (lambda: tc.frexp(tc.ones(1).int()), DTypeError, "frexp: .*int32"),
        (lambda: tc.lgamma(tc.ones(1) * 1j), DTypeError, "lgamma: .*complex64"),
        (lambda: tc.ones(2).int().lgamma_(), DTypeError, "lgamma_"),
        (lambda: tc.igamma(tc.ones(2), tc.ones(3)), RuntimeError, r"igamma.*|.*\[2\].*\[3\]"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
