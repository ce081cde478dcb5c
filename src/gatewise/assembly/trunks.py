"""From declared architectures to trunks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property, partial
from typing import Any

from torch.nn import Module

from gatewise import declare, nn
from gatewise.assembly.experts import expert_options
from gatewise.assembly.hidden import hidden_layers
from gatewise.errors import DeclarationError
from gatewise.nn import GateMaker

TRUNKS: dict[type[declare.Architecture], type[nn.Trunk]] = {
    declare.SingleTask: nn.SingleTask,
    declare.SharedBottom: nn.SharedBottom,
    declare.OMoE: nn.OMoE,
    declare.MMoE: nn.MMoE,
    declare.FacetAwareMoE: nn.FacetAwareMoE,
    declare.MoSE: nn.MoSE,
    declare.CGC: nn.CGC,
    declare.PLE: nn.PLE,
    declare.AdaTT: nn.AdaTT,
    declare.PEPNet: nn.PEPNet,
    declare.STEM: nn.STEM,
    declare.CrossStitch: nn.CrossStitch,
    declare.AITM: nn.AITM,
    declare.HoME: nn.HoME,
}
GATES: dict[type[declare.AnyGate], type[nn.Gates]] = {
    declare.SoftmaxGate: nn.SoftmaxGates,
    declare.AttentionGate: nn.AttentionGates,
    declare.TopKGate: nn.TopKGates,
    declare.DSelectKGate: nn.DSelectKGates,
}
OF_HIDDEN_LAYERS = {f"{part}_{option}" for part in ("expert", "gate") for option in ("activation", "dropout")}
NOT_THE_TRUNKS = {field.name for field in fields(declare.Architecture)} | OF_HIDDEN_LAYERS | {"kind"}
"""Fields that are not arguments of the trunk's constructor under their own name."""


@dataclass(frozen=True)
class TrunkContext:
    """The context of a trunk: the input layer that it reads and the tasks that it serves.

    Attributes:
        input_layer: the input layer below the trunk.
        tasks: the names of the tasks, in the order of the outputs.
        side: the names of features that the trunk does not read.
        interaction_dim: output width of the interaction before the trunk; None: no interaction.
    """

    input_layer: nn.InputLayer
    tasks: tuple[str, ...]
    side: tuple[str, ...] = ()
    interaction_dim: int | None = None

    @classmethod
    def of(cls, architecture: declare.Architecture, input_layer: nn.InputLayer, tasks: Iterable[str]) -> TrunkContext:
        """Return the context of an architecture's trunk."""
        side = architecture.side
        return cls(input_layer, tuple(tasks), () if side is None else tuple(side.features))

    @cached_property
    def kept(self) -> dict[int, int]:
        """The input layer's columns that the trunk reads, with their positions in the trunk's input."""
        aside = {column for name in self.side for column in self.input_layer.columns_of(name)}
        columns = (column for column in range(self.input_layer.output_dim) if column not in aside)
        return {column: place for place, column in enumerate(columns)}

    def input_dim(self, architecture: declare.Architecture) -> int:
        """Return the trunk's input width."""
        if architecture.shared_dims:
            return architecture.shared_dims[-1]
        return len(self.kept) if self.interaction_dim is None else self.interaction_dim

    def columns(self, features: tuple[str, ...]) -> tuple[int, ...]:
        """Return the columns of the features in the trunk's input."""
        for name in features:
            if name in self.side:
                raise DeclarationError(f"side.features: {name!r} is also read by the rest of the model")
        return tuple(self.kept[column] for name in features for column in self.input_layer.columns_of(name))

    def embedding_sets(self, count: int) -> tuple[tuple[int, ...], ...]:
        """Return the columns of ``count`` embedding sets, side by side in every feature; all sets hold the numbers."""
        embedded, numbers = self.input_layer.blocks()
        parts = [
            [block[i * len(block) // count : (i + 1) * len(block) // count] for i in range(count)] for block in embedded
        ]
        found = [[*(column for part in parts for column in part[i]), *numbers] for i in range(count)]
        return tuple(tuple(self.kept[column] for column in columns if column in self.kept) for columns in found)

    def blocks(self) -> list[list[int]]:
        """Return the columns of each feature in the trunk's input, with all numbers as the last block."""
        embedded, numbers = self.input_layer.blocks()
        found = [[self.kept[column] for column in block if column in self.kept] for block in (*embedded, numbers)]
        return [block for block in found if block]

    def unpooled(self) -> dict[str, int]:
        """Return the widths of the sequences that are not pooled, by name and in order."""
        layout = self.input_layer.layout
        return {column.name: layout.fields[column.field].dim for column in layout.lists if column.apart}

    def positions(self, tasks: tuple[str, ...]) -> tuple[int, ...]:
        """Return the positions of tasks among all tasks."""
        return tuple(self.tasks.index(name) for name in tasks)


def build_trunk(architecture: declare.Architecture, context: TrunkContext) -> nn.Trunk:
    """Return the declared trunk; its constructor takes the declaration's fields by name."""
    if declare.class_of(architecture) is not None:
        made = declare.made_of(architecture, input_dim=context.input_dim(architecture), num_tasks=len(context.tasks))
        return checked_trunk(made, getattr(architecture, "kind", ""), len(context.tasks))
    names = [field.name for field in fields(architecture) if field.name not in NOT_THE_TRUNKS]
    options: dict[str, Any] = {name: getattr(architecture, name) for name in names}
    for name in options.keys() & RESOLVED.keys():
        options[name] = RESOLVED[name](options[name], context)
    options["hidden"] = hidden_layers(architecture, "expert")
    if isinstance(architecture, declare.GatedArchitecture):
        options["gate_hidden"] = hidden_layers(architecture, "gate")
    if type(architecture) in DERIVED:
        options |= DERIVED[type(architecture)](architecture, context)
    return TRUNKS[type(architecture)](context.input_dim(architecture), len(context.tasks), **options)


def checked_trunk(trunk: Any, kind: str, num_tasks: int) -> nn.Trunk:
    """Return a registered trunk, after checks of its interface."""
    width = getattr(trunk, "output_dim", None)
    if not isinstance(width, int) or width < 1:
        raise DeclarationError(f"model {kind!r}: expected a trunk with its width as output_dim, found {width!r}")
    if getattr(trunk, "num_tasks", num_tasks) != num_tasks:
        raise DeclarationError(f"model {kind!r}: expected a trunk of {num_tasks} tasks, found {trunk.num_tasks}")
    trunk.num_tasks = num_tasks
    made: nn.Trunk = trunk
    return made


def gate_makers(
    gates: declare.AnyGate | tuple[declare.AnyGate, ...], context: TrunkContext
) -> GateMaker | list[GateMaker]:
    """Return the maker of the declared gates, or one maker per task."""
    return [gate_maker(gate, context) for gate in gates] if isinstance(gates, tuple) else gate_maker(gates, context)


def gate_maker(gate: declare.AnyGate, context: TrunkContext) -> GateMaker:
    """Return the maker of one declared kind of gate."""
    options = {
        field.name: getattr(gate, field.name) for field in fields(gate) if field.name not in ("kind", "features")
    }
    if gate.features:
        options["columns"] = context.columns(tuple(gate.features))
    if declare.class_of(gate) is not None:
        return partial(_registered_gate, gate, options)
    return partial(GATES[type(gate)], **options)


def _registered_gate(
    gate: Any,
    options: dict[str, Any],
    input_dim: int,
    num_gates: int,
    num_experts: int,
    dims: Any,
    *,
    hidden: nn.Hidden,
    **how: Any,
) -> Module:
    """Return gates of a registered kind for one level of experts."""
    how |= {"activation": hidden.activation, "norm": hidden.norm}
    sizes = {"input_dim": input_dim, "num_gates": num_gates, "num_experts": num_experts, "dims": dims}
    cls = declare.class_of(gate)
    if "reach" in how and "reach" not in declare.taken_by(cls, how):
        raise DeclarationError(
            f"gate {gate.kind!r}: takes no 'reach', and gates of this model weigh some of the experts only"
        )
    made: Module = cls(**declare.taken_by(cls, {**options, **sizes, **how}))
    return made


def group_positions(groups: Mapping[str, tuple[str, ...]], context: TrunkContext) -> tuple[tuple[int, ...], ...]:
    """Return the positions of every group's tasks; groups and tasks are in the order of the tasks."""
    return tuple(sorted(tuple(sorted(context.positions(tasks))) for tasks in groups.values()))


RESOLVED: dict[str, Callable[[Any, TrunkContext], Any]] = {
    "gate": gate_makers,
    "groups": group_positions,
    "facet": lambda name, context: context.columns((name,)),
    "scenario": lambda names, context: context.columns(names),
    "priors": lambda names, context: context.columns(names),
    "order": lambda names, context: context.positions(names),
}
"""Options that a trunk takes in another form than declared, such as columns instead of feature names."""


def _of_stem(architecture: declare.STEM, context: TrunkContext) -> dict[str, Any]:
    return {"sets": context.embedding_sets(architecture.embedding_sets(len(context.tasks)))}


def _of_mose(architecture: declare.MoSE, context: TrunkContext) -> dict[str, Any]:
    widths = context.unpooled()
    name = architecture.sequence or next(iter(widths))
    return {"sequence": list(widths).index(name), "sequence_dim": widths[name]}


def _of_mixture(architecture: declare.MMoE | declare.OMoE, context: TrunkContext) -> dict[str, Any]:
    return expert_options(architecture, context.input_dim(architecture))


DERIVED: dict[type[declare.Architecture], Callable[[Any, TrunkContext], dict[str, Any]]] = {
    declare.OMoE: _of_mixture,
    declare.MMoE: _of_mixture,
    declare.STEM: _of_stem,
    declare.MoSE: _of_mose,
}
"""Arguments of a trunk that follow from the input layer."""
