"""What a trained model does inside, how it does on whom, and what it is compared with, as plain data."""

from gatewise.analysis.controls import (
    COMMON,
    Control,
    control_of,
    nearest_width,
    resized,
)
from gatewise.analysis.cuts import BINS, LIMIT, Cut, cut_table
from gatewise.analysis.gates import gate_problems
from gatewise.analysis.intervals import Estimate, Estimates, intervals
from gatewise.analysis.reliability import ReliabilityBin, reliability
from gatewise.analysis.slices import Slice, check_metrics, metrics_by_name, slices, worst
from gatewise.analysis.streams import Streamed, StreamedMetrics
from gatewise.analysis.verdicts import Spread, Trained, Verdict, check_verdicts, seesaw, spreads, summary_of, verdicts

__all__ = [
    "BINS",
    "COMMON",
    "LIMIT",
    "Control",
    "Cut",
    "Estimate",
    "Estimates",
    "ReliabilityBin",
    "Slice",
    "Spread",
    "Streamed",
    "StreamedMetrics",
    "Trained",
    "Verdict",
    "check_metrics",
    "check_verdicts",
    "control_of",
    "cut_table",
    "gate_problems",
    "intervals",
    "metrics_by_name",
    "nearest_width",
    "reliability",
    "resized",
    "seesaw",
    "slices",
    "spreads",
    "summary_of",
    "verdicts",
    "worst",
]
