"""Views, joining, splitting and reordering against NumPy, and their errors."""

from __future__ import annotations

import numpy as np
import pytest

import tensorcore as tc

X = np.arange(24.0).reshape(2, 3, 4)
CALLS = {
    "x.reshape(4, 6)": "x.reshape(4, 6)", "x.reshape(-1, 3)": "x.reshape(-1, 3)",
    "x.permute(2, 0, 1)": "x.transpose(2, 0, 1)", "x.transpose(0, -1)": "x.swapaxes(0, -1)",
    "x.movedim((0, 1), (2, 0))": "np.moveaxis(x, (0, 1), (2, 0))",
    "x.mT": "x.swapaxes(-1, -2)", "x.expand(5, 2, 3, 4)": "np.broadcast_to(x, (5, 2, 3, 4))",
    "x[:, :1].expand(-1, 7, -1)": "np.broadcast_to(x[:, :1], (2, 7, 4))", "x.unsqueeze(1)": "x[:, None]",
    "x[:1].squeeze(0)": "x[0]", "x.flatten(1)": "x.reshape(2, 12)",
    "x.unflatten(2, (2, -1))": "x.reshape(2, 3, 2, 2)", "x.ravel()": "x.ravel()", "x.narrow(1, 1, 2)": "x[:, 1:3]",
    "x.select(2, -1)": "x[..., -1]", "x.flip(0, 2)": "np.flip(x, (0, 2))",
    "x.roll((1, -1), (0, 2))": "np.roll(x, (1, -1), (0, 2))", "x.roll(5)": "np.roll(x, 5)",
    "x.repeat(2, 1, 3)": "np.tile(x, (2, 1, 3))", "x.tile(2, 2)": "np.tile(x, (2, 2))",
    "x.rot90(1, (1, 2))": "np.rot90(x, 1, (1, 2))", "x.rot90(-1)": "np.rot90(x, -1)", "x.fliplr()": "np.fliplr(x)",
    "x.flipud()": "np.flipud(x)", "x.repeat_interleave(2, 1)": "np.repeat(x, 2, 1)",
    "x.repeat_interleave(tc.tensor([0, 2, 1]), 1)": "np.repeat(x, [0, 2, 1], 1)",
    "tc.cat([x, x[:1]], 0)": "np.concatenate([x, x[:1]], 0)", "tc.stack([x, x], -1)": "np.stack([x, x], -1)",
    "tc.hstack([x, x])": "np.hstack([x, x])", "tc.vstack([x[0, 0], x[0, 1]])": "np.vstack([x[0, 0], x[0, 1]])",
    "tc.dstack([x[0], x[1]])": "np.dstack([x[0], x[1]])",
    "tc.column_stack([x[0, 0], x[0, 1]])": "np.column_stack([x[0, 0], x[0, 1]])",
    "x.diagonal(1, 1, 2)": "np.diagonal(x, 1, 1, 2)", "x.diagonal()": "np.diagonal(x)",
    "tc.diag(x[0], -1)": "np.diag(x[0], -1)", "tc.diag(x[0, 0], 2)": "np.diag(x[0, 0], 2)",
    "tc.diagflat(x[0, :2], 1)": "np.diagflat(x[0, :2], 1)",
    "x.unfold(2, 2, 1)": "np.lib.stride_tricks.sliding_window_view(x, 2, 2)", "x[0].trace()": "np.trace(x[0])",
    "tc.block_diag(x[0], x[1])": "np.block([[x[0], np.zeros((3, 4))], [np.zeros((3, 4)), x[1]]])",
    "tc.kron(x[0], x[1])": "np.kron(x[0], x[1])", "tc.atleast_3d(x[0])": "np.atleast_3d(x[0])",
    "x.sum_to_size(3, 1)": "x.sum((0, 2))[:, None]",
    "x.diag_embed()[0, 1]": "np.diag(x[0, 1])",
}  # fmt: skip


@pytest.mark.parametrize("ours", CALLS)
@pytest.mark.parametrize(
    "make",
    [lambda x: x, lambda x: np.ascontiguousarray(x.T).T, lambda x: np.repeat(x, 2, 2)[..., ::2]],
    ids=["rows", "columns", "steps"],
)
def test_values(ours, make):
    x = make(X)
    got, expected = (
        eval(ours, {"x": tc.tensor(x) if x.flags.c_contiguous else tc.from_numpy(x), "tc": tc}),
        eval(CALLS[ours], {"x": x, "np": np}),
    )
    assert got.shape == np.shape(expected)
    np.testing.assert_array_equal(np.asarray(got), expected)


VIEWS = [
    "x.view(24)", "x.reshape(24)", "x.transpose(0, 1)", "x.permute(2, 0, 1)", "x.mT", "x.movedim(0, 1)",
    "x.narrow(1, 0, 2)", "x.select(1, 0)", "x.squeeze()", "x.unsqueeze(0)", "x.flatten()", "x.ravel()", "x.detach()",
    "x.data", "x.unbind()[0]", "x.split(1)[0]", "x.chunk(2)[0]", "x.contiguous()",
    "x.diagonal(0, 1, 2)", "x.diagonal()", "x[0]", "x[..., 0]", "x[:, None]", "x[::2]", "x.expand(2, 3, 4)",
    "x.tensor_split(2)[0]", "x.numpy()", "x.unflatten(2, (2, 2))", "x.to(tc.float64)", "x.view(tc.int64)", "x.real",
    "x.hsplit(3)[0]", "x.T if x.ndim == 2 else x.mT", "x.swapaxes(0, 1)", "x.positive()",
    "x.split_with_sizes([1, 1])[0]", "x.unfold(2, 2, 2)", "x.mT.diagonal(1, 0, 2)", "x.as_strided((2, 2), (1, 4), 3)",
]  # fmt: skip
COPIES = [
    "x.clone()",
    "x.flip(0)",
    "x.roll(1)",
    "x.repeat(1, 1, 1)",
    "x.tile(1)",
    "x[[0, 1]]",
    "x[x > -1]",
    "x.to(tc.float32)",
    "x.mT.reshape(24)",
    "x.mT.contiguous()",
    "x.mT.flatten()",
    "x + 0",
    "tc.tensor(x)",
    "tc.cat([x])",
    "x[::-1]",
    "x.abs()",
    "x.repeat_interleave(1, 0)",
    "x.gather(0, tc.zeros(2, 3, 4, dtype=tc.int64))",
    "x.diag_embed()",
]


@pytest.mark.parametrize("call", VIEWS)
def test_views_share_memory(call):
    x = tc.ones(2, 3, 4, dtype=tc.float64)
    eval(call, {"x": x, "tc": tc})[...] = 0
    assert bool((x == 0).any())


@pytest.mark.parametrize("call", COPIES)
def test_copies_do_not(call):
    x = tc.ones(2, 3, 4, dtype=tc.float64)
    eval(call, {"x": x, "tc": tc})[...] = 0
    assert bool((x == 1).all())


def test_writes_go_through_chains_of_views():
    x = tc.zeros(2, 3, 4)
    x.permute(2, 0, 1)[1].t()[0].unsqueeze(0)[..., 1] = 5
    expected = np.zeros((2, 3, 4))
    expected[1, 0, 1] = 5
    np.testing.assert_array_equal(x.numpy(), expected)


def test_shapes_change_in_place():
    x = tc.arange(6).reshape(2, 3)
    y = x[0]
    assert (
        x.t_() is x
        and x.shape == (3, 2)
        and x.unsqueeze_(0).shape == (1, 3, 2)
        and x.squeeze_().shape == (3, 2)
        and x.transpose_(0, 1).shape == (2, 3)
    )
    x[0, 0] = 9
    assert y[0] == 9 and x.resize_(2, 2).tolist() == [[9, 1], [2, 3]] and x.resize_(5).tolist() == [9, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda x: x.view(5, 5), RuntimeError, r"view: shape \[5, 5\] is invalid for \[2, 3, 4\]"),
        (lambda x: x.mT.view(24), RuntimeError, r"view: .*strides.*reshape"),
        (lambda x: x.expand(2, 3, 5), RuntimeError, r"expand: shape \[2, 3, 4\].*\[2, 3, 5\]"),
        (lambda x: tc.cat([x, x[0]]), RuntimeError, r"cat: .*\[2, 3, 4\].*tensor 1 has \[3, 4\]"),
        (lambda x: tc.cat([]), RuntimeError, "at least one"),
        (lambda x: tc.stack([x, x[:1]]), RuntimeError, r"stack: .*tensor 1 has \[1, 3, 4\]"),
        (lambda x: x.permute(0, 1), ValueError, "permute: 2 dims.*3 dimensions"),
        (lambda x: x.transpose(0, 3), IndexError, "transpose: dimension 3"),
        (lambda x: x.narrow(1, 2, 2), RuntimeError, r"narrow: 2 elements from 2.*\[2, 3, 4\]"),
        (lambda x: x.select(0, 2), IndexError, "select: index 2"),
        (lambda x: x.split([1, 2]), RuntimeError, r"split: sizes \[1, 2\] must add up to 2"),
        (lambda x: x.chunk(0), RuntimeError, "chunk"),
        (lambda x: x.repeat(2), RuntimeError, "repeat: 1 sizes.*3 dimensions"),
        (lambda x: x.roll((1, 2), 0), RuntimeError, "roll: 2 shifts for 1 dims"),
        (lambda x: x.unfold(2, 5, 1), RuntimeError, "windows of 5"), (lambda x: x.t(), RuntimeError, "t: .*at most 2"),
        (lambda x: x.flatten(2, 1), RuntimeError, "flatten: start_dim 2"),
        (lambda x: x.diagonal(0, 1, 1), RuntimeError, "diagonal: .*differ"),
        (lambda x: x.trace(), RuntimeError, r"trace: .*\[2, 3, 4\]"),
        (lambda x: x.mT.view(tc.int8), RuntimeError, "last dimension has gaps"),
        (lambda x: x.repeat_interleave(tc.tensor([1, 2]), 1), RuntimeError, "2 repeats"),
        (lambda x: tc.broadcast_tensors(x, tc.zeros(5)), RuntimeError, "do not broadcast"),
        (lambda x: x.reshape(2, "a"), TypeError, "reshape: expected ints"),
        (lambda x: x.squeeze(5), IndexError, "squeeze"), (lambda x: x.sum_to_size(5), RuntimeError, "sum_to_size"),
        (lambda x: x.hsplit(2), RuntimeError, "side 3 does not divide into 2"),
    ],
)  # fmt: skip
def test_errors(call, error, says):
    with pytest.raises(error, match=says):
        call(tc.zeros(2, 3, 4))


@pytest.mark.parametrize(
    ("named", "plain"),
    [
        (lambda x: x.flip(dims=(0, 1)), lambda x: x.flip(0, 1)),
        (lambda x: tc.flip(x, dims=[1]), lambda x: x.flip(1)),
        (lambda x: tc.permute(x, dims=(1, 0)), lambda x: x.permute(1, 0)),
        (lambda x: tc.transpose(x, (1, 0)), lambda x: x.transpose(0, 1)),
        (lambda x: tc.reshape(x, shape=(3, -1)), lambda x: x.reshape(3, 2)),
        (lambda x: x.view(size=(6,)), lambda x: x.view(6)),
        (lambda x: x.view(dtype=tc.int32), lambda x: x.view(tc.int32)),
        (lambda x: x.double().view(float), lambda x: x.double()),
        (lambda x: x.expand(size=(2, 2, 3)), lambda x: x.expand(2, 2, 3)),
        (lambda x: x.repeat(repeats=(2, 1)), lambda x: x.repeat(2, 1)),
        (lambda x: tc.tile(x, dims=(2,)), lambda x: x.tile(2)),
        (lambda x: tc.roll(x, 1, axes=0), lambda x: x.roll(1, 0)),
        (lambda x: tc.tensordot(x, x, axes=((1,), (1,))), lambda x: tc.tensordot(x, x, dims=((1,), (1,)))),
    ],
)
def test_arguments_by_name(named, plain):
    x = tc.arange(6.0).reshape(2, 3)
    assert named(x).dtype is plain(x).dtype and named(x).tolist() == plain(x).tolist()


def test_arguments_given_twice_or_not_at_all():
    x = tc.zeros(2, 3)
    with pytest.raises(TypeError, match=r"given by place, .*, and by name"):
        x.permute(0, 1, dims=(1, 0))
    with pytest.raises(TypeError, match="expected two dimensions, or a sequence of all, got 0"):
        x.transpose(0)
