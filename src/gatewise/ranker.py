"""The ranker: from a table to predictions of all tasks."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, Unpack, cast

import pyarrow as pa

from gatewise import declare
from gatewise.calibration import make_calibrator
from gatewise.data import column_names
from gatewise.errors import DeclarationError, GatewiseWarning, TableError
from gatewise.estimator import Estimator, is_labels
from gatewise.files import held, write_text
from gatewise.fitting import make_trainer
from gatewise.insight import Insight
from gatewise.preparing import check_declared, check_fit, prepare
from gatewise.progress import ProgressReporter, at_terminal, working
from gatewise.report import check_extra, collect, page_of, render
from gatewise.serving import Artefact, Scorer, grow, save_artefact
from gatewise.tasks import Metrics
from gatewise.training import Reporter, Reporters, choose_device, goes_on
from gatewise.tuning import tuned

GATE_SAMPLE = 10_000


@declare.spelled_out
class Ranker(Insight, Estimator):
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
        **training: Unpack[declare.TrainingOptions],
    ) -> None:
        trained = declare.Training(**cast("dict[str, Any]", training))
        parts = {"model": model, "balance": balance, "training": trained, "fusion": fusion}
        self._declare(schema, declare.from_dict(declare.Options, parts))

    @classmethod
    def from_options(cls, schema: declare.Schema, options: declare.Options) -> Ranker:
        """Return an unfitted ranker of a schema and all other options in one, such as a recipe."""
        ranker = cls.__new__(cls)
        ranker._declare(schema, options)
        return ranker

    def _declare(self, schema: declare.Schema, options: declare.Options) -> None:
        if not isinstance(schema, declare.Schema):
            raise DeclarationError(f"Ranker: expected a Schema, found {type(schema).__name__}")
        check_declared(schema, options)
        self.schema = schema
        own = {name: getattr(options, name) for name in ("model", "balance", "training", "fusion")}
        Insight.__init__(self, None, declare.Options(**own))
        self.metrics: dict[str, Any] = {}
        self.rows: dict[str, int] = {}
        self._holds_more = False

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
        callbacks: Sequence[Reporter] = (),
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
            callbacks: further reporters, which are told of every step and epoch.

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
        check_fit(self.schema, self.options, valid)
        if self._holds_more:
            what = "fit begins anew: what this ranker has learnt is forgotten; update trains it further"
            warnings.warn(what, GatewiseWarning, stacklevel=2)
        folder, show = None if run_dir is None else Path(run_dir), at_terminal() if progress is None else progress
        goes_on(folder, self.options.training.epochs, resume=resume, overwrite=overwrite)
        with nullcontext() if folder is None else held(folder):
            told = self._reporter(show, label, callbacks)
            self._learn(train, valid, folder, told, show=show, resume=resume, overwrite=overwrite)
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
        check_fit(self.schema, self.options, valid)
        show = at_terminal() if progress is None else progress
        told = self._reporter(show)
        self._learn(train, valid, None, told, show=show, resume=False, overwrite=False, known=known)
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

    def _reporter(self, show: bool, label: str = "", callbacks: Sequence[Reporter] = ()) -> Reporter:
        """Return all who are told how the training goes, as one."""
        names, device = [task.name for task in self.schema.tasks], choose_device(self.options.training.device).type
        shown = [ProgressReporter(names, label=label, device=device)] if show else []
        declared = [declare.made_of(callback) for callback in self.options.training.callbacks]
        return Reporters([*shown, *declared, *callbacks])

    def _learn(
        self,
        train: Any,
        valid: Any,
        run_dir: Path | None,
        reporter: Reporter,
        *,
        show: bool,
        resume: bool,
        overwrite: bool,
        known: Scorer | None = None,
    ) -> None:
        """Train a new model, or the known one further, and keep what came of it."""
        prepared = prepare(self.schema, self.options, train, valid, known=known, show=show)
        scorer, rows, held_out = prepared.scorer, prepared.train, prepared.valid
        options = tuned(scorer, self.options, rows, held_out, run_dir=run_dir, resume=resume)
        trainer = make_trainer(scorer, options, rows, run_dir, reporter, held_out)
        try:
            trainer.fit(rows, held_out, resume=resume, overwrite=overwrite)
        finally:
            # also after Ctrl-C: the best epoch so far is worth keeping
            if trainer.history:
                self._scorer, self.history, self._holds_more = scorer, trainer.history, False
                self.rows = {"training": len(rows), **({} if held_out is None else {"validation": len(held_out)})}
        self._warn_of_gates(held_out if held_out is not None and len(held_out) else rows)

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
