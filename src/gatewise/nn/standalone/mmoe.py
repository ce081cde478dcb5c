"""MMoE on a dense input."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from typing_extensions import override

from gatewise.errors import ShapeError
from gatewise.nn.gates import AnyGates, SoftmaxGates
from gatewise.nn.hidden import Hidden
from gatewise.nn.layers import check_sizes
from gatewise.nn.towers import make_towers
from gatewise.nn.trunks import MMoE

Predictions = list[Tensor]


class MMoEModel(nn.Module):
    r"""Multi-gate mixture-of-experts on a dense input.

    .. math:: y_k = h^k\!\left(\sum_{i=1}^{E} g^k(x)_i f_i(x)\right), \quad g^k(x) = \mathrm{softmax}(W_k x)

    Args:
        input_dim: width of the input.
        num_experts: number of experts.
        num_tasks: number of tasks.
        expert_hidden_dims: hidden widths of every expert.
        gate_hidden_dims: hidden widths of every gate; None: linear.
        tower_hidden_dims: hidden widths of every tower; or a list of them, one per task.
        dropout_rate: share of hidden units dropped in experts and towers in training.
        task_output_dims: number of outputs per task; None: one each.
        experts: modules ``[batch, input_dim] -> [batch, width]`` instead of ``num_experts`` equal perceptrons.
        gate: makes the gates, such as :class:`gatewise.nn.TopKGates`; a module that returns the weights of all gates
            ``[batch, task, expert]``; or a list of one of these per task, whose modules return ``[batch, expert]``.

    Shape:
        - input ``[batch, input_dim]``
        - output: a list of raw scores, one ``[batch, task_output_dims[k]]`` per task: apply ``sigmoid`` for a
          probability; with ``return_expert_weights=True`` also a list of one ``[batch, num_experts]`` per task, whose
          rows sum to 1

    Example:
        >>> import torch
        >>> model = MMoEModel(input_dim=128, num_experts=3, num_tasks=2)
        >>> predictions, expert_weights = model(torch.randn(32, 128), return_expert_weights=True)
        >>> len(predictions), predictions[0].shape, expert_weights[1].shape
        (2, torch.Size([32, 1]), torch.Size([32, 3]))

    References:
        Ma et al.: Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts. KDD 2018.
    """

    def __init__(
        self,
        input_dim: int,
        num_experts: int = 3,
        num_tasks: int = 2,
        expert_hidden_dims: Sequence[int] = (128, 64),
        gate_hidden_dims: Sequence[int] | None = None,
        tower_hidden_dims: Sequence[int] | Sequence[Sequence[int]] = (64, 32),
        dropout_rate: float = 0.1,
        task_output_dims: Sequence[int] | None = None,
        *,
        experts: Sequence[nn.Module] | None = None,
        gate: AnyGates | Sequence[AnyGates] = SoftmaxGates,
    ) -> None:
        super().__init__()
        check_sizes(input_dim=input_dim, num_experts=num_experts, num_tasks=num_tasks)
        output_dims = tuple(task_output_dims or [1] * num_tasks)
        if len(output_dims) != num_tasks:
            raise ShapeError(f"task_output_dims: expected {num_tasks} entries, one per task, found {len(output_dims)}")
        self.input_dim = input_dim
        self.trunk = MMoE(
            input_dim,
            num_tasks,
            experts=num_experts if experts is None else experts,
            expert_dims=tuple(expert_hidden_dims),
            gate_dims=tuple(gate_hidden_dims or ()),
            gate=gate,
            hidden=Hidden(dropout=dropout_rate),
        )
        self.towers = make_towers(
            num_tasks, self.trunk.output_dim, tower_hidden_dims, output_dims, hidden=Hidden(dropout=dropout_rate)
        )

    @override
    def forward(self, x: Tensor, return_expert_weights: bool = False) -> Predictions | tuple[Predictions, list[Tensor]]:
        """Return the raw scores per task and, with ``return_expert_weights``, the expert weights per task."""
        if x.dim() != 2 or x.shape[1] != self.input_dim:
            raise ShapeError(f"input: expected shape [batch, {self.input_dim}], found {list(x.shape)}")
        hidden, gates, _ = self.trunk.mix(x)
        assert gates is not None
        predictions = list(self.towers(hidden).split(self.towers.output_dims, dim=1))
        return (predictions, list(gates.unbind(dim=1))) if return_expert_weights else predictions
