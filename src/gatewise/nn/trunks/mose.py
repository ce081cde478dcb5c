"""MoSE: experts that read a sequence."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.errors import ShapeError, did_you_mean
from gatewise.nn.experts import SequenceExperts
from gatewise.nn.gates import AnyGates, SoftmaxGates, make_gates
from gatewise.nn.gates.gates import gated
from gatewise.nn.hidden import Hidden
from gatewise.nn.layers import check_sizes
from gatewise.nn.sequences import Padded, PlainPooling, RecurrentPooling, TransformerPooling
from gatewise.nn.trunks.trunk import Mixed, Trunk

CELLS = ("lstm", "gru", "transformer")


class MoSE(Trunk):
    r"""Mixture of sequential experts: each expert reads the sequence; one gate per task weighs the experts.

    .. math:: z_k = [x; \sum_{i=1}^{E} g^k_i \, f_i(s_1, \dots, s_n)], \quad g^k = \mathrm{softmax}(W_k [x; \bar s])

    where :math:`s_1, \dots, s_n` are the items of the sequence, :math:`\bar s` is their mean and :math:`f_i` a
    recurrent network's last state, or the mean of a transformer's outputs.

    Args:
        input_dim: width of the input beside the sequence.
        num_tasks: number of tasks.
        sequence_dim: width of the sequence's items.
        sequence: position of the sequence to read, if there are several.
        cell: ``lstm``, ``gru`` or ``transformer``.
        experts: number of experts.
        expert_dim: width of every expert's output.
        heads: number of attention heads of a transformer.
        layers: number of layers of a transformer.
        gate: makes the gates, such as :class:`gatewise.nn.SoftmaxGates`; or a list with one maker per task.
        gate_dims: hidden widths of every gate; none: softmax(W [x; s]).
        hidden: its dropout is the share of the experts' outputs dropped in training, see :class:`Hidden`.
        gate_hidden: hidden layers of the gates; None: ``hidden`` without dropout.

    Raises:
        ShapeError: unknown cell, or ``expert_dim`` is not a multiple of ``heads``; the error names the option.

    Shape:
        - input ``[batch, input_dim]``, and sequences as :class:`gatewise.nn.Padded`
        - output ``[batch, task, input_dim + expert_dim]``

    Example:
        >>> trunk = MoSE(5, 2, sequence_dim=3, experts=4, expert_dim=6)
        >>> items = Padded(torch.zeros(7, 9, 3), torch.ones(7, 9, dtype=torch.bool))
        >>> trunk(torch.zeros(7, 5), items).shape
        torch.Size([7, 2, 11])

    References:
        Qin et al.: Multitask Mixture of Sequential Experts for User Activity Streams. KDD 2020.
    """

    num_sequences = 1

    def __init__(
        self,
        input_dim: int,
        num_tasks: int,
        *,
        sequence_dim: int,
        sequence: int = 0,
        cell: str = "lstm",
        experts: int = 4,
        expert_dim: int = 32,
        heads: int = 2,
        layers: int = 1,
        gate: AnyGates | Sequence[AnyGates] = SoftmaxGates,
        gate_dims: tuple[int, ...] = (),
        hidden: Hidden = Hidden(),
        gate_hidden: Hidden | None = None,
    ) -> None:
        super().__init__()
        check_sizes(num_tasks=num_tasks, sequence_dim=sequence_dim, experts=experts, expert_dim=expert_dim)
        if cell not in CELLS:
            raise ShapeError(f"cell: expected one of {', '.join(CELLS)}, found {cell!r}{did_you_mean(cell, CELLS)}")
        self.num_tasks, self.sequence = num_tasks, sequence

        def expert() -> nn.Module:
            if cell == "transformer":
                return TransformerPooling(sequence_dim, expert_dim, heads=heads, layers=layers)
            return RecurrentPooling(cell, sequence_dim, expert_dim)

        # NOTE[DIFF]: networks run one after the other, and towers read x beside the mixture: in the paper all
        # inputs are in the sequence
        self.experts = SequenceExperts([expert() for _ in range(experts)], expert_dim, hidden.dropout)
        self.mean = PlainPooling("mean", sequence_dim)
        width = input_dim + sequence_dim
        self.gates = make_gates(
            gate, width, num_tasks, experts, gate_dims, hidden=gate_hidden or hidden.without_dropout
        )
        self.output_dim = input_dim + expert_dim

    @override
    def mix(self, x: Tensor, *sequences: Padded) -> Mixed:
        items = sequences[self.sequence]
        weights, penalty = gated(self.gates(torch.cat([x, self.mean(items)], dim=1)))
        mixed = self.experts.mixed(items, weights)
        return Mixed(torch.cat([x.unsqueeze(1).expand(-1, self.num_tasks, -1), mixed], dim=2), weights, penalty)
