"""Ways to prune: what masks are made of; `prune` has the functions that users call."""

from __future__ import annotations

import numbers
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

from tensorcore.functions import kthvalue, ones_like, rand, rand_like, topk, zeros_like
from tensorcore.functions import norm as tensor_norm
from tensorcore.nn.modules.module import Module
from tensorcore.tensor import Tensor

__all__ = [
    "Amount",
    "BasePruningMethod",
    "CustomFromMask",
    "Identity",
    "L1Unstructured",
    "LnStructured",
    "PruningContainer",
    "RandomStructured",
    "RandomUnstructured",
]

#: How much is pruned: a number, or as a float a share.
Amount = int | float


class BasePruningMethod(ABC):
    """A way to prune; a subclass defines `compute_mask` and ``PRUNING_TYPE``.

    Attributes:
        PRUNING_TYPE: ``"unstructured"`` chooses among the elements that are left, ``"structured"`` among the channels
            along ``dim`` that are left, ``"global"`` among all elements.
    """

    PRUNING_TYPE: ClassVar[str]
    _tensor_name: str

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask for elements of importance ``t``, which keeps nothing that ``default_mask`` does not."""

    def apply_mask(self, module: Module) -> Tensor:
        """The pruned tensor: the original times the mask."""
        name = getattr(self, "_tensor_name", None)
        if name is None:
            raise AssertionError(f"{type(self).__name__}: {module} has to be pruned first")
        mask, original = getattr(module, f"{name}_mask"), getattr(module, f"{name}_orig")
        pruned: Tensor = mask.to(original.dtype) * original
        return pruned

    @classmethod
    def apply(
        cls, module: Module, name: str, *args: Any, importance_scores: Tensor | None = None, **kwargs: Any
    ) -> BasePruningMethod:
        """Prune the parameter ``name``; other arguments are those of the constructor.

        Raises:
            AssertionError: if ``importance_scores``, by which elements are chosen, has another shape.
        """
        hooks = module._forward_pre_hooks
        before = [
            (key, hook)
            for key, hook in hooks.items()
            if isinstance(hook, BasePruningMethod) and hook._tensor_name == name
        ]
        if len(before) > 1:
            raise AssertionError(f"{name!r} of {module} has several pruning hooks; use one PruningContainer")
        method: BasePruningMethod = cls(*args, **kwargs)
        method._tensor_name = name
        for key, old in before:
            container = old if isinstance(old, PruningContainer) else PruningContainer(old)
            container.add_pruning_method(method)
            method = container
            del hooks[key]
        original = getattr(module, name)
        if importance_scores is None:
            importance_scores = original
        else:
            _require_shape(importance_scores, original, f"parameter {name!r} of {module}")
        if before:
            mask = getattr(module, f"{name}_mask").detach().clone()
        else:
            module.register_parameter(f"{name}_orig", original)
            del module._parameters[name]
            mask = ones_like(original)
        try:
            made = method.compute_mask(importance_scores, default_mask=mask)
            module.register_buffer(f"{name}_mask", made)
            setattr(module, name, method.apply_mask(module))
            module.register_forward_pre_hook(method)
        except Exception:
            if not before:
                module.register_parameter(name, getattr(module, f"{name}_orig"))
                del module._parameters[f"{name}_orig"]
            raise
        return method

    def prune(self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Tensor | None = None) -> Tensor:
        """``t`` pruned, chosen by ``importance_scores``, or by its own elements.

        Raises:
            AssertionError: if ``importance_scores`` has another shape.
        """
        if importance_scores is not None:
            _require_shape(importance_scores, t, "tensor t")
        mask = ones_like(t) if default_mask is None else default_mask
        pruned: Tensor = t * self.compute_mask(t if importance_scores is None else importance_scores, default_mask=mask)
        return pruned

    def remove(self, module: Module) -> None:
        """Make the pruned parameter a plain one again, with the zeros that it has."""
        name = self._tensor_name
        weight = self.apply_mask(module)
        delattr(module, name)
        original = module._parameters.pop(f"{name}_orig")
        assert original is not None
        original.data = weight.data
        del module._buffers[f"{name}_mask"]
        setattr(module, name, original)


class PruningContainer(BasePruningMethod):
    """Several methods applied to one parameter, one after another; each takes from what those before it left."""

    def __init__(self, *args: BasePruningMethod) -> None:
        self._pruning_methods: tuple[BasePruningMethod, ...] = ()
        if len(args) == 1:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: BasePruningMethod | None) -> None:
        """Add a method.

        Raises:
            TypeError: if it is none.
            ValueError: if it acts on a parameter of another name.
        """
        if method is not None and not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if method is not None and self._tensor_name != method._tensor_name:
            raise ValueError(
                f"Can only add pruning methods acting on the parameter named {self._tensor_name!r} to this "
                f"PruningContainer. Found {method._tensor_name!r}"
            )
        self._pruning_methods += (method,)  # type: ignore[operator]

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[BasePruningMethod]:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: int) -> BasePruningMethod:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask of the last method among what ``default_mask`` keeps."""
        method = self._pruning_methods[-1]
        kind = method.PRUNING_TYPE
        part: Any
        if kind == "unstructured":
            part = default_mask == 1
        elif kind == "global":
            part = ...
        elif kind == "structured":
            if not hasattr(method, "dim"):
                raise AttributeError('pruning methods of PRUNING_TYPE "structured" need the attribute `dim`')
            if not -t.ndim <= method.dim < t.ndim:
                raise IndexError(f"dim {method.dim} is out of bounds for a tensor of shape {list(t.shape)}")
            dim = method.dim % t.ndim
            left = default_mask.sum(dim=[d for d in range(t.ndim) if d != dim]) != 0
            part = (slice(None),) * dim + (left,)
        else:
            raise ValueError(f"Unrecognized PRUNING_TYPE {kind}")
        mask = default_mask.to(dtype=t.dtype, copy=True)
        mask[part] = method.compute_mask(t[part], default_mask=default_mask[part]).to(mask.dtype)
        return mask


class Identity(BasePruningMethod):
    """Prunes nothing: a mask of ones."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return default_mask

    @classmethod
    def apply(cls, module: Module, name: str) -> BasePruningMethod:  # type: ignore[override]
        """Put the parameter ``name`` under a mask."""
        return super().apply(module, name)


class _ByAmount(BasePruningMethod):
    """A method that prunes an amount: a number of elements or channels, or as a float a share of them."""

    def __init__(self, amount: Amount) -> None:
        if not isinstance(amount, numbers.Real):
            raise TypeError(f"Invalid type for amount: {amount!r}. Must be int or float.")
        whole = isinstance(amount, numbers.Integral)
        self.amount: Any = amount
        if self.amount < 0 or (not whole and self.amount > 1):
            raise ValueError(f"amount={amount} should be a float in the range [0, 1] or a non-negative integer")

    def _count(self, among: int) -> int:
        """How many of ``among`` are pruned."""
        if not isinstance(self.amount, numbers.Integral):
            return round(self.amount * among)
        if int(self.amount) > among:
            raise ValueError(f"amount={self.amount} should be smaller than the number of parameters to prune={among}")
        return int(self.amount)


class _Elements(_ByAmount):
    """A method that prunes the elements of the lowest score."""

    PRUNING_TYPE = "unstructured"
    largest = False

    def _scores(self, t: Tensor) -> Tensor:
        raise NotImplementedError

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        count = self._count(t.numel())
        mask = default_mask.clone().contiguous()
        if count:
            mask.view(-1)[topk(self._scores(t).reshape(-1), k=count, largest=self.largest).indices] = 0
        return mask


class RandomUnstructured(_Elements):
    """Prunes elements at random."""

    largest = True

    def _scores(self, t: Tensor) -> Tensor:
        return rand_like(t)

    @classmethod
    def apply(cls, module: Module, name: str, amount: Amount) -> BasePruningMethod:  # type: ignore[override]
        """Prune an amount of the parameter ``name``."""
        return super().apply(module, name, amount=amount)


class L1Unstructured(_Elements):
    """Prunes the elements of the least magnitude."""

    def _scores(self, t: Tensor) -> Tensor:
        return t.abs()

    @classmethod
    def apply(  # type: ignore[override]
        cls, module: Module, name: str, amount: Amount, importance_scores: Tensor | None = None
    ) -> BasePruningMethod:
        """Prune an amount of the parameter ``name``."""
        return super().apply(module, name, amount=amount, importance_scores=importance_scores)


class _Channels(_ByAmount):
    """A method that prunes whole channels along ``dim``."""

    PRUNING_TYPE = "structured"
    dim: int

    def _kept(self, t: Tensor, side: int, count: int) -> Tensor:
        """An index of the channels that stay."""
        raise NotImplementedError

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        if t.ndim < 2:
            raise ValueError(
                "Structured pruning can only be applied to multidimensional tensors. "
                f"Found tensor of shape {list(t.shape)} with {t.ndim} dims"
            )
        if self.dim >= t.ndim:
            raise IndexError(f"Invalid index {self.dim} for tensor of size {list(t.shape)}")
        side = t.shape[self.dim]
        count = self._count(side)
        if not count:
            return default_mask
        mask = zeros_like(t)
        mask[(slice(None),) * (self.dim % t.ndim) + (self._kept(t, side, count),)] = 1
        return mask * default_mask.to(mask.dtype)


class RandomStructured(_Channels):
    """Prunes channels at random."""

    def __init__(self, amount: Amount, dim: int = -1) -> None:
        super().__init__(amount)
        self.dim = dim

    def _kept(self, t: Tensor, side: int, count: int) -> Tensor:
        drawn = rand(side)
        return drawn > kthvalue(drawn, k=count).values

    @classmethod
    def apply(  # type: ignore[override]
        cls, module: Module, name: str, amount: Amount, dim: int = -1
    ) -> BasePruningMethod:
        """Prune an amount of channels of the parameter ``name``."""
        return super().apply(module, name, amount=amount, dim=dim)


class LnStructured(_Channels):
    """Prunes the channels of the least ``n``-norm."""

    def __init__(self, amount: Amount, n: Any, dim: int = -1) -> None:
        super().__init__(amount)
        self.n = n
        self.dim = dim

    def _kept(self, t: Tensor, side: int, count: int) -> Tensor:
        norms = tensor_norm(t, p=self.n, dim=[d for d in range(t.ndim) if d != self.dim % t.ndim])
        indices: Tensor = topk(norms, k=side - count, largest=True).indices
        return indices

    @classmethod
    def apply(  # type: ignore[override]
        cls, module: Module, name: str, amount: Amount, n: Any, dim: int, importance_scores: Tensor | None = None
    ) -> BasePruningMethod:
        """Prune an amount of channels of the parameter ``name``."""
        return super().apply(module, name, amount=amount, n=n, dim=dim, importance_scores=importance_scores)


class CustomFromMask(BasePruningMethod):
    """Prunes by a mask that is given."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        _require_shape(self.mask, default_mask, "the parameter", "mask")
        return default_mask * self.mask.to(default_mask.dtype)

    @classmethod
    def apply(cls, module: Module, name: str, mask: Tensor) -> BasePruningMethod:  # type: ignore[override]
        """Prune the parameter ``name`` where ``mask`` is zero."""
        return super().apply(module, name, mask=mask)


def _require_shape(given: Tensor, wanted: Tensor, of: str, what: str = "importance_scores") -> None:
    if given.shape != wanted.shape:
        raise AssertionError(
            f"{what} should have the same shape as {of}, got {list(given.shape)} vs {list(wanted.shape)}"
        )
