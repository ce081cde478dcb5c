"""Targets of several kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from gatewise.assembly import build_tasks
from gatewise.declare import AnyArchitecture, AnyBalance, Feature, Task, column_of
from gatewise.errors import DeclarationError, did_you_mean, shown
from gatewise.look import task_by_type
from gatewise.sklearn.base import GatewiseEstimator, weighted_rows
from gatewise.sklearn.inputs import table_of
from gatewise.sklearn.targets import labels_of
from gatewise.training import Monitor


class MultiTaskRanker(GatewiseEstimator):
    """Several targets of any kinds of task; a missing label takes its row out of that task's sample.

    Args:
        model: an architecture such as ``gatewise.MMoE(experts=4)``, or its kind; None: the default of the ranker.
        tasks: declarations of the columns of y, such as ``[gatewise.Binary("click"), gatewise.Regression("dwell")]``;
            None: by their values, in the order of y.
        group: a column of X with the groups of metrics and ranking losses within groups, which is a feature only if
            ``features`` declares it.
        balance: a balancing rule, or its kind.
        features: declarations of columns that are not what their type says, see :class:`GatewiseClassifier`.
        epochs: largest number of passes over the rows; ``auto`` follows from their number.
        batch_size: rows per step; ``auto`` follows from their number.
        lr: learning rate; ``auto`` follows from the rows per step.
        validation_fraction: share of the rows that are held out to decide the best epoch; None: all are learnt from.
        training: further options of :class:`gatewise.Training` by name.
        random_state: a number gives the same model again; a numpy ``RandomState`` or None draws one.
        verbose: whether to show progress.

    Attributes:
        outputs_: the names of the predicted columns, as of :meth:`gatewise.Ranker.predict`.
        ranker_: the fitted :class:`gatewise.Ranker`.
        n_features_in_: the number of columns of X.
        feature_names_in_: the names of the columns, if X is a frame with names.
        n_iter_: the number of epochs that were trained.

    Example:
        >>> X, y = np.array([[0.0], [1.0]] * 40), np.array([[0, 3.5], [1, 9.25]] * 40)
        >>> MultiTaskRanker("mmoe", epochs=30, lr=0.05).fit(X, y).predict([[0.0], [1.0]]).round().tolist()
        [[0.0, 4.0], [1.0, 9.0]]
    """

    def __init__(
        self,
        model: AnyArchitecture | str | None = None,
        *,
        tasks: Sequence[Task] | None = None,
        group: str | None = None,
        balance: AnyBalance | str = "static",
        features: Sequence[Feature] | None = None,
        epochs: int | str = "auto",
        batch_size: int | str = "auto",
        lr: float | str = "auto",
        validation_fraction: float | None = None,
        training: Mapping[str, Any] | None = None,
        random_state: Any = 0,
        verbose: bool = False,
    ) -> None:
        super().__init__(
            model,
            balance=balance,
            features=features,
            epochs=epochs,
            batch_size=batch_size,
            lr=lr,
            validation_fraction=validation_fraction,
            training=training,
            random_state=random_state,
            verbose=verbose,
        )
        self.tasks = tasks
        self.group = group

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MultiTaskRanker:
        """Learn from rows and the labels of all tasks.

        Args:
            X: a matrix ``[row, feature]`` or a data frame; NaN and null are missing values.
            y: a data frame or a matrix with one column per task; NaN and null: not in this task's sample.
            sample_weight: ``[row]`` weights of all losses; rows of weight 0 are left out.

        Returns:
            The estimator itself.

        Raises:
            ValueError: X, y or weights are not what they should be, or nothing can be learnt of a label.
            DeclarationError: a parameter is not valid, or a task reads a column that y does not have; names it.
        """
        table = table_of(self, X, fitting=True)
        labels, self._flat = labels_of(self, y, table.column_names)
        table, labels, weights = weighted_rows(table, labels, sample_weight)
        tasks = self._tasks(labels)
        if self.group is not None and self.group not in table.column_names:
            hint = did_you_mean(self.group, table.column_names) or f" (columns: {shown(table.column_names)})"
            raise DeclarationError(f"group: X has no column {self.group!r}{hint}")
        self._learn(table, labels, tasks, weights, self.group)
        self._labels = labels.column_names
        self.outputs_ = np.array(self.ranker_.predict(table.slice(0, 1)).column_names, dtype=object)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the predictions ``[row, prediction]``, in the order of ``outputs_``; of a flat y with one ``[row]``.

        Raises:
            NotFittedError: fit was not called.
            ValueError: X has other columns than when fitting.
        """
        found = self._numbers(X)
        return found[:, 0] if self._flat and found.shape[1] == 1 else found

    def score(self, X: Any, y: Any) -> float:
        """Return the mean over tasks of a metric without a unit, such as AUC and R2; greater is better.

        Args:
            X: the rows.
            y: their labels, as in :meth:`fit`.

        Raises:
            NotFittedError: fit was not called.
            TrainingError: the metrics of all tasks are undefined.
        """
        check_is_fitted(self, "ranker_")
        table = table_of(self, X, fitting=False)
        labels, _ = labels_of(self, y, table.column_names)
        check_consistent_length(np.empty(table.num_rows), np.empty(labels.num_rows))
        for name, column in zip(self._labels, labels.columns, strict=True):
            table = table.append_column(name, column)
        monitor = Monitor("mean", build_tasks(self.ranker_.schema, self.ranker_.scorer.encoder.statistics))
        return monitor.score(self.ranker_.evaluate(table))

    def _tasks(self, labels: pa.Table) -> list[Task]:
        if self.tasks is None:
            return [task_by_type(labels, name) for name in labels.column_names]
        for task in self.tasks:
            if column_of(task) not in labels.column_names:
                hint = did_you_mean(column_of(task), labels.column_names) or f" (columns: {shown(labels.column_names)})"
                raise DeclarationError(f"tasks: y has no column {column_of(task)!r}{hint}")
        return list(self.tasks)
