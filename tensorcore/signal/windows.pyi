"""Generated from the op records by ``python -m tensorcore.ops.stubs``; not to be edited."""

import builtins
from collections.abc import Callable, Sequence
from typing import Any

from tensorcore.devices import Device, Kind
from tensorcore.dtypes import DType
from tensorcore.random.generator import Generator
from tensorcore.random.ticket import Ticket
from tensorcore.tensor import Tensor

