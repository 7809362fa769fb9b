"""Random numbers next to PyTorch's CPU generator: the same seed, the same calls, the same tensors and states."""

from __future__ import annotations

import random
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import tensorcore as tc  # noqa: E402


def numbers(x: Any) -> list[Any]:
    """The elements in row-major order, parts of complex ones side by side."""
    flat = x.reshape(-1).tolist()
    return [part for z in flat for part in (z.real, z.imag)] if x.is_complex() else flat


def check(theirs: Any, ours: Any, exact: bool) -> None:
    assert str(theirs.dtype).split(".")[1] == ours.dtype.name
    assert tuple(theirs.shape) == tuple(ours.shape)
    if exact:
        assert numbers(theirs) == numbers(ours)
        return
    bound = {"float16": 2e-3, "bfloat16": 2e-2}.get(ours.dtype.name, 1e-6)
    for a, b in zip(numbers(theirs), numbers(ours), strict=True):
        assert abs(a - b) <= bound * max(1.0, abs(a)), (a, b)


def both(draw: Any, exact: bool, seed: int = 123) -> None:
    """``draw(namespace)`` on both sides, then one draw more, which shows that both generators advanced alike."""
    torch.manual_seed(seed)
    tc.manual_seed(seed)
    for _ in range(2):
        check(draw(torch), draw(tc), exact)
    assert torch.get_rng_state().tolist() == tc.get_rng_state().tolist()


def uses_mt19937(draw: Any, words: int) -> bool:
    """Whether PyTorch's ``draw`` took ``words`` words: some builds use Intel's library, on Intel's processors."""
    generator, plain = torch.Generator().manual_seed(0), torch.Generator().manual_seed(0)
    draw(generator)
    torch.rand(words, generator=plain)
    return generator.get_state().tolist() == plain.get_state().tolist()


FLOATS = ("float16", "bfloat16", "float32", "float64")
DTYPES = (*FLOATS, "int8", "int16", "int32", "int64", "uint8", "bool")
SHAPES = [(), (0,), (1,), (3,), (15,), (16,), (17,), (32,), (5, 7), (3, 0, 2), (1000,)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [*FLOATS, "complex64", "complex128"])
def test_rand(shape, dtype):
    both(lambda m: m.rand(shape, dtype=getattr(m, dtype)), exact=True)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [*FLOATS, "complex64", "complex128"])
def test_randn(shape, dtype):
    both(lambda m: m.randn(shape, dtype=getattr(m, dtype)), exact=False)


@pytest.mark.parametrize("low, high", [(-0.3, 0.7), (0.1, 0.9), (0.0, 5.5), (-2.0, -2.0), (-1e-3, 1e3), (100.0, 101.0)])
@pytest.mark.parametrize("dtype", FLOATS)
def test_uniform_(low, high, dtype):
    both(lambda m: m.empty(500, dtype=getattr(m, dtype)).uniform_(low, high), exact=True)


@pytest.mark.parametrize("low, high", [(0, 1), (0, 2), (0, 10), (3, 100), (0, 127)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_random_with_bounds(low, high, dtype):
    if dtype == "bool" and high > 2:
        pytest.skip("bool holds 0 and 1")
    both(lambda m: m.empty(60, dtype=getattr(m, dtype)).random_(low, high), exact=True)


@pytest.mark.parametrize(
    "low, high",
    [
        (0, 2**28 - 1), (0, 2**28), (-5, 2**28 + 5), (0, 2**32 + 7), (-(2**40), 2**40 + 1), (0, 2**62 + 12345),
        (0, 2**63 - 1), (-(2**62), 2**62 + 99), (-(2**63), 2**63 - 1), (-(2**63), -(2**63) + 3), (-(2**63), 5),
    ],
)  # fmt: skip
def test_randint_of_wide_ranges(low, high):
    both(lambda m: m.randint(low, high, (80,)), exact=True)


@pytest.mark.parametrize("dtype, high", [("float16", 2040), ("bfloat16", 250), ("float32", 2**24), ("float64", 2**53)])
def test_randint_of_floating_dtypes(dtype, high):
    both(lambda m: m.randint(-high, high, (80,), dtype=getattr(m, dtype)), exact=True)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "dtype, low, high", [("float16", 0, 65504), ("bfloat16", -3001, 3001), ("float32", 2**25 + 1, 2**26 + 1)]
)
def test_randint_moves_bounds_inwards_that_would_round_outwards(dtype, low, high):
    both(lambda m: m.randint(low, high, (300,), dtype=getattr(m, dtype)), exact=True)


@pytest.mark.parametrize("dtype", DTYPES)
def test_random_without_bounds(dtype):
    both(lambda m: m.empty(200, dtype=getattr(m, dtype)).random_(), exact=True)


@pytest.mark.parametrize("dtype, low", [("int64", -(2**63)), ("int64", 5), ("uint8", 200), ("float32", 3), ("bool", 0)])
def test_random_from_a_bound_up(dtype, low):
    both(lambda m: m.empty(50, dtype=getattr(m, dtype)).random_(low, None), exact=True)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 100, 5000])
@pytest.mark.parametrize("dtype", ["int64", "int32", "float32"])
def test_randperm(count, dtype):
    both(lambda m: m.randperm(count, dtype=getattr(m, dtype)), exact=True)


@pytest.mark.parametrize("dtype", FLOATS)
def test_bernoulli_of_a_tensor(dtype):
    both(lambda m: m.bernoulli(m.linspace(0, 1, 65).to(getattr(m, dtype))), exact=True)
    both(lambda m: m.empty(4, 65).bernoulli_(m.linspace(0, 1, 65).to(getattr(m, dtype))), exact=True)
    both(lambda m: m.bernoulli(m.linspace(0, 1, 12).reshape(3, 4).t()), exact=True)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int64", "bool"])
def test_bernoulli_of_a_number(dtype):
    if not uses_mt19937(lambda g: torch.empty(20).bernoulli_(0.5, generator=g), 40):
        pytest.skip("this processor's PyTorch draws bernoulli_(p) from another generator")
    both(lambda m: m.empty(200, dtype=getattr(m, dtype)).bernoulli_(0.3), exact=True)
    both(lambda m: m.bernoulli(m.zeros(3, 5), 0.3), exact=True)


@pytest.mark.parametrize("dtype", FLOATS)
def test_other_distributions(dtype):
    make = lambda m: m.empty(50, dtype=getattr(m, dtype))  # noqa: E731
    both(lambda m: make(m).cauchy_(1.0, 2.0), exact=False)
    both(lambda m: make(m).log_normal_(0.1, 0.2), exact=False)
    both(lambda m: make(m).geometric_(0.3), exact=True)
    if uses_mt19937(lambda g: torch.empty(20).exponential_(generator=g), 40):
        both(lambda m: make(m).exponential_(1.5), exact=False)


def test_normal_of_tensors():
    both(lambda m: m.normal(m.zeros(4) + 2.0, m.ones(3, 4)), exact=False)
    both(lambda m: m.normal(1.0, m.ones(20) * 0.5), exact=False)
    both(lambda m: m.normal(m.ones(20), 3.0), exact=False)
    both(lambda m: m.normal(2.0, 3.0, size=(3, 7)), exact=False)
    both(lambda m: m.empty(40, dtype=m.float64).normal_(5.0, 0.1), exact=False)


def test_multinomial():
    if not uses_mt19937(lambda g: torch.empty(20).exponential_(generator=g), 40):
        pytest.skip("this processor's PyTorch draws exponential_ from another generator")
    both(lambda m: m.multinomial(m.tensor([0.1, 0.2, 0.7]), 1), exact=True)
    both(lambda m: m.multinomial(m.tensor([[0.1, 0.2, 0.7, 0.0, 3.0], [1, 1, 1, 1, 1]]), 4), exact=True)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("places", [1, 2, 3, 17, 64])
def test_multinomial_with_replacement(dtype, places):
    both(lambda m: m.multinomial((m.arange(places) + 1).to(getattr(m, dtype)), 200, True), exact=True)
    both(lambda m: m.multinomial(m.stack([m.ones(places), m.arange(places) + 0.5]), 50, True), exact=True)


def test_memory_is_filled_in_the_order_of_its_strides():
    both(lambda m: m.zeros(4, 6).t().uniform_(), exact=True)
    both(lambda m: m.zeros(2, 3, 4).permute(2, 0, 1).uniform_(), exact=True)
    both(lambda m: m.zeros(4, 6)[:, ::2].uniform_(), exact=True)
    both(lambda m: m.zeros(8, 6)[:, ::2].normal_(), exact=False)
    both(lambda m: m.zeros(8, 6).t().normal_(), exact=False)
    both(lambda m: m.rand_like(m.zeros(3, 4).t()), exact=True)
    both(lambda m: m.randn_like(m.zeros(5, 4).t()), exact=False)
    both(lambda m: m.rand_like(m.zeros(5, 8)[:, ::2]), exact=True)
    both(lambda m: m.randint_like(m.zeros(3, 4).t(), 5, 9), exact=True)
    both(lambda m: m.zeros(3, 4).t().bernoulli_(m.linspace(0, 1, 12).reshape(4, 3)), exact=True)


CALLS = [
    (True, lambda m: m.rand(3)),
    (True, lambda m: m.rand(4, dtype=m.float64)),
    (False, lambda m: m.randn(1)),
    (False, lambda m: m.randn(5)),
    (False, lambda m: m.randn(20)),
    (False, lambda m: m.randn(33, dtype=m.float64)),
    (False, lambda m: m.randn(18, dtype=m.bfloat16)),
    (True, lambda m: m.randint(10, (7,))),
    (True, lambda m: m.randint(2**40, (3,))),
    (True, lambda m: m.randperm(12)),
    (True, lambda m: m.empty(3, 5).uniform_(-0.1, 0.1)),
    (False, lambda m: m.empty(3).log_normal_()),
]


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1, 2**32 + 7, -3])
def test_calls_in_any_order(seed):
    torch.manual_seed(seed)
    tc.manual_seed(seed)
    order = random.Random(seed).choices(CALLS, k=120)
    for exact, draw in order:
        check(draw(torch), draw(tc), exact)


@pytest.mark.parametrize("device", ["reference"])
def test_other_devices_have_the_same_stream(device):
    torch.manual_seed(9)
    tc.manual_seed(9)
    for exact, draw in CALLS:
        with tc.device(device):
            check(draw(torch), draw(tc), exact)


@pytest.mark.parametrize("drawn", [0, 1, 3, 623, 624, 625, 1300])
@pytest.mark.parametrize("odd", [False, True])
def test_states_are_exchanged_both_ways(drawn, odd):
    theirs, ours = torch.Generator().manual_seed(77), tc.Generator().manual_seed(77)
    torch.rand(drawn, generator=theirs)
    tc.rand(drawn, generator=ours)
    if odd:
        check(torch.randn(1, generator=theirs), tc.randn(1, generator=ours), exact=False)
    assert theirs.get_state().tolist() == ours.get_state().tolist()
    theirs_again, ours_again = torch.Generator(), tc.Generator()
    ours_again.set_state(tc.tensor(theirs.get_state().tolist(), dtype=tc.uint8))
    theirs_again.set_state(torch.tensor(ours.get_state().tolist(), dtype=torch.uint8))
    assert ours_again.initial_seed() == theirs_again.initial_seed() == 77
    for exact, draw in [(False, "randn"), (True, "rand")]:
        check(getattr(torch, draw)(3, generator=theirs_again), getattr(tc, draw)(3, generator=ours_again), exact)


def test_a_philox_offset_in_the_state_does_not_disturb_pytorch():
    ours = tc.Generator().manual_seed(5)
    ours.ticket("philox", 1000)
    theirs = torch.Generator()
    theirs.set_state(torch.tensor(ours.get_state().tolist(), dtype=torch.uint8))
    check(torch.rand(4, generator=theirs), tc.rand(4, generator=ours), exact=True)


def test_seeds():
    for seed in (0, 5, -5, 2**63, 2**64 - 1, -(2**63)):
        assert torch.Generator().manual_seed(seed).initial_seed() == tc.Generator().manual_seed(seed).initial_seed()
    assert torch.Generator().initial_seed() == tc.Generator().initial_seed()


BAD = [
    lambda m: m.randint(5, 5, (2,)),
    lambda m: m.randint(300, (2,), dtype=m.uint8),
    lambda m: m.randperm(-1),
    lambda m: m.empty(2).uniform_(1, 0),
    lambda m: m.empty(2).normal_(0, -1),
    lambda m: m.normal(m.zeros(2), m.zeros(2) - 1),
    lambda m: m.empty(2).exponential_(-1.0),
    lambda m: m.empty(2).geometric_(2.0),
    lambda m: m.bernoulli(m.tensor([1.5])),
    lambda m: m.multinomial(m.ones(2), 3),
    lambda m: m.multinomial(-m.ones(2), 1),
    lambda m: m.Generator().manual_seed(2**64),
    lambda m: m.Generator().set_state(m.zeros(5056)),
    lambda m: m.Generator().set_state(m.zeros(10, dtype=m.uint8)),
    lambda m: m.Generator().set_state(m.zeros(5056, dtype=m.uint8)),
]


@pytest.mark.parametrize("place", range(len(BAD)))
def test_errors_are_of_pytorchs_classes(place):
    with pytest.raises(Exception) as theirs:
        BAD[place](torch)
    with pytest.raises(theirs.type):
        BAD[place](tc)
