"""The contract of every set of experts."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from torch import Tensor, nn
from typing_extensions import override

from gatewise.kernels import mix

MixtureHook = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Is given weights ``[batch, gate, expert]`` and outputs ``[batch, expert, width]`` before they are mixed, and returns
the weights and outputs to mix instead."""


class Experts(nn.Module):
    r"""Several experts of equal output width.

    .. math:: f_i(x), \quad i = 1, \dots, E

    Shape:
        - input ``[batch, input_dim]``, read by every expert, or ``[batch, expert, input_dim]``
        - output ``[batch, expert, output_dim]``

    Attributes:
        counts: number of experts per set, if sets have different owners; experts of a set are side by side.
        mixture_hook: called with every mixture; see :func:`gatewise.nn.trunks.levels.hooked`.
    """

    counts: tuple[int, ...] = ()
    mixture_hook: MixtureHook | None = None
    num_experts: int
    output_dim: int

    @abstractmethod
    @override
    def forward(self, x: Tensor) -> Tensor:
        """Return every expert's output."""

    @abstractmethod
    def one(self, expert: int, x: Tensor) -> Tensor:
        """Return the output ``[batch, output_dim]`` of one expert for ``[batch, input_dim]``, in evaluation mode."""

    def mixed(self, x: Tensor, weights: Tensor, *, sparse: bool = False) -> Tensor:
        """Return the mixture of the experts' outputs for every gate.

        Args:
            x: the input, as in :meth:`forward`.
            weights: ``[batch, gate, expert]``.
            sparse: run each expert only on the rows that give it a weight; in evaluation mode.

        Returns:
            ``[batch, gate, output_dim]``.
        """
        if self.mixture_hook is not None:
            return mix(*self.mixture_hook(weights, self(x)))
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
