"""A module of which each process of a group trains a copy: `DistributedDataParallel`, in a group of one process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tensorcore.nn.modules.module import Module
from tensorcore.nn.parallel.scatter_gather import place, scatter_kwargs

__all__ = ["DistributedDataParallel"]


class DistributedDataParallel(Module):
    """``module`` whose gradients are the mean over the processes of a group: with one process, its own.

    The parameters are at ``module.*``. Arguments that PyTorch uses to tune communication are accepted, there is none.

    Args:
        module: a module with parameters that require grad.
        device_ids: the one device of this process, to which inputs are moved; ``None`` leaves them where they are.
        process_group: the group, by default the one of `tensorcore.distributed.init_process_group`.

    Raises:
        ValueError: without a process group, or with several ``device_ids``.
        RuntimeError: if no parameter requires grad.

    Example:
        >>> import tensorcore as tc
        >>> tc.distributed.init_process_group("gloo", rank=0, world_size=1)
        >>> list(tc.nn.parallel.DistributedDataParallel(tc.nn.Linear(2, 3)).state_dict())
        ['module.weight', 'module.bias']
        >>> tc.distributed.destroy_process_group()
    """

    def __init__(
        self, module: Module, device_ids: Sequence[Any] | None = None, output_device: Any = None, dim: int = 0,
        broadcast_buffers: bool | None = None, init_sync: bool = True, process_group: Any = None,
        bucket_cap_mb: float | None = None, find_unused_parameters: bool = False, check_reduction: bool = False,
        gradient_as_bucket_view: bool = False, static_graph: bool = False, delay_all_reduce_named_params: Any = None,
        param_to_hook_all_reduce: Any = None, mixed_precision: Any = None, device_mesh: Any = None,
        skip_all_reduce_unused_params: bool = False, bucket_cap_mb_list: list[int] | None = None,
        batched_grad_copy: bool = False, forward_sync_buffers: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        from tensorcore.distributed.group import group_of

        self.process_group = group_of(process_group)
        if not any(parameter.requires_grad for parameter in module.parameters()):
            raise RuntimeError(
                "DistributedDataParallel is not needed when a module doesn't have any parameter that requires a "
                "gradient."
            )
        if device_ids is not None and len(device_ids) > 1:
            raise ValueError(
                "DistributedDataParallel: device_ids can only be None or contain a single element, the device of this "
                f"process, got {list(device_ids)}"
            )
        self.module = module
        self.device_ids = [place(device) for device in device_ids] if device_ids else None
        self.output_device = None if output_device is None else place(output_device)
        if self.device_ids and self.output_device is None:
            self.output_device = self.device_ids[0]
        self.dim = dim
        self.device = next(module.parameters()).device
        self.device_type = self.device.type
        self.broadcast_buffers = True if broadcast_buffers is None else broadcast_buffers
        self.find_unused_parameters = find_unused_parameters
        self.gradient_as_bucket_view = gradient_as_bucket_view
        self.static_graph = static_graph
        self.require_backward_grad_sync = True
        self.require_forward_param_sync = True

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        if self.device_ids:
            args, named = scatter_kwargs(inputs, kwargs, self.device_ids, self.dim)
            inputs, kwargs = (args[0], named[0]) if args else ((), {})
        return self.module(*inputs, **kwargs)

    @contextmanager
    def no_sync(self) -> Iterator[None]:
        """A region whose gradients are gathered without being averaged: with one process, as they always are."""
        before = self.require_backward_grad_sync
        self.require_backward_grad_sync = False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before

    @contextmanager
    def join(
        self, divide_by_initial_world_size: bool = True, enable: bool = True, throw_on_early_termination: bool = False
    ) -> Iterator[None]:
        """A region for uneven inputs of processes: with one process there are none."""
        yield

    def register_comm_hook(self, state: object, hook: Callable[..., Any]) -> None:
        """Let ``hook`` gather gradients: with one process nothing is gathered, and it is not called.

        Raises:
            TypeError: if it cannot be called.
        """
        if not callable(hook):
            raise TypeError(f"register_comm_hook: hook must be callable, got {type(hook).__name__}")

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        # A group belongs to its process.
        state.pop("process_group", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        from tensorcore.distributed.group import group_of

        self.process_group = group_of(None)
