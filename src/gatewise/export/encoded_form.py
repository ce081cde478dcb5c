"""The encoded form: inputs are the matrices that the table encoder makes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from gatewise.data import EncodedTable, EncodedTexts, RaggedLists
from gatewise.declare import Fusion
from gatewise.export.padding import never_empty, one_each
from gatewise.export.ports import BATCH, Form, Port, Read, fused_of, known_columns, known_ports, labels_of
from gatewise.layout import FLOATS, IDS, assemble
from gatewise.names import FUSED, GATES
from gatewise.nn import Inputs
from gatewise.serving import Scorer


class EncodedForm(Form):
    """Takes the matrices of an encoded table, see :meth:`gatewise.serving.Scorer.encode`.

    - ``ids``: int64 ``[batch, column]``; absent if there is no column
    - ``floats``: float32 ``[batch, column]``; absent if there is no column
    - by the name of each list feature (:func:`port_names`): int64 ``[batch, length]``, padded with -1
    - by the name of each list of numbers, such as ``FEATURE.weights``: float32 ``[batch, length]`` beside the feature's
      list; its padding does not matter
    - by the name of each text feature: int64 tokens ``[batch, length]``, padded with -1
    - by the name of each known column of a label: float64 ``[batch]``, NaN for null

    Args:
        scorer: its model is exported.
        fusion: the exported fusion, whose known columns are inputs.
    """

    kind = "encoded"

    def __init__(self, scorer: Scorer, fusion: Fusion | None = None) -> None:
        super().__init__()
        self.scorer, layout = scorer, scorer.encoder.layout
        self.layout = layout
        self.lists, self.texts = ([column.name for column in columns] for columns in (layout.lists, layout.texts))
        self.number_lists = {column.name: column.feature for column in layout.number_lists}
        self.known, self.fused = known_columns(scorer), scorer.known_of(fusion)
        self.names = port_names(scorer)
        self.ports = [
            *(_matrix(name, dtype, columns) for name, dtype, columns in self._matrices() if columns),
            *(
                _list(column.feature, self.names.features[column.name], "rows of the items, padded with -1")
                for column in layout.lists
            ),
            *(_numbers(feature, self.names.features[name]) for name, feature in self.number_lists.items()),
            *(_list(name, self.names.features[name], "tokens of the text, padded with -1") for name in self.texts),
            *(replace(port, name=self.names.known[port.name]) for port in known_ports(self.known, self.fused)),
        ]

    def _matrices(self) -> tuple[tuple[str, torch.dtype, list[str]], ...]:
        ids, floats = [name for name, _ in self.layout.ids], list(self.layout.floats)
        return (IDS, torch.int64, ids), (FLOATS, torch.float32, floats)

    @override
    def forward(self, *given: Tensor) -> Read:
        by_name = dict(zip((port.name for port in self.ports), given, strict=True))
        rows = given[0].shape[0]
        nothing = {name: torch.zeros(rows, 0, dtype=dtype) for name, dtype, columns in self._matrices() if not columns}
        found = assemble(
            self.layout, lambda which, _: (nothing | by_name)[which], lambda name: by_name[self.names.features[name]]
        )
        lists, texts = tuple(map(never_empty, found.lists)), tuple(map(one_each, found.texts))
        numbers = tuple(map(never_empty, found.number_lists))
        names = dict.fromkeys([*(name for name in self.known if name is not None), *self.fused])
        known = {name: by_name[self.names.known[name]] for name in names}
        inputs = Inputs(found.ids, lists, found.floats, texts, checked=True, number_lists=numbers)
        return Read(inputs, labels_of(self.known, known, rows), fused_of(self.fused, known))

    @override
    def feed_table(self, source: Any) -> dict[str, np.ndarray]:
        return self.feed(self.scorer.encode(source, labels=False, known=self.fused))

    def feed(self, encoded: EncodedTable) -> dict[str, np.ndarray]:
        """Return the inputs of an encoded table, by name."""
        return dict(self._feed(encoded))

    def _feed(self, encoded: EncodedTable) -> Iterator[tuple[str, np.ndarray]]:
        if self.layout.ids:
            yield IDS, encoded.ids.astype(np.int64)
        if self.layout.floats:
            yield FLOATS, encoded.floats
        single: tuple[RaggedLists | EncodedTexts, ...] = (*encoded.lists, *encoded.number_lists, *encoded.texts)
        for name, ragged in zip((*self.lists, *self.number_lists, *self.texts), single, strict=True):
            found = ragged.padded()
            yield self.names.features[name], found if name in self.number_lists else found.astype(np.int64)
        for place, column in enumerate(self.known):
            if column is not None:
                assert encoded.labels is not None
                yield self.names.known[column], encoded.labels[:, place]
        for name, numbers in encoded.known.items():
            if name not in self.known:
                yield self.names.known[name], numbers


def _matrix(name: str, dtype: torch.dtype, columns: list[str]) -> Port:
    return Port(name, dtype, (BATCH, len(columns)), holds="one column a feature", features=tuple(columns))


def _list(feature: str, name: str, holds: str) -> Port:
    return Port(name, torch.int64, (BATCH, f"length of {feature}"), holds=holds, features=(feature,))


def _numbers(feature: str, name: str) -> Port:
    holds = "number of every item, beside its list"
    return Port(name, torch.float32, (BATCH, f"length of {feature}"), holds=holds, features=(feature,))


class PortNames(NamedTuple):
    """Names of inputs.

    Attributes:
        features: the names of lists and texts, by feature, and of lists of numbers, by list.
        known: the names of known columns of labels, by column.
    """

    features: dict[str, str]
    known: dict[str, str]


def port_names(scorer: Scorer) -> PortNames:
    """Return the names of the inputs other than matrices.

    Each input has its own name, with ``.rows``, ``.tokens`` or ``.known`` added where a matrix, an output or another
    input has the name already.
    """
    layout = scorer.encoder.layout
    taken = {IDS, FLOATS, FUSED, GATES, *(column for task in scorer.tasks for column in task.columns)}
    features = {column.name: _free(column.name, ".rows", taken) for column in layout.lists}
    features |= {column.name: _free(column.name, ".numbers", taken) for column in layout.number_lists}
    features |= {column.name: _free(column.name, ".tokens", taken) for column in layout.texts}
    known = dict.fromkeys([*(name for name in known_columns(scorer) if name is not None), *scorer.encoder.schema.known])
    return PortNames(features, {column: _free(column, ".known", taken) for column in known})


def _free(name: str, ending: str, taken: set[str]) -> str:
    """Return a name that is not taken, and add it to the taken ones."""
    while name in taken:
        name += ending
    taken.add(name)
    return name
