"""From an artefact, and a table with labels, to the findings of a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from gatewise.analysis import (
    LEAST_ROWS,
    LEAST_SHARE,
    ROWS_OF,
    Cut,
    Estimates,
    by_difference,
    curves,
    cut_column,
    cut_table,
    expert_ablation,
    expert_similarity,
    feature_drift,
    gate_usage,
    gradient_routing,
    intervals,
    label_problems,
    metrics_by_name,
    misfits,
    mixture_problems,
    names_without_groups,
    over_time,
    reliability,
    screened_importance,
    slices,
    summary_of,
    unlike_training,
    worst_slices,
)
from gatewise.data import (
    AsOf,
    column_names,
    is_named,
    name_of,
    needed_columns,
    read_at,
    read_needed,
    readable,
    take_rows,
)
from gatewise.declare import Instant, Recipe
from gatewise.errors import TableError, TrainingError, did_you_mean, shown
from gatewise.history import EpochRecord, kept_epoch
from gatewise.insight import Insight
from gatewise.metrics import LOG_LOSS, PCOC
from gatewise.provenance import provenance_of
from gatewise.report.findings import Findings, Inside, OnTable
from gatewise.serving import Artefact, Scorer
from gatewise.tasks import BinaryTask, Metrics, Predicted
from gatewise.training import Monitor

SAMPLE = 10_000
"""Rows for the analysis of gates, experts and features."""
REPEATS = 3
"""How often each feature is shuffled."""
DRAWN = 60_000_000
"""Rows in all resamples of all metrics' intervals together, unless this makes fewer than ``FEWEST`` resamples."""
FEWEST, MOST = 40, 200
LARGEST = 200_000
"""Most rows of a table with intervals; with more rows intervals are narrow, and slow to compute."""
FEW_VALUES, FEW_COLUMNS = 50, 8
"""Default columns for slices: numbers, and categories of at most this many values; and how many columns."""
WORST, WORST_IN_ALL, FEWEST_WORST = 10, 60, 4
"""Worst slices of an output, and of all outputs together unless this makes fewer than ``FEWEST_WORST`` of each."""

Tell = Callable[[str], object]
"""Receives messages about the progress."""


def collect(
    artefact: Artefact,
    name: str,
    table: Any = None,
    by: Sequence[str] | None = None,
    tell: Tell = lambda _: None,
    *,
    time: str | None = None,
    recipe: Recipe | None = None,
    now: Instant | None = None,
) -> Findings:
    """Return the findings on an artefact and, if there is a table with labels, on the table.

    Args:
        artefact: a trained ranker.
        name: the name of the artefact.
        table: any table, see :func:`gatewise.data.read_table`.
        by: columns to slice by; by default those numbers and categories of few values among the features whose slices
            differ most.
        tell: receives messages about the progress.
        time: a column of times; by default that of the recipe's split, if the table has it.
        recipe: the recipe of the training.
        now: the moment at which labels with a ``delay`` were read; None: the table's newest time.

    Raises:
        TableError: the table lacks a column, or has no rows.
    """
    scorer, saved = artefact.scorer, dict(artefact.metrics)
    history = [EpochRecord(**record) for record in saved.pop("history", [])]
    rows, kept = saved.pop("rows", {}), kept_epoch(history)
    provenance = provenance_of(saved, rows)
    saved.pop("until", None)
    outputs = {output: task for task in scorer.tasks for output in task.outputs}
    split = None if recipe is None else recipe.data.split
    times = time or (None if split is None else split.time)
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
        provenance=provenance,
        recipe=recipe,
        of_training=Insight(scorer, artefact.options, history).training_problems(),
        on=None
        if table is None
        else on_table(
            scorer, table, by, tell, times, asked=time is not None, valid=kept.valid if kept else None, now=now
        ),
    )


def on_table(
    scorer: Scorer,
    source: Any,
    by: Sequence[str] | None,
    tell: Tell,
    time: str | None = None,
    *,
    asked: bool = False,
    valid: Metrics | None = None,
    now: Instant | None = None,
) -> OnTable:
    """Return the findings on a model and a table.

    Args:
        scorer: encoder, model and tasks.
        source: any table with labels.
        by: columns to slice by.
        tell: receives messages about the progress.
        time: the column of times.
        asked: whether a time column that the table lacks is an error.
        valid: the metrics of the validation rows, which the table's are compared with.
        now: the moment at which labels were read.
    """
    tell("reading the table")
    source = readable(source)
    present = column_names(source)
    _check_there(present, {f"report by {name!r}": cut_column(present, name) for name in by or ()})
    if asked and time is not None:
        _check_there(present, {f"report over time {time!r}": time})
    time = time if time in present else None
    beside = [cut_column(present, name) for name in by or ()] + ([] if time is None else [time])
    columns = [*needed_columns(scorer.encoder.schema), *beside]
    table = read_needed(source, columns, scorer.encoder.column_types())
    if table.num_rows == 0:
        raise TableError("report: the table has no rows")
    tell("predicting")
    as_of = read_at(scorer.encoder.schema, table, now)
    encoded = scorer.tensors(scorer.encode(table, as_of=as_of))
    predicted = scorer.predicted_rows(encoded)
    calibrated = scorer.predicted_rows(encoded, calibrated=True) if scorer.calibration else None
    known = label_problems(scorer.encoder, scorer.tasks, table, encoded)
    # the tables that follow need the memory
    del encoded
    metrics = predicted.evaluate()
    tell("drawing rows anew for the intervals")
    estimates, draws = _intervals(predicted, metrics)
    tell("looking at slices")
    cuts, considered = cut_most_telling(scorer, predicted, table, by)
    parts = slices(predicted, cuts, _judging(scorer))
    limit = max(FEWEST_WORST, min(WORST, WORST_IN_ALL // max(len(parts), 1)))
    sampled = _sampled(table.num_rows)
    inside = look_inside(scorer, take_rows(table, sampled), _among(cuts, sampled, table.num_rows), tell, as_of)
    return OnTable(
        name=name_of(source) if is_named(source) else "the table",
        rows=table.num_rows,
        sampled=len(sampled),
        columns=list(dict.fromkeys(str(cut.column) for cut in cuts)),
        considered=considered,
        labelled={output: int((~rows.labels.isnan()).sum()) for output, rows in predicted.judged().items()},
        label_means=_label_means(predicted),
        metrics=metrics,
        mean=_mean(scorer, metrics),
        estimates=estimates,
        draws=draws,
        calibrated=None if calibrated is None else calibrated.evaluate(),
        reliability=reliability(predicted),
        reliability_calibrated={} if calibrated is None else reliability(calibrated),
        curves=curves(predicted),
        slices=parts,
        worst=worst_slices(predicted, cuts, parts, limit=limit),
        over_time=None if time is None else over_time(predicted, table, time),
        inside=inside,
        problems=[*known, *unlike_training(inside.drift), *misfits(calibrated or predicted, valid or {})],
    )


def _label_means(predicted: Predicted) -> dict[str, float]:
    """Return the mean label of every output, save for classes, whose labels are names."""
    found = {}
    for output, rows in predicted.judged().items():
        known = ~rows.labels.isnan()
        if rows.predictions.dim() == 1 and known.any():
            weights = torch.ones_like(rows.labels) if rows.weights is None else rows.weights
            counted = weights[known].double()
            found[output] = float(rows.labels[known].double() @ counted / counted.sum())
    return found


def _judging(scorer: Scorer) -> set[str]:
    """Return the names of the metrics of slices: every output's summary, and for probabilities how true they are."""
    summaries = {summary_of(task, output).name for task in scorer.tasks for output in task.outputs}
    probable = any(isinstance(task, BinaryTask) for task in scorer.tasks)
    return summaries | ({LOG_LOSS.name, PCOC.name} if probable else set())


def look_inside(scorer: Scorer, rows: pa.Table, cuts: Sequence[Cut], tell: Tell, as_of: AsOf | None = None) -> Inside:
    """Return the analysis of gates, experts and features on rows and their slices."""
    model, names, encoded = scorer.model, [task.name for task in scorer.tasks], scorer.encode(rows, as_of=as_of)
    drift, tensors = feature_drift(scorer.encoder, rows, encoded), scorer.tensors(encoded)
    tell("looking at gates")
    usages = gate_usage(model, names, tensors, cuts)
    tell("comparing experts")
    similarities = expert_similarity(model, names, tensors, rows=SAMPLE)
    tell("removing each expert")
    ablations = expert_ablation(model, scorer.tasks, tensors, rows=SAMPLE)
    tell("following each task's gradient")
    routings = gradient_routing(model, scorer.tasks, tensors, rows=SAMPLE)
    tell("shuffling each feature")
    found = screened_importance(model, scorer.tasks, tensors, repeats=REPEATS, rows=SAMPLE)
    problems = mixture_problems(usages, similarities)
    return Inside(usages, similarities, ablations, routings, found.importances, found.screening, drift, problems)


def cut_most_telling(
    scorer: Scorer, predicted: Predicted, table: pa.Table, by: Sequence[str] | None
) -> tuple[list[Cut], int]:
    """Return the slices by the named columns, or by those whose slices differ most, and how many were considered."""
    keys = scorer.encoder.id_columns
    if by:
        return cut_table(table, list(by), keys=keys), 0
    columns = [name for name in _candidates(scorer) if cut_column(table.column_names, name) in table.column_names]
    cuts = cut_table(table, columns, keys=keys)
    first = columns[:1] if columns and columns[0].startswith(ROWS_OF) else []
    least = max(LEAST_ROWS, int(LEAST_SHARE * table.num_rows))
    ranked = list(by_difference(predicted, cuts, least)) if len(columns) > FEW_COLUMNS else columns
    chosen = list(dict.fromkeys([*first, *ranked]))[:FEW_COLUMNS]
    by_column = {name: [cut for cut in cuts if cut.column == name] for name in chosen}
    return [cut for each in by_column.values() for cut in each], len(columns)


def _candidates(scorer: Scorer) -> list[str]:
    """Return the columns that slices may be cut by: the group, numbers, and categories of few values."""
    few = {owner for owner, known in scorer.encoder.vocabularies.items() if known.rows <= FEW_VALUES}
    held = {name: column.description().holds for name, column in scorer.encoder.columns.items()}
    chosen = [
        column.column
        for name, column in scorer.encoder.columns.items()
        if held[name] == "number" or (held[name] == "id" and name in few)
    ]
    # separates new members of a group, such as new users, from old ones
    groups = [f"{ROWS_OF}{group}"] if (group := scorer.encoder.schema.group) else []
    return list(dict.fromkeys([*groups, *chosen]))


def _check_there(present: Sequence[str], wanted: Mapping[str, str]) -> None:
    """Refuse columns that the table lacks, each with its purpose."""
    for purpose, column in wanted.items():
        if column not in present:
            hint = did_you_mean(column, present) or f" (columns: {shown(present)})"
            raise TableError(f"{purpose}: the table has no column {column!r}{hint}")


def _sampled(rows: int) -> np.ndarray:
    """Return the indices of the rows to analyse: all, or an evenly spaced sample."""
    return np.arange(rows) if rows <= SAMPLE else np.linspace(0, rows - 1, SAMPLE).astype(np.int64)


def _among(cuts: Sequence[Cut], sampled: np.ndarray, rows: int) -> list[Cut]:
    """Return the slices ``cuts`` restricted to the sampled rows."""
    place = torch.full((rows,), -1)
    place[torch.from_numpy(sampled)] = torch.arange(len(sampled))
    found = [(column, value, place[chosen]) for column, value, chosen in cuts]
    return [Cut(column, value, rows[rows >= 0]) for column, value, rows in found if (rows >= 0).any()]


def _intervals(predicted: Predicted, metrics: Metrics) -> tuple[Estimates | None, int]:
    if len(predicted) > LARGEST:
        return None, 0
    values = sum(map(len, metrics.values()))
    draws = min(MOST, max(FEWEST, DRAWN // (len(predicted) * values)))
    alone = {name for rows in predicted.judged().values() for name in names_without_groups(rows.task)}
    # those within groups take longest: a table with many outputs has to do without
    few = alone if len(predicted) * values * draws > DRAWN else None
    return intervals(predicted, few, samples=draws), draws


def _mean(scorer: Scorer, metrics: Metrics) -> float | None:
    try:
        return Monitor("mean", scorer.tasks).score(metrics)
    except TrainingError:
        # undefined for all tasks
        return None
