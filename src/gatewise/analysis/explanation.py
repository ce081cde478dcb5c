"""Explanation of one prediction: gates, experts, features."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np
import torch
from torch import Tensor

from gatewise.analysis.explained import explained_values, score_names
from gatewise.analysis.gate_usage import weights_by_row
from gatewise.analysis.rows import BATCH, features_of, score_gathered, score_rows
from gatewise.analysis.shapley import Shapley, exact_shapley, sampled_shapley
from gatewise.analysis.tables import explanation_grids
from gatewise.grids import Grid, printed_as_tables
from gatewise.nn import Inputs, Level, MultiTaskModel, Padded, TensorTable, Vectors, hooked, levels_of
from gatewise.tasks import Task

EXACT = 10
"""Most experts for which all coalitions are run."""
Values: TypeAlias = Callable[[Tensor], Tensor]
"""From scores ``[row, score]`` of all tasks to the values ``[row, value]`` to take apart."""


class ExpertPart(NamedTuple):
    """The part of an expert in a score.

    Attributes:
        expert: the name of the expert.
        weight: the weight that the task's gate gives to the expert.
        contribution: the Shapley value.
        error: the standard error of the Shapley value, 0 if exact.
    """

    expert: str
    weight: float
    contribution: float
    error: float


class FeaturePart(NamedTuple):
    """The part of a feature's value in a score, compared with the values of other rows.

    Attributes:
        feature: the name of the feature.
        value: the row's value.
        contribution: the Shapley value.
        error: the standard error of the Shapley value.
    """

    feature: str
    value: Any
    contribution: float
    error: float


class ScoreParts(NamedTuple):
    """A score of a task as a sum over experts, and as a sum over features.

    Attributes:
        score: the task's name, or the name of one of its scores, such as ``"device[tv]"``.
        task: the name of the task.
        value: the score, before the task's link: the logit of a probability. Of ordered levels the expected level.
        without_experts: the score without the experts of the last layer; ``value`` is this score plus the experts'
            contributions. None if the trunk has no experts.
        experts: the greatest contribution first; empty if the trunk has no experts.
        background: the mean score of the rows that features are compared with; ``value`` is this mean plus the
            features' contributions. None without rows to compare with.
        features: the greatest contribution first; empty without rows to compare with.
    """

    score: str
    task: str
    value: float
    without_experts: float | None
    experts: tuple[ExpertPart, ...]
    background: float | None
    features: tuple[FeaturePart, ...]


@printed_as_tables
class Explanation(NamedTuple):
    """The explanation of one row's predictions.

    Attributes:
        row: the row's values, by column.
        predictions: every predicted column.
        calibrated: the calibrated predictions; None: nothing is calibrated.
        fused: the score that orders rows; None: no fusion is declared.
        tasks: names of the tasks, in the order of the gates.
        experts: names of the experts of the last layer; empty if the trunk has none.
        gates: ``[task, expert]`` weights; None if the trunk has none.
        scores: the scores of every task.
        notes: the missing parts and the reasons, one line each.
    """

    row: dict[str, Any]
    predictions: dict[str, float]
    calibrated: dict[str, float] | None
    fused: float | None
    tasks: tuple[str, ...]
    experts: tuple[str, ...]
    gates: np.ndarray | None
    scores: tuple[ScoreParts, ...]
    notes: tuple[str, ...]

    def grids(self) -> list[Grid]:
        """Return the tables that are printed, and shown in notebooks."""
        return explanation_grids(self)


class Attributed(NamedTuple):
    """The result of :func:`attribute` for one row.

    Attributes:
        experts: names of the experts of the last level; empty if the trunk has none.
        gates: ``[task, expert]`` weights of the last level; None if the trunk has none.
        scores: the scores of every task; features have no values yet.
    """

    experts: tuple[str, ...]
    gates: np.ndarray | None
    scores: tuple[ScoreParts, ...]


def attribute(
    model: MultiTaskModel, tasks: Sequence[Task], table: TensorTable, *, draws: int = 100, seed: int = 0
) -> Attributed:
    r"""Return the parts of the scores of a table's first row; its features are compared with those of the other rows.

    In the first game, one per score, the players are the experts of the last level: an expert outside a coalition adds
    nothing to the mixture, and the others keep their weights. With a linear tower an expert's Shapley value is what
    the tower gives for :math:`g_i f_i`. Up to 10 experts all coalitions are run.

    In the second game the players are the features: a feature outside a coalition has the value of another row, drawn
    anew for every order of the features. So ``background`` is the mean score of the drawn rows.

    Args:
        model: any model.
        tasks: the tasks of the model.
        table: the row to explain, then the rows to compare with.
        draws: the number of random orders of players, each used forwards and backwards.
        seed: of the draws.
    """
    model.input_layer.check(table)
    table = model.input_layer.read_texts(table)
    generator = torch.Generator().manual_seed(seed)
    first = torch.zeros(1, dtype=torch.long)
    levels = levels_of(model.trunk, [task.name for task in tasks])
    weights = weights_by_row(model, [task.name for task in tasks], table.head(1))[-1][1][0] if levels else None
    values = partial(explained_values, tasks)
    whole = values(score_rows(model, table, first).cpu())[0]
    by_expert = _by_expert(model, levels[-1], table, draws, generator, values) if levels else None
    features = features_of(model)
    by_feature = _by_feature(model, table, features, draws, generator, values) if len(table) > 1 else None
    experts = levels[-1].expert_names if levels else ()
    found = []
    for column, (place, score) in enumerate((k, name) for k, task in enumerate(tasks) for name in score_names(task)):
        parts = ScoreParts(score, tasks[place].name, float(whole[column]), None, (), None, ())
        if by_expert is not None and weights is not None:
            of_experts = [
                ExpertPart(*part)
                for part in zip(experts, weights[place].tolist(), *_column(by_expert, column), strict=True)
            ]
            parts = parts._replace(without_experts=float(by_expert.empty[column]), experts=_sorted(of_experts))
        if by_feature is not None:
            of_features = [
                FeaturePart(name, None, *part)
                for name, *part in zip(features, *_column(by_feature, column), strict=True)
            ]
            parts = parts._replace(background=float(by_feature.empty[column]), features=_sorted(of_features))
        found.append(parts)
    return Attributed(experts, None if weights is None else weights.double().numpy(), tuple(found))


def explanation_of(
    found: Attributed,
    *,
    row: Mapping[str, Any],
    features: Mapping[str, Any],
    tasks: Sequence[str],
    predictions: Mapping[str, float],
    calibrated: Mapping[str, float] | None = None,
    fused: float | None = None,
) -> Explanation:
    """Return the explanation of a row from its attribution, values and predictions; ``features`` are values by feature.

    Notes name the missing parts.
    """
    notes = []
    if not found.experts:
        notes.append("the model has no experts that gates mix: there are none to take a score apart by")
    if not any(score.features for score in found.scores):
        notes.append("there are no other rows to hold the features against: give a table with some")
    scores = tuple(
        score._replace(features=tuple(part._replace(value=features[part.feature]) for part in score.features))
        for score in found.scores
    )
    return Explanation(
        row=dict(row),
        predictions=dict(predictions),
        calibrated=None if calibrated is None else {name: calibrated[name] for name in predictions},
        fused=fused,
        tasks=tuple(tasks),
        experts=found.experts,
        gates=found.gates,
        scores=scores,
        notes=tuple(notes),
    )


def _column(shapley: Shapley, column: int) -> tuple[list[float], list[float]]:
    return shapley.values[:, column].tolist(), shapley.errors[:, column].tolist()


Part = TypeVar("Part", ExpertPart, FeaturePart)


def _sorted(parts: list[Part]) -> tuple[Part, ...]:
    return tuple(sorted(parts, key=lambda part: -abs(part.contribution)))


def _by_expert(
    model: MultiTaskModel, level: Level, table: TensorTable, draws: int, generator: torch.Generator, values: Values
) -> Shapley:
    """Return the Shapley values of a level's experts for the explained values of the first row."""
    inputs = table.inputs(torch.zeros(1, dtype=torch.long, device=table.device))

    def value(members: Tensor) -> Tensor:
        parts = [_coalition_scores(model, level, inputs, part) for part in torch.split(members, BATCH)]
        return values(torch.cat(parts))

    players = level.experts.num_experts
    if players <= EXACT:
        return exact_shapley(value, players)
    return sampled_shapley(lambda members, _draw: value(members), players, draws, generator)


@torch.no_grad()
def _coalition_scores(model: MultiTaskModel, level: Level, inputs: Inputs, members: Tensor) -> Tensor:
    """Return one row's scores ``[coalition, score]`` if only ``members`` ``[coalition, expert]`` add to the mixture."""
    kept = members.to(inputs.ids.device).repeat_interleave(model.num_members, dim=0).unsqueeze(1)
    was_training = model.training
    model.eval()
    try:
        with hooked(level, mixture=lambda weights, outputs: (weights * kept, outputs)):
            return model.from_vectors(_repeated(model.input_layer(inputs), len(members))).scores.float().cpu()
    finally:
        model.train(was_training)


def _repeated(vectors: Vectors, times: int) -> Vectors:
    sequences = (
        Padded(items.vectors.expand(times, -1, -1), items.present.expand(times, -1)) for items in vectors.sequences
    )
    return Vectors(vectors.x.expand(times, -1), tuple(sequences))


def _by_feature(
    model: MultiTaskModel,
    table: TensorTable,
    features: Sequence[str],
    draws: int,
    generator: torch.Generator,
    values: Values,
) -> Shapley:
    """Return the Shapley values of the first row's features, compared with other rows."""
    drawn = 1 + torch.randint(len(table) - 1, (draws,), generator=generator)

    def value(members: Tensor, draw: Tensor) -> Tensor:
        others = drawn[draw]
        rows = {name: torch.where(members[:, place], 0, others) for place, name in enumerate(features)}
        return values(score_gathered(model, table, others, rows).cpu())

    return sampled_shapley(value, len(features), draws, generator)
