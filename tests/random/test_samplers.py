"""Random ops: the same numbers on every device, shapes and dtypes, refusals, in-place rules, recording."""

from __future__ import annotations

import math
import statistics
from typing import Any

import pytest

import tensorcore as tc
from tensorcore.dispatch import intercept
from tensorcore.errors import DTypeError, InplaceError, RangeError, ShapeError
from tensorcore.ops.record import REGISTRY

FLOATS = ("float16", "bfloat16", "float32", "float64")
REAL = (*FLOATS, "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool")

#: One draw of every kind, by name; what is drawn with a normal in it may differ in the last places.
EXACT = {
    "rand": lambda: tc.rand(7),
    "rand float64": lambda: tc.rand(7, dtype=tc.float64),
    "rand float16": lambda: tc.rand(7, dtype=tc.float16),
    "rand complex": lambda: tc.rand(7, dtype=tc.complex64),
    "uniform_": lambda: tc.empty(33).uniform_(-0.3, 0.7),
    "uniform_ float64": lambda: tc.empty(33, dtype=tc.float64).uniform_(0.1, 0.7),
    "randint": lambda: tc.randint(-5, 5, (3, 4)),
    "randint wide": lambda: tc.randint(-(2**62), 2**62 + 5, (9,)),
    "random_": lambda: tc.empty(9, dtype=tc.int64).random_(),
    "random_ full": lambda: tc.empty(9, dtype=tc.int64).random_(-(2**63), None),
    "randperm": lambda: tc.randperm(20),
    "bernoulli": lambda: tc.bernoulli(tc.full((20,), 0.3)),
    "bernoulli_": lambda: tc.empty(20).bernoulli_(0.3),
    "multinomial": lambda: tc.multinomial(tc.tensor([0.1, 0.0, 0.6, 0.3]), 3),
    "multinomial again": lambda: tc.multinomial(tc.tensor([[0.1, 0.0, 0.6], [1, 1, 1]]), 9, replacement=True),
}
CLOSE = {
    "randn": lambda: tc.randn(5),
    "randn blocks": lambda: tc.randn(37),
    "randn float64": lambda: tc.randn(40, dtype=tc.float64),
    "randn bfloat16": lambda: tc.randn(37, dtype=tc.bfloat16),
    "randn complex": lambda: tc.randn(3, dtype=tc.complex64),
    "normal": lambda: tc.normal(tc.zeros(4), tc.ones(3, 1)),
    "exponential_": lambda: tc.empty(9).exponential_(2.0),
    "cauchy_": lambda: tc.empty(9).cauchy_(1.0, 2.0),
    "log_normal_": lambda: tc.empty(9).log_normal_(),
    "geometric_": lambda: tc.empty(9).geometric_(0.3),
}
ALL = EXACT | CLOSE


def mean(x: tc.Tensor) -> float:
    return statistics.fmean(x.reshape(-1).tolist())


def run_on(device: str, draw: Any, seed: int = 3) -> Any:
    tc.manual_seed(seed)
    with tc.device(device):
        made = draw()
    assert str(made.device) == device
    return made.tolist()


@pytest.mark.parametrize("name", EXACT)
def test_devices_draw_the_same_bits(name):
    assert run_on("cpu", EXACT[name]) == run_on("reference", EXACT[name])


@pytest.mark.parametrize("name", CLOSE)
def test_devices_draw_the_same_numbers(name):
    flat = [tc.tensor(run_on(device, CLOSE[name])).reshape(-1).tolist() for device in ("cpu", "reference")]
    bound = 1e-2 if "bfloat16" in name else 1e-6
    assert all(abs(a - b) <= bound * max(1, abs(a)) for a, b in zip(*flat, strict=True))


@pytest.mark.parametrize("name", ALL)
def test_a_seed_repeats_and_a_generator_is_used(name):
    assert run_on("cpu", ALL[name]) == run_on("cpu", ALL[name])
    assert run_on("cpu", ALL[name]) != run_on("cpu", lambda: [tc.rand(1), ALL[name]()][1])


@pytest.mark.parametrize("make", [tc.rand, tc.randn])
@pytest.mark.parametrize("dtype", [*FLOATS, "complex64", "complex128"])
@pytest.mark.parametrize("shape", [(), (0,), (1,), (15,), (16,), (17,), (3, 0, 2), (4, 5)])
def test_shape_dtype_and_flags(make, dtype, shape):
    made = make(*shape, dtype=getattr(tc, dtype), requires_grad=True)
    assert made.shape == shape and made.dtype.name == dtype
    assert made.requires_grad and made.is_leaf and not made._is_view()
    assert make(shape, dtype=getattr(tc, dtype)).shape == shape


@pytest.mark.parametrize("dtype", FLOATS)
def test_uniform_numbers_leave_out_one(dtype):
    made = tc.rand(20_000, dtype=getattr(tc, dtype))
    assert made.amin().item() >= 0 and made.amax().item() < 1


def test_a_uniform_interval_of_one_number():
    assert tc.empty(3).uniform_(0.25, 0.25).tolist() == [0.25] * 3


@pytest.mark.parametrize("dtype", REAL)
def test_random_covers_the_dtype(dtype):
    made = tc.zeros(2000, dtype=getattr(tc, dtype)).random_()
    low, high = made.to(tc.float64).amin().item(), made.to(tc.float64).amax().item()
    if dtype in FLOATS:
        top = 2 ** (1 - math.log2(tc.finfo(getattr(tc, dtype)).eps))
    else:
        top = 1 if dtype == "bool" else tc.iinfo(getattr(tc, dtype)).max
    assert 0 <= low <= top / 100 and top * 0.99 <= high <= top


@pytest.mark.parametrize(
    "low, high", [(0, 1), (-3, 4), (5, 2**28), (5, 2**28 + 5), (-(2**63), 2**63 - 1), (0, 2**63 - 1)]
)
def test_randint_stays_in_its_bounds(low, high):
    made = tc.randint(low, high, (500,)).tolist()
    assert low <= min(made) and max(made) < high
    assert max(made) - min(made) >= 0.9 * (high - 1 - low)


def test_randint_takes_its_arguments_like_pytorch():
    tc.manual_seed(1)
    expected = tc.randint(0, 10, (4,)).tolist()
    for draw in (
        lambda: tc.randint(10, (4,)),
        lambda: tc.randint(10, size=(4,)),
        lambda: tc.randint(high=10, size=(4,)),
        lambda: tc.randint(low=0, high=10, size=[4]),
        lambda: tc.randint_like(tc.zeros(4, dtype=tc.int64), 10),
        lambda: tc.randint_like(tc.zeros(4), 0, 10, dtype=tc.int64),
        lambda: tc.empty(4, dtype=tc.int64).random_(10),
        lambda: tc.empty(4, dtype=tc.int64).random_(0, 10),
        lambda: tc.randint(10, (4,), out=tc.empty(4, dtype=tc.int64)),
    ):
        tc.manual_seed(1)
        assert draw().tolist() == expected


@pytest.mark.parametrize("count", [0, 1, 2, 100])
@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "float32"])
def test_randperm_has_every_number_once(count, dtype):
    made = tc.randperm(count, dtype=getattr(tc, dtype))
    assert made.dtype.name == dtype and sorted(made.tolist()) == list(range(count))


@pytest.mark.parametrize("chance", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "bfloat16"])
def test_bernoulli_frequencies(chance, dtype):
    made = tc.empty(4000, dtype=getattr(tc, dtype)).bernoulli_(chance)
    assert abs(mean(made) - chance) < 0.03
    assert abs(mean(tc.bernoulli(tc.full((4000,), chance))) - chance) < 0.03


@pytest.mark.parametrize("count", [15, 9000])
def test_moments_of_normal_numbers(count):
    made = tc.cat([tc.empty(count).normal_(2.0, 3.0) for _ in range(-(-9000 // count))]) - 2.0
    assert abs(mean(made)) < 0.15 and abs(mean(made * made) - 9) < 0.5


def test_multinomial_never_takes_what_has_no_weight():
    weights = tc.tensor([[0.0, 1.0, 2.0], [3.0, 0.0, 1.0]])
    made = tc.multinomial(weights, 3000, replacement=True)
    assert made.shape == (2, 3000) and made.dtype is tc.int64
    share = [mean(made[row] == place) for row in (0, 1) for place in (0, 1, 2)]
    assert share == pytest.approx([0, 1 / 3, 2 / 3, 3 / 4, 0, 1 / 4], abs=0.04)
    assert sorted(tc.multinomial(weights[0], 2).tolist()) == [1, 2]


def test_out_receives_the_numbers():
    out = tc.empty(3, dtype=tc.float64)
    assert tc.rand(3, out=out) is out and 0 < out.sum().item() < 3
    empty = tc.empty(0)
    assert tc.randn(4, out=empty).shape == (4,)


# ------------------------------------------------------------------ refusals

BAD = [
    (lambda: tc.rand(-1), ShapeError, "rand: negative side -1"),
    (lambda: tc.rand(2, dtype=tc.int64), DTypeError, "rand: expected a floating-point or complex dtype"),
    (lambda: tc.randn(2.5), TypeError, "randn: a shape is ints"),
    (lambda: tc.rand(2, generator=7), TypeError, "rand: generator must be a tensorcore.Generator, got int"),
    (lambda: tc.randint(5, 5, (2,)), RangeError, "randint: low must be below high, got low=5 and high=5"),
    (lambda: tc.randint(300, (2,), dtype=tc.uint8), RangeError, "randint: high - 1 = 299 is out of range for .*uint8"),
    (lambda: tc.randint(-1, 5, (2,), dtype=tc.uint8), RangeError, "low = -1 is out of range"),
    (lambda: tc.randint(1.5, (2,)), TypeError, "randint: low and high must be ints"),
    (lambda: tc.randint(3), TypeError, "randint: expected .high, size."),
    (lambda: tc.randint(3, 4), TypeError, "randint: expected .high, size."),
    (lambda: tc.randint(70000, (2,), dtype=tc.float16), RangeError, "high"),
    (lambda: tc.randperm(-1), RangeError, "randperm: n must not be negative, got -1"),
    (lambda: tc.randperm(300, dtype=tc.uint8), RangeError, "randperm: n - 1 = 299 is out of range"),
    (lambda: tc.randperm(3000, dtype=tc.float16), RangeError, "randperm: n - 1 = 2999 is beyond what"),
    (lambda: tc.normal(0.0, 1.0), TypeError, "normal: size is needed"),
    (lambda: tc.normal(tc.zeros(2), 1.0, (2,)), TypeError, "normal: size comes with numbers"),
    (lambda: tc.normal(0.0, -1.0, (2,)), RangeError, "normal: std must not be negative, got -1.0"),
    (lambda: tc.normal(tc.zeros(2), tc.tensor([1.0, -1.0])), RangeError, "normal: every element of std must not be"),
    (lambda: tc.normal(tc.zeros(2), tc.ones(3)), ShapeError, "do not broadcast"),
    (lambda: tc.normal(tc.zeros(2, dtype=tc.int64), 1.0), DTypeError, "normal: expected a floating-point"),
    (lambda: tc.bernoulli(tc.tensor([0.5, 1.5])), RangeError, "bernoulli: every element of p must lie in"),
    (lambda: tc.bernoulli(tc.tensor([math.nan])), RangeError, "bernoulli: every element"),
    (lambda: tc.bernoulli(tc.tensor([0, 1])), DTypeError, "bernoulli: probabilities must be"),
    (lambda: tc.bernoulli(tc.zeros(2), 1.1), RangeError, "bernoulli: p must lie in"),
    (lambda: tc.empty(2).bernoulli_(-0.1), RangeError, "bernoulli_: p must lie in"),
    (lambda: tc.empty(2).bernoulli_(tc.zeros(3)), ShapeError, "expand"),
    (lambda: tc.empty(2).uniform_(1, 0), RangeError, "uniform_: expected from <= to"),
    (lambda: tc.empty(2).uniform_(0, math.inf), RangeError, "uniform_: from=0.0, to=inf"),
    (lambda: tc.empty(2).uniform_(0, math.nan), RangeError, "uniform_"),
    (lambda: tc.empty(2, dtype=tc.float16).uniform_(-6e4, 6e4), RangeError, "uniform_"),
    (lambda: tc.empty(2, dtype=tc.int64).uniform_(), DTypeError, "uniform_: expected a floating-point"),
    (lambda: tc.empty(2).normal_(0, -1), RangeError, "normal_: std must not be negative"),
    (lambda: tc.empty(2, dtype=tc.int64).normal_(), DTypeError, "normal_"),
    (lambda: tc.empty(2).exponential_(0), RangeError, "exponential_: lambd must be positive, got 0"),
    (lambda: tc.empty(2).cauchy_(0, 0), RangeError, "cauchy_: sigma must be positive"),
    (lambda: tc.empty(2).log_normal_(0, 0), RangeError, "log_normal_: std must be positive"),
    (lambda: tc.empty(2).geometric_(1.0), RangeError, "geometric_: p must lie in"),
    (lambda: tc.empty(2, dtype=tc.complex64).exponential_(), DTypeError, "exponential_"),
    (lambda: tc.empty(2, dtype=tc.uint8).random_(5, 3), RangeError, "random_: low must be below high"),
    (lambda: tc.empty(2, dtype=tc.uint8).random_(256, None), RangeError, "random_: from must not be above 255"),
    (lambda: tc.empty(2, dtype=tc.uint8).random_(-1, None), RangeError, "random_: from = -1 is out of range"),
    (lambda: tc.empty(2, dtype=tc.bool).random_(3), RangeError, "random_: high - 1 = 2 is out of range"),
    (lambda: tc.multinomial(tc.ones(2, dtype=tc.int64), 1), DTypeError, "multinomial"),
    (lambda: tc.multinomial(tc.ones(1, 1, 1), 1), ShapeError, "multinomial: expected 1 or 2 dimensions"),
    (lambda: tc.multinomial(tc.ones(3), 4), ShapeError, "multinomial: 4 samples without replacement from 3"),
    (lambda: tc.multinomial(tc.ones(3), 0), ShapeError, "multinomial: num_samples must be positive"),
    (lambda: tc.multinomial(tc.tensor([1.0, -1.0]), 1), RangeError, "multinomial: every element"),
    (lambda: tc.multinomial(tc.tensor([1.0, math.inf]), 1), RangeError, "multinomial: every element"),
    (lambda: tc.multinomial(tc.zeros(2), 1), RangeError, "multinomial: .* positive sum"),
]


@pytest.mark.parametrize("place", range(len(BAD)))
def test_bad_input_is_refused(place):
    call, error, message = BAD[place]
    with pytest.raises(error, match=message):
        call()


def test_a_bound_with_gaps_in_the_dtype_is_warned_of():
    with pytest.warns(UserWarning, match="randint: high - 1 = 16777217 lies outside"):
        tc.randint(2**24 + 4, (2,), dtype=tc.float32)


# ------------------------------------------------------------------ in place

INPLACE = {
    name: REGISTRY[name].front
    for name in ("uniform_", "normal_", "random_", "bernoulli_", "exponential_", "cauchy_", "log_normal_")
}


@pytest.mark.parametrize("name", INPLACE)
def test_a_leaf_that_requires_grad_is_changed_without_grad_only(name):
    leaf = tc.zeros(3, requires_grad=True)
    before = tc.get_rng_state().tolist()
    with pytest.raises(InplaceError, match=name):
        INPLACE[name](leaf)
    assert tc.get_rng_state().tolist() == before
    with tc.no_grad():
        assert INPLACE[name](leaf) is leaf
    assert leaf.is_leaf and leaf.requires_grad and leaf._version == 1


@pytest.mark.parametrize("name", INPLACE)
@pytest.mark.parametrize("device", ["cpu", "reference"])
def test_a_part_is_filled_through_a_view(name, device):
    whole = tc.full((4, 6), -7.0, device=device)
    INPLACE[name](whole[1:3, ::2])
    drawn = whole[1:3, ::2].tolist()
    tc.manual_seed(0)
    assert drawn == INPLACE[name](tc.full((4, 3), 0.0, device=device)[:2, :]).tolist() or name in ("normal_",)
    whole[1:3, ::2] = -7.0
    assert (whole == -7).all().item()


@pytest.mark.parametrize("name", INPLACE)
def test_an_empty_tensor_draws_nothing(name):
    before = tc.get_rng_state().tolist()
    assert INPLACE[name](tc.empty(0, 3)).shape == (0, 3)
    assert tc.get_rng_state().tolist() == before


def test_new_numbers_have_no_gradient():
    x = tc.ones(3, requires_grad=True)
    y = x * 2
    y.uniform_()
    assert y.grad_fn.name() == "UniformBackward0"
    y.sum().backward()
    assert x.grad.tolist() == [0, 0, 0]


# ------------------------------------------------------------------ recording


@pytest.mark.parametrize("name", [name for name in ALL if "multinomial" not in name])
def test_the_door_sees_every_draw_and_a_renewed_ticket_draws_afresh(name):
    tickets: list[Any] = []

    def record(op: Any, inputs: Any, attributes: Any, proceed: Any) -> Any:
        if "ticket" in attributes:
            assert op.random
            tickets.append(attributes["ticket"])
        return proceed()

    tc.manual_seed(6)
    with intercept(record):
        ALL[name]()
    assert tickets
    renewed = [list(ticket.renew().data) for ticket in tickets]
    # What a second eager run would have drawn.
    tc.manual_seed(6)
    ALL[name]()
    again: list[Any] = []
    with intercept(lambda op, inputs, attributes, proceed: (again.append(attributes.get("ticket")), proceed())[1]):
        ALL[name]()
    assert renewed == [list(ticket.data) for ticket in again if ticket is not None]
