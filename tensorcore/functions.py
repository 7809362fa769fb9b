"""The functions of the top-level namespace, derived from the op records (typed in ``functions.pyi``)."""

from tensorcore import ops as _ops
from tensorcore.ops.outputs import function as _function
from tensorcore.ops.record import REGISTRY as _REGISTRY

__all__: list[str] = []


def _publish() -> None:
    for op in _REGISTRY.values():
        if "" in op.namespaces:
            function = _function(op)
            for name in (op.name, *op.aliases):
                globals()[name] = function
                __all__.append(name)


_publish()
_ = _ops
