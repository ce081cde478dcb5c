"""Which files a path, a folder, a glob or an address in a bucket names, in the order of their paths."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
from pyarrow import fs

from gatewise.data.reading import first_line
from gatewise.data.sources.stored_file import LOCAL, StoredFile
from gatewise.declare import is_uri, secrets_of, uri_of, without_secrets
from gatewise.errors import TableError, did_you_mean

STORES = ("s3", "gs", "gcs", "abfs", "abfss", "hdfs", "viewfs", "file")
DATABASES = ("postgresql", "postgres", "duckdb", "sqlite")
WILD = "*?["
LONGEST = 300
"""Longest reason of a store that is shown."""
PATIENCE = 60
"""Seconds in which a bucket must answer."""


@dataclass(frozen=True)
class Listed:
    """What a name stands for.

    Attributes:
        shown: the name, without credentials.
        files: the files, in the order of their paths.
        is_one: whether the name is that of a file, not of a folder or a glob.
    """

    shown: str
    files: tuple[StoredFile, ...]
    is_one: bool


def listed(name: str | Path) -> Listed:
    """Return the files that a name stands for; files and folders that begin with ``_`` or ``.`` are not data.

    Raises:
        TableError: there is no such file, folder or bucket, or the folder has no files.
    """
    place = place_of(name)
    with explained(place):
        return _listed(place)


@dataclass(frozen=True)
class Place:
    """A path on a file system; ``shown`` is its name without credentials, ``prefix`` what it adds to the path."""

    system: Any
    path: str
    shown: str
    prefix: str = ""
    secrets: tuple[str, ...] = ()

    def file(self, path: str) -> StoredFile:
        """Return a file that was found at this place."""
        return StoredFile(self.system, path, self.prefix + path)


def place_of(name: str | Path) -> Place:
    """Return where a name points to, on the local disk or elsewhere; nothing is looked up.

    Raises:
        TableError: an address that is not of a known kind.
    """
    if not is_uri(name):
        return Place(LOCAL, str(name), str(name))
    uri = uri_of(name)
    scheme, shown = uri.partition(":")[0].lower(), without_secrets(uri).partition("?")[0]
    if scheme in DATABASES:
        raise TableError(f"table {shown!r} is a database: name its rows with gatewise.sql, or {{sql: ..., query: ...}}")
    if scheme in ("http", "https"):
        raise TableError(f"table {shown!r}: expected a file, a bucket or a database; download it first")
    if scheme not in STORES:
        expected = ", ".join(f"{each}://" for each in STORES)
        raise TableError(f"table {shown!r}: expected {expected}{did_you_mean(scheme, [*STORES, *DATABASES])}")
    address, mark, options = uri.partition("?")
    if not address.partition("://")[2].strip("/"):
        raise TableError(f"table {shown!r}: expected an address with a bucket or a path")
    if scheme in ("gs", "gcs") and "retry_limit_seconds" not in options:
        # by default Google's client tries for a quarter of an hour where there is no network
        mark, options = "?", "&".join([*filter(None, [options]), f"retry_limit_seconds={PATIENCE}"])
    try:
        # wildcards and spaces are part of names, but not of an address; a question mark begins its options
        system, path = fs.FileSystem.from_uri(quote(address, safe="/:@%=*!$&'(),;+~") + mark + options)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise TableError(f"table {shown!r}: {hidden(first_line(error), uri)}") from None
    system = LOCAL if isinstance(system, fs.LocalFileSystem) else system
    prefix = shown[: -len(path)] if path and shown.endswith(path) else f"{scheme}://"
    return Place(system, path, shown, prefix, tuple(secrets_of(uri)))


def is_local(place: Place) -> bool:
    """Whether a place is on the local disk."""
    return isinstance(place.system, fs.LocalFileSystem)


def hidden(text: str, uri: str) -> str:
    """Return a message without the passwords and keys of an address."""
    for secret in secrets_of(uri):
        text = text.replace(secret, "***")
    return text.replace(uri, without_secrets(uri))


@contextmanager
def explained(place: Place) -> Iterator[None]:
    """Turn an error of a file system into one line that names the place."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise TableError(f"table {place.shown!r}: {reason(error, place)}") from None


def reason(error: Exception, place: Place) -> str:
    """Return why a file system refused, in words."""
    text = first_line(error)
    if "NO_SUCH_BUCKET" in text or "bucket does not exist" in text:
        return f"there is no bucket {place.path.partition('/')[0]!r}"
    if "ACCESS_DENIED" in text or "HTTP status 403" in text:
        return "access is denied: the credentials come from the environment, such as AWS_ACCESS_KEY_ID"
    for secret in place.secrets:
        text = text.replace(secret, "***")
    return text if len(text) <= LONGEST else text[:LONGEST] + "..."


def _listed(place: Place) -> Listed:
    path = place.path.rstrip("/") or place.path
    info = place.system.get_file_info(path)
    if info.type == fs.FileType.File:
        return Listed(place.shown, (place.file(path),), is_one=True)
    if info.type == fs.FileType.Directory:
        files = tuple(map(place.file, sorted(_below(place.system, path))))
        if not files:
            raise TableError(
                f"table {place.shown!r} is a folder without data (files that begin with _ or . do not count)"
            )
        return Listed(place.shown, files, is_one=False)
    if any(character in path for character in WILD):
        found = sorted({file for match in _matches(place.system, path) for file in _of_match(place.system, match)})
        if not found:
            raise TableError(f"table {place.shown!r}: no file fits the pattern")
        return Listed(place.shown, tuple(map(place.file, found)), is_one=False)
    raise TableError(f"table {place.shown!r} does not exist{_nearest(place, path)}")


def _nearest(place: Place, path: str) -> str:
    parent, _, name = path.rpartition("/")
    if not parent and place.system is not LOCAL:
        return ""
    try:
        # a missing bucket is told as such
        beside = place.system.get_file_info(fs.FileSelector(parent or "."))
    except (FileNotFoundError, NotADirectoryError):
        return ""
    return did_you_mean(name, [each.base_name for each in beside])


def _is_data(name: str) -> bool:
    return not name.startswith(("_", "."))


def _below(system: Any, folder: str) -> Iterator[str]:
    """Yield the files in a folder and in its folders."""
    start = len(folder.rstrip("/")) + 1
    for info in system.get_file_info(fs.FileSelector(folder, recursive=True)):
        inside = info.path[start:] if info.path.startswith(folder.rstrip("/")) else info.path
        if info.type == fs.FileType.File and all(map(_is_data, inside.split("/"))):
            yield info.path


def _of_match(system: Any, info: Any) -> Iterator[str]:
    if info.type == fs.FileType.Directory:
        yield from _below(system, info.path)
    else:
        yield info.path


def _matches(system: Any, pattern: str) -> Iterator[Any]:
    """Yield what fits a pattern, segment by segment, so that nothing beside it is listed; ``**`` is any folders."""
    first, *rest = pattern.split("/")
    yield from _walk(system, first, rest) if not any(c in first for c in WILD) else _walk(system, None, [first, *rest])


def _walk(system: Any, at: str | None, segments: list[str]) -> Iterator[Any]:
    if not segments:
        info = system.get_file_info(at)
        if info.type in (fs.FileType.File, fs.FileType.Directory):
            yield info
        return
    segment, *rest = segments
    if segment != "**" and not any(character in segment for character in WILD):
        yield from _walk(system, segment if at is None else f"{at}/{segment}", rest)
        return
    if segment == "**":
        yield from _walk(system, at or ".", rest) if rest else ()
    folder = "." if at is None else at or "/"
    try:
        beside = system.get_file_info(fs.FileSelector(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for info in beside:
        path = info.base_name if at is None else info.path
        if not _is_data(info.base_name):
            continue
        if segment == "**":
            if info.type == fs.FileType.Directory:
                yield from _walk(system, path, segments)
            elif not rest:
                yield info
        elif fnmatch.fnmatchcase(info.base_name, segment):
            yield from _walk(system, path, rest)
