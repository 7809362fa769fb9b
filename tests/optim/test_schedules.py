"""Schedules: values by their formulas, resuming, and settings that do not fit."""

from __future__ import annotations

import math

import pytest

import tensorcore as tc
from tensorcore import nn, optim
from tensorcore.optim import lr_scheduler as schedules


def made(lr=1.0, cls=optim.SGD, **settings):
    return cls([nn.Parameter(tc.zeros(1))], lr=lr, **settings)


def trace(optimizer, schedule, steps=6):
    rates = [optimizer.param_groups[0]["lr"]]
    for _ in range(steps):
        optimizer.step()
        schedule.step()
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (lambda o: schedules.LambdaLR(o, lambda t: 1 / (1 + t)), lambda t: 1 / (1 + t)),
        (lambda o: schedules.MultiplicativeLR(o, lambda t: 0.9), lambda t: 0.9**t),
        (lambda o: schedules.StepLR(o, 2, 0.5), lambda t: 0.5 ** (t // 2)),
        (lambda o: schedules.MultiStepLR(o, [1, 4], 0.5), lambda t: 0.5 ** ((t >= 1) + (t >= 4))),
        (lambda o: schedules.ConstantLR(o, 0.25, 3), lambda t: 0.25 if t < 3 else 1.0),
        (lambda o: schedules.LinearLR(o, 0.2, 1.0, 4), lambda t: 0.2 + 0.8 * min(t, 4) / 4),
        (lambda o: schedules.ExponentialLR(o, 0.9), lambda t: 0.9**t),
        (lambda o: schedules.PolynomialLR(o, 4, 2.0), lambda t: (1 - min(t, 4) / 4) ** 2),
        (lambda o: schedules.CosineAnnealingLR(o, 3, 0.1), lambda t: 0.1 + 0.45 * (1 + math.cos(math.pi * t / 3))),
        (
            lambda o: schedules.CosineAnnealingWarmRestarts(o, 3),
            lambda t: 0.5 * (1 + math.cos(math.pi * (t % 3) / 3)),
        ),
    ],
)
def test_rates_follow_the_formula(make, wanted):
    optimizer = made()
    assert trace(optimizer, make(optimizer)) == pytest.approx([wanted(t) for t in range(7)], abs=1e-12)


def test_one_cycle_moves_rate_and_momentum_against_each_other():
    optimizer = made(cls=optim.Adam, betas=(0.5, 0.9))
    schedule = schedules.OneCycleLR(optimizer, max_lr=1.0, total_steps=10, pct_start=0.3, anneal_strategy="linear")
    rates, momenta = [], []
    for _ in range(10):
        rates.append(optimizer.param_groups[0]["lr"])
        momenta.append(optimizer.param_groups[0]["betas"][0])
        optimizer.step()
        if len(rates) < 10:
            schedule.step()
    assert (rates[0], max(rates), rates[2], rates[-1]) == pytest.approx((0.04, 1.0, 1.0, 4e-6))
    assert (momenta[0], momenta[2], momenta[-1]) == pytest.approx((0.95, 0.85, 0.95))
    schedule.step()
    with pytest.raises(ValueError, match="Tried to step 11 times"):
        schedule.step()


def test_a_plateau_reduces_the_rate():
    optimizer = made()
    schedule = schedules.ReduceLROnPlateau(optimizer, mode="max", factor=0.5, patience=1, min_lr=0.3)
    seen = []
    for metric in (tc.tensor(1.0), 1.0, 1.0, 1.0, 1.0, float("nan"), 1.0):
        schedule.step(metric)
        seen.append(optimizer.param_groups[0]["lr"])
    assert seen == [1, 1, 0.5, 0.5, 0.3, 0.3, 0.3]
    again = schedules.ReduceLROnPlateau(made())
    again.load_state_dict(schedule.state_dict())
    assert again.num_bad_epochs == schedule.num_bad_epochs and again.best == 1


def test_sequences_and_chains():
    optimizer = made()
    parts = [schedules.ConstantLR(optimizer, 0.1, 9), schedules.ExponentialLR(optimizer, 0.5)]
    schedule = schedules.SequentialLR(optimizer, parts, [2])
    assert trace(optimizer, schedule, 4) == pytest.approx([0.1, 0.1, 1.0, 0.5, 0.25])
    other = made()
    parts = [schedules.ConstantLR(other, 0.1, 9), schedules.ExponentialLR(other, 0.5)]
    resumed = schedules.SequentialLR(other, parts, [2])
    other.load_state_dict(optimizer.state_dict())
    resumed.load_state_dict(schedule.state_dict())
    assert trace(other, resumed, 1)[-1] == pytest.approx(0.125)
    chained = made()
    parts = [schedules.ExponentialLR(chained, 0.5), schedules.StepLR(chained, 2, 0.1)]
    assert trace(chained, schedules.ChainedScheduler(parts), 2) == pytest.approx([1, 0.5, 0.025])


def test_warnings_of_misordered_and_explicit_steps():
    optimizer = made()
    schedule = schedules.StepLR(optimizer, 2, 0.5)
    with pytest.warns(UserWarning, match="before `optimizer.step"):
        schedule.step()
    with pytest.warns(UserWarning, match="epoch parameter"):
        schedule.step(5)
    assert optimizer.param_groups[0]["lr"] == 0.25


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda o: schedules.StepLR(None, 1), TypeError), (lambda o: schedules.StepLR(o, 1, last_epoch=2), KeyError),
        (lambda o: schedules.LambdaLR(o, [abs, abs]), ValueError), (lambda o: schedules.LinearLR(o, 0), ValueError),
        (lambda o: schedules.LinearLR(o, end_factor=2), ValueError), (lambda o: schedules.ConstantLR(o, 2), ValueError),
        (lambda o: schedules.CosineAnnealingWarmRestarts(o, 0), ValueError),
        (lambda o: schedules.CosineAnnealingWarmRestarts(o, 1, 0), ValueError),
        (lambda o: schedules.OneCycleLR(o, 1.0), ValueError), (lambda o: schedules.OneCycleLR(o, 1.0, 0), ValueError),
        (lambda o: schedules.OneCycleLR(o, 1.0, epochs=-1, steps_per_epoch=1), ValueError),
        (lambda o: schedules.OneCycleLR(o, 1.0, 5, pct_start=2.0), ValueError),
        (lambda o: schedules.OneCycleLR(o, 1.0, 5, anneal_strategy="bend"), ValueError),
        (lambda o: schedules.OneCycleLR(o, [1.0, 2.0], 5), ValueError),
        (lambda o: schedules.OneCycleLR(made(cls=optim.Adagrad), 1.0, 5), ValueError),
        (lambda o: schedules.CyclicLR(o, 0.1, 1.0, mode="square"), ValueError),
        (lambda o: schedules.ReduceLROnPlateau(o, factor=1.0), ValueError),
        (lambda o: schedules.ReduceLROnPlateau(o, mode="least"), ValueError),
        (lambda o: schedules.ReduceLROnPlateau(o, min_lr=[0, 0]), ValueError),
        (lambda o: schedules.SequentialLR(o, [], []), ValueError),
        (lambda o: schedules.SequentialLR(o, [schedules.StepLR(o, 1)], [3]), ValueError),
        (lambda o: schedules.SequentialLR(o, [schedules.StepLR(made(), 1)], []), ValueError),
        (lambda o: schedules.ChainedScheduler([]), ValueError),
        (lambda o: schedules.ChainedScheduler([3], o), TypeError),
        (lambda o: schedules.LRScheduler(o), NotImplementedError),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit(make, error):
    with pytest.raises(error) as raised:
        make(made())
    assert str(raised.value)
