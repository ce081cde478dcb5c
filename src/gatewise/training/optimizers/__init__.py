"""Update rules.

:class:`LazyOptimizer` is what trains: it takes dense gradients and gradients of a few rows alike, and a row without
a gradient costs nothing. A new rule is one file with a subclass of :class:`Rule`. torch's own optimisers are the
reference that moves every row at every step.
"""

from gatewise.training.optimizers.lazy import LazyOptimizer
from gatewise.training.optimizers.make import EMBEDDING_UPDATES, OPTIMIZERS, make_optimizer
from gatewise.training.optimizers.rule import Rule

__all__ = ["EMBEDDING_UPDATES", "OPTIMIZERS", "LazyOptimizer", "Rule", "make_optimizer"]
