"""The manifest of a cache, which says what is in it and makes it complete."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from gatewise.errors import ArtefactError
from gatewise.files import write_text

MANIFEST = "manifest.json"
FORMAT = 1


@dataclass(frozen=True)
class Part:
    """A file of encoded rows.

    Attributes:
        file: its name.
        blocks: the number of rows of each of its record batches.
        positives: per record batch, and per label column of zeros and ones, the number of ones.
        known: likewise, the number of labels that are there.
        size: its bytes.
        sha256: of its bytes.
    """

    file: str
    blocks: list[int]
    positives: list[list[int]]
    known: list[list[int]]
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a cache holds.

    Attributes:
        key: what the cache was made of: digests of schema and source, order and seed, by name.
        rows: number of rows.
        order: ``random`` or ``time``.
        parts: the files, in the order of the rows.
        texts: SHA-256 of the dictionary of every text column.
        label_columns: names of the label columns whose ones are counted.
        source: the source in words, for people.
    """

    key: dict[str, str]
    rows: int
    order: str
    parts: list[Part]
    texts: list[str] = field(default_factory=list)
    label_columns: list[str] = field(default_factory=list)
    source: str = ""
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        """Write the manifest into the cache's folder, which is complete then."""
        write_text(folder / MANIFEST, json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Return the manifest of a cache.

        Raises:
            ArtefactError: there is none, or it is damaged or of another format.
        """
        path = folder / MANIFEST
        try:
            values: Any = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ArtefactError(f"cache {str(folder)!r}: no manifest: {error.strerror}") from None
        except ValueError:
            raise ArtefactError(f"cache {str(folder)!r}: its manifest is damaged; remove the cache") from None
        found = values.get("format") if isinstance(values, dict) else None
        if found != FORMAT:
            raise ArtefactError(f"cache {str(folder)!r}: expected format {FORMAT}, found {found}; remove the cache")
        try:
            return TypeAdapter(cls).validate_python(values)
        except ValidationError as error:
            wrong = ".".join(map(str, error.errors()[0]["loc"]))
            found = f"its manifest is damaged at {wrong}"
            raise ArtefactError(f"cache {str(folder)!r}: {found}; remove the cache") from None

    def digest(self) -> str:
        """Return a hash of all rows and their order on disk."""
        found = hashlib.blake2b(digest_size=32)
        for part in self.parts:
            found.update(part.sha256.encode())
        found.update(json.dumps([self.order, self.texts]).encode())
        return found.hexdigest()


def digest_of(values: Mapping[str, str]) -> str:
    """Return a short hash of what a cache is made of, which names its folder."""
    return hashlib.blake2b(json.dumps(dict(sorted(values.items()))).encode(), digest_size=10).hexdigest()


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
