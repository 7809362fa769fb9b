"""The classifier: its layers, names and training, on two backends."""

from __future__ import annotations

import pytest

import tensorcore as tc
from tensorcore import nn, optim
from tensorcore.plugins.host import host
from tensorcore_zoo.classifier import Classifier


def test_it_is_registered_for_the_data_it_fits():
    assert host.model("classifier") is Classifier
    assert host.models()["classifier"].datasets == ("fashion-mnist",)


def test_layers_and_names_are_those_of_pytorchs_quickstart():
    shapes = {name: tuple(value.shape) for name, value in Classifier().state_dict().items()}
    assert shapes == {
        "linear_relu_stack.0.weight": (512, 784),
        "linear_relu_stack.0.bias": (512,),
        "linear_relu_stack.2.weight": (512, 512),
        "linear_relu_stack.2.bias": (512,),
        "linear_relu_stack.4.weight": (10, 512),
        "linear_relu_stack.4.bias": (10,),
    }


@pytest.mark.parametrize("shape", [(1, 28, 28), (28, 28), (784,)])
@pytest.mark.parametrize("batch", [0, 1, 3])
def test_one_row_of_logits_an_image(shape, batch):
    assert tuple(Classifier()(tc.rand(batch, *shape)).shape) == (batch, 10)


def test_images_of_another_size():
    with pytest.raises(RuntimeError, match="784"):
        Classifier()(tc.rand(2, 1, 32, 32))


def losses(device: str, steps: int) -> list[float]:
    tc.manual_seed(0)
    with tc.device(device):
        model = Classifier()
        images, labels = tc.rand(2, 1, 28, 28), tc.tensor([3, 7])
        optimizer = optim.AdamW(model.parameters(), lr=1e-3)
        found = []
        for _ in range(steps):
            loss = nn.functional.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            found.append(loss.item())
    return found


def test_the_same_seed_trains_alike_on_cpu_and_reference():
    assert losses("reference", 2) == pytest.approx(losses("cpu", 2), rel=1e-5)


def test_it_learns_a_batch_by_heart():
    assert losses("cpu", 10)[-1] < 0.1
