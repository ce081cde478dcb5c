"""Ownership: which users could have written a file."""

from __future__ import annotations

import os
import stat

OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def ours_alone(found: os.stat_result) -> bool:
    """Whether only this user could have written a file or folder; true on systems without such permissions."""
    return os.name != "posix" or (found.st_uid == os.geteuid() and not found.st_mode & OTHERS_WRITE)
