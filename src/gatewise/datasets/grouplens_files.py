"""The files of a GroupLens download, from a folder or an archive, by name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from gatewise.datasets.files import Files
from gatewise.errors import TableError, shown


class Download:
    """A folder or zip with one GroupLens data set, at the top or one folder below.

    Args:
        path: The folder or the zip.
        ratings_names: Possible names of the ratings file; its folder is the folder of the data set.

    Raises:
        TableError: The path is absent, is neither a folder nor a readable zip, or does not hold exactly one ratings
            file.

    Example:
        >>> download = Download("ml-1m.zip", ["ratings.csv", "ratings.dat"])  # doctest: +SKIP
        >>> download.ratings_name, "users.dat" in download, download.read("users.dat")[:10]  # doctest: +SKIP
        ('ratings.dat', True, b'1::F::1::1')
    """

    def __init__(self, path: str | Path, ratings_names: Iterable[str]) -> None:
        self._files = Files(path)
        self.path = self._files.path
        names = list(ratings_names)
        ratings = _only_nearest([found for name in names for found in self._files.named(name)], self.path, names)
        self.ratings_name = ratings.name
        self._home = ratings.parent

    def __contains__(self, name: str) -> bool:
        return self._home / name in self._files.members

    def read(self, name: str) -> bytes:
        """Return the content of a file; a TableError names the file that is missing or damaged."""
        if name not in self:
            raise TableError(f"{self.path}: has {self.ratings_name} but no {name}")
        return self._files.read(self._home / name)


def _only_nearest(ratings: list[PurePosixPath], path: Path, names: list[str]) -> PurePosixPath:
    nearest = min((len(found.parts) for found in ratings), default=0)
    at_hand = sorted(found for found in ratings if len(found.parts) == nearest)
    if not at_hand:
        raise TableError(f"{path}: no ratings file, looked for {shown(names)} there and one folder below")
    if len(at_hand) > 1:
        raise TableError(f"{path}: expected one data set, found {shown(map(str, at_hand))}")
    return at_hand[0]
