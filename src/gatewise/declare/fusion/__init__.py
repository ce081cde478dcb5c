"""Score fusion: one order out of the scores of all tasks, by an expression such as ``click + 3 * purchase^0.5``.

An expression is read by a parser of its own into a small tree; nothing is ever executed. It knows numbers, names of
predictions, ``+ - * / ^``, signs, parentheses and the functions of :mod:`gatewise.declare.fusion.arithmetic`, which
also says what a division by 0 and the like give.
"""

from gatewise.declare.fusion.arithmetic import FUNCTIONS, LIMIT
from gatewise.declare.fusion.fusion import Fusion

__all__ = ["FUNCTIONS", "LIMIT", "Fusion"]
