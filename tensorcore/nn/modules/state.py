"""A module's state: ``state_dict`` and ``load_state_dict``, in PyTorch's format."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from tensorcore.autograd.hooks import RemovableHandle
from tensorcore.autograd.mode import no_grad
from tensorcore.errors import CheckpointError
from tensorcore.nn.modules.tree import ModuleTree
from tensorcore.nn.parameter import Parameter, is_lazy
from tensorcore.tensor import Tensor

EXTRA_STATE = "_extra_state"


class IncompatibleKeys(NamedTuple):
    """What `Module.load_state_dict` returns: keys the module has and the state lacks, and the other way round."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"IncompatibleKeys(missing_keys={self.missing_keys!r}, unexpected_keys={self.unexpected_keys!r})"


class ModuleState(ModuleTree):
    """Saving and loading of a module's tensors; a part of `Module`."""

    #: Stored in the state's metadata; a class that changes its format raises it and reads older ones.
    _version: int = 1

    _state_dict_hooks: dict[int, Callable[..., Any]]
    _state_dict_pre_hooks: dict[int, Callable[..., Any]]
    _load_state_dict_pre_hooks: dict[int, Callable[..., Any]]
    _load_state_dict_post_hooks: dict[int, Callable[..., Any]]

    def get_extra_state(self) -> Any:
        """State of a subclass that is not in tensors, to be put into ``state_dict``; defined with `set_extra_state`."""
        raise RuntimeError(f"{type(self).__name__}.get_extra_state is not defined, though set_extra_state may be")

    def set_extra_state(self, state: Any) -> None:
        """Take back what `get_extra_state` returned."""
        raise RuntimeError(
            f"{type(self).__name__}.set_extra_state is not defined, but the state_dict has extra state for it"
        )

    # ---------------------------------------------------------------- saving

    def state_dict(
        self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> OrderedDict[str, Any]:
        """Path to tensor for all parameters and persistent buffers; the tensors share the module's memory.

        ``keep_vars`` gives the parameters themselves in place of detached tensors.

        Example:
            >>> import tensorcore as tc
            >>> list(tc.nn.Linear(2, 1).state_dict())
            ['weight', 'bias']
        """
        if args:
            given: Any = (*args, *(destination, prefix, keep_vars)[len(args) :])
            destination, prefix, keep_vars = given
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        for hook in list(self._state_dict_pre_hooks.values()):
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in list(self._state_dict_hooks.values()):
            replaced = hook(self, destination, prefix, metadata)
            if replaced is not None:
                if getattr(hook, "_from_public_api", False):
                    raise RuntimeError("state_dict post-hook must return None")
                destination = replaced
        return destination

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        for name, parameter in self._parameters.items():
            if parameter is not None:
                destination[prefix + name] = parameter if keep_vars else parameter.detach()
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._non_persistent_buffers_set:
                destination[prefix + name] = buffer if keep_vars else buffer.detach()
        if type(self).get_extra_state is not ModuleState.get_extra_state:
            destination[prefix + EXTRA_STATE] = self.get_extra_state()

    # ---------------------------------------------------------------- loading

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy the tensors of ``state_dict`` into this module's, converting dtype and device.

        ``strict`` asks the keys to match exactly; ``assign`` puts the tensors themselves in place of the module's.

        Raises:
            TypeError: if it is no mapping.
            CheckpointError: listing missing and unexpected keys and mismatched shapes.

        Example:
            >>> import tensorcore as tc
            >>> tc.nn.Linear(2, 1).load_state_dict(tc.nn.Linear(2, 1).state_dict())
            <All keys matched successfully>
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"load_state_dict: expected a dict of tensors, got {type(state_dict).__name__}")
        missing: list[str] = []
        unexpected: list[str] = []
        errors: list[str] = []
        metadata = getattr(state_dict, "_metadata", None)
        state: OrderedDict[str, Any] = OrderedDict(state_dict)
        if metadata is not None:
            state._metadata = metadata  # type: ignore[attr-defined]
        _load(self, state, "", metadata, assign, missing, unexpected, errors)
        if strict:
            if unexpected:
                errors.insert(0, f"Unexpected key(s) in state_dict: {_quoted(unexpected)}.")
            if missing:
                errors.insert(0, f"Missing key(s) in state_dict: {_quoted(missing)}.")
            hint = _renaming(missing, unexpected) or _nearest(missing, unexpected)
            if hint:
                errors.append(hint)
        if errors:
            listed = "\n\t".join(errors)
            raise CheckpointError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t{listed}")
        return IncompatibleKeys(missing, unexpected)

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Load this module's own tensors; what does not fit is added to the three lists."""
        for hook in list(self._load_state_dict_pre_hooks.values()):
            hook(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        own: dict[str, Any] = {
            name: tensor
            for name, tensor in (*self._parameters.items(), *self._buffers.items())
            if tensor is not None and name not in self._non_persistent_buffers_set
        }
        assign = bool(local_metadata.get("assign_to_params_buffers", False))
        for name, tensor in own.items():
            key = prefix + name
            if key in state_dict:
                problem = self._load_tensor(name, tensor, state_dict[key], assign)
                if problem:
                    error_msgs.append(problem.format(key=key))
            elif strict:
                missing_keys.append(key)
        extra = prefix + EXTRA_STATE
        if type(self).set_extra_state is not ModuleState.set_extra_state:
            if extra in state_dict:
                self.set_extra_state(state_dict[extra])
            elif strict:
                missing_keys.append(extra)
        elif strict and extra in state_dict:
            unexpected_keys.append(extra)
        if strict:
            for key in state_dict:
                if key.startswith(prefix) and key != extra:
                    first, dot, _ = key[len(prefix) :].partition(".")
                    if (first not in self._modules) if dot else (first not in own):
                        unexpected_keys.append(key)

    def _load_tensor(self, name: str, tensor: Tensor, value: Any, assign: bool) -> str:
        """Load one tensor; returns what is wrong, or nothing."""
        if not isinstance(value, Tensor):
            return f"{{key}}: expected a tensor in the state_dict, got {type(value).__name__}"
        if is_lazy(tensor) and is_lazy(value):
            return ""
        if not tensor.shape and tuple(value.shape) == (1,):
            # Checkpoints of PyTorch before 0.4 hold scalars as tensors of one element.
            value = value[0]
        if value.shape != tensor.shape:
            return (
                f"size mismatch for {{key}}: the state_dict has shape {list(value.shape)}, "
                f"the module {list(tensor.shape)}"
            )
        if assign:
            if isinstance(tensor, Parameter):
                value = Parameter(value, requires_grad=tensor.requires_grad)
            setattr(self, name, value)
        else:
            with no_grad():
                tensor.copy_(value)
        return ""

    # ---------------------------------------------------------------- hooks

    def register_state_dict_pre_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call ``hook(module, prefix, keep_vars)`` before `state_dict` collects this module's tensors."""
        return RemovableHandle.add(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` afterwards; it may change ``state_dict``."""
        hook._from_public_api = True  # type: ignore[attr-defined]
        return RemovableHandle.add(self._state_dict_hooks, hook)

    def _register_state_dict_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        return RemovableHandle.add(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, metadata, strict, missing, unexpected, errors)`` before loading."""
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def _register_load_state_dict_pre_hook(
        self, hook: Callable[..., None], with_module: bool = False
    ) -> RemovableHandle:
        from functools import partial

        return RemovableHandle.add(self._load_state_dict_pre_hooks, partial(hook, self) if with_module else hook)

    def register_load_state_dict_post_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` after loading; it may change the two lists of keys."""
        return RemovableHandle.add(self._load_state_dict_post_hooks, hook)


def _load(
    module: ModuleState, state: Any, prefix: str, metadata: Any, assign: bool,
    missing: list[str], unexpected: list[str], errors: list[str],
) -> None:  # fmt: skip
    local = {} if metadata is None else dict(metadata.get(prefix[:-1], {}))
    if assign:
        local["assign_to_params_buffers"] = True
    module._load_from_state_dict(state, prefix, local, True, missing, unexpected, errors)
    for name, child in module._modules.items():
        if child is not None:
            _load(child, state, f"{prefix}{name}.", metadata, assign, missing, unexpected, errors)
    for hook in list(module._load_state_dict_post_hooks.values()):
        if hook(module, IncompatibleKeys(missing, unexpected)) is not None:
            raise RuntimeError("load_state_dict post-hook must return None; it changes the lists of keys in place")


def _quoted(keys: list[str]) -> str:
    return ", ".join(f'"{key}"' for key in keys)


#: Of so many keys the nearest are looked for: comparing names takes a while.
_COMPARED: Final = 20


def _nearest(missing: list[str], unexpected: list[str]) -> str:
    """A hint which missing key each unexpected one may stand for."""
    from difflib import get_close_matches

    pairs = []
    for key in unexpected[:_COMPARED]:
        found = get_close_matches(key, missing, n=1, cutoff=0.7)
        pairs += [f'"{key}" for "{found[0]}"'] if found else []
    return f"Hint: did the state_dict mean {', '.join(pairs)}?" if pairs else ""


def _renaming(missing: list[str], unexpected: list[str]) -> str:
    """A hint where one prefix makes the difference, as ``module.`` of data-parallel checkpoints does."""
    if not missing or not unexpected:
        return ""
    for kind, short, long in (("remove", missing[0], unexpected), ("add", unexpected[0], missing)):
        prefix = next((key[: -len(short)] for key in long if key.endswith("." + short)), "")
        if prefix:
            where = "from" if kind == "remove" else "to"
            return f"Hint: {kind} the prefix {prefix!r} {where} the keys of the state_dict."
    return ""
