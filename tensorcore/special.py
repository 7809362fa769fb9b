"""The functions of ``torch.special``, derived from the op records (typed in ``special.pyi``)."""

from tensorcore.ops.publish import publish as _publish

__all__ = _publish("special", globals())
