"""What a trained model does inside, and what it is compared with, as plain data."""

from gatewise.analysis.controls import Control, dense_parameters, matched_control, nearest_width
from gatewise.analysis.gates import gate_problems

__all__ = ["Control", "dense_parameters", "gate_problems", "matched_control", "nearest_width"]
