"""The same seed gives the same numbers on every device: the same bits, but for normal ones, which are computed."""

from __future__ import annotations

import pytest

import tensorcore as tc

DRAWS = {
    "rand": lambda device: tc.rand(3, 5, device=device),
    "randn": lambda device: tc.randn(20, device=device),
    "randint": lambda device: tc.randint(-5, 1000, (7,), device=device),
    "randperm": lambda device: tc.randperm(9, device=device),
    "uniform_": lambda device: tc.empty(6, device=device).uniform_(-1, 2),
    "bernoulli": lambda device: tc.bernoulli(tc.full((9,), 0.3, device=device)),
    "dropout": lambda device: tc.nn.functional.dropout(tc.ones(41, device=device), 0.4),
    "kaiming": lambda device: tc.nn.init.kaiming_uniform_(tc.empty(4, 3, device=device)),
}


@pytest.mark.parametrize("name", DRAWS)
def test_draws_equal_those_on_cpu(name, device):
    drawn = []
    for where in ("cpu", device):
        tc.manual_seed(7)
        drawn.append([DRAWS[name](where).tolist() for _ in range(2)])
    expected = [pytest.approx(row, abs=1e-6) for row in drawn[0]] if name == "randn" else drawn[0]
    assert drawn[1] == expected
    assert drawn[0][0] != drawn[0][1]


def test_a_device_without_float64_draws():
    import array_api_compat.numpy as xp

    from tensorcore.dtypes import complex128, float64
    from tensorcore_array_api.backend import LibraryBackend
    from tensorcore_conformance import Limits, judge_backend

    class NarrowBackend(LibraryBackend):
        """NumPy without 64-bit floats, as GPUs are."""

        def native_dtypes(self):
            return {k: v for k, v in super().native_dtypes().items() if k not in (float64, complex128)}

    report = judge_backend(NarrowBackend("narrow", xp), ["random", "logspace"], Limits.level("quick"))
    assert report.passed, report


@pytest.mark.parametrize("count", [0, 1, 5, 4096])
def test_philox_gives_the_same_bits(count, device):
    from tensorcore.ops.drawing import philox_uniform

    drawn = []
    for where in ("cpu", device):
        ticket = tc.Generator().manual_seed(11).ticket("philox", count)
        drawn.append(philox_uniform(ticket, (count,), tc.device(where).kind(tc.float32)).tolist())
    assert drawn[0] == drawn[1]


def test_a_compiled_function_draws_afresh(device):
    def draw(x):
        return tc.nn.functional.dropout(x, 0.5) + tc.rand(16, device=device)

    runs = []
    for function in (draw, tc.compile(draw)):
        tc.manual_seed(3)
        runs.append([function(tc.ones(16, device=device)).tolist() for _ in range(4)])
    assert runs[0] == runs[1]
    assert len({tuple(each) for each in runs[1]}) == 4
