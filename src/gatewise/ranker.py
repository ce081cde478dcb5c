"""The ranker: from a table to predictions of all tasks."""

from __future__ import annotations

import warnings
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from gatewise import declare
from gatewise.analysis import gate_problems
from gatewise.assembly import build_balance, build_model, build_tasks, load_language_models
from gatewise.data import TableEncoder
from gatewise.errors import DeclarationError, GatewiseError, GatewiseWarning
from gatewise.fitting import make_trainer
from gatewise.nn import TensorTable
from gatewise.progress import ProgressReporter, at_terminal, counting, working
from gatewise.serving import Artefact, Scorer, grow, load_artefact, save_artefact
from gatewise.tasks import Metrics
from gatewise.training import EpochRecord, Monitor, Reporter, choose_device
from gatewise.tuning import tune_balance

GATE_SAMPLE = 10_000


class Ranker:
    """Learns several tasks from one table and predicts all of them.

    Args:
        schema: features and tasks.
        model: an architecture, or its kind, such as ``"mmoe"``, ``"ple"`` or ``"shared_bottom"``.
        balance: a balancing rule, or its kind, such as ``"static"``, ``"uncertainty"`` or ``"upgrad"``.
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
        **training: Any,
    ) -> None:
        declared = {"model": model, "balance": balance, "training": declare.Training(**training)}
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
        tasks = build_tasks(schema)
        Monitor(options.training.monitor, tasks)
        if isinstance(options.balance, (declare.Static, declare.MetaBalance)):
            build_balance(options.balance, tasks)
        self.schema = schema
        self.options = declare.Options(model=options.model, balance=options.balance, training=options.training)
        self.history: list[EpochRecord] = []
        self.metrics: dict[str, Any] = {}
        self._scorer: Scorer | None = None

    @property
    def scorer(self) -> Scorer:
        """The fitted encoder, model and tasks.

        Raises:
            GatewiseError: nothing was fitted yet.
        """
        if self._scorer is None:
            raise GatewiseError("this ranker is not fitted: call fit first, or gatewise.load an artefact")
        return self._scorer

    def fit(
        self,
        train: Any,
        valid: Any = None,
        *,
        run_dir: str | Path | None = None,
        resume: bool = False,
        progress: bool | None = None,
        label: str = "",
    ) -> Ranker:
        """Learn vocabularies and statistics from the training table, then train.

        After it the model has the weights of the epoch that was best on ``valid``, or of the last one without
        ``valid``. On Ctrl-C it has those of the best epoch so far and ``run_dir`` has a checkpoint to resume from.

        Args:
            train: any table: pandas, polars, pyarrow, duckdb, a dict of arrays, a path to CSV or Parquet.
            valid: another one, later in time where time matters; decides the best epoch and early stopping.
            run_dir: where checkpoint and history are written after every epoch.
            resume: go on from the checkpoint in ``run_dir``; the result is that of never having stopped.
            progress: show progress; by default when standard error is a terminal.
            label: put in front of every line of progress.

        Returns:
            The ranker itself.

        Raises:
            TableError: a table does not hold what the schema declares; names the column.
            TrainingError: a loss is not finite, or the monitored metric is undefined.
            ArtefactError: a checkpoint cannot be read or written.

        Warns:
            GatewiseWarning: a gate has collapsed or an expert is dead.
        """
        if valid is None and isinstance(self.options.training.schedule, declare.Plateau):
            raise DeclarationError("schedule 'plateau' follows the monitored metric: fit needs a validation table")
        if valid is None and isinstance(self.options.balance, declare.TunedStatic):
            raise DeclarationError("balance 'tuned_static' follows the monitored metric: fit needs a validation table")
        if not isinstance(self.options.balance, declare.TunedStatic):
            # a missing extra is better known before the tables are encoded
            build_balance(self.options.balance, build_tasks(self.schema))
        show = at_terminal() if progress is None else progress
        device = choose_device(self.options.training.device)
        with working("encoding the tables", show):
            encoder, encoded = TableEncoder.fit(self.schema, train)
            side = self.options.model.side
            aside = () if side is None else side.features
            encoded_valid = None if valid is None else encoder.encode(valid, optional=aside)
        tasks = build_tasks(self.schema, encoder.statistics)
        model = build_model(self.options.model, encoder.layout, tasks, self.options.training.seed)
        load_language_models(model)
        scorer = Scorer(encoder, model.to(device), tasks)
        reporter = ProgressReporter([task.name for task in tasks], label=label) if show else Reporter()
        folder = None if run_dir is None else Path(run_dir)
        with counting("texts read", show and bool(encoder.layout.texts)) as count:
            read = partial(model.input_layer.read_texts, read=count)
            tensors = read(scorer.tensors(encoded))
            held_out = None if encoded_valid is None else read(scorer.tensors(encoded_valid))
        options = self.options
        if held_out is not None and isinstance(options.balance, declare.TunedStatic):
            options = tune_balance(scorer, options, (encoded, tensors, held_out), run_dir=folder, resume=resume)
        trainer = make_trainer(scorer, options, encoded, folder, reporter)
        try:
            trainer.fit(tensors, held_out, resume=resume)
        finally:
            # also after Ctrl-C: the best epoch so far is worth keeping
            if trainer.history:
                self._scorer, self.history = scorer, trainer.history
        self._warn_of_gates(held_out if held_out is not None and len(held_out) else tensors)
        return self

    def predict(self, table: Any) -> pa.Table:
        """Return an Arrow table of float64 columns, named for the tasks: probabilities, or numbers in the label's unit.

        A step of a funnel has two: ``purchase_given_click`` and ``click_and_purchase``.

        Labels need not be in the table. Values that the training table did not hold are out of vocabulary.

        Raises:
            TableError: a feature's column is missing or of another type.
        """
        return self.scorer.predict(table)

    def evaluate(self, table: Any) -> Metrics:
        """Return ``{task: {metric: value}}``, each over all rows that have the task's label.

        A metric that is undefined there (an AUC of one class) is None.

        Raises:
            TableError: a column is missing or of another type.
        """
        return self.scorer.evaluate(table)

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

    def extend_vocabulary(self, table: Any) -> dict[str, int]:
        """Give values of the table that training did not see rows of their own.

        A new row starts as a copy of its table's out-of-vocabulary row, so no prediction changes, neither for old
        values nor for new ones, until the ranker is trained further.

        Returns:
            How many values were added to each vocabulary.
        """
        grown = grow(self.scorer, self.options.model, table)
        old, new = (scorer.encoder.vocabularies for scorer in (self.scorer, grown))
        self._scorer = grown
        return {name: new[name].rows - old[name].rows for name in new}

    def save(self, path: str | Path) -> None:
        """Write the ranker as one folder that :func:`gatewise.load` reads anywhere; whole or not at all.

        Raises:
            ArtefactError: it cannot be written, or something else is there.
        """
        metrics = {"history": [asdict(record) for record in self.history], **self.metrics}
        save_artefact(Artefact(self.scorer, self.options, metrics), path)

    def _warn_of_gates(self, table: TensorTable) -> None:
        _, gates = self.scorer.model.score(table.head(GATE_SAMPLE), gates=True)
        if gates is not None:
            for problem in gate_problems(gates.numpy(), [task.name for task in self.schema.tasks]):
                warnings.warn(problem, GatewiseWarning, stacklevel=3)


def load(path: str | Path) -> Ranker:
    """Read a ranker that :meth:`Ranker.save` wrote; nothing in it is executed.

    Raises:
        ArtefactError: it is absent, incomplete or damaged; says which file and why.
    """
    artefact = load_artefact(path)
    ranker = Ranker.from_options(artefact.scorer.encoder.schema, artefact.options)
    metrics = dict(artefact.metrics)
    ranker.history = [EpochRecord(**record) for record in metrics.pop("history", [])]
    ranker.metrics = metrics
    ranker._scorer = artefact.scorer
    return ranker
