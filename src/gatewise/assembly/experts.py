"""From declared experts to modules."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from torch.nn import Module

from gatewise import declare
from gatewise.assembly.hidden import hidden_layers
from gatewise.nn import ConvolutionalExpert, CrossNetwork, ExpertNetwork, ResidualMLP


def expert_options(architecture: declare.MMoE | declare.OMoE, input_dim: int) -> dict[str, Any]:
    """Return a trunk's arguments for declared experts; equal perceptrons stay a number, as one batched product."""
    experts = architecture.experts
    if isinstance(experts, int):
        return {}
    widths = {tuple(expert.dims) if isinstance(expert, declare.MLPExpert) else None for expert in experts}
    if len(widths) == 1 and None not in widths:
        return {"experts": sum(expert.count for expert in experts), "expert_dims": widths.pop()}
    return {"experts": [_module(expert, architecture, input_dim) for expert in experts for _ in range(expert.count)]}


def _module(expert: declare.AnyExpert, architecture: declare.Architecture, input_dim: int) -> Module:
    hidden = hidden_layers(architecture, "expert")
    match expert:
        case declare.MLPExpert(dims=dims):
            return ExpertNetwork(input_dim, tuple(dims), hidden=hidden)
        case declare.ResidualExpert(dims=dims):
            return ResidualMLP(input_dim, tuple(dims), hidden=hidden)
        case declare.CrossExpert(width=width, layers=layers, rank=rank):
            return CrossNetwork(input_dim, width, layers=layers, rank=rank)
        case declare.ConvolutionalExpert(width=width, channels=channels, kernel=kernel, places=places):
            return ConvolutionalExpert(
                input_dim, width, channels=channels, kernel=kernel, places=places, activation=hidden.activation
            )
        case _:
            made: Module = declare.made_of(expert, input_dim=input_dim, **asdict(hidden))
            return made
