"""Writing in place: on immutable arrays (jax) the same as in memory, through views and with gradients."""

from __future__ import annotations

import pytest

import tensorcore as tc


def ramp(device):
    return tc.arange(12.0, device=device).reshape(3, 4).clone()


def view_add(x):
    x[0] += 1


def view_method(x):
    x[0].add_(1)


def one_element(x):
    x[1, 2] = 50
    x[0][3].add_(7)


def nested_views(x):
    x.t()[1:3][:, 2].reshape(2, 1)[0].mul_(10)


def negative_step(x):
    x[::-1, ::2] = tc.tensor([[1.0, 2], [3, 4], [5, 6]], device=x.device)


def mask(x):
    x[x > 5] = -1.0


def mask_values(x):
    x[x > 9] = tc.tensor([7.0, 8.0], device=x.device)


def places(x):
    x[tc.tensor([2, 0], device=x.device), tc.tensor([-1, 1], device=x.device)] = 5.0


def last_of_equal_places(x):
    x[tc.tensor([1, 1, 1], device=x.device), 0] = tc.tensor([1.0, 2.0, 3.0], device=x.device)


def rows(x):
    x[[0, 2]] *= 2


def data(x):
    x.data.copy_(tc.ones(4, device=x.device))


def detached(x):
    x.detach()[1].zero_()


def fill(x):
    x[:, 1:3].fill_(9)


def broadcast_copy(x):
    x[1:].copy_(tc.tensor([4.0, 3, 2, 1], device=x.device))


def other_dtype(x):
    x[2] = tc.tensor([1, 2, 3, 4], device=x.device)


def scatter(x):
    x.scatter_(1, tc.tensor([[3, 0], [1, 2]], device=x.device), tc.full((2, 2), 100.0, device=x.device))


def scatter_add(x):
    x.scatter_add_(0, tc.tensor([[0, 0, 0, 0], [0, 1, 2, 0]], device=x.device), tc.ones(2, 4, device=x.device))


def chain(x):
    x.mul_(2).sub_(1).clamp_(0, 9)


def own_view(x):
    x[1:] = x[:-1]


WRITES = [
    view_add, view_method, one_element, nested_views, negative_step, mask, mask_values, places, last_of_equal_places,
    rows, data, detached, fill, broadcast_copy, other_dtype, scatter, scatter_add, chain, own_view,
]  # fmt: skip


@pytest.mark.parametrize("write", WRITES, ids=lambda each: each.__name__)
def test_write_changes_what_it_changes_on_cpu(write, device):
    results = []
    for where in ("cpu", device):
        x = ramp(where)
        write(x)
        # Where memory cannot be written, ``.data`` is a view, through which writes are noticed.
        results.append((x.tolist(), None if write is data else x._version))
    assert results[0] == results[1]


@pytest.mark.parametrize("write", [view_add, nested_views, fill, mask, rows, chain, places], ids=lambda w: w.__name__)
def test_gradient_flows_through_a_write(write, device):
    grads = []
    for where in ("cpu", device):
        leaf = ramp(where).requires_grad_()
        x = leaf * leaf
        write(x)
        (x * ramp(where)).sum().backward()
        grads.append(leaf.grad.tolist())
    assert grads[0] == grads[1]


def test_backward_refuses_what_was_overwritten(device):
    leaf = tc.ones(3, device=device, requires_grad=True)
    y = leaf.exp()
    y.add_(1)
    with pytest.raises(RuntimeError, match="add_"):
        y.sum().backward()


def test_operands_are_never_changed(device):
    x = ramp(device)
    copies = [x.clone(), x.contiguous().clone(), x.reshape(-1).clone(), x.to(tc.float64)]
    x.zero_()
    for each in copies:
        assert each.reshape(-1).tolist() == list(range(12))


def test_wide_unsigned_numbers_keep_their_values(device):
    top = 2**64 - 1
    x = tc.tensor([top, 1, 2**63, 5], dtype=tc.uint64, device=device)
    values, places = x.sort()
    assert (values.tolist(), places.tolist()) == ([1, 5, 2**63, top], [1, 3, 2, 0])
    assert (x + x).tolist() == [top - 1, 2, 0, 10]
    assert (x > 7).tolist() == [True, False, True, False]
    assert (x // 3).tolist() == [top // 3, 0, 2**63 // 3, 1]
    assert tc.full((2,), top, dtype=tc.uint64, device=device).tolist() == [top, top]
