"""The runs in a folder: when they were trained, from what, and how good they are."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gatewise.errors import ArtefactError
from gatewise.files import is_held
from gatewise.jobs.run_record import RECORD, MainMetric, RunRecord
from gatewise.promoted import POINTER, Pointer, checksum
from gatewise.provenance import Provenance, provenance_of
from gatewise.serving import ARTEFACT, MANIFEST, find_artefact
from gatewise.training import CHECKPOINT, HISTORY

SAVED = "metrics.json"
SIGNS = ({RECORD}, {CHECKPOINT}, {HISTORY}, {MANIFEST, SAVED})
"""Files by which a run, or an artefact saved from Python, is known."""


@dataclass(frozen=True)
class Run:
    """One run, or an artefact that was saved from Python.

    Attributes:
        name: its path within the folder that was looked into.
        state: ``finished``, ``interrupted``, ``running``, or ``damaged``.
        when: when it ended or, of a run that is not at its end, when it began, in UTC; None: not known.
        recipe: name of the recipe's file; None: none is known.
        rows: number of rows by part.
        judged_on: the rows of the metrics: ``test`` or ``valid``.
        main: the main metric by output.
        parent: the run that it was updated from: its name, or its id where it is not in the folder; None: none.
        provenance: where its model comes from.
        problem: what is wrong with a damaged run, or with one in place.
        in_place: whether it is the one that was promoted last, of those in a folder with ``current.json``.
    """

    name: str
    state: str
    when: str | None = None
    recipe: str | None = None
    rows: Mapping[str, int] = field(default_factory=dict)
    judged_on: str | None = None
    main: Mapping[str, MainMetric] = field(default_factory=dict)
    parent: str | None = None
    provenance: Provenance | None = None
    problem: str | None = None
    in_place: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the run as plain values."""
        return asdict(self)


def find_runs(folder: Path) -> list[Run]:
    """Return the runs in a folder and below, the newest first; a folder that is a run is its own only one.

    Raises:
        ArtefactError: there is no such folder, or a pointer to the run in place is damaged.
    """
    if not folder.is_dir():
        raise ArtefactError(f"there is no folder {str(folder)!r} to look for runs in")
    found = [_run(path, path.relative_to(folder).as_posix() if path != folder else folder.name) for path in _in(folder)]
    names = {run.provenance.id: run.name for run in found if run.provenance is not None and run.provenance.id}
    pointed = _pointed(folder)
    known = [_in_place(replace(run, parent=_parent(run.provenance, names)), folder, pointed) for run in found]
    return sorted(known, key=lambda run: (run.when or "", run.name), reverse=True)


def _in(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        path = Path(place)
        if any(sign <= {*files} for sign in SIGNS):
            yield path
        # what stands beside the artefact of a run may be runs, too
        folders[:] = sorted(each for each in folders if not each.startswith(".") and each != ARTEFACT)


def _pointed(folder: Path) -> dict[Path, str]:
    """Return the artefacts in place, by the pointers in a folder and below, with the checksums of their promotions."""
    found = {}
    for path in (Path(place) for place, _, files in os.walk(folder) if POINTER in files):
        if (current := Pointer.read(path).current) is not None:
            found[current.artefact(path).resolve()] = current.manifest
    return found


def _in_place(run: Run, folder: Path, pointed: Mapping[Path, str]) -> Run:
    """Return a run that knows whether it is in place."""
    path = folder / run.name
    artefact = find_artefact(path if path.is_dir() else folder)
    manifest = pointed.get(artefact.resolve())
    if manifest is None:
        return run
    if not (artefact / MANIFEST).is_file() or checksum(artefact) != manifest:
        return replace(run, problem="it was promoted, and is not the artefact any more that was promoted")
    return replace(run, in_place=True)


def _run(path: Path, name: str) -> Run:
    try:
        record = RunRecord.read(path)
        saved = _saved(find_artefact(path)) if record is None else None
    except ArtefactError as error:
        return Run(name, "damaged", problem=str(error))
    if record is not None:
        provenance, state = record.provenance, record.state
        when = record.ended or record.begun
        shown = "running" if state == "begun" and is_held(path) else "interrupted" if state == "begun" else state
        return Run(
            name, shown, when, record.recipe, _rows(provenance), record.judged_on, record.main, provenance=provenance
        )
    if saved is None:
        return Run(name, "running" if is_held(path) else "interrupted")
    recipe = None if saved.recipe is None else saved.recipe.name
    return Run(name, "finished", saved.trained, recipe, _rows(saved), provenance=saved)


def _saved(artefact: Path) -> Provenance | None:
    """Return the provenance in an artefact, without loading its model; None: there is no artefact."""
    try:
        values = json.loads((artefact / SAVED).read_bytes())
        return provenance_of(values, values.get("rows", {})) or Provenance()
    except FileNotFoundError:
        return None
    except (OSError, ValueError, ValidationError, AttributeError) as error:
        reason = str(error).splitlines()[0]
        raise ArtefactError(f"{str(artefact / SAVED)!r} is damaged: {reason}") from None


def _rows(known: Provenance | None) -> dict[str, int]:
    return {} if known is None else {part: seen.rows for part, seen in known.data.items()}


def _parent(known: Provenance | None, names: Mapping[str, str]) -> str | None:
    if known is None or not known.parents:
        return None
    last = known.parents[-1]
    return "not known" if last.id is None else names.get(last.id, last.id)
