"""Layers, one family per file."""

from tensorcore.nn.modules import channelshuffle as channelshuffle
from tensorcore.nn.modules import instancenorm as instancenorm
from tensorcore.nn.modules import linear_cross_entropy_options as linear_cross_entropy_options
from tensorcore.nn.modules import sparse as sparse
from tensorcore.nn.modules.activation import *  # noqa: F403 - each family lists its layers in its __all__
from tensorcore.nn.modules.adaptive import *  # noqa: F403
from tensorcore.nn.modules.attention import *  # noqa: F403
from tensorcore.nn.modules.batchnorm import *  # noqa: F403
from tensorcore.nn.modules.container import *  # noqa: F403
from tensorcore.nn.modules.conv import *  # noqa: F403
from tensorcore.nn.modules.distance import *  # noqa: F403
from tensorcore.nn.modules.dropout import *  # noqa: F403
from tensorcore.nn.modules.embedding import *  # noqa: F403
from tensorcore.nn.modules.flatten import *  # noqa: F403
from tensorcore.nn.modules.fold import *  # noqa: F403
from tensorcore.nn.modules.fractional_pooling import *  # noqa: F403
from tensorcore.nn.modules.lazy_layers import *  # noqa: F403
from tensorcore.nn.modules.linear import *  # noqa: F403
from tensorcore.nn.modules.linear_cross_entropy import *  # noqa: F403
from tensorcore.nn.modules.loss import *  # noqa: F403
from tensorcore.nn.modules.module import *  # noqa: F403
from tensorcore.nn.modules.normalization import *  # noqa: F403
from tensorcore.nn.modules.padding import *  # noqa: F403
from tensorcore.nn.modules.pixelshuffle import *  # noqa: F403
from tensorcore.nn.modules.pooling import *  # noqa: F403
from tensorcore.nn.modules.rnn import *  # noqa: F403
from tensorcore.nn.modules.softmax import *  # noqa: F403
from tensorcore.nn.modules.transformer import *  # noqa: F403
from tensorcore.nn.modules.upsampling import *  # noqa: F403


def __getattr__(name: str) -> object:
    # Not a name of this module from the start, as `tensorcore.nn` has a ``utils`` of its own and takes all names.
    if name == "utils":
        from importlib import import_module

        return import_module("tensorcore.nn.modules.utils")
    raise AttributeError(f"module 'tensorcore.nn.modules' has no attribute {name!r}")
