"""The ranker, from a table to predictions of all tasks."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, Unpack, cast, overload

import pyarrow as pa

from gatewise import declare
from gatewise.analysis import (
    LOOKED_AT,
    Problem,
    contradicting_labels,
    feature_drift,
    leaks,
    metrics_grids,
    misfits,
    unlike_training,
)
from gatewise.calibration import Calibration, make_calibrator, make_fitter
from gatewise.data import Turnover, column_names, frame_like, period_of, read_at, readable, source_of, times_of_labels
from gatewise.described import Described
from gatewise.distributed import processes
from gatewise.errors import DeclarationError, GatewiseError, GatewiseWarning, TableError, shown
from gatewise.estimator import Estimator, is_labels, refuse_labels
from gatewise.files import held, write_text
from gatewise.fitting import facts_of, make_trainer
from gatewise.further import Further
from gatewise.grids import ShownDict
from gatewise.insight import Insight
from gatewise.look import take_sample
from gatewise.nn import TensorTable
from gatewise.preparing import Ripened, Rows, check_declared, check_fit, prepare
from gatewise.processes import Processes
from gatewise.progress import PROBLEMS, at_terminal, reporter_of, working
from gatewise.provenance import Provenance, RowsSeen, trained_now
from gatewise.report import check_extra, collect, page_of, render
from gatewise.serving import Artefact, ModelChange, Scorer, changed, grow, save_artefact, with_members
from gatewise.tasks import Metrics
from gatewise.training import Kept, Reporter, Reporters, choose_device, counted_before, goes_on, grown_state
from gatewise.tuning import tuned

GATE_SAMPLE = 10_000
MOST_JUDGED = 1_000_000
"""Held-out rows, the first ones, that are looked at for problems after a training."""


@declare.spelled_out
class Ranker(Described, Insight, Estimator):
    """Learns several tasks from one table and predicts all of them.

    Args:
        schema: features and tasks.
        model: an architecture, or its kind, such as ``"mmoe"``, ``"ple"`` or ``"shared_bottom"``; by default CGC,
            an MMoE whose tasks have experts of their own beside the shared ones, with members and embedded numbers;
            ``"mmoe"`` is the plain MMoE.
        balance: a balancing rule, or its kind, such as ``"static"``, ``"uncertainty"`` or ``"upgrad"``.
        fusion: an expression of one score from all predictions, such as ``"click + 3 * purchase^0.5"``.
        **training: any option of :class:`gatewise.Training`, such as ``epochs=5, batch_size=1024, lr=1e-3, seed=0``.

    Attributes:
        declared: the declared options; ``auto`` in them is decided anew by every :meth:`fit`.
        options: the same; after :meth:`fit` with what ``auto`` became for the training table.
        provenance: when, with which versions, commit and rows the model was trained, and what it was updated from; None
            before the first training.
        turnover: after :meth:`update`, by vocabulary, how many values got a row, gave theirs back, and wait for one.
        changes: of a ranker that :meth:`changed` returned, what became of each feature, task, and the experts.
        until: by column of times, the moment up to which labels with a ``delay`` were learnt: in seconds since 1970, or
            in the column's unit for a delay that is a number.

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
        model: declare.AnyArchitecture | str = declare.DEFAULT_MODEL,
        *,
        balance: declare.AnyBalance | str = "static",
        fusion: str | None = None,
        **training: Unpack[declare.TrainingOptions],
    ) -> None:
        trained = declare.Training(**cast("dict[str, Any]", training))
        parts = {"model": model, "balance": balance, "training": trained, "fusion": fusion}
        self._declare(schema, declare.from_dict(declare.Options, parts))

    @classmethod
    def from_options(cls, schema: declare.Schema, options: declare.Options) -> Ranker:
        """Return an unfitted ranker of a schema and options in one object, such as a recipe."""
        ranker = cls.__new__(cls)
        ranker._declare(schema, options)
        return ranker

    def _declare(self, schema: declare.Schema, options: declare.Options) -> None:
        if not isinstance(schema, declare.Schema):
            raise DeclarationError(f"Ranker: expected a Schema, found {type(schema).__name__}")
        check_declared(schema, options)
        self.schema = schema
        own = {name: getattr(options, name) for name in ("model", "balance", "training", "fusion")}
        self.declared = declare.Options(**own)
        Insight.__init__(self, None, self.declared)
        self.metrics: dict[str, Any] = {}
        self.rows: dict[str, int] = {}
        self.provenance: Provenance | None = None
        self.turnover: dict[str, Turnover] = {}
        self.until: dict[str, float] = {}
        self.changes: list[ModelChange] = []
        self._kept: Kept = {}

    @property
    def calibrated(self) -> bool:
        """Whether :meth:`calibrate` was called after the last fit, so that probabilities can be calibrated."""
        return bool(self.scorer.calibration)

    def fit(
        self,
        train: Any,
        valid: Any = None,
        *,
        run_dir: str | Path | None = None,
        resume: bool = False,
        overwrite: bool = False,
        fresh: bool = False,
        progress: bool | None = None,
        label: str = "",
        callbacks: Sequence[Reporter] = (),
        now: declare.Instant | None = None,
    ) -> Ranker:
        """Learn vocabularies and statistics from the training table, then train.

        The fitted model has the weights of the best epoch on ``valid``, or of the last epoch without ``valid``. After
        Ctrl-C the model has the weights of the best epoch so far, and ``run_dir`` has a checkpoint to resume from.

        Args:
            train: any table: pandas, polars, pyarrow, duckdb, a dict of arrays, a path to CSV or Parquet.
            valid: any table, later in time if time matters; decides the best epoch and early stopping. A single column
                of ``train``, as scikit-learn passes labels, is not used.
            run_dir: folder for the checkpoint and the history, written after every epoch.
            resume: resume from the checkpoint in ``run_dir``; results equal those of an uninterrupted training.
            overwrite: start anew even if ``run_dir`` holds an earlier training, which is lost.
            fresh: begin anew although the ranker has learnt already, from ``fit`` or an artefact, which is forgotten.
            progress: whether to show bars, or lines in a notebook; by default in a notebook, and if standard error is
                a terminal. Without them the logger ``gatewise`` gets a line per epoch, at the level INFO, and all
                figures at DEBUG. In the end the logger ``gatewise.problems`` gets what is wrong with the model, in
                words, at the level WARNING: see :meth:`problems`.
            label: text at the start of every line of progress.
            callbacks: further reporters, called on every step and epoch, such as those of :mod:`gatewise.track`.
            now: the moment at which labels were read, for tasks with a ``delay``: a date, a time, a text such as
                ``"2026-05-04"``, or a number of the unit of the times; None: the newest time of each table.

        Returns:
            The ranker itself.

        Raises:
            TableError: a table does not hold what the schema declares; names the column. Or ``valid`` has labels alone,
                which belong in the tables.
            GatewiseError: the ranker has learnt already, and neither ``fresh`` nor ``resume`` is set.
            TrainingError: a loss is not finite, or the monitored metric is undefined.
            ArtefactError: a checkpoint cannot be read or written; another process writes into ``run_dir``; or
                ``run_dir`` holds an earlier training, and neither ``resume`` nor ``overwrite`` is set.

        In a process that a launcher started with others, such as torchrun, all of them train the model together, each
        with its share of every batch; only rank 0 writes files and shows progress.

        Warns:
            GatewiseWarning: a gate has collapsed or an expert is dead.
        """
        names = partial(column_names, train)
        if is_labels(valid, names):
            valid = None
        refuse_labels(valid, self.schema, names)
        check_fit(self.schema, self.declared, valid)
        if self._scorer is not None and not (fresh or resume):
            raise GatewiseError(
                "fit: this ranker has learnt already, and fit would forget it: update trains it further, "
                "fit(..., fresh=True) begins anew"
            )
        folder, among = None if run_dir is None else Path(run_dir), self._among()
        first = among.rank == 0
        show = first and (at_terminal() if progress is None else progress)
        if first:
            goes_on(folder, resume=resume, overwrite=overwrite)
        with held(folder) if folder is not None and first else nullcontext():
            told = self._reporter(show, label, callbacks) if first else Reporter()
            how: dict[str, Any] = {"show": show, "resume": resume, "overwrite": overwrite, "now": now}
            self._learn(self.declared, train, valid, folder, told, among, **how)
        return self

    def _among(self) -> Processes:
        """Return the processes that train together: those of a launcher, or this one alone."""
        return processes(choose_device(self.declared.training.device))

    def update(
        self,
        train: Any,
        valid: Any = None,
        *,
        replay: Any = None,
        progress: bool | None = None,
        callbacks: Sequence[Reporter] = (),
        ripened: Any = None,
        now: declare.Instant | None = None,
        **options: Unpack[declare.UpdateOptions],
    ) -> Ranker:
        """Train further on other rows, from the ranker's weights, vocabularies and statistics.

        By default these are three passes over the rows, at a rate that falls along a cosine from half of that of the
        training. Batch size, optimiser and balancing rule are those that the ranker was trained with, and nothing
        depends on the number of rows. A balancing rule goes on with its
        state; the optimiser does so where ``keep_optimizer`` was declared, and starts anew otherwise.

        To vocabularies an update is a day: a value gets a row when it was seen ``min_count`` times, over the training
        and all updates, and loses it when it was in none of ``keep_days`` updates. Statistics of numbers stay those of
        the training.

        With ``valid`` the updated model has the weights of the best epoch, and what was calibrated is calibrated anew,
        by the same method, on these rows. Without ``valid`` it has the weights of the last epoch, and a calibration
        that was learnt from rows is dropped.

        Args:
            train: any table, such as the rows of a new day.
            valid: any table; decides the best epoch and early stopping, and calibrates.
            replay: any table of earlier rows, which make up the share ``replay_share`` of every batch, beside the rows
                of ``train``; a list of files and folders is one table.
            progress: whether to show progress; by default if standard error is a terminal.
            callbacks: further reporters, called on every step and epoch.
            ripened: any table of earlier rows with their labels of today, for tasks with a ``delay``: of each of these
                tasks the labels that became final since the last training are learnt, and nothing else of the rows.
            now: see :meth:`fit`.
            **options: any option of :class:`gatewise.declare.Update`: ``epochs=3``, ``lr=None``,
                ``schedule=Cosine()``, ``replay_share=0.7``, ``pull=0.0`` and ``admit=True``.

        Returns:
            The ranker itself.

        Raises:
            GatewiseError: the ranker is not fitted yet.
            DeclarationError: an unknown or invalid option, by name.
            TableError: a table does not hold what the schema declares; names the column.
            TrainingError: a loss is not finite, or the monitored metric is undefined. The ranker is as it was.

        Warns:
            GatewiseWarning: a calibration is dropped, or the rows of ``replay`` are few.
        """
        scorer, valid = self.scorer, None if valid is None else readable(valid)
        given = declare.from_dict(declare.Update, dict(options), source="update")
        declared = given.of(self.options)
        check_fit(self.schema, declared, valid)
        among, show = self._among(), at_terminal() if progress is None else progress
        first = among.rank == 0
        told = self._reporter(show, callbacks=callbacks) if first else Reporter()
        again = None if ripened is None else Ripened(readable(ripened), self.until)
        further, train = Further(scorer, self._kept, given, replay, again), readable(train)
        if given.admit:
            with working("looking for new values", show and first):
                further = further.grown(self.options.model, train)
        self._learn(declared, train, valid, None, told, among, show=show and first, further=further, now=now)
        if scorer.calibration:
            self.scorer.calibration = self._calibrated_again(scorer, valid, now)
        return self

    def _calibrated_again(self, before: Scorer, valid: Any, now: declare.Instant | None) -> Calibration:
        """Return the calibration after an update, from that of the model before."""
        if valid is not None:
            as_of = read_at(self.schema, valid, now)
            return before.calibration.again(self.scorer.predicted(valid, as_of=as_of))
        kept = before.calibration.without_rows()
        if dropped := [name for name in before.calibration.calibrators if name not in kept.calibrators]:
            what = f"update: the calibration of {shown(dropped)} was learnt for the model before and is dropped"
            warnings.warn(f"{what}: give valid, or call calibrate", GatewiseWarning, stacklevel=3)
        return kept

    def changed(
        self,
        schema: declare.Schema | None = None,
        model: declare.AnyArchitecture | str | None = None,
        table: Any = None,
    ) -> Ranker:
        """Return a ranker with other features, tasks or experts, which goes on from what this one has learnt.

        Of the tasks that both have, it predicts what this one does: a new feature has no effect at first, a new task
        has a tower of its own and gates that are the mean of the others', and a new expert is a copy with which an
        earlier one shares its weight. Only what is gone changes predictions: a feature, or a task that others read.
        :meth:`update` then trains it; optimiser and balancing rule begin anew.

        The model is of any kind of Gatewise's own, its gates are softmax gates; new experts need gates with a bias.

        Args:
            schema: other features and tasks; those of equal name are declared alike, but for weight and metrics of a
                task; None: those of this ranker.
            model: an architecture of the same kind with more experts, or with the places of new tasks in ``order`` and
                ``groups``; None: that of this ranker.
            table: any table with the columns of the new schema, from which new features and tasks learn vocabularies
                and statistics; needed for these alone.

        Returns:
            A new ranker without a history, whose ``changes`` say what was kept, and what is new or gone; this ranker
            stays as it is.

        Raises:
            GatewiseError: the ranker is not fitted yet.
            DeclarationError: something that was kept is declared otherwise, or the model cannot be changed; names it.
            TableError: there are new features or tasks, and no table; or the table lacks a column.
        """
        before = self.options.model
        parts = {**vars(self.options), **({} if model is None else {"model": model})}
        options = declare.from_dict(declare.Options, parts)
        options = replace(options, model=with_members(before, options.model))
        other = Ranker.from_options(self.schema if schema is None else schema, options)
        embedded = other.schema.embedding_numbers(options.model.numbers)
        seed, rows = options.training.seed, None if table is None else readable(table)
        other._scorer, other.changes = changed(self.scorer, before, embedded, options.model, rows, seed)
        # the history is that of other tasks
        other.provenance, other.rows, other.until = self.provenance, dict(self.rows), dict(self.until)
        return other

    def to(self, device: str) -> Ranker:
        """Move the fitted model to a device, such as ``"cuda"``, for all later predictions.

        Returns:
            The ranker itself.

        Raises:
            DeclarationError: this machine does not have the device.
        """
        self.scorer.model.to(choose_device(device))
        return self

    def _reporter(self, show: bool, label: str = "", callbacks: Sequence[Reporter] = ()) -> Reporter:
        """Return one reporter that calls all reporters of the training."""
        shown = reporter_of([task.name for task in self.schema.tasks], show=show, label=label)
        declared = [declare.made_of(callback) for callback in self.options.training.callbacks]
        return Reporters([*shown, *declared, *callbacks])

    def _learn(
        self,
        declared: declare.Options,
        train: Any,
        valid: Any,
        run_dir: Path | None,
        reporter: Reporter,
        among: Processes,
        *,
        show: bool,
        resume: bool = False,
        overwrite: bool = False,
        further: Further | None = None,
        now: declare.Instant | None = None,
    ) -> None:
        """Train a new model, or a known one further, and keep scorer, history and state."""
        known = {} if further is None else {"known": further.scorer, "replay": further.replay}
        if further is not None:
            known |= {"ripened": further.ripened, "counted": counted_before(further.kept)}
        if times_of_labels(self.schema):
            # the column of times is read before the rows are
            train, valid = readable(train), None if valid is None else readable(valid)
        prepared = prepare(self.schema, declared, train, valid, **known, show=show, among=among, now=now)
        scorer, rows, held_out = prepared.scorer, prepared.train, prepared.valid
        options = tuned(scorer, prepared.options, rows, held_out, run_dir=run_dir, resume=resume)
        counted = prepared.counted()
        reporter.on_prepared(facts_of(scorer, options, counted, run_dir))
        mixed = rows if further is None else further.mixed(prepared)
        kept, pull = (None, 0.0) if further is None else (further.kept, further.options.pull)
        trainer = make_trainer(scorer, options, mixed, run_dir, reporter, held_out, among, kept=kept, pull=pull)
        seen = self._seen({"training": (rows, train), "validation": (held_out, valid)}) if among.rank == 0 else {}
        parent = None if further is None else self.provenance
        try:
            trainer.fit(mixed, held_out, resume=resume, overwrite=overwrite)
        finally:
            # also after Ctrl-C: keep the best epoch so far, unless its tables are in other processes
            if trainer.history and (among.rank or not scorer.model.input_layer.tables.sharded):
                self._scorer, self.history, self._kept = scorer, trainer.history, trainer.kept
                self.provenance, self.rows, self.metrics = trained_now(seen, parent), counted, {}
                self.turnover = {} if further is None else further.turnover
                self.until = prepared.until
                if further is None:
                    self.options = prepared.options
        if among.rank:
            return
        looked_at = held_out if held_out is not None and len(held_out) else rows
        self._warn_of_gates(looked_at.head(GATE_SAMPLE))
        # where nobody listens, such as in a command that says them later, nothing is computed
        if PROBLEMS.isEnabledFor(logging.WARNING):
            self._say_problems(train, valid, rows, held_out)

    def _seen(self, parts: Mapping[str, tuple[Rows | None, Any]]) -> dict[str, RowsSeen]:
        """Return number, fingerprint and, with a column of times, period of the rows of a training, by part."""
        found = {}
        for name, (rows, source) in parts.items():
            if rows is not None:
                period = period_of(self.schema, source)
                times = {} if period is None else {"time": period.time, "begin": period.begin, "end": period.end}
                found[name] = RowsSeen(len(rows), rows.digest(), **times)
        return found

    def _say_problems(self, train: Any, valid: Any, rows: Rows, held_out: Rows | None) -> None:
        """Give the problems of the training, of its rows and of held-out rows to the logger."""
        some = None if held_out is None else held_out.head(MOST_JUDGED)
        unfit = [] if some is None or not len(some) else misfits(self.scorer.predicted_rows(some), {})
        of_labels, unlike = list[Problem](), list[Problem]()
        encoder = self.scorer.encoder
        # a file is not read a second time for it; contradicting steps of funnels were warned of
        if source_of(train).in_memory:
            of_labels = leaks(take_sample(train, LOOKED_AT).table, self.schema)
        if isinstance(rows, TensorTable):
            of_labels += contradicting_labels(self.scorer.tasks, rows)
        if held_out is not None and len(held_out) and source_of(valid).in_memory:
            sample = take_sample(valid, LOOKED_AT).table
            unlike = unlike_training(feature_drift(encoder, sample, self.scorer.encode(sample, labels=False)))
        for problem in self.training_problems() + of_labels + unlike + unfit:
            PROBLEMS.warning("%s", problem)

    def calibrate(
        self,
        table: Any = None,
        method: str = "auto",
        *,
        tasks: Sequence[str] | None = None,
        rate: float | None = None,
        now: declare.Instant | None = None,
    ) -> Ranker:
        """Learn a calibration: probabilities of binary tasks that agree with the observed rate of labels 1.

        ``predict`` and ``evaluate`` use the calibration with ``calibrated=True``. For a step of a funnel, the
        probability given the step before is calibrated, on the rows in which the step before was taken; the joint
        probability stays the product of the steps'. Other tasks keep their calibration; :meth:`fit` drops all.

        Args:
            table: rows that the model was not trained on, with labels; ``down_sampling`` needs no table.
            method: ``"auto"``, ``"isotonic"``, ``"platt"`` or ``"down_sampling"``, see :mod:`gatewise.calibration`.
            tasks: names of binary tasks; by default all.
            rate: share of the negatives kept in the training table; of ``down_sampling`` only.
            now: see :meth:`fit`.

        Returns:
            The ranker itself.

        Raises:
            DeclarationError: an unknown method, a name that is not a binary task's, or a rate for another method.
            TableError: a missing table, or an output without labels of both classes; names the output.

        Warns:
            GatewiseWarning: on held-out rows a calibration does worse than none, or none was chosen; names the output.
        """
        options = {"method": method, "tasks": tasks, "rate": rate}
        return self.calibrate_as(declare.from_dict(declare.Calibration, options), table, now=now)

    def calibrate_as(
        self, calibration: declare.Calibration, table: Any = None, *, now: declare.Instant | None = None
    ) -> Ranker:
        """Calibrate with declared options, such as those of a recipe; see :meth:`calibrate`."""
        scorer, names = self.scorer, calibration.names(self.schema)
        rate = {} if calibration.rate is None else {"rate": calibration.rate}
        if not calibration.fits:
            made = partial(make_calibrator, calibration.method, **rate)
            scorer.calibration = scorer.calibration.given(scorer.tasks, made, names)
            return self
        if table is None:
            raise TableError(f"calibrate: {calibration.method} needs a table with labels, found none")
        make = partial(make_fitter, calibration.method)
        table = readable(table)
        predicted = scorer.predicted(table, as_of=read_at(self.schema, table, now))
        scorer.calibration = scorer.calibration.fitted(predicted, make, names)
        return self

    def fuse_by(self, fusion: str | None) -> Ranker:
        """Set the expression that fuses this ranker's predictions; None: no fusion.

        Returns:
            The ranker itself.

        Raises:
            DeclarationError: a syntax error in the expression, or a name that is not a prediction's.
        """
        options = declare.from_dict(declare.Options, {**vars(self.options), "fusion": fusion})
        scorer = replace(self.scorer, fusion=options.parsed_fusion)
        self.declared = replace(self.declared, fusion=fusion)
        self.options, self._scorer = options, scorer
        return self

    @overload
    def predict(self, table: Any, *, calibrated: bool = False, as_frame: Literal[False] = False) -> pa.Table: ...

    @overload
    def predict(self, table: Any, *, calibrated: bool = False, as_frame: bool) -> Any: ...

    def predict(self, table: Any, *, calibrated: bool = False, as_frame: bool = False) -> Any:
        """Return the predictions, an Arrow table of float64 columns: probabilities, or numbers in the label's unit.

        Columns have the names of the tasks. A step of a funnel has two columns, ``purchase_given_click`` and
        ``click_and_purchase``; a class has one, ``device[tv]``. With a fusion the last column is ``fused``, made from
        calibrated probabilities if the ranker is calibrated, for either value of ``calibrated``.

        The table needs no labels. Values that were not in the training table are out of vocabulary.

        Args:
            table: any table with the features.
            calibrated: whether to return calibrated probabilities, see :meth:`calibrate`.
            as_frame: whether to return a data frame: for a pandas table pandas with the table's index, for polars
                polars, for any other table pandas.

        Raises:
            TableError: a feature's column is missing or of another type.
            GatewiseError: ``calibrated``, but the ranker is not calibrated.
        """
        predicted = self.scorer.predict(table, calibrated=calibrated)
        return frame_like(predicted, table) if as_frame else predicted

    def evaluate(self, table: Any, *, calibrated: bool = False, now: declare.Instant | None = None) -> Metrics:
        """Return the metrics ``{task: {metric: value}}``, each over all rows with the task's label.

        An undefined metric, such as the AUC of one class, is None.

        Args:
            table: any table with features and labels.
            calibrated: whether to evaluate calibrated probabilities.
            now: the moment at which labels were read, for tasks with a ``delay``, see :meth:`fit`; younger labels are
                not judged.

        Raises:
            TableError: a column is missing or of another type.
            GatewiseError: ``calibrated``, but the ranker is not calibrated.
        """
        return ShownDict(self.scorer.evaluate(table, calibrated=calibrated, now=now), metrics_grids)

    def extend_vocabulary(self, table: Any) -> dict[str, int]:
        """Give embedding rows to values of the table that training did not see, before :meth:`update` learns it.

        An update does so by itself. A value gets a row where its count in the table, with those of the training and of
        the updates, reaches the feature's ``min_count``; the counts of the table are not remembered. A new row starts
        as a copy of the embedding table's out-of-vocabulary row, so that predictions for old and new values do not
        change until the update.

        Returns:
            Number of values added to each vocabulary.
        """
        grown = grow(self.scorer, self.options.model, table)
        self._kept = grown_state(self._kept, self.scorer.model, grown.scorer.model, grown.reset)
        self._scorer = grown.scorer
        found = {name: each.admitted for name, each in grown.turnover.items()}
        return {name: found.get(name, 0) for name in self.scorer.encoder.vocabularies}

    def save(self, path: str | Path) -> None:
        """Write the ranker as one folder for :func:`gatewise.load`, atomically.

        Raises:
            ArtefactError: the folder cannot be written, or the path holds something else.
        """
        save_artefact(self._artefact(), path)

    def report(
        self,
        path: str | Path,
        table: Any = None,
        by: str | Sequence[str] | None = None,
        *,
        time: str | None = None,
        recipe: declare.Recipe | None = None,
        name: str = "",
        now: declare.Instant | None = None,
        progress: bool | None = None,
    ) -> None:
        """Write a report on the ranker, one self-contained HTML file; needs the extra ``report``.

        Args:
            path: path of the file.
            table: any table with features and labels; None: the report covers only the training.
            by: one or several columns to slice by; by default the numbers, and categories of few values, whose slices
                differ most.
            time: a column of times, for labels and predictions by day; by default the one by which the recipe splits,
                if the table has it.
            recipe: the recipe of the training, which the report repeats; by default one is made of schema and options.
            name: name of the ranker in the report; by default its architecture.
            now: the moment at which labels were read, see :meth:`evaluate`.
            progress: whether to show progress; by default if standard error is a terminal.

        Raises:
            MissingExtraError: matplotlib or jinja2 is not installed.
            TableError: a column is missing or of another type, or there are no rows.
            ArtefactError: the file cannot be written.
        """
        check_extra()
        columns = [by] if isinstance(by, str) else by
        with working("looking at the model", at_terminal() if progress is None else progress) as tell:
            name = name or type(self.options.model).__name__
            found = collect(self._artefact(), name, table, columns, tell, time=time, recipe=recipe, now=now)
            tell("drawing")
            write_text(Path(path), render(page_of(found)))

    def _artefact(self) -> Artefact:
        history = [asdict(record) for record in self.history]
        made = None if self.provenance is None else asdict(self.provenance)
        known = {"history": history, "rows": self.rows, "provenance": made}
        if self.until:
            known["until"] = self.until
        return Artefact(self.scorer, self.options, {**known, **self.metrics}, self._kept)

    def export_onnx(self, path: str | Path, *, inputs: str = "raw", check: Any = None) -> Ranker:
        """Write an ONNX file with the ranker's predictions, including its calibration and fusion.

        Args:
            path: path of the file, written atomically.
            inputs: ``raw`` for the columns of a table, ``encoded`` for the matrices that the encoder makes.
            check: a table whose predictions are compared; by default synthetic rows with known, unseen and null values.

        Returns:
            The ranker itself.

        Raises:
            MissingExtraError: a package of the extra ``export`` is not installed.
            ExportError: the file's predictions differ from the ranker's; names the output, the row and both values.
            ArtefactError: the file cannot be written.
        """
        from gatewise.export import export_onnx

        export_onnx(self.scorer, path, inputs=inputs, check=check)
        return self
