"""Update rules run on all parameters of a group: one call, whatever the layouts, dtypes and states."""

from __future__ import annotations

import numpy as np
import pytest

import tensorcore as tc
from tensorcore import nn, optim
from tensorcore.errors import ShapeError
from tensorcore.optim.updates import apply_updates
from tensorcore_cpu import optimizer as kernels

RULES = [
    (optim.SGD, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}), (optim.SGD, {}),
    (optim.Adam, {"amsgrad": True}),
    (optim.AdamW, {"weight_decay": 0.5, "maximize": True}), (optim.Adamax, {}),
    (optim.NAdam, {"weight_decay": 0.1, "decoupled_weight_decay": True}), (optim.RAdam, {}),
    (optim.RMSprop, {"momentum": 0.5, "centered": True}), (optim.Adagrad, {"lr_decay": 0.1}), (optim.Adadelta, {}),
    (optim.ASGD, {"weight_decay": 0.1}), (optim.Rprop, {}),
]  # fmt: skip
IDS = [cls.__name__ for cls, _ in RULES]


def parameters(dtype=tc.float32):
    """Parameters of many layouts, some without gradient, with gradients that are views of many kinds."""
    tc.manual_seed(0)
    made = [
        nn.Parameter(tc.rand(*shape, dtype=dtype)) for shape in ((3, 5), (), (0, 4), (33,), (2, 3, 4), (1,), (5, 3))
    ]
    made.append(nn.Parameter(tc.rand(4, 6, dtype=dtype).t()))
    made.append(nn.Parameter(tc.rand(20, dtype=dtype)[::2]))
    for p in made:
        p.grad = tc.rand(*p.shape, dtype=dtype) - 0.5
    made[0].grad = (tc.rand(5, 3, dtype=dtype) - 0.5).t()
    made[3].grad = tc.tensor(0.25, dtype=dtype).expand(33)
    made[6].grad = None
    return made


def trained(cls, settings, together, dtype=tc.float32):
    made = parameters(dtype)
    groups = [made] if together else [[p] for p in made]
    optimizers = [cls(group, lr=0.1, **settings) for group in groups]
    for step in range(4):
        for optimizer in optimizers:
            optimizer.step()
        if step == 1:
            # From here on their counters differ.
            made[6].grad = tc.ones(5, 3, dtype=dtype)
    return [p.detach().clone() for p in made]


@pytest.mark.parametrize(("cls", "settings"), RULES, ids=IDS)
@pytest.mark.parametrize("dtype", [tc.float32, tc.float64])
def test_many_parameters_in_one_call_are_updated_as_one_by_one(cls, settings, dtype):
    for one, other in zip(trained(cls, settings, True, dtype), trained(cls, settings, False, dtype), strict=True):
        assert one.tolist() == other.tolist()


@pytest.mark.parametrize(("cls", "settings"), RULES, ids=IDS)
def test_numpy_agrees_with_the_machine_code(cls, settings, monkeypatch):
    compiled = trained(cls, settings, True)
    monkeypatch.setattr(kernels, "isa", lambda: None)
    for one, other in zip(compiled, trained(cls, settings, True), strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("cls", "settings"), RULES, ids=IDS)
def test_differentiable_steps_have_the_derivatives_of_differences(cls, settings):
    def after(w):
        p = w.clone()
        p.retain_grad()
        optimizer = cls([p], lr=0.1, differentiable=True, **settings)
        for step in range(3):
            p.grad = w * w * (step + 1) + 0.3
            optimizer.step()
        return p

    w = tc.tensor([1.0, -2.0, 0.5], dtype=tc.float64, requires_grad=True)
    # Counters and what is computed of them are in float32.
    assert tc.autograd.gradcheck(after, (w,), eps=1e-5, atol=1e-4, rtol=1e-4)


def test_groups_may_mix_dtypes_and_devices():
    made = [
        nn.Parameter(tc.ones(2, dtype=dtype, device=device))
        for dtype in (tc.float32, tc.float64, tc.float16, tc.complex64) for device in ("cpu", "reference")
        if not (dtype is tc.complex64 and device == "reference")
    ]  # fmt: skip
    for p in made:
        p.grad = tc.ones_like(p)
    optim.SGD(made, lr=0.5).step()
    assert all(abs(value - 0.5) < 1e-3 for p in made for value in p.tolist())
    assert [p.dtype.name for p in made[::2]] == ["float32", "float64", "float16", "complex64"]


def test_state_that_does_not_fit_is_refused():
    p = nn.Parameter(tc.ones(3))
    p.grad = tc.ones(3)
    optimizer = optim.Adam([p])
    optimizer.step()
    optimizer.state[p]["exp_avg"] = tc.zeros(2)
    with pytest.raises(ShapeError, match=r"exp_avg of shape \[2\] does not fit its parameter, of shape \[3\]"):
        optimizer.step()
    apply_updates(optim.Adam._rule, [], {})


def test_zero_grad_keeps_the_tensor_that_it_clears():
    p = nn.Parameter(tc.ones(2))
    p.grad = grad = tc.ones(2)
    optim.SGD([p]).zero_grad(set_to_none=False)
    assert p.grad is grad and grad.tolist() == [0, 0]


def test_an_optimizer_at_work_on_other_parameters():
    p, other = nn.Parameter(tc.ones(1)), nn.Parameter(tc.zeros(1))
    p.grad = other.grad = tc.ones(1)
    optimizer = optim.Adam([p], lr=0.1)
    with pytest.raises(RuntimeError, match="no state yet"), optim.swap_in_optimizer_params_and_state(optimizer, {}, {}):
        pass
    optimizer.step()
    saved = optimizer.state_dict()
    saved["state"][0] = {name: value.clone() for name, value in saved["state"][0].items()}
    saved["param_groups"][0]["lr"] = 0.5
    state = optimizer.state
    with optim.swap_in_optimizer_params_and_state(optimizer, {"p": other}, saved):
        optimizer.step()
    assert other.item() == pytest.approx(-0.5) and p.item() == pytest.approx(0.9)
    assert optimizer.state is state and optimizer.param_groups[0]["lr"] == 0.1
    assert saved["state"][0]["step"].item() == 2 and state[p]["step"].item() == 1


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda s: s.pop("state"), "'state' must be a dict"),
        (lambda s: s["param_groups"].clear(), "has 0 parameter groups"),
        (lambda s: s["param_groups"][0].pop("lr"), "differs from the optimizer's in .'lr'"),
        (lambda s: s["param_groups"][0]["params"].append(1), "has 2 parameters"),
        (lambda s: s["param_groups"][0].update(params=["a"]), "list of numbers"),
        (lambda s: s.update(param_groups=3), "list of dicts"), (lambda s: s["state"].update({7: {}}), r"\[7\]"),
    ],
)  # fmt: skip
def test_states_that_do_not_fit_are_not_swapped_in(change, text):
    p = nn.Parameter(tc.ones(1))
    p.grad = tc.ones(1)
    optimizer = optim.Adam([p])
    optimizer.step()
    saved = optimizer.state_dict()
    change(saved)
    with pytest.raises(RuntimeError, match=text), optim.swap_in_optimizer_params_and_state(optimizer, {"p": p}, saved):
        pass


def test_the_order_of_settings_does_not_matter():
    """Compiled updates are kept by what is on, which is named."""
    native = np.dtype("float64")
    kept, usual = kernels.Update("radam_update", native), {"lr": 0.1, "beta1": 0.9, "beta2": 0.99, "eps": 1e-8}

    def updated(update, settings):
        param = np.full(4, 2.0)
        state = (np.ones(4), np.zeros(4), np.zeros(4), np.array(3.0), None)
        update.many([[param, *state]], **usual, **settings)
        return param.tolist()

    for settings in (
        {"weight_decay": 0.5, "maximize": False, "decoupled_weight_decay": False},
        {"maximize": True, "weight_decay": 0.0, "decoupled_weight_decay": False},
        {"decoupled_weight_decay": False, "maximize": False, "weight_decay": 0.5},
    ):
        assert updated(kept, settings) == updated(kernels.Update("radam_update", native), settings)
