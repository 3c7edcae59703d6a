"""What stands in the way of a backup or a restore."""

from __future__ import annotations


class BackupError(Exception):
    """One sentence that says what is wrong and what to do."""
