"""The parts of another library's model, which say what architecture it is and fill the model of that architecture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from gatewise import declare, nn
from gatewise.convert.layers import Linear, Perceptron, fill, fill_linear
from gatewise.errors import DeclarationError
from gatewise.nn.gates import SoftmaxGates
from gatewise.nn.towers import AnyTowers
from gatewise.nn.trunks.mmoe import Mixture
from gatewise.nn.trunks.ple import Extraction


@dataclass(frozen=True)
class Parts(ABC):
    """Towers, and what is below them.

    Attributes:
        towers: one per task, each with an output layer.
    """

    towers: tuple[Perceptron, ...]

    @abstractmethod
    def architecture(self, tasks: Sequence[str], **hidden: Any) -> declare.Architecture:
        """Return the architecture with these parts.

        Args:
            tasks: the tasks' names.
            **hidden: the options of hidden layers, such as ``activation`` and ``tower_dropout``.
        """

    @abstractmethod
    def fill_trunk(self, trunk: Any, order: Tensor) -> None:
        """Copy the weights below the towers; ``order`` has the old column of each column of the input."""

    def fill_towers(self, towers: AnyTowers, order: Tensor) -> None:  # noqa: ARG002
        """Copy the weights of the towers."""
        stages = [(range(len(self.towers)), towers)] if isinstance(towers, nn.Towers) else towers.parts()
        for tasks, part in stages:
            _fill_towers(part, [self.towers[task] for task in tasks])

    def options(self, tasks: Sequence[str], *perceptrons: Perceptron, **hidden: Any) -> dict[str, Any]:
        """Return the options of towers and hidden layers that every architecture has.

        Raises:
            DeclarationError: some hidden layers are normalised and some are not.
        """
        dims: Any = {task: tower.dims for task, tower in zip(tasks, self.towers, strict=True)}
        if len(set(dims.values())) == 1:
            dims = self.towers[0].dims
        normed = {part.normed for part in (*perceptrons, *self.towers) if part.hidden}
        if len(normed) > 1:
            raise DeclarationError("some hidden layers hold a batch normalisation and some do not: no counterpart")
        return {"tower_dims": dims, "norm": "batch" if True in normed else "none", **hidden}


def _fill_towers(target: nn.Towers, towers: Sequence[Perceptron]) -> None:
    assert isinstance(target.hidden, nn.GroupMLP)
    fill(target.hidden, towers)
    for task, tower in enumerate(towers):
        assert tower.output is not None
        target.weight[task] = tower.output.weight[0]
        target.bias[task] = 0.0 if tower.output.bias is None else tower.output.bias[0]


def same_dims(what: str, perceptrons: Sequence[Perceptron]) -> tuple[int, ...]:
    """Return the widths of the hidden layers, which are the same in all perceptrons.

    Raises:
        DeclarationError: they differ.
    """
    dims = {part.dims for part in perceptrons}
    if len(dims) > 1:
        raise DeclarationError(f"{what}: expected the same widths, found {sorted(map(list, dims))}")
    return dims.pop()


@dataclass(frozen=True)
class SharedBottomParts(Parts):
    """One bottom, which may have no layers."""

    bottom: Perceptron

    @override
    def architecture(self, tasks: Sequence[str], **hidden: Any) -> declare.Architecture:
        return declare.SharedBottom(bottom_dims=self.bottom.dims, **self.options(tasks, self.bottom, **hidden))

    @override
    def fill_trunk(self, trunk: nn.SharedBottom, order: Tensor) -> None:
        fill(trunk.bottom, [self.bottom.reading(order)])

    @override
    def fill_towers(self, towers: AnyTowers, order: Tensor) -> None:
        read = (
            self if self.bottom.hidden else SharedBottomParts(tuple(t.reading(order) for t in self.towers), self.bottom)
        )
        super(SharedBottomParts, read).fill_towers(towers, order)


def gate_options(gates: Sequence[Perceptron], dropout: float) -> dict[str, Any]:
    """Return the options of softmax gates, whose hidden layers have a dropout rate."""
    bias = any(gate.output is not None and gate.output.bias is not None for gate in gates)
    dims = same_dims("gates", gates)
    return {"gate": declare.SoftmaxGate(bias=bias), "gate_dims": dims, "gate_dropout": dropout if dims else 0.0}


def fill_gates(target: SoftmaxGates, gates: Sequence[Perceptron]) -> None:
    """Copy softmax gates; a gate that weighs some of the experts fills their places."""
    fill(target.hidden, gates)
    for group, gate in enumerate(gates):
        assert gate.output is not None
        fill_linear(target.linear, group, gate.output)


@dataclass(frozen=True)
class MMoEParts(Parts):
    """Experts, and one gate per task, whose output layer has one row per expert."""

    experts: tuple[Perceptron, ...]
    gates: tuple[Perceptron, ...]

    @override
    def architecture(self, tasks: Sequence[str], **hidden: Any) -> declare.Architecture:
        return declare.MMoE(
            experts=len(self.experts),
            expert_dims=same_dims("experts", self.experts),
            **gate_options(self.gates, hidden["dropout"]),
            **self.options(tasks, *self.experts, *self.gates, **hidden),
        )

    @override
    def fill_trunk(self, trunk: nn.MMoE, order: Tensor) -> None:
        (level,) = trunk.levels
        assert isinstance(level, Mixture)
        assert isinstance(level.experts, nn.MLPExperts)
        assert isinstance(level.gates, SoftmaxGates)
        fill(level.experts.mlp, [expert.reading(order) for expert in self.experts])
        fill_gates(level.gates, [gate.reading(order) for gate in self.gates])


@dataclass(frozen=True)
class Level:
    """One level of PLE.

    Attributes:
        own: the experts of each task.
        shared: the shared experts.
        gates: one gate per task, over its own and the shared experts; between two levels also one over all experts.
    """

    own: tuple[tuple[Perceptron, ...], ...]
    shared: tuple[Perceptron, ...]
    gates: tuple[Perceptron, ...]

    @property
    def experts(self) -> list[Perceptron]:
        """All experts: those of each task, then the shared ones."""
        return [*(expert for own in self.own for expert in own), *self.shared]

    def reading(self, order: Tensor) -> Level:
        """Return the level of an input whose columns are ``order`` of the old columns."""
        own, shared, gates = (
            tuple(tuple(part.reading(order) for part in some) for some in group)
            for group in (self.own, (self.shared,), (self.gates,))
        )
        return Level(own, shared[0], gates[0])


@dataclass(frozen=True)
class PLEParts(Parts):
    """Experts of each task and shared experts, in levels."""

    levels: tuple[Level, ...]

    @override
    def architecture(self, tasks: Sequence[str], **hidden: Any) -> declare.Architecture:
        experts = [expert for level in self.levels for expert in level.experts]
        gates = [gate for level in self.levels for gate in level.gates]
        first = self.levels[0]
        return declare.PLE(
            own_experts=len(first.own[0]),
            shared_experts=len(first.shared),
            expert_dims=same_dims("experts", experts),
            levels=len(self.levels),
            **gate_options(gates, hidden["dropout"]),
            **self.options(tasks, *experts, *gates, **hidden),
        )

    @override
    def fill_trunk(self, trunk: nn.PLE, order: Tensor) -> None:
        for i, (target, level) in enumerate(zip(trunk.levels, self.levels, strict=True)):
            assert isinstance(target, Extraction)
            assert isinstance(target.gates, SoftmaxGates)
            read = level.reading(order) if i == 0 else level
            fill(target.experts.experts.mlp, read.experts)
            units, reach = target.gates.linear.weight.shape[0], target.gates.reach
            assert reach is not None
            fill_gates(target.gates, [_spread(gate, reach[unit]) for unit, gate in enumerate(read.gates[:units])])


def _spread(gate: Perceptron, reach: Tensor) -> Perceptron:
    """Return a gate over some experts as one over all, with zeros for those that it does not reach."""
    assert gate.output is not None
    weight = torch.zeros(len(reach), gate.output.weight.shape[1])
    weight[reach] = gate.output.weight
    bias = None if gate.output.bias is None else torch.zeros(len(reach)).masked_scatter(reach, gate.output.bias)
    return Perceptron(gate.hidden, Linear(weight, bias))


@dataclass(frozen=True)
class Transfer:
    """What AITM passes from one task to the next: a layer, and the attention's three maps, ``[width, width]`` each."""

    inform: Perceptron
    value: Tensor
    query: Tensor
    key: Tensor


@dataclass(frozen=True)
class AITMParts(Parts):
    """One bottom per task, and one transfer between each task and the next."""

    bottoms: tuple[Perceptron, ...]
    transfers: tuple[Transfer, ...]

    @override
    def architecture(self, tasks: Sequence[str], **hidden: Any) -> declare.Architecture:
        informs = [transfer.inform for transfer in self.transfers]
        dims = same_dims("bottoms", self.bottoms)
        return declare.AITM(
            order=tuple(tasks), bottom_dims=dims, **self.options(tasks, *self.bottoms, *informs, **hidden)
        )

    @override
    def fill_trunk(self, trunk: nn.AITM, order: Tensor) -> None:
        fill(trunk.bottoms, [bottom.reading(order) for bottom in self.bottoms])
        for i, transfer in enumerate(self.transfers):
            informs, maps = trunk.informs[i], trunk.attentions[i].maps
            assert isinstance(informs, nn.GroupMLP)
            assert isinstance(maps, torch.nn.Linear)
            fill(informs, [transfer.inform])
            maps.weight[:] = torch.cat([transfer.value, transfer.query, transfer.key])
            maps.bias[:] = 0.0
