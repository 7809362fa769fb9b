"""An optimizer at work on other parameters for a while."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tensorcore.optim.optimizer import Optimizer
from tensorcore.tensor import Tensor

__all__ = ["swap_in_optimizer_params_and_state"]


@contextmanager
def swap_in_optimizer_params_and_state(
    optimizer: Optimizer, swapin_parameters: dict[str, Tensor], swapin_optim_state: dict[str, Any]
) -> Iterator[None]:
    """Give an optimizer other parameters, settings and state inside a ``with`` block, and its own back behind it.

    Args:
        optimizer: an optimizer that has state.
        swapin_parameters: the other parameters, in the order of the optimizer's.
        swapin_optim_state: the other settings and state, in the form of `Optimizer.state_dict`. Its tensors are used
            as they are, so that a step changes them; what the block adds to the state is dropped.

    Raises:
        RuntimeError: if the optimizer has no state, or groups, parameters or settings do not fit.

    Example:
        >>> import tensorcore as tc
        >>> w, other = tc.ones(1, requires_grad=True), tc.zeros(1, requires_grad=True)
        >>> w.grad = other.grad = tc.ones(1)
        >>> optimizer = tc.optim.SGD([w], lr=0.5, momentum=0.5)
        >>> optimizer.step()
        >>> saved = optimizer.state_dict()
        >>> with tc.optim.swap_in_optimizer_params_and_state(optimizer, {"w": other}, saved):
        ...     optimizer.step()
        >>> w.data, other.data
        (tensor([0.5000]), tensor([-0.7500]))
    """
    state, groups = _checked(optimizer, swapin_optim_state)
    given = list(swapin_parameters.values())
    wanted = sum(len(group["params"]) for group in groups)
    if len(given) < wanted:
        raise _unfit(f"{wanted} parameters are needed, in the order of the optimizer's, got {len(given)}")
    own_state, own_groups = optimizer.state, [dict(group) for group in optimizer.param_groups]
    try:
        swapped: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        params = iter(given)
        for group, other in zip(optimizer.param_groups, groups, strict=True):
            taken = [next(params) for _ in other["params"]]
            group.update(other)
            group["params"] = taken
            for param, number in zip(taken, other["params"], strict=True):
                swapped[param] = dict(state.get(number, {}))
        optimizer.state = swapped
        yield
    finally:
        for group, own in zip(optimizer.param_groups, own_groups, strict=True):
            group.clear()
            group.update(own)
        optimizer.state = own_state


def _unfit(why: str) -> RuntimeError:
    return RuntimeError(f"swap_in_optimizer_params_and_state: {why}")


def _checked(optimizer: Optimizer, saved: Any) -> tuple[dict[Any, Any], list[dict[str, Any]]]:
    """State and groups of ``saved``, which fit the optimizer."""
    if not optimizer.state:
        raise _unfit("the optimizer has no state yet; make a step first")
    if not isinstance(saved, dict):
        raise _unfit(f"the state must be a dict as state_dict() returns it, got {type(saved).__name__}")
    state, groups = saved.get("state"), saved.get("param_groups")
    if not isinstance(state, dict) or not all(isinstance(each, dict) for each in state.values()):
        raise _unfit("'state' must be a dict with a dict for each number of a parameter")
    if not isinstance(groups, list) or not all(isinstance(group, dict) for group in groups):
        raise _unfit("'param_groups' must be a list of dicts")
    if len(groups) != len(optimizer.param_groups):
        raise _unfit(f"the state has {len(groups)} parameter groups, the optimizer has {len(optimizer.param_groups)}")
    known = set()
    for place, (group, other) in enumerate(zip(optimizer.param_groups, groups, strict=True)):
        numbers = other.get("params")
        if not isinstance(numbers, list) or not all(isinstance(number, int) for number in numbers):
            raise _unfit(f"'params' of group {place} must be a list of numbers, as state_dict() has it")
        if len(numbers) != len(group["params"]):
            have = len(group["params"])
            raise _unfit(f"group {place} of the state has {len(numbers)} parameters, that of the optimizer {have}")
        if other.keys() != group.keys():
            raise _unfit(f"group {place} differs from the optimizer's in {sorted(other.keys() ^ group.keys())}")
        known.update(numbers)
    if not known.issuperset(state):
        raise _unfit(f"'state' has keys that are no parameters of the groups: {sorted(set(state) - known, key=repr)}")
    return state, groups
