"""Dropout of ids: in training, rare values give way to the out-of-vocabulary row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.draws import generator
from gatewise.layout import OUT_OF_VOCABULARY, RESERVED_ROWS, Layout
from gatewise.nn.table import Inputs, TensorTable

NEGLIGIBLE = 1e-3
"""A table of which no value is dropped more often is left alone: drawing would cost more than it gains."""


class IdDropout(nn.Module):
    r"""Replaces ids by the out-of-vocabulary row, in training only, and the more often the rarer the value is.

    .. math:: P(\text{a value with } n \text{ training rows is replaced}) = \frac{w}{w + n}

    An embedding of a value with a handful of rows would remember these rows. So the model learns to do without the
    value, and the row that values unseen in training read is trained itself. Frozen tables and null stay as they are.

    Until :meth:`learn` has counted values, nothing is replaced.

    Args:
        layout: names and sizes of all encoded columns.
        weight: w, in rows; a value with w training rows is replaced half of the time.

    Attributes:
        counts: by the table's name, how many training rows each of its values has.

    Shape:
        - input and output: :class:`Inputs`
    """

    def __init__(self, layout: Layout, weight: float) -> None:
        super().__init__()
        self.layout, self.weight = layout, weight
        self.counts: dict[str, Tensor] = {}
        self._shares: dict[int, Tensor] = {}

    def learn(self, pieces: Iterable[TensorTable], before: Mapping[str, Tensor] | None = None) -> None:
        """Count the values of the training rows, over all features that share an embedding table.

        Args:
            pieces: the rows.
            before: what earlier trainings of the model counted, by the table's name; None: there was none.
        """
        counts: dict[int, Tensor] = {}
        for table in pieces:
            for field, ids in self._columns(table.ids, [ragged.values for ragged in table.lists]):
                found = torch.bincount(ids.long(), minlength=self.layout.fields[field].rows)
                counts[field] = counts[field] + found if field in counts else found
        self._shares, self.counts = {}, {}
        for field, found in counts.items():
            name = self.layout.fields[field].name
            earlier = None if before is None else before.get(name)
            count = found if earlier is None else found + earlier.to(found.device)
            self.counts[name] = count
            share = self.weight / (self.weight + count.float())
            share[:RESERVED_ROWS] = 0
            # values without a row in training, such as buckets that stayed empty, are never looked up
            share[count == 0] = 0
            if share.numel() and float(share.max()) > NEGLIGIBLE:
                self._shares[field] = share

    def _columns(self, ids: Tensor, lists: Sequence[Tensor]) -> list[tuple[int, Tensor]]:
        """Return every column or list of ids with its table, those of tables that give way."""
        columns = [(field, ids[:, column]) for column, (_, field) in enumerate(self.layout.ids)]
        columns += [(column.field, items) for column, items in zip(self.layout.lists, lists, strict=True)]
        return [(field, each) for field, each in columns if self._gives_way(field)]

    def _gives_way(self, field: int) -> bool:
        known = self.layout.fields[field]
        return known.reserved == RESERVED_ROWS and not known.frozen

    @override
    def forward(self, inputs: Inputs) -> Inputs:
        if not (self.training and self._shares):
            return inputs
        columns = [column for column, (_, field) in enumerate(self.layout.ids) if field in self._shares]
        ids = inputs.ids
        if columns:
            ids = ids.clone()
            for column in columns:
                ids[:, column] = self._replaced(ids[:, column], self.layout.ids[column][1])
        lists = tuple(
            self._replaced(items, column.field) if column.field in self._shares else items
            for column, items in zip(self.layout.lists, inputs.lists, strict=True)
        )
        return replace(inputs, ids=ids, lists=lists)

    def _replaced(self, ids: Tensor, field: int) -> Tensor:
        # the padding of lists reads the share of a reserved row, which is 0
        share = self._shares[field][ids.clamp(min=0).long()]
        drawn = torch.rand(ids.shape, generator=generator(ids.device), device=ids.device)
        return torch.where(drawn < share, OUT_OF_VOCABULARY, ids)
