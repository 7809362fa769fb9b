"""Parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

from tensorcore.errors import DeviceError, ShapeError
from tensorcore.ops.movement import cat
from tensorcore.tensor import Tensor


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters flattened and joined to one 1-d tensor.

    Raises:
        DeviceError: if they are on several devices.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.utils.parameters_to_vector([tc.ones(2, 1), tc.zeros(1)])
        tensor([1., 1., 0.])
    """
    parts = list(parameters)
    _require_one_device("parameters_to_vector", parts)
    return cat([part.reshape(-1) for part in parts])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Let each parameter hold its part of ``vec``, which becomes their shared memory.

    Raises:
        TypeError: if ``vec`` is no tensor.
        ShapeError: if it has fewer elements than the parameters.
        DeviceError: if they are on several devices.

    Example:
        >>> import tensorcore as tc
        >>> p = tc.nn.Parameter(tc.zeros(1, 2))
        >>> tc.nn.utils.vector_to_parameters(tc.tensor([1.0, 2.0]), [p])
        >>> p.data
        tensor([[1., 2.]])
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"vector_to_parameters: expected a tensor, got {type(vec).__name__}")
    parts = list(parameters)
    _require_one_device("vector_to_parameters", parts)
    wanted = sum(part.numel() for part in parts)
    if vec.numel() < wanted:
        raise ShapeError(f"vector_to_parameters: the vector has {vec.numel()} elements, the parameters {wanted}")
    start = 0
    for part in parts:
        part.data = vec.detach().narrow(0, start, part.numel()).reshape(part.shape)
        start += part.numel()


def _require_one_device(op: str, tensors: list[Tensor]) -> None:
    devices = {str(tensor.device) for tensor in tensors}
    if len(devices) > 1:
        raise DeviceError(f"{op}: parameters are on several devices: {', '.join(sorted(devices))}")
