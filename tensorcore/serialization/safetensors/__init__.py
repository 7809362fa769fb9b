"""safetensors files: named tensors with nothing that could run, whole, part by part, by model, and in shards."""

from tensorcore.serialization.safetensors.format import Entry, header_of, load_metadata, parse_header
from tensorcore.serialization.safetensors.models import load_model, save_model
from tensorcore.serialization.safetensors.opening import TensorSlice, safe_open
from tensorcore.serialization.safetensors.shards import load_sharded, save_sharded
from tensorcore.serialization.safetensors.whole import load, load_file, read_tensors, save, save_file

__all__ = [
    "Entry",
    "TensorSlice",
    "header_of",
    "load",
    "load_file",
    "load_metadata",
    "load_model",
    "load_sharded",
    "parse_header",
    "read_tensors",
    "safe_open",
    "save",
    "save_file",
    "save_model",
    "save_sharded",
]
