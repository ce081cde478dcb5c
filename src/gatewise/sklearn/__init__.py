"""Estimators for scikit-learn's splits, searches and pipelines: matrices or data frames in, arrays out.

    from gatewise.sklearn import GatewiseClassifier

    cross_val_score(GatewiseClassifier(epochs=5), X, y)

:class:`GatewiseClassifier` and :class:`GatewiseRegressor` predict one column or several of one kind,
:class:`MultiTaskRanker` columns of several kinds. Behind each stands a :class:`gatewise.Ranker`, the attribute
``ranker_``.
"""

from importlib.util import find_spec

from gatewise.errors import MissingExtraError

if find_spec("sklearn") is None:
    raise MissingExtraError("sklearn", "gatewise.sklearn")

from gatewise.sklearn.classifier import GatewiseClassifier
from gatewise.sklearn.multi_task import MultiTaskRanker
from gatewise.sklearn.regressor import GatewiseRegressor

__all__ = ["GatewiseClassifier", "GatewiseRegressor", "MultiTaskRanker"]
