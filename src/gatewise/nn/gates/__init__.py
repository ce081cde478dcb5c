"""Gates: weights of the experts, computed from the input.

A kind of gate is one file with a subclass of :class:`Gates`, and a declaration of its options in
``gatewise.declare.gates``. Any other module that returns weights ``[batch, gate, expert]`` can be a gate too.
"""

from gatewise.nn.gates.attention import AttentionGates
from gatewise.nn.gates.dselect_k import DSelectKGates
from gatewise.nn.gates.gates import Gated, GateMaker, Gates
from gatewise.nn.gates.given import GivenGates
from gatewise.nn.gates.listed import ListedGates
from gatewise.nn.gates.make import AnyGates, make_gates
from gatewise.nn.gates.softmax import SoftmaxGates
from gatewise.nn.gates.top_k import TopKGates
from gatewise.nn.gates.usage import Usage

__all__ = [
    "AnyGates",
    "AttentionGates",
    "DSelectKGates",
    "GateMaker",
    "Gated",
    "Gates",
    "GivenGates",
    "ListedGates",
    "SoftmaxGates",
    "TopKGates",
    "Usage",
    "make_gates",
]
