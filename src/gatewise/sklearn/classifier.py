"""Classes of one target or of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.multiclass import check_classification_targets
from typing_extensions import override

from gatewise.declare import Binary, Multiclass, Task
from gatewise.sklearn.base import GatewiseEstimator, weighted_rows
from gatewise.sklearn.inputs import table_of
from gatewise.sklearn.targets import targets_of


class GatewiseClassifier(ClassifierMixin, GatewiseEstimator):  # type: ignore[misc]
    """A classifier of one target, or of several that share experts.

    Args:
        model: an architecture such as ``gatewise.MMoE(experts=4)``, or its kind such as ``"mmoe"``; None: the default
            of :class:`gatewise.Ranker`.
        balance: a balancing rule, or its kind; it matters where there are several targets.
        features: declarations of columns that are not what their type says, such as ``gatewise.Categorical("user_id")``
            of numbers; other columns are by their type. The columns of a matrix are called ``x0``, ``x1`` and so on.
        epochs: largest number of passes over the rows; ``auto`` follows from their number.
        batch_size: rows per step; ``auto`` follows from their number.
        lr: learning rate; ``auto`` follows from the rows per step.
        validation_fraction: share of the rows that are held out to decide the best epoch and end the training; None:
            all rows are learnt from.
        training: further options of :class:`gatewise.Training` by name, such as ``{"device": "cuda"}``.
        random_state: a number gives the same model again; a numpy ``RandomState`` or None draws one.
        verbose: whether to show progress.

    Attributes:
        classes_: the classes, sorted; of several targets a list of them.
        ranker_: the fitted :class:`gatewise.Ranker`, which explains, reports and exports.
        n_features_in_: the number of columns of X.
        feature_names_in_: the names of the columns, if X is a frame with names.
        n_iter_: the number of epochs that were trained.

    Example:
        >>> X = np.array([[0.0], [1.0]] * 30)
        >>> classifier = GatewiseClassifier("shared_bottom", epochs=20, lr=0.05)
        >>> classifier.fit(X, ["no", "yes"] * 30).predict([[0.0], [1.0]]).tolist()
        ['no', 'yes']
    """

    @override
    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> GatewiseClassifier:
        """Learn from rows and their classes.

        Args:
            X: a matrix ``[row, feature]`` or a data frame; NaN and null are missing values.
            y: ``[row]`` or ``[row, target]``: numbers, truths or strings.
            sample_weight: ``[row]`` weights of the loss; rows of weight 0 are left out.

        Returns:
            The classifier itself.

        Raises:
            ValueError: X, y or weights are not what they should be, or a target has one class only.
            DeclarationError: a parameter is not valid; names it.
        """
        table = table_of(self, X, fitting=True)
        targets = targets_of(self, y, table.column_names, numeric=False)
        for values in targets.values:
            check_classification_targets(values)
        rows = pa.table({"row": np.arange(len(targets.values[0]))})
        table, rows, weights = weighted_rows(table, rows, sample_weight)
        kept = rows.column("row").to_numpy()
        classes, labels = _encoded(targets.names, [values[kept] for values in targets.values])
        tasks = [_task(name, len(known)) for name, known in zip(targets.names, classes, strict=True)]
        self._learn(table, labels, tasks, weights)
        self.classes_ = classes[0] if targets.flat else classes
        self._flat = targets.flat
        return self

    def predict_proba(self, X: Any) -> np.ndarray | list[np.ndarray]:
        """Return the classes' probabilities ``[row, class]``, in the order of ``classes_``; of several targets a list.

        Raises:
            NotFittedError: fit was not called.
            ValueError: X has other columns than when fitting.
        """
        predicted = self._predicted(X)
        found = [_probabilities(predicted, task) for task in self.ranker_.schema.tasks]
        return found[0] if self._flat else found

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable classes ``[row]``, or ``[row, target]`` of several targets.

        Raises:
            NotFittedError: fit was not called.
            ValueError: X has other columns than when fitting.
        """
        probabilities = self.predict_proba(X)
        if self._flat:
            return np.asarray(self.classes_[np.argmax(probabilities, axis=1)])
        columns = [known[np.argmax(p, axis=1)] for known, p in zip(self.classes_, probabilities, strict=True)]
        # numpy would write the numbers of one target as texts beside the texts of another
        alike = len({column.dtype.kind for column in columns}) == 1
        return np.stack(columns if alike else [column.astype(object) for column in columns], axis=1)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of rows whose classes are all right.

        Args:
            X: the rows.
            y: their classes, as in :meth:`fit`.
            sample_weight: ``[row]`` weights.
        """
        predicted, truth = self.predict(X), np.asarray(y)
        if predicted.ndim == 1:
            return float(accuracy_score(truth, predicted, sample_weight=sample_weight))
        return float(np.average((predicted == truth).all(axis=1), weights=sample_weight))


def _encoded(names: list[str], targets: list[np.ndarray]) -> tuple[list[np.ndarray], pa.Table]:
    """Return the classes of every target, and the labels as places among them.

    Raises:
        ValueError: a target has one class only.
    """
    classes, labels = [], {}
    for name, values in zip(names, targets, strict=True):
        known, places = np.unique(values, return_inverse=True)
        if len(known) < 2:
            found = f"one class only, {known.tolist()[0]!r}"
            raise ValueError(f"y: target {name!r} has {found}: two classes or more can be learnt")
        classes.append(known)
        labels[name] = places.reshape(-1)
    return classes, pa.table(labels)


def _task(name: str, classes: int) -> Task:
    return Binary(name) if classes == 2 else Multiclass(name, classes=list(range(classes)))


def _probabilities(predicted: pa.Table, task: Task) -> np.ndarray:
    if isinstance(task, Binary):
        ones = predicted.column(task.name).to_numpy()
        return np.stack([1 - ones, ones], axis=1)
    names: Sequence[Any] = getattr(task, "classes", None) or ()
    return np.stack([predicted.column(f"{task.name}[{name}]").to_numpy() for name in names], axis=1)
