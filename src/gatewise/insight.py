"""What can be asked of a trained model: how good it is, where, and why."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from gatewise import declare
from gatewise.analysis import (
    BINS,
    LIMIT,
    Ablation,
    Cut,
    Estimates,
    Explanation,
    GateUsage,
    Importance,
    Problem,
    ReliabilityBin,
    Similarity,
    Slice,
    Streamed,
    StreamedMetrics,
    attribute,
    cut_column,
    cut_table,
    expert_ablation,
    expert_similarity,
    explanation_of,
    feature_importance,
    gate_usage,
    intervals,
    mixture_problems,
    reliability,
    slices,
    starving_tasks,
)
from gatewise.data import column_names, needed_columns, read_table, readable, row_and_others, stream_table
from gatewise.errors import GatewiseError, GatewiseWarning, TableError, did_you_mean, shown
from gatewise.history import EpochRecord, kept_epoch
from gatewise.nn import MultiTaskModel, TensorTable, levels_of
from gatewise.progress import at_terminal, counting
from gatewise.serving import Scorer

GATE_SAMPLE = 10_000
"""Rows on which gates are looked at after a training."""


class Insight:
    """Metrics with intervals, slices, gates, experts, features, single predictions: of a scorer and its history.

    Args:
        scorer: what predicts; None: nothing has been trained yet.
        options: what it was trained with.
        history: of the training, an epoch each.
    """

    def __init__(self, scorer: Scorer | None, options: declare.Options, history: Sequence[EpochRecord] = ()) -> None:
        self._scorer = scorer
        self.options = options
        self.history: list[EpochRecord] = list(history)

    @property
    def scorer(self) -> Scorer:
        """The fitted encoder, model and tasks.

        Raises:
            GatewiseError: nothing was fitted yet.
        """
        if self._scorer is None:
            raise GatewiseError("this ranker is not fitted: call fit first, or gatewise.load an artefact")
        return self._scorer

    def evaluate_stream(self, table: Any, *, calibrated: bool = False) -> Streamed:
        """Judge a table piece by piece, a file without holding it whole.

        AUC and ECE come from histograms of 100,000 bins; metrics that need all rows at once are left out, and named.

        Raises:
            TableError: a column is missing or of another type.
            GatewiseError: ``calibrated``, and nothing was.
        """
        encoder = self.scorer.encoder
        centres = {name: learnt.get("mean", 0.0) for name, learnt in encoder.statistics.items()}
        metrics = StreamedMetrics(self.scorer.tasks, centres)
        for piece in stream_table(table, needed_columns(encoder.schema), encoder.column_types()):
            metrics.update(self.scorer.predicted(piece, calibrated=calibrated))
        return metrics.result()

    def intervals(
        self,
        table: Any,
        metrics: Collection[str] | None = None,
        *,
        by_group: bool = False,
        samples: int = 1000,
        level: float = 0.95,
        seed: int = 0,
        calibrated: bool = False,
    ) -> Estimates:
        """Return ``{task: {metric: Estimate}}``: every metric with a bootstrap interval.

        Args:
            table: any table with features and labels.
            metrics: names of the metrics wanted; by default all.
            by_group: draw whole groups of the schema's ``group``, as metrics within groups always do.
            samples: how many resamples.
            level: how likely the interval is meant to hold the true value.
            seed: of the draws.
            calibrated: judge calibrated probabilities.

        Raises:
            DeclarationError: no such metric, or the schema has no group.
            TableError: a column is missing or of another type.
        """
        predicted = self.scorer.predicted(table, calibrated=calibrated)
        return intervals(predicted, metrics, by_group=by_group, samples=samples, level=level, seed=seed)

    def slices(
        self,
        table: Any,
        by: str | Sequence[str],
        metrics: Collection[str] | None = None,
        *,
        bins: int = BINS,
        limit: int = LIMIT,
        calibrated: bool = False,
    ) -> dict[str, list[Slice]]:
        """Return the metrics of every slice, ``{task: [Slice]}``, those of several columns one after the other.

        Numbers and times are cut into bins of about equally many rows; the values of a ``Categorical`` feature and
        all others are slices of their own, the most frequent first, and nulls are one too.

        Args:
            table: any table with features and labels.
            by: a column of the table, or several.
            metrics: names of the metrics wanted; by default all.
            bins: how many bins of numbers.
            limit: how many values at most; the rest is one slice.
            calibrated: judge calibrated probabilities.

        Raises:
            DeclarationError: no such metric.
            TableError: a column is missing or of another type.
        """
        source = readable(table)
        cuts = self._cut(source, by, bins, limit)
        return slices(self.scorer.predicted(source, calibrated=calibrated), cuts, metrics)

    def reliability(
        self,
        table: Any,
        bins: int = 10,
        by: str | Sequence[str] | None = None,
        *,
        limit: int = LIMIT,
        level: float = 0.95,
        calibrated: bool = False,
    ) -> dict[str, list[ReliabilityBin]]:
        """Return what was predicted beside what came, ``{task: [ReliabilityBin]}``, for every probability.

        Args:
            table: any table with features and labels.
            bins: how many parts of equally many rows.
            by: a column, or several, whose slices have parts of their own; see :meth:`slices`.
            limit: how many values at most; the rest is one slice.
            level: of the interval of each part's share of ones.
            calibrated: judge calibrated probabilities.

        Raises:
            TableError: a column is missing or of another type.
        """
        source = readable(table)
        cuts = self._cut(source, by, BINS, limit)
        return reliability(self.scorer.predicted(source, calibrated=calibrated), cuts, bins=bins, level=level)

    def _cut(self, source: Any, by: str | Sequence[str] | None, bins: int, limit: int) -> list[Cut]:
        """Return a table's slices by columns that need not be features."""
        columns = [by] if isinstance(by, str) else list(by or ())
        present = column_names(source)
        read = [cut_column(present, name) for name in columns]
        for name in read:
            if name not in present:
                hint = did_you_mean(name, present) or f" (columns: {shown(present)})"
                raise TableError(f"slices: the table has no column {name!r}{hint}")
        encoder = self.scorer.encoder
        read_as_learnt = read_table(source, read, encoder.column_types())
        return cut_table(read_as_learnt, columns, bins=bins, limit=limit, keys=encoder.id_columns)

    def gates(self, table: Any, *, per_row: bool = False) -> np.ndarray:
        """Return how much each task uses each expert.

        Args:
            table: rows to look at.
            per_row: return every row's weights instead of their mean.

        Returns:
            ``[task, expert]``, or ``[row, task, expert]``; the last axis sums to 1.

        Raises:
            GatewiseError: the architecture has no gates, or the table has no rows to average over.
        """
        gates = self.scorer.gates(table)
        if gates is None:
            raise GatewiseError(f"{type(self.options.model).__name__} has no gates")
        if per_row:
            return gates
        if len(gates) == 0:
            raise GatewiseError("gates: the table has no rows to average over")
        return gates.mean(axis=0, dtype=np.float64)

    def gate_usage(
        self, table: Any, by: str | Sequence[str] | None = None, *, bins: int = BINS, limit: int = LIMIT
    ) -> list[GateUsage]:
        """Return what gates do, level by level: mean weights, entropy, utilisation; then the same for every slice.

        Args:
            table: any table with the features.
            by: a column, or several, to cut it by, see :meth:`slices`; ``"rows of user"`` tells new users from old.
            bins: how many bins of numbers.
            limit: how many values at most; the rest is one slice.

        Raises:
            GatewiseError: the architecture has no gates.
            TableError: a column is missing or of another type.
        """
        self._check_experts()
        source = readable(table)
        return gate_usage(*self._looked_at(source, labels=False), self._cut(source, by, bins, limit))

    def expert_similarity(self, table: Any, *, rows: int = 10_000, seed: int = 0) -> list[Similarity]:
        """Return how alike experts are, level by level: linear CKA of what they give for some rows of a table.

        Raises:
            GatewiseError: the architecture has no experts that gates mix.
            TableError: a column is missing or of another type.
        """
        self._check_experts()
        return expert_similarity(*self._looked_at(table, labels=False), rows=rows, seed=seed)

    def expert_ablation(
        self,
        table: Any,
        metric: str | None = None,
        *,
        rows: int = 50_000,
        seed: int = 0,
        progress: bool | None = None,
    ) -> list[Ablation]:
        """Return how metrics change when an expert is removed, level by level; see :mod:`gatewise.analysis.ablation`.

        Args:
            table: any table with features and labels.
            metric: judges the outputs that have it; by default what sums each up.
            rows: how many rows are drawn at most.
            seed: of the draw.
            progress: show how far it is; by default when standard error is a terminal.

        Raises:
            GatewiseError: the architecture has no experts that gates mix, or no such metric.
            TableError: a column is missing or of another type.
        """
        self._check_experts()
        model, _, tensors = self._looked_at(table)
        with counting("experts removed", at_terminal() if progress is None else progress) as done:
            return expert_ablation(model, self.scorer.tasks, tensors, metric=metric, rows=rows, seed=seed, done=done)

    def feature_importance(
        self,
        table: Any,
        metric: str | None = None,
        *,
        repeats: int = 5,
        within_groups: bool = False,
        rows: int = 10_000,
        seed: int = 0,
        progress: bool | None = None,
    ) -> dict[str, list[Importance]]:
        """Return ``{task: [Importance]}``: how much worse a metric becomes when a feature is shuffled, greatest first.

        Args:
            table: any table with features and labels.
            metric: judges the outputs that have it; by default what sums each up.
            repeats: how often each feature is shuffled.
            within_groups: shuffle within the schema's ``group``, to see what orders its rows.
            rows: how many rows are drawn at most.
            seed: of the draws.
            progress: show how far it is; by default when standard error is a terminal.

        Raises:
            DeclarationError: no such metric, or the schema has no group.
            TableError: a column is missing or of another type.
        """
        model, _, tensors = self._looked_at(table)
        with counting("features shuffled", at_terminal() if progress is None else progress) as done:
            return feature_importance(
                model,
                self.scorer.tasks,
                tensors,
                metric=metric,
                repeats=repeats,
                within_groups=within_groups,
                rows=rows,
                seed=seed,
                done=done,
            )

    def problems(self, table: Any) -> list[Problem]:
        """Return what is wrong, in words: dead and duplicate experts, collapsed gates, tasks that starve.

        Args:
            table: any table with the features, of rows to look at.

        Raises:
            TableError: a column is missing or of another type.
        """
        looked_at = self._looked_at(table, labels=False)
        found = mixture_problems(gate_usage(*looked_at), expert_similarity(*looked_at))
        return found + self.starving()

    def starving(self) -> list[Problem]:
        """Return the tasks that hardly moved what all share, in the epoch whose weights the model has."""
        kept = kept_epoch(self.history)
        if kept is None:
            return []
        given = self.options.balance.declared_weights
        declared = {task.name: task.weight * given.get(task.name, 1.0) for task in self.scorer.tasks}
        return starving_tasks(kept.train, kept.conflict, declared)

    def explain(
        self, row: int | Mapping[str, Any], table: Any = None, *, others: int = 200, draws: int = 100, seed: int = 0
    ) -> Explanation:
        """Take one prediction apart: gates, what experts and features add to every score.

        Args:
            row: its number in the table, counted from 0; or its values by column.
            table: any table with the features; other rows of it are what the row's features are held against.
            others: how many of them are drawn at most.
            draws: how many orders of the features, see :func:`gatewise.analysis.attribute`.
            seed: of the draws.

        Raises:
            TableError: there is no such row or column, or a value is missing or of another type.
        """
        scorer, schema = self.scorer, self.scorer.encoder.schema
        columns = {feature.name: declare.column_of(feature) for feature in schema.features}
        rows = row_and_others(
            table,
            row,
            needed_columns(schema, labels=False),
            known=needed_columns(schema, weights=True),
            spared=[columns[name] for name in scorer.model.side_features],
            types=scorer.encoder.column_types(),
            others=others,
            seed=seed,
        )
        tensors = scorer.tensors(scorer.encode(rows, labels=False))
        found = attribute(scorer.model, scorer.tasks, tensors, draws=draws, seed=seed)
        first = rows.slice(0, 1)
        predicted = _only_row(scorer.predict(first))
        known = {column for task in scorer.tasks for column in task.columns}
        values = _only_row(first)
        return explanation_of(
            found,
            row=values,
            features={name: values.get(column) for name, column in columns.items()},
            tasks=[task.name for task in scorer.tasks],
            predictions={name: value for name, value in predicted.items() if name in known},
            calibrated=_only_row(scorer.predict(first, calibrated=True)) if scorer.calibration else None,
            fused=next((value for name, value in predicted.items() if name not in known), None),
        )

    def _looked_at(self, table: Any, *, labels: bool = True) -> tuple[MultiTaskModel, list[str], TensorTable]:
        """Return the model, the names of its tasks, and a table as it reads it."""
        scorer = self.scorer
        return scorer.model, [task.name for task in scorer.tasks], scorer.tensors(scorer.encode(table, labels=labels))

    def _warn_of_gates(self, table: TensorTable) -> None:
        names = [task.name for task in self.scorer.tasks]
        # of several levels the last one, which is that of the tasks
        usage = gate_usage(self.scorer.model, names, table.head(GATE_SAMPLE))[-1:]
        for problem in mixture_problems(usage):
            warnings.warn(str(problem), GatewiseWarning, stacklevel=4)

    def _check_experts(self) -> None:
        if not levels_of(self.scorer.model.trunk, [task.name for task in self.scorer.tasks]):
            raise GatewiseError(f"{type(self.options.model).__name__} has no experts that gates mix")


def _only_row(table: pa.Table) -> dict[str, Any]:
    return table.to_pylist()[0]
