"""Where models come from: named artefacts, a folder of artefacts, or what is promoted in a folder of runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gatewise.errors import ArtefactError, DeclarationError
from gatewise.promoted import Pointer
from gatewise.serving import MANIFEST, find_artefact

FIRST = "1"


@dataclass(frozen=True)
class Source:
    """An artefact, and the name and version that it is served under.

    Attributes:
        name: the model's name.
        version: a number or a name.
        path: folder of the artefact.
        manifest: SHA-256 of the manifest that was promoted; None: whatever stands there is served.
    """

    name: str
    version: str
    path: Path
    manifest: str | None = None


@dataclass(frozen=True)
class Watched:
    """A folder with a pointer, and the name of the model that is in place there."""

    name: str
    folder: Path

    def source(self) -> Source:
        """Return what is in place now.

        Raises:
            ArtefactError: nothing is, or the pointer is damaged.
        """
        found = Pointer.read(self.folder).current
        if found is None:
            again = f"gatewise promote RUN --to {self.folder}"
            raise ArtefactError(f"watch {str(self.folder)!r}: nothing was promoted there yet: {again}")
        return Source(self.name, found.version, found.artefact(self.folder), found.manifest)


@dataclass(frozen=True)
class Sources:
    """The artefacts of a service.

    Attributes:
        given: named one by one.
        folder: holds ``NAME/VERSION``, each an artefact or a run; searched whenever models are loaded.
        watched: folders whose pointers say what is served.
    """

    given: tuple[Source, ...] = ()
    folder: Path | None = None
    watched: tuple[Watched, ...] = ()

    def find(self) -> list[Source]:
        """Return all artefacts.

        Raises:
            ArtefactError: the folder holds no artefact, or nothing is promoted in a watched one.
        """
        named = [*self.given, *(each.source() for each in self.watched)]
        if self.folder is None:
            return named
        found = [
            Source(version.parent.name, version.name, find_artefact(version))
            for version in sorted(self.folder.glob("*/*"))
            if (find_artefact(version) / MANIFEST).is_file() and not version.name.startswith(".")
        ]
        if not found and not named:
            raise ArtefactError(f"models {str(self.folder)!r}: no NAME/VERSION in it is an artefact")
        return [*named, *found]


def sources_of(artefacts: Sequence[str] = (), models: Path | None = None, watched: Sequence[str] = ()) -> Sources:
    """Return the sources of artefacts and watched folders, each ``PATH`` or ``NAME=PATH``, and a folder of models.

    Raises:
        DeclarationError: two of them have the same name.
    """
    # names are looked at together, so that no two are the same
    paths, pointers = _paths([*artefacts, *watched]), _paths(watched)
    given = tuple(Source(name, FIRST, find_artefact(path)) for name, path in paths.items() if name not in pointers)
    return Sources(given, models, tuple(Watched(name, path) for name, path in pointers.items()))


def _paths(arguments: Sequence[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for argument in arguments:
        before, equals, after = argument.partition("=")
        path = Path(after if equals else before)
        name = before if equals else path.resolve().name
        if name in found:
            raise DeclarationError(f"two models are called {name!r}: give them names, as in NAME=ARTEFACT")
        found[name] = path
    return found
