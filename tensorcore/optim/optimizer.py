"""The base class of optimizers: parameter groups, state, hooks, and their saving and loading in PyTorch's format."""

from __future__ import annotations

import copy
import functools
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from typing import Any, Final

from tensorcore.autograd.hooks import RemovableHandle
from tensorcore.autograd.mode import enable_grad, no_grad, set_grad_enabled
from tensorcore.compile import capture
from tensorcore.dtypes import FLOATING
from tensorcore.errors import CheckpointError
from tensorcore.ops.record import Op
from tensorcore.optim.settings import count_dtype
from tensorcore.optim.updates import apply_updates
from tensorcore.tensor import Tensor

__all__ = ["Optimizer", "ParamsT", "register_optimizer_step_post_hook", "register_optimizer_step_pre_hook"]

Hooks = OrderedDict[int, Callable[..., Any]]
#: What optimizers take as parameters: tensors, (name, tensor) pairs, or groups.
ParamsT = Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]

_before_every_step: Final[Hooks] = OrderedDict()
_after_every_step: Final[Hooks] = OrderedDict()


class _Required:
    def __repr__(self) -> str:
        return "<required parameter>"


#: The default of a setting that each parameter group must state.
required: Final = _Required()


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` before every step of every optimizer."""
    return RemovableHandle.add(_before_every_step, hook)


def register_optimizer_step_post_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` after every step of every optimizer."""
    return RemovableHandle.add(_after_every_step, hook)


def _with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """``step`` between the hooks; as in PyTorch, the optimizer is among the positional arguments that they see."""

    @functools.wraps(step)
    def hooked(*args: Any, **kwargs: Any) -> Any:
        self = args[0]
        self._opt_called = True
        if not (self._step_pre_hooks or self._step_post_hooks or _before_every_step or _after_every_step):
            return step(*args, **kwargs)
        for hook in (*_before_every_step.values(), *self._step_pre_hooks.values()):
            replaced = hook(self, args, kwargs)
            if replaced is not None:
                if not isinstance(replaced, tuple) or len(replaced) != 2:
                    raise RuntimeError(f"step pre-hook must return None or a tuple (args, kwargs), got {replaced!r}")
                args, kwargs = replaced
        result = step(*args, **kwargs)
        for hook in (*self._step_post_hooks.values(), *_after_every_step.values()):
            hook(self, args, kwargs)
        return result

    return hooked


class Optimizer:
    """Base class of optimizers; a subclass defines ``step``, as in PyTorch.

    Args:
        params: parameters, (name, parameter) pairs, or dicts with ``"params"`` and settings of their own.
        defaults: the settings of groups that do not state them.

    Attributes:
        param_groups: dicts of settings with a list of parameters under ``"params"``.
        state: what the optimizer remembers, per parameter.
        defaults: the settings given to the constructor.

    Raises:
        TypeError: if ``params`` is a single tensor, or holds what is no tensor; if a group's are a set.
        ValueError: if it is empty, has a parameter twice, or one that is no leaf.
    """

    _step_pre_hooks: Hooks
    _step_post_hooks: Hooks
    #: Whether `_row` takes gradients in a sparse layout.
    _takes_sparse = False
    #: State that is a number, kept in a dtype of its own whatever the parameter's.
    _counts: tuple[str, ...] = ("step",)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _with_hooks(cls.__dict__["step"])  # type: ignore[method-assign]

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self._make_hooks()
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got a Tensor"
            )
        self.state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        if not isinstance(params, Iterable):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                f"{type(params).__name__}"
            )
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def _make_hooks(self) -> None:
        self._opt_called = False
        #: What stood for `step` on this very object when its first schedule was made, in a tuple.
        self._scheduled_step: tuple[Any] | None = None
        self._step_pre_hooks = OrderedDict()
        self._step_post_hooks = OrderedDict()
        self._state_dict_pre_hooks: Hooks = OrderedDict()
        self._state_dict_post_hooks: Hooks = OrderedDict()
        self._load_state_dict_pre_hooks: Hooks = OrderedDict()
        self._load_state_dict_post_hooks: Hooks = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if "_step_pre_hooks" not in self.__dict__:
            self._make_hooks()
        for group in self.param_groups:
            for name, value in self.defaults.items():
                group.setdefault(name, value)

    def __repr__(self) -> str:
        text = f"{type(self).__name__} ("
        for place, group in enumerate(self.param_groups):
            text += f"\nParameter Group {place}\n"
            for name in sorted(group):
                if name != "params":
                    text += f"    {name}: {group[name]}\n"
        return text + ")"

    # ---------------------------------------------------------------- stepping

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters; with ``set_to_none=False`` fill them with zeros."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    if set_to_none:
                        parameter.grad = None
                        continue
                    if parameter.grad.grad_fn is not None:
                        parameter.grad = parameter.grad.detach()
                    with no_grad():
                        parameter.grad.requires_grad_(False).zero_()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient; ``closure``, which computes it anew, is called first.

        Returns:
            what ``closure`` returned.
        """
        if type(self)._row is Optimizer._row:
            raise NotImplementedError(f"{type(self).__name__} does not define step")
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        recorded = capture.active()
        if recorded:
            capture.guard(self._recorded_settings)
        for group in self.param_groups:
            with set_grad_enabled(bool(group.get("differentiable", False))):
                rows = []
                for parameter in group["params"]:
                    grad = parameter.grad if recorded else parameter._grad
                    if grad is not None:
                        if grad._kind.sparse and not self._takes_sparse:
                            raise RuntimeError(
                                f"{type(self).__name__} does not support sparse gradients, got one of a parameter of "
                                f"shape {list(parameter.shape)}; use SGD, Adagrad or SparseAdam"
                            )
                        row = self._row(parameter, grad, group)
                        if row is not None:
                            rows.append(row)
                if rows:
                    apply_updates(type(self)._rule, rows, self._attributes(group))
                    self._finish(group, rows)
        return loss

    step = _with_hooks(step)
    profile_hook_step = staticmethod(_with_hooks)

    #: The update rule, an op; its operands and attributes come from `_row` and `_attributes`. Read from the class, as
    #: ops are bound like methods.
    _rule: Op

    def _row(self, param: Any, grad: Any, group: dict[str, Any]) -> list[Any] | None:
        """The operands of the update rule for one parameter, with its state made or counted up; ``None`` if done."""
        raise NotImplementedError

    def _attributes(self, group: dict[str, Any]) -> dict[str, Any]:
        """The attributes of the update rule, from the settings of a group."""
        raise NotImplementedError

    def _finish(self, group: dict[str, Any], rows: list[list[Any]]) -> None:
        """Bring the rest of the state up to date after the update."""

    def _recorded_settings(self) -> tuple[Any, ...]:
        """What a recorded step takes for given: the settings, and which parameters and state tensors there are."""
        settings = [
            (name, id(value) if isinstance(value, Tensor) else value)
            for group in self.param_groups
            for name, value in group.items()
            if name not in ("params", "param_names")
        ]
        # The record keeps its tensors alive, so that another cannot have taken the id of one that is gone.
        params = [id(param) for group in self.param_groups for param in group["params"]]
        held = [id(value) for state in self.state.values() for value in state.values()]
        return settings, params, held

    # ---------------------------------------------------------------- groups

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters with settings of its own, as when more of a model is to be trained.

        Raises:
            TypeError, ValueError: as the constructor.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group).__name__}")
        if "params" not in param_group:
            raise KeyError(f"param_group must have its parameters under 'params', but has only {list(param_group)}")
        params = param_group["params"]
        if isinstance(params, Tensor):
            params = [params]
        elif isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets "
                "will change between runs; use a list instead"
            )
        params = list(params)
        names: list[str] | None = None
        if any(isinstance(param, tuple) for param in params):
            if not all(isinstance(param, tuple) for param in params):
                raise ValueError("all optimizer params should be with/without names; some names are missing")
            names = [name for name, _ in params]
            params = [param for _, param in params]
        for param in params:
            self._check(param)
        if len({id(param) for param in params}) != len(params):
            warnings.warn("optimizer contains a parameter group with duplicate parameters", stacklevel=3)
        taken = {id(param) for group in self.param_groups for param in group["params"]}
        if not taken.isdisjoint(id(param) for param in params):
            raise ValueError("some parameters appear in more than one parameter group")
        if self.param_groups and (names is None) == ("param_names" in self.param_groups[0]):
            raise ValueError("all optimizer param groups should be with/without names")
        param_group["params"] = params
        if names is not None:
            param_group["param_names"] = names
        for name, value in self.defaults.items():
            if value is required and name not in param_group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            param_group.setdefault(name, value)
        self.param_groups.append(param_group)

    def _check(self, param: Any) -> None:
        if not isinstance(param, Tensor):
            raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(param).__name__}")
        if not self.defaults.get("differentiable") and not (param.is_leaf or param.retains_grad):
            raise ValueError(f"can't optimize a non-leaf Tensor, of shape {list(param.shape)} made by {param.grad_fn}")

    # ---------------------------------------------------------------- saving and loading

    def state_dict(self) -> dict[str, Any]:
        """The state and the settings, with parameters numbered in the order of the groups.

        Example:
            >>> import tensorcore as tc
            >>> tc.optim.SGD([tc.nn.Parameter(tc.zeros(1))], lr=0.1).state_dict()["param_groups"][0]["params"]
            [0]
        """
        for hook in self._state_dict_pre_hooks.values():
            hook(self)
        numbers: dict[int, int] = {}
        groups = []
        for group in self.param_groups:
            packed = {name: value for name, value in group.items() if name != "params"}
            for param in group["params"]:
                numbers.setdefault(id(param), len(numbers))
            packed["params"] = [numbers[id(param)] for param in group["params"]]
            groups.append(packed)
        state = {(numbers[id(key)] if isinstance(key, Tensor) else key): value for key, value in self.state.items()}
        saved: dict[str, Any] = {"state": state, "param_groups": groups}
        for hook in self._state_dict_post_hooks.values():
            replaced = hook(self, saved)
            if replaced is not None:
                saved = replaced
        return saved

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a saved state; its tensors are brought to the devices and dtypes of the parameters.

        Raises:
            CheckpointError: if its groups differ in number or length from the optimizer's.
        """
        state_dict = dict(state_dict)
        for hook in self._load_state_dict_pre_hooks.values():
            replaced = hook(self, state_dict)
            if replaced is not None:
                state_dict = replaced
        saved_groups = [dict(group) for group in state_dict["param_groups"]]
        have = [len(group["params"]) for group in self.param_groups]
        saved = [len(group["params"]) for group in saved_groups]
        if have != saved:
            raise CheckpointError(
                f"loaded state dict has parameter groups of {saved} parameters, the optimizer has {have}; "
                "they must have the same number of groups and of parameters in each"
            )
        params = dict(
            (number, param)
            for group, saved_group in zip(self.param_groups, saved_groups, strict=True)
            for number, param in zip(saved_group["params"], group["params"], strict=True)
        )
        state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        for key, value in state_dict["state"].items():
            if key in params:
                state[params[key]] = {name: self._fitted(name, each, params[key]) for name, each in value.items()}
            else:
                state[key] = copy.deepcopy(value)
        for group, saved_group in zip(self.param_groups, saved_groups, strict=True):
            saved_group["params"] = group["params"]
            if "param_names" in group and "param_names" not in saved_group:
                saved_group["param_names"] = group["param_names"]
        self.__setstate__({"state": state, "param_groups": copy_groups(saved_groups)})
        for hook in self._load_state_dict_post_hooks.values():
            hook(self)

    def _fitted(self, name: str, value: Any, param: Any) -> Any:
        """A saved value on the device and, for floating-point numbers, in the dtype of its parameter."""
        if name in self._counts:
            # PyTorch before 1.12 counted steps in a Python number.
            from tensorcore.ops.creation import tensor

            value = value.detach() if isinstance(value, Tensor) else tensor(float(value))
            return value.to(device=param.device, dtype=count_dtype(), copy=True)
        if isinstance(value, (list, tuple)):
            return type(value)([self._fitted(name, each, param) for each in value])
        if isinstance(value, dict):
            return {key: self._fitted(key, each, param) for key, each in value.items()}
        if not isinstance(value, Tensor):
            return copy.deepcopy(value)
        dtype = param.dtype if param.dtype.category >= FLOATING and value.dtype.category >= FLOATING else None
        return value.detach().to(device=param.device, dtype=dtype).clone()

    # ---------------------------------------------------------------- hooks

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before each step; it may return other (args, kwargs)."""
        return RemovableHandle.add(self._step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after each step."""
        return RemovableHandle.add(self._step_post_hooks, hook)

    def register_state_dict_pre_hook(self, hook: Callable[..., None], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` before `state_dict`."""
        return _add(self._state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` after `state_dict`; it may return another."""
        return _add(self._state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` before loading; it may return another state."""
        return _add(self._load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable[..., None], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` after loading."""
        return _add(self._load_state_dict_post_hooks, hook, prepend)


def _add(hooks: Hooks, hook: Callable[..., Any], prepend: bool) -> RemovableHandle:
    handle = RemovableHandle.add(hooks, hook)
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def copy_groups(groups: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Parameter groups with copies of their settings and the same parameters."""
    return [
        {name: value if name == "params" else copy.deepcopy(value) for name, value in group.items()} for group in groups
    ]
