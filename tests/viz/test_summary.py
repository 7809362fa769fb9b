"""Summaries of models."""

from __future__ import annotations

import json
from typing import Any

import pytest

import tensorcore as tc
from tensorcore import nn


def small() -> Any:
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 5))


def test_layers() -> None:
    found = tc.summary(small(), (2, 1, 8, 8))
    assert [(each.name, each.kind, each.output, each.parameters, each.multiply_adds) for each in found.layers] == [
        ("", "Sequential", [(2, 5)], 0, 0),
        ("0", "Conv2d", [(2, 4, 6, 6)], 40, 2 * 4 * 36 * 9),
        ("1", "BatchNorm2d", [(2, 4, 6, 6)], 8, 0),
        ("2", "ReLU", [(2, 4, 6, 6)], 0, 0),
        ("3", "Flatten", [(2, 144)], 0, 0),
        ("4", "Linear", [(2, 5)], 725, 2 * 144 * 5),
    ]
    assert (found.parameters, found.trainable, found.multiply_adds) == (773, 773, 2592 + 1440)
    assert found.input_bytes == 2 * 64 * 4
    assert found.output_bytes == 4 * (4 * 2 * 144 + 10)
    assert found.parameter_bytes == 4 * (773 + 8) + 8
    assert json.loads(json.dumps(found.to_dict()))["layers"][5]["parameters"] == 725


def test_the_model_and_the_generators_stay_as_they_are() -> None:
    model = small()
    model[1].eval()
    before = {name: each.clone() for name, each in model.state_dict().items()}
    state = tc.get_rng_state()
    tc.summary(model, (2, 1, 8, 8))
    assert bool((tc.get_rng_state() == state).all())
    assert all(bool((each == before[name]).all()) for name, each in model.state_dict().items())
    assert [each.training for each in model.modules()] == [True, True, False, True, True, True]
    assert not any(each._forward_hooks or each._forward_pre_hooks for each in model.modules())


def test_shared_and_frozen_layers() -> None:
    shared = nn.Linear(3, 3)
    shared.weight.requires_grad_(False)
    found = tc.summary(nn.Sequential(shared, nn.ReLU(), shared), (1, 3))
    (layer,) = [each for each in found.layers if each.kind == "Linear"]
    assert (layer.calls, layer.parameters, layer.trainable, layer.multiply_adds) == (2, 12, 3, 18)
    text = str(found)
    assert "0: Linear ×2" in text
    assert "parameters     12, 9 of them frozen" in text
    tied = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    tied[1].weight = tied[0].weight
    assert [each.parameters for each in tc.summary(tied, (1, 3)).layers] == [0, 12, 3]


def test_inputs() -> None:
    class Two(nn.Module):
        def forward(self, a: Any, b: Any) -> Any:
            return {"a": a, "b": [b, b + 1]}

    assert tc.summary(Two(), [(2, 3), (4,)]).layers[0].output == [(2, 3), (4,), (4,)]
    assert tc.summary(Two(), input_data={"b": tc.ones(2), "a": tc.ones(1)}).layers[0].output == [(1,), (2,), (2,)]
    assert tc.summary(Two(), input_data=(tc.ones(2), tc.ones(1))).input_bytes == 12
    embedding = tc.summary(nn.Embedding(10, 4), (2, 3), dtypes=[tc.int64])
    assert embedding.layers[0].output == [(2, 3, 4)]


def test_lazy_layers() -> None:
    found = tc.summary(nn.Sequential(nn.LazyLinear(4), nn.ReLU()), (2, 7))
    assert [(each.kind, each.parameters) for each in found.layers][1] == ("Linear", 32)


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_depth_keeps_the_sums(depth: int) -> None:
    model = nn.Sequential(small(), nn.Sequential(nn.Linear(5, 5), nn.Linear(5, 2)))
    whole, found = tc.summary(model, (2, 1, 8, 8)), tc.summary(model, (2, 1, 8, 8), depth=depth)
    assert max(each.depth for each in found.layers) == depth
    assert (found.parameters, found.multiply_adds) == (whole.parameters, whole.multiply_adds)
    for name in ("parameters", "multiply_adds"):
        assert sum(getattr(each, name) for each in found.layers) == getattr(whole, name)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, ValueError, "either input_size or input_data"),
        ({"input_size": (1,), "input_data": tc.ones(1)}, ValueError, "either"),
        ({"input_size": [(1, -1)]}, TypeError, "a shape or several"),
        ({"input_size": (1, 2), "dtypes": [tc.int64] * 2}, ValueError, "2 dtypes for 1 inputs"),
    ],
)
def test_refusals(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        tc.summary(nn.Linear(2, 2), **arguments)


def test_an_error_of_the_model_leaves_no_hooks() -> None:
    model = small()
    with pytest.raises(RuntimeError):
        tc.summary(model, (2, 3, 8, 8))
    assert not any(each._forward_hooks or each._forward_pre_hooks for each in model.modules())
    assert all(each.training for each in model.modules())
