"""From an artefact, and a table with labels, to all that a report tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from gatewise import declare
from gatewise.analysis import (
    BINS,
    LIMIT,
    Estimates,
    cut_table,
    intervals,
    metrics_by_name,
    reliability,
    slices,
    summary_of,
)
from gatewise.data import read_table
from gatewise.errors import TableError, TrainingError, did_you_mean, shown
from gatewise.report.findings import Findings, OnTable
from gatewise.serving import Artefact, Scorer
from gatewise.tasks import Metrics, Predicted
from gatewise.training import EpochRecord, Monitor

SAMPLE = 10_000
"""Rows on which gates, experts and features are looked at."""
DRAWN = 2_500_000
"""Rows that all resamples of the intervals have together, as long as there are ``FEWEST`` of them."""
FEWEST, MOST = 50, 250
LARGEST = 200_000
"""Rows up to which there are intervals: of more they are narrow, and slow to find."""
FEW_VALUES, FEW_COLUMNS = 50, 8
"""Columns that are cut by where nobody named any: numbers, and categories of few values."""

Tell = Callable[[str], object]
"""Hears what is going on."""


def collect(
    artefact: Artefact, name: str, table: Any = None, by: Sequence[str] | None = None, tell: Tell = lambda _: None
) -> Findings:
    """Return what an artefact holds, and where there is a table with labels, what that adds.

    Args:
        artefact: a trained ranker.
        name: what it is called.
        table: any table, see :func:`gatewise.data.read_table`.
        by: columns whose slices are looked at; by default numbers and categories of few values among the features.
        tell: is told what is going on.

    Raises:
        TableError: the table lacks a column, or has no rows.
    """
    scorer, saved = artefact.scorer, dict(artefact.metrics)
    history = [EpochRecord(**record) for record in saved.pop("history", [])]
    rows = saved.pop("rows", {})
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
        on=None if table is None else on_table(scorer, table, by, tell),
    )


def on_table(scorer: Scorer, source: Any, by: Sequence[str] | None, tell: Tell) -> OnTable:
    """Return what is found of a model on a table."""
    tell("reading the table")
    table = read_table(source, types=scorer.encoder.column_types())
    if table.num_rows == 0:
        raise TableError("report: the table has no rows")
    columns = _cut_by(scorer, table, by)
    tell("predicting")
    predicted = scorer.predicted(table)
    calibrated = scorer.predicted(table, calibrated=True) if scorer.calibration else None
    metrics = predicted.evaluate()
    tell("drawing rows anew for the intervals")
    estimates, draws = _intervals(predicted)
    tell("looking at slices")
    keys = [declare.column_of(f) for f in scorer.encoder.schema.features if isinstance(f, declare.Categorical)]
    cuts = cut_table(table, columns, bins=BINS, limit=LIMIT, keys=keys)
    judging = {summary_of(task, output).name for task in scorer.tasks for output in task.outputs}
    return OnTable(
        name=Path(source).name if isinstance(source, (str, Path)) else "table",
        rows=table.num_rows,
        sampled=min(SAMPLE, table.num_rows),
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
    )


def _cut_by(scorer: Scorer, table: pa.Table, by: Sequence[str] | None) -> list[str]:
    for column in by or ():
        if column not in table.column_names:
            hint = did_you_mean(column, table.column_names) or f" (columns: {shown(table.column_names)})"
            raise TableError(f"report by {column!r}: the table has no such column{hint}")
    return list(by) if by else _cut_by_default(scorer)[:FEW_COLUMNS]


def _cut_by_default(scorer: Scorer) -> list[str]:
    """Return the columns of categories of few values and of numbers, in the order of the features."""
    few = {owner for owner, known in scorer.encoder.vocabularies.items() if known.rows <= FEW_VALUES}
    features = scorer.encoder.schema.features
    return list(
        dict.fromkeys(
            declare.column_of(f)
            for f in features
            if isinstance(f, declare.Numeric) or (isinstance(f, declare.Categorical) and f.name in few)
        )
    )


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
