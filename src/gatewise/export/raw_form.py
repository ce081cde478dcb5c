"""The raw form: inputs are the columns of a table."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from gatewise.data import known_labels, known_numbers, read_needed
from gatewise.declare import Fusion
from gatewise.export.blocks import Block, arranged, taken
from gatewise.export.numbers import encode_numbers
from gatewise.export.padding import one_each
from gatewise.export.ports import Form, Port, Read, Slot, fused_of, known_columns, known_ports, labels_of, type_name
from gatewise.export.raw_inputs import (
    CategoryInput,
    LoneInput,
    NumberInput,
    RawInput,
    VectorInput,
    paddings_in,
    raw_input,
)
from gatewise.export.sentinels import Sentinels
from gatewise.layout import FLOATS, IDS, assemble
from gatewise.nn import Inputs
from gatewise.serving import Scorer

VALUE, MISSING = 0, 1
"""Keys of a feature's columns: its value, and whether the value is missing."""


class RawForm(Form):
    """Takes the columns of a table, by name; the encoder's work is part of the model.

    - a category: int64 or string ``[batch]``, as in the training table; a sentinel stands for null
    - a list of categories: ``[batch, length]``; one sentinel stands for a null item, another for padding, which comes
      last; a null list has a null item only
    - weights of a list's items: float64 ``[batch, length]``, NaN for padding; a null list has the weight 1 only
    - a number, and a known column of a label: float64 ``[batch]``, NaN for null
    - a vector: float32 ``[batch, size]``, NaN throughout for null
    - a hashed category: int64 rows from the encoder's hash, named ``COLUMN.row``
    - a text: int64 tokens ``[batch, length]``, padded with -1, named ``COLUMN.tokens``

    Side features are not inputs, because predictions do not depend on them. If a column is read as two types, the
    inputs are named ``COLUMN.TYPE``; if features hash, split or tokenise it differently, ``NAME.FEATURE``.

    Args:
        scorer: its model is exported.
        fusion: the exported fusion, whose known columns are inputs.
    """

    kind = "raw"

    def __init__(self, scorer: Scorer, fusion: Fusion | None = None) -> None:
        super().__init__()
        self.scorer, self.encoder, self.layout = scorer, scorer.encoder, scorer.encoder.layout
        sentinels = Sentinels(scorer.encoder.vocabularies.values(), paddings_in(scorer.encoder.columns.values()))
        self.inputs = {name: raw_input(column, sentinels) for name, column in self.encoder.columns.items()}
        self.read = [c for c in self.encoder.columns.values() if c.name not in scorer.model.side_features]
        self.known, self.fused = known_columns(scorer), scorer.known_of(fusion)
        of_columns = [port for column in self.read for port in self.inputs[column.name].ports]
        self.ports = _apart([*of_columns, *known_ports(self.known, self.fused)])
        self.categories, self.numbers = self._named(CategoryInput), self._named(NumberInput)
        self.lone = self._named(LoneInput)  # type: ignore[type-abstract]

    def _named(self, kind: type[RawInput]) -> list[str]:
        """Return the features whose inputs are of a kind, side features last."""
        names = dict.fromkeys([*(column.name for column in self.read), *self.inputs])
        return [name for name in names if isinstance(self.inputs[name], kind)]

    @property
    @override
    def slots(self) -> list[Slot]:
        left = iter(self.ports)
        ports_of = {column.name: [next(left) for _ in self.inputs[column.name].ports] for column in self.read}
        stacked = [
            tuple(port for name in names for port in ports_of.get(name, ()))
            for names in (self.categories, self.numbers)
        ]
        lone = [port for name in self.lone for port in ports_of.get(name, ())]
        return [
            *(Slot(ports, stacked=True) for ports in stacked if ports),
            *(Slot((port,)) for port in (*lone, *left)),
        ]

    @override
    def forward(self, *given: Tensor) -> Read:
        left, rows = iter(given), given[0].shape[0]
        read = {column.name for column in self.read}
        categories, numbers = (self._matrix(names, left, rows) for names in (self.categories, self.numbers))
        lone: dict[str, Tensor] = {}
        for name in self.lone:
            lone |= self._encoded(name, left if name in read else None, rows)
        known = dict(zip(self._known_names(), left, strict=True))
        ids, floats = self._blocks(categories, numbers, lone)
        blocks = {IDS: (ids, torch.int64), FLOATS: (floats, torch.float32)}

        def matrix(which: str, features: Sequence[str]) -> Tensor:
            found, dtype = blocks[which]
            return arranged(found, [place for name in features for place in self._places(which, name)], rows, dtype)

        found = assemble(self.layout, matrix, lone.__getitem__)
        texts = tuple(map(one_each, found.texts))
        inputs = Inputs(found.ids, found.lists, found.floats, texts, checked=True, number_lists=found.number_lists)
        return Read(inputs, labels_of(self.known, known, rows), fused_of(self.fused, known))

    def _matrix(self, names: list[str], left: Iterator[Tensor], rows: int) -> Tensor:
        """Return the columns of features side by side, with side features missing."""
        read = {column.name for column in self.read}
        absent = [self.inputs[name].absent(rows) for name in names if name not in read]
        given = [next(left)] if len(absent) < len(names) else []
        parts = [*given, *([torch.stack(absent, dim=1)] if absent else [])]
        return torch.cat(parts, dim=1) if parts else torch.zeros(rows, 0)

    def _encoded(self, name: str, left: Iterator[Tensor] | None, rows: int) -> dict[str, Tensor]:
        lone = self.inputs[name]
        assert isinstance(lone, LoneInput)
        return lone.encode_all(lone.all_absent(rows) if left is None else [next(left) for _ in lone.ports])

    def _blocks(self, categories: Tensor, numbers: Tensor, lone: dict[str, Tensor]) -> tuple[list[Block], list[Block]]:
        """Return the blocks with the columns of ids, and those with the columns of floats."""
        ids: list[Block] = [Block([(name, VALUE) for name in self.categories], categories)]
        floats: list[Block] = [Block([(name, MISSING) for name in self.numbers], numbers.isnan().float())]
        columns = {name: given.column for name, given in self.inputs.items() if isinstance(given, NumberInput)}
        for transform in dict.fromkeys(column.feature.transform for column in columns.values()):
            names = [name for name, column in columns.items() if column.feature.transform == transform]
            chosen = taken(numbers, [self.numbers.index(name) for name in names])
            encoded = encode_numbers([columns[name] for name in names], chosen)
            (ids if transform == "bucket" else floats).append(Block([(name, VALUE) for name in names], encoded))
        vectors = [name for name in self.lone if isinstance(self.inputs[name], VectorInput)]
        floats += [Block([(name, place) for place in range(lone[name].shape[1])], lone[name]) for name in vectors]
        return ids, floats

    def _places(self, which: str, name: str) -> list[tuple[str, int]]:
        """Return the keys of a feature's columns in a matrix."""
        # floats: a number and, if the training table had nulls, whether it is missing; or the places of a vector
        width = 1 if which == IDS else self.layout.float_widths[name]
        return [(name, place) for place in range(width)]

    @override
    def feed_table(self, source: Any) -> dict[str, np.ndarray]:
        wanted = [*(name for column in self.read for name in column.columns), *self._known_names()]
        table = read_needed(source, wanted, self.encoder.column_types())
        columns = [array for column in self.read for array in self.inputs[column.name].feeds(column.pick(table))]
        labels = known_labels(self.encoder.labels, table)
        numbers = known_numbers(self.fused, table)
        for name in self._known_names():
            if name in numbers:
                columns.append(numbers[name])
            else:
                assert labels is not None
                columns.append(labels[:, self.known.index(name)])
        return {port.name: column for port, column in zip(self.ports, columns, strict=True)}

    def _known_names(self) -> list[str]:
        return [name for name in dict.fromkeys([*self.known, *self.fused]) if name is not None]


def _apart(ports: list[Port]) -> list[Port]:
    """Return the ports, renamed if they read one column as different types or, within a type, in different ways."""
    typed = _renamed(ports, type_name, type_name)
    return _renamed(typed, lambda port: (len(port.dims), port.reading), lambda port: next(iter(port.features), "known"))


def _renamed(ports: list[Port], differs_in: Callable[[Port], Hashable], ending: Callable[[Port], str]) -> list[Port]:
    """Return the ports; those of one name that differ get an ending."""
    found: dict[str, set[Hashable]] = {}
    for port in ports:
        found.setdefault(port.name, set()).add(differs_in(port))
    return [replace(p, name=f"{p.name}.{ending(p)}") if len(found[p.name]) > 1 else p for p in ports]
