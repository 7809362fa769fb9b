"""The exception classes of files that are missing, or not what they should be."""

from __future__ import annotations

from tensorcore.errors import TensorcoreError

__all__ = ["FileFormatError", "MissingFilesError"]


class FileFormatError(TensorcoreError, RuntimeError, ValueError):
    """A file that is damaged, truncated, or of another format than the one expected; the message names it."""


class MissingFilesError(TensorcoreError, RuntimeError, FileNotFoundError):
    """A data set without its files; the message says where they are looked for and how they get there."""
