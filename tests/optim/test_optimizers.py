"""Optimizers: groups, hooks, closures, state, recorded steps, and the kernels of their update rules."""

from __future__ import annotations

import copy
import pickle

import pytest

import tensorcore as tc
from tensorcore import nn, optim
from tensorcore.errors import CheckpointError
from tensorcore.ops import optimizer as rules
from tensorcore.ops.record import REGISTRY
from tensorcore.optim.updates import apply_updates
from tests.optim.training_step import training_step

UPDATES = rules.__all__
CASES = [(name, i) for name in UPDATES for i in range(len(REGISTRY[name].samples))]
EVERY = [
    optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop, optim.Adagrad, optim.Adadelta, optim.Adamax, optim.NAdam,
    optim.RAdam, optim.ASGD, optim.Rprop, optim.Adafactor,
]  # fmt: skip


def parameter(*values, grad=1.0):
    made = nn.Parameter(tc.tensor(list(values)))
    made.grad = tc.full((len(values),), grad)
    return made


# ------------------------------------------------------------------ groups and state


def test_groups_have_their_own_settings():
    a, b = parameter(1.0), parameter(1.0)
    optimizer = optim.SGD([{"params": [a]}, {"params": b, "lr": 0.5}], lr=0.1)
    optimizer.step()
    assert (a.item(), b.item()) == pytest.approx((0.9, 0.5))
    optimizer.add_param_group({"params": [c := parameter(1.0)], "lr": 1.0})
    optimizer.step()
    assert c.item() == 0 and [len(group["params"]) for group in optimizer.param_groups] == [1, 1, 1]


def test_named_parameters_keep_their_names():
    net = nn.Linear(2, 1)
    optimizer = optim.SGD(net.named_parameters(), lr=0.1)
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]
    with pytest.raises(ValueError, match="names"):
        optimizer.add_param_group({"params": [parameter(1.0)]})


def test_parameters_without_gradient_are_left_alone():
    a, b = parameter(1.0), nn.Parameter(tc.ones(1))
    optimizer = optim.Adam([a, b])
    optimizer.step()
    assert b.item() == 1 and b not in optimizer.state
    optimizer.zero_grad()
    assert a.grad is None
    a.grad = tc.ones(1)
    optimizer.zero_grad(set_to_none=False)
    assert a.grad.tolist() == [0]


def test_the_memory_of_parameters_and_state_stays():
    p = parameter(1.0, 2.0)
    optimizer = optim.Adam([p], amsgrad=True)
    optimizer.step()
    held = [p, *optimizer.state[p].values()]
    places = [t.data_ptr() for t in held]
    optimizer.step()
    assert [t.data_ptr() for t in held] == places and optimizer.state[p]["step"].item() == 2


def test_a_step_after_forward_is_noticed_by_backward():
    p = parameter(1.0)
    loss = (p * p).sum()
    optim.SGD([p], lr=0.1).step()
    with pytest.raises(RuntimeError, match="sgd_update"):
        loss.backward()


@pytest.mark.parametrize("cls", EVERY)
def test_state_survives_saving_copying_and_pickling(cls):
    def run(optimizer, p, steps):
        for _ in range(steps):
            p.grad = p.detach() * 2
            optimizer.step()
        return p.tolist()

    p = parameter(1.0, -2.0)
    optimizer = cls([p], lr=0.1)
    run(optimizer, p, 2)
    copies = [copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))]
    fresh = nn.Parameter(p.detach().clone())
    loaded = cls([fresh], lr=0.5)
    loaded.load_state_dict(optimizer.state_dict())
    wanted = run(optimizer, p, 2)
    assert run(loaded, fresh, 2) == wanted
    for each in copies:
        assert run(each, each.param_groups[0]["params"][0], 2) == wanted


def test_loading_brings_state_to_the_parameters():
    saved = optim.Adam([p := parameter(1.0)])
    saved.step()
    wide = nn.Parameter(tc.ones(1, dtype=tc.float64, device="reference"))
    optimizer = optim.Adam([wide])
    optimizer.load_state_dict(saved.state_dict())
    state = optimizer.state[wide]
    assert (state["exp_avg"].dtype, state["step"].dtype) == (tc.float64, tc.float32)
    assert str(state["step"].device) == str(state["exp_avg"].device) == "reference"
    assert saved.state[p]["exp_avg"].dtype is tc.float32
    old = saved.state_dict()
    old["state"][0]["step"] = 7  # as PyTorch before 1.12 saved it
    optimizer.load_state_dict(old)
    assert optimizer.state[wide]["step"].item() == 7
    with pytest.raises(CheckpointError, match=r"\[1\] parameters, the optimizer has \[2\]"):
        optim.SGD([parameter(1.0), parameter(1.0)]).load_state_dict(optim.SGD([p]).state_dict())


# ------------------------------------------------------------------ steps


def test_a_closure_is_called_with_grad_and_its_loss_returned():
    p = nn.Parameter(tc.ones(1))
    optimizer = optim.SGD([p], lr=0.5)

    def closure():
        optimizer.zero_grad()
        loss = (p * 2).sum()
        loss.backward()
        return loss

    with tc.no_grad():
        assert optimizer.step(closure).item() == 2
    assert p.item() == 0


def test_hooks_surround_steps_saving_and_loading():
    from tensorcore.optim import optimizer as module

    p, seen = parameter(1.0), []
    optimizer = optim.SGD([p], lr=0.5)
    handles = [
        module.register_optimizer_step_pre_hook(lambda o, a, k: seen.append("every pre")),
        module.register_optimizer_step_post_hook(lambda o, a, k: seen.append("every post")),
    ]
    optimizer.register_step_pre_hook(lambda o, a, k: seen.append("pre"))
    optimizer.register_step_post_hook(lambda o, a, k: seen.append("post"))
    optimizer.step()
    for handle in handles:
        handle.remove()
    optimizer.register_state_dict_pre_hook(lambda o: seen.append("saving"))
    optimizer.register_state_dict_post_hook(lambda o, state: {**state, "more": 1})
    optimizer.register_load_state_dict_pre_hook(lambda o, state: seen.append("second"))
    optimizer.register_load_state_dict_pre_hook(lambda o, state: seen.append("first"), prepend=True)
    optimizer.register_load_state_dict_post_hook(lambda o: seen.append("loaded"))
    state = optimizer.state_dict()
    optimizer.load_state_dict(state)
    assert state["more"] == 1
    assert seen == ["every pre", "pre", "post", "every post", "saving", "first", "second", "loaded"]
    optimizer.register_step_pre_hook(lambda o, a, k: 3)
    with pytest.raises(RuntimeError, match=r"\(args, kwargs\)"):
        optimizer.step()


def test_an_optimizer_of_ones_own_has_hooks_too():
    class Sign(optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})

        @tc.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    p.add_(p.grad.sign(), alpha=-group["lr"])

    p, seen = parameter(1.0), []
    optimizer = Sign([p], 0.25)
    optimizer.register_step_post_hook(lambda *_: seen.append(1))
    optimizer.step()
    assert p.item() == 0.75 and seen == [1]


@pytest.mark.parametrize("cls", EVERY)
def test_a_rate_given_as_a_tensor(cls):
    a, b = parameter(1.0, 2.0), parameter(1.0, 2.0)
    rate = tc.tensor(0.25)
    first, second = cls([a], lr=0.25), cls([b], lr=rate)
    for _ in range(2):
        first.step()
        second.step()
    assert b.tolist() == pytest.approx(a.tolist(), rel=1e-6)
    schedule = optim.lr_scheduler.ExponentialLR(second, 0.5)
    second.step()
    schedule.step()
    assert second.param_groups[0]["lr"] is rate and rate.item() == 0.125


def test_a_differentiable_step_passes_gradients():
    p, rate = tc.ones(1, requires_grad=True), tc.tensor(0.5, requires_grad=True)
    inner = (p * 3).clone()
    inner.retain_grad()
    optimizer = optim.SGD([inner], lr=rate, differentiable=True)
    (inner * inner).sum().backward(retain_graph=True)
    optimizer.step()
    inner.sum().backward()
    assert rate.grad.item() == -6


@pytest.mark.parametrize("cls", EVERY)
@pytest.mark.parametrize("dtype", [tc.float16, tc.bfloat16])
def test_half_precision_parameters(cls, dtype):
    p = nn.Parameter(tc.zeros(3, dtype=dtype))
    p.grad = tc.ones(3, dtype=dtype)
    cls([p], lr=0.5).step()
    assert p.dtype is dtype and all(value < 0 for value in p.tolist())


def test_complex_parameters_only_where_the_rule_has_a_meaning():
    complex_parameter = nn.Parameter(tc.ones(1, dtype=tc.complex64))
    complex_parameter.grad = tc.ones(1, dtype=tc.complex64)
    optim.SGD([complex_parameter], lr=0.5).step()
    assert complex_parameter.tolist() == [0.5]
    with pytest.raises(NotImplementedError, match="does not define step"):
        optim.Optimizer([parameter(1.0)], {}).step()


# ------------------------------------------------------------------ recorded steps


@pytest.mark.parametrize("cls", EVERY)
def test_a_recorded_step_counts_on_and_notices_settings(cls):
    def run(compiled):
        p = nn.Parameter(tc.tensor([1.0, -2.0]))
        optimizer = cls([p], lr=0.1)
        step = training_step(p, optimizer, compiled)
        losses = [step().item() for _ in range(4)]
        optimizer.param_groups[0]["lr"] = 0.01
        losses += [step().item() for _ in range(3)]
        if compiled:
            assert len(next(iter(step.recordings.values()))) == 2
        return losses + p.tolist()

    assert run(True) == pytest.approx(run(False), rel=1e-6)


def test_a_recorded_step_notices_that_a_state_was_loaded():
    p = nn.Parameter(tc.tensor([1.0]))
    optimizer = optim.SGD([p], lr=0.25, momentum=0.5)

    @tc.compile
    def step():
        optimizer.zero_grad()
        (p * 1).sum().backward()
        optimizer.step()

    for _ in range(3):
        step()
    saved = copy.deepcopy(optimizer.state_dict())
    saved["state"][0]["momentum_buffer"].fill_(6.0)
    optimizer.load_state_dict(saved)
    with tc.no_grad():
        p.fill_(1.0)
    step()
    assert p.item() == 1 - 0.25 * (0.5 * 6 + 1) and optimizer.state[p]["momentum_buffer"].item() == 4


def test_a_rate_in_a_tensor_needs_no_new_recording():
    p, rate = nn.Parameter(tc.ones(1)), tc.tensor(0.1)
    optimizer = optim.SGD([p], lr=rate)

    @tc.compile
    def step():
        optimizer.zero_grad()
        (p * 2).sum().backward()
        optimizer.step()

    for each in (0.1, 0.1, 0.1, 0.05, 0.05):
        rate.fill_(each)
        step()
    assert len(next(iter(step.recordings.values()))) == 1
    assert p.item() == pytest.approx(1 - 2 * (0.3 + 0.1))


# ------------------------------------------------------------------ kernels


def drawn(sample):
    draws = []
    domains = sample.get("domains") or [None] * len(sample["shapes"])
    for shape, domain in zip(sample["shapes"], domains, strict=True):
        low, high = domain or (-2, 2)
        draws.append(tc.rand(*shape) * (high - low) + low)
    return draws, {k: v for k, v in sample.items() if k not in ("shapes", "domains")}


@pytest.mark.parametrize("layout", ["rows", "columns", "transposed gradient", "empty", "0-d", "large"])
@pytest.mark.parametrize(("name", "number"), CASES)
def test_kernels_equal_the_expression_and_leave_operands_alone(name, number, layout):
    op = REGISTRY[name]
    tensors, attributes = drawn(op.samples[number])
    # The counters, 0-d, come as they are.
    for place, tensor in enumerate(tensors):
        if tensor.ndim:
            if layout == "empty":
                tensors[place] = tc.zeros(0, 3)
            elif layout == "0-d":
                tensors[place] = tensor.reshape(-1)[0].clone()
            elif layout == "large":
                tensors[place] = tensor.reshape(-1)[:3].repeat(7_000)
            elif tensor.ndim == 2 and (layout == "columns" or (place == 1 and layout == "transposed gradient")):
                tensors[place] = tensor.t().contiguous().t()
    before = [tensor.tolist() for tensor in tensors]
    results = op(*tensors, **attributes)
    assert [tensor.tolist() for tensor in tensors] == before
    assert len(results) <= op.outputs + 1
    far = [tensor.to("reference") if layout != "large" else tensor.double() for tensor in tensors]
    for got, wanted in zip(results, op(*far, **attributes), strict=True):
        assert got.reshape(-1).tolist()[:50] == pytest.approx(wanted.reshape(-1).tolist()[:50], rel=1e-4, abs=1e-5)
    targets = [tensors[0], *(t for t in tensors[2:] if t.shape == tensors[0].shape)][: len(results)]
    operands = [*tensors, *[None] * (len(op.operands) - len(tensors))]
    defaults = {n: p.default for n, p in op.signature.parameters.items() if p.kind is p.KEYWORD_ONLY}
    with tc.no_grad():
        apply_updates(op, [operands], {**defaults, **attributes})
    if layout not in ("0-d", "empty"):
        for target, result in zip(targets, results, strict=True):
            assert target.flatten().tolist() == pytest.approx(result.flatten().tolist(), rel=1e-6)
