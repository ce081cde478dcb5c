"""Optimisers and their update rules.

:class:`LazyOptimizer` takes dense gradients and gradients of some rows, and does no work for rows without a gradient.
A new rule is one file with a subclass of :class:`Rule`. torch's own optimisers, which update every row at every step,
are the reference.
"""

from gatewise.training.optimizers.lazy import LazyOptimizer
from gatewise.training.optimizers.make import EMBEDDING_UPDATES, OPTIMIZERS, make_optimizer
from gatewise.training.optimizers.rule import Rule

__all__ = ["EMBEDDING_UPDATES", "OPTIMIZERS", "LazyOptimizer", "Rule", "make_optimizer"]
