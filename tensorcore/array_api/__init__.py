"""The strict namespace of the Array API standard 2025.12 over tensors, with gradients.

``Tensor.__array_namespace__()`` returns it, so programs written for the standard run on tensors of every device. The
functions are the ops of `tensorcore` under the standard's names and rules: operands promote by dtype alone, ``std``
divides by the number of elements, ``sort`` returns values, ``axis=()`` means no dimension.
"""

from __future__ import annotations

from math import e, inf, nan, pi

from tensorcore.array_api import creation as _creation
from tensorcore.array_api import data_types as _data_types
from tensorcore.array_api import elementwise as _elementwise
from tensorcore.array_api import fft, linalg
from tensorcore.array_api import indexing as _indexing
from tensorcore.array_api import linear_algebra as _linear_algebra
from tensorcore.array_api import manipulation as _manipulation
from tensorcore.array_api import searching as _searching
from tensorcore.array_api import sets as _sets
from tensorcore.array_api import sorting as _sorting
from tensorcore.array_api import statistical as _statistical
from tensorcore.array_api import utility as _utility
from tensorcore.array_api.creation import *  # noqa: F403 - the parts list what they publish in their __all__
from tensorcore.array_api.data_types import *  # noqa: F403
from tensorcore.array_api.elementwise import *  # noqa: F403
from tensorcore.array_api.indexing import *  # noqa: F403
from tensorcore.array_api.info import __array_namespace_info__
from tensorcore.array_api.linear_algebra import *  # noqa: F403
from tensorcore.array_api.manipulation import *  # noqa: F403
from tensorcore.array_api.searching import *  # noqa: F403
from tensorcore.array_api.sets import *  # noqa: F403
from tensorcore.array_api.sorting import *  # noqa: F403
from tensorcore.array_api.statistical import *  # noqa: F403
from tensorcore.array_api.utility import *  # noqa: F403
from tensorcore.dtypes import bool_ as bool
from tensorcore.dtypes import (
    complex64,
    complex128,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)

__array_api_version__ = "2025.12"

newaxis = None

__all__ = [
    "__array_api_version__",
    "__array_namespace_info__",
    "bool",
    "complex64",
    "complex128",
    "e",
    "fft",
    "float32",
    "float64",
    "inf",
    "int8",
    "int16",
    "int32",
    "int64",
    "linalg",
    "nan",
    "newaxis",
    "pi",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]
__all__ += _creation.__all__
__all__ += _data_types.__all__
__all__ += _elementwise.__all__
__all__ += _indexing.__all__
__all__ += _linear_algebra.__all__
__all__ += _manipulation.__all__
__all__ += _searching.__all__
__all__ += _sets.__all__
__all__ += _sorting.__all__
__all__ += _statistical.__all__
__all__ += _utility.__all__


def __dir__() -> list[str]:
    return sorted(__all__)
