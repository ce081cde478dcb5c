"""The parameters of a model, taken apart and named by the features, experts, gates and tasks that they belong to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from torch import Tensor
from torch.nn import Module

from gatewise import nn
from gatewise.assembly.trunk_parts import name_trunk
from gatewise.errors import DeclarationError

TOWER = "tower"
Key = tuple[Any, ...]
"""Name of a part: what it is, the level, feature, task or expert that it belongs to, and the parameter."""
Expert = tuple[str, int]
"""The unit that owns an expert, and the expert's number within the unit."""
Columns = Sequence[Hashable]
"""Names of what the last axis of a parameter reads."""
FIRST = ("layers.0.weight", "layers.0.layers.0.weight", "shortcuts.0.weight")
"""Names of the weights of a perceptron that read its input."""


@dataclass(frozen=True)
class Part:
    """A parameter or buffer, or a piece of one; writing into ``values`` writes into the model.

    Attributes:
        values: a view.
        columns: what the last axis reads, by name; None: it reads what has no name.
        reads: whether the last axis holds weights, so that a column without weights has no effect.
        made: whether the values stand for a layer that the model does not have, such as an identity.
    """

    values: Tensor
    columns: tuple[Hashable, ...] | None = None
    reads: bool = True
    made: bool = False


class Parts(dict[Key, Part]):
    """Every parameter of a model by name; those of equal meaning in two models have equal names.

    A gate's weight for an expert is named by the expert's relation to the gate: ``own``, or another unit's.

    Args:
        model: the model; its gates are softmax gates, if it has any.
        tasks: the tasks' names.
        common: the names of those tasks that the other model has, too; None: all of them.

    Attributes:
        experts: by level, the experts in order.
        units: by level, the owners of the gates.
        fixed: what the trunk reads or how its tasks belong together, by the option that says so.

    Raises:
        DeclarationError: the model has parts that cannot be told apart; names the module.
    """

    def __init__(self, model: nn.MultiTaskModel, tasks: Sequence[str], common: Collection[str] | None = None) -> None:
        super().__init__()
        self.tasks = tuple(tasks)
        self.common = set(tasks if common is None else common)
        self.experts: list[tuple[Expert, ...]] = []
        self.units: list[tuple[str, ...]] = []
        self.fixed: dict[str, Any] = {}
        self._reach: list[Tensor | None] = []
        columns = self._columns(model)
        self._of_input(model.input_layer, self._sets(model.trunk))
        self.whole(("side",), model.side_tower)
        read = [columns[column] for column in model.trunk_columns.tolist()]
        read = self._of_features(model.feature_layer, read)
        if model.members is not None:
            self["members",] = Part(model.members.scale.data, tuple(read), reads=False)
        read_by_towers = name_trunk(self, model.trunk, read, model.input_layer.layout)
        self._of_towers(model.towers, model.num_members, read_by_towers)
        self._check_all(model)

    def add(self, key: Key, values: Tensor, read: Columns | None = None, *, made: bool = False) -> None:
        """Name a parameter or a piece of one, whose last axis reads what is given."""
        self[key] = Part(values, None if read is None else tuple(read), made=made)

    def add_level(self, experts: Columns, units: Sequence[str], reach: Tensor | None = None) -> int:
        """Add a level of experts and gates, and return its number.

        Args:
            experts: the experts in order.
            units: the owners of the gates.
            reach: the experts that each gate weighs, ``[gate, expert]`` bool; None: all.
        """
        self.experts.append(tuple(experts))  # type: ignore[arg-type]
        self.units.append(tuple(units))
        self._reach.append(reach)
        return len(self.experts) - 1

    def reaches(self, level: int, unit: str, expert: Expert) -> bool:
        """Return whether the gate of a unit weighs an expert."""
        if unit not in self.units[level] or expert not in self.experts[level]:
            return False
        reach = self._reach[level]
        return reach is None or bool(reach[self.units[level].index(unit), self.experts[level].index(expert)])

    def _sets(self, trunk: nn.Trunk) -> tuple[str, ...]:
        """Return the owners of a value's several embeddings, in order; none where it has one."""
        return (*self.tasks, "shared") if isinstance(trunk, nn.STEM) else ()

    def _columns(self, model: nn.MultiTaskModel) -> list[Hashable]:
        """Return the name of every column of the input: feature, perhaps owner of the embedding, and number."""
        owners = model.input_layer.owners()
        keys: list[tuple[str, ...]] = [(owner,) for owner in owners]
        if isinstance(model.trunk, nn.STEM):
            read_by: dict[int, list[str]] = {}
            for unit, places in zip(self._sets(model.trunk), model.trunk.columns.tolist(), strict=True):
                for place in places:
                    read_by.setdefault(int(model.trunk_columns[place]), []).append(unit)
            # a number is in all sets
            keys = [(*key, *(own if len(own := read_by.get(i, [])) == 1 else ())) for i, key in enumerate(keys)]
        seen: Counter[tuple[str, ...]] = Counter()
        columns: list[Hashable] = []
        for key in keys:
            columns.append((*key, seen[key]))
            seen[key] += 1
        return columns

    def _of_input(self, layer: nn.InputLayer, sets: Sequence[str]) -> None:
        layout = layer.layout
        for place, field in enumerate(layer.tables.fields):
            values = layer.tables.rows_of(place).detach()
            width = values.shape[1] // max(len(sets), 1)
            of_sets = tuple((unit, i) for unit in sets for i in range(width))
            self["table", field.name] = Part(values, of_sets or None, reads=False)
        for i, pooling in layer.poolings.items():
            self.whole(("pooling", layout.lists[int(i)].name), pooling)
        for joined, module in zip(layout.joined, layer.joined, strict=True):
            self.whole(("pooling", joined.name), module)
        for column, encoder in layer.readers():
            self.whole(("text", column.name), encoder)
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
            self.whole(("interaction",), layer.interaction)
            read = [("interaction", i) for i in range(layer.output_dim)] if layer.shared is None else []
        if layer.shared is not None:
            self.grouped(("shared layers",), layer.shared, [()], read or None)
            read = [("shared layers", i) for i in range(layer.output_dim)]
        return read

    def _of_towers(self, towers: nn.AnyTowers, members: int, read: Columns | None) -> None:
        owners = [(task, member) for member in range(members) for task in self.tasks]
        stages = towers.parts() if isinstance(towers, nn.LinkedTowers) else [(tuple(range(len(owners))), towers)]
        for stage, own in stages:
            named = [owners[place] for place in stage]
            self.grouped((TOWER,), own.hidden, named, read)
            last = None if read is None or own.hidden.output_dim != own.weight.shape[1] or own.hidden.layers else read
            for owner, (start, stop) in zip(named, pairwise(accumulate(own.output_dims, initial=0)), strict=True):
                self[TOWER, *owner, "weight"] = Part(own.weight.data[start:stop], named_columns(last, own.weight))
                self[TOWER, *owner, "bias"] = Part(own.bias.data[start:stop])

    def whole(self, key: Key, module: Module | None) -> None:
        """Name the parameters of a module, each as a whole."""
        for name, values in ({} if module is None else module.state_dict()).items():
            self[*key, name] = Part(values)

    def grouped(self, key: Key, module: Module, named: Sequence[Key], read: Columns | None) -> None:
        """Name the parts of perceptrons side by side, one per entry of ``named``, whose first layers read ``read``."""
        for name, values in module.state_dict().items():
            if not values.dim():
                self[*key, name] = Part(values)
                continue
            # batch norm has the units of all groups in one axis
            groups = values if len(values) == len(named) else values.view(len(named), -1, *values.shape[1:])
            for group, own in zip(named, groups, strict=True):
                self[*key, *group, name] = Part(own, named_columns(read, own) if name in FIRST else None)

    def _check_all(self, model: nn.MultiTaskModel) -> None:
        named = sum(part.values.numel() for part in self.values() if not part.made)
        there = sum(values.numel() for values in model.state_dict().values())
        if named != there:
            raise DeclarationError("model: it has modules of which is not known what they belong to: train a new one")


def named_columns(read: Columns | None, values: Tensor) -> tuple[Hashable, ...] | None:
    """Return the names of the last axis of weights, which may read more than what has a name; None: nothing has."""
    if read is None:
        return None
    return (*read, *(("beside", i) for i in range(values.shape[-1] - len(read))))
