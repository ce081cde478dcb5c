"""From encoded matrices to tensors; nothing is copied."""

from __future__ import annotations

import torch

from gatewise.data import EncodedTable
from gatewise.nn import Ragged, TensorTable


def to_tensors(encoded: EncodedTable, num_tasks: int) -> TensorTable:
    """Return an encoded table as tensors; without labels, all are missing."""
    if encoded.labels is None:
        labels = torch.full((len(encoded), num_tasks), torch.nan, dtype=torch.float64)
    else:
        labels = torch.from_numpy(encoded.labels)
    return TensorTable(
        ids=torch.from_numpy(encoded.ids),
        lists=tuple(Ragged(torch.from_numpy(ids.values), torch.from_numpy(ids.offsets)) for ids in encoded.lists),
        floats=torch.from_numpy(encoded.floats),
        labels=labels,
        weights=None if encoded.weights is None else torch.from_numpy(encoded.weights),
    )
