"""Score fusion: one score from all predictions, by an expression such as ``click + 3 * purchase^0.5``.

A parser turns the expression into a small tree; no code is executed. Expressions have numbers, names of predictions,
``+ - * / ^``, signs, parentheses and the functions of :mod:`gatewise.declare.fusion.arithmetic`, which also defines
values such as that of a division by 0.
"""

from gatewise.declare.fusion.arithmetic import FUNCTIONS, LIMIT
from gatewise.declare.fusion.fusion import Fusion

__all__ = ["FUNCTIONS", "LIMIT", "Fusion"]
