"""Wrappers of PyTorch's for several devices, which here use one."""

from __future__ import annotations

import warnings
from typing import Any

from tensorcore.nn.modules.module import Module

__all__ = ["DataParallel"]


class DataParallel(Module):
    """``module`` on one device, under the wrapper's name, so that programs and checkpoints with it work.

    The parameters are at ``module.*``, as in PyTorch. A batch is not split: of several ``device_ids`` the first is
    used, with a warning.

    Example:
        >>> import tensorcore as tc
        >>> list(tc.nn.DataParallel(tc.nn.Linear(2, 3)).state_dict())
        ['module.weight', 'module.bias']
    """

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        ids = [] if device_ids is None else list(device_ids)
        if len(ids) > 1:
            warnings.warn(
                f"DataParallel: batches are not split over devices; of {ids} the first is used", UserWarning, 2
            )
        self.module = module
        self.device_ids = ids[:1]
        self.output_device = output_device
        self.dim = dim
        if ids:
            self.module.to(f"cuda:{ids[0]}" if isinstance(ids[0], int) else ids[0])

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)
