"""The one name of PyTorch's C module that programs use: the error of linear algebra."""

from tensorcore.errors import LinAlgError as _LinAlgError

__all__ = ["_LinAlgError"]
