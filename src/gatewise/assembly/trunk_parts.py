"""The parameters of every kind of trunk, named by the features, experts, gates and tasks that they belong to."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import Identity, Module

from gatewise import nn
from gatewise.errors import DeclarationError
from gatewise.layout import Layout
from gatewise.nn.experts import MLPExperts
from gatewise.nn.gates import SoftmaxGates
from gatewise.nn.trunks.adatt import Fusion

if TYPE_CHECKING:
    from gatewise.assembly.parts import Columns, Expert, Key, Parts

GATE, EXPERT, NATIVE = "gate", "expert", "native"
SHARED = "shared"
"""The unit of shared experts."""
ALL = "all"
"""The owner of a single gate."""


def name_trunk(parts: Parts, trunk: nn.Trunk, read: Columns, layout: Layout) -> Columns | None:
    """Name the parameters of a trunk.

    Args:
        parts: takes the parts, levels and what is fixed.
        trunk: the trunk.
        read: the names of its input's columns.
        layout: the encoded columns, for trunks that read sequences.

    Returns:
        The names of what towers read; None: hidden units, which have no name.

    Raises:
        DeclarationError: the trunk or its gates have parts of which is not known what they belong to.
    """
    if isinstance(trunk, nn.MoSE):
        return _of_mose(parts, trunk, read, layout)
    for kind, name in NAMED.items():
        if type(trunk) is kind:
            name(parts, trunk, read)
            return None
    raise DeclarationError(
        f"model: the parts of {type(trunk).__name__}, a trunk of one's own, cannot be told apart: train a new model"
    )


def gate_key(level: int, unit: str, expert: Expert) -> Key:
    """Return the name of a gate's weights for an expert."""
    owner, number = expert
    return (GATE, level, unit, "own" if owner == unit and unit != SHARED else owner, number)


def _of_bottom(parts: Parts, trunk: nn.SharedBottom, read: Columns) -> None:
    parts.grouped(("bottom",), trunk.bottom, [()], read)


def _of_bottoms(parts: Parts, trunk: nn.SingleTask, read: Columns) -> None:
    parts.grouped(("bottom",), trunk.bottoms, _by(parts.tasks), read)


def _of_stitched(parts: Parts, trunk: nn.CrossStitch, read: Columns) -> None:
    for number, (layer, stitch) in enumerate(zip(trunk.layers, trunk.stitches, strict=True)):
        parts.grouped(("layer", number), layer, _by(parts.tasks), None if number else read)
        for task, row in zip(parts.tasks, stitch.detach(), strict=True):
            # what a task takes of a new one is nothing at first
            parts.add(("stitch", number, task), row, parts.tasks)


def _of_aitm(parts: Parts, trunk: nn.AITM, read: Columns) -> None:
    order = [parts.tasks[place] for place in trunk.order]
    parts.fixed["order"] = [task for task in order if task in parts.common]
    if set(order[: len(parts.common)]) != parts.common:
        raise DeclarationError(
            "model.order: a task passes on what it learnt to the next one, so that only the last tasks may be new or "
            f"gone: expected {', '.join(parts.fixed['order'])} first, found {', '.join(order)}"
        )
    parts.grouped(("bottom",), trunk.bottoms, _by(parts.tasks), read)
    for task, inform, attend in zip(order[1:], trunk.informs, trunk.attentions, strict=True):
        parts.whole(("inform", task), inform)
        parts.whole(("attention", task), attend)


def _of_pepnet(parts: Parts, trunk: nn.PEPNet, read: Columns) -> None:
    of_units = [[("prior", read[place]) for place in columns.tolist()] for columns in (trunk.scenario, trunk.priors)]
    scenario, priors = ([*first, *read] for first in of_units)
    unit = trunk.embedding_gate
    parts.grouped(("embedding gate",), unit.hidden, [()], scenario)
    last = None if unit.hidden.layers else scenario
    for column, weight, bias in zip(read, unit.linear.weight[0].detach(), _bias(unit.linear)[0], strict=True):
        # a factor per column of the input; that of a new column may be any, as nothing reads the column yet
        parts.add(("embedding gate", column, "weight"), weight, last)
        parts.add(("embedding gate", column, "bias"), bias)
    unit, tasks = trunk.layer_gates, _by(parts.tasks)
    parts.grouped(("layer gate",), unit.hidden, tasks, priors)
    for (task,), weight, bias in zip(tasks, unit.linear.weight.detach(), _bias(unit.linear), strict=True):
        parts.add(("layer gate", task, "weight"), weight, None if unit.hidden.layers else priors)
        parts.add(("layer gate", task, "bias"), bias)
    for number, layer in enumerate(trunk.layers):
        parts.grouped(("layer", number), layer, tasks, None if number else read)


def _of_mixtures(parts: Parts, trunk: nn.MMoE, read: Columns) -> None:
    levels: list[Any] = list(trunk.levels)
    for number, level in enumerate(levels):
        experts = level.experts
        perceptrons = _perceptrons(getattr(experts, "experts", experts))
        named = [(SHARED, i) for i in range(perceptrons.num_experts)]
        single = isinstance(trunk, nn.OMoE)
        units = (ALL,) if single else trunk.units(parts.tasks, number)[:-1]
        parts.add_level(named, units)
        # the experts of a further level read the mixtures of all gates
        across = [(unit, i) for unit in units for i in range(perceptrons.output_dim)]
        parts.grouped((EXPERT, number), perceptrons.mlp, named, across if number else read)
        _of_gates(parts, number, level.gates, None if number else read)


def _of_owned(parts: Parts, trunk: nn.PLE | nn.AdaTT, read: Columns) -> None:
    levels: list[Any] = list(trunk.levels)
    for number, level in enumerate(levels):
        experts = level.experts
        named = _owned(trunk.units(parts.tasks, number), experts.counts)
        units = trunk.units(parts.tasks, number)[: level.units]
        parts.add_level(named, units, getattr(level.gates, "reach", None))
        parts.grouped((EXPERT, number), experts.experts.mlp, named, None if number else read)
        _of_gates(parts, number, level.gates, None if number else read)
        if isinstance(level, Fusion):
            for expert, weight in zip(named, level.native.detach(), strict=True):
                parts.add((NATIVE, number, *expert), weight)


def _of_stem(parts: Parts, trunk: nn.STEM, read: Columns) -> None:
    named = _owned(trunk.units(parts.tasks, 0), trunk.experts.counts)
    level = parts.add_level(named, parts.tasks)
    # feature and number alike in the embeddings of every task: who owns them is left out
    own: list[Hashable] = [(read[place][0], read[place][-1]) for place in trunk.columns[0].tolist()]
    parts.grouped((EXPERT, level), trunk.experts.experts.mlp, named, own)
    _of_gates(parts, level, trunk.gates, own)


def _of_home(parts: Parts, trunk: nn.HoME, read: Columns) -> None:
    members: dict[int, list[str]] = {}
    for task, group in zip(parts.tasks, trunk.group.tolist(), strict=True):
        members.setdefault(group, []).append(task)
    known = [sorted(parts.common.intersection(members[group])) for group in sorted(members)]
    parts.fixed["groups"] = sorted(group for group in known if group)
    groups = [
        "group " + "+".join(group or ("new", *members[number]))
        for group, number in zip(known, sorted(members), strict=True)
    ]
    below, above = (*groups, SHARED), (*parts.tasks, *groups, SHARED)
    levels: list[Any] = [(trunk.below, below, below, read), (trunk.above, above, parts.tasks, None)]
    for part, owners, units, first in levels:
        experts = part.experts
        named = _owned(owners, experts.counts)
        level = parts.add_level(named, units, part.gates.reach)
        parts.grouped((EXPERT, level), experts.experts.mlp, named, first)
        opened = experts.feature_gates
        for expert, down, up in zip(named, opened.down.weight.detach(), opened.up.weight.detach(), strict=True):
            parts.add((EXPERT, level, *expert, "down"), down, first)
            for column, weights in zip(range(len(up)) if first is None else first, up, strict=True):
                parts.add((EXPERT, level, *expert, "up", column), weights)
        _of_gates(parts, level, part.gates, first)
        of_own = part.self_gates
        parts.grouped(("self gate", level), of_own.hidden, _by(units), first)
        for unit, weights in zip(units, of_own.linear.weight.detach(), strict=True):
            parts.add(("self gate", level, unit, "weight"), weights, None if of_own.hidden.layers else first)


def _of_facets(parts: Parts, trunk: nn.FacetAwareMoE, read: Columns) -> None:
    content, facet = ([read[place] for place in columns.tolist()] for columns in (trunk.content, trunk.facet))
    enter: Any = trunk.enter
    same = isinstance(enter, Identity)
    entered = torch.eye(len(content), device=trunk.content.device) if same else enter.weight.detach()
    for column, weights in zip(content, entered, strict=True):
        parts.add(("facet", column), weights, facet, made=same)
    experts: Any = trunk.experts
    named = [(SHARED, i) for i in range(experts.num_experts)]
    level = parts.add_level(named, (ALL,))
    parts.grouped((EXPERT, level), experts.heads, named, content)
    parts.grouped((EXPERT, level), experts.join, named, None)
    _of_gates(parts, level, trunk.gates, content)


def _of_mose(parts: Parts, trunk: nn.MoSE, read: Columns, layout: Layout) -> Columns:
    apart = [column for column in layout.lists if column.apart][trunk.sequence]
    parts.fixed["sequence"] = apart.name
    named = [(SHARED, i) for i in range(trunk.experts.num_experts)]
    level = parts.add_level(named, parts.tasks)
    for expert, reader in zip(named, trunk.experts.experts, strict=True):
        parts.whole((EXPERT, level, *expert), reader)
    items = [(apart.name, "mean", i) for i in range(layout.fields[apart.field].dim)]
    _of_gates(parts, level, trunk.gates, [*read, *items])
    return [*read, *(("mixture", i) for i in range(trunk.experts.output_dim))]


NAMED: dict[type[nn.Trunk], Callable[[Parts, Any, Columns], None]] = {
    nn.SharedBottom: _of_bottom,
    nn.SingleTask: _of_bottoms,
    nn.CrossStitch: _of_stitched,
    nn.AITM: _of_aitm,
    nn.PEPNet: _of_pepnet,
    nn.MMoE: _of_mixtures,
    nn.OMoE: _of_mixtures,
    nn.CGC: _of_owned,
    nn.PLE: _of_owned,
    nn.AdaTT: _of_owned,
    nn.STEM: _of_stem,
    nn.HoME: _of_home,
    nn.FacetAwareMoE: _of_facets,
}
"""What names the parts of a kind of trunk; beside these there is MoSE, which reads sequences."""


def _by(names: Sequence[str]) -> list[tuple[str]]:
    return [(name,) for name in names]


def _owned(owners: Sequence[str], counts: Sequence[int]) -> list[tuple[str, int]]:
    return [(owner, i) for owner, count in zip(owners, counts, strict=True) for i in range(count)]


def _bias(linear: nn.GroupLinear) -> Tensor:
    assert linear.bias is not None
    return linear.bias.detach()


def _perceptrons(experts: Module) -> MLPExperts:
    if not isinstance(experts, MLPExperts):
        raise DeclarationError("model.experts: a list of experts cannot be changed, a number of them can")
    return experts


def _of_gates(parts: Parts, level: int, gates: Module, read: Columns | None) -> None:
    if type(gates) is not SoftmaxGates:
        kind = type(gates).__name__
        raise DeclarationError(f"model.gate: {kind} cannot be changed once trained, softmax gates can")
    units = parts.units[level]
    if read is not None and gates.columns is not None:
        read = [read[place] for place in gates.columns.tolist()]
    parts.whole(("temperature", level), gates.temperature)
    parts.grouped((GATE, level), gates.hidden, _by(units), read)
    last = None if len(gates.hidden.layers) else read
    for place, unit in enumerate(units):
        for number, expert in enumerate(parts.experts[level]):
            key = gate_key(level, unit, expert)
            parts.add((*key, "weight"), gates.linear.weight.data[place, number], last)
            if gates.linear.bias is not None:
                parts.add((*key, "bias"), gates.linear.bias.data[place, number])
