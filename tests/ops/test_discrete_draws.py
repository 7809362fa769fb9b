"""Poisson and binomial draws: their distributions, their refusals, the same numbers on every device."""

from __future__ import annotations

import math

import pytest

import tensorcore as tc

COUNT = 20_000


def binomial_chance(n, p, k):
    return math.comb(n, k) * p**k * (1 - p) ** (n - k)


def poisson_chance(rate, k):
    return math.exp(k * math.log(rate) - rate - math.lgamma(k + 1))


def check(drawn, chance, limit):
    """A chi-squared test over the numbers that are expected at least ten times; six deviations are let pass."""
    counts = tc.bincount(drawn.to(tc.int64), minlength=limit).tolist()
    expected = [COUNT * chance(k) for k in range(limit)]
    kept = [(have, want) for have, want in zip(counts, expected, strict=False) if want >= 10]
    statistic = sum((have - want) ** 2 / want for have, want in kept)
    freedom = len(kept)
    assert sum(have for have, _ in kept) > 0.97 * COUNT
    assert abs(statistic - freedom) < 6 * math.sqrt(2 * freedom), (statistic, freedom)


@pytest.mark.parametrize("rate", [0.3, 4.0, 9.99, 10.0, 25.0, 400.0])
def test_poisson_numbers_have_their_chances(rate):
    tc.manual_seed(0)
    check(tc.poisson(tc.full((COUNT,), rate)), lambda k: poisson_chance(rate, k), int(rate + 12 * math.sqrt(rate) + 12))


@pytest.mark.parametrize("n, p", [(1, 0.5), (7, 0.2), (20, 0.9), (30, 0.45), (100, 0.1), (100, 0.97), (1000, 0.5)])
def test_binomial_numbers_have_their_chances(n, p):
    tc.manual_seed(0)
    drawn = tc.binomial(tc.full((COUNT,), float(n)), tc.tensor(p))
    assert drawn.max().item() <= n
    check(drawn, lambda k: binomial_chance(n, p, k), n + 1)


def test_edges_of_the_parameters():
    assert tc.poisson(tc.tensor([0.0, 0.0])).tolist() == [0, 0]
    assert tc.poisson(tc.zeros(2, 0)).shape == (2, 0)
    assert tc.poisson(tc.tensor(3.0, dtype=tc.float16)).dtype is tc.float16
    count = tc.tensor([5.0, 5.0, 0.0, -1.0, 5.0, 5.0])
    assert tc.binomial(count, tc.tensor([0.0, 1.0, 0.5, 0.5, 2.0, -1.0])).tolist() == [0, 5, 0, 0, 5, 0]
    assert tc.binomial(tc.tensor(5.0), tc.tensor(math.nan)).isnan()


def test_large_rates_keep_their_mean_and_spread():
    tc.manual_seed(0)
    drawn = tc.poisson(tc.full((COUNT,), 1e6, dtype=tc.float64))
    assert abs(drawn.mean().item() - 1e6) < 6 * 1e3 / math.sqrt(COUNT)
    assert abs(drawn.std().item() - 1e3) < 6 * 1e3 / math.sqrt(2 * COUNT)


def test_refusals_say_what_was_expected():
    with pytest.raises(RuntimeError, match="not be negative"):
        tc.poisson(tc.tensor([1.0, -1.0]))
    with pytest.raises(RuntimeError, match="not be negative"):
        tc.poisson(tc.tensor([math.nan]))
    with pytest.raises(RuntimeError, match="int64"):
        tc.poisson(tc.tensor([1]))
    with pytest.raises(RuntimeError, match="same floating-point dtype"):
        tc.binomial(tc.tensor([5]), tc.tensor([0.5]))
    with pytest.raises(RuntimeError, match="broadcast"):
        tc.binomial(tc.ones(2), tc.ones(3))


def test_the_same_seed_gives_the_same_numbers_on_another_device():
    for draw in (
        lambda d: tc.poisson(tc.linspace(0, 40, 30, device=d)),
        lambda d: tc.binomial(tc.full((30,), 60.0, device=d), tc.linspace(0, 1, 30, device=d)),
    ):
        tc.manual_seed(3)
        here = draw("cpu").tolist()
        tc.manual_seed(3)
        assert draw("reference").tolist() == here
        assert draw("cpu").tolist() != here


def test_generators_are_taken():
    rates = tc.full((50,), 7.0)
    draws = [tc.poisson(rates, generator=tc.Generator().manual_seed(1)).tolist() for _ in range(2)]
    assert draws[0] == draws[1]
