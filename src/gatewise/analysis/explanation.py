"""One prediction taken apart: gates, experts, features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from gatewise.analysis.gate_usage import weights_by_row
from gatewise.analysis.rows import BATCH, features_of, score_gathered, score_rows
from gatewise.analysis.shapley import Shapley, exact_shapley, sampled_shapley
from gatewise.nn import Inputs, Level, MultiTaskModel, Padded, TensorTable, Vectors, levels_of, tapped
from gatewise.tasks import FunnelTask, MulticlassTask, Task

EXACT = 10
"""Up to so many experts all coalitions are run."""


class ExpertPart(NamedTuple):
    """What an expert adds to a score.

    Attributes:
        expert: its name.
        weight: that the task's gate gives it.
        contribution: its Shapley value.
        error: standard error of that, 0 where it is exact.
    """

    expert: str
    weight: float
    contribution: float
    error: float


class FeaturePart(NamedTuple):
    """What a feature's value adds to a score, beside the values that other rows have.

    Attributes:
        feature: its name.
        value: what the row holds.
        contribution: its Shapley value.
        error: standard error of that.
    """

    feature: str
    value: Any
    contribution: float
    error: float


class ScoreParts(NamedTuple):
    """A score of a task taken apart twice, by experts and by features; each sums to the score.

    Attributes:
        score: its name: the task's, or one of several, such as ``"device[tv]"``.
        task: whose it is.
        value: the score, before the task's link: the logit of a probability.
        without_experts: the score where no expert of the last layer adds anything; ``value`` is this and the experts'
            contributions. None where the trunk has no experts.
        experts: the greatest contribution first; empty where the trunk has no experts.
        background: the mean score of the rows that features were compared with; ``value`` is this and the features'
            contributions. None where there were no such rows.
        features: the greatest contribution first; empty where there were no such rows.
    """

    score: str
    task: str
    value: float
    without_experts: float | None
    experts: tuple[ExpertPart, ...]
    background: float | None
    features: tuple[FeaturePart, ...]


class Explanation(NamedTuple):
    """One row's predictions taken apart.

    Attributes:
        row: the values of its columns.
        predictions: every column that is predicted.
        calibrated: the same calibrated; None where nothing is.
        fused: the score that rows are ordered by; None where none is declared.
        tasks: names of the tasks, in the order of the gates.
        experts: names of the experts of the last layer; empty where the trunk has none.
        gates: ``[task, expert]`` weights; None where the trunk has none.
        scores: of every task.
        notes: what is not there and why, one line each.
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


class Attributed(NamedTuple):
    """What :func:`attribute` finds of one row.

    Attributes:
        experts: names of the experts of the last level; empty where the trunk has none.
        gates: ``[task, expert]`` weights there; None where the trunk has none.
        scores: of every task; features have no values yet.
    """

    experts: tuple[str, ...]
    gates: np.ndarray | None
    scores: tuple[ScoreParts, ...]


def attribute(
    model: MultiTaskModel, tasks: Sequence[Task], table: TensorTable, *, draws: int = 100, seed: int = 0
) -> Attributed:
    r"""Take the scores of a table's first row apart; the other rows are what its features are compared with.

    Experts are the players of one game a score, in the last level that mixes them: an expert that is not in a coalition
    adds nothing to the mixture, and the others keep their weights. With a linear tower an expert's Shapley value is
    what its part :math:`g_i f_i` adds. Up to 10 experts all coalitions are run.

    Features are the players of another: a feature that is not in a coalition has the value of a row drawn from the
    others, drawn anew for every order of the features. So ``background`` is the mean score of the rows drawn.

    Args:
        model: any.
        tasks: its tasks.
        table: the row, and others.
        draws: how many orders of players are drawn, each taken forwards and backwards.
        seed: of the draws.
    """
    model.input_layer.check(table)
    table = model.input_layer.read_texts(table)
    generator = torch.Generator().manual_seed(seed)
    first = torch.zeros(1, dtype=torch.long)
    levels = levels_of(model.trunk, [task.name for task in tasks])
    weights = weights_by_row(model, [task.name for task in tasks], table.head(1))[-1][1][0] if levels else None
    whole = score_rows(model, table, first)[0].double()
    by_expert = _by_expert(model, levels[-1], table, draws, generator) if levels else None
    features = features_of(model)
    by_feature = _by_feature(model, table, features, draws, generator) if len(table) > 1 else None
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
    """Return what was found of a row with what it holds and what is predicted; ``features`` are its values by feature.

    What is not there is said in the notes.
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


def score_names(task: Task) -> tuple[str, ...]:
    """Return what the scores of a task are called: a step's as its probability, a class's as its, others by number."""
    if isinstance(task, MulticlassTask):
        return task.columns
    if task.num_scores == 1:
        return (task.given if isinstance(task, FunnelTask) else task.name,)
    return tuple(f"{task.name} score {i + 1}" for i in range(task.num_scores))


def _column(shapley: Shapley, column: int) -> tuple[list[float], list[float]]:
    return shapley.values[:, column].tolist(), shapley.errors[:, column].tolist()


Part = TypeVar("Part", ExpertPart, FeaturePart)


def _sorted(parts: list[Part]) -> tuple[Part, ...]:
    return tuple(sorted(parts, key=lambda part: -abs(part.contribution)))


def _by_expert(
    model: MultiTaskModel, level: Level, table: TensorTable, draws: int, generator: torch.Generator
) -> Shapley:
    """Return what the experts of a level add to the scores of the first row."""
    inputs = table.inputs(torch.zeros(1, dtype=torch.long, device=table.device))

    def value(members: Tensor) -> Tensor:
        parts = [_coalition_scores(model, level, inputs, part) for part in torch.split(members, BATCH)]
        return torch.cat(parts)

    players = level.experts.num_experts
    if players <= EXACT:
        return exact_shapley(value, players)
    return sampled_shapley(lambda members, _draw: value(members), players, draws, generator)


@torch.no_grad()
def _coalition_scores(model: MultiTaskModel, level: Level, inputs: Inputs, members: Tensor) -> Tensor:
    """Return one row's scores ``[coalition, score]`` where only members ``[coalition, expert]`` add to the mixture."""
    kept = members.to(inputs.ids.device).unsqueeze(1)
    was_training = model.training
    model.eval()
    try:
        with tapped(level, mixture=lambda weights, outputs: (weights * kept, outputs)):
            return model.from_vectors(_repeated(model.input_layer(inputs), len(members))).scores.float().cpu()
    finally:
        model.train(was_training)


def _repeated(vectors: Vectors, times: int) -> Vectors:
    sequences = (
        Padded(items.vectors.expand(times, -1, -1), items.present.expand(times, -1)) for items in vectors.sequences
    )
    return Vectors(vectors.x.expand(times, -1), tuple(sequences))


def _by_feature(
    model: MultiTaskModel, table: TensorTable, features: Sequence[str], draws: int, generator: torch.Generator
) -> Shapley:
    """Return what the values of the first row add to its scores, beside those of other rows."""
    drawn = 1 + torch.randint(len(table) - 1, (draws,), generator=generator)

    def value(members: Tensor, draw: Tensor) -> Tensor:
        others = drawn[draw]
        rows = {name: torch.where(members[:, place], 0, others) for place, name in enumerate(features)}
        return score_gathered(model, table, others, rows)

    return sampled_shapley(value, len(features), draws, generator)
