"""The ranker: from a table to predictions of all tasks."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from pydantic import TypeAdapter, ValidationError

from gatewise import declare
from gatewise.analysis import (
    BINS,
    LIMIT,
    Ablation,
    Cut,
    Estimates,
    Explanation,
    GateUsage,
    Importance,
    Problem,
    ReliabilityBin,
    Similarity,
    Slice,
    Streamed,
    StreamedMetrics,
    attribute,
    cut_column,
    cut_table,
    expert_ablation,
    expert_similarity,
    explanation_of,
    feature_importance,
    gate_usage,
    intervals,
    mixture_problems,
    reliability,
    slices,
    starving_tasks,
)
from gatewise.assembly import build_balance, build_model, build_tasks, load_language_models
from gatewise.calibration import make_calibrator
from gatewise.data import TableEncoder, column_names, needed_columns, read_table, readable, row_and_others, stream_table
from gatewise.errors import (
    ArtefactError,
    DeclarationError,
    GatewiseError,
    GatewiseWarning,
    TableError,
    did_you_mean,
    shown,
)
from gatewise.estimator import Estimator, is_labels
from gatewise.files import held, write_text
from gatewise.fitting import make_trainer
from gatewise.history import EpochRecord
from gatewise.nn import MultiTaskModel, TensorTable, levels_of
from gatewise.progress import ProgressReporter, at_terminal, counting, working
from gatewise.report import check_extra, collect, page_of, render
from gatewise.serving import Artefact, Scorer, grow, load_artefact, save_artefact
from gatewise.tasks import Metrics, Task
from gatewise.training import Monitor, Reporter, choose_device, goes_on
from gatewise.tuning import tune_balance

GATE_SAMPLE = 10_000


class Ranker(Estimator):
    """Learns several tasks from one table and predicts all of them.

    Args:
        schema: features and tasks.
        model: an architecture, or its kind, such as ``"mmoe"``, ``"ple"`` or ``"shared_bottom"``.
        balance: a balancing rule, or its kind, such as ``"static"``, ``"uncertainty"`` or ``"upgrad"``.
        fusion: an expression that makes one score of all predictions, such as ``"click + 3 * purchase^0.5"``.
        **training: any option of :class:`gatewise.Training`, such as ``epochs=5, batch_size=1024, lr=1e-3, seed=0``.

    Raises:
        DeclarationError: an unknown or invalid option, by name.

    Example:
        >>> import gatewise as gw
        >>> schema = gw.Schema(features=[gw.Categorical("user", dim=2)], tasks=[gw.Binary("click")])
        >>> table = {"user": [1, 2] * 50, "click": [0, 1] * 50}
        >>> ranker = gw.Ranker(schema, gw.MMoE(experts=2, expert_dims=[4]), epochs=40, batch_size=10, lr=0.05)
        >>> ranker.fit(table).predict({"user": [1, 2]})["click"].to_numpy().round(0).tolist()
        [0.0, 1.0]
    """

    def __init__(
        self,
        schema: declare.Schema,
        model: declare.AnyArchitecture | str = "mmoe",
        *,
        balance: declare.AnyBalance | str = "static",
        fusion: str | None = None,
        **training: Any,
    ) -> None:
        declared = {"model": model, "balance": balance, "training": declare.Training(**training), "fusion": fusion}
        self._declare(schema, declare.from_dict(declare.Options, declared))

    @classmethod
    def from_options(cls, schema: declare.Schema, options: declare.Options) -> Ranker:
        """Return an unfitted ranker of a schema and all other options in one, such as a recipe."""
        ranker = cls.__new__(cls)
        ranker._declare(schema, options)
        return ranker

    def _declare(self, schema: declare.Schema, options: declare.Options) -> None:
        if not isinstance(schema, declare.Schema):
            raise DeclarationError(f"Ranker: expected a Schema, found {type(schema).__name__}")
        # names and a monitor that do not exist are better known before the tables are read
        options.model.check(schema)
        declare.check_balance(options.balance, schema)
        tasks = build_tasks(schema)
        Monitor(options.training.monitor, tasks)
        if isinstance(options.balance, (declare.Static, declare.MetaBalance)):
            build_balance(options.balance, tasks)
        self.schema = schema
        self.options = declare.Options(
            model=options.model, balance=options.balance, training=options.training, fusion=options.fusion
        )
        self._check_fusion(tasks)
        self.history: list[EpochRecord] = []
        self.metrics: dict[str, Any] = {}
        self.rows: dict[str, int] = {}
        self._scorer: Scorer | None = None
        self._holds_more = False

    def _check_fusion(self, tasks: list[Task]) -> None:
        """Refuse a fusion of what no task predicts, as far as that is known before training."""
        if (fusion := self.options.parsed_fusion) is not None:
            learnt = [t.name for t in self.schema.tasks if isinstance(t, (declare.Multiclass, declare.Ordinal))]
            fusion.check([column for task in tasks for column in task.columns], learnt)

    @property
    def scorer(self) -> Scorer:
        """The fitted encoder, model and tasks.

        Raises:
            GatewiseError: nothing was fitted yet.
        """
        if self._scorer is None:
            raise GatewiseError("this ranker is not fitted: call fit first, or gatewise.load an artefact")
        return self._scorer

    @property
    def calibrated(self) -> bool:
        """Whether probabilities can be calibrated: :meth:`calibrate` was called since the last fit."""
        return bool(self.scorer.calibration)

    def fit(
        self,
        train: Any,
        valid: Any = None,
        *,
        run_dir: str | Path | None = None,
        resume: bool = False,
        overwrite: bool = False,
        progress: bool | None = None,
        label: str = "",
    ) -> Ranker:
        """Learn vocabularies and statistics from the training table, then train.

        After it the model has the weights of the epoch that was best on ``valid``, or of the last one without
        ``valid``. On Ctrl-C it has those of the best epoch so far and ``run_dir`` has a checkpoint to resume from.

        Args:
            train: any table: pandas, polars, pyarrow, duckdb, a dict of arrays, a path to CSV or Parquet.
            valid: another one, later in time where time matters; decides the best epoch and early stopping. A single
                column that ``train`` holds, as scikit-learn gives labels beside a table, is no table and not used.
            run_dir: where checkpoint and history are written after every epoch.
            resume: go on from the checkpoint in ``run_dir``; the result is that of never having stopped.
            overwrite: begin anew where ``run_dir`` holds a training that is longer or not at its end, which is lost.
            progress: show progress; by default when standard error is a terminal.
            label: put in front of every line of progress.

        Returns:
            The ranker itself.

        Raises:
            TableError: a table does not hold what the schema declares; names the column.
            TrainingError: a loss is not finite, or the monitored metric is undefined.
            ArtefactError: a checkpoint cannot be read or written; another process writes into ``run_dir``, or it holds
                an earlier training, and neither ``resume`` nor ``overwrite``.

        Warns:
            GatewiseWarning: a gate has collapsed or an expert is dead; or the ranker was loaded or grown, and what it
                knows is about to be forgotten (:meth:`update` trains it further).
        """
        if is_labels(valid, lambda: column_names(train)):
            valid = None
        self._check_fit(valid)
        if self._holds_more:
            what = "fit begins anew: what this ranker has learnt is forgotten; update trains it further"
            warnings.warn(what, GatewiseWarning, stacklevel=2)
        folder, show = None if run_dir is None else Path(run_dir), at_terminal() if progress is None else progress
        goes_on(folder, self.options.training.epochs, resume=resume, overwrite=overwrite)
        with nullcontext() if folder is None else held(folder):
            self._learn(train, valid, folder, show=show, label=label, resume=resume, overwrite=overwrite)
        return self

    def update(self, train: Any, valid: Any = None, *, progress: bool | None = None) -> Ranker:
        """Train further on other rows: weights, vocabularies and statistics are those that the ranker has.

        Values that it does not know stay out of vocabulary unless :meth:`extend_vocabulary` gave them rows before. The
        optimiser begins anew, and a calibration is forgotten. After it the model has the weights of the epoch that was
        best on ``valid``, or of the last one without ``valid``.

        Args:
            train: any table, such as the rows of a new day.
            valid: another one; decides the best epoch and early stopping.
            progress: show progress; by default when standard error is a terminal.

        Returns:
            The ranker itself.

        Raises:
            GatewiseError: nothing was fitted yet.
            TableError: a table does not hold what the schema declares; names the column.
            TrainingError: a loss is not finite, or the monitored metric is undefined.
        """
        known = self.scorer
        self._check_fit(valid)
        show = at_terminal() if progress is None else progress
        self._learn(train, valid, None, show=show, label="", resume=False, overwrite=False, known=known)
        return self

    def to(self, device: str) -> Ranker:
        """Bring the fitted model to a device, such as ``"cuda"``, where it scores from now on.

        Returns:
            The ranker itself.

        Raises:
            DeclarationError: this machine has no such device.
        """
        self.scorer.model.to(choose_device(device))
        return self

    def _check_fit(self, valid: Any) -> None:
        """Refuse what cannot be trained, before the tables are encoded."""
        if valid is None and isinstance(self.options.training.schedule, declare.Plateau):
            raise DeclarationError("schedule 'plateau' follows the monitored metric: fit needs a validation table")
        if valid is None and isinstance(self.options.balance, declare.TunedStatic):
            raise DeclarationError("balance 'tuned_static' follows the monitored metric: fit needs a validation table")
        if not isinstance(self.options.balance, declare.TunedStatic):
            # a missing extra is better known before the tables are encoded
            build_balance(self.options.balance, build_tasks(self.schema))

    def _learn(
        self,
        train: Any,
        valid: Any,
        run_dir: Path | None,
        *,
        show: bool,
        label: str,
        resume: bool,
        overwrite: bool,
        known: Scorer | None = None,
    ) -> None:
        """Train a new model, or the known one further, and keep what came of it."""
        device = choose_device(self.options.training.device)
        with working("encoding the tables", show):
            if known is None:
                encoder, encoded = TableEncoder.fit(self.schema, train)
            else:
                encoder, encoded = known.encoder, known.encoder.encode(train, weights=True)
            side = self.options.model.side
            aside = () if side is None else side.features
            encoded_valid = None if valid is None else encoder.encode(valid, optional=aside)
        scorer = self._new_scorer(encoder, device) if known is None else known.copy(device)
        reporter = ProgressReporter([task.name for task in scorer.tasks], label=label) if show else Reporter()
        with counting("texts read", show and bool(encoder.layout.texts)) as count:
            read = partial(scorer.model.input_layer.read_texts, read=count)
            tensors = read(scorer.tensors(encoded))
            held_out = None if encoded_valid is None else read(scorer.tensors(encoded_valid))
        options = self.options
        if held_out is not None and isinstance(options.balance, declare.TunedStatic):
            options = tune_balance(scorer, options, (tensors, held_out), run_dir=run_dir, resume=resume)
        trainer = make_trainer(scorer, options, tensors, run_dir, reporter, held_out)
        try:
            trainer.fit(tensors, held_out, resume=resume, overwrite=overwrite)
        finally:
            # also after Ctrl-C: the best epoch so far is worth keeping
            if trainer.history:
                self._scorer, self.history, self._holds_more = scorer, trainer.history, False
                self.rows = {"training": len(tensors), **({} if held_out is None else {"validation": len(held_out)})}
        self._warn_of_gates(held_out if held_out is not None and len(held_out) else tensors)

    def _new_scorer(self, encoder: TableEncoder, device: torch.device) -> Scorer:
        """Return a scorer whose model has learnt nothing."""
        tasks = build_tasks(self.schema, encoder.statistics)
        model = build_model(self.options.model, encoder.layout, tasks, self.options.training.seed)
        load_language_models(model)
        return Scorer(encoder, model.to(device), tasks, fusion=self.options.parsed_fusion)

    def calibrate(
        self,
        table: Any = None,
        method: str = "isotonic",
        *,
        tasks: Sequence[str] | None = None,
        rate: float | None = None,
    ) -> Ranker:
        """Learn how the probabilities of binary tasks are brought to agree with how often the label is 1.

        ``predict`` and ``evaluate`` use it where ``calibrated=True``. Of a step of a funnel the probability given the
        step before is calibrated, on the rows that came to it; what all steps say stays the product of the parts.
        Tasks that are not named keep what they had; :meth:`fit` forgets all.

        Args:
            table: rows that the model was not trained on, with labels; ``down_sampling`` needs none.
            method: ``"isotonic"``, ``"platt"`` or ``"down_sampling"``, see :mod:`gatewise.calibration`.
            tasks: names of binary tasks; by default all.
            rate: of ``down_sampling``: the share of the negatives that was kept in the training table.

        Returns:
            The ranker itself.

        Raises:
            DeclarationError: no such method or binary task, or a rate where none belongs.
            TableError: no table, or too few labels in it: an output with one class alone; names the output.
        """
        options = {"method": method, "tasks": tasks, "rate": rate}
        return self.calibrate_as(declare.from_dict(declare.Calibration, options), table)

    def calibrate_as(self, calibration: declare.Calibration, table: Any = None) -> Ranker:
        """Do what :meth:`calibrate` does, as it was declared, such as in a recipe."""
        scorer, names = self.scorer, calibration.names(self.schema)
        rate = {} if calibration.rate is None else {"rate": calibration.rate}
        make = partial(make_calibrator, calibration.method, **rate)
        if not calibration.fits:
            scorer.calibration = scorer.calibration.given(scorer.tasks, make, names)
            return self
        if table is None:
            raise TableError(f"calibrate: {calibration.method} needs a table with labels, found none")
        scorer.calibration = scorer.calibration.fitted(scorer.predicted(table), make, names)
        return self

    def fuse_by(self, fusion: str | None) -> Ranker:
        """Fuse the predictions of this ranker by another expression; None: by none.

        Returns:
            The ranker itself.

        Raises:
            DeclarationError: it is no expression, or names what is no prediction.
        """
        options = declare.from_dict(declare.Options, {**vars(self.options), "fusion": fusion})
        scorer = replace(self.scorer, fusion=options.parsed_fusion)
        self.options, self._scorer = options, scorer
        return self

    def predict(self, table: Any, *, calibrated: bool = False) -> pa.Table:
        """Return an Arrow table of float64 columns, named for the tasks: probabilities, or numbers in the label's unit.

        A step of a funnel has two, ``purchase_given_click`` and ``click_and_purchase``; each class one, ``device[tv]``.
        Where there is a fusion, ``fused`` is the last. It is made of calibrated probabilities where the ranker is
        calibrated, whatever ``calibrated`` says of the others: there is one order.

        Labels need not be in the table. Values that the training table did not hold are out of vocabulary.

        Args:
            table: any table with the features.
            calibrated: calibrate the probabilities, see :meth:`calibrate`.

        Raises:
            TableError: a feature's column is missing or of another type.
            GatewiseError: ``calibrated``, and nothing was.
        """
        return self.scorer.predict(table, calibrated=calibrated)

    def evaluate(self, table: Any, *, calibrated: bool = False) -> Metrics:
        """Return ``{task: {metric: value}}``, each over all rows that have the task's label.

        A metric that is undefined there (an AUC of one class) is None.

        Args:
            table: any table with features and labels.
            calibrated: judge calibrated probabilities.

        Raises:
            TableError: a column is missing or of another type.
            GatewiseError: ``calibrated``, and nothing was.
        """
        return self.scorer.evaluate(table, calibrated=calibrated)

    def evaluate_stream(self, table: Any, *, calibrated: bool = False) -> Streamed:
        """Judge a table piece by piece, a file without holding it whole.

        AUC and ECE come from histograms of 100,000 bins; metrics that need all rows at once are left out, and named.

        Raises:
            TableError: a column is missing or of another type.
            GatewiseError: ``calibrated``, and nothing was.
        """
        encoder = self.scorer.encoder
        centres = {name: learnt.get("mean", 0.0) for name, learnt in encoder.statistics.items()}
        metrics = StreamedMetrics(self.scorer.tasks, centres)
        for piece in stream_table(table, needed_columns(self.schema), encoder.column_types()):
            metrics.update(self.scorer.predicted(piece, calibrated=calibrated))
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
    ) -> Estimates:
        """Return ``{task: {metric: Estimate}}``: every metric with a bootstrap interval.

        Args:
            table: any table with features and labels.
            metrics: names of the metrics wanted; by default all.
            by_group: draw whole groups of the schema's ``group``, as metrics within groups always do.
            samples: how many resamples.
            level: how likely the interval is meant to hold the true value.
            seed: of the draws.
            calibrated: judge calibrated probabilities.

        Raises:
            DeclarationError: no such metric, or the schema has no group.
            TableError: a column is missing or of another type.
        """
        predicted = self.scorer.predicted(table, calibrated=calibrated)
        return intervals(predicted, metrics, by_group=by_group, samples=samples, level=level, seed=seed)

    def slices(
        self,
        table: Any,
        by: str | Sequence[str],
        metrics: Collection[str] | None = None,
        *,
        bins: int = BINS,
        limit: int = LIMIT,
        calibrated: bool = False,
    ) -> dict[str, list[Slice]]:
        """Return the metrics of every slice, ``{task: [Slice]}``, those of several columns one after the other.

        Numbers and times are cut into bins of about equally many rows; the values of a ``Categorical`` feature and
        all others are slices of their own, the most frequent first, and nulls are one too.

        Args:
            table: any table with features and labels.
            by: a column of the table, or several.
            metrics: names of the metrics wanted; by default all.
            bins: how many bins of numbers.
            limit: how many values at most; the rest is one slice.
            calibrated: judge calibrated probabilities.

        Raises:
            DeclarationError: no such metric.
            TableError: a column is missing or of another type.
        """
        source = readable(table)
        cuts = self._cut(source, by, bins, limit)
        return slices(self.scorer.predicted(source, calibrated=calibrated), cuts, metrics)

    def reliability(
        self,
        table: Any,
        bins: int = 10,
        by: str | Sequence[str] | None = None,
        *,
        limit: int = LIMIT,
        level: float = 0.95,
        calibrated: bool = False,
    ) -> dict[str, list[ReliabilityBin]]:
        """Return what was predicted beside what came, ``{task: [ReliabilityBin]}``, for every probability.

        Args:
            table: any table with features and labels.
            bins: how many parts of equally many rows.
            by: a column, or several, whose slices have parts of their own; see :meth:`slices`.
            limit: how many values at most; the rest is one slice.
            level: of the interval of each part's share of ones.
            calibrated: judge calibrated probabilities.

        Raises:
            TableError: a column is missing or of another type.
        """
        source = readable(table)
        cuts = self._cut(source, by, BINS, limit)
        return reliability(self.scorer.predicted(source, calibrated=calibrated), cuts, bins=bins, level=level)

    def _cut(self, source: Any, by: str | Sequence[str] | None, bins: int, limit: int) -> list[Cut]:
        """Return a table's slices by columns that need not be features."""
        columns = [by] if isinstance(by, str) else list(by or ())
        present = column_names(source)
        read = [cut_column(present, name) for name in columns]
        for name in read:
            if name not in present:
                hint = did_you_mean(name, present) or f" (columns: {shown(present)})"
                raise TableError(f"slices: the table has no column {name!r}{hint}")
        keys = [declare.column_of(f) for f in self.schema.features if isinstance(f, declare.Categorical)]
        types = self.scorer.encoder.column_types()
        return cut_table(read_table(source, read, types), columns, bins=bins, limit=limit, keys=keys)

    def gates(self, table: Any, *, per_row: bool = False) -> np.ndarray:
        """Return how much each task uses each expert.

        Args:
            table: rows to look at.
            per_row: return every row's weights instead of their mean.

        Returns:
            ``[task, expert]``, or ``[row, task, expert]``; the last axis sums to 1.

        Raises:
            GatewiseError: the architecture has no gates, or the table has no rows to average over.
        """
        gates = self.scorer.gates(table)
        if gates is None:
            raise GatewiseError(f"{type(self.options.model).__name__} has no gates")
        if per_row:
            return gates
        if len(gates) == 0:
            raise GatewiseError("gates: the table has no rows to average over")
        return gates.mean(axis=0, dtype=np.float64)

    def gate_usage(
        self, table: Any, by: str | Sequence[str] | None = None, *, bins: int = BINS, limit: int = LIMIT
    ) -> list[GateUsage]:
        """Return what gates do, level by level: mean weights, entropy, utilisation; then the same for every slice.

        Args:
            table: any table with the features.
            by: a column, or several, to cut it by, see :meth:`slices`; ``"rows of user"`` tells new users from old.
            bins: how many bins of numbers.
            limit: how many values at most; the rest is one slice.

        Raises:
            GatewiseError: the architecture has no gates.
            TableError: a column is missing or of another type.
        """
        self._check_experts()
        source = readable(table)
        return gate_usage(*self._looked_at(source, labels=False), self._cut(source, by, bins, limit))

    def expert_similarity(self, table: Any, *, rows: int = 10_000, seed: int = 0) -> list[Similarity]:
        """Return how alike experts are, level by level: linear CKA of what they give for some rows of a table.

        Raises:
            GatewiseError: the architecture has no experts that gates mix.
            TableError: a column is missing or of another type.
        """
        self._check_experts()
        return expert_similarity(*self._looked_at(table, labels=False), rows=rows, seed=seed)

    def expert_ablation(
        self,
        table: Any,
        metric: str | None = None,
        *,
        rows: int = 50_000,
        seed: int = 0,
        progress: bool | None = None,
    ) -> list[Ablation]:
        """Return how metrics change when an expert is removed, level by level; see :mod:`gatewise.analysis.ablation`.

        Args:
            table: any table with features and labels.
            metric: judges the outputs that have it; by default what sums each up.
            rows: how many rows are drawn at most.
            seed: of the draw.
            progress: show how far it is; by default when standard error is a terminal.

        Raises:
            GatewiseError: the architecture has no experts that gates mix, or no such metric.
            TableError: a column is missing or of another type.
        """
        self._check_experts()
        model, _, tensors = self._looked_at(table)
        with counting("experts removed", at_terminal() if progress is None else progress) as done:
            return expert_ablation(model, self.scorer.tasks, tensors, metric=metric, rows=rows, seed=seed, done=done)

    def feature_importance(
        self,
        table: Any,
        metric: str | None = None,
        *,
        repeats: int = 5,
        within_groups: bool = False,
        rows: int = 10_000,
        seed: int = 0,
        progress: bool | None = None,
    ) -> dict[str, list[Importance]]:
        """Return ``{task: [Importance]}``: how much worse a metric becomes when a feature is shuffled, greatest first.

        Args:
            table: any table with features and labels.
            metric: judges the outputs that have it; by default what sums each up.
            repeats: how often each feature is shuffled.
            within_groups: shuffle within the schema's ``group``, to see what orders its rows.
            rows: how many rows are drawn at most.
            seed: of the draws.
            progress: show how far it is; by default when standard error is a terminal.

        Raises:
            DeclarationError: no such metric, or the schema has no group.
            TableError: a column is missing or of another type.
        """
        model, _, tensors = self._looked_at(table)
        with counting("features shuffled", at_terminal() if progress is None else progress) as done:
            return feature_importance(
                model,
                self.scorer.tasks,
                tensors,
                metric=metric,
                repeats=repeats,
                within_groups=within_groups,
                rows=rows,
                seed=seed,
                done=done,
            )

    def problems(self, table: Any) -> list[Problem]:
        """Return what is wrong, in words: dead and duplicate experts, collapsed gates, tasks that starve.

        Args:
            table: any table with the features, of rows to look at.

        Raises:
            TableError: a column is missing or of another type.
        """
        looked_at = self._looked_at(table, labels=False)
        found = mixture_problems(gate_usage(*looked_at), expert_similarity(*looked_at))
        if not self.history:
            return found
        static = self.options.balance.weights if isinstance(self.options.balance, declare.Static) else None
        declared = {task.name: task.weight * (static or {}).get(task.name, 1.0) for task in self.scorer.tasks}
        return found + starving_tasks(self.history[-1].train, self.history[-1].conflict, declared)

    def explain(
        self, row: int | Mapping[str, Any], table: Any = None, *, others: int = 200, draws: int = 100, seed: int = 0
    ) -> Explanation:
        """Take one prediction apart: gates, what experts and features add to every score.

        Args:
            row: its number in the table, counted from 0; or its values by column.
            table: any table with the features; other rows of it are what the row's features are held against.
            others: how many of them are drawn at most.
            draws: how many orders of the features, see :func:`gatewise.analysis.attribute`.
            seed: of the draws.

        Raises:
            TableError: there is no such row or column, or a value is missing or of another type.
        """
        scorer, columns = self.scorer, {f.name: declare.column_of(f) for f in self.schema.features}
        rows = row_and_others(
            table,
            row,
            needed_columns(self.schema, labels=False),
            known=needed_columns(self.schema, weights=True),
            spared=[columns[name] for name in scorer.model.side_features],
            types=scorer.encoder.column_types(),
            others=others,
            seed=seed,
        )
        tensors = scorer.tensors(scorer.encode(rows, labels=False))
        found = attribute(scorer.model, scorer.tasks, tensors, draws=draws, seed=seed)
        first = rows.slice(0, 1)
        predicted = _only_row(self.predict(first))
        known = {column for task in scorer.tasks for column in task.columns}
        values = _only_row(first)
        return explanation_of(
            found,
            row=values,
            features={name: values.get(column) for name, column in columns.items()},
            tasks=[task.name for task in scorer.tasks],
            predictions={name: value for name, value in predicted.items() if name in known},
            calibrated=_only_row(self.predict(first, calibrated=True)) if self.calibrated else None,
            fused=next((value for name, value in predicted.items() if name not in known), None),
        )

    def _looked_at(self, table: Any, *, labels: bool = True) -> tuple[MultiTaskModel, list[str], TensorTable]:
        """Return the model, the names of its tasks, and a table as it reads it."""
        scorer = self.scorer
        return scorer.model, [task.name for task in scorer.tasks], scorer.tensors(scorer.encode(table, labels=labels))

    def _check_experts(self) -> None:
        if not levels_of(self.scorer.model.trunk, [task.name for task in self.scorer.tasks]):
            raise GatewiseError(f"{type(self.options.model).__name__} has no experts that gates mix")

    def extend_vocabulary(self, table: Any) -> dict[str, int]:
        """Give values of the table that training did not see rows of their own.

        A new row starts as a copy of its table's out-of-vocabulary row, so no prediction changes, neither for old
        values nor for new ones, until the ranker is trained further (:meth:`update`).

        Returns:
            How many values were added to each vocabulary.
        """
        grown = grow(self.scorer, self.options.model, table)
        old, new = (scorer.encoder.vocabularies for scorer in (self.scorer, grown))
        self._scorer, self._holds_more = grown, True
        return {name: new[name].rows - old[name].rows for name in new}

    def save(self, path: str | Path) -> None:
        """Write the ranker as one folder that :func:`gatewise.load` reads anywhere; whole or not at all.

        Raises:
            ArtefactError: it cannot be written, or something else is there.
        """
        save_artefact(self._artefact(), path)

    def report(
        self,
        path: str | Path,
        table: Any = None,
        by: str | Sequence[str] | None = None,
        *,
        name: str = "",
        progress: bool | None = None,
    ) -> None:
        """Write what there is to see of the ranker as one HTML file that loads nothing; needs the extra ``report``.

        Args:
            path: of the file.
            table: any table with features and labels; without one, the report tells what training left behind.
            by: a column, or several, whose slices are looked at; by default numbers and categories of few values.
            name: what the ranker is called; by default its architecture.
            progress: show what is going on; by default when standard error is a terminal.

        Raises:
            MissingExtraError: matplotlib or jinja2 is not installed.
            TableError: a column is missing or of another type, or there are no rows.
            ArtefactError: the file cannot be written.
        """
        check_extra()
        columns = [by] if isinstance(by, str) else by
        with working("looking at the model", at_terminal() if progress is None else progress) as tell:
            found = collect(self._artefact(), name or type(self.options.model).__name__, table, columns, tell)
            tell("drawing")
            write_text(Path(path), render(page_of(found)))

    def _artefact(self) -> Artefact:
        history = [asdict(record) for record in self.history]
        return Artefact(self.scorer, self.options, {"history": history, "rows": self.rows, **self.metrics})

    def export_onnx(self, path: str | Path, *, inputs: str = "raw", check: Any = None) -> Ranker:
        """Write an ONNX file that predicts what the ranker does, calibrated and fused where it is.

        Args:
            path: the file, written whole or not at all.
            inputs: ``raw`` for the columns of a table, ``encoded`` for the matrices that the encoder makes.
            check: a table whose rows are compared; by default made-up rows with known, unseen and null values.

        Returns:
            The ranker itself.

        Raises:
            MissingExtraError: a package of the extra ``export`` is not installed.
            ExportError: the file would predict something else; names the output, the row and both values.
            ArtefactError: it cannot be written.
        """
        from gatewise.export import export_onnx

        export_onnx(self.scorer, path, inputs=inputs, check=check)
        return self

    def _warn_of_gates(self, table: TensorTable) -> None:
        names = [task.name for task in self.schema.tasks]
        # of several levels the last one, which is that of the tasks
        usage = gate_usage(self.scorer.model, names, table.head(GATE_SAMPLE))[-1:]
        for problem in mixture_problems(usage):
            warnings.warn(str(problem), GatewiseWarning, stacklevel=3)


def _only_row(table: pa.Table) -> dict[str, Any]:
    return table.to_pylist()[0]


def load(path: str | Path, device: str | None = None) -> Ranker:
    """Read a ranker that :meth:`Ranker.save` wrote; nothing in it is executed.

    Args:
        path: of the artefact.
        device: where it scores, such as ``"cuda"``; by default the CPU, wherever it was trained.

    Raises:
        DeclarationError: this machine has no such device.
        ArtefactError: it is absent, incomplete or damaged; says which file and why.
    """
    artefact = load_artefact(path)
    ranker = Ranker.from_options(artefact.scorer.encoder.schema, artefact.options)
    metrics = dict(artefact.metrics)
    try:
        ranker.history = TypeAdapter(list[EpochRecord]).validate_python(metrics.pop("history", []))
        ranker.rows = TypeAdapter(dict[str, int]).validate_python(metrics.pop("rows", {}))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(["history", *map(str, first["loc"])])
        raise ArtefactError(f"artefact {str(path)!r}: metrics.json: {place}: {first['msg']}") from None
    ranker.metrics = metrics
    ranker._scorer, ranker._holds_more = artefact.scorer, True
    return ranker if device is None else ranker.to(device)
