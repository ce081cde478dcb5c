"""Judging of a trained model: metrics with intervals, of slices, of streams, and of probabilities."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from gatewise import declare
from gatewise.analysis import (
    BINS,
    LIMIT,
    Cut,
    Estimates,
    ReliabilityBin,
    Slice,
    Streamed,
    StreamedMetrics,
    cut_column,
    cut_table,
    intervals,
    intervals_grids,
    reliability,
    reliability_grids,
    slices,
    slices_grids,
)
from gatewise.data import column_names, needed_columns, read_at, read_table, readable, stream_table, times_of_labels
from gatewise.errors import GatewiseError, TableError, did_you_mean, shown
from gatewise.grids import ShownDict
from gatewise.history import EpochRecord
from gatewise.serving import Scorer
from gatewise.tasks import Predicted


class Judging:
    """Metrics of a scorer: with intervals, by slices, over streams, and the reliability of its probabilities.

    Args:
        scorer: encoder, model and tasks; None before the first training.
        options: the options of the training.
        history: the history of the training, one record per epoch.
    """

    def __init__(self, scorer: Scorer | None, options: declare.Options, history: Sequence[EpochRecord] = ()) -> None:
        self._scorer = scorer
        self.options = options
        self.history: list[EpochRecord] = list(history)

    @property
    def scorer(self) -> Scorer:
        """The fitted encoder, model and tasks.

        Raises:
            GatewiseError: the ranker is not fitted yet.
        """
        if self._scorer is None:
            raise GatewiseError("this ranker is not fitted: call fit first, or gatewise.load an artefact")
        return self._scorer

    def evaluate_stream(self, table: Any, *, calibrated: bool = False, now: declare.Instant | None = None) -> Streamed:
        """Return the metrics of a table that is read in pieces, such as a file larger than memory.

        AUC and ECE come from histograms of 100,000 bins. Metrics that need all rows at once are left out; the result
        names these metrics. Labels with a ``delay`` are read at the moment ``now``, or at the table's newest time, for
        which its times are read once before.

        Raises:
            TableError: a column is missing or of another type.
            GatewiseError: ``calibrated``, but the ranker is not calibrated.
        """
        encoder = self.scorer.encoder
        table = readable(table) if times_of_labels(encoder.schema) else table
        as_of = read_at(encoder.schema, table, now)
        centres = {name: learnt.get("mean", 0.0) for name, learnt in encoder.statistics.items()}
        metrics = StreamedMetrics(self.scorer.tasks, centres)
        for piece in stream_table(table, needed_columns(encoder.schema), encoder.column_types()):
            metrics.update(self.scorer.predicted(piece, calibrated=calibrated, as_of=as_of))
        return metrics.result()

    def intervals(
        self,
        table: Any,
        metrics: Collection[str] | None = None,
        *,
        by_group: bool = False,
        samples: int = 1000,
        level: float = 0.95,
        seed: int = 0,
        calibrated: bool = False,
        now: declare.Instant | None = None,
    ) -> Estimates:
        """Return the metrics with bootstrap intervals, ``{task: {metric: Estimate}}``.

        Args:
            table: any table with features and labels.
            metrics: names of the metrics; by default all.
            by_group: whether to resample whole groups of the schema's ``group``; metrics within groups always do.
            samples: number of bootstrap samples.
            level: nominal coverage of the interval.
            seed: seed of the bootstrap samples.
            calibrated: whether to evaluate calibrated probabilities.
            now: the moment at which labels were read, see :meth:`gatewise.Ranker.evaluate`.

        Raises:
            DeclarationError: an unknown metric, or a schema without a group.
            TableError: a column is missing or of another type.
        """
        predicted = self._read_at(readable(table), now, calibrated)
        found = intervals(predicted, metrics, by_group=by_group, samples=samples, level=level, seed=seed)
        return ShownDict(found, intervals_grids)

    def slices(
        self,
        table: Any,
        by: str | Sequence[str],
        metrics: Collection[str] | None = None,
        *,
        bins: int = BINS,
        limit: int = LIMIT,
        calibrated: bool = False,
        now: declare.Instant | None = None,
    ) -> dict[str, list[Slice]]:
        """Return the metrics of every slice, ``{task: [Slice]}``, in the order of the columns.

        Numbers and times are cut into bins of about equally many rows. For ``Categorical`` features and columns of
        other types, each value is one slice, the most frequent value first; nulls are one slice.

        Args:
            table: any table with features and labels.
            by: one or several columns of the table.
            metrics: names of the metrics; by default all.
            bins: number of bins of numbers.
            limit: largest number of values; the other values are one slice.
            calibrated: whether to evaluate calibrated probabilities.
            now: the moment at which labels were read, see :meth:`gatewise.Ranker.evaluate`.

        Raises:
            DeclarationError: an unknown metric.
            TableError: a column is missing or of another type.
        """
        source = readable(table)
        cuts = self._cut(source, by, bins, limit)
        return ShownDict(slices(self._read_at(source, now, calibrated), cuts, metrics), slices_grids)

    def reliability(
        self,
        table: Any,
        bins: int = 10,
        by: str | Sequence[str] | None = None,
        *,
        limit: int = LIMIT,
        level: float = 0.95,
        calibrated: bool = False,
        now: declare.Instant | None = None,
    ) -> dict[str, list[ReliabilityBin]]:
        """Return predicted and observed rates per bin, ``{task: [ReliabilityBin]}``, for every probability.

        Args:
            table: any table with features and labels.
            bins: number of bins of equally many rows.
            by: one or several columns, whose slices have separate bins; see :meth:`slices`.
            limit: largest number of values; the other values are one slice.
            level: nominal coverage of the interval of each bin's observed rate.
            calibrated: whether to evaluate calibrated probabilities.
            now: the moment at which labels were read, see :meth:`gatewise.Ranker.evaluate`.

        Raises:
            TableError: a column is missing or of another type.
        """
        source = readable(table)
        cuts = self._cut(source, by, BINS, limit)
        found = reliability(self._read_at(source, now, calibrated), cuts, bins=bins, level=level)
        return ShownDict(found, reliability_grids)

    def _read_at(self, source: Any, now: declare.Instant | None, calibrated: bool) -> Predicted:
        """Return predictions and labels of a table, as they are known at a moment."""
        as_of = read_at(self.scorer.encoder.schema, source, now)
        return self.scorer.predicted(source, calibrated=calibrated, as_of=as_of)

    def _cut(self, source: Any, by: str | Sequence[str] | None, bins: int, limit: int) -> list[Cut]:
        """Return the slices of a table by columns, which may be other columns than features."""
        columns = [by] if isinstance(by, str) else list(by or ())
        present = column_names(source)
        read = [cut_column(present, name) for name in columns]
        for name in read:
            if name not in present:
                hint = did_you_mean(name, present) or f" (columns: {shown(present)})"
                raise TableError(f"slices: the table has no column {name!r}{hint}")
        encoder = self.scorer.encoder
        read_as_learnt = read_table(source, read, encoder.column_types())
        return cut_table(read_as_learnt, columns, bins=bins, limit=limit, keys=encoder.id_columns)
