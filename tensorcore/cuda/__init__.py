"""CUDA devices: streams, events, memory, graphs, as in ``torch.cuda``.

Importing it starts nothing. What needs a device raises BackendUnavailableError with the reason where there is none.
"""

from tensorcore.cuda.devices import (
    can_device_access_peer,
    current_device,
    device,
    device_count,
    device_of,
    get_arch_list,
    get_device_capability,
    get_device_name,
    get_device_properties,
    init,
    is_available,
    is_bf16_supported,
    is_initialized,
    set_device,
    synchronize,
)
from tensorcore.cuda.graphs import CUDAGraph, graph, graph_pool_handle, is_current_stream_capturing
from tensorcore.cuda.memory import (
    empty_cache,
    max_memory_allocated,
    max_memory_reserved,
    mem_get_info,
    memory_allocated,
    memory_reserved,
    memory_stats,
    memory_summary,
    reset_peak_memory_stats,
    set_per_process_memory_fraction,
)
from tensorcore.cuda.random import (
    get_rng_state,
    initial_seed,
    manual_seed,
    manual_seed_all,
    seed,
    seed_all,
    set_rng_state,
)
from tensorcore.cuda.runtime import DeviceRuntime
from tensorcore.cuda.streams import (
    Event,
    ExternalStream,
    Stream,
    StreamContext,
    current_stream,
    default_stream,
    set_stream,
    stream,
)
from tensorcore.errors import OutOfMemoryError

__all__ = [
    "CUDAGraph",
    "DeviceRuntime",
    "Event",
    "ExternalStream",
    "OutOfMemoryError",
    "Stream",
    "StreamContext",
    "can_device_access_peer",
    "current_device",
    "current_stream",
    "default_stream",
    "device",
    "device_count",
    "device_of",
    "empty_cache",
    "get_arch_list",
    "get_device_capability",
    "get_device_name",
    "get_device_properties",
    "get_rng_state",
    "graph",
    "graph_pool_handle",
    "init",
    "initial_seed",
    "is_available",
    "is_bf16_supported",
    "is_current_stream_capturing",
    "is_initialized",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "max_memory_reserved",
    "mem_get_info",
    "memory_allocated",
    "memory_reserved",
    "memory_stats",
    "memory_summary",
    "reset_peak_memory_stats",
    "seed",
    "seed_all",
    "set_device",
    "set_per_process_memory_fraction",
    "set_rng_state",
    "set_stream",
    "stream",
    "synchronize",
]


def __getattr__(name: str) -> object:
    # The old constructors, such as `tensorcore.cuda.FloatTensor`: made when one is asked for.
    if name.endswith("Tensor"):
        from tensorcore.tensor_types import placed

        found = placed("cuda")
        if name in found:
            globals().update(found)
            return found[name]
    if name == "amp":
        from importlib import import_module

        return import_module("tensorcore.cuda.amp")
    raise AttributeError(f"module 'tensorcore.cuda' has no attribute {name!r}")
