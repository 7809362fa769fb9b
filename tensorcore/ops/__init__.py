"""The op records, by family; importing the package records them all and derives Tensor's methods."""

from tensorcore.methods import derive
from tensorcore.ops import (  # noqa: F401 - imported for their records
    activation,
    adaptive_pooling,
    alignment,
    arithmetic,
    attention,
    complex,
    contraction,
    conversion,
    convolution,
    creation,
    cross_entropy,
    diagonal,
    distance,
    drawing,
    dropout,
    elementwise,
    embedding,
    error_function,
    indexing,
    inplace,
    joining,
    linalg,
    linear,
    loss,
    movement,
    normalization,
    optimizer,
    ordering,
    padding,
    pooling,
    random,
    ranges,
    rarer_arithmetic,
    reduction,
    resampling,
    selection,
    shuffling,
    softmax,
    statistics,
    windows,
)
from tensorcore.ops.record import REGISTRY
from tensorcore.tensor import Tensor

derive(REGISTRY, Tensor)
