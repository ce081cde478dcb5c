"""Where caches lie, and which there are."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gatewise.data.cache.manifest import MANIFEST, Manifest, digest_of
from gatewise.errors import ArtefactError, did_you_mean
from gatewise.files import held


@dataclass(frozen=True)
class CacheFolder:
    """A folder of the cache, for people.

    Attributes:
        folder: the folder.
        size: bytes of its files.
        rows: number of rows; None: it is not complete.
        source: the source in words.
        used: seconds since the epoch at which it was written.
    """

    folder: Path
    size: int
    rows: int | None
    source: str
    used: float


def cache_home() -> Path:
    """Return the folder of all caches: ``GATEWISE_CACHE``, or ``gatewise/rows`` in the user's cache folder."""
    if found := os.environ.get("GATEWISE_CACHE"):
        return Path(found)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "gatewise" / "rows"


def cache_of(key: Mapping[str, str], home: Path | None = None) -> Path:
    """Return the folder of the cache that is made of ``key``: another schema or source is another folder."""
    return (home or cache_home()) / digest_of(key)


def caches(home: Path | None = None) -> list[CacheFolder]:
    """Return all caches, also incomplete ones, the last written first."""
    home = home or cache_home()
    folders = [path for path in home.iterdir() if path.is_dir()] if home.is_dir() else []
    return sorted((_looked_at(folder) for folder in folders), key=lambda found: -found.used)


def _looked_at(folder: Path) -> CacheFolder:
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    rows, source, used = None, "", folder.stat().st_mtime
    if (folder / MANIFEST).exists():
        used = (folder / MANIFEST).stat().st_mtime
        try:
            manifest = Manifest.read(folder)
            rows, source = manifest.rows, manifest.source
        except ArtefactError:
            source = "damaged"
    return CacheFolder(folder, size, rows, source, used)


def remove_cache(name: str, home: Path | None = None) -> int:
    """Remove a cache, by the name of its folder or the beginning of the name, and return its bytes.

    Raises:
        ArtefactError: no cache, or several, have this name, or a process is writing it.
    """
    known = {found.folder.name: found for found in caches(home)}
    chosen = [key for key in known if key.startswith(name)]
    if len(chosen) != 1:
        found = "no cache" if not chosen else f"{len(chosen)} caches"
        raise ArtefactError(f"cache {name!r}: {found} of this name{did_you_mean(name, known)}")
    cache = known[chosen[0]]
    with held(cache.folder):
        # without its manifest, a folder that could not be removed whole is not taken for a cache
        (cache.folder / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(cache.folder)
    return cache.size
