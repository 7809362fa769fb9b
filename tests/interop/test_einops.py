"""einops on tensors: its functions in whatever order the packages are imported, gradients, layers."""

from __future__ import annotations

import pickle
import subprocess
import sys

import einops
import numpy as np
import pytest

import tensorcore as tc
from tensorcore import nn
from tensorcore.einops import EinMix, Rearrange, Reduce

ARRAY = np.random.default_rng(0).normal(size=(2, 3, 4))

CALLS = [
    lambda x: einops.rearrange(x, "a b c -> c (b a)"),
    lambda x: einops.rearrange(x, "a b (c d) -> (a c) b d", d=2),
    lambda x: einops.rearrange([x, x], "n a b c -> a (n b) c"),
    *(lambda x, op=op: einops.reduce(x, "a b c -> b", op) for op in ("sum", "mean", "prod", "max", "min")),
    lambda x: einops.reduce(x, "a b (c 2) -> a () c", "max"),
    lambda x: einops.repeat(x, "a b c -> a (b r) c s", r=2, s=3),
    lambda x: einops.einsum(x, x, "a b c, a d c -> b d"),
    lambda x: einops.pack([x, x[..., 0]], "a *")[0],
    lambda x: einops.unpack(einops.pack([x, x[..., 0]], "a *")[0], [(3, 4), (3,)], "a *"),
]


@pytest.mark.parametrize("call", CALLS)
def test_it_gives_what_it_gives_of_arrays(call):
    x = tc.tensor(ARRAY, requires_grad=True)
    got, want = call(x), call(ARRAY)
    for mine, its in zip(*((got, want) if isinstance(got, (list, tuple)) else ((got,), (want,))), strict=True):
        assert isinstance(mine, tc.Tensor)
        np.testing.assert_allclose(mine.detach().numpy(), its)
        assert mine.grad_fn is not None
    assert tc.autograd.gradcheck(call, (x,))


@pytest.mark.parametrize("op", ["any", "all"])
def test_masks(op):
    got = einops.reduce(tc.tensor(ARRAY > 0), "a b c -> c", op)
    assert got.tolist() == einops.reduce(ARRAY > 0, "a b c -> c", op).tolist()


def test_what_does_not_fit_is_einops_error():
    with pytest.raises(einops.EinopsError, match="Wrong shape"):
        einops.rearrange(tc.zeros(2, 3), "a b c -> c b a")
    with pytest.raises(NotImplementedError, match="not available for non-floating"):
        einops.reduce(tc.arange(3), "a ->", "mean")


@pytest.mark.parametrize(
    "order",
    [
        "import tensorcore as tc, einops",
        "import einops, tensorcore as tc",
        "import einops, numpy; einops.rearrange(numpy.zeros((1, 2)), 'a b -> b a'); import tensorcore as tc",
        "import einops.einops, tensorcore as tc; import einops.layers",
        "import tensorcore as tc; from einops import layers; import einops",
    ],
)
def test_the_order_of_imports_does_not_matter(order):
    code = f"{order}\nprint(einops.rearrange(tc.zeros(2, 3), 'a b -> b a').shape)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "tensorcore.Size([3, 2])\n"


def test_without_einops_nothing_of_it_is_imported():
    code = "import sys, tensorcore, tensorcore.array_api; print([name for name in sys.modules if 'einops' in name])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_layers():
    model = nn.Sequential(
        Rearrange("b c (h w) -> b (c h w)", w=2), EinMix("b i -> b o", "i o", bias_shape="o", i=12, o=5), nn.ReLU(),
        Reduce("b o -> b", "sum"),
    )  # fmt: skip
    x = tc.randn(7, 3, 4, requires_grad=True)
    y = model(x)
    y.sum().backward()
    assert y.shape == (7,) and x.grad is not None and sorted(model.state_dict()) == ["1.bias", "1.weight"]
    assert "Rearrange('b c (h w) -> b (c h w)', w=2)" in repr(model)
    again = pickle.loads(pickle.dumps(model.eval()))
    assert not again.training and not again[0].training and tc.equal(again(x), model(x))


def test_einmix_draws_as_pytorchs_layer_does():
    torch = pytest.importorskip("torch")
    from einops.layers.torch import EinMix as TheirMix

    arguments = {"pattern": "t b (h c) -> h b t", "weight_shape": "h c", "bias_shape": "h", "h": 3, "c": 4}
    tc.manual_seed(0), torch.manual_seed(0)
    mine, its = EinMix(**arguments), TheirMix(**arguments)
    x = np.random.default_rng(1).normal(size=(2, 5, 12)).astype("float32")
    np.testing.assert_allclose(mine.weight.detach().numpy(), its.weight.detach().numpy())
    np.testing.assert_allclose(mine(tc.tensor(x)).detach().numpy(), its(torch.tensor(x)).detach().numpy(), rtol=1e-5)


def test_the_backend():
    backend = einops._backends.get_backend(tc.zeros(1))
    assert backend.framework_name == "tensorcore" and backend.layers().Rearrange is Rearrange
    assert backend.to_numpy(backend.from_numpy(ARRAY)) is not None and backend.arange(1, 3).tolist() == [1, 2]
    assert backend.tile(tc.tensor([1, 2]), (2,)).tolist() == [1, 2, 1, 2]
    assert backend.add_axis(tc.zeros(2), 0).shape == (1, 2)
