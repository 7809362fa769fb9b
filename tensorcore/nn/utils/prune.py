"""Pruning: parameters of which elements, or whole channels, are held at zero by a mask.

A pruned parameter ``name`` is kept as ``name_orig``, its mask is the buffer ``name_mask``, and their product is put at
``name`` before every forward. Pruning again takes from what is left.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tensorcore.functions import ones_like
from tensorcore.nn.modules.module import Module
from tensorcore.nn.utils.convert_parameters import parameters_to_vector
from tensorcore.nn.utils.pruning_methods import (
    Amount,
    BasePruningMethod,
    CustomFromMask,
    Identity,
    L1Unstructured,
    LnStructured,
    PruningContainer,
    RandomStructured,
    RandomUnstructured,
)
from tensorcore.tensor import Tensor

__all__ = [
    "BasePruningMethod",
    "CustomFromMask",
    "Identity",
    "L1Unstructured",
    "LnStructured",
    "PruningContainer",
    "RandomStructured",
    "RandomUnstructured",
    "custom_from_mask",
    "global_unstructured",
    "identity",
    "is_pruned",
    "l1_unstructured",
    "ln_structured",
    "random_structured",
    "random_unstructured",
    "remove",
]


def identity(module: Module, name: str) -> Module:
    """Put the parameter ``name`` under a mask of ones.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.utils.prune.identity(tc.nn.Linear(2, 1), "bias").bias_mask
        tensor([1.])
    """
    Identity.apply(module, name)
    return module


def random_unstructured(module: Module, name: str, amount: Amount) -> Module:
    """Prune elements of the parameter ``name`` at random; ``amount`` is a number, or as a float a share.

    Example:
        >>> import tensorcore as tc
        >>> layer = tc.nn.utils.prune.random_unstructured(tc.nn.Linear(2, 3), "weight", amount=2)
        >>> (layer.weight == 0).sum()
        tensor(2)
    """
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: Module, name: str, amount: Amount, importance_scores: Tensor | None = None) -> Module:
    """Prune the elements of the parameter ``name`` of the least magnitude, or of the least ``importance_scores``.

    Example:
        >>> import tensorcore as tc
        >>> layer = tc.nn.utils.prune.l1_unstructured(tc.nn.Linear(2, 3), "weight", amount=0.5)
        >>> sorted(layer.state_dict()), (layer.weight == 0).sum()
        (['bias', 'weight_mask', 'weight_orig'], tensor(3))
    """
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module: Module, name: str, amount: Amount, dim: int) -> Module:
    """Prune channels of the parameter ``name`` along ``dim`` at random.

    Example:
        >>> import tensorcore as tc
        >>> layer = tc.nn.utils.prune.random_structured(tc.nn.Linear(2, 3), "weight", amount=1, dim=1)
        >>> (layer.weight == 0).all(0).sum()
        tensor(1)
    """
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: Module, name: str, amount: Amount, n: Any, dim: int, importance_scores: Tensor | None = None
) -> Module:
    """Prune the channels of the parameter ``name`` along ``dim`` of the least ``n``-norm.

    Example:
        >>> import tensorcore as tc
        >>> layer = tc.nn.utils.prune.ln_structured(tc.nn.Linear(2, 3), "weight", amount=1, n=2, dim=0)
        >>> (layer.weight == 0).all(1).sum()
        tensor(1)
    """
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def global_unstructured(
    parameters: Iterable[tuple[Module, str]], pruning_method: type[BasePruningMethod],
    importance_scores: dict[tuple[Module, str], Tensor] | None = None, **kwargs: Any,
) -> None:  # fmt: skip
    """Prune several parameters as if they were one; other arguments are those of ``pruning_method``.

    Raises:
        TypeError: if ``parameters`` cannot be iterated, or the method is not an unstructured one.

    Example:
        >>> import tensorcore as tc
        >>> net = tc.nn.Sequential(tc.nn.Linear(4, 3), tc.nn.Linear(3, 1))
        >>> prune = tc.nn.utils.prune
        >>> prune.global_unstructured([(net[0], "weight"), (net[1], "weight")], prune.L1Unstructured, amount=10)
        >>> sum(int((layer.weight == 0).sum()) for layer in net)
        10
    """
    if not isinstance(parameters, Iterable):
        raise TypeError(f"global_unstructured(): parameters is not an Iterable: {parameters!r}")
    if importance_scores is not None and not isinstance(importance_scores, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    places = list(parameters)
    given = importance_scores or {}
    scores = parameters_to_vector([given.get((module, name), getattr(module, name)) for module, name in places])
    masks = [getattr(module, f"{name}_mask", ones_like(getattr(module, name))) for module, name in places]
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            f'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method {pruning_method} of '
            f"type {method.PRUNING_TYPE}"
        )
    method._tensor_name = "all"
    mask = PruningContainer(method).compute_mask(scores, parameters_to_vector(masks))
    begin = 0
    for module, name in places:
        count = getattr(module, name).numel()
        custom_from_mask(module, name, mask=mask[begin : begin + count].view_as(getattr(module, name)))
        begin += count


def custom_from_mask(module: Module, name: str, mask: Tensor) -> Module:
    """Prune the parameter ``name`` where ``mask`` is zero.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.utils.prune.custom_from_mask(tc.nn.Linear(5, 3), "bias", tc.tensor([0, 1, 0])).bias_mask
        tensor([0., 1., 0.])
    """
    CustomFromMask.apply(module, name, mask)
    return module


def remove(module: Module, name: str) -> Module:
    """Make the pruned parameter ``name`` a plain one again, with the zeros that it has.

    Raises:
        ValueError: if it is not pruned.

    Example:
        >>> import tensorcore as tc
        >>> prune = tc.nn.utils.prune
        >>> layer = prune.l1_unstructured(tc.nn.Linear(2, 3), "weight", amount=3)
        >>> sorted(prune.remove(layer, "weight").state_dict())
        ['bias', 'weight']
    """
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed")


def is_pruned(module: Module) -> bool:
    """Whether a parameter of the module, or of one in it, is pruned.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.utils.prune.is_pruned(tc.nn.Linear(2, 3))
        False
    """
    return any(
        isinstance(hook, BasePruningMethod) for each in module.modules() for hook in each._forward_pre_hooks.values()
    )
