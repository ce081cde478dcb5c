"""A fitted ranker without its training: encoder, model and tasks, from raw rows to named predictions."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from gatewise.assembly import to_tensors
from gatewise.calibration import Calibration
from gatewise.data import EncodedTable, TableEncoder
from gatewise.declare import Fusion
from gatewise.errors import GatewiseError
from gatewise.names import FUSED
from gatewise.nn import MultiTaskModel, TensorTable
from gatewise.tasks import Metrics, Predicted, Task, predict_tasks


@dataclass
class Scorer:
    """Predicts from raw rows, with the encoder that training used.

    Attributes:
        encoder: fitted on the training table.
        model: trained.
        tasks: whose scores the model gives.
        calibration: of the tasks' probabilities, where there is one.
        fusion: makes one score of all predictions, where there is one.
    """

    encoder: TableEncoder
    model: MultiTaskModel
    tasks: list[Task]
    calibration: Calibration = field(default_factory=Calibration)
    fusion: Fusion | None = None

    def __post_init__(self) -> None:
        if self.fusion is not None:
            self.fusion.check([column for task in self.tasks for column in task.columns])

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    def copy(self, device: torch.device) -> Scorer:
        """Return a scorer that can be trained further while this one goes on scoring; it is not calibrated."""
        return replace(self, model=deepcopy(self.model).to(device), calibration=Calibration())

    def encode(self, source: Any, *, labels: bool = True) -> EncodedTable:
        """Encode a table; the columns of features on the side of the model need not be there."""
        return self.encoder.encode(source, labels=labels, optional=self.model.side_features)

    def tensors(self, encoded: EncodedTable) -> TensorTable:
        """Bring an encoded table to the model's device."""
        return to_tensors(encoded, sum(task.num_labels for task in self.tasks)).to(self.device)

    def predicted(self, source: Any, *, labels: bool = True, calibrated: bool = False) -> Predicted:
        """Return a table's predictions, and its labels where they are asked for.

        Raises:
            GatewiseError: calibrated predictions are asked for, and there is no calibration.
        """
        self._check_calibrated(calibrated)
        predicted = self._uncalibrated(source, labels)
        return self._calibrated(predicted) if calibrated else predicted

    def fusible(self, source: Any, *, labels: bool = True) -> Predicted:
        """Return the predictions that are fused, calibrated where there is a calibration: so there is one order."""
        return self._calibrated(self._uncalibrated(source, labels))

    def _uncalibrated(self, source: Any, labels: bool) -> Predicted:
        table = self.tensors(self.encode(source, labels=labels))
        scores, _ = self.model.score(table)
        return Predicted(self.tasks, predict_tasks(self.tasks, scores, table.labels), table.labels, table.groups)

    def _calibrated(self, predicted: Predicted) -> Predicted:
        return replace(predicted, columns=self.calibration.apply(self.tasks, predicted.columns))

    def predict(self, source: Any, *, calibrated: bool = False) -> pa.Table:
        """Return the float64 columns that the tasks predict, and ``fused`` where there is a fusion.

        Raises:
            GatewiseError: calibrated predictions are asked for, and there is no calibration.
        """
        self._check_calibrated(calibrated)
        plain = self._uncalibrated(source, labels=False)
        columns = dict((self._calibrated(plain) if calibrated else plain).columns)
        if self.fusion is not None:
            columns[FUSED] = self.fusion.evaluate(self._calibrated(plain).columns)
        return pa.table({name: column.numpy() for name, column in columns.items()})

    def _check_calibrated(self, wanted: bool) -> None:
        if wanted and not self.calibration:
            raise GatewiseError("this ranker is not calibrated: call calibrate first, or declare it in the recipe")

    def evaluate(self, source: Any, *, calibrated: bool = False) -> Metrics:
        """Return every metric of every prediction over its labelled rows; None where a metric is undefined."""
        return self.predicted(source, calibrated=calibrated).evaluate()

    def gates(self, source: Any) -> np.ndarray | None:
        """Return the gates' weights ``[row, task, expert]``, or None where the model has no gates."""
        table = self.tensors(self.encode(source, labels=False))
        _, gates = self.model.score(table, gates=True)
        return None if gates is None else gates.numpy()
