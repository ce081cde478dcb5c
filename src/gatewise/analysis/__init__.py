"""What a trained model does inside, how it does on whom, and what it is compared with, as plain data."""

from gatewise.analysis.ablation import Ablation
from gatewise.analysis.controls import (
    COMMON,
    Control,
    control_of,
    dense_parameters,
    matched_control,
    nearest_width,
    resized,
)
from gatewise.analysis.cuts import BINS, LIMIT, Cut, cut_table
from gatewise.analysis.explanation import ExpertPart, Explanation, FeaturePart, ScoreParts
from gatewise.analysis.fusion_front import Candidate, FusionFront, check_choice
from gatewise.analysis.gate_usage import GateUsage
from gatewise.analysis.gates import gate_problems
from gatewise.analysis.goals import Goal, Judge, judge_of
from gatewise.analysis.importance import Importance
from gatewise.analysis.intervals import Estimate, Estimates, intervals
from gatewise.analysis.pareto import knee, pareto_front
from gatewise.analysis.plain import plain
from gatewise.analysis.problems import Problem
from gatewise.analysis.reliability import ReliabilityBin, reliability
from gatewise.analysis.similarity import Similarity
from gatewise.analysis.slices import Slice, check_metrics, metrics_by_name, slices, worst
from gatewise.analysis.streams import Streamed, StreamedMetrics
from gatewise.analysis.verdicts import Spread, Trained, Verdict, seesaw, spreads, summary_of, verdicts

__all__ = [
    "BINS",
    "COMMON",
    "LIMIT",
    "Ablation",
    "Candidate",
    "Control",
    "Cut",
    "Estimate",
    "Estimates",
    "ExpertPart",
    "Explanation",
    "FeaturePart",
    "FusionFront",
    "GateUsage",
    "Goal",
    "Importance",
    "Judge",
    "Problem",
    "ReliabilityBin",
    "ScoreParts",
    "Similarity",
    "Slice",
    "Spread",
    "Streamed",
    "StreamedMetrics",
    "Trained",
    "Verdict",
    "check_choice",
    "check_metrics",
    "control_of",
    "cut_table",
    "dense_parameters",
    "gate_problems",
    "intervals",
    "judge_of",
    "knee",
    "matched_control",
    "metrics_by_name",
    "nearest_width",
    "pareto_front",
    "plain",
    "reliability",
    "resized",
    "seesaw",
    "slices",
    "spreads",
    "summary_of",
    "verdicts",
    "worst",
]
