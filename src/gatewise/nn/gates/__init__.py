"""Gates: how much each expert counts, decided by the input.

A kind is one file with a subclass of :class:`Gates`, and a declaration of its options in ``gatewise.declare.gates``.
Any other module that gives weights ``[batch, gate, expert]`` can be a gate too.
"""

from gatewise.nn.gates.gates import Gated, GateMaker, Gates, make_gates
from gatewise.nn.gates.softmax import SoftmaxGates

__all__ = ["GateMaker", "Gated", "Gates", "SoftmaxGates", "make_gates"]
