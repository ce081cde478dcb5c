"""Numbers of one target or of several."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.base import RegressorMixin

from gatewise.declare import Regression
from gatewise.sklearn.base import GatewiseEstimator, weighted_rows
from gatewise.sklearn.inputs import table_of
from gatewise.sklearn.targets import targets_of


class GatewiseRegressor(RegressorMixin, GatewiseEstimator):  # type: ignore[misc]
    """A regressor of one target, or of several that share experts; parameters as of :class:`GatewiseClassifier`.

    Attributes:
        ranker_: the fitted :class:`gatewise.Ranker`, which explains, reports and exports.
        n_features_in_: the number of columns of X.
        feature_names_in_: the names of the columns, if X is a frame with names.
        n_iter_: the number of epochs that were trained.

    Example:
        >>> X = np.array([[0.0], [1.0]] * 30)
        >>> regressor = GatewiseRegressor("shared_bottom", epochs=30, lr=0.05)
        >>> regressor.fit(X, [10.0, 20.0] * 30).predict([[0.0], [1.0]]).round(-1).tolist()
        [10.0, 20.0]
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> GatewiseRegressor:
        """Learn from rows and their numbers.

        Args:
            X: a matrix ``[row, feature]`` or a data frame; NaN and null are missing values.
            y: ``[row]`` or ``[row, target]``.
            sample_weight: ``[row]`` weights of the loss; rows of weight 0 are left out.

        Returns:
            The regressor itself.

        Raises:
            ValueError: X, y or weights are not what they should be, or a target has the same number in every row.
            DeclarationError: a parameter is not valid; names it.
        """
        table = table_of(self, X, fitting=True)
        targets = targets_of(self, y, table.column_names, numeric=True)
        labels = pa.table(dict(zip(targets.names, targets.values, strict=True)))
        table, labels, weights = weighted_rows(table, labels, sample_weight)
        self._learn(table, labels, [Regression(name) for name in targets.names], weights)
        self._flat = targets.flat
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the predicted numbers ``[row]``, or ``[row, target]`` of several targets.

        Raises:
            NotFittedError: fit was not called.
            ValueError: X has other columns than when fitting.
        """
        found = self._numbers(X)
        return found[:, 0] if self._flat else found
