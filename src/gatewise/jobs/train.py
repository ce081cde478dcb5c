"""From a recipe to a run: a folder with artefact, metrics, history and checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gatewise.declare import Recipe, to_dict
from gatewise.errors import ArtefactError
from gatewise.files import write_text
from gatewise.jobs.tables import Tables
from gatewise.ranker import Ranker
from gatewise.serving.artefact import MANIFEST

ARTEFACT = "artefact"
METRICS = "metrics.json"
RECIPE = "recipe.json"


def train_recipe(
    recipe: Recipe,
    tables: Tables,
    run_dir: Path,
    *,
    resume: bool = False,
    progress: bool | None = None,
    label: str = "",
) -> Ranker:
    """Train, judge and save a recipe; on Ctrl-C the best epoch so far is saved before the interrupt goes on.

    Writes into ``run_dir``: ``artefact/``, ``metrics.json``, ``recipe.json``, ``history.jsonl`` and ``checkpoint.pt``.
    """
    ranker = Ranker.from_options(recipe.schema(), recipe)
    try:
        ranker.fit(tables.train, tables.valid, run_dir=run_dir, resume=resume, progress=progress, label=label)
    finally:
        if ranker.history:
            ranker.metrics = judge(ranker, tables)
            ranker.save(run_dir / ARTEFACT)
            write_json(run_dir / METRICS, ranker.metrics)
            write_json(run_dir / RECIPE, to_dict(recipe))
    return ranker


def judge(ranker: Ranker, tables: Tables) -> dict[str, Any]:
    """Return the metrics of every held-out table, by its name."""
    held_out = {"valid": tables.valid, "test": tables.test}
    return {name: ranker.evaluate(table) for name, table in held_out.items() if table is not None}


def find_artefact(path: Path) -> Path:
    """Return the folder of an artefact, given it or the run that holds it."""
    inside = path / ARTEFACT
    return inside if not (path / MANIFEST).exists() and inside.is_dir() else path


def write_json(path: Path, values: Any) -> None:
    """Write plain values as JSON, whole or not at all."""
    try:
        text = json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    except ValueError as error:
        raise ArtefactError(f"cannot write {str(path)!r}: {error}") from None
    write_text(path, text)
