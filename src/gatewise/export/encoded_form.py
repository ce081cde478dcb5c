"""The encoded form: inputs are the matrices that the table encoder makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from gatewise.data import EncodedTable, RaggedIds
from gatewise.export.ports import BATCH, Form, Port, Read
from gatewise.nn import Inputs, TextBatch
from gatewise.nn.ragged import PADDING
from gatewise.serving import Scorer

IDS, FLOATS = "ids", "floats"


class EncodedForm(Form):
    """Takes what :meth:`gatewise.serving.Scorer.encode` gives, matrix by matrix.

    - ``ids``: int64 ``[batch, column]``; absent where there is no column
    - ``floats``: float32 ``[batch, column]``; absent where there is no column
    - by the name of each list feature: int64 ``[batch, length]``, padded with -1
    - by the name of each text feature: int64 tokens ``[batch, length]``, padded with -1
    - by their columns' names, what is known of labels beforehand: float64 ``[batch]``, NaN where it is not known

    Args:
        scorer: whose model is exported.
    """

    def __init__(self, scorer: Scorer) -> None:
        super().__init__()
        layout = scorer.encoder.layout
        self.widths = {IDS: len(layout.ids), FLOATS: len(layout.floats)}
        self.lists = [column.name for column in layout.lists]
        self.texts = [column.name for column in layout.texts]
        self.known = known_columns(scorer)
        kinds = {IDS: torch.int64, FLOATS: torch.float32}
        self.ports = [
            *(Port(name, kinds[name], (BATCH, width)) for name, width in self.widths.items() if width),
            *(Port(name, torch.int64, (BATCH, f"length of {name}")) for name in (*self.lists, *self.texts)),
            *(Port(name, torch.float64) for name in dict.fromkeys(name for name in self.known if name)),
        ]

    def forward(self, *given: Tensor) -> Read:  # noqa: D102
        by_name = dict(zip((port.name for port in self.ports), given, strict=True))
        rows = given[0].shape[0]
        inputs = Inputs(
            by_name[IDS] if IDS in by_name else torch.zeros(rows, 0, dtype=torch.int64),
            tuple(never_empty(by_name[name]) for name in self.lists),
            by_name[FLOATS] if FLOATS in by_name else torch.zeros(rows, 0),
            tuple(one_each(by_name[name]) for name in self.texts),
            checked=True,
        )
        return Read(inputs, labels_of(self.known, by_name, rows))

    def feed(self, encoded: EncodedTable) -> dict[str, np.ndarray]:
        """Return the inputs of an encoded table, by name."""
        return dict(self._feed(encoded))

    def _feed(self, encoded: EncodedTable) -> Iterator[tuple[str, np.ndarray]]:
        if self.widths[IDS]:
            yield IDS, encoded.ids.astype(np.int64)
        if self.widths[FLOATS]:
            yield FLOATS, encoded.floats
        for name, ragged in zip(self.lists, encoded.lists, strict=True):
            yield name, padded(ragged)
        for name, texts in zip(self.texts, encoded.texts, strict=True):
            yield name, padded(texts.tokens)[texts.codes]
        for place, column in enumerate(self.known):
            if column is not None:
                assert encoded.labels is not None
                yield column, encoded.labels[:, place]


def known_columns(scorer: Scorer) -> list[str | None]:
    """Return for every column of the labels which one of the table tells it beforehand, or None."""
    found: list[str | None] = []
    for task in scorer.encoder.schema.tasks:
        found += [None, *task.known_columns]
    return found


def labels_of(known: Sequence[str | None], given: dict[str, Tensor], rows: int) -> Tensor:
    """Return labels ``[batch, label]``, NaN but for the columns that are known."""
    unknown = torch.full((rows,), torch.nan, dtype=torch.float64)
    return torch.stack([unknown if column is None else given[column] for column in known], dim=1)


def never_empty(ids: Tensor) -> Tensor:
    """Return lists ``[batch, length]`` with one more padding, which changes nothing: no list is of length 0."""
    return torch.nn.functional.pad(ids, (0, 1), value=PADDING)


def one_each(tokens: Tensor) -> TextBatch:
    """Return a batch of texts ``[batch, length]``, each row with its own."""
    return TextBatch(never_empty(tokens), torch.arange(tokens.shape[0], device=tokens.device))


def padded(ragged: RaggedIds) -> np.ndarray:
    """Return lists as int64 ``[row, longest]``, padded with -1."""
    lengths = np.diff(ragged.offsets)
    present = np.arange(lengths.max(initial=0)) < lengths[:, np.newaxis]
    matrix = np.full(present.shape, PADDING, np.int64)
    matrix[present] = ragged.values
    return matrix
