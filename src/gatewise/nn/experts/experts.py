"""The contract of every set of experts."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from torch import Tensor, nn
from typing_extensions import override

from gatewise.kernels import mix

Lens = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Sees weights ``[batch, gate, expert]`` and outputs ``[batch, expert, width]`` before they are mixed, and says what is
mixed in their place."""


class Experts(nn.Module):
    r"""Several experts of equal output width.

    .. math:: f_i(x), \quad i = 1, \dots, E

    Shape:
        - input ``[batch, input_dim]``, read by every expert, or ``[batch, expert, input_dim]``
        - output ``[batch, expert, output_dim]``

    Attributes:
        counts: how many experts each set has, where they are of several owners; experts of a set are side by side.
        lens: looks at every mixture; see :func:`gatewise.nn.trunks.levels.tapped`.
    """

    counts: tuple[int, ...] = ()
    lens: Lens | None = None
    num_experts: int
    output_dim: int

    @abstractmethod
    @override
    def forward(self, x: Tensor) -> Tensor:
        """Return every expert's output."""

    @abstractmethod
    def one(self, expert: int, x: Tensor) -> Tensor:
        """Return the output ``[batch, output_dim]`` of one expert from ``[batch, input_dim]``, in evaluation."""

    def mixed(self, x: Tensor, weights: Tensor, *, sparse: bool = False) -> Tensor:
        """Return the outputs as every gate mixes them.

        Args:
            x: as in :meth:`forward`.
            weights: ``[batch, gate, expert]``.
            sparse: run every expert on those rows alone that have a weight for it; in evaluation.

        Returns:
            ``[batch, gate, output_dim]``.
        """
        if self.lens is not None:
            return mix(*self.lens(weights, self(x)))
        return self._mixed_sparsely(x, weights) if sparse else self._mixed(x, weights)

    def _mixed(self, x: Tensor, weights: Tensor) -> Tensor:
        return mix(weights, self(x))

    def _mixed_sparsely(self, x: Tensor, weights: Tensor) -> Tensor:
        mixed = x.new_zeros(*weights.shape[:2], self.output_dim)
        used = (weights != 0).any(dim=1)
        for expert in range(self.num_experts):
            rows = used[:, expert].nonzero().squeeze(1)
            if len(rows):
                own = x if x.dim() == 2 else x[:, expert]
                output = self.one(expert, own.index_select(0, rows))
                share = weights[:, :, expert].index_select(0, rows).to(output.dtype)
                mixed.index_add_(0, rows, (share.unsqueeze(2) * output.unsqueeze(1)).to(mixed.dtype))
        return mixed
