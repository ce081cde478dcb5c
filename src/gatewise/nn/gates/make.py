"""Gates from a class, a bound class, a module, or a list with one of these per gate."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from gatewise.nn.gates.gates import GateMaker, Gates
from gatewise.nn.gates.given import GivenGates
from gatewise.nn.gates.listed import ListedGates
from gatewise.nn.hidden import Hidden

AnyGates = GateMaker | nn.Module
"""A maker of gates, or a module that returns the weights of all gates."""


def make_gates(
    maker: AnyGates | Sequence[AnyGates],
    input_dim: int,
    num_gates: int,
    num_experts: int,
    dims: tuple[int, ...],
    *,
    hidden: Hidden,
    reach: Tensor | None = None,
) -> nn.Module:
    """Return new gates; a given module, and gates that are not a :class:`Gates`, are checked in every forward pass.

    Args:
        maker: see :data:`GateMaker`; a list has one maker, or one module ``[batch, in] -> [batch, expert]``, per gate.
        input_dim: input width of each gate.
        num_gates: number of gates.
        num_experts: number of experts.
        dims: hidden widths of every gate.
        hidden: the hidden layers, see :class:`Hidden`.
        reach: ``[gate, expert]`` bool, the experts that each gate weighs; the others get exactly 0. None: all.
    """
    if isinstance(maker, Sequence):
        made = [
            each
            if isinstance(each, nn.Module)
            else _made(each, input_dim, 1, num_experts, dims, hidden, None if reach is None else reach[task : task + 1])
            for task, each in enumerate(maker)
        ]
        return ListedGates(made, num_gates, num_experts)
    if isinstance(maker, nn.Module):
        return GivenGates(maker, num_gates, num_experts)
    return _made(maker, input_dim, num_gates, num_experts, dims, hidden, reach)


def _made(
    maker: GateMaker,
    input_dim: int,
    num_gates: int,
    num_experts: int,
    dims: tuple[int, ...],
    hidden: Hidden,
    reach: Tensor | None,
) -> nn.Module:
    restricted = {} if reach is None else {"reach": reach}
    made = maker(input_dim, num_gates, num_experts, dims, hidden=hidden, **restricted)
    return made if isinstance(made, Gates) else GivenGates(made, num_gates, num_experts)
