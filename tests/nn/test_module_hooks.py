"""Hooks around the calls of modules."""

from __future__ import annotations

import pytest

import tensorcore as tc
from tensorcore import nn
from tensorcore.nn.modules import hooks


class Double(nn.Module):
    def forward(self, x, *, times=2):
        return x * times


def test_forward_hooks_run_in_order_and_may_replace():
    module, seen = Double(), []
    module.register_forward_pre_hook(lambda m, args: (args[0] + 1,))
    module.register_forward_pre_hook(lambda m, args, kwargs: (args, {"times": 10}), with_kwargs=True)
    module.register_forward_hook(lambda m, args, out: seen.append("second"))
    module.register_forward_hook(lambda m, args, out: seen.append("first"), prepend=True)
    handle = module.register_forward_hook(lambda m, args, kwargs, out: out - kwargs["times"], with_kwargs=True)
    assert module(tc.ones(1)).tolist() == [10] and seen == ["first", "second"]
    handle.remove()
    assert module(tc.ones(1)).tolist() == [20] and len(module._forward_hooks) == 2


def test_a_pre_hook_with_keywords_must_return_a_pair():
    module = Double()
    module.register_forward_pre_hook(lambda m, args, kwargs: 3, with_kwargs=True)
    with pytest.raises(RuntimeError, match=r"\(args, kwargs\)"):
        module(tc.ones(1))


def test_hooks_called_always_run_after_an_error():
    module, seen = nn.Linear(2, 2), []
    module.register_forward_hook(lambda m, args, out: seen.append(out), always_call=True)
    module.register_forward_hook(lambda m, args, out: seen.append("never"))
    with pytest.raises(RuntimeError):
        module(tc.ones(3))
    assert seen == [None]
    module.register_forward_hook(lambda m, args, out: 1 / 0, always_call=True)
    with pytest.warns(UserWarning, match="ZeroDivisionError"), pytest.raises(RuntimeError):
        module(tc.ones(3))


def test_hooks_of_all_modules():
    seen = []
    handles = [
        hooks.register_module_forward_pre_hook(lambda m, args: seen.append("pre")),
        hooks.register_module_forward_hook(lambda m, args, out: seen.append("forward")),
        hooks.register_module_full_backward_pre_hook(lambda m, g: seen.append("backward pre")),
        hooks.register_module_full_backward_hook(lambda m, gi, go: seen.append("backward")),
    ]
    try:
        Double()(tc.ones(1, requires_grad=True)).sum().backward()
    finally:
        for handle in handles:
            handle.remove()
    assert seen == ["pre", "forward", "backward pre", "backward"]
    Double()(tc.ones(1))
    assert len(seen) == 4


def test_backward_hooks_see_and_replace_gradients():
    module, seen = Double(), []
    module.register_full_backward_hook(lambda m, gi, go: seen.append((gi[0].tolist(), go[0].tolist())))
    module.register_full_backward_hook(lambda m, gi, go: (gi[0] * 100,))
    module.register_full_backward_pre_hook(lambda m, go: (go[0] * 3,))
    x = tc.ones(1, requires_grad=True)
    module(x).sum().backward()
    assert seen == [([6.0], [3.0])] and x.grad.tolist() == [600]


def test_backward_hooks_without_gradient_of_the_input():
    module, seen = nn.Linear(2, 1), []
    module.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go[0].tolist())))
    module(tc.ones(1, 2)).sum().backward()
    assert seen == [((None,), [[1.0]])] and module.weight.grad.tolist() == [[1, 1]]
    with tc.no_grad():
        module(tc.ones(1, 2))
    module.register_full_backward_hook(lambda m, gi, go: gi)
    with pytest.raises(RuntimeError, match="no input of the module requires grad"):
        module(tc.ones(1, 2)).sum().backward()


def test_backward_hooks_of_several_outputs():
    class Pair(nn.Module):
        def forward(self, x, y):
            return x * 2, y, "text"

    module, seen = Pair(), []
    module.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go)))
    x = tc.ones(1, requires_grad=True)
    first, second, text = module(x, tc.ones(1))
    first.sum().backward()
    assert text == "text" and not second.requires_grad
    ((grad_input, grad_output),) = seen
    assert grad_input[0].tolist() == [2] and grad_input[1] is None and grad_output[1:] == (None, None)
    module.register_full_backward_hook(lambda m, gi, go: gi[:1])
    with pytest.raises(RuntimeError, match="2 entries, the hook returned 1"):
        module(x, tc.ones(1))[0].sum().backward()
