"""Sparse tensors on every kind of device: they give what dense tensors give, and what has no form is refused."""

from __future__ import annotations

import random

import pytest

import tensorcore as tc
from tensorcore.errors import DimensionError, LayoutError, RangeError, ShapeError

DEVICES = ("cpu", "reference", "jax", "array_api_strict")


@pytest.fixture(params=DEVICES)
def device(request):
    if request.param not in ("cpu", "reference"):
        pytest.importorskip(request.param)
    return request.param


def drawn(device, shape=(4, 5), count=7, seed=0):
    """A COO tensor in which coordinates come more than once."""
    draw = random.Random(seed)
    indices = [[draw.randrange(side) for _ in range(count)] for side in shape]
    values = [draw.uniform(-0.9, 0.9) for _ in range(count)]
    return tc.sparse_coo_tensor(indices, values, shape, device=device)


def near(a, b):
    a, b = (x.to_dense() for x in (a, b))
    assert a.shape == b.shape and a.device == b.device
    assert a.flatten().tolist() == pytest.approx(b.flatten().tolist(), rel=1e-5, abs=1e-5)


FORMS = {
    "to_dense": lambda x, w: x.to_dense(),
    "coalesce": lambda x, w: x.coalesce() if x.is_sparse else x,
    "csr": lambda x, w: x.to_sparse_csr().to_sparse(),
    "csc": lambda x, w: x.to_sparse_csc(),
    "add": lambda x, w: x + x * 2,
    "sub": lambda x, w: x - x.t().t() * 3,
    "onto": lambda x, w: w + x,
    "mul": lambda x, w: x * x,
    "times": lambda x, w: x * w,
    "div": lambda x, w: x / 4,
    "pow": lambda x, w: x**3,
    "sin": lambda x, w: x.sin(),
    "abs": lambda x, w: x.abs(),
    "mm": lambda x, w: x @ w.t(),
    "rmm": lambda x, w: w.t() @ x,
    "spgemm": lambda x, w: x @ x.t(),
    "mv": lambda x, w: tc.mv(x, w[0]),
    "sum": lambda x, w: x.sum(),
    "sum0": lambda x, w: x.sum(0),
    "sum1": lambda x, w: x.sum(1, keepdim=True),
    "select": lambda x, w: x[2],
    "slice": lambda x, w: x[1:, ::2],
    "narrow": lambda x, w: x.narrow(1, 1, 3),
    "index_select": lambda x, w: x.index_select(1, tc.tensor([4, 0, 0], device=x.device)),
    "cat": lambda x, w: tc.cat([x, x * 2], 1),
    "stack": lambda x, w: tc.stack([x, x]),
    "unsqueeze": lambda x, w: x.unsqueeze(1),
    "reshape": lambda x, w: x.reshape(2, 10),
    "linear": lambda x, w: tc.nn.functional.linear(x, w),
}


@pytest.mark.parametrize("name", FORMS)
def test_as_dense(device, name):
    x, w = drawn(device), tc.arange(20.0, device=device).reshape(4, 5) / 10
    near(FORMS[name](x, w), FORMS[name](x.to_dense(), w))


@pytest.mark.parametrize("name", [name for name in FORMS if name not in ("csc",)])
def test_gradients_as_dense(name):
    """The gradient of every form, at the places of the tensor, for the values it is made of and the dense operand."""
    source, weights = drawn("cpu"), tc.arange(20.0).reshape(4, 5) / 10
    found = []
    for dense in (False, True):
        values = source._values().clone().requires_grad_()
        w = weights.clone().requires_grad_()
        x = tc.sparse_coo_tensor(source._indices(), values, source.shape)
        out = FORMS[name](x.to_dense() if dense else x, w).to_dense()
        scale = tc.arange(1.0, out.numel() + 1).reshape(out.shape)
        found.append(
            tc.autograd.grad((out * out * scale).sum(), [values, w], allow_unused=True, materialize_grads=True)
        )
    for sparse, dense in zip(*found, strict=True):
        near(sparse, dense)


def test_second_derivatives():
    values = tc.tensor([1.0, 2.0, 3.0], dtype=tc.float64, requires_grad=True)
    w = tc.rand(3, 2, dtype=tc.float64, requires_grad=True)

    def f(values, w):
        x = tc.sparse_coo_tensor([[0, 1, 1], [2, 0, 2]], values, (2, 3))
        return tc.sparse.mm(x.sin(), w) * tc.sparse.sum(x * x)

    assert tc.autograd.gradcheck(f, (values, w))
    assert tc.autograd.gradgradcheck(f, (values, w))


def test_a_leaf_gathers_sparse_and_dense_gradients():
    x = drawn("cpu").coalesce().requires_grad_()
    x.to_dense().sum().backward()
    assert x.grad.is_sparse
    x.to_dense().sum().backward()
    assert x.grad.values().tolist() == [2.0] * x._nnz()
    x.sum().backward()
    assert not x.grad.is_sparse and x.grad.shape == x.shape


def test_moves_between_devices():
    x = drawn("cpu")
    y = x.to("reference")
    assert y.device.type == "reference" and y.is_sparse
    near(y.to("cpu"), x)
    near(x.to_sparse_csr().to("reference").to("cpu"), x)


REFUSED = [
    (lambda x: x.exp(), LayoutError, "exp: got sparse_coo float32 of shape"),
    (lambda x: x.cumsum(0), LayoutError, "to_dense"),
    (lambda x: x.softmax(1), LayoutError, "softmax: got sparse_coo"),
    (lambda x: x + 1, LayoutError, "a number added to a sparse tensor would fill it"),
    (lambda x: x / x, LayoutError, "divided by a number"),
    (lambda x: x**0, RangeError, "ones everywhere"),
    (lambda x: x @ tc.ones(2, 2), ShapeError, "do not multiply"),
    (lambda x: x + tc.ones(2), ShapeError, "does not fit"),
    (lambda x: x.tolist(), LayoutError, "not in one array"),
    (lambda x: x.numpy(), LayoutError, "to_dense"),
    (lambda x: x.indices(), LayoutError, "coalesce"),
    (lambda x: x.crow_indices(), LayoutError, "expected tensorcore.sparse_csr, got a tensor of layout"),
    (lambda x: tc.ones(2).coalesce(), LayoutError, "coalesce: expected tensorcore.sparse_coo"),
    (lambda x: tc.cat([x, x.to_dense()]), LayoutError, "are not joined"),
    (lambda x: tc.sparse.mm(tc.ones(2, 2), tc.ones(2, 2)), LayoutError, "two dense ones"),
    (lambda x: tc.sparse_coo_tensor([[0, 9]], [1.0, 2.0], (3,)), DimensionError, "index 9 is outside dimension 0"),
    (lambda x: tc.sparse_coo_tensor([[0, -1]], [1.0, 2.0], (3,)), DimensionError, "index -1 is outside"),
    (lambda x: tc.sparse_coo_tensor([[0]], [1.0, 2.0], (3,)), ShapeError, "name 1 elements"),
    (lambda x: tc.sparse_csr_tensor([0, 1, 2], [0], [1.0], (2, 2)), RangeError, "start at 0 and end"),
    (lambda x: tc.sparse_csr_tensor([0, 2, 2], [1, 1], [1.0, 2.0], (2, 2)), RangeError, "sorted and distinct"),
    (lambda x: tc.zeros(2, 2, layout=tc.sparse_bsr), LayoutError, "sparse_bsr"),
    (lambda x: tc.ones(2, 2, layout=tc.sparse_coo), LayoutError, "cannot hold 1 everywhere"),
    (lambda x: x.to_sparse(layout=tc.sparse_bsr), LayoutError, "expected layout sparse_coo, sparse_csr or sparse_csc"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "says"), REFUSED)
def test_refused(call, error, says):
    with pytest.raises(error, match=says):
        call(drawn("cpu"))


def test_unchecked_and_checked():
    assert tc.sparse.check_sparse_tensor_invariants.is_enabled()
    with tc.sparse.check_sparse_tensor_invariants(False):
        assert tc.sparse_coo_tensor([[0, 9]], [1.0, 2.0], (3,))._nnz() == 2
    assert tc.sparse_coo_tensor([[0, 9]], [1.0, 2.0], (3,), check_invariants=False)._nnz() == 2


def test_backward_twice_says_so():
    x = drawn("cpu").requires_grad_()
    y = x.to_dense().sum()
    y.backward()
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


@pytest.mark.parametrize("cls", ["Adam", "RMSprop", "Adadelta"])
def test_optimizers_that_take_dense_gradients_only(cls):
    table = tc.nn.Embedding(3, 2, sparse=True)
    table(tc.tensor([1])).sum().backward()
    with pytest.raises(RuntimeError, match=f"{cls} does not support sparse gradients"):
        getattr(tc.optim, cls)(table.parameters()).step()


def test_an_op_is_as_before_beside_sparse_tensors():
    """Dense ops take no other way once sparse tensors exist."""
    drawn("cpu")
    x = tc.ones(3, requires_grad=True)
    (x * tc.ones(3, dtype=tc.float64)).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0, 1.0] and x.grad.dtype is tc.float32


@pytest.mark.filterwarnings("ignore:compile")
@pytest.mark.parametrize("name", ["mm", "to_dense", "sum", "coalesce", "csr", "mul"])
def test_compiled_functions_see_other_elements(name):
    compiled = tc.compile(FORMS[name])
    w = tc.ones(4, 5)
    for seed in range(4):
        x = drawn("cpu", seed=seed)
        near(compiled(x, w), FORMS[name](x, w))
