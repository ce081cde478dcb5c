"""Gatewise's shared bottom, OMoE and MMoE of the paper's sizes, many seeds at once.

The weights are those of modules of ``gatewise.nn``, stacked; a test holds the outputs to theirs.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm

from gatewise.nn import MMoE, OMoE, SharedBottom, SoftmaxGates, Towers, Trunk
from gatewise.nn.gates.dropout import drop_experts

DIM, EXPERTS, WIDTH, TOWER, BOTTOM = 100, 8, 16, 8, 113
KINDS = ("mmoe", "omoe", "shared_bottom")
GATE_DROPOUT = 0.1
REMEDIES = ("expert_norm", "zero_init", "gate_dropout")


def build(kind: str, seed: int, remedies: Collection[str] = ()) -> nn.ModuleList:
    """Return a trunk and its towers as Gatewise makes them."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        trunk = _trunk(kind, remedies)
        return nn.ModuleList([trunk, Towers(2, trunk.output_dim, (TOWER,))])


def _trunk(kind: str, remedies: Collection[str]) -> Trunk:
    if kind == "shared_bottom":
        return SharedBottom(DIM, 2, bottom_dims=(BOTTOM,))
    dropout = GATE_DROPOUT if "gate_dropout" in remedies else 0.0
    options: dict[str, Any] = {
        "experts": EXPERTS,
        "expert_dims": (WIDTH,),
        "expert_norm": "expert_norm" in remedies,
        "gate": partial(SoftmaxGates, zero_init="zero_init" in remedies, dropout=dropout),
    }
    return (MMoE if kind == "mmoe" else OMoE)(DIM, 2, **options)


class Stacked(nn.Module):
    """One model a seed, all in the same products.

    Args:
        kind: ``mmoe``, ``omoe`` or ``shared_bottom``.
        seeds: one model each.
        remedies: some of ``REMEDIES``.

    Shape:
        - input ``[seed, row, dim]``
        - output ``[seed, row, 2]``
    """

    def __init__(self, kind: str, seeds: Sequence[int], remedies: Collection[str] = ()) -> None:
        super().__init__()
        self.kind, self.remedies = kind, remedies
        states = [build(kind, seed, remedies).state_dict() for seed in seeds]
        # the parts of the modules by what they are: [seed, unit, out, in] and [seed, unit, out]
        self.weights = nn.ParameterDict(
            {_part_of(name): nn.Parameter(torch.stack([state[name] for state in states])) for name in states[0]}
        )

    def forward(self, x: Tensor) -> Tensor:
        # [seed, row, 1 or 2, width]
        hidden = self._layer(x.unsqueeze(2), "bottom").relu() if self.kind == "shared_bottom" else self._mixed(x)
        inner = self._layer(hidden.expand(-1, -1, 2, -1), "tower").relu()
        weight, bias = self.weights["output_weight"], self.weights["output_bias"]
        return (inner * weight.unsqueeze(1)).sum(dim=3) + bias.unsqueeze(1)

    def _mixed(self, x: Tensor) -> Tensor:
        experts = self._layer(x.unsqueeze(2), "experts").relu()  # [seed, row, expert, width]
        if "expert_norm" in self.remedies:
            experts = layer_norm(experts, (WIDTH,))
        gates = torch.einsum("srd,stnd->srtn", x, self.weights["gates_weight"]).softmax(dim=3)
        if "gate_dropout" in self.remedies and self.training:
            gates = drop_experts(gates, GATE_DROPOUT)
        return gates @ experts

    def _layer(self, x: Tensor, part: str) -> Tensor:
        """Apply the units of a layer to ``[seed, row, unit, in]``, or all to the same ``[seed, row, 1, in]``."""
        weight, bias = self.weights[f"{part}_weight"], self.weights[f"{part}_bias"]
        seeds, units, out, width = weight.shape
        if x.shape[2] > 1:
            return torch.einsum("srui,suoi->sruo", x, weight) + bias.unsqueeze(1)
        flat = weight.reshape(seeds, units * out, width).transpose(1, 2)
        return torch.baddbmm(bias.reshape(seeds, 1, -1), x.squeeze(2), flat).view(*x.shape[:2], units, out)


def _part_of(name: str) -> str:
    """Return what a weight of a trunk and its towers is for."""
    kind = name.rpartition(".")[2]
    for found, part in (("experts", "experts"), ("gates", "gates"), ("bottom", "bottom"), ("1.hidden", "tower")):
        if found in name:
            return f"{part}_{kind}"
    return f"output_{kind}"
