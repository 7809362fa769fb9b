"""Recording and replay: equal to eager, on every device that is always there; guards; what cannot be recorded."""

from __future__ import annotations

import warnings

import pytest

import tensorcore as tc
from tensorcore.errors import InplaceError

DEVICES = ("cpu", "reference")


@pytest.fixture(params=DEVICES)
def device(request):
    return request.param


def training_step(device, seed=0):
    """A step with forward, draws, backward and update over two leaves; returns the step and its leaves."""
    tc.manual_seed(seed)
    w = tc.randn(4, 3, device=device).requires_grad_()
    b = tc.zeros(3, device=device).requires_grad_()
    momentum = [tc.zeros_like(p) for p in (w, b)]

    def step(x, y):
        w.grad = b.grad = None
        mask = (tc.rand(x.shape, device=device) > 0.25).to(x.dtype)
        loss = (((x * mask) @ w + b - y) ** 2).sum()
        loss.backward()
        with tc.no_grad():
            for p, m in zip((w, b), momentum, strict=True):
                m.mul_(0.9).add_(p.grad)
                p.sub_(m, alpha=0.01)
        return loss

    return step, [w, b, *momentum]


def test_a_whole_training_step_is_replayed_as_eager_would_run_it(device):
    results = []
    for compiled in (False, True):
        step, state = training_step(device)
        run = tc.compile(step) if compiled else step
        x, y = tc.rand(5, 4, device=device), tc.rand(5, 3, device=device)
        losses = [run(x, y).item() for _ in range(5)]
        results.append((losses, [t.tolist() for t in state], state[0].grad.tolist(), tc.rand(1).item()))
        if compiled:
            (recorded,) = [each for kept in run.recordings.values() for each in kept]
            assert {"matmul", "assign"} <= {step.op.name for step in recorded.graph.steps}
            assert any("ticket" in step.attributes for step in recorded.graph.steps)
    assert results[0] == results[1]


def counting(function):
    calls = []

    def counted(*args, **kwargs):
        calls.append(1)
        return function(*args, **kwargs)

    return tc.compile(counted), calls


def test_it_runs_twice_and_is_then_replayed():
    f, calls = counting(lambda x: x * 2)
    assert [f(tc.full((2,), float(i))).tolist() for i in range(4)] == [[0, 0], [2, 2], [4, 4], [6, 6]]
    assert len(calls) == 2


@pytest.mark.parametrize(
    "other",
    [
        (tc.ones(3), 2.0),
        (tc.ones(2, dtype=tc.float64), 2.0),
        (tc.ones(2, device="reference"), 2.0),
        (tc.ones(2), 3.0),
        (tc.ones(2), 2),
        (tc.ones(2, requires_grad=True), 2.0),
    ],
    ids=["shape", "dtype", "device", "number", "type", "requires_grad"],
)
def test_another_signature_is_another_record(other):
    f, calls = counting(lambda x, factor: x * factor)
    for _ in range(3):
        f(tc.ones(2), 2.0)
    result = f(*other)
    assert len(calls) == 3
    assert result.tolist() == (other[0] * other[1]).tolist()


def test_grad_mode_is_part_of_the_signature():
    f, calls = counting(lambda x: x * 2)
    x = tc.ones(2, requires_grad=True)
    for _ in range(3):
        assert f(x).requires_grad
    with tc.no_grad():
        assert not f(x).requires_grad
    assert len(calls) == 3


def test_a_closed_over_tensor_is_read_at_each_run(device):
    w = tc.ones(2, device=device)
    f = tc.compile(lambda x: x + w)
    x = tc.zeros(2, device=device)
    for value in (1.0, 2.0, 3.0, 4.0):
        w.fill_(value)
        assert f(x).tolist() == [value, value]


def test_results_in_containers_and_arguments_returned():
    f = tc.compile(lambda x, scale: {"a": (x, [x * scale, scale]), "b": None})
    x = tc.ones(2)
    for _ in range(3):
        result = f(x, scale=3)
    assert result["a"][0] is x
    assert (result["a"][1][0].tolist(), result["a"][1][1], result["b"]) == ([3, 3], 3, None)


def test_views_and_in_place_changes_of_arguments(device):
    @tc.compile
    def f(x):
        x[0].add_(1)
        x[:, 1] = 7
        return x.t()

    x = tc.zeros(2, 2, device=device)
    for turn in range(1, 4):
        out = f(x)
        assert x.tolist() == [[turn, 7], [0, 7]] or x.tolist() == [[turn, 7], [0, 7]]
        x[0, 1] = 0
    assert out.shape == (2, 2)


def test_gradients_flow_through_results(device):
    w = tc.tensor([1.0, 2.0], device=device, requires_grad=True)
    f = lambda x: ((x * w).exp(), (x * x).sum())  # noqa: E731
    compiled = tc.compile(f)
    for value in (0.1, 0.2, 0.3, 0.4):
        grads = []
        for run in (f, compiled):
            x = tc.full((2,), value, device=device, requires_grad=True)
            w.grad = None
            a, b = run(x)
            (a.sum() * 2 + b).backward()
            grads.append((x.grad.tolist(), w.grad.tolist(), a.tolist()))
        assert grads[0] == grads[1]


def test_backward_through_results_is_checked_as_in_eager():
    w = tc.ones(1, requires_grad=True)
    f = tc.compile(lambda x: (x * w).sum())
    x = tc.ones(1, requires_grad=True)
    for _ in range(2):
        f(x)
    y = f(x)
    with tc.no_grad():
        w.add_(1)
    with pytest.raises(InplaceError, match=r"compiled function: an operand .* changed in place by add_"):
        y.backward()
    y = f(x)
    y.backward()
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()
    with pytest.raises(RuntimeError, match="no second derivative"):
        tc.autograd.grad(f(x), x, create_graph=True)


def test_gradients_that_add_up_over_calls(device):
    w = tc.ones(1, device=device, requires_grad=True)

    @tc.compile
    def f(x):
        (x * w).sum().backward()

    for turn in range(1, 6):
        f(tc.ones(1, device=device))
        assert w.grad.item() == turn
    w.grad = None
    f(tc.ones(1, device=device))
    assert w.grad.item() == 1


def test_reading_values_falls_back_with_one_warning_naming_the_line():
    def f(x):
        if x.sum().item() > 0:
            return x * 2
        return x

    compiled = tc.compile(f)
    compiled(tc.ones(2))
    with pytest.warns(UserWarning, match=r"compile: <compiled .*f> runs uncompiled: item .* at .*test_compile.py:\d+"):
        compiled(tc.ones(2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert compiled(-tc.ones(2)).tolist() == [-1, -1]


@pytest.mark.parametrize("read", [bool, float, tc.Tensor.tolist, tc.nonzero, lambda t: t[t > 0]])
def test_everything_that_reads_values_is_noticed(read):
    compiled = tc.compile(lambda x: read(x) and x * 2)
    compiled(tc.ones(1))
    with pytest.warns(UserWarning, match="runs uncompiled"):
        compiled(tc.ones(1))


def test_fullgraph_makes_it_an_error():
    compiled = tc.compile(lambda x: x * x.item(), fullgraph=True)
    compiled(tc.ones(1))
    with pytest.raises(RuntimeError, match="runs uncompiled: item reads"):
        compiled(tc.ones(1))


def test_decorator_forms_and_disable():
    def f(x):
        return x + 1

    assert tc.compile(disable=True)(f) is f
    assert tc.compile(mode="reduce-overhead")(f)(tc.ones(1)).item() == 2
    assert tc.compile(f).__name__ == "f"
    with pytest.raises(TypeError, match="expected a function or module, got int"):
        tc.compile(3)


def test_methods():
    class Scaler:
        factor = 3

        @tc.compile
        def scale(self, x):
            return x * self.factor

    scaler = Scaler()
    assert [scaler.scale(tc.ones(1)).item() for _ in range(3)] == [3, 3, 3]


def test_an_error_inside_leaves_nothing_behind():
    def f(x, bad):
        if bad:
            raise KeyError("no")
        return x * 2

    compiled = tc.compile(f)
    compiled(tc.ones(1), False)
    for _ in range(2):
        with pytest.raises(KeyError):
            compiled(tc.ones(1), True)
    assert [compiled(tc.ones(1), False).item() for _ in range(3)] == [2, 2, 2]
    assert (tc.ones(1) + 1).item() == 2


def test_results_that_are_only_assigned_are_written_in_place():
    x = tc.ones(3)

    @tc.compile
    def f(y):
        x.add_(y)

    for _ in range(4):
        f(tc.ones(3))
    (recorded,) = [each for kept in f.recordings.values() for each in kept]
    assert [step.op.name for step in recorded.graph.steps] == ["add", "assign"]
    assert [step.into is not None for step, _, _ in recorded.program.plan] == [True]
    assert x.tolist() == [5, 5, 5]
