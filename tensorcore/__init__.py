"""tensorcore: PyTorch's programming model on any array engine."""

from math import e, inf, nan, pi
from typing import TYPE_CHECKING as _TYPE_CHECKING

from tensorcore import accelerator, autograd, cuda, fallback, fft, linalg, random, serialization, signal, special
from tensorcore import dtypes as _dtypes
from tensorcore import functions as _functions
from tensorcore import inquiry as _inquiry
from tensorcore import memory_format as _memory_format
from tensorcore import settings as _settings
from tensorcore import storage as _storage
from tensorcore import tensor_types as _tensor_types
from tensorcore.adapters import watch as _watch_imports
from tensorcore.autograd import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from tensorcore.autograd.anomaly import is_anomaly_check_nan_enabled, is_anomaly_enabled
from tensorcore.autograd.mode import is_inference_mode_enabled
from tensorcore.compile.function import compile
from tensorcore.devices import Device as device
from tensorcore.devices import get_default_device, set_default_device
from tensorcore.dtypes import *  # noqa: F403 - the dtypes and their functions, listed in its __all__
from tensorcore.dtypes import DType as dtype
from tensorcore.dtypes import bool_ as bool
from tensorcore.dtypes import complex64 as cfloat
from tensorcore.dtypes import complex128 as cdouble
from tensorcore.dtypes import float16 as half
from tensorcore.dtypes import float32 as float
from tensorcore.dtypes import float64 as double
from tensorcore.dtypes import int16 as short
from tensorcore.dtypes import int32 as int
from tensorcore.dtypes import int64 as long
from tensorcore.errors import OutOfMemoryError
from tensorcore.functions import *  # noqa: F403 - the ops, derived from the records
from tensorcore.inquiry import *  # noqa: F403 - listed in its __all__
from tensorcore.interop import from_dlpack
from tensorcore.memory_format import *  # noqa: F403 - listed in its __all__
from tensorcore.ops.conversion import detach
from tensorcore.ops.creation import as_tensor, asarray, from_numpy, frombuffer, scalar_tensor, tensor
from tensorcore.ops.selection import index_put, index_put_
from tensorcore.printing import get_printoptions, printoptions, set_printoptions
from tensorcore.random import (
    Generator,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)
from tensorcore.serialization import load, save
from tensorcore.settings import *  # noqa: F403 - listed in its __all__
from tensorcore.shapes import Size, broadcast_shapes
from tensorcore.storage import *  # noqa: F403 - listed in its __all__
from tensorcore.tensor import Tensor
from tensorcore.tensor_types import *  # noqa: F403 - the old constructors, listed in its __all__

__version__ = "0.1.0"

#: A new dimension in an index, as NumPy spells it.
newaxis = None

__all__ = [
    "Generator",
    "GradScaler",
    "OutOfMemoryError",
    "Size",
    "Tensor",
    "accelerator",
    "amp",
    "array_api",
    "as_tensor",
    "asarray",
    "autocast",
    "autograd",
    "bool",
    "broadcast_shapes",
    "cdouble",
    "cfloat",
    "compile",
    "cuda",
    "default_generator",
    "detach",
    "device",
    "distributed",
    "distributions",
    "double",
    "dtype",
    "e",
    "enable_grad",
    "fallback",
    "fft",
    "float",
    "from_dlpack",
    "from_numpy",
    "frombuffer",
    "get_default_device",
    "get_printoptions",
    "get_rng_state",
    "half",
    "index_put",
    "index_put_",
    "inf",
    "inference_mode",
    "initial_seed",
    "int",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "linalg",
    "load",
    "long",
    "manual_seed",
    "nan",
    "newaxis",
    "nn",
    "no_grad",
    "optim",
    "pi",
    "printoptions",
    "random",
    "save",
    "scalar_tensor",
    "seed",
    "serialization",
    "set_default_device",
    "set_grad_enabled",
    "set_printoptions",
    "set_rng_state",
    "short",
    "signal",
    "special",
    "tensor",
    "utils",
]
__all__ += _dtypes.__all__
__all__ += _functions.__all__
__all__ += _inquiry.__all__
__all__ += _memory_format.__all__
__all__ += _settings.__all__
__all__ += _storage.__all__
__all__ += _tensor_types.__all__

if _TYPE_CHECKING:
    from tensorcore import amp as amp
    from tensorcore import array_api as array_api
    from tensorcore import backends as backends
    from tensorcore import cpu as cpu
    from tensorcore import distributed as distributed
    from tensorcore import distributions as distributions
    from tensorcore import func as func
    from tensorcore import functional as functional
    from tensorcore import hub as hub
    from tensorcore import memory as memory
    from tensorcore import nn as nn
    from tensorcore import optim as optim
    from tensorcore import profiler as profiler
    from tensorcore import sparse as sparse
    from tensorcore import utils as utils
    from tensorcore import version as version
    from tensorcore import viz as viz
    from tensorcore.amp import GradScaler as GradScaler
    from tensorcore.amp import autocast as autocast
    from tensorcore.amp.state import *  # noqa: F403 - listed in its __all__
    from tensorcore.func import vmap as vmap
    from tensorcore.viz.summary import summary as summary


_watch_imports()


_LAZY = frozenset((
    "amp", "array_api", "backends", "cpu", "distributed", "distributions", "func", "functional", "hub", "memory", "nn",
    "onnx", "optim", "profiler", "sparse", "utils", "version", "viz",
))  # fmt: skip
#: Functions of `tensorcore.sparse`, which is imported with the first of them.
_SPARSE = frozenset((
    "hspmm", "smm", "sparse_compressed_tensor", "sparse_coo_tensor", "sparse_csc_tensor", "sparse_csr_tensor", "spmm",
    "sspaddmm",
))  # fmt: skip


def __getattr__(name: str) -> object:
    # Layers, optimisers and data loading come when first used: importing them takes half as long as all the rest.
    if name in _LAZY:
        import importlib

        return importlib.import_module(f"tensorcore.{name}")
    if name in _SPARSE:
        from tensorcore import sparse

        return getattr(sparse, name)
    if name in ("GradScaler", "autocast"):
        from tensorcore import amp

        return getattr(amp, name)
    if "_autocast_" in name or name.startswith("autocast_"):
        from tensorcore.amp import state

        if name in state.__all__:
            return getattr(state, name)
    if name == "vmap":
        from tensorcore.func import vmap

        return vmap
    if name == "summary":
        from tensorcore.viz.summary import summary

        return summary
    raise AttributeError(f"module 'tensorcore' has no attribute {name!r}")
