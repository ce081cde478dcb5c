"""Gates from a class, a bound class or a module."""

from __future__ import annotations

from torch import Tensor, nn

from gatewise.nn.gates.gates import GateMaker, Gates
from gatewise.nn.gates.given import GivenGates


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
    """Return new gates; a given module, and gates that are not a :class:`Gates`, are checked in every forward pass.

    Args:
        maker: see :data:`GateMaker`.
        input_dim: input width of each gate.
        num_gates: number of gates.
        num_experts: number of experts.
        dims: hidden widths of every gate.
        activation: activation of the hidden layers.
        norm: normalisation of the hidden layers.
        reach: ``[gate, expert]`` bool, the experts that each gate weighs; the others get exactly 0. None: all.
    """
    if isinstance(maker, nn.Module):
        return GivenGates(maker, num_gates, num_experts)
    restricted = {} if reach is None else {"reach": reach}
    made = maker(input_dim, num_gates, num_experts, dims, activation=activation, norm=norm, **restricted)
    return made if isinstance(made, Gates) else GivenGates(made, num_gates, num_experts)
