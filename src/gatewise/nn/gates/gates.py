"""The contract of every gate."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor, nn


class Gated(NamedTuple):
    """What gates give.

    Shape:
        - weights: ``[batch, gate, expert]``, every row sums to 1
        - penalty: scalar that joins the loss, or None
    """

    weights: Tensor
    penalty: Tensor | None = None


class Gates(nn.Module):
    """Several gates over the same experts.

    Shape:
        - input ``[batch, input_dim]``, read by every gate, or ``[batch, gate, input_dim]``
        - output: :class:`Gated`
    """

    @abstractmethod
    def forward(self, x: Tensor) -> Gated:
        """Return every gate's weights, and what the loss is to have of them."""


GateMaker = Callable[..., nn.Module]
"""Makes gates from ``(input_dim, num_gates, num_experts, dims, *, activation, norm, reach)``, see :func:`make_gates`: a
class of gates, or one with options of its own bound by ``functools.partial``."""


def make_gates(
    maker: GateMaker | nn.Module,
    input_dim: int,
    num_gates: int,
    num_experts: int,
    dims: tuple[int, ...],
    *,
    activation: str,
    norm: str,
    reach: Tensor | None = None,
) -> nn.Module:
    """Return new gates, or the module itself where the maker is one.

    Args:
        maker: see :data:`GateMaker`.
        input_dim: width of what each gate reads.
        num_gates: how many gates.
        num_experts: how many experts.
        dims: hidden widths of every gate.
        activation: of the hidden layers.
        norm: of the hidden layers.
        reach: ``[gate, expert]`` bool, the experts that each gate weighs; the others get exactly 0. None: all.
    """
    if isinstance(maker, nn.Module):
        return maker
    restricted = {} if reach is None else {"reach": reach}
    return maker(input_dim, num_gates, num_experts, dims, activation=activation, norm=norm, **restricted)


def gated(found: Gated | Tensor) -> Gated:
    """Return what a gate gave; a module of somebody else gives weights alone."""
    return found if isinstance(found, Gated) else Gated(found)
