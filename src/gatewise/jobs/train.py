"""From a recipe to a run: a folder with artefact, metrics, history and checkpoint."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from gatewise.data import period_of
from gatewise.declare import Recipe, to_dict
from gatewise.distributed import rank
from gatewise.errors import ArtefactError, DeclarationError, GatewiseWarning
from gatewise.files import held, write_text
from gatewise.jobs.periods import periods_in_words, periods_of
from gatewise.jobs.run_record import Recording
from gatewise.jobs.tables import Tables
from gatewise.progress import at_terminal, said, unspoken
from gatewise.provenance import Provenance, RecipeFile, commit_of
from gatewise.ranker import Ranker
from gatewise.serving import ARTEFACT, MANIFEST
from gatewise.training import IN_COMMANDS, Reporter, Reporters, goes_on

METRICS = "metrics.json"
RECIPE = "recipe.json"


def train_recipe(
    recipe: Recipe,
    tables: Tables,
    run_dir: Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    progress: bool | None = None,
    label: str = "",
    callbacks: Sequence[Reporter] = (),
    source: Path | None = None,
    overrides: Sequence[str] = (),
) -> Ranker:
    """Train, calibrate, judge and save a recipe; on Ctrl-C the best epoch so far is saved before the interrupt goes on.

    With ``resume``, a training that has not begun begins.

    Writes into ``run_dir``: ``artefact/``, ``metrics.json``, ``recipe.json``, ``run.json``, ``history.jsonl`` and
    ``checkpoint.pt``.

    Under a launcher, such as torchrun, all processes train together, and rank 0 does the rest alone.

    ``callbacks`` are told of every step and epoch, and of what is saved; :func:`gatewise.track.trackers_of` makes those
    of a recipe. ``source`` is the file that the recipe was read from, ``overrides`` are the options given beside it:
    artefact and run keep both as written, and the git commit of the file's folder.

    Raises:
        ArtefactError: ``run_dir`` holds a run, and neither ``resume`` nor ``overwrite`` is set.
        DeclarationError: the calibration learns from validation rows, and there are none.
        TableError: a table does not hold what the schema declares, or a label to calibrate has a single class; in the
            second case the model is saved uncalibrated.
    """
    calibration = recipe.calibration
    if calibration is not None and calibration.fits and tables.valid is None:
        raise DeclarationError(
            f"calibration: {calibration.method} needs validation rows, and the recipe's data has none"
        )
    ranker = Ranker.from_options(recipe.schema(), recipe)
    if resume and not run_dir.is_dir():
        warnings.warn(f"there is no run {str(run_dir)!r} to resume: it begins", GatewiseWarning, stacklevel=2)
        resume = False
    how: dict[str, Any] = {"resume": resume, "overwrite": overwrite, "progress": progress, "label": label}
    how["now"] = tables.now
    if rank() > 0:
        # files, lines and metrics are rank 0's
        with unspoken():
            ranker.fit(tables.train, tables.valid, run_dir=run_dir, callbacks=callbacks, **how)
        return ranker
    goes_on(run_dir, resume=resume, overwrite=overwrite)
    if (run_dir / ARTEFACT / MANIFEST).exists() and not (resume or overwrite):
        # such as a run that was copied without its checkpoint
        raise ArtefactError(
            f"run {str(run_dir)!r} holds an artefact: overwrite it, or choose another folder{IN_COMMANDS}"
        )
    written = None if source is None else RecipeFile.read(source, overrides)
    commit = None if source is None else commit_of(source.parent)
    recording = Recording(run_dir, None if written is None else written.name)
    with held(run_dir):
        if line := periods_in_words(recipe.data, tables):
            said(line, at_terminal() if progress is None else progress)
        try:
            with unspoken():
                ranker.fit(tables.train, tables.valid, run_dir=run_dir, callbacks=[*callbacks, recording], **how)
        finally:
            if ranker.history:
                ranker.provenance = _completed(ranker.provenance, recipe, tables, written, commit)
                _finish(ranker, recipe, tables, run_dir)
                recording.finish(ranker)
                Reporters(callbacks).on_saved(run_dir / ARTEFACT, ranker.metrics)
    return ranker


def _completed(
    known: Provenance | None, recipe: Recipe, tables: Tables, written: RecipeFile | None, commit: str | None
) -> Provenance | None:
    """Return a ranker's provenance with the recipe as written, and the periods of its tables."""
    if known is None:
        return None
    if written is not None:
        known = known.written_as(written, commit)
    time = None if recipe.data.split is None else recipe.data.split.time
    lengths = {"training": tables.train, "validation": tables.valid, "test": tables.test}
    if time is None and tables.test is not None:
        # the periods of the others are known by the training
        if (period := period_of(recipe.schema(), tables.test)) is not None:
            known = known.with_period("test", *period)
        return known
    for part, (begin, end) in periods_of(recipe.data, tables).items():
        table = lengths[part]
        known = known.with_period(part, str(time), begin, end, table.num_rows if isinstance(table, pa.Table) else 0)
    return known


def _finish(ranker: Ranker, recipe: Recipe, tables: Tables, run_dir: Path) -> None:
    try:
        if recipe.calibration is not None:
            ranker.calibrate_as(recipe.calibration, tables.valid, now=tables.now)
    finally:
        # also if calibration fails
        ranker.metrics = judge(ranker, tables)
        ranker.save(run_dir / ARTEFACT)
        write_json(run_dir / METRICS, ranker.metrics)
        write_json(run_dir / RECIPE, to_dict(recipe))


def judge(ranker: Ranker, tables: Tables) -> dict[str, Any]:
    """Return the metrics of every held-out table, by name, and the calibrated metrics on the test rows."""
    held_out = {"valid": tables.valid, "test": tables.test}
    found = {name: ranker.evaluate(table, now=tables.now) for name, table in held_out.items() if table is not None}
    # on the validation rows, from which it was learnt, a calibration would look too good
    if ranker.calibrated and tables.test is not None:
        found["test_calibrated"] = ranker.evaluate(tables.test, calibrated=True, now=tables.now)
    return found


def write_json(path: Path, values: Any) -> None:
    """Write plain values as JSON, completely or not at all."""
    try:
        text = json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    except ValueError as error:
        raise ArtefactError(f"cannot write {str(path)!r}: {error}") from None
    write_text(path, text)
