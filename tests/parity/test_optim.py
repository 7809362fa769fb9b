"""Optimizers and schedules against PyTorch's: training, state, text, errors."""

from __future__ import annotations

import copy
import inspect

import pytest

torch = pytest.importorskip("torch")

import tensorcore as tc  # noqa: E402

OPTIMIZERS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.01, "weight_decay": 0.1, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("Adam", {"lr": 0.01}),
    ("Adam", {"lr": 0.01, "betas": (0.0, 0.9), "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
    ("Adam", {"lr": 0.01, "amsgrad": True, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.01}),
    ("AdamW", {"lr": 0.01, "amsgrad": True, "maximize": True, "weight_decay": 0.5}),
    ("RMSprop", {"lr": 0.01}),
    ("RMSprop", {"lr": 0.01, "centered": True, "momentum": 0.9, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.01, "momentum": 0.5, "maximize": True}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.1}),
    ("Adagrad", {"lr": 0.1, "maximize": True}),
    ("Adadelta", {"lr": 1.0, "weight_decay": 0.1}),
    ("Adadelta", {"lr": 0.5, "rho": 0.5, "maximize": True}),
    ("Adamax", {"lr": 0.01, "weight_decay": 0.1}),
    ("Adamax", {"lr": 0.01, "maximize": True}),
    ("NAdam", {"lr": 0.01, "weight_decay": 0.1}),
    ("NAdam", {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
    ("RAdam", {"lr": 0.01, "weight_decay": 0.1}),
    ("RAdam", {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("ASGD", {"lr": 0.1, "lambd": 0.1, "weight_decay": 0.1}),
    ("ASGD", {"lr": 0.01, "lambd": 0.1, "t0": 3, "maximize": True}),
    ("Rprop", {"lr": 0.01}),
    ("Rprop", {"lr": 0.01, "etas": (0.6, 1.5), "step_sizes": (1e-3, 0.05), "maximize": True}),
]
IDS = [f"{name}({', '.join(kwargs)})" for name, kwargs in OPTIMIZERS]


def values(tensor):
    return tensor.detach().double().flatten().tolist()


class Job:
    """A small regression: the same model, data and optimizer in either library."""

    def __init__(self, lib, name, kwargs, dtype="float32"):
        lib.manual_seed(0)
        self.lib, dtype = lib, getattr(lib, dtype)
        nn = lib.nn
        self.model = nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 3)).to(dtype)
        self.x, self.y = lib.rand(8, 5).to(dtype), lib.rand(8, 3).to(dtype)
        self.optimizer = getattr(lib.optim, name)(self.model.parameters(), **kwargs)

    def step(self):
        self.optimizer.zero_grad()
        loss = ((self.model(self.x) - self.y) ** 2).mean()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def run(self, steps):
        return [self.step() for _ in range(steps)]

    def weights(self):
        return [number for parameter in self.model.parameters() for number in values(parameter)]


@pytest.mark.parametrize(("name", "kwargs"), OPTIMIZERS, ids=IDS)
def test_same_losses_weights_and_state_over_twenty_steps(name, kwargs):
    ours, theirs = Job(tc, name, kwargs), Job(torch, name, kwargs)
    assert ours.run(20) == pytest.approx(theirs.run(20), rel=2e-4, abs=1e-6)
    assert ours.weights() == pytest.approx(theirs.weights(), rel=2e-3, abs=2e-4)
    mine, its = ours.optimizer.state_dict(), theirs.optimizer.state_dict()
    assert mine["param_groups"] == its["param_groups"]
    assert list(mine["param_groups"][0]) == list(its["param_groups"][0])
    assert list(mine["state"]) == list(its["state"])
    for number, state in its["state"].items():
        assert list(mine["state"][number]) == list(state)
        for key, value in state.items():
            got = mine["state"][number][key]
            assert (list(got.shape), got.dtype.name) == (list(value.shape), str(value.dtype)[6:]), key
    assert repr(ours.optimizer) == repr(theirs.optimizer)


@pytest.mark.parametrize(("name", "kwargs"), OPTIMIZERS, ids=IDS)
@pytest.mark.parametrize("device", ["cpu", "reference"])
def test_float64_agrees_to_its_rounding(name, kwargs, device):
    theirs = Job(torch, name, kwargs, "float64")
    theirs.run(8)
    tc.set_default_device("cpu")
    ours = Job(tc, name, kwargs, "float64")
    ours.model.to(device)
    ours.x, ours.y = ours.x.to(device), ours.y.to(device)
    ours.optimizer = getattr(tc.optim, name)(ours.model.parameters(), **kwargs)
    ours.run(8)
    # mu_product (NAdam), eta and mu (ASGD) are kept in float32, by PyTorch too.
    assert ours.weights() == pytest.approx(theirs.weights(), rel=1e-6 if name in ("NAdam", "ASGD") else 1e-9, abs=1e-7)


@pytest.mark.parametrize(("name", "kwargs"), OPTIMIZERS[2::4], ids=IDS[2::4])
def test_states_pass_both_ways(name, kwargs, tmp_path):
    ours, theirs = Job(tc, name, kwargs), Job(torch, name, kwargs)
    ours.run(3)
    tc.save({"model": ours.model.state_dict(), "optimizer": ours.optimizer.state_dict()}, tmp_path / "ours.pt")
    saved = torch.load(tmp_path / "ours.pt")
    theirs.model.load_state_dict(saved["model"])
    theirs.optimizer.load_state_dict(saved["optimizer"])
    assert ours.run(3) == pytest.approx(theirs.run(3), rel=1e-4, abs=1e-6)
    torch.save({"model": theirs.model.state_dict(), "optimizer": theirs.optimizer.state_dict()}, tmp_path / "theirs.pt")
    again = Job(tc, name, kwargs)
    saved = tc.load(tmp_path / "theirs.pt")
    again.model.load_state_dict(saved["model"])
    again.optimizer.load_state_dict(saved["optimizer"])
    assert again.run(3) == pytest.approx(theirs.run(3), rel=1e-4, abs=1e-6)


SCHEDULES = [
    ("LambdaLR", {"lr_lambda": lambda epoch: 0.9**epoch}),
    ("LambdaLR", {"lr_lambda": [lambda epoch: 0.9**epoch, lambda epoch: 1 / (1 + epoch)]}),
    ("MultiplicativeLR", {"lr_lambda": lambda epoch: 0.95}),
    ("StepLR", {"step_size": 3}),
    ("MultiStepLR", {"milestones": [2, 5, 5], "gamma": 0.5}),
    ("ConstantLR", {}),
    ("LinearLR", {"start_factor": 0.2, "end_factor": 0.7, "total_iters": 6}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("PolynomialLR", {"total_iters": 6, "power": 2.0}),
    ("CosineAnnealingLR", {"T_max": 4, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 2, "T_mult": 2, "eta_min": 0.01}),
    ("OneCycleLR", {"max_lr": [0.5, 0.1], "total_steps": 13}),
    ("OneCycleLR", {"max_lr": 0.5, "epochs": 3, "steps_per_epoch": 5, "three_phase": True}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 15, "anneal_strategy": "linear"}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.3, "step_size_up": 3, "step_size_down": 2}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.3, "step_size_up": 2, "mode": "triangular2"}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.3, "step_size_up": 2, "mode": "exp_range", "gamma": 0.9}),
]


def scheduled(lib, name, kwargs, optimizer="SGD"):
    settings = {"momentum": 0.9} if optimizer == "SGD" else {}
    groups = [{"params": [lib.nn.Parameter(lib.zeros(1))]}, {"params": [lib.nn.Parameter(lib.zeros(1))], "lr": 0.02}]
    optimizer = getattr(lib.optim, optimizer)(groups, lr=0.1, **settings)
    return optimizer, getattr(lib.optim.lr_scheduler, name)(optimizer, **copy.deepcopy(kwargs))


def rates(optimizer):
    return [
        [group["lr"], group["betas"][0] if "betas" in group else group["momentum"]] for group in optimizer.param_groups
    ]


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize(("name", "kwargs"), SCHEDULES, ids=[f"{i}-{s[0]}" for i, s in enumerate(SCHEDULES)])
def test_schedules_set_the_same_rates(name, kwargs, optimizer):
    found = []
    for lib in (torch, tc):
        made, schedule = scheduled(lib, name, kwargs, optimizer)
        trace = [*rates(made)]
        for _ in range(12):
            made.step()
            schedule.step()
            trace += [*rates(made), schedule.get_last_lr()]
        found.append([number for pair in trace for number in pair])
        # A schedule resumed from its state goes on as the one that was saved.
        again, resumed = scheduled(lib, name, kwargs, optimizer)
        again.load_state_dict(made.state_dict())
        resumed.load_state_dict(schedule.state_dict())
        for each, step in ((made, schedule), (again, resumed)):
            each.step()
            step.step()
        assert rates(made) == rates(again)
    assert found[1] == pytest.approx(found[0], rel=1e-9, abs=1e-15)


def test_combined_schedules_set_the_same_rates():
    found = []
    for lib in (torch, tc):
        schedules = lib.optim.lr_scheduler
        first = lib.optim.SGD([lib.nn.Parameter(lib.zeros(1))], lr=0.1)
        warm = schedules.LinearLR(first, 0.1, total_iters=4)
        sequence = schedules.SequentialLR(
            first, [warm, schedules.ExponentialLR(first, 0.9), schedules.StepLR(first, 2)], [4, 8]
        )
        second = lib.optim.SGD([lib.nn.Parameter(lib.zeros(1))], lr=0.1)
        chain = schedules.ChainedScheduler([schedules.ConstantLR(second, 0.1, 3), schedules.ExponentialLR(second, 0.9)])
        third = lib.optim.SGD([lib.nn.Parameter(lib.zeros(1))], lr=0.1)
        plateau = schedules.ReduceLROnPlateau(third, patience=1, cooldown=1, factor=0.5)
        trace = []
        for metric in (3, 2, 2, 2, 2.5, 2, 2, 1, 1, 1, 1, 1):
            for optimizer in (first, second, third):
                optimizer.step()
            sequence.step()
            chain.step()
            plateau.step(metric)
            trace += [optimizer.param_groups[0]["lr"] for optimizer in (first, second, third)]
        found.append(trace + sequence.get_last_lr() + chain.get_last_lr() + plateau.get_last_lr())
    assert found[1] == pytest.approx(found[0], rel=1e-9)


@pytest.mark.parametrize(
    "name", [*sorted({name for name, _ in OPTIMIZERS}), *(f"lr_scheduler.{n}" for n in tc.optim.lr_scheduler.__all__)]
)
def test_same_signature(name):
    def shape(lib):
        found = lib.optim
        for part in name.split("."):
            found = getattr(found, part)
        return [(p.name, p.kind, p.default) for p in inspect.signature(found.__init__).parameters.values()]

    assert shape(tc) == shape(torch)


@pytest.mark.parametrize(
    "make",
    [
        lambda lib, p: lib.optim.SGD(p, lr=0.1), lambda lib, p: lib.optim.SGD([], lr=0.1),
        lambda lib, p: lib.optim.SGD([p, 3]), lambda lib, p: lib.optim.SGD([p * 2]),
        lambda lib, p: lib.optim.SGD([{"params": {p}}]),
        lambda lib, p: lib.optim.SGD([p], lr=-1), lambda lib, p: lib.optim.SGD([p], momentum=-1),
        lambda lib, p: lib.optim.SGD([p], nesterov=True), lambda lib, p: lib.optim.Adam([p], betas=(1.0, 0.9)),
        lambda lib, p: lib.optim.SGD([{"params": [p]}, {"params": [p]}]), lambda lib, p: lib.optim.Adam([p], eps=-1),
        lambda lib, p: lib.optim.Adagrad([p], lr_decay=-1), lambda lib, p: lib.optim.SGD([p]).add_param_group([p]),
        lambda lib, p: lib.optim.SGD([p]).load_state_dict({"state": {}, "param_groups": []}),
        lambda lib, p: lib.optim.SGD([("a", p), lib.nn.Parameter(p.detach())]),
        lambda lib, p: lib.optim.Adam([p], foreach=True, fused=True),
        lambda lib, p: lib.optim.lr_scheduler.StepLR(3, 4),
        lambda lib, p: lib.optim.lr_scheduler.StepLR(lib.optim.SGD([p]), 4, last_epoch=3),
        lambda lib, p: lib.optim.lr_scheduler.OneCycleLR(lib.optim.SGD([p]), 0.1),
        lambda lib, p: lib.optim.lr_scheduler.SequentialLR(lib.optim.SGD([p]), [], []),
        lambda lib, p: lib.optim.lr_scheduler.ReduceLROnPlateau(lib.optim.SGD([p]), factor=2),
        lambda lib, p: lib.optim.lr_scheduler.LinearLR(lib.optim.SGD([p]), start_factor=0),
    ],
)  # fmt: skip
def test_bad_settings_raise_the_same_class(make):
    with pytest.raises(Exception) as theirs:
        make(torch, torch.nn.Parameter(torch.zeros(1)))
    with pytest.raises(theirs.type):
        make(tc, tc.nn.Parameter(tc.zeros(1)))
