"""The contract of every set of experts."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor, nn

from gatewise.kernels import mix


class Experts(nn.Module):
    r"""Several experts of equal output width.

    .. math:: f_i(x), \quad i = 1, \dots, E

    Shape:
        - input ``[batch, input_dim]``, read by every expert, or ``[batch, expert, input_dim]``
        - output ``[batch, expert, output_dim]``
    """

    num_experts: int
    output_dim: int

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Return every expert's output."""

    def mixed(self, x: Tensor, weights: Tensor) -> Tensor:
        """Return the outputs as every gate ``[batch, gate, expert]`` mixes them, ``[batch, gate, output_dim]``."""
        return mix(weights, self(x))
