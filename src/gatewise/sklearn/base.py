"""What all estimators share: parameters, training, pickling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any, cast

import numpy as np
import pyarrow as pa
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_consistent_length, check_is_fitted
from typing_extensions import override

from gatewise.data import take_rows
from gatewise.declare import DEFAULT_MODEL, AnyArchitecture, AnyBalance, Feature, Schema, Task
from gatewise.errors import DeclarationError
from gatewise.ranker import Ranker
from gatewise.sklearn.features import features_of
from gatewise.sklearn.inputs import table_of
from gatewise.sklearn.saved import Saved
from gatewise.sklearn.targets import free_name

WEIGHT = "sample_weight"


class GatewiseEstimator(BaseEstimator):  # type: ignore[misc]
    """Parameters and training of all estimators; see :class:`GatewiseClassifier` for what each parameter is."""

    def __init__(
        self,
        model: AnyArchitecture | str | None = None,
        *,
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
        self.model = model
        self.balance = balance
        self.features = features
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.validation_fraction = validation_fraction
        self.training = training
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: missing values and several targets are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.target_tags.multi_output = True
        return tags

    @override
    def __getstate__(self) -> dict[str, Any]:
        """Return the parameters and what was learnt, the ranker as the files of its artefact."""
        state = dict(super().__getstate__())
        if isinstance(state.get("ranker_"), Ranker):
            state["ranker_"] = Saved.of(state["ranker_"])
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        saved = state.get("ranker_")
        super().__setstate__({**state, "ranker_": saved.ranker()} if isinstance(saved, Saved) else state)

    @property
    def n_iter_(self) -> int:
        """The number of epochs that were trained."""
        return len(self.ranker_.history)

    def _learn(
        self, X: pa.Table, labels: pa.Table, tasks: Sequence[Task], weights: np.ndarray | None, group: str | None = None
    ) -> None:
        """Train a ranker on the rows of X with their labels and weights."""
        features = features_of(X, self.features, group)
        table = pa.table({name: part.column(name) for part in (X, labels) for name in part.column_names})
        if weights is not None:
            name = free_name(WEIGHT, table.column_names)
            table = table.append_column(name, pa.array(weights, pa.float64()))
            tasks = [replace(task, weight_column=name) for task in tasks]
        seed = self._seed()
        told = {"epochs": self.epochs, "batch_size": self.batch_size, "lr": self.lr, "seed": seed}
        ranker = Ranker(
            Schema(features=features, tasks=tasks, group=group),
            DEFAULT_MODEL if self.model is None else self.model,
            balance=self.balance,
            **cast("Any", told | dict(self.training or {})),
        )
        train, valid = self._split(table, seed)
        self.ranker_ = ranker.fit(train, valid, progress=bool(self.verbose))

    def _seed(self) -> int:
        state = self.random_state
        return int(state) if isinstance(state, Integral) else int(check_random_state(state).randint(2**31 - 1))

    def _split(self, table: pa.Table, seed: int) -> tuple[pa.Table, pa.Table | None]:
        """Return the rows to learn from, and those that decide the best epoch."""
        share = self.validation_fraction
        if share is None:
            return table, None
        if not 0 < share < 1:
            raise DeclarationError(f"validation_fraction: expected None or a number between 0 and 1, found {share!r}")
        drawn = np.random.default_rng(seed).permutation(table.num_rows)
        held_out = max(1, round(share * table.num_rows))
        return take_rows(table, np.sort(drawn[held_out:])), take_rows(table, np.sort(drawn[:held_out]))

    def _predicted(self, X: Any) -> pa.Table:
        """Return the ranker's predictions for X."""
        check_is_fitted(self, "ranker_")
        return self.ranker_.predict(table_of(self, X, fitting=False))

    def _numbers(self, X: Any) -> np.ndarray:
        """Return the predictions for X as ``[row, prediction]``."""
        return np.stack([column.to_numpy() for column in self._predicted(X).columns], axis=1)


def weighted_rows(X: pa.Table, labels: pa.Table, sample_weight: Any) -> tuple[pa.Table, pa.Table, np.ndarray | None]:
    """Return X, labels and weights ``[row]`` without the rows of weight 0, which count as absent.

    Raises:
        ValueError: they have not the same number of rows, a weight is negative, or all weights are 0.
    """
    check_consistent_length(np.empty(X.num_rows), np.empty(labels.num_rows))
    if sample_weight is None:
        return X, labels, None
    weights = _check_sample_weight(sample_weight, np.empty((X.num_rows, 1)), ensure_non_negative=True)
    kept = np.flatnonzero(weights)
    if not len(kept):
        raise ValueError("sample_weight: all weights are zero")
    return take_rows(X, kept), take_rows(labels, kept), weights[kept]
