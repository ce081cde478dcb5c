"""Atomic writing of one folder: complete or not at all."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from gatewise.files.durable import sync, sync_folder
from gatewise.files.locks import one_at_a_time
from gatewise.files.temporary import OLD, remove, temporary_folder

AT_FDCWD = -100
EXCHANGE = 2
"""Flag of renameat2 (Linux) and renamex_np (macOS): exchange two names in one step."""
UNSUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)


def replace_folder(
    path: Path, write: Callable[[Path], None], replaceable: Callable[[Path], bool] = lambda _: True
) -> None:
    """Let ``write`` fill a temporary folder beside ``path``, then put it in place; an older folder is removed last.

    On Linux and macOS the two folders change places in one step, so that there is a complete folder at any moment.
    Elsewhere the old folder has another name for an instant, and :func:`gatewise.files.read_version` finds it there.
    The new folder is on the disk before it is put in place. If ``path`` is a link, the folder it points to is replaced.

    Args:
        path: of the folder.
        write: fills a folder.
        replaceable: says whether an existing file or folder may be replaced.

    Raises:
        FileExistsError: ``replaceable`` forbids it.
        OSError: a file cannot be written; nothing has changed.
    """
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    target.parent.mkdir(parents=True, exist_ok=True)
    with one_at_a_time(target.parent):
        if target.exists() and not replaceable(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    with temporary_folder(target) as fresh:
        write(fresh)
        sync_folder(fresh)
        with one_at_a_time(target.parent):
            if not target.exists():
                fresh.rename(target)
            elif not _exchange(fresh, target):
                _step_aside(fresh, target)
        sync(target.parent)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names; False if the system or the disk cannot."""
    if os.name != "posix":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    first, second = os.fsencode(one), os.fsencode(other)
    if sys.platform == "darwin" and hasattr(libc, "renamex_np"):
        failed = libc.renamex_np(first, second, ctypes.c_uint(EXCHANGE))
    elif hasattr(libc, "renameat2"):
        failed = libc.renameat2(AT_FDCWD, first, AT_FDCWD, second, ctypes.c_uint(EXCHANGE))
    else:
        return False
    if not failed:
        return True
    code = ctypes.get_errno()
    if code in UNSUPPORTED:
        return False
    raise OSError(code, os.strerror(code), str(other))


def _step_aside(fresh: Path, target: Path) -> None:
    """Rename the old folder aside, rename the fresh one to the target, and remove the old one."""
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=OLD, dir=target.parent))
    target.replace(old)
    try:
        fresh.rename(target)
    except OSError:
        old.rename(target)
        raise
    remove(old)
