"""``repr`` of random tensors under random options, next to PyTorch's."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import pytest

torch = pytest.importorskip("torch")
hypothesis = pytest.importorskip("hypothesis")

from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

import tensorcore as tc  # noqa: E402

DTYPES = (
    "bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64",
    "float16", "bfloat16", "float32", "float64", "complex64", "complex128",
)  # fmt: skip

INTERESTING = (
    0.0, -0.0, math.nan, math.inf, -math.inf, 1e-45, 1e-4, 9.9e-5, 1e8, -1e8, 1.1e8, 999.5, 1000.0, 1e30, 0.5, 1.0,
)  # fmt: skip
reals = st.one_of(
    st.integers(-1000, 1000).map(float),
    st.floats(-10, 10, width=16),
    st.floats(width=32, allow_nan=False),
    st.sampled_from(INTERESTING),
)
shapes = st.one_of(
    st.lists(st.integers(0, 9), max_size=4),
    st.integers(0, 60).map(lambda side: [side]),
    st.tuples(st.integers(1, 9), st.integers(7, 30)).map(list),
)
options = st.fixed_dictionaries(
    {},
    optional={
        "precision": st.integers(0, 9),
        "threshold": st.sampled_from([0, 5, 30, 1000, math.inf]),
        "edgeitems": st.integers(0, 4),
        "linewidth": st.sampled_from([0, 15, 40, 80, 200]),
        "profile": st.sampled_from(["default", "short", "full"]),
        "sci_mode": st.sampled_from([None, True, False]),
    },
)


@pytest.fixture(autouse=True)
def default_options() -> Iterator[None]:
    yield
    tc.set_printoptions(profile="default")
    torch.set_printoptions(profile="default")


def assert_same_text(ours: Any, theirs: Any) -> None:
    got, expected = repr(ours).replace("tensorcore.", "torch."), repr(theirs)
    if "dtype=" in expected:
        # The longer name of the module moves line breaks between the suffixes.
        got, expected = (re.sub(r",\n *(?=[a-z_]+=)", ", ", text) for text in (got, expected))
    assert got == expected


def draw_values(data: Any, dtype: str, count: int) -> list[Any]:
    """Values of a few kinds, repeated at random: long lists of fresh draws would be slow to make."""
    if dtype == "bool":
        element: Any = st.booleans()
    elif "int" in dtype:
        limits = torch.iinfo(getattr(torch, dtype))
        element = st.integers(limits.min, limits.max) | st.integers(0, 100)
    elif "complex" in dtype:
        element = st.builds(complex, reals, reals)
    else:
        element = reals
    pool = data.draw(st.lists(element, min_size=1, max_size=8))
    random = data.draw(st.randoms(use_true_random=False))
    return [random.choice(pool) for _ in range(count)]


@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), shape=shapes, chosen=options)
def test_values_and_options(dtype: str, data: Any, shape: list[int], chosen: dict[str, Any]) -> None:
    values = draw_values(data, dtype, math.prod(shape))
    theirs = torch.tensor(values, dtype=getattr(torch, dtype)).reshape(shape)
    ours = tc.tensor(values, dtype=getattr(tc, dtype)).reshape(shape)
    with tc.printoptions(**chosen), torch._tensor_str.printoptions(**chosen):
        assert_same_text(ours, theirs)


@pytest.mark.parametrize("shape", [(), (3,), (2, 9), (4, 5, 6), (0, 2), (1200,), (40, 30), (7, 2, 90), (2, 3, 4, 60)])
@pytest.mark.parametrize("scale", [1e-6, 0.01, 1.0, 300.0, 1e7])
def test_seeded_normals(shape: tuple[int, ...], scale: float) -> None:
    theirs = (torch.randn(shape, generator=torch.Generator().manual_seed(len(shape))) * scale).double()
    assert_same_text(tc.tensor(theirs.flatten().tolist(), dtype=tc.float64).reshape(shape), theirs)


@pytest.mark.parametrize(
    "program",
    [
        lambda m: m.ones(2, requires_grad=True) + 1,
        lambda m: (m.ones(2, requires_grad=True) * 2).sum(),
        lambda m: m.ones(2, 2, requires_grad=True).exp(),
        lambda m: m.zeros(30, requires_grad=True),
        lambda m: m.zeros(18, requires_grad=True) - 1,
        lambda m: m.zeros(0, 2, requires_grad=True),
        lambda m: m.ones(2, 3).t(),
        lambda m: m.arange(24).reshape(2, 3, 4)[:, ::2, 1:],
        lambda m: m.tensor(True),
        lambda m: m.tensor([1, 2]) == m.tensor([1, 3]),
    ],
)
def test_programs(program: Any) -> None:
    assert_same_text(program(tc), program(torch))


@pytest.mark.parametrize("default", ["float64", "float16"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "complex128", "int64"])
@pytest.mark.parametrize("shape", [(2,), (0,), (0, 1)])
def test_default_dtype(default: str, dtype: str, shape: tuple[int, ...]) -> None:
    modules = (tc, torch)
    texts = []
    try:
        for module in modules:
            module.set_default_dtype(getattr(module, default))
        texts = [repr(module.ones(shape, dtype=getattr(module, dtype))) for module in modules]
    finally:
        for module in modules:
            module.set_default_dtype(module.float32)
    assert texts[0].replace("tensorcore.", "torch.") == texts[1]


def test_options_are_the_same() -> None:
    for module in (tc, torch):
        module.set_printoptions(profile="short", linewidth=50)
    assert tc.get_printoptions() == torch._tensor_str.get_printoptions()
