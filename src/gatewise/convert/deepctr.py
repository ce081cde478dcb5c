"""Models of DeepCTR-Torch: live, or as a specification with weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gatewise.convert.features import remark_on_tables
from gatewise.convert.layers import Hidden, Linear, Norm, Perceptron
from gatewise.convert.live import activation_name, check_count, class_name, only_one
from gatewise.convert.parts import Level, MMoEParts, Parts, PLEParts, SharedBottomParts
from gatewise.convert.source import Source
from gatewise.convert.spec import MODELS, FeatureSpec, Kind, Spec, TaskSpec
from gatewise.errors import DeclarationError, shown

ORDER = ("sparse", "sequence", "dense")


def table(feature: str) -> str:
    """Return the name of the weight of a feature's embedding table."""
    return f"embedding_dict.{feature}.weight"


def order(spec: Spec) -> list[str]:
    """Return the features in the order of the model's input: ids, lists of ids, numbers."""
    return [f.name for f in sorted(spec.features, key=lambda feature: ORDER.index(feature.kind))]


def _hidden(source: Source, prefix: str) -> tuple[Hidden, ...]:
    found = []
    for i in range(source.count(f"{prefix}.linears")):
        linear = Linear(source.take(f"{prefix}.linears.{i}.weight"), source.take(f"{prefix}.linears.{i}.bias"))
        norm = None
        if f"{prefix}.bn.{i}.weight" in source:
            names = ("weight", "bias", "running_mean", "running_var")
            norm = Norm(*(source.take(f"{prefix}.bn.{i}.{name}") for name in names))
        found.append(Hidden(linear, norm, source.maybe(f"{prefix}.activation_layers.{i}.weight")))
    return tuple(found)


def _perceptron(source: Source, hidden: str, final: str, bias: str = "") -> Perceptron:
    """Return hidden layers and the output layer after them, whose bias is elsewhere, if it has one."""
    output = Linear(source.take(f"{final}.weight"), source.take(bias) if bias else None)
    return Perceptron(_hidden(source, hidden), output)


def _towers(source: Source) -> tuple[Perceptron, ...]:
    tasks = source.members("tower_dnn_final_layer")
    return tuple(_perceptron(source, f"tower_dnn.{i}", f"tower_dnn_final_layer.{i}", f"out.{i}.bias") for i in tasks)


def _mmoe(source: Source, _spec: Spec) -> Parts:
    experts = tuple(Perceptron(_hidden(source, f"expert_dnn.{i}")) for i in source.members("expert_dnn"))
    gates = source.members("gate_dnn_final_layer")
    made = tuple(_perceptron(source, f"gate_dnn.{i}", f"gate_dnn_final_layer.{i}") for i in gates)
    return MMoEParts(_towers(source), experts, made)


def _shared_bottom(source: Source, _spec: Spec) -> Parts:
    return SharedBottomParts(_towers(source), Perceptron(_hidden(source, "bottom_dnn")))


def _esmm(source: Source, _spec: Spec) -> Parts:
    towers = tuple(_perceptron(source, f"{part}_dnn", f"{part}_dnn_final_layer", "out.bias") for part in ("ctr", "cvr"))
    return SharedBottomParts(towers, Perceptron(()))


def _ple(source: Source, _spec: Spec) -> Parts:
    levels = source.count("specific_experts")
    return PLEParts(_towers(source), tuple(_level(source, i, last=i == levels - 1) for i in range(levels)))


def _level(source: Source, level: int, *, last: bool) -> Level:
    prefix = f"specific_experts.{level}"
    own = tuple(
        tuple(Perceptron(_hidden(source, f"{prefix}.{task}.{i}")) for i in source.members(f"{prefix}.{task}"))
        for task in source.members(prefix)
    )
    gates = [
        _perceptron(source, f"specific_gate_dnn.{level}.{i}.0", f"specific_gate_dnn_final_layer.{level}.{i}")
        for i in range(len(own))
    ]
    assert gates[0].output is not None
    count = len(gates[0].output.weight) - len(own[0])
    shared = tuple(Perceptron(_hidden(source, f"shared_experts.{level}.0.{i}")) for i in range(count))
    # the library makes as many shared experts as a task has, and a gate after the last level; it reads neither
    source.pass_over(f"shared_experts.{level}")
    if last:
        source.pass_over(f"shared_gate_dnn.{level}")
        source.pass_over(f"shared_gate_dnn_final_layer.{level}")
    else:
        gates.append(_perceptron(source, f"shared_gate_dnn.{level}", f"shared_gate_dnn_final_layer.{level}"))
    return Level(own, shared, tuple(gates))


READERS: dict[str, Callable[[Source, Spec], Parts]] = {
    "MMOE": _mmoe,
    "SharedBottom": _shared_bottom,
    "ESMM": _esmm,
    "PLE": _ple,
}
"""Reads the parts of a model, by class."""


def check(_spec: Spec) -> None:
    """Refuse what the model does not read: nothing."""


def remarks(spec: Spec) -> list[str]:
    """Return where further training differs from that of the old model."""
    return remark_on_tables(spec.features)


FEATURES = {"SparseFeat": "sparse", "VarLenSparseFeat": "sequence", "DenseFeat": "dense"}


def spec_of(model: Any, tasks: Sequence[str] | None) -> Spec:
    """Return the specification of a live model.

    Args:
        model: the model.
        tasks: the tasks' names; None: those that the model was given, which ESMM does not keep.

    Raises:
        DeclarationError: the model has something without a counterpart; names it.
    """
    name = class_name(model, "deepctr-torch", MODELS["deepctr-torch"])
    kinds: list[Kind] = ["binary", "binary"] if name == "ESMM" else [output.task for output in model.out]
    names = check_count(name, getattr(model, "task_names", None) if tasks is None else tasks, kinds)
    parts = [part for part in model.modules() if type(part).__name__ == "DNN"]
    activations = [layer for part in parts for layer in part.activation_layers]
    return Spec(
        name,
        features=[_feature(feature) for feature in model.dnn_feature_columns],
        tasks=[TaskSpec(task, kind=kind) for task, kind in zip(names, kinds, strict=True)],
        activation=only_one("activation", map(activation_name, activations), "relu"),
        dropout=only_one("dropout", (part.dropout_rate for part in parts), 0.0),
    )


def _feature(feature: Any) -> FeatureSpec:
    kind: Any = FEATURES.get(type(feature).__name__)
    if kind is None:
        raise DeclarationError(f"feature {feature!r}: expected one of {shown(FEATURES)}")
    if kind == "dense":
        return FeatureSpec(feature.name, kind=kind, dim=feature.dimension)
    shares = feature.embedding_name if feature.embedding_name != feature.name else None
    if kind == "sparse":
        return FeatureSpec(feature.name, shares=shares)
    padding = 0 if feature.length_name is None else None
    return FeatureSpec(feature.name, kind=kind, pooling=feature.combiner, padding=padding, shares=shares)
