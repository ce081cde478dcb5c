"""Funnels: sequences of binary labels, such as click, cart and purchase."""

from gatewise.tasks.funnel.learning import LEARNING
from gatewise.tasks.funnel.probabilities import LogProbability
from gatewise.tasks.funnel.task import FunnelTask
from gatewise.tasks.funnel.value import ValueAfterTask

__all__ = ["LEARNING", "FunnelTask", "LogProbability", "ValueAfterTask"]
