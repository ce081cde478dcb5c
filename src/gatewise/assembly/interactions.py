"""From declared interactions of features to modules."""

from __future__ import annotations

from torch.nn import Module

from gatewise import declare
from gatewise.nn import CrossNetwork


def build_interaction(interaction: declare.Interaction, blocks: list[list[int]], input_dim: int) -> Module:
    """Return the declared interaction; a registered class may have an argument ``blocks``, the columns per feature."""
    match interaction:
        case declare.CrossInteraction(width=width, layers=layers, rank=rank):
            return CrossNetwork(input_dim, width or input_dim, layers=layers, rank=rank)
        case _:
            made: Module = declare.made_of(interaction, input_dim=input_dim, blocks=blocks)
            return made
