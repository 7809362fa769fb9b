"""Compiled training steps of modules and optimisers: the classifier on every device that is always there."""

from __future__ import annotations

import itertools

import pytest

import tensorcore as tc
from tensorcore import nn

OPTIMIZERS = {
    "plain": lambda p: tc.optim.SGD(p, lr=0.1),
    "sgd": lambda p: tc.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
    "adam": lambda p: tc.optim.Adam(p, lr=0.01),
    "adamw": lambda p: tc.optim.AdamW(p, lr=0.01),
}


def classifier(device, sizes=(16, 12, 3)):
    tc.manual_seed(0)
    layers = [nn.Flatten()]
    for wide, narrow in itertools.pairwise(sizes):
        layers += [nn.Linear(wide, narrow), nn.ReLU(), nn.Dropout(0.25)]
    return nn.Sequential(*layers[:-2]).to(device)


def trained(device, optimizer, compiled, steps=5):
    model = classifier(device)
    update = OPTIMIZERS[optimizer](model.parameters())
    loss_of = nn.CrossEntropyLoss()

    def step(x, y):
        update.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        update.step()
        return loss

    run = tc.compile(step, fullgraph=True) if compiled else step
    tc.manual_seed(1)
    losses = []
    for _ in range(steps):
        x, y = tc.rand(8, 1, 4, 4, device=device), tc.randint(0, 3, (8,), device=device)
        losses.append(run(x, y).item())
    return losses, [p.tolist() for p in model.parameters()]


@pytest.mark.parametrize("device", ["cpu", "reference"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_whole_step_equals_eager(device, optimizer):
    assert trained(device, optimizer, True) == trained(device, optimizer, False)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_devices_agree(optimizer):
    cpu, reference = trained("cpu", optimizer, True), trained("reference", optimizer, True)
    assert cpu[0] == pytest.approx(reference[0], rel=1e-5)


def test_the_step_is_one_program():
    model = classifier("cpu")
    update = OPTIMIZERS["adam"](model.parameters())

    @tc.compile(fullgraph=True)
    def step(x, y):
        update.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        update.step()

    x, y = tc.rand(4, 16), tc.tensor([0, 1, 2, 0])
    for _ in range(4):
        step(x, y)
    (recorded,) = [each for kept in step.recordings.values() for each in kept]
    assert update.state[next(model.parameters())]["step"].item() == 4
    assert len(recorded.gradients) == len(list(model.parameters()))


def test_mode_and_settings_are_guarded():
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.9))
    update = tc.optim.SGD(model.parameters(), lr=0.0)

    @tc.compile(fullgraph=True)
    def step(x):
        update.zero_grad()
        out = model(x)
        out.sum().backward()
        update.step()
        return out

    x = tc.ones(64, 2)
    for _ in range(3):
        assert (step(x) == 0).any()
    model.eval()
    assert not (step(x) == 0).any()
    before = model[0].weight.clone()
    update.param_groups[0]["lr"] = 1.0
    step(x)
    assert not tc.equal(model[0].weight, before)
    model[0] = nn.Linear(2, 5)
    assert step(x).shape == (64, 5)


def test_a_compiled_model_trains_as_the_model():
    results = []
    for compiled in (False, True):
        model = classifier("cpu")
        run = tc.compile(model) if compiled else model
        update = tc.optim.SGD(model.parameters(), lr=0.1)
        tc.manual_seed(2)
        for _ in range(5):
            update.zero_grad()
            loss = nn.functional.cross_entropy(run(tc.rand(8, 16)), tc.randint(0, 3, (8,)))
            loss.backward()
            update.step()
        results.append((loss.item(), [p.tolist() for p in model.parameters()]))
    assert results[0] == results[1]
    assert list(run.state_dict()) == list(model.state_dict())


def test_running_statistics_are_updated_at_each_run():
    model = nn.BatchNorm1d(3)
    twin = nn.BatchNorm1d(3)
    run = tc.compile(model)
    for value in range(1, 6):
        x = tc.rand(4, 3) * value
        assert tc.allclose(run(x), twin(x))
    assert tc.allclose(model.running_var, twin.running_var)
    assert model.num_batches_tracked.item() == 5
