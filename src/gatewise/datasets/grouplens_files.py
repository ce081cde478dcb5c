"""The files of a GroupLens download, from a folder or a zip, by their plain names."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from gatewise.errors import TableError, shown


class Download:
    """A folder or zip that holds one GroupLens data set, at its top or one folder below.

    Args:
        path: The folder or the zip.
        ratings_names: Names of ratings files; the first one found says where the data set lies.

    Raises:
        TableError: There is nothing at the path, it is neither a folder nor a readable zip, or it holds no ratings
            file, or several.

    Example:
        >>> download = Download("ml-1m.zip", ["ratings.csv", "ratings.dat"])  # doctest: +SKIP
        >>> download.ratings_name, "users.dat" in download, download.read("users.dat")[:10]  # doctest: +SKIP
        ('ratings.dat', True, b'1::F::1::1')
    """

    def __init__(self, path: str | Path, ratings_names: Iterable[str]) -> None:
        self.path = Path(path).expanduser()
        self._paths = _paths_in(self.path)
        names = list(ratings_names)
        ratings = _only_nearest([path for path in self._paths if path.name in names], self.path, names)
        self.ratings_name = ratings.name
        self._home = ratings.parent

    def __contains__(self, name: str) -> bool:
        return self._home / name in self._paths

    def read(self, name: str) -> bytes:
        """Return the content of a file; a TableError names the file that is missing or damaged."""
        if name not in self:
            raise TableError(f"{self.path}: has {self.ratings_name} but no {name}")
        member = str(self._home / name)
        try:
            if self.path.is_dir():
                return (self.path / member).read_bytes()
            with zipfile.ZipFile(self.path) as archive:
                return archive.read(member)
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
            raise TableError(f"{self.path}: cannot read {name}: {error}") from error


def _paths_in(path: Path) -> set[PurePosixPath]:
    """Files at the top and one folder below, relative to ``path``."""
    if path.is_dir():
        files = [file for pattern in ("*", "*/*") for file in path.glob(pattern) if file.is_file()]
        return {PurePosixPath(file.relative_to(path).as_posix()) for file in files}
    if not path.exists():
        raise TableError(f"{path}: no such folder or zip")
    try:
        with zipfile.ZipFile(path) as archive:
            members = [PurePosixPath(name) for name in archive.namelist() if not name.endswith("/")]
    except (OSError, zipfile.BadZipFile) as error:
        expected = "a whole zip, found a damaged one" if path.suffix == ".zip" else "a folder or a zip"
        raise TableError(f"{path}: expected {expected} ({error})") from error
    return {member for member in members if len(member.parts) <= 2 and member.parts[0] != "__MACOSX"}


def _only_nearest(ratings: list[PurePosixPath], path: Path, names: list[str]) -> PurePosixPath:
    nearest = min((len(found.parts) for found in ratings), default=0)
    at_hand = sorted(found for found in ratings if len(found.parts) == nearest)
    if not at_hand:
        raise TableError(f"{path}: no ratings file, looked for {shown(names)} there and one folder below")
    if len(at_hand) > 1:
        raise TableError(f"{path}: expected one data set, found {shown(map(str, at_hand))}")
    return at_hand[0]
