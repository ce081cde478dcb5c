"""Cross-stitch: every task has a network of its own, and activations are mixed after every layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.errors import ShapeError
from gatewise.nn.hidden import Hidden
from gatewise.nn.layers import check_sizes
from gatewise.nn.perceptrons import GroupMLP
from gatewise.nn.sequences import Padded
from gatewise.nn.trunks.trunk import Mixed, Trunk


class CrossStitch(Trunk):
    r"""One network per task, whose activations a learnt matrix mixes after every layer.

    .. math:: h_k^{(j)} = \sum_{l=1}^{T} A_{kl}^{(j)} \, f_l^{(j)}\big(h_l^{(j-1)}\big), \quad h_k^{(0)} = x

    where :math:`f_l^{(j)}` is layer j of task l and :math:`A^{(j)}` a T x T matrix, at first near the identity.

    Args:
        input_dim: width of the input.
        num_tasks: number of tasks.
        layer_dims: widths of every task's layers.
        self_weight: initial weight of a task's own activations; the other tasks share the rest.
        hidden: the hidden layers, see :class:`Hidden`.

    Attributes:
        stitches: the mixing matrices ``[task, task]``, one per layer.

    Raises:
        ShapeError: no layers, or ``self_weight`` is not in (0, 1].

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, task, layer_dims[-1]]``; no gates

    References:
        Misra et al.: Cross-stitch Networks for Multi-task Learning. CVPR 2016.
    """

    def __init__(
        self,
        input_dim: int,
        num_tasks: int,
        *,
        layer_dims: tuple[int, ...] = (64, 32),
        self_weight: float = 0.9,
        hidden: Hidden = Hidden(),
    ) -> None:
        super().__init__()
        check_sizes(input_dim=input_dim, num_tasks=num_tasks)
        if not layer_dims:
            raise ShapeError("layer_dims: expected one layer or more, for stitches follow layers; found none")
        if not 0 < self_weight <= 1:
            raise ShapeError(f"self_weight: expected a share above 0 and up to 1, found {self_weight}")
        self.num_tasks, self.output_dim = num_tasks, layer_dims[-1]
        self.layers = nn.ModuleList(
            GroupMLP(num_tasks, width_in, (width,), hidden=hidden)
            for width_in, width in zip((input_dim, *layer_dims), layer_dims, strict=False)
        )
        self.stitches = nn.ParameterList(_near_identity(num_tasks, self_weight) for _ in layer_dims)

    @override
    def mix(self, x: Tensor, *_: Padded) -> Mixed:
        for layer, stitch in zip(self.layers, self.stitches, strict=True):
            # [task, task] x [batch, task, width]
            x = stitch @ layer(x)
        return Mixed(x)


def _near_identity(tasks: int, self_weight: float) -> Tensor:
    if tasks == 1:
        return torch.ones(1, 1)
    rest = (1 - self_weight) / (tasks - 1)
    return torch.full((tasks, tasks), rest) + torch.eye(tasks) * (self_weight - rest)
