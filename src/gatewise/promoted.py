"""Which artefact is in place: ``current.json`` in a folder of runs, with what was in place before.

One small file holds the pointer and its history, and is replaced in one step: a reader finds one state or the next.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from gatewise.errors import ArtefactError, InUseError
from gatewise.files import held_in_turn, write_text
from gatewise.provenance import now
from gatewise.serving import MANIFEST, find_artefact

POINTER = "current.json"
KEPT = 500
"""Earlier entries that a pointer keeps, of those promoted and of those withdrawn."""


@dataclass(frozen=True)
class Promoted:
    """An artefact that was put in place.

    Attributes:
        run: folder of the run or artefact, relative to the folder of the pointer.
        manifest: SHA-256 of the artefact's manifest, and so of all its files.
        promoted: when it was put in place, in UTC.
        against: the version that it was compared with; None: there was none.
        metrics: its main metrics on the table of the comparison, by output.
    """

    run: str
    manifest: str
    promoted: str
    against: str | None = None
    metrics: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """Name of the run and eight digits of the checksum, such as ``2026-11-29T10-15@3f9ac1e0``."""
        return version_of(Path(self.run), self.manifest)

    def artefact(self, folder: Path) -> Path:
        """Return the folder of the artefact, given that of the pointer."""
        return find_artefact(folder / self.run)


@dataclass(frozen=True)
class Pointer:
    """What is in place, and what was.

    Attributes:
        promoted: in the order in which they were put in place; the last one is in place now.
        withdrawn: those that were in place and were taken back, in this order.
    """

    promoted: tuple[Promoted, ...] = ()
    withdrawn: tuple[Promoted, ...] = ()

    @property
    def current(self) -> Promoted | None:
        """What is in place; None: nothing was promoted yet."""
        return self.promoted[-1] if self.promoted else None

    @classmethod
    def read(cls, folder: Path) -> Pointer:
        """Return the pointer of a folder; an empty one where nothing was promoted yet.

        Raises:
            ArtefactError: the file cannot be read, or is not what was written; names it.
        """
        path = folder / POINTER
        try:
            return TypeAdapter(cls).validate_json(path.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return cls()
        except OSError as error:
            raise ArtefactError(f"cannot read {str(path)!r}: {error.strerror or error}") from None
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"])) or "the file"
            raise ArtefactError(f"{str(path)!r} is damaged: {place}: {first['msg']}") from None

    def forward(self, entry: Promoted) -> Pointer:
        """Return the pointer with another artefact in place."""
        return replace(self, promoted=(*self.promoted, entry)[-KEPT:])

    def back(self) -> Pointer:
        """Return the pointer with what was in place before.

        Raises:
            ArtefactError: nothing was in place before.
        """
        if len(self.promoted) < 2:
            raise ArtefactError("nothing was in place before: there is nothing to go back to")
        return Pointer(self.promoted[:-1], (*self.withdrawn, self.promoted[-1])[-KEPT:])

    def write(self, folder: Path, before: Pointer) -> None:
        """Write the pointer in one step, where the folder still has the pointer ``before``.

        Raises:
            InUseError: somebody else has changed the pointer meanwhile; nothing was changed.
            ArtefactError: the file cannot be written.
        """
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        with held_in_turn(folder):
            if Pointer.read(folder) != before:
                raise InUseError(f"{str(folder / POINTER)!r} was changed meanwhile: nothing was promoted, try again")
            write_text(folder / POINTER, text)


def entry_for(run: Path, folder: Path, against: str | None, metrics: Mapping[str, float | None]) -> Promoted:
    """Return the entry of a run that is promoted now."""
    place = os.path.relpath(run.resolve(), folder.resolve())
    return Promoted(Path(place).as_posix(), checksum(find_artefact(run)), now(), against, metrics)


def checksum(artefact: Path) -> str:
    """Return the SHA-256 of an artefact's manifest.

    Raises:
        ArtefactError: there is none.
    """
    try:
        return hashlib.sha256((artefact / MANIFEST).read_bytes()).hexdigest()
    except OSError:
        raise ArtefactError(f"there is no artefact {str(artefact)!r}") from None


def version_of(run: Path, manifest: str) -> str:
    """Return the version of a run whose artefact has a manifest of this checksum."""
    return f"{run.name}@{manifest[:8]}"
