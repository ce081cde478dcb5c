"""Experts with one gate a task."""

from __future__ import annotations

from torch import Tensor

from gatewise.nn.experts import Experts
from gatewise.nn.gates import SoftmaxGates
from gatewise.nn.trunks.trunk import Trunk


class MMoE(Trunk):
    r"""Multi-gate mixture-of-experts: shared experts, and for each task its own mixture.

    .. math:: f^k(x) = \sum_{i=1}^{E} g^k(x)_i \, f_i(x), \quad g^k(x) = \mathrm{softmax}(W_k x)

    where :math:`f_i` is expert i and :math:`g^k` the gate of task k.

    Args:
        input_dim: width of the input.
        num_tasks: how many tasks.
        experts: how many experts.
        expert_dims: hidden widths of every expert.
        gate_dims: hidden widths of every gate; none: softmax(W x).
        activation, dropout, norm: see :class:`gatewise.nn.layers.GroupMLP`; gates have no dropout.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, task, expert_dims[-1]]``

    Example:
        >>> import torch
        >>> trunk = MMoE(input_dim=5, num_tasks=2, experts=3, expert_dims=(4,))
        >>> hidden, gates = trunk.mix(torch.zeros(7, 5))
        >>> hidden.shape, gates.shape
        (torch.Size([7, 2, 4]), torch.Size([7, 2, 3]))

    References:
        Ma et al.: Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts. KDD 2018.
    """

    def __init__(
        self,
        input_dim: int,
        num_tasks: int,
        *,
        experts: int = 8,
        expert_dims: tuple[int, ...] = (64, 32),
        gate_dims: tuple[int, ...] = (),
        activation: str = "relu",
        dropout: float = 0.0,
        norm: str = "none",
    ) -> None:
        super().__init__()
        self.num_tasks = num_tasks
        self.experts = Experts(input_dim, experts, expert_dims, activation=activation, dropout=dropout, norm=norm)
        gates = self.num_gates(num_tasks)
        self.gates = SoftmaxGates(input_dim, gates, experts, gate_dims, activation=activation, norm=norm)
        self.output_dim = self.experts.output_dim

    @staticmethod
    def num_gates(num_tasks: int) -> int:
        """Return how many gates there are: one a task, or one that all tasks share."""
        return num_tasks

    def mix(self, x: Tensor) -> tuple[Tensor, Tensor]:  # noqa: D102
        gates = self.gates(x)
        mixed = self.experts.mixed(x, gates)
        if gates.shape[1] == self.num_tasks:
            return mixed, gates
        return mixed.expand(-1, self.num_tasks, -1), gates.expand(-1, self.num_tasks, -1)
