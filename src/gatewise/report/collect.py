"""From an artefact, and a table with labels, to the findings of a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from gatewise.analysis import (
    ROWS_OF,
    Cut,
    Estimates,
    cut_column,
    cut_table,
    expert_ablation,
    expert_similarity,
    feature_importance,
    gate_usage,
    gradient_routing,
    intervals,
    leaks,
    metrics_by_name,
    misfits,
    mixture_problems,
    reliability,
    slices,
    summary_of,
)
from gatewise.data import column_names, needed_columns, read_needed, readable, take_rows
from gatewise.errors import TableError, TrainingError, did_you_mean, shown
from gatewise.history import EpochRecord, kept_epoch
from gatewise.insight import Insight
from gatewise.report.findings import Findings, Inside, OnTable
from gatewise.serving import Artefact, Scorer
from gatewise.tasks import Metrics, Predicted
from gatewise.training import Monitor

SAMPLE = 10_000
"""Rows for the analysis of gates, experts and features."""
REPEATS = 3
"""How often each feature is shuffled."""
DRAWN = 2_000_000
"""Rows in all resamples of the intervals together, unless this makes fewer than ``FEWEST`` resamples."""
FEWEST, MOST = 50, 200
LARGEST = 200_000
"""Most rows of a table with intervals; with more rows intervals are narrow, and slow to compute."""
FEW_VALUES, FEW_COLUMNS = 50, 8
"""Default columns for slices: numbers, and categories of at most this many values; and how many columns."""

Tell = Callable[[str], object]
"""Receives messages about the progress."""


def collect(
    artefact: Artefact, name: str, table: Any = None, by: Sequence[str] | None = None, tell: Tell = lambda _: None
) -> Findings:
    """Return the findings on an artefact and, if there is a table with labels, on the table.

    Args:
        artefact: a trained ranker.
        name: the name of the artefact.
        table: any table, see :func:`gatewise.data.read_table`.
        by: columns to slice by; by default numbers and categories of few values among the features.
        tell: receives messages about the progress.

    Raises:
        TableError: the table lacks a column, or has no rows.
    """
    scorer, saved = artefact.scorer, dict(artefact.metrics)
    history = [EpochRecord(**record) for record in saved.pop("history", [])]
    rows, kept = saved.pop("rows", {}), kept_epoch(history)
    outputs = {output: task for task in scorer.tasks for output in task.outputs}
    return Findings(
        name=name,
        schema=scorer.encoder.schema,
        options=artefact.options,
        outputs_of={task.name: task.outputs for task in scorer.tasks},
        summaries={output: summary_of(task, output) for output, task in outputs.items()},
        judges={output: metrics_by_name(task, output) for output, task in outputs.items()},
        parameters=(scorer.model.num_parameters(embeddings=False), scorer.model.num_parameters()),
        vocabularies={owner: known.rows for owner, known in scorer.encoder.vocabularies.items()},
        statistics=scorer.encoder.statistics,
        history=history,
        saved=saved,
        rows=rows,
        calibrated={output: each.method for output, each in scorer.calibration.calibrators.items()},
        of_training=Insight(scorer, artefact.options, history).training_problems(),
        on=None if table is None else on_table(scorer, table, by, tell, kept.valid if kept else {}),
    )


def on_table(scorer: Scorer, source: Any, by: Sequence[str] | None, tell: Tell, valid: Metrics) -> OnTable:
    """Return the findings on a model and a table, beside the metrics of the validation rows."""
    tell("reading the table")
    source = readable(source)
    cut_by = [cut_column(column_names(source), name) for name in by or ()]
    columns = [*needed_columns(scorer.encoder.schema), *cut_by]
    table = read_needed(source, columns, scorer.encoder.column_types())
    if table.num_rows == 0:
        raise TableError("report: the table has no rows")
    columns = _columns(scorer, table, by)
    tell("predicting")
    predicted = scorer.predicted(table)
    calibrated = scorer.predicted(table, calibrated=True) if scorer.calibration else None
    metrics = predicted.evaluate()
    tell("drawing rows anew for the intervals")
    estimates, draws = _intervals(predicted)
    tell("looking at slices")
    judging = {summary_of(task, output).name for task in scorer.tasks for output in task.outputs}
    cuts, sampled = _cut(scorer, table, columns), _sampled(table.num_rows)
    return OnTable(
        name=Path(source).name if isinstance(source, (str, Path)) else "the table",
        rows=table.num_rows,
        sampled=len(sampled),
        columns=columns,
        labelled={output: int((~rows.labels.isnan()).sum()) for output, rows in predicted.judged().items()},
        metrics=metrics,
        mean=_mean(scorer, metrics),
        estimates=estimates,
        draws=draws,
        calibrated=None if calibrated is None else calibrated.evaluate(),
        reliability=reliability(predicted),
        reliability_calibrated={} if calibrated is None else reliability(calibrated),
        slices=slices(predicted, cuts, judging),
        inside=look_inside(scorer, take_rows(table, sampled), _among(cuts, sampled, table.num_rows), tell),
        problems=leaks(table, scorer.encoder.schema) + misfits(calibrated or predicted, valid),
    )


def look_inside(scorer: Scorer, rows: pa.Table, cuts: Sequence[Cut], tell: Tell) -> Inside:
    """Return the analysis of gates, experts and features on rows and their slices."""
    model, names, tensors = scorer.model, [task.name for task in scorer.tasks], scorer.tensors(scorer.encode(rows))
    tell("looking at gates")
    usages = gate_usage(model, names, tensors, cuts)
    tell("comparing experts")
    similarities = expert_similarity(model, names, tensors, rows=SAMPLE)
    tell("removing each expert")
    ablations = expert_ablation(model, scorer.tasks, tensors, rows=SAMPLE)
    tell("following each task's gradient")
    routings = gradient_routing(model, scorer.tasks, tensors, rows=SAMPLE)
    tell("shuffling each feature")
    importances = feature_importance(model, scorer.tasks, tensors, repeats=REPEATS, rows=SAMPLE)
    return Inside(usages, similarities, ablations, routings, importances, mixture_problems(usages, similarities))


def _columns(scorer: Scorer, table: pa.Table, by: Sequence[str] | None) -> list[str]:
    """Return the columns to slice by: ``by``, or numbers and categories of few values among the features."""
    present = table.column_names
    for name in by or ():
        column = cut_column(present, name)
        if column not in present:
            hint = did_you_mean(column, present) or f" (columns: {shown(present)})"
            raise TableError(f"report by {name!r}: the table has no column {column!r}{hint}")
    if by:
        return list(by)
    few = {owner for owner, known in scorer.encoder.vocabularies.items() if known.rows <= FEW_VALUES}
    held = {name: column.description().holds for name, column in scorer.encoder.columns.items()}
    chosen = [
        column.column
        for name, column in scorer.encoder.columns.items()
        if held[name] == "number" or (held[name] == "id" and name in few)
    ]
    # separates new members of a group, such as new users, from old ones
    groups = [f"{ROWS_OF}{group}"] if (group := scorer.encoder.schema.group) else []
    names = dict.fromkeys([*groups, *chosen])
    return [name for name in names if cut_column(present, name) in present][:FEW_COLUMNS]


def _cut(scorer: Scorer, table: pa.Table, columns: Sequence[str]) -> list[Cut]:
    return cut_table(table, columns, keys=scorer.encoder.id_columns)


def _sampled(rows: int) -> np.ndarray:
    """Return the indices of the rows to analyse: all, or an evenly spaced sample."""
    return np.arange(rows) if rows <= SAMPLE else np.linspace(0, rows - 1, SAMPLE).astype(np.int64)


def _among(cuts: Sequence[Cut], sampled: np.ndarray, rows: int) -> list[Cut]:
    """Return the slices ``cuts`` restricted to the sampled rows."""
    place = torch.full((rows,), -1)
    place[torch.from_numpy(sampled)] = torch.arange(len(sampled))
    found = [(column, value, place[chosen]) for column, value, chosen in cuts]
    return [Cut(column, value, rows[rows >= 0]) for column, value, rows in found if (rows >= 0).any()]


def _intervals(predicted: Predicted) -> tuple[Estimates | None, int]:
    if len(predicted) > LARGEST:
        return None, 0
    draws = min(MOST, max(FEWEST, DRAWN // len(predicted)))
    return intervals(predicted, samples=draws), draws


def _mean(scorer: Scorer, metrics: Metrics) -> float | None:
    try:
        return Monitor("mean", scorer.tasks).score(metrics)
    except TrainingError:
        # undefined for all tasks
        return None
