"""The records of layers and losses, by their own samples: every device alike, gradients by finite differences."""

from __future__ import annotations

import math
import random
import warnings

import pytest

import tensorcore as tc
from tensorcore.ops.record import REGISTRY

FAMILIES = [
    "activation",
    "adaptive_pooling",
    "attention",
    "convolution",
    "cross_entropy",
    "distance",
    "dropout",
    "embedding",
    "error_function",
    "folding",
    "linear",
    "loss",
    "normalization",
    "ordering",
    "padding",
    "pooling",
    "resampling",
    "shuffling",
    "softmax",
    "statistics",
    "windows",
]
OPS = [
    op
    for op in REGISTRY.values()
    if (op.samples and op.front.__globals__["__name__"].removeprefix("tensorcore.ops.") in FAMILIES)
    or (op.samples and op.body is not None and op.body.__module__.removeprefix("tensorcore.ops.") in FAMILIES)
]
CASES = [pytest.param(op, sample, id=f"{op.name}-{i}") for op in OPS for i, sample in enumerate(op.samples)]
OWN_RULE = [
    pytest.param(op, sample, id=f"{op.name}-{i}")
    for op in OPS
    if op.vjp
    for i, sample in enumerate(op.samples)
    # The gradient of a padding row is withheld on purpose.
    if sample.get("padding_idx") is None
]
NOT_ARGUMENTS = {"shapes", "dtypes", "domains", "args", "order", "distinct"}


def number(draw, dtype, domain):
    low, high = domain
    if dtype == "bool":
        return draw.random() < 0.6
    if dtype == "int64":
        return draw.randrange(int(low), max(int(high), int(low) + 1))
    return draw.uniform(low, high)


def operands(op, sample, device):
    draw = random.Random(op.name)
    made = []
    for place, shape in enumerate(sample["shapes"]):
        dtype = (sample.get("dtypes") or (None,) * 9)[place] or "float64"
        domain = (sample.get("domains") or (None,) * 9)[place] or op.domain
        values = [number(draw, dtype, domain) for _ in range(math.prod(shape))]
        made.append(
            tc.tensor(values, dtype=getattr(tc, dtype if dtype != "bool" else "bool"), device=device).reshape(shape)
        )
    return made


def call(op, sample, tensors):
    named = {name: value for name, value in sample.items() if name not in NOT_ARGUMENTS}
    positional = [*tensors, *sample.get("args", ())]
    if "order" in sample:
        positional = [tensors[at] if isinstance(at, int) else named.pop(at) for at in sample["order"]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return op(*positional, **named)


def parts(result):
    return [result] if isinstance(result, tc.Tensor) else [out for each in result for out in parts(each)]


@pytest.mark.parametrize(("op", "sample"), CASES)
def test_devices_agree(op, sample):
    on_cpu, on_reference = (parts(call(op, sample, operands(op, sample, device))) for device in ("cpu", "reference"))
    for ours, theirs in zip(on_cpu, on_reference, strict=True):
        assert ours.dtype is theirs.dtype and ours.shape == theirs.shape
        theirs = theirs.to("cpu")
        if ours.is_floating_point():
            assert tc.allclose(ours, theirs, rtol=1e-10, atol=1e-12, equal_nan=True)
        else:
            assert tc.equal(ours, theirs)


@pytest.mark.parametrize(("op", "sample"), OWN_RULE)
def test_gradients_by_finite_differences(op, sample):
    tensors = operands(op, sample, "cpu")
    inputs = [x.requires_grad_() if x.is_floating_point() else x for x in tensors]
    draw = random.Random(1)

    def loss():
        total = tc.zeros((), dtype=tc.float64)
        weights = random.Random(2)
        # Of the outputs kept for gradients alone, none is differentiated.
        outs = parts(call(op, sample, inputs))
        for out in outs[: 2 if op.name in ("topk", "sort") else 1]:
            if out.is_floating_point():
                weight = tc.tensor([weights.uniform(0.5, 1.5) for _ in range(out.numel())], dtype=tc.float64)
                total = total + (out.reshape(-1) * weight).sum()
        return total

    leaves = [x for x in inputs if x.requires_grad]
    found = tc.autograd.grad(loss(), leaves, allow_unused=True)
    for leaf, gradient in zip(leaves, found, strict=True):
        if gradient is None:
            continue
        direction = tc.tensor([draw.uniform(-1, 1) for _ in range(leaf.numel())], dtype=tc.float64).reshape(leaf.shape)
        step = 1e-6
        with tc.no_grad():
            leaf.add_(direction * step)
            high = loss().item()
            leaf.sub_(direction * (2 * step))
            low = loss().item()
            leaf.add_(direction * step)
        slope = (gradient * direction).sum().item()
        assert slope == pytest.approx((high - low) / (2 * step), rel=2e-5, abs=2e-7)
