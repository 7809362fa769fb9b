"""The exception classes.

Each derives from the class PyTorch raises and, where the Array API standard or NumPy expects another,
from that one too, so ``except`` clauses written for either keep working.
"""

from __future__ import annotations

__all__ = [
    "ArgumentError",
    "BackendUnavailableError",
    "CheckpointError",
    "DTypeError",
    "DeviceError",
    "DimensionError",
    "DownloadError",
    "InplaceError",
    "LayoutError",
    "LinAlgError",
    "MissingKernelError",
    "OutOfMemoryError",
    "PluginError",
    "RangeError",
    "ReadError",
    "ShapeError",
    "TensorcoreError",
    "TransformError",
]


class TensorcoreError(Exception):
    """What every error of the library's own derives from."""


class ShapeError(TensorcoreError, RuntimeError, ValueError):
    """Shapes that do not fit the op or one another."""


class DTypeError(TensorcoreError, RuntimeError, TypeError):
    """A dtype that the op does not take, or two that do not combine."""


class RangeError(TensorcoreError, RuntimeError, ValueError):
    """A number outside what the op is defined for, such as a negative standard deviation."""


class ArgumentError(TensorcoreError, RuntimeError, TypeError, ValueError):
    """An argument of a type that the op does not take, such as a list for a tensor; PyTorch raises one of the three."""


class DimensionError(TensorcoreError, RuntimeError, IndexError, ValueError):
    """A dimension or an element that the tensor does not have."""


class DeviceError(TensorcoreError, RuntimeError, ValueError):
    """An unknown device, or tensors of several devices in one op."""


class BackendUnavailableError(DeviceError, ImportError):
    """A known device whose backend cannot be used; the message gives the reason."""


class MissingKernelError(TensorcoreError, NotImplementedError):
    """An op that the backend has no kernel for."""


class LayoutError(TensorcoreError, NotImplementedError, TypeError):
    """A layout, such as a sparse one, that the op has no form for."""


class InplaceError(TensorcoreError, RuntimeError):
    """An in-place change that autograd, aliasing or the backend forbids."""


class LinAlgError(TensorcoreError, RuntimeError, ValueError):
    """A matrix that has not the factorisation asked for; NumPy's and PyTorch's name."""


class TransformError(TensorcoreError, RuntimeError, ValueError):
    """What a transform of `tensorcore.func` cannot do, such as reading values inside `vmap`."""


class ReadError(TransformError):
    """Values that differ between the examples of a `vmap` were to be read."""


class OutOfMemoryError(TensorcoreError, RuntimeError, MemoryError):
    """A device without room for the allocation asked for."""


class PluginError(TensorcoreError, RuntimeError):
    """A plugin that breaks the contract."""


class CheckpointError(TensorcoreError, RuntimeError, ValueError):
    """A file that is no checkpoint, is damaged, or holds what is not to be read."""


class DownloadError(TensorcoreError, RuntimeError, OSError):
    """A file that cannot be downloaded, or is not the one expected; the message says where to put it by hand."""


def described(error: BaseException) -> str:
    """A stranger's exception as ``Class: text``, also where making the text raises another."""
    try:
        text = str(error)
    except Exception as another:
        text = f"(its text cannot be made: {type(another).__name__})"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
