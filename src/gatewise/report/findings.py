"""Findings of a report, as plain data: on an artefact, and on a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gatewise import declare
from gatewise.analysis import (
    Ablation,
    Curves,
    Estimates,
    FeatureDrift,
    GateUsage,
    Importance,
    OverTime,
    Problem,
    ReliabilityBin,
    Routing,
    Screening,
    Similarity,
    Slice,
    WorstSlice,
)
from gatewise.history import EpochRecord
from gatewise.metrics import GroupMetric, Metric
from gatewise.provenance import Provenance
from gatewise.tasks import Metrics


@dataclass(frozen=True)
class Inside:
    """The analysis of a model's gates, experts and features.

    Attributes:
        usages: gate usage of every layer, over all rows, and then in every slice.
        similarities: similarity of experts, by layer.
        ablations: metrics without each expert, by layer.
        routings: the experts that each task's loss trains, by layer.
        importances: per output, the most important feature first.
        screening: how many features were looked at, and how; None: all of them on all sampled rows.
        drift: every feature beside the training table, those that drifted most first.
        problems: problems of gates and experts, in words.
    """

    usages: Sequence[GateUsage]
    similarities: Sequence[Similarity]
    ablations: Sequence[Ablation]
    routings: Sequence[Routing]
    importances: Mapping[str, Sequence[Importance]]
    screening: Screening | None
    drift: Sequence[FeatureDrift]
    problems: Sequence[Problem]


@dataclass(frozen=True)
class OnTable:
    """The findings on a model and a table.

    Attributes:
        name: the name of the table.
        rows: the number of its rows.
        sampled: the number of rows for the analysis of gates, experts and features.
        columns: the columns that it is sliced by.
        considered: the number of columns from which these were chosen; 0: they were named.
        labelled: per output, the number of rows with its label.
        label_means: the mean label of every output that has a number for it.
        metrics: the metrics of every output.
        mean: the mean over tasks of each kind's metric without a unit; None: undefined.
        estimates: the metrics with intervals; None: the table is too large.
        draws: the number of resamples for the intervals.
        calibrated: the metrics of calibrated predictions; None: nothing is calibrated.
        reliability: the reliability of every probability.
        reliability_calibrated: the reliability of every calibrated probability.
        curves: the curves of every probability.
        slices: the slices of every output, with its summary metric.
        worst: the slices in which every output is predicted worst.
        over_time: labels and predictions by day; None: no time column is known.
        inside: the analysis of gates, experts and features.
        problems: where predictions do not fit the labels, in words.
    """

    name: str
    rows: int
    sampled: int
    columns: Sequence[str]
    considered: int
    labelled: Mapping[str, int]
    label_means: Mapping[str, float]
    metrics: Metrics
    mean: float | None
    estimates: Estimates | None
    draws: int
    calibrated: Metrics | None
    reliability: Mapping[str, Sequence[ReliabilityBin]]
    reliability_calibrated: Mapping[str, Sequence[ReliabilityBin]]
    curves: Mapping[str, Curves]
    slices: Mapping[str, Sequence[Slice]]
    worst: Mapping[str, Sequence[WorstSlice]]
    over_time: OverTime | None
    inside: Inside
    problems: Sequence[Problem] = ()

    @property
    def sample(self) -> str:
        """The rows for the analysis of gates, experts and features, in words."""
        return f"all {self.rows:,} rows" if self.sampled == self.rows else f"{self.sampled:,} of {self.rows:,} rows"


@dataclass(frozen=True)
class Findings:
    """The findings on an artefact.

    Attributes:
        name: the name of the artefact.
        schema: features and tasks.
        options: architecture, balancing and training.
        outputs_of: the outputs of every task.
        summaries: the summary metric of every output.
        judges: all metrics of every output, by name.
        parameters: the number of parameters outside the embeddings, and of all.
        vocabularies: the number of rows of each embedding table.
        statistics: statistics of every task's training labels.
        history: the history of the training.
        saved: the metrics measured after the training, by the name of the rows.
        rows: the numbers of training and validation rows, if known.
        calibrated: the calibrated outputs, and their methods.
        provenance: where the model comes from; None: not known.
        recipe: the recipe of the training, if known.
        of_training: problems that the history tells of, such as tasks that hardly changed the shared weights.
        on: the findings on a table, if any.
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
    provenance: Provenance | None = None
    recipe: declare.Recipe | None = None
    of_training: Sequence[Problem] = ()
    on: OnTable | None = None
