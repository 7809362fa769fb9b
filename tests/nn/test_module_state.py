"""``state_dict`` and ``load_state_dict``."""

from __future__ import annotations

from collections import OrderedDict

import pytest

import tensorcore as tc
from tensorcore import nn
from tensorcore.errors import CheckpointError


def net():
    return nn.Sequential(OrderedDict(fc=nn.Linear(2, 3), norm=nn.BatchNorm1d(3)))


def test_a_state_shares_memory_and_carries_versions():
    model = net()
    state = model.state_dict(prefix="m.")
    assert list(state)[:2] == ["m.fc.weight", "m.fc.bias"] and "m.norm.num_batches_tracked" in state
    assert state._metadata["m.norm"] == {"version": 2} and not state["m.fc.weight"].requires_grad
    with tc.no_grad():
        model.fc.bias.fill_(5)
    assert state["m.fc.bias"].tolist() == [5, 5, 5]
    assert model.state_dict(keep_vars=True)["fc.weight"] is model.fc.weight


def test_loading_copies_converts_and_reports():
    model, other = net(), net()
    state = OrderedDict((name, t.double() if t.is_floating_point() else t) for name, t in other.state_dict().items())
    weight = model.fc.weight
    result = model.load_state_dict(state)
    assert (result.missing_keys, result.unexpected_keys) == ([], [])
    assert str(result) == "<All keys matched successfully>"
    assert model.fc.weight is weight and weight.dtype is tc.float32 and weight.tolist() == other.fc.weight.tolist()


def test_loading_with_assign_takes_the_tensors():
    model = net()
    model.fc.weight.requires_grad_(False)
    state = {name: t.to(tc.float64) for name, t in net().state_dict().items()}
    model.load_state_dict(state, assign=True)
    assert model.fc.weight.dtype is tc.float64 and isinstance(model.fc.weight, nn.Parameter)
    assert not model.fc.weight.requires_grad and model.fc.bias.requires_grad


def test_what_does_not_fit_is_listed_at_once():
    state = net().state_dict()
    del state["fc.bias"]
    state["extra"], state["fc.more"], state["fc.weight"] = tc.ones(1), tc.ones(1), tc.ones(4, 2)
    state["norm.bias"] = "text"
    with pytest.raises(CheckpointError) as raised:
        net().load_state_dict(state)
    for line in (
        "Error(s) in loading state_dict for Sequential:",
        'Missing key(s) in state_dict: "fc.bias".',
        'Unexpected key(s) in state_dict: "extra", "fc.more".',
        "size mismatch for fc.weight: the state_dict has shape [4, 2], the module [3, 2]",
        "norm.bias: expected a tensor in the state_dict, got str",
    ):
        assert line in str(raised.value), line
    del state["norm.bias"], state["fc.weight"]
    result = net().load_state_dict(state, strict=False)
    assert sorted(result.missing_keys) == ["fc.bias", "fc.weight", "norm.bias"]
    assert sorted(result.unexpected_keys) == ["extra", "fc.more"]
    with pytest.raises(TypeError, match="list"):
        net().load_state_dict([])


@pytest.mark.parametrize(("add", "hint"), [(True, "remove the prefix 'module.'"), (False, "add the prefix 'module.'")])
def test_a_prefix_that_makes_the_difference_is_hinted_at(add, hint):
    class Wrapped(nn.Module):
        def __init__(self):
            super().__init__()
            self.module = net()

    source, target = (Wrapped(), net()) if add else (net(), Wrapped())
    with pytest.raises(CheckpointError, match=hint):
        target.load_state_dict(source.state_dict())


def test_an_old_batch_norm_state_loads():
    state = {name: t for name, t in net().state_dict().items() if "num_batches" not in name}
    assert not net().load_state_dict(state).missing_keys


def test_a_scalar_saved_as_one_element_loads():
    module = nn.Module()
    module.p = nn.Parameter(tc.tensor(0.0))
    module.load_state_dict({"p": tc.tensor([3.0])})
    assert module.p.item() == 3


def test_extra_state_and_hooks():
    class Extra(nn.Linear):
        saved = None

        def get_extra_state(self):
            return {"answer": 42}

        def set_extra_state(self, state):
            self.saved = state

    module, seen = Extra(1, 1), []
    module.register_state_dict_pre_hook(lambda m, prefix, keep: seen.append("saving"))
    module.register_state_dict_post_hook(lambda m, state, prefix, meta: seen.append(len(state)))
    module.register_load_state_dict_pre_hook(lambda m, state, *rest: seen.append(type(m).__name__))
    module.register_load_state_dict_post_hook(lambda m, keys: keys.missing_keys.clear())
    state = module.state_dict()
    assert state["_extra_state"] == {"answer": 42}
    del state["bias"]
    assert not module.load_state_dict(state).missing_keys
    assert module.saved == {"answer": 42} and seen == ["saving", 3, "Extra"]
    with pytest.raises(CheckpointError, match="_extra_state"):
        nn.Linear(1, 1).load_state_dict({**nn.Linear(1, 1).state_dict(), "_extra_state": 1})
