"""Why there is no backup, or why none was restored."""

from __future__ import annotations


class BackupError(Exception):
    """The text says what to do. Nothing was changed."""
