"""Where models come from: named artefacts, or a folder of artefacts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gatewise.errors import ArtefactError, DeclarationError
from gatewise.serving import MANIFEST, find_artefact

FIRST = "1"


@dataclass(frozen=True)
class Source:
    """An artefact, and the name and version that it is served under."""

    name: str
    version: str
    path: Path


@dataclass(frozen=True)
class Sources:
    """The artefacts of a service.

    Attributes:
        given: named one by one.
        folder: holds ``NAME/VERSION``, each an artefact or a run; searched whenever models are loaded.
    """

    given: tuple[Source, ...] = ()
    folder: Path | None = None

    def find(self) -> list[Source]:
        """Return all artefacts.

        Raises:
            ArtefactError: the folder holds no artefact.
        """
        if self.folder is None:
            return [*self.given]
        found = [
            Source(version.parent.name, version.name, find_artefact(version))
            for version in sorted(self.folder.glob("*/*"))
            if (find_artefact(version) / MANIFEST).is_file() and not version.name.startswith(".")
        ]
        if not found and not self.given:
            raise ArtefactError(f"models {str(self.folder)!r}: no NAME/VERSION in it is an artefact")
        return [*self.given, *found]


def named(arguments: Sequence[str]) -> tuple[Source, ...]:
    """Return the artefacts of ``PATH`` and ``NAME=PATH`` arguments; a path alone gets the name of its folder.

    Raises:
        DeclarationError: two artefacts have the same name.
    """
    found: dict[str, Source] = {}
    for argument in arguments:
        before, equals, after = argument.partition("=")
        path = Path(after if equals else before)
        name = before if equals else path.resolve().name
        if name in found:
            raise DeclarationError(f"two models are called {name!r}: give them names, as in NAME=ARTEFACT")
        found[name] = Source(name, FIRST, find_artefact(path))
    return tuple(found.values())
