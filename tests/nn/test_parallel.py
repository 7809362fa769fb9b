"""Modules over several devices of one process: split, copied, called, put together."""

from __future__ import annotations

from collections import namedtuple

import pytest

import tensorcore as tc

nn, parallel = tc.nn, tc.nn.parallel
TWO = ["cpu", "reference"]


def test_a_batch_is_split_over_devices_and_gradients_gather():
    tc.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    x = tc.randn(5, 3)
    net(x).pow(2).sum().backward()
    wanted = [p.grad.clone() for p in net.parameters()]
    whole = net(x)
    net.zero_grad()
    both = nn.DataParallel(net, TWO)
    out = both(x)
    assert out.device.type == "cpu"
    assert tc.allclose(out, whole, atol=1e-6)
    out.pow(2).sum().backward()
    for parameter, grad in zip(net.parameters(), wanted, strict=True):
        assert tc.allclose(parameter.grad, grad, atol=1e-5)


def test_keywords_are_split_and_fewer_parts_use_fewer_devices():
    class Scale(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(tc.full((1,), 3.0))
            self.seen = []

        def forward(self, x, *, by, note):
            self.seen.append(x.device.type)
            return {"out": x * by * self.weight, "note": None}

    layer = Scale()
    both = nn.DataParallel(layer, TWO)
    made = both(tc.ones(1, 2), by=tc.full((1, 1), 2.0), note="x")
    assert made["out"].tolist() == [[6.0, 6.0]] and made["note"] is None
    assert layer.seen == ["cpu"]
    assert both(tc.ones(2, 2), by=tc.full((2, 1), 2.0), note="x")["out"].shape == (2, 2)
    assert layer.seen == ["cpu", "cpu", "reference"]


def test_losses_of_parts_become_a_vector():
    class Loss(nn.Module):
        def forward(self, x):
            return x.sum()

    assert parallel.data_parallel(Loss(), tc.arange(4.0), TWO).tolist() == [1.0, 5.0]


def test_a_module_must_be_on_the_first_device():
    both = nn.DataParallel(nn.Linear(2, 2).to("reference"), TWO)
    with pytest.raises(
        RuntimeError, match=r"on device cpu \(device_ids\[0\]\) but found 'weight' on device: reference"
    ):
        both(tc.ones(2, 2))
    one = nn.DataParallel(nn.Linear(2, 2), ["reference"])
    assert one(tc.ones(2, 2)).device.type == "reference"


def test_scatter_and_gather_keep_the_structure():
    Pair = namedtuple("Pair", "a b")
    given = (tc.arange(4), Pair([tc.arange(2)], {"k": tc.ones(3, 2)}), "text", ())
    parts = parallel.scatter(given, TWO)
    assert len(parts) == 2
    assert isinstance(parts[1][1], Pair) and parts[1][1].b["k"].shape == (1, 2) and parts[1][2:] == ("text", ())
    assert parts[1][0].device.type == "reference"
    again = parallel.gather([part[:2] for part in parts], "cpu")
    assert again[0].tolist() == [0, 1, 2, 3] and again[1].b["k"].shape == (3, 2)
    with pytest.raises(ValueError, match="same number of keys"):
        parallel.gather([{"a": tc.ones(1)}, {}], "cpu")


def test_replicas_share_what_the_module_shares():
    layer = nn.Linear(2, 2)
    net = nn.Sequential(layer, layer)
    copy = parallel.replicate(net, ["reference"])[0]
    assert copy[0] is copy[1] and copy[0] is not layer
    copy(tc.ones(1, 2, device="reference")).sum().backward()
    assert layer.weight.grad is not None and layer.weight.grad.device.type == "cpu"
    assert not parallel.replicate(layer, ["cpu"], detach=True)[0].weight.requires_grad
    with pytest.raises(AssertionError, match="2 modules, 1 inputs"):
        parallel.parallel_apply([layer, layer], [tc.ones(2)])


def test_unknown_keys_are_listed_with_the_nearest():
    with pytest.raises(RuntimeError, match=r'did the state_dict mean "0.weigth" for "0.weight"\?'):
        nn.Sequential(nn.Linear(2, 2)).load_state_dict({"0.weigth": tc.ones(2, 2), "0.bias": tc.ones(2)})
    with pytest.raises(RuntimeError) as raised:
        nn.Linear(2, 2).load_state_dict({"weight": tc.ones(2, 2), "bias": tc.ones(2), "xyz": tc.ones(1)})
    assert "Hint" not in str(raised.value)
