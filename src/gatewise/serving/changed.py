"""Change: other features, tasks and experts for a trained scorer, without losing what it learnt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, NamedTuple

from gatewise import declare
from gatewise.assembly import build_model, build_tasks, carry_over
from gatewise.calibration import Calibration
from gatewise.data import TableEncoder
from gatewise.errors import DeclarationError, TableError, shown
from gatewise.serving.scorer import Scorer

OF_CHANGE = ("experts", "own_experts", "shared_experts", "gate", "tower_dims", "order", "groups", "sequence")
"""Options of a model that may change: numbers of experts, what is given per task, what new features and tasks need."""
AS_TRAINED = {"home": ("experts",)}
"""Options that may not, by kind of model: a HoME's self-gates have no bias by which copies could share a weight."""
OF_TRAINING = ("dropout", "l1_", "l2_")
"""Parts of the names of options that no weight depends on."""
FREE = ("weight", "metrics")
"""Options of a task that a trained model does not depend on."""


class ModelChange(NamedTuple):
    """What became of a feature, a task, or the experts.

    Attributes:
        what: ``feature``, ``task`` or ``experts``.
        name: its name.
        became: ``kept``, ``new``, ``declared anew`` or ``gone``.
        how: how it begins, in words.
    """

    what: str
    name: str
    became: str
    how: str = ""


def changed(
    scorer: Scorer,
    before: declare.AnyArchitecture,
    schema: declare.Schema,
    after: declare.AnyArchitecture,
    table: Any = None,
    seed: int = 0,
) -> tuple[Scorer, list[ModelChange]]:
    """Return a scorer with other features, tasks and experts, and what became of each of them.

    The new scorer predicts what the old one does, for the tasks of both, unless a feature, or an expert's owner, is
    gone. The old scorer stays as it is.

    Args:
        scorer: the trained scorer.
        before: the architecture of its model.
        schema: other features and tasks; those of equal name must be declared alike.
        after: the architecture of the new model, of the same kind.
        table: any table with the columns of the new schema, from which what is new learns vocabularies and statistics.
        seed: seed of new weights.

    Raises:
        DeclarationError: a feature or task of equal name is declared otherwise, or the model differs in more than
            experts, or is one that cannot be changed; names it.
        TableError: there are new features or tasks, and no table; or the table lacks a column.
    """
    old = scorer.encoder.schema
    _check_model(before, after)
    features = _compared("feature", _by_name(old.features), _by_name(schema.features), ())
    tasks = _compared("task", _by_name(old.tasks), _by_name(schema.tasks), FREE)
    encoder = scorer.encoder.changed(schema, _learnt(schema, [*features, *tasks], table))
    built = build_tasks(schema, encoder.statistics)
    model = build_model(after, encoder.layout, built, seed, scorer.model.input_layer.tables.kind)
    names = [task.name for task in built]
    carry_over(scorer.model, [task.name for task in scorer.tasks], model, names, seed)
    outputs = {name for task in built for name in task.outputs}
    kept = {name: made for name, made in scorer.calibration.calibrators.items() if name in outputs}
    made = Scorer(encoder, model.to(scorer.device).eval(), built, Calibration(kept), scorer.fusion)
    return made, [*features, *tasks, *_experts(before, after)]


def _check_model(before: declare.AnyArchitecture, after: declare.AnyArchitecture) -> None:
    """Refuse another kind of model, and options that would make other layers of the same kind."""
    if type(before) is not type(after):
        raise DeclarationError(f"model: expected {before.kind!r}, as the model was trained, found {after.kind!r}")
    for option in _differing(before, after):
        may = option in OF_CHANGE and option not in AS_TRAINED.get(before.kind, ())
        if not may and not any(part in option for part in OF_TRAINING):
            expected, found = getattr(before, option), getattr(after, option)
            raise DeclarationError(f"model.{option}: expected {expected!r}, as the model was trained, found {found!r}")


def _by_name(declared: Any) -> dict[str, Any]:
    return {each.name: each for each in declared}


def _compared(what: str, old: Mapping[str, Any], new: Mapping[str, Any], free: tuple[str, ...]) -> list[ModelChange]:
    found = []
    for name in [*old, *(name for name in new if name not in old)]:
        if name not in new:
            found.append(ModelChange(what, name, "gone"))
        elif name not in old:
            how = "without effect at first" if what == "feature" else "own tower; gates as the mean of the other tasks'"
            found.append(ModelChange(what, name, "new", how))
            _check_new(what, name, new[name])
        else:
            differs = _differing(old[name], new[name])
            if differs and not set(differs) <= set(free):
                option = next(option for option in differs if option not in free)
                raise DeclarationError(
                    f"{what} {name!r}: {option} differs from the trained model: expected "
                    f"{getattr(old[name], option, None)!r}, found {getattr(new[name], option, None)!r}"
                )
            found.append(ModelChange(what, name, "declared anew" if differs else "kept", ", ".join(differs)))
    return found


def _check_new(what: str, name: str, declared: Any) -> None:
    if what == "feature" and (getattr(declared, "pretrained", None) is not None or isinstance(declared, declare.Text)):
        raise DeclarationError(f"feature {name!r}: pretrained vectors and texts join a model when it is trained anew")


def _differing(old: Any, new: Any) -> list[str]:
    """Return the names of the options that differ."""
    if type(old) is not type(new):
        return ["kind"]
    return [each.name for each in fields(old) if getattr(old, each.name) != getattr(new, each.name)]


def _learnt(schema: declare.Schema, changes: list[ModelChange], table: Any) -> TableEncoder | None:
    new = [f"{change.what} {change.name!r}" for change in changes if change.became == "new"]
    if not new:
        return None
    if table is None:
        raise TableError(f"changed: {shown(new)} is new, and learns from a table: give table")
    encoder, encoded = TableEncoder.fit(schema, table)
    encoder.learn_shares(encoded)
    return encoder


def _experts(before: declare.AnyArchitecture, after: declare.AnyArchitecture) -> list[ModelChange]:
    found = []
    for option in ("experts", "own_experts", "shared_experts"):
        old, new = getattr(before, option, None), getattr(after, option, None)
        if old is not None and old != new:
            how = f"{old} to {new}: copies, which share an earlier expert's weight"
            found.append(ModelChange("experts", option, "declared anew", how))
    return found


def with_members(before: declare.AnyArchitecture, after: declare.AnyArchitecture) -> declare.AnyArchitecture:
    """Return an architecture whose number of members is that of the trained model where it is ``auto``."""
    return replace(after, members=before.members) if after.members == declare.AUTO else after
