"""Binary labels that are learnt from before they are final: one estimator a file."""

from gatewise.tasks.late.delayed_feedback import DelayedFeedback
from gatewise.tasks.late.importance import Importance
from gatewise.tasks.late.task import LATE, LateTask

__all__ = ["LATE", "DelayedFeedback", "Importance", "LateTask"]
