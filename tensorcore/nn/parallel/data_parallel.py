"""A module whose batches are split over the devices of one process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tensorcore.devices import Device
from tensorcore.nn.modules.module import Module
from tensorcore.nn.parallel.replicas import parallel_apply, replicate
from tensorcore.nn.parallel.scatter_gather import gather, place, scatter_kwargs

__all__ = ["DataParallel", "data_parallel"]


def _devices(device_ids: Sequence[Any] | None) -> list[Any]:
    """The devices to use: those given, or all of the accelerator; none where there is no accelerator."""
    from tensorcore import cuda

    named = [each for each in device_ids or () if not isinstance(each, int)]
    if named:
        return [place(each) for each in device_ids or ()]
    if not cuda.is_available():
        return []
    return [place(each) for each in (range(cuda.device_count()) if device_ids is None else device_ids)]


class DataParallel(Module):
    """``module`` on several devices at once: batches are split along ``dim``, and outputs put together.

    The parameters are at ``module.*`` and stay on the first device; each call copies them to the others. Without an
    accelerator it is ``module`` under the wrapper's name, so that programs and checkpoints with it work.

    Args:
        module: what is called; its parameters must be on the first device.
        device_ids: CUDA devices by number, or devices; all CUDA devices by default.
        output_device: where outputs are put together, by default the first.
        dim: along which tensors are split.

    Raises:
        RuntimeError: in a call, if a parameter or buffer is not on the first device.

    Example:
        >>> import tensorcore as tc
        >>> list(tc.nn.DataParallel(tc.nn.Linear(2, 3)).state_dict())
        ['module.weight', 'module.bias']
    """

    def __init__(
        self, module: Module, device_ids: Sequence[Any] | None = None, output_device: Any = None, dim: int = 0
    ) -> None:
        super().__init__()
        self.module = module
        self.dim = dim
        self.device_ids: list[Any] = _devices(device_ids)
        if self.device_ids:
            self.output_device = self.device_ids[0] if output_device is None else place(output_device)
            self.src_device_obj: Device = self.device_ids[0]
            if len(self.device_ids) == 1:
                module.to(self.src_device_obj)

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        if not self.device_ids:
            return self.module(*inputs, **kwargs)
        for name, x in (*self.module.named_parameters(), *self.module.named_buffers()):
            if x.device.type != self.src_device_obj.type or x.device.ordinal != self.src_device_obj.ordinal:
                raise RuntimeError(
                    "DataParallel: module must have its parameters and buffers on device "
                    f"{self.src_device_obj} (device_ids[0]) but found {name!r} on device: {x.device}"
                )
        args, named = self.scatter(inputs, kwargs, self.device_ids)
        if not args and not named:
            # A module that takes no arguments.
            args, named = ((),), ({},)
        if len(self.device_ids) == 1:
            return self.module(*args[0], **named[0])
        replicas = self.replicate(self.module, self.device_ids[: len(args)])
        return self.gather(self.parallel_apply(replicas, args, named), self.output_device)

    def replicate(self, module: Module, device_ids: Sequence[Any]) -> list[Module]:
        """Copies of ``module`` on the devices."""
        return replicate(module, device_ids)

    def scatter(self, inputs: tuple[Any, ...], kwargs: dict[str, Any] | None, device_ids: Sequence[Any]) -> Any:
        """The arguments for each device."""
        return scatter_kwargs(inputs, kwargs, device_ids, dim=self.dim)

    def parallel_apply(self, replicas: Sequence[Module], inputs: Sequence[Any], kwargs: Any) -> list[Any]:
        """What each copy gives."""
        return parallel_apply(replicas, inputs, kwargs, self.device_ids[: len(replicas)])

    def gather(self, outputs: Any, output_device: Any) -> Any:
        """The outputs put together."""
        return gather(outputs, output_device, dim=self.dim)


def data_parallel(
    module: Module, inputs: Any, device_ids: Sequence[Any] | None = None, output_device: Any = None, dim: int = 0,
    module_kwargs: dict[str, Any] | None = None,
) -> Any:  # fmt: skip
    """`DataParallel` as a function.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.parallel.data_parallel(tc.nn.ReLU(), tc.tensor([-1.0, 2.0]), ["cpu", "cpu"])
        tensor([0., 2.])
    """
    args = inputs if isinstance(inputs, tuple) else (inputs,)
    return DataParallel(module, device_ids, output_device, dim)(*args, **(module_kwargs or {}))
