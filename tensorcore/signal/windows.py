"""The functions of ``torch.signal.windows``, derived from the op records (typed in ``windows.pyi``)."""

from tensorcore.ops.publish import publish as _publish

__all__ = _publish("signal.windows", globals())
