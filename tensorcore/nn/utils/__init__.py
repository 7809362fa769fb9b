"""Operations on the parameters of a module as a whole."""

from typing import TYPE_CHECKING

from tensorcore.nn.utils import parametrizations as parametrizations
from tensorcore.nn.utils import parametrize as parametrize
from tensorcore.nn.utils import rnn as rnn
from tensorcore.nn.utils import stateless as stateless
from tensorcore.nn.utils.clip_grad import (
    clip_grad_norm,
    clip_grad_norm_,
    clip_grad_value_,
    clip_grads_with_norm_,
    get_total_norm,
)
from tensorcore.nn.utils.convert_parameters import parameters_to_vector, vector_to_parameters
from tensorcore.nn.utils.fusion import (
    fuse_conv_bn_eval,
    fuse_conv_bn_weights,
    fuse_linear_bn_eval,
    fuse_linear_bn_weights,
)
from tensorcore.nn.utils.init import skip_init
from tensorcore.nn.utils.memory_format import convert_conv2d_weight_memory_format, convert_conv3d_weight_memory_format
from tensorcore.nn.utils.spectral_norm import remove_spectral_norm, spectral_norm
from tensorcore.nn.utils.weight_norm import remove_weight_norm, weight_norm

if TYPE_CHECKING:
    from tensorcore.nn.utils import prune as prune

__all__ = [
    "clip_grad_norm",
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "convert_conv2d_weight_memory_format",
    "convert_conv3d_weight_memory_format",
    "fuse_conv_bn_eval",
    "fuse_conv_bn_weights",
    "fuse_linear_bn_eval",
    "fuse_linear_bn_weights",
    "get_total_norm",
    "parameters_to_vector",
    "parametrizations",
    "parametrize",
    "prune",
    "remove_spectral_norm",
    "remove_weight_norm",
    "rnn",
    "skip_init",
    "spectral_norm",
    "stateless",
    "vector_to_parameters",
    "weight_norm",
]


def __getattr__(name: str) -> object:
    if name == "prune":
        from importlib import import_module

        return import_module("tensorcore.nn.utils.prune")
    raise AttributeError(f"module 'tensorcore.nn.utils' has no attribute {name!r}")
