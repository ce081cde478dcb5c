"""The ranker: from a table to predictions of all tasks."""

from __future__ import annotations

import hashlib
import json
import math
import warnings
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from gatewise import declare
from gatewise.analysis import gate_problems
from gatewise.assembly import build_balance, build_model, build_tasks, to_tensors
from gatewise.data import EncodedTable, TableEncoder
from gatewise.declare.base import from_dict
from gatewise.errors import GatewiseError, GatewiseWarning
from gatewise.progress import ProgressReporter, at_terminal, working
from gatewise.serving import Artefact, Metrics, Options, Scorer, load_artefact, save_artefact
from gatewise.training import (
    EpochRecord,
    Monitor,
    Reporter,
    Schedule,
    Stopping,
    Trainer,
    choose_device,
    cosine,
    make_optimizer,
    plateau,
    step_decay,
)

GATE_SAMPLE = 10_000


class Ranker:
    """Learns several tasks from one table and predicts all of them.

    Args:
        schema: features and tasks.
        model: an architecture; MMoE by default.
        balance: ``"static"``, ``"uncertainty"`` or their declarations.
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
        model: declare.AnyArchitecture | None = None,
        *,
        balance: declare.AnyBalance | str = "static",
        **training: Any,
    ) -> None:
        self.schema = schema
        self.options = Options(
            model=model or declare.MMoE(),
            balance=from_dict(declare.BalanceChoice, {"balance": balance}).balance,
            training=declare.Training(**training),
        )
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
        show = at_terminal() if progress is None else progress
        device = choose_device(self.options.training.device)
        with working("encoding the tables", show):
            encoder, encoded = TableEncoder.fit(self.schema, train)
            encoded_valid = None if valid is None else encoder.encode(valid)
        tasks = build_tasks(encoder)
        model = build_model(self.options.model, encoder.layout, tasks, self.options.training.seed).to(device)
        scorer = Scorer(encoder, model, tasks)
        reporter = ProgressReporter([task.name for task in tasks], label=label) if show else Reporter()
        trainer = self._trainer(scorer, encoded, None if run_dir is None else Path(run_dir), reporter)
        tensors = None if encoded_valid is None else scorer.tensors(encoded_valid)
        try:
            trainer.fit(scorer.tensors(encoded), tensors, resume=resume)
        finally:
            # also after Ctrl-C: the best epoch so far is worth keeping
            if trainer.history:
                self._scorer, self.history = scorer, trainer.history
        self._warn_of_gates(encoded if encoded_valid is None or len(encoded_valid) == 0 else encoded_valid)
        return self

    def predict(self, table: Any) -> pa.Table:
        """Return an Arrow table with one float64 column a task: probabilities, or numbers in the label's unit.

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
            kind = type(self.options.model).__name__
            raise GatewiseError(f"{kind} has no gates" if not self._no_rows(table) else "the table has no rows")
        return gates if per_row else gates.mean(axis=0, dtype=np.float64)

    def extend_vocabulary(self, table: Any) -> dict[str, int]:
        """Give values of the table that training did not see rows of their own.

        A new row starts as a copy of its table's out-of-vocabulary row, so no prediction changes, neither for old
        values nor for new ones, until the ranker is trained further.

        Returns:
            How many values were added to each vocabulary.
        """
        scorer = self.scorer
        encoder = scorer.encoder.extended(table)
        model = build_model(self.options.model, encoder.layout, scorer.tasks).to(scorer.device)
        old_tables, new_tables = scorer.model.input_layer.tables, model.input_layer.tables
        weights = scorer.model.state_dict()
        model.load_state_dict(weights | {k: v for k, v in model.state_dict().items() if ".tables." in f".{k}"})
        added = {}
        with torch.no_grad():
            for index, field in enumerate(old_tables.fields):
                rows = new_tables.rows_of(index)
                rows[: field.rows] = old_tables.rows_of(index)
                rows[field.rows :] = old_tables.rows_of(index)[0]
                if field.name in encoder.vocabularies:
                    added[field.name] = len(rows) - field.rows
        self._scorer = Scorer(encoder, model.eval(), scorer.tasks)
        return added

    def save(self, path: str | Path) -> None:
        """Write the ranker as one folder that :func:`gatewise.load` reads anywhere; whole or not at all.

        Raises:
            ArtefactError: it cannot be written, or something else is there.
        """
        metrics = {"history": [asdict(record) for record in self.history], **self.metrics}
        save_artefact(Artefact(self.scorer, self.options, metrics), path)

    def _trainer(self, scorer: Scorer, encoded: EncodedTable, run_dir: Path | None, reporter: Reporter) -> Trainer:
        options = self.options.training
        balance = build_balance(self.options.balance, scorer.tasks).to(scorer.device)
        optimizer = make_optimizer(
            options.optimizer,
            scorer.model,
            balance,
            lr=options.lr,
            weight_decay=options.weight_decay,
            momentum=options.momentum,
        )
        return Trainer(
            scorer.model,
            scorer.tasks,
            balance=balance,
            optimizer=optimizer,
            schedule=_schedule(options, optimizer, len(encoded)),
            monitor=Monitor(options.monitor, scorer.tasks),
            stopping=Stopping(options.patience, options.min_delta),
            epochs=options.epochs,
            batch_size=options.batch_size,
            accumulate=options.accumulate,
            clip_norm=options.clip_norm,
            precision=options.precision,
            seed=options.seed,
            run_dir=run_dir,
            fingerprint=self._fingerprint(encoded) if run_dir is not None else "",
            reporter=reporter,
        )

    def _fingerprint(self, encoded: EncodedTable) -> str:
        """Tell trainings apart that must not go on from each other's checkpoints."""
        training = declare.to_dict(self.options.training)
        # a cosine ends with the last epoch; otherwise more epochs are no other training
        bound = isinstance(self.options.training.schedule, declare.Cosine)
        for free in ("patience", "device") if bound else ("patience", "device", "epochs"):
            training.pop(free)
        declared = [declare.to_dict(d) for d in (self.schema, self.options.model, self.options.balance)]
        digest = hashlib.blake2b(json.dumps([*declared, training], sort_keys=True).encode())
        for matrix in (encoded.ids, encoded.floats, encoded.labels, encoded.weights):
            digest.update(b"" if matrix is None else np.ascontiguousarray(matrix).data)
        for ragged in encoded.lists:
            digest.update(np.ascontiguousarray(ragged.values).data)
        return digest.hexdigest()

    def _warn_of_gates(self, encoded: EncodedTable) -> None:
        table = to_tensors(_head(encoded, GATE_SAMPLE), len(self.schema.tasks)).to(self.scorer.device)
        _, gates = self.scorer.model.score(table, gates=True)
        if gates is not None:
            for problem in gate_problems(gates.numpy(), [task.name for task in self.schema.tasks]):
                warnings.warn(problem, GatewiseWarning, stacklevel=3)

    def _no_rows(self, table: Any) -> bool:
        return len(self.scorer.encoder.encode(table, labels=False)) == 0


def load(path: str | Path) -> Ranker:
    """Read a ranker that :meth:`Ranker.save` wrote; nothing in it is executed.

    Raises:
        ArtefactError: it is absent, incomplete or damaged; says which file and why.
    """
    artefact = load_artefact(path)
    ranker = Ranker(artefact.scorer.encoder.schema, artefact.options.model, balance=artefact.options.balance)
    ranker.options = artefact.options
    metrics = dict(artefact.metrics)
    ranker.history = [EpochRecord(**record) for record in metrics.pop("history", [])]
    ranker.metrics = metrics
    ranker._scorer = artefact.scorer
    return ranker


def _schedule(options: declare.Training, optimizer: torch.optim.Optimizer, rows: int) -> Schedule:
    match options.schedule:
        case declare.StepDecay(every=every, factor=factor, unit=unit):
            return step_decay(optimizer, every=every, factor=factor, unit=unit)
        case declare.Cosine(warmup=warmup, floor=floor, unit=unit):
            steps = math.ceil(math.ceil(rows / options.batch_size) / options.accumulate)
            total = options.epochs * (steps if unit == "step" else 1)
            return cosine(optimizer, total=total, warmup=warmup, floor=floor, unit=unit)
        case declare.Plateau(patience=patience, factor=factor):
            return plateau(optimizer, patience=patience, factor=factor)
    return Schedule()


def _head(encoded: EncodedTable, rows: int) -> EncodedTable:
    lists = tuple(replace(ids, offsets=ids.offsets[: rows + 1]) for ids in encoded.lists)
    return EncodedTable(encoded.ids[:rows], lists, encoded.floats[:rows])
