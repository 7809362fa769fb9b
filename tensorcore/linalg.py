"""The functions of ``torch.linalg``, derived from the op records (typed in ``linalg.pyi``)."""

from tensorcore.errors import LinAlgError
from tensorcore.ops.publish import publish as _publish

__all__ = ["LinAlgError", *_publish("linalg", globals())]
