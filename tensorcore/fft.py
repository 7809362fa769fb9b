"""The functions of ``torch.fft``, derived from the op records (typed in ``fft.pyi``)."""

from tensorcore.ops.publish import publish as _publish

__all__ = _publish("fft", globals())
