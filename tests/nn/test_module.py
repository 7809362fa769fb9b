"""Modules: registration, attributes, walks, calls, conversion, copies, text."""

from __future__ import annotations

import copy
import pickle

import pytest

import tensorcore as tc
from tensorcore import nn
from tensorcore.errors import DeviceError, DTypeError, ShapeError


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(2, 3)
        self.rest = nn.Sequential(nn.ReLU(), nn.Linear(3, 1))
        self.scale = nn.Parameter(tc.ones(1))
        self.register_buffer("count", tc.tensor(0))
        self.register_buffer("cache", tc.zeros(1), persistent=False)

    def forward(self, x):
        return self.rest(self.first(x)) * self.scale


# ------------------------------------------------------------------ parameters and buffers


def test_a_parameter_is_a_leaf_that_requires_grad_over_the_given_memory():
    data = tc.zeros(2)
    parameter = nn.Parameter(data)
    assert isinstance(parameter, tc.Tensor) and parameter.is_leaf and parameter.requires_grad
    data.fill_(3)
    assert parameter.tolist() == [3, 3]
    assert repr(nn.Parameter(tc.zeros(1))) == "Parameter containing:\ntensor([0.], requires_grad=True)"
    assert not nn.Parameter(tc.zeros(1), requires_grad=False).requires_grad
    assert list(nn.Parameter().shape) == [0]
    assert type(parameter * 2) is tc.Tensor


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])
def test_copies_of_parameters_are_parameters(duplicate):
    made = duplicate(nn.Parameter(tc.ones(2)))
    assert type(made) is nn.Parameter and made.requires_grad and made.tolist() == [1, 1]


def test_parameters_of_wrong_kind_are_refused():
    with pytest.raises(DTypeError, match="int64"):
        nn.Parameter(tc.tensor([1]))
    with pytest.raises(TypeError, match="list"):
        nn.Parameter([1.0])
    assert nn.Parameter(tc.tensor([1]), requires_grad=False).tolist() == [1]


def test_buffers_assigned_as_attributes():
    module = nn.Module()
    module.kept, module.lost = nn.Buffer(tc.zeros(1)), nn.Buffer(tc.zeros(1), persistent=False)
    assert [name for name, _ in module.named_buffers()] == ["kept", "lost"]
    assert list(module.state_dict()) == ["kept"]
    module.kept = tc.ones(1)
    assert module.state_dict()["kept"].tolist() == [1]


# ------------------------------------------------------------------ registration and attributes


def test_attributes_go_to_their_registries_and_back():
    net = Net()
    assert [name for name, _ in net.named_parameters()] == [
        "scale", "first.weight", "first.bias", "rest.1.weight", "rest.1.bias",
    ]  # fmt: skip
    assert [name for name, _ in net.named_buffers()] == ["count", "cache"]
    assert [name for name, _ in net.named_modules()] == ["", "first", "rest", "rest.0", "rest.1"]
    assert [name for name, _ in net.named_children()] == ["first", "rest"]
    net.scale = None
    assert net.scale is None and "scale" in net._parameters
    net.first = nn.Identity()
    del net.count
    assert len(list(net.parameters())) == 2 and not hasattr(net, "count")
    net.cache = nn.Parameter(tc.ones(1))
    assert "cache" in net._parameters and "cache" not in net._buffers
    assert {"first", "rest", "cache", "forward"} <= set(dir(net))


def test_shared_members_are_named_once_unless_asked():
    layer = nn.Linear(2, 2)
    net = nn.Sequential(layer, layer)
    assert len(list(net.parameters())) == 2
    assert len(list(net.named_parameters(remove_duplicate=False))) == 4
    assert len(list(net.modules())) == 2
    assert [name for name, _ in net.named_modules(remove_duplicate=False)] == ["", "0", "1"]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda m: setattr(m, "scale", tc.zeros(1)), TypeError, "cannot assign .*Tensor.* as parameter 'scale'"),
        (lambda m: setattr(m, "first", 3), TypeError, "cannot assign .*int.* as child module 'first'"),
        (lambda m: setattr(m, "count", 3), TypeError, "cannot assign .*int.* as buffer 'count'"),
        (lambda m: m.register_parameter("a.b", None), KeyError, "name can.*contain"),
        (lambda m: m.register_parameter("", None), KeyError, "empty string"),
        (lambda m: m.register_parameter(3, None), TypeError, "should be a string"),
        (lambda m: m.register_parameter("forward", None), KeyError, "already exists"),
        (lambda m: m.register_parameter("p", tc.zeros(1)), TypeError, "expected a Parameter"),
        (lambda m: m.register_buffer("b", 3), TypeError, "expected a tensor"),
        (lambda m: m.add_module("m", 3), TypeError, "expected a Module"),
        (lambda m: m.nothing, AttributeError, "'Net' object has no attribute 'nothing'"),
        (lambda m: delattr(m, "nothing"), AttributeError, "nothing"),
        (lambda m: m.get_submodule("first.depth"), AttributeError, "no attribute 'depth'"),
        (lambda m: m.get_submodule("scale"), AttributeError, "not a module"),
        (lambda m: m.get_parameter("first"), AttributeError, "not a parameter"),
        (lambda m: m.get_buffer("first.weight"), AttributeError, "not a buffer"),
        (lambda m: m.set_submodule("", nn.ReLU()), ValueError, "empty"),
        (lambda m: m.set_submodule("nothing", nn.ReLU(), strict=True), AttributeError, "nothing"),
        (lambda m: m.train("yes"), ValueError, "bool"),
        (lambda m: m.to(tc.int64), TypeError, "int64"),
        (lambda m: m.to("nowhere"), DeviceError, "nowhere"),
    ],
)
def test_misuse_is_named(change, error, message):
    with pytest.raises(error, match=message):
        change(Net())


def test_a_module_without_its_base_initialised_says_so():
    class Forgetful(nn.Module):
        def __init__(self, value):
            self.member = value

    for value in (nn.Parameter(tc.ones(1)), nn.ReLU(), nn.Buffer(tc.ones(1))):
        with pytest.raises(AttributeError, match=r"before Module.__init__\(\) call"):
            Forgetful(value)
    with pytest.raises(TypeError, match="takes none: int"):
        nn.Module(3)


def test_paths_lead_to_members():
    net = Net()
    assert net.get_submodule("rest.1") is net.rest[1] and net.get_submodule("") is net
    assert net.get_parameter("rest.1.bias") is net.rest[1].bias and net.get_buffer("count") is net.count
    net.set_submodule("rest.0", nn.Tanh())
    assert isinstance(net.rest[0], nn.Tanh)


def test_registration_hooks_may_replace():
    from tensorcore.nn.modules import hooks

    seen = []
    handles = [
        hooks.register_module_parameter_registration_hook(lambda m, name, p: seen.append(name)),
        hooks.register_module_buffer_registration_hook(lambda m, name, b: seen.append(name)),
        hooks.register_module_module_registration_hook(lambda m, name, child: nn.Tanh()),
    ]
    try:
        module = nn.Module()
        module.p, module.child = nn.Parameter(tc.ones(1)), nn.ReLU()
        module.register_buffer("b", tc.ones(1))
    finally:
        for handle in handles:
            handle.remove()
    assert seen == ["p", "b"] and isinstance(module.child, nn.Tanh)


# ------------------------------------------------------------------ modes and conversion


def test_modes_and_freezing_reach_the_whole_tree():
    net = Net().eval()
    assert not any(module.training for module in net.modules())
    assert all(module.training for module in net.train().modules())
    net.requires_grad_(False)
    assert not any(p.requires_grad for p in net.parameters())


def test_zero_grad():
    net = Net()
    net(tc.ones(1, 2)).sum().backward()
    net.zero_grad(set_to_none=False)
    assert net.scale.grad.tolist() == [0]
    net.zero_grad()
    assert net.scale.grad is None


@pytest.mark.parametrize(
    ("convert", "dtype"),
    [
        (lambda m: m.double(), tc.float64), (lambda m: m.half(), tc.float16), (lambda m: m.bfloat16(), tc.bfloat16),
        (lambda m: m.double().float(), tc.float32), (lambda m: m.to(tc.float64), tc.float64),
        (lambda m: m.to(tc.zeros(1, dtype=tc.float64)), tc.float64), (lambda m: m.to("cpu", tc.float16), tc.float16),
    ],
)  # fmt: skip
def test_conversion_keeps_the_objects_and_leaves_integers(convert, dtype):
    net = Net()
    before = list(net.parameters())
    assert convert(net) is net
    assert all(a is b for a, b in zip(before, net.parameters(), strict=True))
    assert all(p.dtype is dtype and p.requires_grad for p in before)
    assert net.cache.dtype is dtype and net.count.dtype is tc.int64


def test_moving_takes_gradients_along():
    net = Net()
    net(tc.ones(1, 2)).sum().backward()
    net.to("reference")
    assert str(net.scale.device) == str(net.scale.grad.device) == str(net.count.device) == "reference"
    assert net(tc.ones(1, 2, device="reference")).shape == (1, 1)
    assert net.to_empty(device="cpu").first.weight.shape == (3, 2)
    assert net.type(tc.float64).count.dtype is tc.float64


# ------------------------------------------------------------------ copies and text


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_whole_and_apart(duplicate):
    net = Net().eval()
    made = duplicate(net)
    with tc.no_grad():
        net.scale.fill_(7)
    assert made.scale.tolist() == [1] and not made.training
    assert repr(made) == repr(net) and list(made.state_dict()) == list(net.state_dict())
    assert made(tc.ones(1, 2)).item() == pytest.approx(net(tc.ones(1, 2)).item() / 7)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_tied_parameters_stay_tied_in_copies(duplicate):
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[1].weight = net[0].weight
    made = duplicate(net).double().to("reference")
    assert made[1].weight is made[0].weight and made[0].weight is not net[0].weight
    assert len(list(made.parameters())) == 3 and made[0].weight.dtype is tc.float64


def test_text_of_extra_lines():
    class Odd(nn.Module):
        def extra_repr(self):
            return "a=1\nb=2"

    odd = Odd()
    assert repr(odd) == "Odd(\n  a=1\n  b=2\n)"
    odd.child = nn.ReLU()
    assert repr(odd) == "Odd(\n  a=1\n  b=2\n  (child): ReLU()\n)"


# ------------------------------------------------------------------ calls


def test_an_error_is_noted_with_the_path_of_the_module():
    class Tree(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = nn.Sequential(nn.ReLU(), nn.Linear(2, 3))

        def forward(self, x):
            return self.features(x)

    with pytest.raises(ShapeError) as raised:
        Tree()(tc.ones(4, 5))
    assert raised.value.__notes__ == ["in module 'features.1' (Linear), called with [4, 5] float32"]
    with pytest.raises(ShapeError) as raised:
        nn.Linear(2, 3)(tc.ones(4, 5))
    assert raised.value.__notes__ == ["in module Linear, called with [4, 5] float32"]
    with pytest.raises(NotImplementedError, match=r"Module \[Module\] is missing"):
        nn.Module()()


def test_compile_changes_nothing_but_speed():
    net, x = nn.Linear(3, 2), tc.ones(1, 3)
    with tc.no_grad():
        before = net(x)
        net.compile()
        assert [net(x).tolist() for _ in range(3)] == [before.tolist()] * 3
    assert "_compiled_call_impl" not in copy.deepcopy(net).__dict__
