"""From encoded matrices to tensors, without copies."""

from __future__ import annotations

import torch

from gatewise.data import EncodedTable, RaggedLists
from gatewise.nn import Ragged, TensorTable, Texts


def to_tensors(encoded: EncodedTable, num_labels: int) -> TensorTable:
    """Return an encoded table as tensors; without labels, all labels are NaN."""
    if encoded.labels is None:
        labels = torch.full((len(encoded), num_labels), torch.nan, dtype=torch.float64)
    else:
        labels = torch.from_numpy(encoded.labels)
    return TensorTable(
        ids=torch.from_numpy(encoded.ids),
        lists=tuple(_ragged(ids) for ids in encoded.lists),
        floats=torch.from_numpy(encoded.floats),
        labels=labels,
        weights=None if encoded.weights is None else torch.from_numpy(encoded.weights),
        texts=tuple(Texts(_ragged(texts.tokens), torch.from_numpy(texts.codes)) for texts in encoded.texts),
        groups=None if encoded.groups is None else torch.from_numpy(encoded.groups),
        number_lists=tuple(_ragged(numbers) for numbers in encoded.number_lists),
    )


def _ragged(lists: RaggedLists) -> Ragged:
    return Ragged(torch.from_numpy(lists.values), torch.from_numpy(lists.offsets))
