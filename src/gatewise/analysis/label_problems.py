"""Problems that a table's labels tell of, whatever a model predicts."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from gatewise.analysis.contradictions import contradicting_labels, steps_without
from gatewise.analysis.leaks import leaks
from gatewise.analysis.problems import Problem
from gatewise.data import TableEncoder
from gatewise.nn import TensorTable
from gatewise.tasks import Task


def label_problems(
    encoder: TableEncoder, tasks: Sequence[Task], table: pa.Table, encoded: TensorTable
) -> list[Problem]:
    """Return features that know a label, and labels that contradict each other, as problems.

    Args:
        encoder: fitted on the training table.
        tasks: the tasks of the model.
        table: rows with the columns of features and labels.
        encoded: the same rows, encoded.
    """
    known = {name: label.read(table) for name, label in encoder.labels.items()}
    steps = steps_without(encoder.schema, known)
    return [*leaks(table, encoder.schema), *steps, *contradicting_labels(tasks, encoded)]
