"""The functions of the top-level namespace, derived from the op records (typed in ``functions.pyi``)."""

from tensorcore.ops.publish import publish as _publish

__all__ = _publish("", globals())
