"""Initial values next to PyTorch's for the same seed."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

import torch.nn.init as their_init  # noqa: E402

import tensorcore as tc  # noqa: E402
import tensorcore.nn.init as our_init  # noqa: E402

#: (function, shape, options, largest difference)
CASES = [
    ("uniform_", (3, 5), {}, 0),
    ("uniform_", (40,), {"a": -2.0, "b": 3.5}, 0),
    ("normal_", (5,), {"std": 0.1}, 1e-6),
    ("normal_", (30,), {"mean": 1.0, "std": 0.1}, 1e-6),
    ("trunc_normal_", (40, 30), {}, 1e-6),
    ("trunc_normal_", (40, 30), {"mean": 0.5, "std": 0.02, "a": 0.45, "b": 0.56}, 1e-6),
    ("trunc_normal_", (40, 30), {"a": 1.5, "b": 2.5}, 1e-6),
    ("trunc_normal_", (3, 3), {"a": 2.0, "b": 2.5}, 1e-6),
    ("constant_", (3,), {"val": 3.0}, 0),
    ("ones_", (3,), {}, 0),
    ("zeros_", (2, 0), {}, 0),
    ("eye_", (3, 5), {}, 0),
    ("eye_", (5, 3), {}, 0),
    ("dirac_", (4, 2, 3), {}, 0),
    ("dirac_", (6, 2, 3, 3), {"groups": 3}, 0),
    ("dirac_", (2, 4, 3, 2, 3), {}, 0),
    ("dirac_", (2, 0, 3), {}, 0),
    ("xavier_uniform_", (7, 5), {"gain": 2.0}, 0),
    ("xavier_normal_", (7, 5, 3), {}, 1e-6),
    ("kaiming_uniform_", (8, 3, 3, 3), {"a": 5**0.5}, 0),
    ("kaiming_uniform_", (512, 784), {"a": 5**0.5}, 0),
    ("kaiming_normal_", (8, 3, 3, 3), {"mode": "fan_out", "nonlinearity": "relu"}, 1e-6),
    ("orthogonal_", (5, 3), {}, 2e-6),
    ("orthogonal_", (3, 5), {"gain": 2.0}, 2e-6),
    ("orthogonal_", (40, 5, 9), {}, 2e-6),
    ("orthogonal_", (1, 1), {}, 0),
    ("orthogonal_", (0, 3), {}, 0),
    ("sparse_", (10, 4), {"sparsity": 0.33}, 1e-6),
    ("sparse_", (3, 20), {"sparsity": 0.0, "std": 2.0}, 1e-5),
]


@pytest.mark.parametrize("name, shape, options, bound", CASES)
def test_initial_values(name, shape, options, bound):
    torch.manual_seed(5)
    tc.manual_seed(5)
    theirs = torch.nn.Parameter(torch.empty(shape))
    ours = tc.empty(shape).requires_grad_()
    assert getattr(our_init, name)(ours, **options) is ours
    getattr(their_init, name)(theirs, **options)
    assert ours.requires_grad and ours.is_leaf
    difference = (torch.tensor(ours.tolist()).reshape(theirs.shape) - theirs.detach()).abs()
    assert difference.numel() == 0 or difference.max().item() <= bound
    assert torch.get_rng_state().tolist() == tc.get_rng_state().tolist()


@pytest.mark.parametrize(
    "name", ["uniform_", "normal_", "trunc_normal_", "xavier_uniform_", "kaiming_normal_", "orthogonal_"]
)
def test_a_generator_is_used(name):
    theirs, ours = torch.Generator().manual_seed(3), tc.Generator().manual_seed(3)
    expected = getattr(their_init, name)(torch.empty(6, 5), generator=theirs)
    made = getattr(our_init, name)(tc.empty(6, 5), generator=ours)
    assert (torch.tensor(made.tolist()) - expected).abs().max().item() < 2e-6
    assert theirs.get_state().tolist() == ours.get_state().tolist()


@pytest.mark.parametrize(
    "nonlinearity, param",
    [("linear", None), ("conv_transpose3d", None), ("sigmoid", None), ("tanh", None), ("relu", None), ("selu", None),
     ("leaky_relu", None), ("leaky_relu", 0.2), ("leaky_relu", 1)],
)  # fmt: skip
def test_gains(nonlinearity, param):
    assert our_init.calculate_gain(nonlinearity, param) == their_init.calculate_gain(nonlinearity, param)


def test_all_public_names_are_there():
    assert set(their_init.__all__) <= set(our_init.__all__)
