"""Rows drawn from a table, and their scores."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gatewise.nn import Inputs, MultiTaskModel, TensorTable, gathered

BATCH = 4096


def drawn_rows(count: int, limit: int, seed: int) -> Tensor:
    """Return ``limit`` distinct rows of a table of ``count`` rows, in order; all if there are no more."""
    if count <= limit:
        return torch.arange(count)
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))[:limit].sort().values


def score_rows(model: MultiTaskModel, table: TensorTable, index: Tensor) -> Tensor:
    """Return the scores ``[row, score]`` of the rows ``index``; the table's ids are checked first."""
    model.input_layer.check(table)
    known = model.input_layer.read_texts(table)
    batches = torch.split(index.to(table.device), BATCH)
    return model.run(known.inputs(part) for part in batches)[0]


def features_of(model: MultiTaskModel) -> list[str]:
    """Return the names of the features that predictions depend on, without side features."""
    layout = model.input_layer.layout
    names = [
        *(name for name, _ in layout.ids),
        *(column.feature for column in layout.lists),
        *(layout.float_features or layout.floats),
        *(column.name for column in layout.texts),
    ]
    return [name for name in dict.fromkeys(names) if name not in model.side_features]


def score_gathered(model: MultiTaskModel, table: TensorTable, index: Tensor, others: Mapping[str, Tensor]) -> Tensor:
    """Return the scores ``[row, score]`` of rows in which some features have the values of other rows.

    Args:
        model: any model.
        table: with checked ids, and with texts read.
        index: ``[row]``, the rows of the features.
        others: the rows of some features instead, by feature, see :func:`gatewise.nn.gathered`.
    """
    layout, device = model.input_layer.layout, table.device

    def inputs(start: int) -> Inputs:
        part = slice(start, start + BATCH)
        return gathered(table, layout, index[part].to(device), {k: v[part].to(device) for k, v in others.items()})

    return model.run(inputs(start) for start in range(0, max(len(index), 1), BATCH))[0]
