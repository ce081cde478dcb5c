"""From a run and the rows of a day to a new run; the old one stays."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gatewise.analysis import LOOKED_AT, FeatureDrift, feature_drift
from gatewise.data import column_names, needed_columns, regrouped, source_of, stream_table
from gatewise.declare import Instant, Update, read_change, to_dict
from gatewise.distributed import rank
from gatewise.errors import ArtefactError
from gatewise.files import held, write_bytes
from gatewise.history import write_history
from gatewise.jobs.run_record import record_run
from gatewise.jobs.train import METRICS, RECIPE, write_json
from gatewise.loading import load
from gatewise.progress import unspoken
from gatewise.provenance import now as clock
from gatewise.ranker import Ranker
from gatewise.serving import ARTEFACT, ModelChange, find_artefact
from gatewise.tasks import Metrics
from gatewise.training import CHECKPOINT, HISTORY


@dataclass(frozen=True)
class Updated:
    """What an update came to.

    Attributes:
        ranker: the updated one.
        before: metrics of the ranker before, on the validation rows, if there were any.
        after: those of the updated one.
        drift: every feature of today's rows beside the rows of the first training, those that drifted most first; as
            the model before saw them.
        changes: what became of each feature, each task and the experts, if there was another schema.
        stopped: whether the update was not made, as a feature has drifted.
    """

    ranker: Ranker
    before: Metrics | None
    after: Metrics | None
    drift: list[FeatureDrift] = field(default_factory=list)
    changes: list[ModelChange] = field(default_factory=list)
    stopped: bool = False


def update_run(
    source: Path,
    train: Any,
    target: Path,
    options: Update,
    *,
    valid: Any = None,
    replay: Any = None,
    stop_on_drift: bool = False,
    ripened: Any = None,
    now: Instant | None = None,
    progress: bool | None = None,
    schema: Path | None = None,
) -> Updated:
    """Train the model of a run further, and write what came of it into another folder.

    Writes into ``target``: ``metrics.json``, ``history.jsonl``, ``recipe.json`` if ``source`` has one, ``run.json`` and
    ``artefact/``, which is there whole or not at all. An update that was killed leaves no artefact, and may be made
    again into the same folder. Under a launcher, such as torchrun, all processes train together, and rank 0 writes.

    Args:
        source: folder of a run or of an artefact, which is only read.
        train: any table.
        target: folder of the new run.
        options: options of the update.
        valid: any table; decides the best epoch and calibrates, and is judged before and after.
        replay: any table of earlier rows.
        stop_on_drift: whether nothing is learnt and written if a feature has drifted, see
            :attr:`gatewise.analysis.FeatureDrift.drifted`.
        ripened: any table of earlier rows with their labels of today, of which those that became final are learnt.
        now: the moment at which labels with a ``delay`` were read; None: the newest time of each table.
        progress: whether to show progress; by default if standard error is a terminal.
        schema: a file with other features and tasks, and perhaps a model, which the model has from now on, see
            :meth:`gatewise.Ranker.changed`; such as an edited recipe.

    Raises:
        DeclarationError: the file of the schema is invalid, or the model cannot be changed so.
        ArtefactError: ``source`` holds no artefact; or ``target`` holds a run already, or is held by another process.
        TableError: a table does not hold what the schema declares; names the column.
        TrainingError: a loss is not finite.
    """
    artefact = find_artefact(source)
    how = {"replay": replay, "ripened": ripened, "now": now, "progress": progress, **vars(options)}
    if rank() > 0:
        with unspoken():
            ranker = _loaded(artefact, schema, train)
            if stop_on_drift and any(each.drifted for each in _drift(ranker, train)):
                return Updated(ranker, None, None, stopped=True)
            return Updated(ranker.update(train, valid, **how), None, None)
    _check_free(target)
    ranker = _loaded(artefact, schema, train)
    changes = ranker.changes
    with held(target):
        _check_free(target)
        begun, drift = clock(), _drift(ranker, train)
        if stop_on_drift and any(each.drifted for each in drift):
            return Updated(ranker, None, None, drift, changes, stopped=True)
        before = None if valid is None else ranker.evaluate(valid, now=now)
        with unspoken():
            ranker.update(train, valid, **how)
        after = None if valid is None else ranker.evaluate(valid, now=now)
        ranker.metrics = {} if after is None else {"valid": after}
        _write(ranker, before, artefact.parent / RECIPE, target)
        record_run(ranker, target, begun)
    return Updated(ranker, before, after, drift, changes)


def _loaded(artefact: Path, schema: Path | None, train: Any) -> Ranker:
    """Return the ranker of an artefact, with the features, tasks and experts of a schema's file if there is one."""
    if schema is None:
        return load(artefact)
    declared, model = read_change(schema)
    return load(artefact).changed(declared, model, train)


def _drift(ranker: Ranker, train: Any) -> list[FeatureDrift]:
    """Return the features of the first rows beside those of the training."""
    encoder = ranker.scorer.encoder
    needed = needed_columns(encoder.schema, labels=False)
    if not set(needed) <= set(column_names(train)):
        # what is missing is said where the rows are learnt
        return []
    types = encoder.column_types() if source_of(train).takes_types else None
    rows = next(regrouped(stream_table(train, needed, types), LOOKED_AT, some=True))
    return feature_drift(encoder, rows, ranker.scorer.encode(rows, labels=False))


def _check_free(target: Path) -> None:
    """Refuse a folder that holds a model or a training, such as the run that is updated."""
    if any((target / name).exists() for name in (ARTEFACT, CHECKPOINT, "manifest.json")):
        raise ArtefactError(f"run {str(target)!r} is there already: an update needs a folder of its own")
    if target.exists() and not target.is_dir():
        raise ArtefactError(f"{str(target)!r} is a file: an update needs a folder of its own")


def _write(ranker: Ranker, before: Metrics | None, recipe: Path, target: Path) -> None:
    write_history(target / HISTORY, ranker.history)
    write_json(target / METRICS, ranker.metrics | ({} if before is None else {"valid_before": before}))
    if recipe.exists() and not ranker.changes:
        write_bytes(target / RECIPE, recipe.read_bytes())
    elif recipe.exists():
        other = to_dict(ranker.schema) | {"model": to_dict(ranker.options)["model"]}
        write_json(target / RECIPE, json.loads(recipe.read_bytes()) | other)
    ranker.save(target / ARTEFACT)
