"""Inputs in which features are read from different rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from gatewise.layout import Layout
from gatewise.nn.table import Inputs, TensorTable


def gathered(table: TensorTable, layout: Layout, index: Tensor, others: Mapping[str, Tensor]) -> Inputs:
    """Return the inputs of rows in which some features take the values of other rows.

    Args:
        table: a table whose ids are checked already.
        layout: the columns of every feature.
        index: ``[batch]``, the rows that features are read from.
        others: by feature name, the rows ``[batch]`` from which that feature is read instead.
    """

    def rows(name: str) -> Tensor:
        return others.get(name, index)

    def columns(matrix: Tensor, owners: Sequence[str]) -> Tensor:
        if not owners:
            return matrix.index_select(0, index)
        return matrix.gather(0, torch.stack([rows(name) for name in owners], dim=1))

    return Inputs(
        ids=columns(table.ids, [name for name, _ in layout.ids]),
        lists=tuple(
            items.padded(rows(column.feature)) for column, items in zip(layout.lists, table.lists, strict=True)
        ),
        floats=columns(table.floats, layout.float_features or layout.floats),
        texts=tuple(found.batch(rows(column.name)) for column, found in zip(layout.texts, table.texts, strict=True)),
        checked=True,
        number_lists=tuple(
            numbers.padded(rows(column.feature))
            for column, numbers in zip(layout.number_lists, table.number_lists, strict=True)
        ),
    )
