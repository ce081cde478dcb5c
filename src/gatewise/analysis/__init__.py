"""What a trained model does inside, as plain data."""

from gatewise.analysis.gates import gate_problems

__all__ = ["gate_problems"]
