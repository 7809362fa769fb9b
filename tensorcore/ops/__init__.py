"""The op records, by family; importing the package records them all and derives Tensor's methods."""

from tensorcore.methods import derive
from tensorcore.ops import (  # noqa: F401 - imported for their records
    activation,
    arithmetic,
    complex,
    conversion,
    creation,
    drawing,
    elementwise,
    error_function,
    indexing,
    inplace,
    linalg,
    movement,
    ordering,
    random,
    reduction,
    softmax,
    statistics,
)
from tensorcore.ops.record import REGISTRY
from tensorcore.tensor import Tensor

derive(REGISTRY, Tensor)
