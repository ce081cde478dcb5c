"""The raw form: inputs are the columns of a table."""

from __future__ import annotations

from collections.abc import Iterator
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
from gatewise.export.blocks import Block, arranged, taken
from gatewise.export.numbers import encode_numbers
from gatewise.export.padding import one_each
from gatewise.export.ports import Form, Port, Read, Slot, known_columns, known_ports, labels_of, type_name
from gatewise.export.raw_columns import (
    CategoryColumn,
    LoneColumn,
    NumberColumn,
    RawColumn,
    VectorColumn,
    raw_column,
)
from gatewise.export.sentinels import Sentinels
from gatewise.nn import Inputs
from gatewise.serving import Scorer

VALUE, MISSING = 0, 1
"""Which column of a feature: what it is, and whether it is missing."""


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
        self.categories, self.numbers = self._named(CategoryColumn), self._named(NumberColumn)
        self.lone = self._named(LoneColumn)  # type: ignore[type-abstract]

    def _named(self, kind: type[RawColumn]) -> list[str]:
        """Return the features whose columns are of a kind, those that are no inputs last."""
        names = dict.fromkeys([*(feature.name for feature in self.read), *self.columns])
        return [name for name in names if isinstance(self.columns[name], kind)]

    @property
    def slots(self) -> list[Slot]:  # noqa: D102
        port_of = {f.name: port for f, port in zip(self.read, self.ports, strict=False)}
        stacked = [
            tuple(port_of[name] for name in names if name in port_of) for names in (self.categories, self.numbers)
        ]
        lone = [port_of[name] for name in self.lone if name in port_of]
        return [
            *(Slot(ports, stacked=True) for ports in stacked if ports),
            *(Slot((port,)) for port in (*lone, *self.ports[len(self.read) :])),
        ]

    def forward(self, *given: Tensor) -> Read:  # noqa: D102
        left, rows = iter(given), given[0].shape[0]
        read = {feature.name for feature in self.read}
        categories, numbers = (self._matrix(names, left, rows) for names in (self.categories, self.numbers))
        lone = {name: self._encoded(name, next(left) if name in read else None, rows) for name in self.lone}
        known = dict(zip(self._known_names(), left, strict=True))
        ids, floats = self._blocks(categories, numbers, lone)
        inputs = Inputs(
            arranged(ids, [(name, VALUE) for name, _ in self.layout.ids], rows, torch.int64),
            tuple(lone[column.name] for column in self.layout.lists),
            arranged(floats, self._float_columns(), rows, torch.float32),
            tuple(one_each(lone[column.name]) for column in self.layout.texts),
            checked=True,
        )
        return Read(inputs, labels_of(self.known, known, rows))

    def _matrix(self, names: list[str], left: Iterator[Tensor], rows: int) -> Tensor:
        """Return the columns of features side by side, those that are no inputs as missing."""
        read = {feature.name for feature in self.read}
        absent = [self.columns[name].absent(rows) for name in names if name not in read]
        given = [next(left)] if len(absent) < len(names) else []
        parts = [*given, *([torch.stack(absent, dim=1)] if absent else [])]
        return torch.cat(parts, dim=1) if parts else torch.zeros(rows, 0)

    def _encoded(self, name: str, given: Tensor | None, rows: int) -> Tensor:
        column = self.columns[name]
        assert isinstance(column, LoneColumn)
        return column.encode(column.absent(rows) if given is None else given)

    def _blocks(self, categories: Tensor, numbers: Tensor, lone: dict[str, Tensor]) -> tuple[list[Block], list[Block]]:
        """Return what the columns of ids, and of floats, are taken from."""
        ids: list[Block] = [Block([(name, VALUE) for name in self.categories], categories)]
        floats: list[Block] = [Block([(name, MISSING) for name in self.numbers], numbers.isnan().float())]
        columns = self.columns.items()
        encoders = {name: column.encoder for name, column in columns if isinstance(column, NumberColumn)}
        for transform in dict.fromkeys(encoder.feature.transform for encoder in encoders.values()):
            names = [name for name, encoder in encoders.items() if encoder.feature.transform == transform]
            chosen = taken(numbers, [self.numbers.index(name) for name in names])
            encoded = encode_numbers([encoders[name] for name in names], chosen)
            (ids if transform == "bucket" else floats).append(Block([(name, VALUE) for name in names], encoded))
        vectors = [name for name in self.lone if isinstance(self.columns[name], VectorColumn)]
        floats += [Block([(name, place) for place in range(lone[name].shape[1])], lone[name]) for name in vectors]
        return ids, floats

    def _float_columns(self) -> list[tuple[str, int]]:
        """Return which columns of the blocks are the model's floats, in its order."""
        found = []
        for name in dict.fromkeys(self.layout.float_features):
            # the number and, where there were nulls, whether it is missing; or the places of a vector
            found += [(name, place) for place in range(self.layout.float_features.count(name))]
        return found

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
