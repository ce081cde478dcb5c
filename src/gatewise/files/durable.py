"""Writing that is on the disk, and outlasts a power cut."""

from __future__ import annotations

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Wait until a file's bytes, or a folder's names, are on the disk.

    Raises:
        OSError: the disk is full or broken.
    """
    if os.name != "posix" and path.is_dir():
        # Windows keeps names by itself, and cannot open folders
        return
    descriptor = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Wait until a folder and all its content are on the disk."""
    for path in folder.rglob("*"):
        sync(path)
    sync(folder)
