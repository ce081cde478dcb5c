"""Evaluation and explanation of a trained model: metrics, slices, gates, experts, features."""

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
    Routing,
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
    gradient_routing,
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
"""Largest number of rows for the check of gates after a training."""


class Insight:
    """Metrics with intervals, slices, gates, experts, features and single predictions of a scorer.

    Args:
        scorer: encoder, model and tasks; None before the first training.
        options: the options of the training.
        history: the history of the training, one record per epoch.
    """

    def __init__(self, scorer: Scorer | None, options: declare.Options, history: Sequence[EpochRecord] = ()) -> None:
        self._scorer = scorer
        self.options = options
        self.history: list[EpochRecord] = list(history)

    @property
    def scorer(self) -> Scorer:
        """The fitted encoder, model and tasks.

        Raises:
            GatewiseError: the ranker is not fitted yet.
        """
        if self._scorer is None:
            raise GatewiseError("this ranker is not fitted: call fit first, or gatewise.load an artefact")
        return self._scorer

    def evaluate_stream(self, table: Any, *, calibrated: bool = False) -> Streamed:
        """Return the metrics of a table that is read in pieces, such as a file larger than memory.

        AUC and ECE come from histograms of 100,000 bins. Metrics that need all rows at once are left out; the result
        names these metrics.

        Raises:
            TableError: a column is missing or of another type.
            GatewiseError: ``calibrated``, but the ranker is not calibrated.
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
        """Return the metrics with bootstrap intervals, ``{task: {metric: Estimate}}``.

        Args:
            table: any table with features and labels.
            metrics: names of the metrics; by default all.
            by_group: whether to resample whole groups of the schema's ``group``; metrics within groups always do.
            samples: number of bootstrap samples.
            level: nominal coverage of the interval.
            seed: seed of the bootstrap samples.
            calibrated: whether to evaluate calibrated probabilities.

        Raises:
            DeclarationError: an unknown metric, or a schema without a group.
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
        """Return the metrics of every slice, ``{task: [Slice]}``, in the order of the columns.

        Numbers and times are cut into bins of about equally many rows. For ``Categorical`` features and columns of
        other types, each value is one slice, the most frequent value first; nulls are one slice.

        Args:
            table: any table with features and labels.
            by: one or several columns of the table.
            metrics: names of the metrics; by default all.
            bins: number of bins of numbers.
            limit: largest number of values; the other values are one slice.
            calibrated: whether to evaluate calibrated probabilities.

        Raises:
            DeclarationError: an unknown metric.
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
        """Return predicted and observed rates per bin, ``{task: [ReliabilityBin]}``, for every probability.

        Args:
            table: any table with features and labels.
            bins: number of bins of equally many rows.
            by: one or several columns, whose slices have separate bins; see :meth:`slices`.
            limit: largest number of values; the other values are one slice.
            level: nominal coverage of the interval of each bin's observed rate.
            calibrated: whether to evaluate calibrated probabilities.

        Raises:
            TableError: a column is missing or of another type.
        """
        source = readable(table)
        cuts = self._cut(source, by, BINS, limit)
        return reliability(self.scorer.predicted(source, calibrated=calibrated), cuts, bins=bins, level=level)

    def _cut(self, source: Any, by: str | Sequence[str] | None, bins: int, limit: int) -> list[Cut]:
        """Return the slices of a table by columns, which may be other columns than features."""
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
        """Return the mean gate weights of each task over the experts.

        Args:
            table: any table with the features.
            per_row: whether to return the weights per row instead of their mean.

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
        """Return mean weights, entropy and utilisation of gates, per level; first over all rows, then per slice.

        Args:
            table: any table with the features.
            by: one or several columns to slice by, see :meth:`slices`; ``"rows of user"`` separates new and old users.
            bins: number of bins of numbers.
            limit: largest number of values; the other values are one slice.

        Raises:
            GatewiseError: the architecture has no gates.
            TableError: a column is missing or of another type.
        """
        self._check_experts()
        source = readable(table)
        return gate_usage(*self._looked_at(source, labels=False), self._cut(source, by, bins, limit))

    def expert_similarity(self, table: Any, *, rows: int = 10_000, seed: int = 0) -> list[Similarity]:
        """Return the similarity of experts per level: linear CKA of their outputs on a sample of the rows.

        Raises:
            GatewiseError: the architecture has no experts that gates mix.
            TableError: a column is missing or of another type.
        """
        self._check_experts()
        return expert_similarity(*self._looked_at(table, labels=False), rows=rows, seed=seed)

    def gradient_routing(self, table: Any, *, rows: int = 10_000, seed: int = 0) -> list[Routing]:
        """Return which experts each task's loss trains, per level, beside the gates' weights.

        See :func:`gatewise.analysis.gradient_routing`.

        Args:
            table: any table with features and labels.
            rows: largest number of sampled rows.
            seed: seed of the sample.

        Raises:
            GatewiseError: the architecture has no experts that gates mix.
            TableError: a column is missing or of another type.
        """
        self._check_experts()
        model, _, tensors = self._looked_at(table)
        return gradient_routing(model, self.scorer.tasks, tensors, rows=rows, seed=seed)

    def expert_ablation(
        self,
        table: Any,
        metric: str | None = None,
        *,
        rows: int = 50_000,
        seed: int = 0,
        progress: bool | None = None,
    ) -> list[Ablation]:
        """Return the change of metrics without each expert, per level; see :mod:`gatewise.analysis.ablation`.

        Args:
            table: any table with features and labels.
            metric: name of the metric, for outputs that have the metric; by default each output's main metric.
            rows: largest number of sampled rows.
            seed: seed of the sample.
            progress: whether to show progress; by default if standard error is a terminal.

        Raises:
            GatewiseError: the architecture has no experts that gates mix, or the metric is unknown.
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
        """Return the permutation importance of features, ``{task: [Importance]}``, greatest first.

        Args:
            table: any table with features and labels.
            metric: name of the metric, for outputs that have the metric; by default each output's main metric.
            repeats: number of shuffles per feature.
            within_groups: whether to shuffle only within the schema's ``group``, for the order within groups.
            rows: largest number of sampled rows.
            seed: seed of the sample and the shuffles.
            progress: whether to show progress; by default if standard error is a terminal.

        Raises:
            DeclarationError: an unknown metric, or a schema without a group.
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
        """Return the problems found, in words: dead and duplicate experts, collapsed gates, starving tasks.

        Args:
            table: any table with the features.

        Raises:
            TableError: a column is missing or of another type.
        """
        looked_at = self._looked_at(table, labels=False)
        found = mixture_problems(gate_usage(*looked_at), expert_similarity(*looked_at))
        return found + self.starving()

    def starving(self) -> list[Problem]:
        """Return the tasks with almost no effect on the shared layers, in the epoch whose weights the model has."""
        kept = kept_epoch(self.history)
        if kept is None:
            return []
        given = self.options.balance.declared_weights
        declared = {task.name: task.weight * given.get(task.name, 1.0) for task in self.scorer.tasks}
        return starving_tasks(kept.train, kept.conflict, declared)

    def explain(
        self, row: int | Mapping[str, Any], table: Any = None, *, others: int = 200, draws: int = 100, seed: int = 0
    ) -> Explanation:
        """Return the explanation of one prediction: gates, and contributions of experts and features to every score.

        Args:
            row: number of the row in the table, counted from 0; or the row's values by column.
            table: any table with the features; the other rows are the reference for the row's features.
            others: largest number of sampled reference rows.
            draws: number of sampled orders of the features, see :func:`gatewise.analysis.attribute`.
            seed: seed of both samples.

        Raises:
            TableError: an unknown row or column, or a value that is missing or of another type.
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
        """Return the model, the names of its tasks, and the encoded table."""
        scorer = self.scorer
        return scorer.model, [task.name for task in scorer.tasks], scorer.tensors(scorer.encode(table, labels=labels))

    def _warn_of_gates(self, table: TensorTable) -> None:
        names = [task.name for task in self.scorer.tasks]
        # only the last level, whose gates are the tasks'
        usage = gate_usage(self.scorer.model, names, table.head(GATE_SAMPLE))[-1:]
        for problem in mixture_problems(usage):
            warnings.warn(str(problem), GatewiseWarning, stacklevel=4)

    def _check_experts(self) -> None:
        if not levels_of(self.scorer.model.trunk, [task.name for task in self.scorer.tasks]):
            raise GatewiseError(f"{type(self.options.model).__name__} has no experts that gates mix")


def _only_row(table: pa.Table) -> dict[str, Any]:
    return table.to_pylist()[0]
