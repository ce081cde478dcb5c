"""What differs between two runs: options, rows, versions, metrics."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gatewise.declare import to_dict
from gatewise.fingerprint import leaves
from gatewise.jobs.run_record import MainMetric, judged
from gatewise.jobs.train import RECIPE
from gatewise.loading import load
from gatewise.ranker import Ranker
from gatewise.serving import find_artefact

FROM_RECIPE = ("data", "calibration")
"""Parts of a recipe that an artefact does not repeat."""


@dataclass(frozen=True)
class Change:
    """The two values of something that differs; None: absent there."""

    first: Any
    second: Any


@dataclass(frozen=True)
class MetricChange:
    """An output's main metric in both runs.

    Attributes:
        output: the output's name.
        metric: the metric's name.
        first: its value in the first run; None: undefined, or the run has no such output.
        second: its value in the second run.
        better: whether the second one is better; None: equal, undefined, or neither direction is better.
    """

    output: str
    metric: str
    first: float | None
    second: float | None
    better: bool | None


@dataclass(frozen=True)
class RunDifferences:
    """What differs between two runs.

    Attributes:
        options: declared options with different values, by path, such as ``training.lr``.
        data: what differs of the rows, such as ``training rows``, ``training digest``.
        versions: versions that differ, by package, and the git ``commit``.
        judged_on: the rows of the metrics of each run.
        metrics: the main metric of every output, equal or not.
    """

    options: Mapping[str, Change]
    data: Mapping[str, Change]
    versions: Mapping[str, Change]
    judged_on: Change
    metrics: list[MetricChange]

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        return asdict(self)


def compare_runs(first: Path, second: Path) -> RunDifferences:
    """Return what differs between two runs or artefacts.

    Raises:
        ArtefactError: one of them has no artefact, or a damaged one.
    """
    rankers = load(find_artefact(first)), load(find_artefact(second))
    recipes = [_of_recipe(run) for run in (first, second)]
    options = [_options(ranker) | (of if all(recipes) else {}) for ranker, of in zip(rankers, recipes, strict=True)]
    mains = [judged(ranker) for ranker in rankers]
    return RunDifferences(
        _changes(*options),
        _changes(*map(_data, rankers)),
        _changes(*map(_versions, rankers)),
        Change(*(each["judged_on"] for each in mains)),
        _metrics(*(each["main"] for each in mains)),
    )


def _options(ranker: Ranker) -> dict[str, Any]:
    declared = {"schema": to_dict(ranker.schema), **to_dict(ranker.options)}
    return {path: json.loads(value) for path, value in leaves("", declared)}


def _of_recipe(run: Path) -> dict[str, Any]:
    """Return what only the recipe of a run says; nothing for an artefact alone."""
    try:
        whole = json.loads((run / RECIPE).read_bytes())
    except (OSError, ValueError):
        return {}
    parts = {name: whole.get(name) for name in FROM_RECIPE}
    return {path: json.loads(value) for path, value in leaves("", parts)}


def _data(ranker: Ranker) -> dict[str, Any]:
    known = {} if ranker.provenance is None else ranker.provenance.data
    return {
        f"{part} {name}": value
        for part, seen in known.items()
        for name, value in vars(seen).items()
        if value is not None
    }


def _versions(ranker: Ranker) -> dict[str, Any]:
    known = ranker.provenance
    return {} if known is None else {**known.versions, **({} if known.commit is None else {"commit": known.commit})}


def _changes(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Change]:
    names = dict.fromkeys([*first, *second])
    pairs = {name: Change(first.get(name), second.get(name)) for name in names}
    # an option that is absent, as in another kind of model, is None
    return {name: each for name, each in pairs.items() if each.first != each.second}


def _metrics(first: Mapping[str, MainMetric], second: Mapping[str, MainMetric]) -> list[MetricChange]:
    return [_metric(output, first.get(output), second.get(output)) for output in dict.fromkeys([*first, *second])]


def _metric(output: str, first: MainMetric | None, second: MainMetric | None) -> MetricChange:
    known = first or second
    assert known is not None
    # values of two metrics say nothing of each other
    others = second is not None and second.metric != known.metric
    a, b = None if first is None else first.value, None if second is None or others else second.value
    if a is None or b is None or a == b or known.greater_is_better is None:
        return MetricChange(output, known.metric, a, b, None)
    return MetricChange(output, known.metric, a, b, (b > a) == known.greater_is_better)
