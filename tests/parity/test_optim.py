"""Optimizers and schedules against PyTorch's: training, state, text, errors."""

from __future__ import annotations

import importlib
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
    ("SGD", {"lr": 0.01, "momentum": 0.9, "dampening": 0.5, "maximize": True, "foreach": True}),
    ("Adam", {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True, "fused": True}),
    ("Adam", {"lr": 0.01, "betas": (0.0, 0.5), "foreach": True}),
    ("RMSprop", {"lr": 0.01, "alpha": 0.5, "eps": 1e-3, "momentum": 0.5, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.01, "centered": True, "maximize": True}),
    ("NAdam", {"lr": 0.01, "betas": (0.8, 0.99), "momentum_decay": 0.1, "eps": 1e-3}),
    ("RAdam", {"lr": 0.01, "betas": (0.8, 0.9), "maximize": True}),
    ("Adamax", {"lr": 0.01, "betas": (0.8, 0.9), "eps": 1e-3}),
    ("Adafactor", {}),
    ("Adafactor", {"lr": 0.1, "weight_decay": 0.1, "maximize": True}),
    ("Adafactor", {"lr": 0.05, "beta2_decay": -0.5, "eps": (1e-3, 1e-2), "d": 2.0, "foreach": True}),
]
IDS = [f"{name}({', '.join(kwargs)})" for name, kwargs in OPTIMIZERS]


def values(tensor):
    return tensor.detach().double().flatten().tolist()


class Job:
    """A small regression: the same model, data and optimizer in either library."""

    def __init__(self, lib, name, kwargs, dtype="float32", scheduled=False):
        lib.manual_seed(0)
        self.lib, dtype = lib, getattr(lib, dtype)
        nn = lib.nn
        self.model = nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 3)).to(dtype)
        self.x, self.y = lib.rand(8, 5).to(dtype), lib.rand(8, 3).to(dtype)
        self.optimizer = getattr(lib.optim, name)(self.model.parameters(), **kwargs)
        self.schedule = lib.optim.lr_scheduler.OneCycleLR(
            self.optimizer, kwargs.get("lr", 0.01), total_steps=60, cycle_momentum=False
        ) if scheduled else None  # fmt: skip

    def step(self):
        self.optimizer.zero_grad()
        loss = ((self.model(self.x) - self.y) ** 2).mean()
        loss.backward()
        self.optimizer.step()
        if self.schedule is not None:
            self.schedule.step()
        return loss.item()

    def run(self, steps):
        return [self.step() for _ in range(steps)]

    def weights(self):
        return [number for parameter in self.model.parameters() for number in values(parameter)]


def relative(ours, theirs):
    """The largest difference of the weights by the largest weight."""
    difference = max(abs(a - b) for a, b in zip(ours.weights(), theirs.weights(), strict=True))
    return difference / max(map(abs, theirs.weights()))


@pytest.mark.parametrize(("name", "kwargs"), OPTIMIZERS, ids=IDS)
def test_the_same_weights_after_fifty_steps(name, kwargs):
    ours, theirs = Job(tc, name, kwargs), Job(torch, name, kwargs)
    assert ours.run(50) == pytest.approx(theirs.run(50), rel=2e-4, abs=1e-6)
    # Steps by the sign of a gradient, and by ratios of gradients near 0, make much of its last bit.
    assert relative(ours, theirs) < (2e-3 if name in ("Rprop", "Adadelta", "RMSprop", "Adafactor") else 1e-4)


@pytest.mark.parametrize(("name", "kwargs"), OPTIMIZERS, ids=IDS)
def test_float64_agrees_to_its_rounding_along_a_schedule(name, kwargs):
    ours, theirs = Job(tc, name, kwargs, "float64", True), Job(torch, name, kwargs, "float64", True)
    ours.run(50)
    theirs.run(50)
    # mu_product (NAdam), eta and mu (ASGD) are numbers in float32, in PyTorch too.
    assert relative(ours, theirs) < (1e-6 if name in ("NAdam", "ASGD") else 1e-10)


@pytest.mark.parametrize(("name", "kwargs"), OPTIMIZERS, ids=IDS)
def test_the_same_state_and_text(name, kwargs):
    ours, theirs = Job(tc, name, kwargs), Job(torch, name, kwargs)
    ours.run(2)
    theirs.run(2)
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


@pytest.mark.parametrize(
    ("device", "name", "kwargs"),
    [("reference", *each) for each in OPTIMIZERS]
    + [("jax", *each) for each in OPTIMIZERS if each[0] in ("SGD", "Adam")],
)
def test_other_devices_agree(device, name, kwargs):
    theirs = Job(torch, name, kwargs)
    theirs.run(3)
    ours = Job(tc, name, kwargs)
    ours.model.to(device)
    ours.x, ours.y = ours.x.to(device), ours.y.to(device)
    ours.optimizer = getattr(tc.optim, name)(ours.model.parameters(), **kwargs)
    ours.run(3)
    assert relative(ours, theirs) < 1e-5


COMPLEX = [
    ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1}), ("Adam", {"lr": 0.1, "amsgrad": True}),
    ("AdamW", {"lr": 0.1}), ("Adamax", {"lr": 0.1}), ("NAdam", {"lr": 0.1}), ("RAdam", {"lr": 0.1}),
    ("RMSprop", {"lr": 0.1, "centered": True, "momentum": 0.5}), ("Adadelta", {}),
    ("Adagrad", {"lr": 0.1, "initial_accumulator_value": 0.1}), ("ASGD", {"lr": 0.1}), ("Rprop", {"lr": 0.1}),
    ("LBFGS", {"max_iter": 3}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "kwargs"), COMPLEX, ids=[name for name, _ in COMPLEX])
def test_complex_parameters(name, kwargs):
    def train(lib):
        p = lib.nn.Parameter(lib.tensor([1 + 2j, -0.5 + 0.25j, 3 - 1j], dtype=lib.complex128))
        goal = lib.tensor([0.5 - 1j, 1j, 2 + 0j], dtype=lib.complex128)
        optimizer = getattr(lib.optim, name)([p], **kwargs)

        def closure():
            optimizer.zero_grad()
            loss = (p - goal).abs().pow(2).sum() + (p * p).real.sum().sin()
            loss.backward()
            return loss

        for _ in range(10):
            optimizer.step(closure)
        numbers = [optimizer.state[p][key] for key in sorted(optimizer.state[p]) if name != "LBFGS"]
        return [p.detach().tolist(), *(n.tolist() for n in numbers)]

    for mine, its in zip(train(tc), train(torch), strict=True):
        assert mine == pytest.approx(its, rel=1e-6)


LBFGS = [
    {}, {"lr": 0.1}, {"max_iter": 4}, {"max_eval": 3}, {"history_size": 2}, {"tolerance_change": 1e-2},
    {"line_search_fn": "strong_wolfe"}, {"line_search_fn": "strong_wolfe", "max_iter": 3, "lr": 0.5},
    {"line_search_fn": "strong_wolfe", "history_size": 3, "lr": 10.0}, {"tolerance_grad": 1e-1},
    {"line_search_fn": "strong_wolfe", "max_eval": 7},
]  # fmt: skip


def valley(x):
    """Rosenbrock's function, whose minimum lies in a bent valley."""
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def descent(lib, kwargs, steps=8, state=None):
    parameters = [lib.nn.Parameter(lib.tensor([-1.2, 1.0], dtype=lib.float64)) for _ in range(2)]
    optimizer = lib.optim.LBFGS(parameters, **kwargs)

    def closure():
        optimizer.zero_grad()
        loss = valley(lib.cat(parameters))
        loss.backward()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(steps)]
    state = optimizer.state[parameters[0]]
    return losses, lib.cat(parameters).tolist(), state["func_evals"], state["n_iter"], optimizer


@pytest.mark.parametrize("kwargs", LBFGS, ids=str)
def test_lbfgs_takes_the_same_way(kwargs):
    if "line_search_fn" not in kwargs:
        kwargs = {"lr": 1e-3} | kwargs
    ours, theirs = descent(tc, kwargs), descent(torch, kwargs)
    assert ours[0] == pytest.approx(theirs[0], rel=1e-6, abs=1e-10)
    assert ours[1] == pytest.approx(theirs[1], rel=1e-6)
    assert ours[2:4] == theirs[2:4]
    mine, its = ours[4].state_dict(), theirs[4].state_dict()
    assert mine["param_groups"] == its["param_groups"]
    assert mine["state"].keys() == its["state"].keys() and mine["state"][0].keys() == its["state"][0].keys()


def test_lbfgs_states_pass_both_ways(tmp_path):
    kwargs = {"line_search_fn": "strong_wolfe", "max_iter": 2}
    for writer, reader in ((tc, torch), (torch, tc)):

        def loss_of(optimizer, lib, parameter):
            optimizer.zero_grad()
            loss = valley(parameter)
            loss.backward()
            return loss

        found = []
        for lib in (writer, reader):
            p = lib.nn.Parameter(lib.tensor([-1.2, 1.0, 0.5], dtype=lib.float64))
            optimizer = lib.optim.LBFGS([p], **kwargs)
            if lib is writer:
                for _ in range(3):
                    optimizer.step(lambda: loss_of(optimizer, lib, p))  # noqa: B023
                lib.save({"p": p.detach(), "state": optimizer.state_dict()}, tmp_path / "lbfgs.pt")
            else:
                saved = lib.load(tmp_path / "lbfgs.pt")
                with lib.no_grad():
                    p.copy_(saved["p"])
                optimizer.load_state_dict(saved["state"])
            for _ in range(3):
                optimizer.step(lambda: loss_of(optimizer, lib, p))  # noqa: B023
            found.append(p.tolist())
        assert found[0] == pytest.approx(found[1], rel=1e-8)


MUON = [
    {}, {"lr": 0.1, "nesterov": False}, {"adjust_lr_fn": "match_rms_adamw", "weight_decay": 0.5},
    {"ns_steps": 2, "momentum": 0.5, "ns_coefficients": (2.0, -1.5, 0.5)}, {"adjust_lr_fn": "original"},
]  # fmt: skip


@pytest.mark.parametrize("kwargs", MUON, ids=str)
@pytest.mark.parametrize("shape", [(6, 4), (3, 8)], ids=str)
def test_muon(kwargs, shape):
    def train(lib):
        lib.manual_seed(0)
        p = lib.nn.Parameter(lib.rand(*shape))
        goal = lib.rand(*shape)
        optimizer = lib.optim.Muon([p], **kwargs)
        for _ in range(50):
            optimizer.zero_grad()
            ((p - goal) ** 2).sum().backward()
            optimizer.step()
        return p, optimizer

    (mine, ours), (its, theirs) = train(tc), train(torch)
    # A last bit that differs before it is rounded to bfloat16 makes 2**-8 of a step.
    assert values(mine) == pytest.approx(values(its), abs=50 * kwargs.get("lr", 1e-3) * 2**-7)
    assert repr(ours) == repr(theirs)
    assert ours.state_dict()["state"][0].keys() == theirs.state_dict()["state"][0].keys()


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("SGD", {"lr": 0.1}), ("SGD", {"lr": 0.1, "momentum": 0.5, "dampening": 0.1}),
        ("SGD", {"lr": 0.1, "maximize": True}), ("Adagrad", {"lr": 0.1, "lr_decay": 0.1}), ("SparseAdam", {"lr": 0.1}),
        ("SparseAdam", {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-3, "maximize": True}),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
def test_sparse_gradients(name, kwargs):
    def train(lib):
        lib.manual_seed(0)
        table = lib.nn.Embedding(6, 3, sparse=True, _weight=lib.rand(6, 3).double())
        optimizer = getattr(lib.optim, name)(table.parameters(), **kwargs)
        for step in range(50):
            optimizer.zero_grad()
            rows = lib.tensor([step % 6, (step * step) % 6, step % 6])
            (table(rows) ** 2).sum().backward()
            optimizer.step()
        return values(table.weight)

    assert train(tc) == pytest.approx(train(torch), rel=1e-10, abs=1e-12)


@pytest.mark.parametrize(("name", "kwargs"), {name: (name, kwargs) for name, kwargs in OPTIMIZERS}.values())
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


@pytest.mark.parametrize(
    "name",
    [
        *sorted({name for name, _ in OPTIMIZERS}),
        "LBFGS",
        "Muon",
        "SparseAdam",
        "swap_in_optimizer_params_and_state",
        *(f"lr_scheduler.{n}" for n in tc.optim.lr_scheduler.__all__),
        *(f"swa_utils.{n}" for n in tc.optim.swa_utils.__all__),
    ],
)
def test_same_signature(name):
    def shape(lib):
        found = lib.optim
        for part in name.split("."):
            found = getattr(found, part)
        found = found.__init__ if inspect.isclass(found) else found
        return [(p.name, p.kind, p.default) for p in inspect.signature(found).parameters.values()]

    assert shape(tc) == shape(torch)


def test_hooks_see_and_change_the_same_arguments():
    found = []
    for lib in (torch, tc):
        seen = []
        p = lib.nn.Parameter(lib.ones(1))
        optimizer = lib.optim.SGD([p], lr=0.5)

        def before(optimizer, args, kwargs, seen=seen):
            seen.append(("before", args[0] is optimizer, len(args), sorted(kwargs)))
            return args, {**kwargs, "closure": lambda: 3.0}

        def after(optimizer, args, kwargs, seen=seen):
            seen.append(("after", args[0] is optimizer, len(args), sorted(kwargs)))

        module = importlib.import_module(f"{lib.__name__}.optim.optimizer")
        every = module.register_optimizer_step_pre_hook(lambda o, a, k, seen=seen: seen.append(len(a)))
        optimizer.register_step_pre_hook(before)
        optimizer.register_step_post_hook(after)
        seen.append(optimizer.step())
        every.remove()
        seen.append(optimizer.step())
        optimizer.register_state_dict_post_hook(lambda o, state: {**state, "first": 1})
        optimizer.register_state_dict_post_hook(lambda o, state: {**state, "saw": list(state)}, prepend=True)
        seen.append(sorted(optimizer.state_dict()))
        seen.append(optimizer.state_dict()["saw"])
        found.append(seen)
    assert found[0] == found[1]


def test_names_of_parameters_pass_through_loading():
    found = []
    for lib in (torch, tc):
        named = lib.optim.Adam([("a", lib.nn.Parameter(lib.ones(1)))])
        plain = lib.optim.Adam([lib.nn.Parameter(lib.ones(1))])
        other = lib.optim.Adam([("b", lib.nn.Parameter(lib.ones(1)))])
        states = named.state_dict(), plain.state_dict()
        other.load_state_dict(states[0])
        seen = [other.param_groups[0]["param_names"]]
        other.load_state_dict(states[1])
        plain.load_state_dict(states[0])
        found.append([*seen, other.param_groups[0].get("param_names"), plain.param_groups[0].get("param_names")])
    assert found[0] == found[1]


def stepped(lib, cls, value, **kwargs):
    p = lib.nn.Parameter(value)
    optimizer = cls([p], **kwargs)

    def closure():
        p.grad = lib.ones_like(p)
        return 1.0

    optimizer.step(closure)


def sparse_step(lib, cls, **kwargs):
    table = lib.nn.Embedding(3, 2, sparse=True)
    table(lib.tensor([0, 2])).sum().backward()
    cls(table.parameters(), **kwargs).step()


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
        lambda lib, p: lib.optim.Adam([p], foreach=True, lr=lib.tensor(0.1)),
        lambda lib, p: lib.optim.Adam([p], betas=(0, 0.9)),
        lambda lib, p: lib.optim.Adam([p], betas=(0.9, lib.ones(1))),
        lambda lib, p: lib.optim.Adam([p], fused=True, differentiable=True),
        lambda lib, p: lib.optim.AdamW([p], weight_decay=-1), lambda lib, p: lib.optim.SGD([p], lr=lib.ones(2)),
        lambda lib, p: lib.optim.Adafactor([p], lr=-1), lambda lib, p: lib.optim.Adafactor([p], beta2_decay=0.5),
        lambda lib, p: lib.optim.Adafactor([p], eps=(-1, 0.1)), lambda lib, p: lib.optim.Adafactor([p], eps=(None, -1)),
        lambda lib, p: lib.optim.Adafactor([p], d=0.5), lambda lib, p: lib.optim.Adafactor([p], weight_decay=-1),
        lambda lib, p: lib.optim.Adafactor([p], lr=lib.ones(2)), lambda lib, p: lib.optim.Muon([p]),
        lambda lib, p: lib.optim.Muon([lib.ones(2, 2)], lr=-1),
        lambda lib, p: lib.optim.Muon([lib.ones(2, 2)], momentum=-1),
        lambda lib, p: lib.optim.Muon([lib.ones(2, 2)], weight_decay=-1),
        lambda lib, p: lib.optim.Muon([lib.ones(2, 2)], adjust_lr_fn="none"),
        lambda lib, p: stepped(lib, lib.optim.Muon, lib.ones(2, 2), ns_steps=100),
        lambda lib, p: stepped(lib, lib.optim.Muon, lib.ones(2, 2), ns_coefficients=(1.0, 2.0)),
        lambda lib, p: stepped(lib, lib.optim.Muon, lib.ones(2, 2, dtype=lib.complex64)),
        lambda lib, p: stepped(lib, lib.optim.Adafactor, lib.ones(2, dtype=lib.complex64)),
        lambda lib, p: stepped(lib, lib.optim.SparseAdam, lib.ones(2)),
        lambda lib, p: lib.optim.SparseAdam([lib.ones(2, dtype=lib.complex64)]),
        lambda lib, p: lib.optim.SparseAdam([lib.ones(2).to_sparse()]), lambda lib, p: lib.optim.SparseAdam([p], lr=0),
        lambda lib, p: lib.optim.SparseAdam([p], eps=0), lambda lib, p: lib.optim.SparseAdam([p], betas=(1.0, 0.9)),
        lambda lib, p: sparse_step(lib, lib.optim.Adam), lambda lib, p: sparse_step(lib, lib.optim.RMSprop),
        lambda lib, p: sparse_step(lib, lib.optim.SGD, weight_decay=0.1),
        lambda lib, p: sparse_step(lib, lib.optim.Adagrad, weight_decay=0.1),
        lambda lib, p: sparse_step(lib, lib.optim.Adafactor), lambda lib, p: sparse_step(lib, lib.optim.Muon),
        lambda lib, p: lib.optim.LBFGS([p], lr=-1), lambda lib, p: lib.optim.LBFGS([p]).step(),
        lambda lib, p: lib.optim.LBFGS([{"params": [p]}, {"params": [lib.zeros(1)]}]),
        lambda lib, p: stepped(lib, lib.optim.LBFGS, lib.ones(2), line_search_fn="golden"),
        lambda lib, p: lib.optim.RMSprop([p], alpha=-1), lambda lib, p: lib.optim.RMSprop([p], momentum=-1),
        lambda lib, p: lib.optim.Adadelta([p], rho=2), lambda lib, p: lib.optim.Adadelta([p], eps=-1),
        lambda lib, p: lib.optim.Adagrad([p], initial_accumulator_value=-1),
        lambda lib, p: lib.optim.Adamax([p], lr=-1),
        lambda lib, p: lib.optim.NAdam([p], momentum_decay=-1), lambda lib, p: lib.optim.RAdam([p], betas=(0.9, 1.0)),
        lambda lib, p: lib.optim.ASGD([p], weight_decay=-1), lambda lib, p: lib.optim.Rprop([p], etas=(1.0, 2.0)),
        lambda lib, p: lib.optim.SGD(p.detach()), lambda lib, p: lib.optim.SGD(3), lambda lib, p: lib.optim.SGD([{}]),
        lambda lib, p: lib.optim.SGD([p], lr="fast"), lambda lib, p: lib.optim.Optimizer([p], {}).step(),
        lambda lib, p: lib.optim.SGD([("a", p)]).add_param_group({"params": [lib.zeros(1)]}),
        lambda lib, p: lib.optim.SGD([p]).add_param_group({"params": [("a", lib.zeros(1))]}),
        lambda lib, p: lib.optim.SGD([p]).load_state_dict({}),
        lambda lib, p: lib.optim.SGD([p]).load_state_dict(lib.optim.SGD([p, lib.zeros(1)]).state_dict()),
        lambda lib, p: lib.optim.swap_in_optimizer_params_and_state(lib.optim.SGD([p]), {}, {}).__enter__(),
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
