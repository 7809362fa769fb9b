"""Containers of modules and of parameters."""

from __future__ import annotations

from collections import OrderedDict

import pytest

import tensorcore as tc
from tensorcore import nn
from tensorcore.errors import DeviceError, ShapeError


def names(container):
    return [type(module).__name__ for module in container]


def test_sequential_is_a_list_that_can_be_called():
    net = nn.Sequential(nn.ReLU(), nn.Tanh(), nn.Sigmoid())
    assert names(net[1:]) == ["Tanh", "Sigmoid"] and isinstance(net[-1], nn.Sigmoid) and len(net) == 3
    assert names(net.append(nn.ELU()).insert(0, nn.GELU())) == ["GELU", "ReLU", "Tanh", "Sigmoid", "ELU"]
    del net[1:3]
    assert names(net) == ["GELU", "Sigmoid", "ELU"] and list(net._modules) == ["0", "1", "2"]
    assert isinstance(net.pop(0), nn.GELU) and names(net.extend([nn.ReLU()])) == ["Sigmoid", "ELU", "ReLU"]
    net[0] = nn.Tanh()
    assert names(net + nn.Sequential(nn.ReLU()))[-2:] == ["ReLU", "ReLU"] and names(2 * net[:1]) == ["Tanh", "Tanh"]
    net *= 2
    net += nn.Sequential(nn.ReLU())
    assert len(net) == 7
    named = nn.Sequential(OrderedDict(act=nn.ReLU(), out=nn.Tanh()))
    assert isinstance(named.act, nn.ReLU) and named(tc.tensor([-1.0])).tolist() == [0]
    assert nn.Sequential()(3) == 3


def test_module_lists():
    modules = nn.ModuleList([nn.ReLU()])
    modules += [nn.Tanh()]
    modules.insert(0, nn.ELU())
    assert names(modules) == ["ELU", "ReLU", "Tanh"] and names(modules[::2]) == ["ELU", "Tanh"]
    assert names(modules.__add__([nn.GELU()]))[-1] == "GELU" and "0" not in dir(modules)
    modules[1] = nn.Linear(1, 1)
    assert isinstance(modules.pop(-1), nn.Tanh) and len(list(modules.parameters())) == 2


def test_module_dicts():
    modules = nn.ModuleDict({"a": nn.ReLU()})
    modules.update([["b", nn.Tanh()]])
    modules.update(nn.ModuleDict({"a": nn.ELU()}))
    assert list(modules) == list(modules.keys()) == ["a", "b"] and names(modules.values()) == ["ELU", "Tanh"]
    assert "a" in modules and isinstance(modules.pop("a"), nn.ELU) and len(modules) == 1
    del modules["b"]
    assert not modules.items()
    modules["c"] = nn.ReLU()
    modules.clear()
    assert len(modules) == 0


def test_parameter_lists():
    parameters = nn.ParameterList([tc.ones(2), nn.Parameter(tc.zeros(1)), "kept"])
    assert [type(p).__name__ for p in parameters] == ["Parameter", "Parameter", "str"]
    assert len(list(parameters.parameters())) == 2 and list(parameters.state_dict()) == ["0", "1"]
    parameters += [tc.ones(3)]
    parameters[0] = tc.zeros(4)
    assert [list(p.shape) for p in (parameters[0], parameters[-1], *parameters[1:2])] == [[4], [3], [1]]


def test_parameter_dicts():
    parameters = nn.ParameterDict({"b": tc.ones(1), "a": tc.ones(2), "forward": tc.ones(3)})
    assert list(parameters) == ["a", "b", "forward"] and parameters["forward"].shape == (3,)
    merged = parameters | nn.ParameterDict({"c": tc.ones(4)})
    assert len(merged) == 4 and "c" not in parameters and len(list(merged.parameters())) == 4
    assert merged.pop("c").shape == (4,) and merged.get("c") is None and merged.popitem()[0] == "forward"
    assert merged.setdefault("d", tc.ones(5)).shape == (5,) and list(reversed(merged)) == ["d", "b", "a"]
    merged.clear()
    assert not list(merged.items()) and list(merged.fromkeys("xy", 0).values()) == [0, 0]


@pytest.mark.parametrize(
    ("misuse", "error"),
    [
        (lambda: nn.Sequential(3), TypeError), (lambda: nn.Sequential(nn.ReLU())[1], IndexError),
        (lambda: nn.ModuleList([nn.ReLU()])[-2], IndexError), (lambda: nn.ModuleList(3), TypeError),
        (lambda: nn.ModuleList([3]), TypeError), (lambda: nn.ModuleList([nn.ReLU()]).insert(0, 3), TypeError),
        (lambda: nn.Sequential(nn.ReLU()).insert(5, nn.ReLU()), IndexError), (lambda: nn.Sequential() + 3, ValueError),
        (lambda: nn.Sequential(nn.ReLU()) * 0, ValueError), (lambda: nn.Sequential(nn.ReLU()) * 1.5, TypeError),
        (lambda: nn.ModuleDict(3), TypeError), (lambda: nn.ModuleDict([3]), TypeError),
        (lambda: nn.ModuleDict([("a",)]), ValueError), (lambda: nn.ModuleDict()["a"], KeyError),
        (lambda: nn.ParameterList(3), TypeError), (lambda: nn.ParameterList()(1), RuntimeError),
        (lambda: nn.ParameterList([tc.ones(1)])[1], IndexError), (lambda: nn.ParameterDict({3: tc.ones(1)}), TypeError),
        (lambda: nn.ParameterDict()["a"], KeyError), (lambda: nn.ParameterDict()(1), RuntimeError),
        (lambda: nn.ModuleList()(1), NotImplementedError),
    ],
)  # fmt: skip
def test_misuse_raises(misuse, error):
    with pytest.raises(error) as raised:
        misuse()
    assert str(raised.value)


def test_parameters_as_one_vector():
    net = nn.Linear(2, 1)
    vector = nn.utils.parameters_to_vector(net.parameters())
    nn.utils.vector_to_parameters(tc.arange(3.0), net.parameters())
    assert vector.shape == (3,) and net.weight.tolist() == [[0, 1]] and net.bias.tolist() == [2]
    with pytest.raises(ShapeError, match="2 elements, the parameters 3"):
        nn.utils.vector_to_parameters(tc.zeros(2), net.parameters())
    with pytest.raises(TypeError):
        nn.utils.vector_to_parameters([1.0], net.parameters())
    net.bias.data = net.bias.data.to("reference")
    with pytest.raises(DeviceError, match="cpu, reference"):
        nn.utils.parameters_to_vector(net.parameters())


def test_clipping():
    p = nn.Parameter(tc.zeros(2))
    assert nn.utils.clip_grad_norm_([p], 1.0).item() == 0
    p.grad = tc.tensor([3.0, float("nan")])
    with pytest.raises(RuntimeError, match="nan"):
        nn.utils.clip_grad_norm_([p], 1.0, error_if_nonfinite=True)
    wide = nn.Parameter(tc.zeros(2, dtype=tc.float16))
    wide.grad = tc.tensor([300.0, 400.0], dtype=tc.float16)  # whose squares are infinite in float16
    assert nn.utils.clip_grad_norm_([wide], 1.0).item() == 500
    p.grad = tc.tensor([3.0, -0.5])
    nn.utils.clip_grad_value_(p, 1.0)
    assert p.grad.tolist() == [1, -0.5]
    assert nn.utils.clip_grad_norm_((each for each in [p]), 100.0).item() == pytest.approx(1.118034)
    assert p.grad.tolist() == [1, -0.5]
