"""Publishing ops: the functions of a namespace, derived from the records that name it."""

from __future__ import annotations

from typing import Any

from tensorcore import ops as _ops
from tensorcore.ops.outputs import function
from tensorcore.ops.record import REGISTRY

# Importing the package records all ops, which publishing before that would miss.
assert _ops.__name__


def publish(namespace: str, module: dict[str, Any]) -> list[str]:
    """Put the functions of ``namespace`` into ``module``, a module's globals; returns their names."""
    names = []
    for op in REGISTRY.values():
        own = op.names_in(namespace)
        if own:
            # PyTorch's functions of nn.functional take no out=.
            module.update(dict.fromkeys(own, op.front if namespace == "nn.functional" else function(op)))
            names += own
    return names
