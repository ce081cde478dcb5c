"""One gate and one tower as modules, for models that are put together by hand; one expert: :class:`ExpertNetwork`."""

from __future__ import annotations

from torch import Tensor, nn
from typing_extensions import override

from gatewise.nn.gates import SoftmaxGates
from gatewise.nn.hidden import Hidden
from gatewise.nn.towers import Towers


class GateNetwork(nn.Module):
    r"""One softmax over the experts.

    .. math:: g(x) = \mathrm{softmax}(W \, h(x))

    Args:
        input_dim: width of the input.
        num_experts: number of experts.
        dims: widths of the hidden layers h; none: softmax(W x).
        hidden: the hidden layers, see :class:`Hidden`.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, num_experts]``; rows sum to 1

    Example:
        >>> import torch
        >>> GateNetwork(8, num_experts=3, dims=(16,))(torch.zeros(5, 8)).shape
        torch.Size([5, 3])
    """

    def __init__(
        self, input_dim: int, num_experts: int, dims: tuple[int, ...] = (), *, hidden: Hidden = Hidden()
    ) -> None:
        super().__init__()
        self.gates = SoftmaxGates(input_dim, 1, num_experts, tuple(dims), hidden=hidden)

    @override
    def forward(self, x: Tensor) -> Tensor:
        weights: Tensor = self.gates(x).weights
        return weights.squeeze(1)


class TowerNetwork(nn.Module):
    """One tower: hidden layers and a linear output.

    Args:
        input_dim: width of the task's hidden vector.
        dims: widths of the hidden layers; none: linear.
        output_dim: number of outputs.
        hidden: the hidden layers, see :class:`Hidden`.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, output_dim]``, raw scores

    Example:
        >>> import torch
        >>> TowerNetwork(32, (16,))(torch.zeros(5, 32)).shape
        torch.Size([5, 1])
    """

    def __init__(
        self, input_dim: int, dims: tuple[int, ...] = (), output_dim: int = 1, *, hidden: Hidden = Hidden()
    ) -> None:
        super().__init__()
        self.tower = Towers(1, input_dim, tuple(dims), (output_dim,), hidden=hidden)

    @override
    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.tower(x.unsqueeze(1))
        return scores
