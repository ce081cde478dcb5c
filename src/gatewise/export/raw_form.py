"""The raw form: inputs are the columns of a table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from gatewise.data import read_needed
from gatewise.data.encoders.by_feature import feature_column
from gatewise.data.labels import known_labels
from gatewise.declare import Feature, column_of
from gatewise.export.padding import one_each
from gatewise.export.ports import Form, Port, Read, known_columns, known_ports, labels_of, type_name
from gatewise.export.raw_columns import raw_column
from gatewise.export.sentinels import Sentinels
from gatewise.nn import Inputs
from gatewise.serving import Scorer


class RawForm(Form):
    """Takes the columns of a table, by their names; what the encoder does to them is part of the model.

    - a category: int64 or string ``[batch]``, as the training table had it; a sentinel stands for null
    - a list of them: ``[batch, length]``; one sentinel stands for a null item, another for padding, which comes last;
      of a null list the only item is null
    - a number, and what is known of labels beforehand: float64 ``[batch]``, NaN for null
    - a vector: float32 ``[batch, size]``, NaN throughout for null
    - a category that is hashed: int64 rows, as the encoder hashes them, by the name ``COLUMN.row``
    - a text: int64 tokens ``[batch, length]``, padded with -1, by the name ``COLUMN.tokens``

    Features on the side of the model are no inputs: predictions do not depend on them. Where a column is read as two
    types, the inputs are called ``COLUMN.TYPE``.

    Args:
        scorer: whose model is exported.
    """

    kind = "raw"

    def __init__(self, scorer: Scorer) -> None:
        super().__init__()
        self.scorer, self.encoder, self.layout = scorer, scorer.encoder, scorer.encoder.layout
        sentinels = Sentinels(scorer.encoder.vocabularies.values())
        self.columns = {name: raw_column(encoder, sentinels) for name, encoder in scorer.encoder.encoders.items()}
        self.read = [f for f in scorer.encoder.schema.features if f.name not in scorer.model.side_features]
        self.known = known_columns(scorer)
        self.ports = _apart([*(self.columns[f.name].port for f in self.read), *known_ports(self.known)])

    def forward(self, *given: Tensor) -> Read:  # noqa: D102
        rows = given[0].shape[0]
        by_feature = dict(zip((feature.name for feature in self.read), given, strict=False))
        known = dict(zip(self._known_names(), given[len(self.read) :], strict=True))
        encoded = {
            name: column.encode(by_feature[name] if name in by_feature else column.absent(rows))
            for name, column in self.columns.items()
        }
        ids = [encoded[name] for name, _ in self.layout.ids]
        floats = [encoded[name] for name in dict.fromkeys(self.layout.float_features)]
        inputs = Inputs(
            torch.stack(ids, dim=1) if ids else torch.zeros(rows, 0, dtype=torch.int64),
            tuple(encoded[column.name] for column in self.layout.lists),
            torch.cat(floats, dim=1) if floats else torch.zeros(rows, 0),
            tuple(one_each(encoded[column.name]) for column in self.layout.texts),
            checked=True,
        )
        return Read(inputs, labels_of(self.known, known, rows))

    def feed_table(self, source: Any) -> dict[str, np.ndarray]:  # noqa: D102
        wanted = [
            *map(column_of, self.read),
            *(name for task in self.encoder.schema.tasks for name in task.known_columns),
        ]
        table = read_needed(source, wanted, self.encoder.column_types())
        columns = [self._fed(feature, table) for feature in self.read]
        labels = known_labels(self.encoder.labels, table)
        for name in self._known_names():
            assert labels is not None
            columns.append(labels[:, self.known.index(name)])
        return {port.name: column for port, column in zip(self.ports, columns, strict=True)}

    def _known_names(self) -> list[str]:
        return [name for name in dict.fromkeys(self.known) if name is not None]

    def _fed(self, feature: Feature, table: pa.Table) -> np.ndarray:
        return self.columns[feature.name].feed(feature_column(feature, table), f"feature {feature.name!r}")


def _apart(ports: list[Port]) -> list[Port]:
    """Return ports of which those that read one column as different types have names of their own."""
    types: dict[str, set[str]] = {}
    for port in ports:
        types.setdefault(port.name, set()).add(type_name(port))
    return [replace(p, name=f"{p.name}.{type_name(p)}") if len(types[p.name]) > 1 else p for p in ports]
