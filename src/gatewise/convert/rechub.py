"""Models of torch-rechub: live, or as a specification with weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gatewise.convert.features import remark_on_tables
from gatewise.convert.layers import Hidden, Linear, Norm, Perceptron
from gatewise.convert.live import activation_name, check_count, class_name, only_one
from gatewise.convert.parts import AITMParts, Level, MMoEParts, Parts, PLEParts, SharedBottomParts, Transfer
from gatewise.convert.source import Source
from gatewise.convert.spec import MODELS, FeatureSpec, Kind, Spec, TaskSpec
from gatewise.errors import DeclarationError, shown

BLOCK = 4
"""Modules per hidden layer: linear map, batch normalisation, activation, dropout."""


def table(feature: str) -> str:
    """Return the name of the weight of a feature's embedding table."""
    return f"embedding.embed_dict.{feature}.weight"


def order(spec: Spec) -> list[str]:
    """Return the features in the order of the model's input: the embedded ones, then the numbers."""
    return [f.name for f in sorted(spec.features, key=lambda feature: feature.kind == "dense")]


def perceptron(source: Source, prefix: str) -> Perceptron:
    """Return a perceptron of torch-rechub, with its output layer if it has one."""
    hidden, at = [], 0
    while f"{prefix}.mlp.{at + 1}.running_mean" in source:
        hidden.append(_hidden(source, f"{prefix}.mlp", at))
        at += BLOCK
    ends = f"{prefix}.mlp.{at}.weight" in source
    return Perceptron(tuple(hidden), _linear(source, f"{prefix}.mlp.{at}") if ends else None)


def gate(source: Source, prefix: str) -> Perceptron:
    """Return a gate: its batch normalisation becomes part of a linear map with a bias."""
    found = perceptron(source, prefix)
    return Perceptron(found.hidden[:-1], found.hidden[-1].folded)


def _hidden(source: Source, prefix: str, at: int) -> Hidden:
    names = ("weight", "bias", "running_mean", "running_var")
    norm = Norm(*(source.take(f"{prefix}.{at + 1}.{name}") for name in names))
    return Hidden(_linear(source, f"{prefix}.{at}"), norm, source.maybe(f"{prefix}.{at + 2}.weight"))


def _linear(source: Source, prefix: str) -> Linear:
    return Linear(source.take(f"{prefix}.weight"), source.maybe(f"{prefix}.bias"))


def perceptrons(source: Source, prefix: str) -> tuple[Perceptron, ...]:
    """Return all members of a list of perceptrons."""
    return tuple(perceptron(source, f"{prefix}.{i}") for i in source.members(prefix))


def _gates(source: Source, prefix: str) -> tuple[Perceptron, ...]:
    return tuple(gate(source, f"{prefix}.{i}") for i in source.members(prefix))


def _mmoe(source: Source, _spec: Spec) -> Parts:
    towers, experts = perceptrons(source, "towers"), perceptrons(source, "experts")
    return MMoEParts(towers, experts, _gates(source, "gates"))


def _shared_bottom(source: Source, _spec: Spec) -> Parts:
    return SharedBottomParts(perceptrons(source, "towers"), perceptron(source, "bottom_mlp"))


def _esmm(source: Source, _spec: Spec) -> Parts:
    towers = (perceptron(source, "tower_ctr"), perceptron(source, "tower_cvr"))
    return SharedBottomParts(towers, Perceptron(()))


def _ple(source: Source, spec: Spec) -> Parts:
    levels = tuple(_level(source, f"cgc_layers.{i}", len(spec.tasks)) for i in source.members("cgc_layers"))
    return PLEParts(perceptrons(source, "towers"), levels)


def _level(source: Source, prefix: str, tasks: int) -> Level:
    experts = perceptrons(source, f"{prefix}.experts_specific")
    each = len(experts) // tasks
    own = tuple(experts[task * each : (task + 1) * each] for task in range(tasks))
    gates = _gates(source, f"{prefix}.gates_specific")
    if f"{prefix}.gate_shared.mlp.0.weight" in source:
        gates += (gate(source, f"{prefix}.gate_shared"),)
    return Level(own, perceptrons(source, f"{prefix}.experts_shared"), gates)


def _aitm(source: Source, spec: Spec) -> Parts:
    if spec.activation != "relu":
        raise DeclarationError(f"AITM: its transfers have activation 'relu', its bottoms {spec.activation!r}")
    maps = ("v_layer", "q_layer", "k_layer")
    transfers = tuple(
        Transfer(perceptron(source, f"info_gates.{i}"), *(source.take(f"aits.{i}.{name}.weight") for name in maps))
        for i in source.members("info_gates")
    )
    return AITMParts(perceptrons(source, "towers"), perceptrons(source, "bottoms"), transfers)


READERS: dict[str, Callable[[Source, Spec], Parts]] = {
    "MMOE": _mmoe,
    "SharedBottom": _shared_bottom,
    "ESMM": _esmm,
    "PLE": _ple,
    "AITM": _aitm,
}
"""Reads the parts of a model, by class."""


def check(spec: Spec) -> None:
    """Refuse features that the model does not read.

    Raises:
        DeclarationError: names the feature.
    """
    for feature in spec.features:
        if spec.model == "ESMM" and feature.kind == "dense":
            raise DeclarationError(f"feature {feature.name!r}: ESMM of torch-rechub reads no dense features")


def remarks(spec: Spec) -> list[str]:
    """Return where further training differs from that of the old model."""
    found = ["the batch normalisation of the gates became their bias"] if spec.model in ("MMOE", "PLE") else []
    return [*found, *remark_on_tables(spec.features)]


FEATURES = {"SparseFeature": "sparse", "SequenceFeature": "sequence", "DenseFeature": "dense"}
KINDS: dict[str, Kind] = {"classification": "binary", "regression": "regression"}
POOLINGS = ("mean", "sum")


def spec_of(model: Any, tasks: Sequence[str] | None, features: Sequence[Any] | None = None) -> Spec:
    """Return the specification of a live model.

    Args:
        model: the model.
        tasks: the tasks' names, which the model does not know.
        features: the model's features, if other than its attribute.

    Raises:
        DeclarationError: the model has something without a counterpart; names it.
    """
    name = class_name(model, "torch-rechub", MODELS["torch-rechub"])
    own = [*model.user_features, *model.item_features] if name == "ESMM" else model.features
    given = own if features is None else features
    if name in ("ESMM", "AITM"):
        kinds: list[Kind] = ["binary"] * (2 if name == "ESMM" else model.n_task)
    else:
        kinds = [KINDS[kind] for kind in model.task_types]
    names = check_count(name, tasks, kinds)
    mlps = {path: part.mlp for path, part in model.named_modules() if type(part).__name__ == "MLP"}
    below = [mlp for path, mlp in mlps.items() if not path.startswith("tower") and "gate" not in path]
    activation, dropout = _hidden_options("experts and bottoms", below)
    of_towers = _hidden_options("towers", [mlp for path, mlp in mlps.items() if path.startswith("tower")])
    return Spec(
        name,
        features=[_feature(feature) for feature in given],
        tasks=[TaskSpec(task, kind=kind) for task, kind in zip(names, kinds, strict=True)],
        activation=activation,
        dropout=dropout,
        tower_activation=of_towers[0] if of_towers[0] != activation else None,
        tower_dropout=of_towers[1] if of_towers[1] != dropout else None,
    )


def _hidden_options(what: str, mlps: Sequence[Any]) -> tuple[str, float]:
    """Return activation and dropout rate of perceptrons, which are the same in all."""
    layers = [layer for mlp in mlps for layer in list(mlp)[: len(mlp) // BLOCK * BLOCK]]
    activation = only_one(f"activation of {what}", map(activation_name, layers[2::BLOCK]), "relu")
    return activation, only_one(f"dropout of {what}", (layer.p for layer in layers[3::BLOCK]), 0.0)


def _feature(feature: Any) -> FeatureSpec:
    kind: Any = FEATURES.get(type(feature).__name__)
    if kind is None:
        raise DeclarationError(f"feature {feature!r}: expected one of {shown(FEATURES)}")
    if kind == "dense":
        return FeatureSpec(feature.name, kind=kind, dim=feature.embed_dim)
    if kind == "sparse":
        return FeatureSpec(feature.name, shares=feature.shared_with)
    if feature.pooling not in POOLINGS:
        raise DeclarationError(f"feature {feature.name!r}: pooling {feature.pooling!r} has no counterpart")
    options = {"pooling": feature.pooling, "padding": feature.padding_idx, "shares": feature.shared_with}
    return FeatureSpec(feature.name, kind=kind, **options)
