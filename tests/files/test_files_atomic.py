from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from gatewise.errors import ArtefactError
from gatewise.files import replace_folder, write_atomically, write_text


def full(_: Path) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_one_line_also_where_nothing_can_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_text(tmp_path / "file", "old")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as broken:
        broken.setattr(Path, "unlink", refuse)
        broken.setattr(os, "rmdir", refuse)
        with pytest.raises(ArtefactError, match=r"^cannot write '.*file': No space left on device$"):
            write_atomically(tmp_path / "file", full)
        with pytest.raises(OSError, match="No space left on device"):
            replace_folder(tmp_path / "folder", full)
    assert (tmp_path / "file").read_text() == "old"
    # the next one removes what could not be removed
    write_text(tmp_path / "file", "new")
    replace_folder(tmp_path / "folder", lambda _: None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
