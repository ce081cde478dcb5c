"""MMoE: experts with one gate per task."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from typing_extensions import override

from gatewise.errors import ShapeError
from gatewise.nn.experts import Experts, NormalisedExperts, make_experts
from gatewise.nn.gates import AnyGates, SoftmaxGates, make_gates
from gatewise.nn.gates.gates import gated, skips
from gatewise.nn.hidden import Hidden
from gatewise.nn.layers import check_sizes
from gatewise.nn.sequences import Padded
from gatewise.nn.trunks.trunk import Mixed, Trunk, total


class Mixture(nn.Module):
    """Experts and the gates that mix them.

    Shape:
        - input ``[batch, in]``, read by all, or ``[batch, gate, in]``: a gate reads its own, experts all side by side
        - output: :class:`Mixed`, one vector per gate
    """

    def __init__(self, experts: Experts, gates: nn.Module) -> None:
        super().__init__()
        self.experts = experts
        self.gates = gates

    @override
    def forward(self, x: Tensor) -> Mixed:
        weights, penalty = gated(self.gates(x))
        return Mixed(self.experts.mixed(x.flatten(1), weights, sparse=skips(self.gates)), weights, penalty)


class MMoE(Trunk):
    r"""Multi-gate mixture-of-experts: shared experts, and one mixture per task.

    .. math:: f^k(x) = \sum_{i=1}^{E} g^k(x)_i \, f_i(x), \quad g^k(x) = \mathrm{softmax}(W_k x)

    where :math:`f_i` is expert i and :math:`g^k` the gate of task k. In a further level the gate of task k reads
    :math:`f^k` and every expert reads :math:`[f^1; \dots; f^T]`.

    Args:
        input_dim: width of the input.
        num_tasks: number of tasks.
        experts: number of experts, all multi-layer perceptrons; or modules, one per expert.
        expert_dims: hidden widths of every perceptron.
        expert_norm: whether the outputs of every expert are normalised before they are mixed.
        gate: makes the gates, such as :class:`SoftmaxGates`; or a module that returns the gates'
            weights; or a list of one of these per task.
        gate_dims: hidden widths of every gate; none: softmax(W x).
        levels: number of mixtures, one after the other.
        hidden: the hidden layers, see :class:`Hidden`.
        gate_hidden: hidden layers of the gates; None: ``hidden`` without dropout.

    Raises:
        ShapeError: modules as experts or gates with several levels, whose input widths differ.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, task, expert_dims[-1]]``

    Example:
        >>> import torch
        >>> trunk = MMoE(input_dim=5, num_tasks=2, experts=3, expert_dims=(4,))
        >>> mixed = trunk.mix(torch.zeros(7, 5))
        >>> mixed.hidden.shape, mixed.gates.shape
        (torch.Size([7, 2, 4]), torch.Size([7, 2, 3]))

    References:
        Ma et al.: Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts. KDD 2018.
    """

    def __init__(
        self,
        input_dim: int,
        num_tasks: int,
        *,
        experts: int | Sequence[nn.Module] = 8,
        expert_dims: tuple[int, ...] = (64, 32),
        expert_norm: bool = False,
        gate: AnyGates | Sequence[AnyGates] = SoftmaxGates,
        gate_dims: tuple[int, ...] = (),
        levels: int = 1,
        hidden: Hidden = Hidden(),
        gate_hidden: Hidden | None = None,
    ) -> None:
        super().__init__()
        gate_hidden = gate_hidden or hidden.without_dropout
        check_sizes(levels=levels)
        for name, given in (("experts", experts), ("gate", gate)):
            parts = given if isinstance(given, Sequence) else [given]
            if levels > 1 and any(isinstance(part, nn.Module) for part in parts):
                raise ShapeError(f"{name}: modules fit one level, whose width they have; found {levels} levels")
        self.num_tasks = num_tasks
        gates, width, mixtures = self.num_gates(num_tasks), input_dim, []
        for level in range(levels):
            read = width if level == 0 else width * gates
            own = make_experts(experts, read, expert_dims, hidden=hidden)
            mixer = make_gates(gate, width, gates, own.num_experts, gate_dims, hidden=gate_hidden)
            mixtures.append(Mixture(NormalisedExperts(own) if expert_norm else own, mixer))
            width = own.output_dim
        self.levels = nn.ModuleList(mixtures)
        self.output_dim = width

    @staticmethod
    def num_gates(num_tasks: int) -> int:
        """Return the number of gates: one per task, or one that all tasks share."""
        return num_tasks

    @override
    def mix(self, x: Tensor, *_: Padded) -> Mixed:
        penalties, mixed = [], Mixed(x)
        for level in self.levels:
            mixed = level(mixed.hidden)
            penalties.append(mixed.penalty)
        assert mixed.gates is not None
        return Mixed(self._for_tasks(mixed.hidden), self._for_tasks(mixed.gates), total(*penalties))

    def _for_tasks(self, by_gate: Tensor) -> Tensor:
        return by_gate if by_gate.shape[1] == self.num_tasks else by_gate.expand(-1, self.num_tasks, -1)
