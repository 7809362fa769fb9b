"""Activation functions against PyTorch."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from against_torch import INF, NAN, I, T, V, case, compare

EDGES = V(
    [-INF, -100.0, -6.5, -3.0, -1.0, -0.5, -0.0, 0.0, 1e-30, 0.5, 1.0, 3.0, 6.0, 30.0, 100.0, INF, NAN], grad=False
)
UNARY = [
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "selu",
    "celu",
    "gelu",
    "silu",
    "mish",
    "softplus",
    "softsign",
    "tanhshrink",
    "hardtanh",
    "hardsigmoid",
    "hardswish",
    "hardshrink",
    "softshrink",
    "sigmoid",
    "logsigmoid",
]


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize(
    "x",
    [
        T(3, 4),
        T(2, 3, dtype="float32"),
        T(),
        T(0, 3),
        EDGES,
        T(5, dtype="float16"),
        T(5, dtype="bfloat16"),
        I(3, low=-4, high=5),
        T(3, dtype="bool"),
    ],
    ids=lambda x: f"{x.dtype}{list(x.shape)}",
)
def test_unary_activations(name, x):
    # PyTorch multiplies the gradient of hardsigmoid by a sixth in float32, whatever the dtype.
    compare(f"F.{name}", x, tolerance=1e-7 if name == "hardsigmoid" else None)


ACTIVATIONS = [
    case("F.leaky_relu", T(3, 4), 0.3),
    case("F.leaky_relu", T(3, 4), -0.3),
    case("F.elu", T(3, 4), 2.0),
    case("F.elu", T(3, 4), -2.0),
    case("F.celu", T(3, 4), 2.0),
    case("F.celu", T(3, 4), 0.0),
    case("F.gelu", T(3, 4), approximate="tanh"),
    case("F.gelu", EDGES, approximate="tanh"),
    case("F.gelu", T(2), approximate="x"),
    case("F.softplus", T(3, 4, high=30), 2.0, 3.0),
    case("F.hardtanh", T(3, 4), -2.0, 0.5),
    case("F.hardtanh", T(3), 1.0, -1.0),
    case("F.hardshrink", T(3, 4), 1.5),
    case("F.softshrink", T(3, 4), 1.5),
    case("F.softshrink", T(2), -1.0),
    case("F.threshold", T(3, 4), 0.5, 2.0),
    case("threshold", T(3, 4), 0.5, 2.0),
    case("F.prelu", T(2, 3, 4), T(3)),
    case("F.prelu", T(2, 3), T(1)),
    case("F.prelu", T(), T(1)),
    case("F.prelu", T(2, 3), T(2)),
    case("F.prelu", T(4), T(1)),
    case("F.glu", T(3, 4)),
    case("F.glu", T(4, 3), 0),
    case("F.glu", T(3, 3)),
    case("F.glu", T()),
    case("F.softmax", T(3, 4), 1),
    case("F.softmax", T(2, 3, 4), 0),
    case("F.softmax", T(), 0),
    case("F.softmax", T(3, 4), dim=-1, dtype="dtype:float32", second=False, tolerance=2e-6),
    case("softmax", T(3, 4), 0, "dtype:float32"),
    case("F.softmax", T(3, 4)),
    case("F.softmax", T(2, 2, 2)),
    case("F.softmax", T(3, 4), 2),
    case("F.softmax", I(3, high=4), 0),
    case("F.softmax", V([-INF, 1.0, 2.0]), 0),
    case("F.softmax", V([[-INF, -INF], [INF, 1.0], [NAN, 0.0], [1e4, -1e4]], grad=False), 1),
    case("F.softmax", T(0, 3), 1),
    case("F.softmax", T(3, 0), 1),
    case("F.softmax", T(2, 3, dtype="float16"), 1),
    case("F.log_softmax", T(3, 4), 1),
    case("F.log_softmax", T(2, 3, 4), -2),
    case("F.log_softmax", T(), -1),
    case("F.log_softmax", V([-INF, 1.0, 2.0]), 0),
    case("F.log_softmax", V([1e4, -1e4, 0.0], "float32"), 0),
    case("log_softmax", T(3, 4), 1),
    case("F.log_softmax", I(3, high=4), 0, dtype="dtype:float64"),
    case("F.softmin", T(3, 4), 1),
    case("x.softmax", T(3, 4), 1),
    case("x.relu", T(3)),
    case("x.sigmoid", I(3, high=4)),
    case("F.tanh", T(3)),
    case("erf", T(20, low=-6, high=6)),
    case("erfc", T(20, low=-6, high=12)),
    case("x.erf", EDGES),
    case("erf", I(3, high=3)),
    case("F.relu", V([[1.0, -1.0]], "float32")),
]


@pytest.mark.parametrize(("path", "args", "kwargs"), ACTIVATIONS)
def test_activations(path, args, kwargs):
    compare(path, *args, **kwargs)
