"""What a report tells, as plain data: what an artefact holds, and what a table adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gatewise import declare
from gatewise.analysis import (
    Ablation,
    Estimates,
    GateUsage,
    Importance,
    Problem,
    ReliabilityBin,
    Similarity,
    Slice,
)
from gatewise.history import EpochRecord
from gatewise.metrics import GroupMetric, Metric
from gatewise.tasks import Metrics


@dataclass(frozen=True)
class Inside:
    """What goes on in a model.

    Attributes:
        usages: what gates do: of every layer, over all rows, and then in every slice.
        similarities: how alike experts are, by layer.
        ablations: what experts are good for, by layer.
        importances: of every output, the most important feature first.
        problems: of gates and experts, in words.
    """

    usages: Sequence[GateUsage]
    similarities: Sequence[Similarity]
    ablations: Sequence[Ablation]
    importances: Mapping[str, Sequence[Importance]]
    problems: Sequence[Problem]


@dataclass(frozen=True)
class OnTable:
    """What is found of a model on a table.

    Attributes:
        name: of the table.
        rows: how many it has.
        sampled: how many of them gates, experts and features are looked at on.
        columns: that it is cut by.
        labelled: of every output, how many rows have its label.
        metrics: of every output.
        mean: over tasks, of each kind's metric without a unit; None where it is undefined.
        estimates: the metrics with intervals; None where the table is too large for them.
        draws: how many resamples the intervals are of.
        calibrated: the metrics of calibrated predictions; None where nothing is calibrated.
        reliability: of every probability.
        reliability_calibrated: the same, calibrated; empty where nothing is.
        slices: of every output, by its summary.
        inside: what gates, experts and features do.
    """

    name: str
    rows: int
    sampled: int
    columns: Sequence[str]
    labelled: Mapping[str, int]
    metrics: Metrics
    mean: float | None
    estimates: Estimates | None
    draws: int
    calibrated: Metrics | None
    reliability: Mapping[str, Sequence[ReliabilityBin]]
    reliability_calibrated: Mapping[str, Sequence[ReliabilityBin]]
    slices: Mapping[str, Sequence[Slice]]
    inside: Inside

    @property
    def sample(self) -> str:
        """Which rows gates, experts and features are looked at on."""
        return f"all {self.rows:,} rows" if self.sampled == self.rows else f"{self.sampled:,} of {self.rows:,} rows"


@dataclass(frozen=True)
class Findings:
    """What is known of an artefact.

    Attributes:
        name: of the artefact.
        schema: features and tasks.
        options: architecture, balancing and training.
        outputs_of: of every task its outputs.
        summaries: of every output the metric that sums it up.
        judges: of every output all its metrics, by name.
        parameters: outside the embeddings, and all.
        vocabularies: how many rows each embedding table has.
        statistics: of every task's training labels.
        history: of the training.
        saved: what was measured after it, by the name of the rows.
        rows: how many there were to learn from and to stop on, where that is known.
        calibrated: which outputs are calibrated, and how.
        starving: tasks that hardly moved what all share.
        on: what a table adds.
    """

    name: str
    schema: declare.Schema
    options: declare.Options
    outputs_of: Mapping[str, Sequence[str]]
    summaries: Mapping[str, Metric | GroupMetric]
    judges: Mapping[str, Mapping[str, Metric | GroupMetric]]
    parameters: tuple[int, int]
    vocabularies: Mapping[str, int]
    statistics: Mapping[str, Mapping[str, Any]]
    history: Sequence[EpochRecord]
    saved: Mapping[str, Metrics] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    calibrated: Mapping[str, str] = field(default_factory=dict)
    starving: Sequence[Problem] = ()
    on: OnTable | None = None
