"""Metrics: the quality of one task's predictions over all its rows.

Every metric is a function of tensors alone, ``name(targets, predictions, weights=None)``: 1-D tensors of
equal length in, one number out, computed in float64 on the tensors' device and equal to scikit-learn's.
``None`` means undefined (an AUC of one class, an error of no rows); no metric returns NaN. Rows of weight 0 are
ignored, also if they hold NaN. A metric is not an average over batches: call it with the rows of the whole pass.

- For probabilities and 0/1 targets: :func:`auc`, :func:`pr_auc`, :func:`log_loss`, :func:`normalised_entropy`,
  :func:`brier`; for their calibration :func:`pcoc` and :func:`ece`; at a threshold :func:`binary_accuracy`,
  :func:`precision`, :func:`recall` and :func:`f1`.
- For numbers: :func:`rmse`, :func:`mse`, :func:`mae`, :func:`mape`, :func:`r2`; :func:`pinball` for quantiles,
  :func:`poisson_deviance` for counts, :func:`tweedie_deviance` for revenue; :func:`spearman` and :func:`gini` for
  their order alone.
- For classes, with predictions ``[row, class]``: :func:`accuracy`, :func:`cross_entropy`.
- Within groups, such as users or requests, ``name(targets, predictions, groups, weights=None)``: :func:`gauc`,
  :func:`ndcg_at_k`, :func:`mrr`, :func:`hit_rate_at_k`. They give a :class:`Grouped`: the mean over the groups where
  the metric is defined, and how many were skipped. Tied rows count as the mean over their orders.

``AUC``, ``RMSE`` and so on are these functions as :class:`Metric`; ``GAUC``, ``NDCG`` and so on as
:class:`GroupMetric`: with a name for results, and the direction in which they improve, for early stopping.

Results of more than one number: :func:`decile_table` shows value and calibration from the highest predictions down;
:func:`bootstrap_interval` gives a confidence interval of any of these metrics, :func:`bootstrap_difference` of the
difference of two models. For rows that come in parts, over batches or processes, :class:`RunningMetrics` gives every
metric that follows from sums, which :class:`ScoreHistogram` and :class:`Moments` keep. Only torch is needed.
"""

from gatewise.metrics.asked import metric_named
from gatewise.metrics.bootstrap import Interval, bootstrap_difference, bootstrap_interval, bootstrap_mean_difference
from gatewise.metrics.classes import accuracy, cross_entropy
from gatewise.metrics.decile_table import Decile, decile_table
from gatewise.metrics.deviances import poisson_deviance, tweedie_deviance
from gatewise.metrics.errors import mae, mse, pinball, r2, rmse
from gatewise.metrics.groups import gauc, hit_rate_at_k, mrr, ndcg_at_k
from gatewise.metrics.metric import (
    FromSums,
    Grouped,
    GroupMetric,
    GroupMetricFunction,
    Metric,
    MetricFunction,
    Sums,
)
from gatewise.metrics.named import (
    ACCURACY,
    AUC,
    BRIER,
    CROSS_ENTROPY,
    ECE,
    GAUC,
    GINI,
    HIT_RATE,
    LOG_LOSS,
    MAE,
    MAPE,
    MRR,
    MSE,
    NDCG,
    NORMALISED_ENTROPY,
    PCOC,
    PINBALL,
    POISSON_DEVIANCE,
    PR_AUC,
    R2,
    RMSE,
    SPEARMAN,
    TWEEDIE_DEVIANCE,
)
from gatewise.metrics.order import gini, spearman
from gatewise.metrics.probabilities import auc, brier, ece, log_loss, normalised_entropy, pcoc, pr_auc
from gatewise.metrics.relative_errors import RelativeErrors, mape
from gatewise.metrics.running import RunningMetrics
from gatewise.metrics.sums import Moments, ScoreHistogram
from gatewise.metrics.thresholds import Confusion, binary_accuracy, f1, precision, recall

__all__ = [
    "ACCURACY",
    "AUC",
    "BRIER",
    "CROSS_ENTROPY",
    "ECE",
    "GAUC",
    "GINI",
    "HIT_RATE",
    "LOG_LOSS",
    "MAE",
    "MAPE",
    "MRR",
    "MSE",
    "NDCG",
    "NORMALISED_ENTROPY",
    "PCOC",
    "PINBALL",
    "POISSON_DEVIANCE",
    "PR_AUC",
    "R2",
    "RMSE",
    "SPEARMAN",
    "TWEEDIE_DEVIANCE",
    "Confusion",
    "Decile",
    "FromSums",
    "GroupMetric",
    "GroupMetricFunction",
    "Grouped",
    "Interval",
    "Metric",
    "MetricFunction",
    "Moments",
    "RelativeErrors",
    "RunningMetrics",
    "ScoreHistogram",
    "Sums",
    "accuracy",
    "auc",
    "binary_accuracy",
    "bootstrap_difference",
    "bootstrap_interval",
    "bootstrap_mean_difference",
    "brier",
    "cross_entropy",
    "decile_table",
    "ece",
    "f1",
    "gauc",
    "gini",
    "hit_rate_at_k",
    "log_loss",
    "mae",
    "mape",
    "metric_named",
    "mrr",
    "mse",
    "ndcg_at_k",
    "normalised_entropy",
    "pcoc",
    "pinball",
    "poisson_deviance",
    "pr_auc",
    "precision",
    "r2",
    "recall",
    "rmse",
    "spearman",
    "tweedie_deviance",
]
