"""The error of a checkpoint that names what it may not."""

from __future__ import annotations

from pickle import UnpicklingError

from tensorcore.errors import CheckpointError

__all__ = ["ForbiddenGlobalError"]


class ForbiddenGlobalError(CheckpointError, UnpicklingError):
    """A checkpoint that names a class or function that is not allowed; PyTorch raises ``pickle.UnpicklingError``."""
