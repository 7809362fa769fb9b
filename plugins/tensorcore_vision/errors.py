"""The exception class of files that are not what they should be."""

from __future__ import annotations

from tensorcore.errors import TensorcoreError

__all__ = ["FileFormatError"]


class FileFormatError(TensorcoreError, RuntimeError, ValueError):
    """A file that is damaged, truncated, or of another format than the one expected; the message names it."""
