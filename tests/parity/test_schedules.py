"""Schedules and averages of models against PyTorch's: rates, momenta, states, warnings, errors."""

from __future__ import annotations

import copy
import warnings

import pytest

torch = pytest.importorskip("torch")

import tensorcore as tc  # noqa: E402

SCHEDULES = [
    ("LambdaLR", {"lr_lambda": lambda epoch: 0.9**epoch}),
    ("LambdaLR", {"lr_lambda": [lambda epoch: 0.9**epoch, lambda epoch: 1 / (1 + epoch)]}),
    ("MultiplicativeLR", {"lr_lambda": lambda epoch: 0.95}),
    ("StepLR", {"step_size": 3}),
    ("MultiStepLR", {"milestones": [2, 5, 5], "gamma": 0.5}),
    ("ConstantLR", {}),
    ("LinearLR", {"start_factor": 0.2, "end_factor": 0.7, "total_iters": 6}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 6, "power": 2.0}),
    ("CosineAnnealingLR", {"T_max": 4, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3}),
    ("CosineAnnealingWarmRestarts", {"T_0": 2, "T_mult": 2, "eta_min": 0.01}),
    ("OneCycleLR", {"max_lr": [0.5, 0.1], "total_steps": 13}),
    ("OneCycleLR", {"max_lr": 0.5, "epochs": 3, "steps_per_epoch": 5, "three_phase": True}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 15, "anneal_strategy": "linear"}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.3, "step_size_up": 3, "step_size_down": 2}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.3, "step_size_up": 2, "mode": "triangular2"}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.3, "step_size_up": 2, "mode": "exp_range", "gamma": 0.9}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": [0.3, 0.2], "step_size_up": 2, "scale_fn": lambda x: 0.5**x}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.3, "step_size_up": 2, "cycle_momentum": False}),
    ("swa_utils.SWALR", {"swa_lr": 0.05, "anneal_epochs": 4}),
    ("swa_utils.SWALR", {"swa_lr": [0.05, 0.5], "anneal_epochs": 3, "anneal_strategy": "linear"}),
    ("swa_utils.SWALR", {"swa_lr": 0.05, "anneal_epochs": 0}),
]


IDS = [f"{i}-{name}" for i, (name, _) in enumerate(SCHEDULES)]


def class_of(lib, name):
    where, _, name = name.rpartition(".")
    return getattr(getattr(lib.optim, where or "lr_scheduler"), name)


def scheduled(lib, name, kwargs, optimizer="SGD", rates=(0.1, 0.02)):
    settings = {"momentum": 0.9} if optimizer == "SGD" else {}
    groups = [{"params": [lib.nn.Parameter(lib.zeros(1))], "lr": rate} for rate in rates]
    optimizer = getattr(lib.optim, optimizer)(groups, lr=rates[0], **settings)
    return optimizer, class_of(lib, name)(optimizer, **copy.deepcopy(kwargs))


def rates(optimizer):
    return [
        [group["lr"], group["betas"][0] if "betas" in group else group["momentum"]] for group in optimizer.param_groups
    ]


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize(("name", "kwargs"), SCHEDULES, ids=IDS)
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


@pytest.mark.parametrize(("name", "kwargs"), SCHEDULES, ids=IDS)
def test_rates_in_tensors(name, kwargs):
    found = []
    for lib in (torch, tc):
        rates = [lib.tensor(0.1, dtype=lib.float64), lib.tensor(0.02, dtype=lib.float64)]
        made, schedule = scheduled(lib, name, kwargs, rates=rates)
        trace = []
        for _ in range(8):
            made.step()
            schedule.step()
            assert all(group["lr"] is rate for group, rate in zip(made.param_groups, rates, strict=True))
            assert not any(last is rate for last, rate in zip(schedule.get_last_lr(), rates, strict=True))
            trace += [rate.item() for rate in rates] + [last.item() for last in schedule.get_last_lr()]
        found.append(trace + [float(base) for base in schedule.base_lrs])
    assert found[1] == pytest.approx(found[0], rel=1e-9)


@pytest.mark.parametrize(("name", "kwargs"), SCHEDULES, ids=IDS)
def test_steps_to_an_epoch(name, kwargs):
    if name.startswith("swa"):
        pytest.skip("counts its steps")
    found = []
    for lib in (torch, tc):
        made, schedule = scheduled(lib, name, kwargs)
        trace = []
        for epoch in (3, 1, 7, 5):
            made.step()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                schedule.step(epoch)
            trace += [group["lr"] for group in made.param_groups] + [schedule.last_epoch]
        found.append(trace)
    assert found[1] == pytest.approx(found[0], rel=1e-9, abs=1e-15)


@pytest.mark.parametrize(("name", "kwargs"), SCHEDULES, ids=IDS)
def test_states_pass_both_ways(name, kwargs):
    def run(made, schedule, steps):
        for _ in range(steps):
            made.step()
            schedule.step()
        return [group["lr"] for group in made.param_groups]

    made = {lib: scheduled(lib, name, kwargs) for lib in (torch, tc)}
    for each in made.values():
        run(*each, 3)
    states = {lib: schedule.state_dict() for lib, (_, schedule) in made.items()}
    assert states[tc].keys() == states[torch].keys()
    wanted = {lib: run(*each, 3) for lib, each in made.items()}
    for writer, reader in ((tc, torch), (torch, tc)):
        again, schedule = scheduled(reader, name, kwargs)
        run(again, schedule, 1)
        for group, lr in zip(again.param_groups, states[writer]["_last_lr"], strict=True):
            group["lr"] = lr
        schedule.load_state_dict(copy.deepcopy(states[writer]))
        assert run(again, schedule, 3) == pytest.approx(wanted[writer], rel=1e-9)


def nested(lib):
    schedules = lib.optim.lr_scheduler
    made = lib.optim.SGD([lib.nn.Parameter(lib.zeros(1))], lr=0.1)
    inner = schedules.SequentialLR(
        made, [schedules.ConstantLR(made, 0.5, 2), schedules.ExponentialLR(made, 0.9)], milestones=[2]
    )
    return made, schedules.SequentialLR(made, [inner, schedules.StepLR(made, 2)], milestones=[5])


@pytest.mark.filterwarnings("ignore:Detected call of")  # PyTorch's own, of the inner sequence
def test_sequences_in_sequences():
    found = []
    for lib in (torch, tc):
        made, schedule = nested(lib)
        trace = [made.param_groups[0]["lr"]]
        for _ in range(9):
            made.step()
            schedule.step()
            trace.append(made.param_groups[0]["lr"])
        found.append(trace)
        assert set(schedule.state_dict()) >= {"_schedulers", "_milestones", "last_epoch", "_last_lr"}
    assert found[1] == pytest.approx(found[0], rel=1e-9)


PLATEAUS = [
    {}, {"mode": "max"}, {"patience": 0, "threshold": 0.5, "threshold_mode": "abs"}, {"patience": 1, "cooldown": 2},
    {"patience": 0, "min_lr": [0.05, 0.001], "factor": 0.3}, {"patience": 0, "eps": 0.05},
]  # fmt: skip


@pytest.mark.parametrize("kwargs", PLATEAUS, ids=str)
@pytest.mark.parametrize("tensor", [False, True])
def test_plateaus(kwargs, tensor):
    found = []
    for lib in (torch, tc):
        rates = [lib.tensor(rate, dtype=lib.float64) if tensor else rate for rate in (0.1, 0.02)]
        made, schedule = scheduled(lib, "ReduceLROnPlateau", kwargs, rates=rates)
        trace = []
        for metric in (3.0, 2.0, lib.tensor(2.5), 2.0, 2.0, float("nan"), 1.0, 1.2, 1.1, 1.0, 0.9999, 5.0, 6.0, 6.0):
            schedule.step(metric)
            trace += [float(group["lr"]) for group in made.param_groups]
        found.append([*trace, schedule.num_bad_epochs, schedule.cooldown_counter, schedule.best])
        found[-1].append(len(schedule.state_dict()))
    assert found[1] == pytest.approx(found[0], rel=1e-9)


def misordered(lib):
    scheduled(lib, "StepLR", {"step_size": 2})[1].step()


def late(lib):
    made = lib.optim.SGD([lib.nn.Parameter(lib.zeros(1))], lr=0.1)
    made.step()
    lib.optim.lr_scheduler.StepLR(made, 2).step()


def overridden(lib):
    made, schedule = scheduled(lib, "StepLR", {"step_size": 2})
    made.step = lambda: None
    made.step()
    schedule.step()


def asked(lib):
    scheduled(lib, "StepLR", {"step_size": 2})[1].get_lr()


def epoch(lib):
    made, schedule = scheduled(lib, "StepLR", {"step_size": 2})
    made.step()
    schedule.step(3)


def metric_epoch(lib):
    scheduled(lib, "ReduceLROnPlateau", {})[1].step(1.0, 3)


def wrapped_before(lib):
    made = lib.optim.SGD([lib.nn.Parameter(lib.zeros(1))], lr=0.1)
    inner = made.step
    made.step = type(inner)(lambda self: inner(), made)
    schedule = lib.optim.lr_scheduler.StepLR(made, 2)
    made.step()
    schedule.step()


@pytest.mark.parametrize("program", [misordered, late, overridden, asked, epoch, metric_epoch, wrapped_before])
def test_the_same_warnings(program):
    found = []
    for lib in (torch, tc):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            program(lib)
        found.append([each.category for each in caught])
    assert found[1] == found[0]


class Net:
    """A small model with batch normalisation, and its training."""

    def __init__(self, lib):
        lib.manual_seed(0)
        self.lib, nn = lib, lib.nn
        self.model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, 2))
        self.data = [(lib.rand(8, 4), lib.rand(8, 2)) for _ in range(3)]

    def train(self, averaged, epochs=4):
        optimizer = self.lib.optim.SGD(self.model.parameters(), lr=0.1)
        for _ in range(epochs):
            for x, y in self.data:
                optimizer.zero_grad()
                ((self.model(x) - y) ** 2).mean().backward()
                optimizer.step()
            averaged.update_parameters(self.model)

    def numbers(self, averaged):
        return {name: value.double().flatten().tolist() for name, value in averaged.state_dict().items()}


AVERAGES = [
    lambda swa: {}, lambda swa: {"use_buffers": True},
    lambda swa: {"multi_avg_fn": swa.get_ema_multi_avg_fn(0.9), "use_buffers": True},
    lambda swa: {"avg_fn": swa.get_ema_avg_fn(0.5)}, lambda swa: {"avg_fn": swa.get_swa_avg_fn()},
    lambda swa: {"multi_avg_fn": swa.get_swa_multi_avg_fn()},
    lambda swa: {"avg_fn": lambda mean, value, count: (mean + value) / (count + 1)}, lambda swa: {"device": "cpu"},
]  # fmt: skip


@pytest.mark.parametrize("make", AVERAGES)
def test_averaged_models(make):
    found = []
    for lib in (torch, tc):
        net = Net(lib)
        swa = lib.optim.swa_utils
        averaged = swa.AveragedModel(net.model, **make(swa))
        net.train(averaged)
        before = net.numbers(averaged)
        swa.update_bn(net.data, averaged)
        swa.update_bn([x for x, _ in net.data], averaged, device="cpu")
        found.append([before, net.numbers(averaged), averaged(net.data[0][0]).flatten().tolist()])
        assert averaged.training and averaged.module[1].momentum == 0.1
    for mine, its in zip(found[1][:2], found[0][:2], strict=True):
        assert list(mine) == list(its)
        for name in its:
            assert mine[name] == pytest.approx(its[name], rel=1e-4, abs=1e-5), name
    assert found[1][2] == pytest.approx(found[0][2], rel=1e-4, abs=1e-5)


BAD = [
    lambda t, o: t.optim.lr_scheduler.LambdaLR(o, [abs, abs]), lambda t, o: t.optim.lr_scheduler.MultiplicativeLR(o, 3),
    lambda t, o: t.optim.lr_scheduler.ConstantLR(o, 2), lambda t, o: t.optim.lr_scheduler.LinearLR(o, end_factor=-1),
    lambda t, o: t.optim.lr_scheduler.CosineAnnealingWarmRestarts(o, 1.5),
    lambda t, o: t.optim.lr_scheduler.CosineAnnealingWarmRestarts(o, 2, eta_min="a"),
    lambda t, o: t.optim.lr_scheduler.CosineAnnealingWarmRestarts(o, 2).step(-1),
    lambda t, o: t.optim.lr_scheduler.CyclicLR(3, 0.1, 0.2), lambda t, o: t.optim.lr_scheduler.OneCycleLR(3, 0.1),
    lambda t, o: t.optim.lr_scheduler.CyclicLR(o, [0.1, 0.2], 0.2),
    lambda t, o: t.optim.lr_scheduler.CyclicLR(o, 0.1, 0.2, mode="square"),
    lambda t, o: t.optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=2.5),
    lambda t, o: t.optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=5, pct_start=1),
    lambda t, o: t.optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=5, anneal_strategy="bend"),
    lambda t, o: t.optim.lr_scheduler.OneCycleLR(o, 0.1, epochs=5, steps_per_epoch=0),
    lambda t, o: t.optim.lr_scheduler.ReduceLROnPlateau(3), lambda t, o: t.optim.lr_scheduler.ChainedScheduler([]),
    lambda t, o: t.optim.lr_scheduler.ReduceLROnPlateau(o, mode="least"),
    lambda t, o: t.optim.lr_scheduler.ReduceLROnPlateau(o, threshold_mode="least"),
    lambda t, o: t.optim.lr_scheduler.ReduceLROnPlateau(o, min_lr=[0, 0]),
    lambda t, o: t.optim.lr_scheduler.SequentialLR(o, [t.optim.lr_scheduler.StepLR(o, 1)], [1]),
    lambda t, o: t.optim.lr_scheduler.SequentialLR(o, [3], []),
    lambda t, o: t.optim.lr_scheduler.LRScheduler(o), lambda t, o: t.optim.lr_scheduler.StepLR(o, 1).step("a"),
    lambda t, o: t.optim.swa_utils.SWALR(o, 0.1, anneal_epochs=-1), lambda t, o: t.optim.swa_utils.SWALR(o, [0.1, 1]),
    lambda t, o: t.optim.swa_utils.SWALR(o, 0.1, anneal_epochs=1.5), lambda t, o: t.optim.swa_utils.SWALR(3, 0.1),
    lambda t, o: t.optim.swa_utils.SWALR(o, 0.1, anneal_strategy="bend"),
    lambda t, o: t.optim.swa_utils.get_ema_avg_fn(2), lambda t, o: t.optim.swa_utils.get_ema_multi_avg_fn(-1.0),
    lambda t, o: t.optim.swa_utils.AveragedModel(t.nn.Linear(1, 1), avg_fn=abs, multi_avg_fn=abs),
]  # fmt: skip


@pytest.mark.parametrize("make", BAD)
def test_bad_settings_raise_the_same_class(make):
    def call(lib):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            make(lib, lib.optim.SGD([lib.nn.Parameter(lib.zeros(1))], lr=0.1, momentum=0.9))

    with pytest.raises(Exception) as theirs:
        call(torch)
    with pytest.raises(theirs.type) as ours:
        call(tc)
    assert str(ours.value)


@pytest.mark.parametrize("module", ["optim", "optim.lr_scheduler", "optim.swa_utils"])
def test_the_same_public_names(module):
    def names(lib):
        for part in module.split("."):
            lib = getattr(lib, part)
        return set(lib.__all__)

    assert names(tc) == names(torch) | ({"Optimizer"} & names(tc))
