"""The files of a downloaded data set: a folder, a zip or a tar."""

from __future__ import annotations

import gzip
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from gatewise.errors import TableError

_DAMAGED = (OSError, EOFError, zipfile.BadZipFile, tarfile.TarError, zlib.error, RuntimeError)


class Files:
    """The files in a folder, zip or tar (also compressed), at most ``depth`` path parts deep.

    Args:
        path: The folder or archive.
        depth: 1 for files at the top, 2 for files one folder below too, and so on.

    Attributes:
        path: The folder or archive.
        members: Paths of the files within it, sorted.

    Raises:
        TableError: The path is absent, or is neither a folder nor a readable archive.

    Example:
        >>> files = Files("census.tar.gz")  # doctest: +SKIP
        >>> files.read(files.members[0])[:10]  # doctest: +SKIP
        b'73, Not in'
    """

    def __init__(self, path: str | Path, depth: int = 2) -> None:
        self.path = Path(path).expanduser()
        found = {PurePosixPath(name): name for name in _names_in(self.path, depth)}  # without the "./" that tar writes
        self._names = {
            member: name
            for member, name in found.items()
            if len(member.parts) <= depth and member.parts[0] != "__MACOSX"
        }
        self.members = sorted(self._names)

    def named(self, name: str) -> list[PurePosixPath]:
        """Return the members with this file name, in any folder."""
        return [member for member in self.members if member.name == name]

    def read(self, member: PurePosixPath) -> bytes:
        """Return the content of a member, unpacked if its name ends in .gz; a TableError names a damaged member."""
        try:
            content = self._packed(self._names[member])
            return gzip.decompress(content) if member.suffix == ".gz" else content
        except _DAMAGED as error:
            raise TableError(f"{self.path}: cannot read {member.name}: {error}") from error

    def _packed(self, name: str) -> bytes:
        if self.path.is_dir():
            return (self.path / name).read_bytes()
        if zipfile.is_zipfile(self.path):
            with zipfile.ZipFile(self.path) as archive:
                return archive.read(name)
        with tarfile.open(self.path) as archive:
            file = archive.extractfile(name)
            return file.read() if file else b""


def _names_in(path: Path, depth: int) -> list[str]:
    if path.is_dir():
        patterns = ["/".join("*" * levels) for levels in range(1, depth + 1)]
        files = [file for pattern in patterns for file in path.glob(pattern) if file.is_file()]
        return [file.relative_to(path).as_posix() for file in files]
    if not path.exists():
        raise TableError(f"{path}: no such folder, zip or tar")
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return [name for name in archive.namelist() if not name.endswith("/")]
        with tarfile.open(path) as archive:
            return [member.name for member in archive if member.isfile()]
    except _DAMAGED as error:
        kind = {".zip": "zip", ".tar": "tar", ".gz": "tar.gz", ".tgz": "tar.gz"}.get(path.suffix)
        expected = f"a whole {kind}, found a damaged one" if kind else "a folder, a zip or a tar"
        raise TableError(f"{path}: expected {expected} ({' '.join(str(error).split())})") from error
