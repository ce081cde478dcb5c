"""How good the predictions of one task are, over all its rows.

Every metric is a function of tensors alone, ``name(targets, predictions, weights=None)``: 1-D tensors of
equal length in, one number out, computed in float64 on the tensors' device and equal to scikit-learn's.
``None`` means undefined (an AUC of one class, an error of no rows); no metric returns NaN. A row of weight
zero does not count, whatever stands in it. A metric is not an average over batches: give it the rows of the
whole pass.

- For probabilities and 0/1 targets: :func:`auc`, :func:`pr_auc`, :func:`log_loss`, :func:`pcoc`.
- For numbers: :func:`rmse`, :func:`mae`, :func:`r2`.

``AUC``, ``RMSE`` and so on are the same functions as :class:`Metric`: with the name that stands in results
and the direction in which they improve, which is what early stopping compares by. Only torch is needed here.
"""

from gatewise.metrics.auc import AUC, auc
from gatewise.metrics.log_loss import LOG_LOSS, log_loss
from gatewise.metrics.mae import MAE, mae
from gatewise.metrics.metric import Metric, MetricFunction
from gatewise.metrics.pcoc import PCOC, pcoc
from gatewise.metrics.pr_auc import PR_AUC, pr_auc
from gatewise.metrics.r2 import R2, r2
from gatewise.metrics.rmse import RMSE, rmse

__all__ = [
    "AUC",
    "LOG_LOSS",
    "MAE",
    "PCOC",
    "PR_AUC",
    "R2",
    "RMSE",
    "Metric",
    "MetricFunction",
    "auc",
    "log_loss",
    "mae",
    "pcoc",
    "pr_auc",
    "r2",
    "rmse",
]
