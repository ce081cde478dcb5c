"""Every metric by name, with its direction and the sums from which it follows."""

from __future__ import annotations

from gatewise.metrics.classes import accuracy, cross_entropy
from gatewise.metrics.deviances import poisson_deviance, tweedie_deviance
from gatewise.metrics.errors import mae, mse, pinball, r2, rmse
from gatewise.metrics.groups import gauc, hit_rate_at_k, mrr, ndcg_at_k
from gatewise.metrics.metric import FromSums, GroupMetric, Metric
from gatewise.metrics.order import gini, spearman
from gatewise.metrics.probabilities import auc, brier, ece, log_loss, normalised_entropy, pcoc, pr_auc
from gatewise.metrics.relative_errors import RelativeErrors, mape
from gatewise.metrics.sums import Moments, ScoreHistogram

AUC = Metric("auc", auc, greater_is_better=True, from_sums=FromSums(ScoreHistogram, ScoreHistogram.auc))
PR_AUC = Metric("pr_auc", pr_auc, greater_is_better=True)
LOG_LOSS = Metric(
    "log_loss", log_loss, greater_is_better=False, from_sums=FromSums(ScoreHistogram, ScoreHistogram.log_loss)
)
NORMALISED_ENTROPY = Metric(
    "normalised_entropy",
    normalised_entropy,
    greater_is_better=False,
    from_sums=FromSums(ScoreHistogram, ScoreHistogram.normalised_entropy),
)
BRIER = Metric("brier", brier, greater_is_better=False, from_sums=FromSums(Moments, Moments.brier))
PCOC = Metric("pcoc", pcoc, greater_is_better=None, from_sums=FromSums(ScoreHistogram, ScoreHistogram.pcoc))
ECE = Metric("ece", ece, greater_is_better=False, from_sums=FromSums(ScoreHistogram, ScoreHistogram.ece))
MSE = Metric("mse", mse, greater_is_better=False, from_sums=FromSums(Moments, Moments.mse))
MAPE = Metric("mape", mape, greater_is_better=False, from_sums=FromSums(RelativeErrors, RelativeErrors.mape))
RMSE = Metric("rmse", rmse, greater_is_better=False, from_sums=FromSums(Moments, Moments.rmse))
MAE = Metric("mae", mae, greater_is_better=False, from_sums=FromSums(Moments, Moments.mae))
R2 = Metric("r2", r2, greater_is_better=True, from_sums=FromSums(Moments, Moments.r2))
PINBALL = Metric("pinball", pinball, greater_is_better=False)
POISSON_DEVIANCE = Metric("poisson_deviance", poisson_deviance, greater_is_better=False)
TWEEDIE_DEVIANCE = Metric("tweedie_deviance", tweedie_deviance, greater_is_better=False)
SPEARMAN = Metric("spearman", spearman, greater_is_better=True)
GINI = Metric("gini", gini, greater_is_better=True)
ACCURACY = Metric("accuracy", accuracy, greater_is_better=True)
CROSS_ENTROPY = Metric("cross_entropy", cross_entropy, greater_is_better=False)
GAUC = GroupMetric("gauc", gauc, greater_is_better=True)
NDCG = GroupMetric("ndcg@10", ndcg_at_k, greater_is_better=True)
MRR = GroupMetric("mrr", mrr, greater_is_better=True)
HIT_RATE = GroupMetric("hit_rate@10", hit_rate_at_k, greater_is_better=True)
