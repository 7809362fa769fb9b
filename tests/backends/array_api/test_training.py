"""Training on each device: the quickstart's classifier, eager and compiled, as on ``cpu``."""

from __future__ import annotations

import functools

import pytest

import tensorcore as tc
from tensorcore import nn
from tensorcore.errors import DimensionError

F = nn.functional


@functools.cache
def trained(device, compiled, optimizer):
    """Losses of four steps of the classifier, and its last layer's bias."""
    tc.manual_seed(0)
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)
    ).to(device)
    images, labels = tc.rand(16, 1, 28, 28).to(device), tc.randint(0, 10, (16,)).to(device)
    update = OPTIMIZERS[optimizer](model.parameters())

    def step(images, labels):
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        update.step()
        update.zero_grad()
        return loss.detach()

    run = tc.compile(step) if compiled else step
    losses = [run(images, labels).item() for _ in range(4)]
    if compiled:
        assert sum(map(len, run.recordings.values())) == 1
    return losses, model[-1].bias.tolist()


OPTIMIZERS = {
    "sgd": lambda parameters: tc.optim.SGD(parameters, lr=0.1),
    "momentum": lambda parameters: tc.optim.SGD(parameters, lr=0.05, momentum=0.9, weight_decay=1e-4),
    "adam": lambda parameters: tc.optim.Adam(parameters, lr=1e-3),
}


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_equals_that_on_cpu(name, compiled, device):
    losses, bias = trained("cpu", False, name)
    its_losses, its_bias = trained(device, compiled, name)
    assert its_losses == pytest.approx(losses, rel=1e-5)
    assert its_bias == pytest.approx(bias, abs=1e-4 if name == "adam" else 1e-5)
    assert losses[-1] < losses[0]


def test_jax_runs_a_compiled_step_as_one_program():
    pytest.importorskip("jax")
    from tensorcore_array_api.jax_program import _Program

    run = tc.compile(lambda x: (x.sin() * 2).sum())
    results = [run(tc.ones(3, device="jax")).item() for _ in range(3)]
    ((recording,),) = run.recordings.values()
    assert isinstance(recording.program, _Program)
    assert results[2] == pytest.approx(results[0])


def test_jax_programs_refuse_indices_out_of_range_and_write_nothing():
    pytest.importorskip("jax")
    table = tc.zeros(3, device="jax")

    @tc.compile
    def count(places):
        table.add_(1)
        return table[places]

    for _ in range(3):
        count(tc.tensor([0, 2], device="jax"))
    with pytest.raises(DimensionError, match="out of range in index"):
        count(tc.tensor([0, 3], device="jax"))
    assert table.tolist() == [3.0, 3.0, 3.0]


def test_jax_programs_with_writes_views_and_conditions_on_values():
    pytest.importorskip("jax")

    def work(x):
        y = x * 2
        y[:, 1] = 0
        y[y > 4] = -1
        values, places = y.sort(1, descending=True)
        return values.cumsum(0), places, y.t()[0]

    def counting(x):
        return (*work(x), x[x > 4])

    def check(run, plain):
        for _ in range(3):
            x = tc.arange(12.0, device="jax").reshape(4, 3)
            assert [each.tolist() for each in run(x)] == [each.tolist() for each in plain(x.cpu())]

    check(tc.compile(work), work)
    # How many elements a mask picks is a value.
    with pytest.warns(UserWarning, match="runs uncompiled: nonzero reads"):
        check(tc.compile(counting), counting)
