"""Modules as functions of their parameters."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tensorcore.errors import TransformError
from tensorcore.tensor import Tensor

if TYPE_CHECKING:
    from tensorcore.nn import Module

__all__ = ["debug_unwrap", "functional_call", "functionalize", "replace_all_batch_norm_modules_", "stack_module_state"]


def functional_call(
    module: Module, parameter_and_buffer_dicts: Any, args: Any = None, kwargs: dict[str, Any] | None = None, *,
    tie_weights: bool = True, strict: bool = False,
) -> Any:  # fmt: skip
    """``module(*args, **kwargs)`` with other tensors in place of its parameters and buffers, which stay as they are.

    Args:
        module: what to call.
        parameter_and_buffer_dicts: tensors by their names, as `Module.named_parameters` gives them; or several such
            dicts, which share no name. Names that the module has not are passed over, unless ``strict``.
        args: the arguments; one that is no tuple is the only one.
        kwargs: the keyword arguments.
        tie_weights: whether a tensor given for a name also goes to other names of the same parameter.
        strict: whether all parameters and buffers must be given, and no other name.

    Raises:
        TransformError: for a name that is given twice, or two tensors for one parameter of two names.
        RuntimeError: with ``strict``, where names are missing or unknown.

    Example:
        >>> import tensorcore as tc
        >>> layer = tc.nn.Linear(2, 1)
        >>> given = {"weight": tc.tensor([[1.0, 2.0]]), "bias": tc.zeros(1)}
        >>> tc.func.functional_call(layer, given, tc.tensor([3.0, 4.0]))
        tensor([11.])
    """
    given = _merged(parameter_and_buffer_dicts)
    named = _named_tensors(module)
    unknown = [name for name in given if name not in named]
    if strict:
        missing = [name for name in named if name not in given and not (tie_weights and _tied(name, given, named))]
        if missing or unknown:
            raise RuntimeError(
                f"functional_call: strict=True, but missing are {missing or 'none'}, and unknown to "
                f"{type(module).__name__} are {unknown or 'none'}"
            )
    given = {name: tensor for name, tensor in given.items() if name in named}
    if tie_weights:
        given = _with_ties(given, named)
    replaced: list[tuple[dict[str, Any], str, Any]] = []
    arguments = () if args is None else args if isinstance(args, tuple) else (args,)
    try:
        for name, tensor in given.items():
            path, _, leaf = name.rpartition(".")
            owner: Any = module.get_submodule(path) if path else module
            store = owner._parameters if leaf in owner._parameters else owner._buffers
            replaced.append((store, leaf, store[leaf]))
            store[leaf] = tensor
        return module(*arguments, **(kwargs or {}))
    finally:
        for store, leaf, before in replaced:
            store[leaf] = before


def functionalize(func: Callable[..., Any], *, remove: str = "mutations") -> Callable[..., Any]:
    """A function that does what ``func`` does.

    In PyTorch it rewrites changes in place for tracers that cannot record them. Recorded programs
    (`tensorcore.compile`) and devices whose arrays cannot change follow such changes by themselves, so there is
    nothing to rewrite.

    Args:
        func: any function of tensors; what it changes in place it changes.
        remove: ``"mutations"`` or ``"mutations_and_views"``.

    Raises:
        RuntimeError: for another ``remove``.

    Example:
        >>> import tensorcore as tc
        >>> def change(x):
        ...     y = x.clone()
        ...     y.view(-1).add_(1)
        ...     return y
        >>> tc.func.functionalize(change)(tc.zeros(2))
        tensor([1., 1.])
    """
    if remove not in ("mutations", "mutations_and_views"):
        raise TransformError(f"functionalize: remove must be 'mutations' or 'mutations_and_views', got {remove!r}")

    @functools.wraps(func)
    def functional(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **kwargs)

    return functional


def replace_all_batch_norm_modules_(root: Module) -> Module:
    """Make the batch normalisations in ``root`` use the statistics of each batch alone; returns ``root``.

    Running statistics, which all examples share, cannot be changed by each of them inside `vmap`.

    Example:
        >>> import tensorcore as tc
        >>> layer = tc.func.replace_all_batch_norm_modules_(tc.nn.BatchNorm1d(2))
        >>> tc.vmap(layer)(tc.ones(3, 4, 2)).shape
        tensorcore.Size([3, 4, 2])
    """
    from tensorcore.nn.modules.batchnorm import _BatchNorm

    for module in root.modules():
        if isinstance(module, _BatchNorm):
            module.track_running_stats = False
            module.running_mean = module.running_var = module.num_batches_tracked = None
    return root


def debug_unwrap(tensor: Tensor, *, recurse: bool = True) -> Tensor:
    """What a tensor inside transforms wraps, to look at: the values of all examples, or the value without its tangent.

    Computing with it leaves the transform, so it is for debugging only. ``recurse`` unwraps all levels, not just one.

    Example:
        >>> import tensorcore as tc
        >>> def look(a):
        ...     print(tc.func.debug_unwrap(a))
        ...     return a
        >>> _ = tc.vmap(look)(tc.tensor([1, 2]))
        tensor([1, 2])
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"debug_unwrap: expected a tensor, got {type(tensor).__name__}")
    if tensor._kind.level is None:
        return tensor
    inner: Tensor = tensor._array.outer
    return debug_unwrap(inner) if recurse else inner


def _merged(dicts: Any) -> dict[str, Any]:
    if isinstance(dicts, Mapping):
        return dict(dicts)
    if not isinstance(dicts, Sequence):
        raise TransformError(f"functional_call: expected a dict of tensors, or a sequence of such, got {dicts!r}")
    merged: dict[str, Any] = {}
    for each in dicts:
        twice = [name for name in each if name in merged]
        if twice:
            raise TransformError(f"functional_call: {twice[0]!r} is in more than one of the dicts")
        merged.update(each)
    return merged


def _named_tensors(module: Module) -> dict[str, Any]:
    return {
        **dict(module.named_parameters(remove_duplicate=False)),
        **dict(module.named_buffers(remove_duplicate=False)),
    }


def _tied(name: str, given: Mapping[str, Any], named: Mapping[str, Any]) -> bool:
    return any(named.get(other) is named[name] for other in given)


def _with_ties(given: dict[str, Any], named: Mapping[str, Any]) -> dict[str, Any]:
    groups: dict[int, list[str]] = {}
    for name, tensor in named.items():
        groups.setdefault(id(tensor), []).append(name)
    whole = dict(given)
    for names in groups.values():
        chosen = [name for name in names if name in given]
        if len({id(given[name]) for name in chosen}) > 1:
            raise TransformError(
                f"functional_call: {' and '.join(chosen)} are one parameter, but got different tensors; give one of "
                "them, or pass tie_weights=False"
            )
        if chosen:
            whole.update(dict.fromkeys(names, given[chosen[0]]))
    return whole


def stack_module_state(models: Sequence[Module]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters and the buffers of models of one class, each stacked along a new first dimension.

    The parameters are leaves that require grad where those of the models do.

    Raises:
        TransformError: for no models, models of different classes, or of different training modes.

    Example:
        >>> import tensorcore as tc
        >>> models = [tc.nn.Linear(2, 3) for _ in range(4)]
        >>> params, buffers = tc.func.stack_module_state(models)
        >>> params["weight"].shape
        tensorcore.Size([4, 3, 2])
    """
    from tensorcore.ops.movement import stack

    if not models:
        raise TransformError("stack_module_state: expected at least one model, got none")
    if len({type(model) for model in models}) > 1:
        met = ", ".join(sorted({type(model).__name__ for model in models}))
        raise TransformError(f"stack_module_state: expected models of one class, got {met}")
    if len({model.training for model in models}) > 1:
        raise TransformError("stack_module_state: expected all models in one mode, train() or eval()")

    def stacked(name: str, tensors: list[Tensor]) -> Tensor:
        needs = {x.requires_grad for x in tensors}
        if len(needs) > 1:
            raise TransformError(f"stack_module_state: {name} requires grad in some models only")
        made = stack([x.detach() for x in tensors])
        return made.requires_grad_() if needs == {True} else made

    params = [dict(model.named_parameters()) for model in models]
    buffers = [dict(model.named_buffers()) for model in models]
    return (
        {name: stacked(name, [each[name] for each in params]) for name in params[0]},
        {name: stacked(name, [each[name] for each in buffers]) for name in buffers[0]},
    )
