"""What a trained model does inside: gates, experts, features, single predictions."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from gatewise import declare
from gatewise.analysis import (
    BINS,
    LIMIT,
    Ablation,
    Explanation,
    GateUsage,
    Importance,
    Problem,
    Routing,
    Similarity,
    ablation_grids,
    attribute,
    below_a_constant,
    expert_ablation,
    expert_similarity,
    explanation_of,
    feature_drift,
    feature_importance,
    gate_usage,
    gradient_routing,
    importance_grids,
    label_problems,
    large_vocabularies,
    misfits,
    mixture_problems,
    overfitting,
    problems_grids,
    rare_values,
    routing_grids,
    similarity_grids,
    starving_tasks,
    unfinished_training,
    unlike_training,
    usage_grids,
)
from gatewise.data import Vocabulary, column_names, needed_columns, read_at, read_needed, readable, row_and_others
from gatewise.errors import GatewiseError, GatewiseWarning
from gatewise.grids import ShownDict, ShownList
from gatewise.history import kept_epoch
from gatewise.judging import Judging
from gatewise.layout import EmbeddingField
from gatewise.nn import MultiTaskModel, TensorTable, levels_of
from gatewise.progress import at_terminal, counting

"""Largest number of rows for the check of gates after a training."""


class Insight(Judging):
    """Judging of a scorer, and a look inside: gates, experts, features and single predictions.

    Args:
        scorer: encoder, model and tasks; None before the first training.
        options: the options of the training.
        history: the history of the training, one record per epoch.
    """

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
        found = gate_usage(*self._looked_at(source, labels=False), self._cut(source, by, bins, limit))
        return ShownList(found, usage_grids)

    def expert_similarity(self, table: Any, *, rows: int = 10_000, seed: int = 0) -> list[Similarity]:
        """Return the similarity of experts per level: linear CKA of their outputs on a sample of the rows.

        Raises:
            GatewiseError: the architecture has no experts that gates mix.
            TableError: a column is missing or of another type.
        """
        self._check_experts()
        found = expert_similarity(*self._looked_at(table, labels=False), rows=rows, seed=seed)
        return ShownList(found, similarity_grids)

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
        return ShownList(gradient_routing(model, self.scorer.tasks, tensors, rows=rows, seed=seed), routing_grids)

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
            found = expert_ablation(model, self.scorer.tasks, tensors, metric=metric, rows=rows, seed=seed, done=done)
        return ShownList(found, ablation_grids)

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
            found = feature_importance(
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
        return ShownDict(found, importance_grids)

    def problems(self, table: Any, *, now: declare.Instant | None = None) -> list[Problem]:
        """Return the problems found, in words: those of the training, collapsed gates, dead and duplicate experts.

        A table with labels also tells where predictions do not fit, calibrated ones where there is a calibration.

        Args:
            table: any table with the features, with labels or without.
            now: the moment at which labels were read, for tasks with a ``delay``; None: the table's newest time.

        Raises:
            TableError: a column is missing or of another type.
        """
        looked_at = self._looked_at(table, labels=False)
        found = mixture_problems(gate_usage(*looked_at), expert_similarity(*looked_at))
        return ShownList(self.training_problems() + found + self.misfits(table, now=now), problems_grids)

    def misfits(self, table: Any, *, now: declare.Instant | None = None) -> list[Problem]:
        """Return where predictions do not fit a table's labels, features that know a label, labels that contradict
        each other, and features that are unlike the training table's.

        See :mod:`gatewise.analysis`: ``misfits``, ``leaks``, ``contradicting_labels``, ``unlike_training``.

        Args:
            table: any table; without the labels nothing can be said.
            now: the moment at which labels were read, for tasks with a ``delay``; None: the table's newest time.
        """
        needed, present = needed_columns(self.scorer.encoder.schema), column_names(table)
        if any(name not in present for name in needed):
            return []
        rows = read_needed(table, needed, self.scorer.encoder.column_types())
        encoded = self.scorer.encode(rows, as_of=read_at(self.scorer.encoder.schema, rows, now))
        tensors = self.scorer.tensors(encoded)
        predicted = self.scorer.predicted_rows(tensors, calibrated=bool(self.scorer.calibration))
        kept = kept_epoch(self.history)
        return [
            *label_problems(self.scorer.encoder, self.scorer.tasks, rows, tensors),
            *unlike_training(feature_drift(self.scorer.encoder, rows, encoded)),
            *misfits(predicted, kept.valid if kept else {}),
        ]

    def training_problems(self) -> list[Problem]:
        """Return what the training tells: that it ended too early, tasks that hardly change the shared layers, outputs
        that a constant predicts as well on the validation rows, features of values with few rows each, and features of
        millions of values.

        Tasks are judged by the epoch whose weights the model has.
        """
        kept = kept_epoch(self.history)
        if kept is None:
            return []
        given = self.options.balance.declared_weights
        declared = {task.name: task.weight * given.get(task.name, 1.0) for task in self.scorer.tasks}
        starving = starving_tasks(kept.train, kept.conflict, declared)
        epochs = self.options.training.known_epochs or len(self.history)
        unfinished = unfinished_training([record.score for record in self.history], epochs)
        short = below_a_constant(self.scorer.tasks, kept.valid)
        large = large_vocabularies(self._learnt_tables(), self.options.training)
        return unfinished + overfitting(self.history) + short + starving + rare_values(self._usual_counts()) + large

    def _learnt_tables(self) -> list[EmbeddingField]:
        """Return the embedding tables with a row per learnt value, without those whose vectors came from elsewhere."""
        encoder = self.scorer.encoder
        given = [feature.name for feature in encoder.schema.features if getattr(feature, "pretrained", None)]
        learnt = {name for name, known in encoder.vocabularies.items() if isinstance(known, Vocabulary)}
        return [table for table in encoder.layout.fields if table.name in learnt and table.name not in given]

    def _usual_counts(self) -> dict[str, tuple[int, float]]:
        """Return, by feature with learnt embeddings, the number of values and in how many training rows each stands."""
        schema, known = self.scorer.encoder.schema, self.scorer.encoder.vocabularies
        frozen = [f.name for f in schema.features if (vectors := getattr(f, "pretrained", None)) and vectors.frozen]
        return {
            name: (each.size, each.usual_count)
            for name, each in known.items()
            if each.usual_count is not None and name not in frozen
        }

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
        columns = {feature.name: declare.columns_of(feature) for feature in schema.features}
        rows = row_and_others(
            table,
            row,
            [*needed_columns(schema, labels=False), *scorer.known_of(scorer.fusion)],
            known=[*needed_columns(schema, weights=True), *schema.known],
            spared=[column for name in scorer.model.side_features for column in columns[name]],
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
            features={name: _value_of(values, read) for name, read in columns.items()},
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
        usage = gate_usage(self.scorer.model, names, table)[-1:]
        for problem in mixture_problems(usage):
            warnings.warn(str(problem), GatewiseWarning, stacklevel=4)

    def _check_experts(self) -> None:
        if not levels_of(self.scorer.model.trunk, [task.name for task in self.scorer.tasks]):
            raise GatewiseError(f"{type(self.options.model).__name__} has no experts that gates mix")


def _value_of(row: Mapping[str, Any], columns: Sequence[str]) -> Any:
    """Return a feature's value in a row; of a feature of several columns, the values by column."""
    return row.get(columns[0]) if len(columns) == 1 else {column: row.get(column) for column in columns}


def _only_row(table: pa.Table) -> dict[str, Any]:
    return table.to_pylist()[0]
