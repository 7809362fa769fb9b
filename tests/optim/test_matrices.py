"""Optimizers whose steps are more than elementwise: LBFGS, Adafactor, Muon; averages of models."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest

import tensorcore as tc
from tensorcore import nn, optim
from tensorcore.optim import swa_utils
from tests.optim.training_step import training_step

# ------------------------------------------------------------------ LBFGS


def minimised(loss_of, start, device="cpu", **settings):
    p = nn.Parameter(tc.tensor(start, dtype=tc.float64, device=device))
    optimizer = optim.LBFGS([p], **settings)

    def closure():
        optimizer.zero_grad()
        loss = loss_of(p)
        loss.backward()
        return loss

    for _ in range(10):
        optimizer.step(closure)
    return p, optimizer


@pytest.mark.parametrize("device", ["cpu", "reference", "jax"])
def test_lbfgs_solves_a_linear_system(device):
    if device == "jax":
        pytest.importorskip("jax")
    a = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.0, -1.0, 2.0]])
    b = np.array([1.0, -2.0, 3.0])
    matrix, vector = (tc.tensor(x.tolist(), dtype=tc.float64, device=device) for x in (a, b))
    p, _ = minimised(
        lambda x: 0.5 * x @ (matrix @ x) - vector @ x, [0.0, 0.0, 0.0], device, line_search_fn="strong_wolfe"
    )
    assert p.tolist() == pytest.approx(np.linalg.solve(a, b).tolist(), abs=1e-6)


@pytest.mark.parametrize("line_search_fn", [None, "strong_wolfe"])
def test_lbfgs_stops_at_the_limits_and_counts(line_search_fn):
    p, optimizer = minimised(lambda x: (x**4).sum(), [1.0], line_search_fn=line_search_fn, max_iter=2, max_eval=3)
    state = optimizer.state[p]
    assert state["n_iter"] <= 20 and state["func_evals"] <= 40
    assert abs(p.item()) < 1
    # At the minimum a step computes the loss once.
    p, optimizer = minimised(lambda x: (x * x).sum(), [0.0])
    assert optimizer.state[p]["func_evals"] == 10 and "d" not in optimizer.state[p]


def test_lbfgs_keeps_no_more_than_its_history_and_can_be_copied():
    p, optimizer = minimised(lambda x: (x**4 + x * x).sum(), [1.0, -2.0, 3.0], history_size=2, lr=0.3, max_iter=3)
    assert len(optimizer.state[p]["old_dirs"]) == 2
    other = copy.deepcopy(optimizer)
    fresh = optim.LBFGS([q := nn.Parameter(p.detach().clone())], history_size=2, lr=0.3, max_iter=3)
    fresh.load_state_dict(optimizer.state_dict())
    assert fresh.state[q]["old_dirs"][0] is not optimizer.state[p]["old_dirs"][0]
    ends = []
    for each in (optimizer, other, fresh):
        (w,) = each.param_groups[0]["params"]

        def closure(w=w, each=each):
            each.zero_grad()
            loss = (w**4 + w * w).sum()
            loss.backward()
            return loss

        each.step(closure)
        ends.append(w.tolist())
    assert ends[0] == ends[1] == ends[2]


def test_lbfgs_leaves_parameters_without_gradient():
    p, unused = nn.Parameter(tc.ones(1)), nn.Parameter(tc.ones(2))
    optimizer = optim.LBFGS([p, unused], line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = (p.exp() - p).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert unused.tolist() == [1, 1] and abs(p.item()) < 1e-3


# ------------------------------------------------------------------ Adafactor and Muon


def test_adafactor_follows_the_formula():
    rng = np.random.default_rng(0)
    w, g = rng.normal(size=(3, 4)), rng.normal(size=(5, 3, 4))
    p = nn.Parameter(tc.tensor(w.tolist(), dtype=tc.float64))
    optimizer = optim.Adafactor([p], lr=0.05, weight_decay=0.1)
    rows, columns = np.zeros((3, 1)), np.zeros((1, 4))
    for step, grad in enumerate(g, 1):
        p.grad = tc.tensor(grad.tolist(), dtype=tc.float64)
        optimizer.step()
        fresh = step**-0.8
        speed = max(1e-3, np.sqrt((w**2).mean())) * min(0.05, step**-0.5)
        w = w * (1 - 0.05 * 0.1)
        rows = rows + ((grad**2).mean(1, keepdims=True) - rows) * fresh
        columns = columns + ((grad**2).mean(0, keepdims=True) - columns) * fresh
        move = grad / np.sqrt(rows @ columns / rows.mean())
        w = w - speed * move / max(1.0, np.sqrt((move**2).mean()))
    np.testing.assert_allclose(p.detach().numpy(), w, rtol=1e-12)
    state = optimizer.state[p]
    assert {name: tuple(x.shape) for name, x in state.items()} == {"step": (), "row_var": (3, 1), "col_var": (1, 4)}


@pytest.mark.parametrize("shape", [(8, 3), (3, 8), (5, 5)])
def test_muon_brings_singular_values_near_one(shape):
    tc.manual_seed(0)
    p = nn.Parameter(tc.zeros(*shape))
    p.grad = tc.randn(*shape)
    optim.Muon([p], lr=1.0, weight_decay=0.0, adjust_lr_fn="match_rms_adamw").step()
    step = -p.detach().numpy() / (0.2 * math.sqrt(max(shape)))
    values = np.linalg.svd(step, compute_uv=False)
    assert values.min() > 0.4 and values.max() < 1.4
    u, _, v = np.linalg.svd(p.grad.numpy(), full_matrices=False)
    assert np.trace(step.T @ (u @ v)) > 0.8 * min(shape) * 0.8


@pytest.mark.parametrize("cls", [optim.Adafactor, optim.Muon])
def test_steps_of_matrices_can_be_recorded(cls):
    def run(compiled):
        tc.manual_seed(0)
        p = nn.Parameter(tc.rand(3, 4))
        optimizer = cls([p], lr=0.1)
        step = training_step(p, optimizer, compiled)
        return [step().item() for _ in range(5)] + p.flatten().tolist()

    assert run(True) == pytest.approx(run(False), rel=1e-6)


# ------------------------------------------------------------------ averages


def test_means_and_exponential_means_of_models():
    model = nn.Linear(1, 1, bias=False)
    mean = swa_utils.AveragedModel(model)
    moving = swa_utils.AveragedModel(model, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.5))
    other = swa_utils.AveragedModel(model, avg_fn=lambda averaged, current, count: current * count)
    for value in (1.0, 2.0, 6.0):
        nn.init.constant_(model.weight, value)
        for each in (mean, moving, other):
            each.update_parameters(model)
    assert (mean.module.weight.item(), moving.module.weight.item(), other.module.weight.item()) == (3, 3.75, 12)
    assert mean.n_averaged.item() == 3 and mean(tc.ones(1, 1)).item() == 3
    again = swa_utils.AveragedModel(model)
    again.load_state_dict(mean.state_dict())
    nn.init.constant_(model.weight, 7.0)
    again.update_parameters(model)
    assert again.module.weight.item() == 4


@pytest.mark.parametrize("use_buffers", [False, True])
def test_buffers_are_averaged_or_copied(use_buffers):
    model = nn.BatchNorm1d(1)
    mean = swa_utils.AveragedModel(model, use_buffers=use_buffers)
    for value in (1.0, 3.0):
        model.running_mean.fill_(value)
        model.num_batches_tracked.fill_(int(value))
        mean.update_parameters(model)
    assert mean.module.running_mean.item() == (2 if use_buffers else 3)
    assert mean.module.num_batches_tracked.item() == (2 if use_buffers else 3)


def test_statistics_computed_anew_leave_the_mode_and_the_momentum():
    model = nn.Sequential(nn.BatchNorm1d(1, momentum=0.3), nn.Dropout(0.0)).eval()
    swa_utils.update_bn([(tc.tensor([[0.0], [2.0]]), "label"), [tc.tensor([[3.0], [5.0]])]], model, device="cpu")
    norm = model[0]
    assert norm.running_mean.item() == 2.5 and norm.running_var.item() == 2 and norm.num_batches_tracked.item() == 2
    assert norm.momentum == 0.3 and not model.training and not norm.training
    swa_utils.update_bn([object()], nn.Linear(1, 1))
