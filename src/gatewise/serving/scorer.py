"""The scorer: a fitted ranker without its training, from raw rows to named predictions."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from gatewise.assembly import to_tensors
from gatewise.calibration import Calibration
from gatewise.data import AsOf, EncodedTable, TableEncoder, needed_columns, read_at, regrouped, source_of, stream_table
from gatewise.declare import Fusion, Instant
from gatewise.errors import GatewiseError
from gatewise.names import FUSED
from gatewise.nn import EmbeddingTables, MultiTaskModel, TensorTable, tables_of_kind
from gatewise.tasks import Metrics, Predicted, Task, joined, predict_tasks

LONG = 256 << 20
"""Bytes from which a file, or a folder of files, is judged in pieces."""


def _is_long(source: Any) -> bool:
    found = source_of(source)
    return not found.in_memory and (found.extent().bytes or 0) > LONG


@dataclass
class Scorer:
    """Predicts from raw rows, with the encoder that training used.

    Attributes:
        encoder: fitted on the training table.
        model: the trained model.
        tasks: the tasks of the model's scores.
        calibration: of the tasks' probabilities, if any.
        fusion: makes one score of all predictions, if any.
    """

    encoder: TableEncoder
    model: MultiTaskModel
    tasks: list[Task]
    calibration: Calibration = field(default_factory=Calibration)
    fusion: Fusion | None = None

    def __post_init__(self) -> None:
        if self.fusion is not None:
            known = self.encoder.schema.known
            self.fusion.check([column for task in self.tasks for column in task.columns], known=known)

    @property
    def device(self) -> torch.device:
        """The device of the model."""
        return self.model.device

    def copy(self, device: torch.device, tables: type[EmbeddingTables] = EmbeddingTables) -> Scorer:
        """Return an uncalibrated copy, which can be trained further while this scorer goes on scoring.

        Args:
            device: of the copy.
            tables: the kind of its embedding tables.
        """
        model = deepcopy(self.model)
        model.input_layer.tables = tables_of_kind(tables, model.input_layer.tables)
        return replace(self, model=model.to(device), calibration=Calibration())

    def encode(
        self,
        source: Any,
        *,
        labels: bool = True,
        known: Collection[str] = (),
        as_of: AsOf | None = None,
    ) -> EncodedTable:
        """Return an encoded table; the columns of side features may be absent."""
        aside = self.model.side_features
        return self.encoder.encode(source, labels=labels, optional=aside, known=known, as_of=as_of)

    def tensors(self, encoded: EncodedTable) -> TensorTable:
        """Return an encoded table as tensors on the model's device."""
        return to_tensors(encoded, sum(task.num_labels for task in self.tasks)).to(self.device)

    def predicted(
        self, source: Any, *, labels: bool = True, calibrated: bool = False, as_of: AsOf | None = None
    ) -> Predicted:
        """Return a table's predictions and, with ``labels``, those of its labels that are final at a moment.

        Without a moment it is the table's newest time.

        Raises:
            GatewiseError: ``calibrated`` is set, and there is no calibration.
        """
        self._check_calibrated(calibrated)
        if labels and _is_long(source):
            as_of = as_of or read_at(self.encoder.schema, source)
            pieces = self.labelled_pieces(source)
            return joined([self.predicted_piece(piece, calibrated=calibrated, as_of=as_of) for piece in pieces])
        encoded = self.encode(source, labels=labels, as_of=as_of)
        return self.predicted_rows(self.tensors(encoded), calibrated=calibrated)

    def labelled_pieces(self, source: Any) -> Iterator[pa.Table]:
        """Yield the columns of features and labels in pieces, so that a table is never held as a whole."""
        columns = needed_columns(self.encoder.schema)
        yield from regrouped(stream_table(source, columns, self.encoder.column_types()), some=True)

    def predicted_piece(self, piece: pa.Table, *, calibrated: bool = False, as_of: AsOf | None = None) -> Predicted:
        """Return the predictions and labels of a piece of a table; groups are alike in all its pieces.

        Raises:
            GatewiseError: ``calibrated`` is set, and there is no calibration.
        """
        self._check_calibrated(calibrated)
        encoded = self.encoder.encode_piece(piece, optional=self.model.side_features, as_of=as_of)
        return self.predicted_rows(self.tensors(encoded), calibrated=calibrated)

    def fusible(self, source: Any, fusion: Fusion | None = None, *, labels: bool = True) -> Predicted:
        """Return the predictions for a fusion, with the known columns that it uses beside them.

        They are calibrated if possible, so that there is one order.

        Args:
            source: any table.
            fusion: the fusion; None: the scorer's own.
            labels: whether to read labels.
        """
        encoded = self.encode(source, labels=labels, known=self.known_of(fusion or self.fusion))
        return self._fusible(encoded, self._uncalibrated(encoded))

    def known_of(self, fusion: Fusion | None) -> list[str]:
        """Return the known columns that a fusion uses."""
        names = () if fusion is None else fusion.names
        return [name for name in self.encoder.schema.known if name in names]

    def _fusible(self, encoded: EncodedTable, predicted: Predicted) -> Predicted:
        known = {name: torch.from_numpy(column) for name, column in encoded.known.items()}
        calibrated = self._calibrated(predicted)
        return replace(calibrated, columns={**calibrated.columns, **known})

    def _uncalibrated(self, encoded: EncodedTable) -> Predicted:
        return self.predicted_rows(self.tensors(encoded))

    def predicted_rows(self, table: TensorTable, *, calibrated: bool = False) -> Predicted:
        """Return the predictions of encoded rows, with their labels."""
        scores, _ = self.model.score(table)
        columns = predict_tasks(self.tasks, scores, table.labels)
        predicted = Predicted(self.tasks, columns, table.labels, table.groups)
        return self._calibrated(predicted) if calibrated else predicted

    def _calibrated(self, predicted: Predicted) -> Predicted:
        return replace(predicted, columns=self.calibration.apply(self.tasks, predicted.columns))

    def predict(self, source: Any, *, calibrated: bool = False) -> pa.Table:
        """Return the tasks' predictions as float64 columns, and ``fused`` if there is a fusion.

        Raises:
            GatewiseError: ``calibrated`` is set, and there is no calibration.
        """
        self._check_calibrated(calibrated)
        encoded = self.encode(source, labels=False, known=self.known_of(self.fusion))
        plain = self._uncalibrated(encoded)
        columns = dict((self._calibrated(plain) if calibrated else plain).columns)
        if self.fusion is not None:
            columns[FUSED] = self.fusion.evaluate(self._fusible(encoded, plain).columns)
        return pa.table({name: column.numpy() for name, column in columns.items()})

    def _check_calibrated(self, wanted: bool) -> None:
        if wanted and not self.calibration:
            raise GatewiseError("this ranker is not calibrated: call calibrate first, or declare it in the recipe")

    def evaluate(self, source: Any, *, calibrated: bool = False, now: Instant | None = None) -> Metrics:
        """Return every metric of every prediction over its labelled rows; None: undefined."""
        as_of = None if now is None else read_at(self.encoder.schema, source, now)
        return self.predicted(source, calibrated=calibrated, as_of=as_of).evaluate()

    def gates(self, source: Any) -> np.ndarray | None:
        """Return the gates' weights ``[row, task, expert]``, or None if the model has no gates."""
        table = self.tensors(self.encode(source, labels=False))
        _, gates = self.model.score(table, gates=True)
        return None if gates is None else gates.numpy()
