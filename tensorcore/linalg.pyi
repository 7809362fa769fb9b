"""Generated from the op records by ``python -m tensorcore.ops.stubs``; not to be edited."""

import builtins
from collections.abc import Callable, Sequence
from typing import Any

from tensorcore.devices import Device, Kind
from tensorcore.dtypes import DType
from tensorcore.random.generator import Generator
from tensorcore.random.ticket import Ticket
from tensorcore.tensor import Tensor

def vector_norm(x: Tensor, ord: builtins.float = 2, dim: Any = None, keepdim: builtins.bool = False, *, dtype: DType | None = None, out: Tensor | None = None) -> Tensor: ...
