"""All columns of a float matrix: some embedded, the others unchanged."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.layout import NumberColumn
from gatewise.nn.numbers.make import family, make_embeddings


class EmbeddedNumbers(nn.Module):
    """Embeds some columns of a float matrix and passes on the others.

    Args:
        numbers: the columns to embed, and their embeddings.
        columns: number of columns of the matrix.

    Attributes:
        widths: name and width of every embedded number; numbers of one module are side by side.
        others: the columns that are passed on.

    Shape:
        - input ``[batch, column]``
        - output: parts ``[batch, any]``, the embeddings and last the other columns; ``output_dim`` is their total width
    """

    def __init__(self, numbers: Sequence[NumberColumn], columns: int) -> None:
        super().__init__()
        families: dict[Hashable, list[NumberColumn]] = {}
        for number in numbers:
            families.setdefault(family(number.embedding), []).append(number)
        self.embeddings = nn.ModuleList(
            make_embeddings([number.embedding for number in alike]) for alike in families.values()
        )
        self.widths = [(number.name, number.embedding.dim) for alike in families.values() for number in alike]
        embedded = {number.column for number in numbers}
        self.others = [column for column in range(columns) if column not in embedded]
        self.output_dim = sum(dim for _, dim in self.widths) + len(self.others)
        groups = [*([number.column for number in alike] for alike in families.values()), self.others]
        for i, group in enumerate(groups):
            self.register_buffer(f"columns_{i}", torch.tensor(group, dtype=torch.long), persistent=False)

    @override
    def forward(self, floats: Tensor) -> list[Tensor]:
        if not self.embeddings:
            return [floats]
        parts = [floats.index_select(1, getattr(self, f"columns_{i}")) for i in range(len(self.embeddings) + 1)]
        return [*(embed(x).flatten(1) for embed, x in zip(self.embeddings, parts, strict=False)), parts[-1]]
