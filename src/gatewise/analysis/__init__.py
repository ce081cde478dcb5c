"""Analysis of a trained model: gates, experts, features, metrics by slice, and comparisons, as plain data."""

from gatewise.analysis.ablation import Ablation, expert_ablation
from gatewise.analysis.as_values import json_values
from gatewise.analysis.contradictions import contradicting_labels, steps_without
from gatewise.analysis.controls import (
    COMMON,
    Control,
    control_of,
    nearest_width,
    resized,
)
from gatewise.analysis.curves import Curves, curves
from gatewise.analysis.cuts import BINS, LIMIT, ROWS_OF, Cut, cut_column, cut_table
from gatewise.analysis.drift import FeatureDrift, feature_drift, unseen_shares
from gatewise.analysis.epochs import Epochs, best_epoch, epochs_of, joined_epochs, note_of, unfinished_tasks, worded
from gatewise.analysis.explanation import (
    Attributed,
    ExpertPart,
    Explanation,
    FeaturePart,
    ScoreParts,
    attribute,
    explanation_of,
)
from gatewise.analysis.fusion_front import Candidate, FusionFront, check_choice
from gatewise.analysis.gate_usage import GateUsage, gate_usage
from gatewise.analysis.goals import Goal, Judge, judge_of
from gatewise.analysis.gradient_routing import Routing, gradient_routing
from gatewise.analysis.importance import Importance, feature_importance
from gatewise.analysis.intervals import Estimate, Estimates, intervals
from gatewise.analysis.judged_tables import intervals_grids, reliability_grids, slices_grids
from gatewise.analysis.label_problems import label_problems
from gatewise.analysis.large_tables import large_vocabularies
from gatewise.analysis.leaks import LOOKED_AT, leaks
from gatewise.analysis.main_metrics import AnyMetric, main_metrics, metric_values
from gatewise.analysis.misfits import misfits
from gatewise.analysis.over_days import Advice, OverDays, advise, over_days
from gatewise.analysis.over_time import OverTime, Period, over_time, rows_by_day
from gatewise.analysis.pareto import knee, pareto_front
from gatewise.analysis.problems import (
    Problem,
    gate_problems,
    mixture_problems,
    starving_tasks,
    still_learning,
    unfinished_training,
)
from gatewise.analysis.reliability import ReliabilityBin, reliability
from gatewise.analysis.screening import ScreenedImportance, Screening, screened_importance
from gatewise.analysis.shapley import Shapley, exact_shapley, sampled_shapley
from gatewise.analysis.shortfalls import below_a_constant, overfitting, rare_values
from gatewise.analysis.similarity import Similarity, expert_similarity, linear_cka
from gatewise.analysis.slices import Slice, check_metrics, metrics_by_name, names_without_groups, slices, worst
from gatewise.analysis.streams import Streamed, StreamedMetrics
from gatewise.analysis.tables import (
    ablation_grids,
    explanation_grids,
    importance_grids,
    metrics_grids,
    problems_grids,
    routing_grids,
    similarity_grids,
    usage_grids,
)
from gatewise.analysis.telling_columns import by_difference
from gatewise.analysis.unlike_training import unlike_training
from gatewise.analysis.verdicts import (
    Spread,
    Trained,
    Verdict,
    Word,
    check_verdicts,
    seesaw,
    spreads,
    summary_of,
    verdicts,
)
from gatewise.analysis.verdicts_by_slice import SliceVerdict, verdicts_by_slice
from gatewise.analysis.worst_slices import LEAST_ROWS, LEAST_SHARE, Ranged, WorstSlice, is_large, worst_slices

__all__ = [
    "BINS",
    "COMMON",
    "LEAST_ROWS",
    "LEAST_SHARE",
    "LIMIT",
    "LOOKED_AT",
    "ROWS_OF",
    "Ablation",
    "Advice",
    "AnyMetric",
    "Attributed",
    "Candidate",
    "Control",
    "Curves",
    "Cut",
    "Epochs",
    "Estimate",
    "Estimates",
    "ExpertPart",
    "Explanation",
    "FeatureDrift",
    "FeaturePart",
    "FusionFront",
    "GateUsage",
    "Goal",
    "Importance",
    "Judge",
    "OverDays",
    "OverTime",
    "Period",
    "Problem",
    "Ranged",
    "ReliabilityBin",
    "Routing",
    "ScoreParts",
    "ScreenedImportance",
    "Screening",
    "Shapley",
    "Similarity",
    "Slice",
    "SliceVerdict",
    "Spread",
    "Streamed",
    "StreamedMetrics",
    "Trained",
    "Verdict",
    "Word",
    "WorstSlice",
    "ablation_grids",
    "advise",
    "attribute",
    "below_a_constant",
    "best_epoch",
    "by_difference",
    "check_choice",
    "check_metrics",
    "check_verdicts",
    "contradicting_labels",
    "control_of",
    "curves",
    "cut_column",
    "cut_table",
    "epochs_of",
    "exact_shapley",
    "expert_ablation",
    "expert_similarity",
    "explanation_grids",
    "explanation_of",
    "feature_drift",
    "feature_importance",
    "gate_problems",
    "gate_usage",
    "gradient_routing",
    "importance_grids",
    "intervals",
    "intervals_grids",
    "is_large",
    "joined_epochs",
    "json_values",
    "judge_of",
    "knee",
    "label_problems",
    "large_vocabularies",
    "leaks",
    "linear_cka",
    "main_metrics",
    "metric_values",
    "metrics_by_name",
    "metrics_grids",
    "misfits",
    "mixture_problems",
    "names_without_groups",
    "nearest_width",
    "note_of",
    "over_days",
    "over_time",
    "overfitting",
    "pareto_front",
    "problems_grids",
    "rare_values",
    "reliability",
    "reliability_grids",
    "resized",
    "routing_grids",
    "rows_by_day",
    "sampled_shapley",
    "screened_importance",
    "seesaw",
    "similarity_grids",
    "slices",
    "slices_grids",
    "spreads",
    "starving_tasks",
    "steps_without",
    "still_learning",
    "summary_of",
    "unfinished_tasks",
    "unfinished_training",
    "unlike_training",
    "unseen_shares",
    "usage_grids",
    "verdicts",
    "verdicts_by_slice",
    "worded",
    "worst",
    "worst_slices",
]
