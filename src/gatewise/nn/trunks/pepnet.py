"""PEPNet: embeddings scaled by the scenario, and every task's layers scaled by user and item."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.errors import ShapeError
from gatewise.nn.gate_unit import GateUnit
from gatewise.nn.hidden import Hidden
from gatewise.nn.layers import check_sizes
from gatewise.nn.perceptrons import GroupMLP
from gatewise.nn.sequences import Padded
from gatewise.nn.trunks.trunk import Mixed, Trunk


class PEPNet(Trunk):
    r"""Parameter and embedding personalised network: one model for many scenarios, users and tasks.

    .. math::
        e = x \odot \gamma([x_{\text{scenario}}; \mathrm{stop}(x)]), \qquad
        h_k^{(j)} = f_k^{(j)}\big(h_k^{(j-1)}\big) \odot \gamma_k^{(j)}([x_{\text{priors}}; \mathrm{stop}(e)]), \qquad
        h_k^{(0)} = e

    where :math:`\gamma(u) = 2 \sigma(W' \mathrm{relu}(W u))` is a :class:`gatewise.nn.GateUnit`, :math:`f_k^{(j)}`
    layer j of task k, and stop blocks the gradient. The first equation is the paper's EPNet, the second its PPNet.

    Args:
        input_dim: width of the input.
        num_tasks: number of tasks.
        scenario: columns of the input with the scenario of a row.
        priors: columns of the input with prior information, such as user and item.
        layer_dims: widths of every task's layers.
        gate_dims: hidden widths of every gate unit.
        hidden: the hidden layers, see :class:`Hidden`; gate units have relu and no dropout.

    Raises:
        ShapeError: no columns or layers, or a column outside the input; the error names the option.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, task, layer_dims[-1]]``; the gates scale units, not experts: see :meth:`scales`

    Example:
        >>> PEPNet(5, 2, scenario=(0,), priors=(1, 2), layer_dims=(4,))(torch.zeros(7, 5)).shape
        torch.Size([7, 2, 4])

    References:
        Chang et al.: PEPNet: Parameter and Embedding Personalized Network for Infusing with Personalized Prior
        Information. KDD 2023.
    """

    scenario: Tensor
    priors: Tensor

    def __init__(
        self,
        input_dim: int,
        num_tasks: int,
        *,
        scenario: Sequence[int],
        priors: Sequence[int],
        layer_dims: tuple[int, ...] = (64, 32),
        gate_dims: tuple[int, ...] = (32,),
        hidden: Hidden = Hidden(),
    ) -> None:
        super().__init__()
        check_sizes(input_dim=input_dim, num_tasks=num_tasks)
        if not layer_dims:
            raise ShapeError("layer_dims: expected one layer or more to scale, found none")
        for name, columns in (("scenario", scenario), ("priors", priors)):
            if not columns or not all(0 <= column < input_dim for column in columns):
                raise ShapeError(f"{name}: expected columns from 0 to {input_dim - 1}, found {list(columns)}")
            self.register_buffer(name, torch.tensor(list(columns)), persistent=False)
        self.num_tasks, self.output_dim, self.layer_dims = num_tasks, layer_dims[-1], list(layer_dims)
        self.embedding_gate = GateUnit(1, len(scenario) + input_dim, gate_dims, input_dim)
        self.layer_gates = GateUnit(num_tasks, len(priors) + input_dim, gate_dims, sum(layer_dims))
        self.layers = nn.ModuleList(
            GroupMLP(num_tasks, width_in, (width,), hidden=hidden)
            for width_in, width in zip((input_dim, *layer_dims), layer_dims, strict=False)
        )

    @override
    def mix(self, x: Tensor, *_: Padded) -> Mixed:
        hidden, scales = self._embeddings_and_scales(x)
        for layer, scale in zip(self.layers, scales, strict=True):
            hidden = layer(hidden) * scale
        return Mixed(hidden)

    def scales(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the factors of the input ``[batch, input_dim]`` and of each layer ``[batch, task, width]``."""
        return self._embedding_scale(x), self._embeddings_and_scales(x)[1]

    def _embedding_scale(self, x: Tensor) -> Tensor:
        scale: Tensor = self.embedding_gate(torch.cat([x.index_select(1, self.scenario), x.detach()], dim=1))
        return scale.squeeze(1)

    def _embeddings_and_scales(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        embeddings = x * self._embedding_scale(x)
        scales = self.layer_gates(torch.cat([x.index_select(1, self.priors), embeddings.detach()], dim=1))
        return embeddings, scales.split(self.layer_dims, dim=2)
