"""Experts with one gate for all tasks."""

from __future__ import annotations

from torch import Tensor

from gatewise.nn.experts import Experts
from gatewise.nn.gates import SoftmaxGates
from gatewise.nn.trunks.trunk import Trunk


class OMoE(Trunk):
    r"""One-gate mixture-of-experts: every task gets the same mixture.

    .. math:: f(x) = \sum_{i=1}^{E} g(x)_i \, f_i(x)

    Args:
        input_dim: width of the input.
        num_tasks: how many tasks.
        experts: how many experts.
        expert_dims: hidden widths of every expert.
        gate_dims: hidden widths of the gate; none: softmax(W x).
        activation, dropout, norm: see :class:`gatewise.nn.layers.GroupMLP`; gates have no dropout.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, task, expert_dims[-1]]``, the same vector for every task

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
        self.gates = SoftmaxGates(input_dim, 1, experts, gate_dims, activation=activation, norm=norm)
        self.output_dim = self.experts.output_dim

    def mix(self, x: Tensor) -> tuple[Tensor, Tensor]:  # noqa: D102
        # [batch, gate, expert] x [batch, expert, hidden]
        gates = self.gates(x)
        mixed = gates.to(x.dtype) @ self.experts(x)
        return mixed.expand(-1, self.num_tasks, -1), gates.expand(-1, self.num_tasks, -1)
