"""A fitted ranker without its training: encoder, model and tasks, from raw rows to named predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from gatewise.assembly import to_tensors
from gatewise.data import EncodedTable, TableEncoder
from gatewise.nn import MultiTaskModel, TensorTable
from gatewise.tasks import Metrics, Task, evaluate_tasks, predict_tasks


@dataclass
class Scorer:
    """Predicts from raw rows, with the encoder that training used.

    Attributes:
        encoder: fitted on the training table.
        model: trained.
        tasks: whose scores the model gives.
    """

    encoder: TableEncoder
    model: MultiTaskModel
    tasks: list[Task]

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    def encode(self, source: Any, *, labels: bool = True) -> EncodedTable:
        """Encode a table; the columns of features on the side of the model need not be there."""
        return self.encoder.encode(source, labels=labels, optional=self.model.side_features)

    def tensors(self, encoded: EncodedTable) -> TensorTable:
        """Bring an encoded table to the model's device."""
        return to_tensors(encoded, sum(task.num_labels for task in self.tasks)).to(self.device)

    def predict(self, source: Any) -> pa.Table:
        """Return the float64 columns that the tasks predict: probabilities, or numbers in the label's unit."""
        table = self.tensors(self.encode(source, labels=False))
        scores, _ = self.model.score(table)
        columns = predict_tasks(self.tasks, scores, table.labels)
        return pa.table({name: column.numpy() for name, column in columns.items()})

    def evaluate(self, source: Any) -> Metrics:
        """Return every metric of every prediction over its labelled rows; None where a metric is undefined."""
        table = self.tensors(self.encode(source))
        scores, _ = self.model.score(table)
        return evaluate_tasks(self.tasks, scores, table.labels, table.groups)

    def gates(self, source: Any) -> np.ndarray | None:
        """Return the gates' weights ``[row, task, expert]``, or None where the model has no gates."""
        table = self.tensors(self.encode(source, labels=False))
        _, gates = self.model.score(table, gates=True)
        return None if gates is None else gates.numpy()
