"""Scaling of losses, so that small gradients survive in float16: `GradScaler`."""

from __future__ import annotations

import inspect
import warnings
from collections import defaultdict
from collections.abc import Iterable
from enum import Enum
from typing import Any, Final

from tensorcore.autograd.mode import no_grad
from tensorcore.devices import Device
from tensorcore.dtypes import DType, float16, float32, int32
from tensorcore.functions import full, where
from tensorcore.tensor import Tensor

__all__ = ["GradScaler", "OptState"]


class OptState(Enum):
    """How far an optimizer is in an iteration."""

    READY = 0
    UNSCALED = 1
    STEPPED = 2


def _fresh() -> dict[str, Any]:
    return {"stage": OptState.READY, "found_inf_per_device": {}}


_UNUSED: Final = "; call scaler.scale(loss) and backward earlier in the iteration"


class _Copies:
    """A tensor on the devices where it is asked for."""

    def __init__(self, master: Tensor) -> None:
        self.master = master
        self.on: dict[Device, Tensor] = {}

    def get(self, device: Device) -> Tensor:
        if device not in self.on:
            self.on[device] = self.master.to(device=device, copy=True)
        return self.on[device]


class GradScaler:
    """Multiplies losses by a factor and divides gradients by it, and finds the largest factor that does not overflow.

    Gradients that are tiny are zero in float16; those of a loss times 65536 are not. A step whose gradients are not all
    finite is skipped, and the factor made smaller; after ``growth_interval`` steps without one it is made larger.

    Args:
        device: type of the device; on ``"cuda"`` without one it is disabled, with a warning.
        init_scale: the factor at first.
        growth_factor: multiplies the factor, above 1.
        backoff_factor: multiplies it after an overflow, below 1.
        growth_interval: steps without overflow after which it grows.
        enabled: if not, `step` is the optimizer's and the others do nothing.

    Example:
        >>> import tensorcore as tc
        >>> w = tc.ones(2, requires_grad=True)
        >>> optimizer, scaler = tc.optim.SGD([w], lr=0.5), tc.amp.GradScaler("cpu", init_scale=1024.0)
        >>> scaler.scale((w * 0.5).sum()).backward()
        >>> scaler.step(optimizer)
        >>> scaler.update()
        >>> w, scaler.get_scale()
        (tensor([0.7500, 0.7500], requires_grad=True), 1024.0)
    """

    def __init__(
        self, device: str = "cuda", init_scale: float = 2.0**16, growth_factor: float = 2.0,
        backoff_factor: float = 0.5, growth_interval: int = 2000, enabled: bool = True,
    ) -> None:  # fmt: skip
        self._device = device
        self._enabled = enabled and self._can_run(device)
        if self._enabled:
            if growth_factor <= 1.0:
                raise AssertionError(f"GradScaler: growth_factor must be > 1.0, got {growth_factor}")
            if backoff_factor >= 1.0:
                raise AssertionError(f"GradScaler: backoff_factor must be < 1.0, got {backoff_factor}")
            self._init_scale = init_scale
            self._init_growth_tracker = 0
            #: The factor, and how many steps in a row were taken: made at the first `scale`, on the loss's device.
            self._scale: Tensor | None = None
            self._growth_tracker: Tensor | None = None
            self._growth_factor = growth_factor
            self._backoff_factor = backoff_factor
            self._growth_interval = growth_interval
            self._per_optimizer_states: dict[int, dict[str, Any]] = defaultdict(_fresh)

    @staticmethod
    def _can_run(device: str) -> bool:
        if device != "cuda":
            return True
        from tensorcore import cuda

        if not cuda.is_available():
            warnings.warn("GradScaler is enabled, but CUDA is not available.  Disabling.", stacklevel=3)
            return False
        return True

    def _scaling(self, function: str) -> tuple[Tensor, Tensor]:
        if self._scale is None or self._growth_tracker is None:
            raise AssertionError(f"GradScaler.{function}: nothing has been scaled yet{_UNUSED}")
        return self._scale, self._growth_tracker

    def _begin(self, device: Device) -> Tensor:
        """The factor, made on ``device`` if there is none yet."""
        if self._scale is None:
            self._scale = full((), self._init_scale, dtype=float32, device=device)
            self._growth_tracker = full((), self._init_growth_tracker, dtype=int32, device=device)
        return self._scale

    def scale(self, outputs: Any) -> Any:
        """A tensor times the factor, or an iterable of tensors, of iterables, and so on.

        Raises:
            ValueError: for anything else.
        """
        if not self._enabled:
            return outputs
        copies: list[_Copies] = []

        def scaled(value: Any) -> Any:
            if isinstance(value, Tensor):
                if not copies:
                    copies.append(_Copies(self._begin(value.device)))
                factor = copies[0]
                return value * (factor.master if factor.master.device == value.device else factor.get(value.device))
            if isinstance(value, Iterable):
                parts = map(scaled, value)
                return type(value)(parts) if isinstance(value, (list, tuple)) else parts
            raise ValueError(f"GradScaler.scale: outputs must be a tensor or an iterable of tensors, got {value!r}")

        return scaled(outputs)

    def _unscale_grads_(
        self, optimizer: Any, inv_scale: Tensor, found_inf: Tensor, allow_fp16: bool
    ) -> dict[Device, Tensor]:
        """Multiply gradients by ``inv_scale``; by device, 1.0 if one of them was not finite."""
        factors, found = _Copies(inv_scale), _Copies(found_inf)
        groups: dict[tuple[Device, DType], list[Tensor]] = {}
        with no_grad():
            for place, group in enumerate(optimizer.param_groups):
                for param in group["params"]:
                    if not isinstance(param, Tensor):
                        raise AssertionError(f"expected param to be a tensor, got {type(param).__name__}")
                    if param.grad is None:
                        continue
                    if not allow_fp16 and param.grad.dtype is float16:
                        raise ValueError(
                            f"GradScaler: attempting to unscale FP16 gradients: a parameter of shape "
                            f"{list(param.shape)} in group {place} is float16; keep parameters in float32, autocast "
                            "casts them"
                        )
                    if param.grad.is_sparse:
                        # Values at one place that are finite may have a sum that is not.
                        param.grad = param.grad.coalesce()
                        grad = param.grad._values()
                    else:
                        grad = param.grad
                    groups.setdefault((grad.device, grad.dtype), []).append(grad)
            for (device, _), grads in groups.items():
                _check_and_unscale_(grads, found.get(device), factors.get(device))
        return found.on

    def unscale_(self, optimizer: Any) -> None:
        """Divide the gradients of an optimizer's parameters by the factor; `step` does so if it was not done.

        Raises:
            RuntimeError: if done already in this iteration, or after the step.
            ValueError: for gradients in float16.
        """
        if not self._enabled:
            return
        scale, _ = self._scaling("unscale_")
        state = self._per_optimizer_states[id(optimizer)]
        if state["stage"] is OptState.UNSCALED:
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update().")
        if state["stage"] is OptState.STEPPED:
            raise RuntimeError("unscale_() is being called after step().")
        inv_scale = scale.double().reciprocal().float()
        found = full((), 0.0, dtype=float32, device=scale.device)
        state["found_inf_per_device"] = self._unscale_grads_(optimizer, inv_scale, found, False)
        state["stage"] = OptState.UNSCALED

    def _maybe_opt_step(self, optimizer: Any, optimizer_state: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        if any(found.item() for found in optimizer_state["found_inf_per_device"].values()):
            return None
        return optimizer.step(*args, **kwargs)

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """`unscale_` if need be, and the optimizer's step with these arguments unless a gradient is not finite.

        Raises:
            RuntimeError: given a closure, or if the optimizer has been stepped since the last `update`.
            AssertionError: if nothing was scaled, or no parameter of the optimizer has a gradient.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        self._scaling("step")
        state = self._per_optimizer_states[id(optimizer)]
        if state["stage"] is OptState.STEPPED:
            raise RuntimeError("step() has already been called since the last update().")
        if getattr(optimizer, "_step_supports_amp_scaling", False):
            result = self._step_of_its_own(optimizer, state, args, kwargs)
        else:
            if state["stage"] is OptState.READY:
                self.unscale_(optimizer)
            if not state["found_inf_per_device"]:
                raise AssertionError(
                    "No inf checks were recorded for this optimizer: none of its parameters has a grad."
                )
            result = self._maybe_opt_step(optimizer, state, *args, **kwargs)
        state["stage"] = OptState.STEPPED
        return result

    def _step_of_its_own(self, optimizer: Any, state: dict[str, Any], args: Any, kwargs: dict[str, Any]) -> Any:
        """The step of an optimizer that unscales and skips itself, by ``grad_scale`` and ``found_inf``."""
        if "grad_scaler" in inspect.signature(optimizer.step).parameters:
            warnings.warn(
                "GradScaler is going to stop passing itself as a keyword argument to the passed optimizer. In the near "
                "future GradScaler registers `grad_scale: Tensor` and `found_inf: Tensor` to the passed optimizer and "
                "let the optimizer use them directly.",
                FutureWarning,
                stacklevel=3,
            )
            return optimizer.step(*args, **kwargs, grad_scaler=self)
        if state["stage"] is OptState.READY:
            self._check_inf_per_device(optimizer)
        scale, _ = self._scaling("step")
        given = getattr(optimizer, "grad_scale", None)
        if state["stage"] is OptState.READY:
            given = scale * (1 if given is None else given)
        optimizer.grad_scale = given
        optimizer.found_inf = sum(found.to(scale.device) for found in state["found_inf_per_device"].values())
        try:
            return optimizer.step(*args, **kwargs)
        finally:
            del optimizer.grad_scale, optimizer.found_inf

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Make the factor smaller if a step was skipped, larger if none was for long, or ``new_scale``.

        Raises:
            AssertionError: if no step has been taken since the last, or for a ``new_scale`` that is no number there.
        """
        if not self._enabled:
            return
        scale, tracker = self._scaling("update")
        if isinstance(new_scale, (int, float)):
            scale.fill_(new_scale)
        elif new_scale is not None:
            if new_scale.device.type != self._device or new_scale.numel() != 1 or new_scale.requires_grad:
                raise AssertionError(
                    f"GradScaler.update: new_scale must be a float, or a tensor of one element on {self._device!r} "
                    f"that does not require grad, got shape {list(new_scale.shape)} on {str(new_scale.device)!r}"
                )
            scale.copy_(new_scale.reshape(()))
        else:
            founds = [
                found.to(scale.device)
                for state in self._per_optimizer_states.values()
                for found in state["found_inf_per_device"].values()
            ]
            if not founds:
                raise AssertionError(
                    "No inf checks were recorded prior to update: call scaler.step(optimizer) before it."
                )
            self._adapt(scale, tracker, sum(founds[1:], start=founds[0]) > 0)
        self._per_optimizer_states = defaultdict(_fresh)

    @no_grad()
    def _adapt(self, scale: Tensor, tracker: Tensor, overflow: Tensor) -> None:
        """The rule of the factor, on its device: nothing is read."""
        counted = tracker + 1
        due = counted == self._growth_interval
        grown = scale * self._growth_factor
        grown = where(due & grown.isfinite(), grown, scale)
        scale.copy_(where(overflow, scale * self._backoff_factor, grown))
        tracker.copy_(where(overflow | due, 0, counted).to(int32))

    def _get_scale_async(self) -> Tensor | None:
        return self._scale

    def get_scale(self) -> float:
        """The factor; 1.0 if disabled."""
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else float(self._scale.item())

    def get_growth_factor(self) -> float:
        """By what the factor grows."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Set by what the factor grows."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """By what the factor is multiplied after an overflow."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Set by what the factor is multiplied after an overflow."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """After how many steps the factor grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Set after how many steps the factor grows."""
        self._growth_interval = new_interval

    def _get_growth_tracker(self) -> int:
        if not self._enabled:
            return 0
        return self._init_growth_tracker if self._growth_tracker is None else int(self._growth_tracker.item())

    def is_enabled(self) -> bool:
        """Whether it scales."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """The factor, how it changes, and the count of steps; empty if disabled."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(),
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._get_growth_tracker(),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` gave.

        Raises:
            RuntimeError: if it is empty, as that of a disabled scaler is.
        """
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled instance of GradScaler."
            )
        self._init_scale = state_dict["scale"]
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._init_growth_tracker = state_dict["_growth_tracker"]
        if self._scale is not None and self._growth_tracker is not None:
            self._scale.fill_(self._init_scale)
            self._growth_tracker.fill_(self._init_growth_tracker)

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        if self._enabled:
            if self._per_optimizer_states:
                raise AssertionError(
                    "A GradScaler instance may only be pickled at the beginning of an iteration, or at the end after "
                    "scaler.update()."
                )
            state.update(
                _init_scale=self.get_scale(), _init_growth_tracker=self._get_growth_tracker(), _scale=None,
                _growth_tracker=None,
            )  # fmt: skip
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def _check_inf_per_device(self, optimizer: Any) -> dict[Device, Tensor]:
        scale, _ = self._scaling("_check_inf_per_device")
        one = full((), 1.0, dtype=float32, device=scale.device)
        found = full((), 0.0, dtype=float32, device=scale.device)
        state = self._per_optimizer_states[id(optimizer)]
        state["found_inf_per_device"] = self._unscale_grads_(optimizer, one, found, True)
        return self._found_inf_per_device(optimizer)

    def _found_inf_per_device(self, optimizer: Any) -> dict[Device, Tensor]:
        return self._per_optimizer_states[id(optimizer)]["found_inf_per_device"]


def _check_and_unscale_(grads: list[Tensor], found_inf: Tensor, inv_scale: Tensor) -> None:
    """Multiply tensors by ``inv_scale`` in place, and set ``found_inf`` to 1 if an element was not finite before."""
    finite: Any = None
    factor = inv_scale.to(grads[0].dtype)
    for grad in grads:
        each = grad.isfinite().all()
        finite = each if finite is None else finite & each
        grad.mul_(factor)
    found_inf.copy_(where(finite, found_inf, 1.0))
