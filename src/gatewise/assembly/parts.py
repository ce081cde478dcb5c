"""The parameters of a model, taken apart and named by the features, experts, gates and tasks that they belong to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from torch import Tensor
from torch.nn import Module

from gatewise import nn
from gatewise.errors import DeclarationError
from gatewise.nn.experts import MLPExperts, ModuleExperts
from gatewise.nn.gates import SoftmaxGates

GATE, TOWER, EXPERT = "gate", "tower", "expert"
Key = tuple[Any, ...]
"""Name of a part: what it is, the level, feature, task or expert that it belongs to, and the parameter."""
Expert = tuple[str, int]
"""The unit that owns an expert, and the expert's number within the unit."""
FIRST = ("layers.0.weight", "layers.0.layers.0.weight", "shortcuts.0.weight")
"""Names of the weights of a perceptron that read its input."""
SHARED = "shared"


@dataclass(frozen=True)
class Part:
    """A parameter or buffer, or a piece of one; writing into ``values`` writes into the model.

    Attributes:
        values: a view.
        columns: what the last axis reads, by name; None: it reads what has no name.
        reads: whether the last axis holds weights, so that a column without weights has no effect.
    """

    values: Tensor
    columns: tuple[Hashable, ...] | None = None
    reads: bool = True


class Parts(dict[Key, Part]):
    """Every parameter of a model by name; those of equal meaning in two models have equal names.

    A gate's weight for an expert is named by the expert's relation to the gate: ``own``, or another unit's.

    Args:
        model: the model: a shared bottom, MMoE, CGC or PLE with softmax gates.
        tasks: the tasks' names.

    Attributes:
        experts: by level, the experts in order.
        units: by level, the owners of the gates.

    Raises:
        DeclarationError: the model has parts that cannot be told apart; names the module.
    """

    def __init__(self, model: nn.MultiTaskModel, tasks: Sequence[str]) -> None:
        super().__init__()
        self.tasks = tuple(tasks)
        self.experts: list[tuple[Expert, ...]] = []
        self.units: list[tuple[str, ...]] = []
        seen: Counter[str] = Counter()
        columns = []
        for owner in model.input_layer.owners():
            columns.append((owner, seen[owner]))
            seen[owner] += 1
        self._of_input(model.input_layer)
        self._whole(("side",), model.side_tower)
        read = [columns[column] for column in model.trunk_columns.tolist()]
        read = self._of_features(model.feature_layer, read)
        if model.members is not None:
            self["members",] = Part(model.members.scale.data, tuple(read), reads=False)
        self._of_trunk(model.trunk, read)
        self._of_towers(model.towers, model.num_members)
        self._check_all(model)

    def _of_input(self, layer: nn.InputLayer) -> None:
        layout = layer.layout
        for place, field in enumerate(layer.tables.fields):
            self["table", field.name] = Part(layer.tables.rows_of(place).detach())
        for i, pooling in layer.poolings.items():
            self._whole(("pooling", layout.lists[int(i)].name), pooling)
        for joined, module in zip(layout.joined, layer.joined, strict=True):
            self._whole(("pooling", joined.name), module)
        for column, encoder in layer.readers():
            self._whole(("text", column.name), encoder)
        names = iter(name for name, _ in layer.numbers.widths)
        for embedding in layer.numbers.embeddings:
            state = embedding.state_dict()
            for place in range(len(next(iter(state.values())))):
                number = next(names)
                for name, values in state.items():
                    # bins that a number lacks are padding
                    bins = tuple(range(values.shape[-1])) if values.dim() == 3 else None
                    self["number", number, name] = Part(values[place], bins)

    def _of_features(self, layer: nn.FeatureLayer | None, read: list[Hashable]) -> list[Hashable]:
        """Name the parts before the trunk, and return what the trunk reads."""
        if layer is None:
            return read
        if layer.norm is not None:
            for name, values in layer.norm.state_dict().items():
                # the statistics of a layer norm are those of all columns together
                known = tuple(read) if values.dim() and layer.norm.batch is not None else None
                self["norm", name] = Part(values, known, reads=False)
        if layer.interaction is not None:
            self._whole(("interaction",), layer.interaction)
            read = [("interaction", i) for i in range(layer.output_dim)] if layer.shared is None else []
        if layer.shared is not None:
            self._grouped(("shared layers",), layer.shared, [()], read or None)
            read = [("shared layers", i) for i in range(layer.output_dim)]
        return read

    def _of_trunk(self, trunk: nn.Trunk, read: list[Hashable]) -> None:
        if isinstance(trunk, nn.SharedBottom):
            self._grouped(("bottom",), trunk.bottom, [()], read)
            return
        if not isinstance(trunk, (nn.MMoE, nn.PLE)) or isinstance(trunk, nn.OMoE):
            kind = type(trunk).__name__
            raise DeclarationError(
                f"model: {kind} cannot be changed once trained; shared_bottom, mmoe, cgc and ple can"
            )
        levels: list[Any] = list(trunk.levels)
        for number, level in enumerate(levels):
            experts, gates = level.experts, level.gates
            experts = getattr(experts, "experts", experts) if not isinstance(experts, ModuleExperts) else experts
            if type(gates) is not SoftmaxGates:
                kind = type(gates).__name__
                raise DeclarationError(f"model.gate: {kind} cannot be changed once trained, softmax gates can")
            if not isinstance(experts, MLPExperts):
                raise DeclarationError("model.experts: a list of experts cannot be changed, a number of them can")
            counts = level.experts.counts or (experts.num_experts,)
            owners = trunk.units(self.tasks, number) if level.experts.counts else (SHARED,)
            named = [(owner, i) for owner, count in zip(owners, counts, strict=True) for i in range(count)]
            units = trunk.units(self.tasks, number)[: gates.linear.weight.shape[0]]
            self.experts.append(tuple(named))
            self.units.append(units)
            width = experts.output_dim
            of_experts: Sequence[Hashable] | None
            if number:
                # experts of an MMoE read the mixtures of all tasks; gates, and experts with owners, their own unit's
                across = [(unit, i) for unit in units for i in range(width)]
                of_experts, of_gates = (None if level.experts.counts else across), None
            else:
                of_experts = read
                of_gates = read if gates.columns is None else [read[place] for place in gates.columns.tolist()]
            self._grouped((EXPERT, number), experts.mlp, named, of_experts)
            self._of_gates(number, gates, of_gates)

    def _of_gates(self, level: int, gates: SoftmaxGates, read: list[Hashable] | None) -> None:
        units = self.units[level]
        self._whole(("temperature", level), gates.temperature)
        self._grouped((GATE, level), gates.hidden, [(unit,) for unit in units], read)
        last = tuple(read) if read is not None and not len(gates.hidden.layers) else None
        for place, unit in enumerate(units):
            for number, expert in enumerate(self.experts[level]):
                key = gate_key(level, unit, expert)
                self[*key, "weight"] = Part(gates.linear.weight.data[place, number], last)
                if gates.linear.bias is not None:
                    self[*key, "bias"] = Part(gates.linear.bias.data[place, number])

    def _of_towers(self, towers: nn.AnyTowers, members: int) -> None:
        owners = [(task, member) for member in range(members) for task in self.tasks]
        stages = towers.parts() if isinstance(towers, nn.LinkedTowers) else [(tuple(range(len(owners))), towers)]
        for stage, own in stages:
            named = [owners[place] for place in stage]
            self._grouped((TOWER,), own.hidden, named, None)
            for owner, (start, stop) in zip(named, pairwise(accumulate(own.output_dims, initial=0)), strict=True):
                self[TOWER, *owner, "weight"] = Part(own.weight.data[start:stop])
                self[TOWER, *owner, "bias"] = Part(own.bias.data[start:stop])

    def _whole(self, key: Key, module: Module | None) -> None:
        for name, values in ({} if module is None else module.state_dict()).items():
            self[*key, name] = Part(values)

    def _grouped(self, key: Key, module: Module, named: Sequence[Key], read: Sequence[Hashable] | None) -> None:
        """Name the parts of perceptrons side by side, one per entry of ``named``."""
        for name, values in module.state_dict().items():
            if not values.dim():
                self[*key, name] = Part(values)
                continue
            # batch norm has the units of all groups in one axis
            groups = values if len(values) == len(named) else values.view(len(named), -1, *values.shape[1:])
            columns = tuple(read) if read is not None and name in FIRST else None
            for group, own in zip(named, groups, strict=True):
                self[*key, *group, name] = Part(own, columns)

    def _check_all(self, model: nn.MultiTaskModel) -> None:
        named = sum(part.values.numel() for part in self.values())
        there = sum(values.numel() for values in model.state_dict().values())
        if named != there:
            raise DeclarationError("model: it has modules of which is not known what they belong to: train a new one")


def gate_key(level: int, unit: str, expert: Expert) -> Key:
    """Return the name of a gate's weights for an expert."""
    owner, number = expert
    return (GATE, level, unit, "own" if owner == unit and unit != SHARED else owner, number)
