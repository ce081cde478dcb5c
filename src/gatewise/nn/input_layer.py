"""The input layer: encoded columns in, one dense vector a row out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gatewise.errors import ShapeError
from gatewise.kernels import Lookup
from gatewise.layout import Layout, ListColumn
from gatewise.nn.embedding import EmbeddingTables
from gatewise.nn.table import Inputs, Ragged, TensorTable


class InputLayer(nn.Module):
    """Embeds ids, pools lists and sets the floats beside them.

    The output holds, in this order: the embeddings of the id columns, grouped by width in order of first appearance;
    one pooled vector a list; the floats.

    Args:
        layout: names and sizes of all encoded columns.

    Shape:
        - input: :class:`Inputs`
        - output: ``[batch, output_dim]``
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout = layout
        self.tables = EmbeddingTables(layout.fields)
        self._columns_of_dim: dict[int, list[int]] = {}
        for column, (_, field) in enumerate(layout.ids):
            self._columns_of_dim.setdefault(layout.fields[field].dim, []).append(column)
        for dim, columns in self._columns_of_dim.items():
            offsets = [self.tables.offsets[layout.ids[column][1]] for column in columns]
            self.register_buffer(f"columns_{dim}", torch.tensor(columns), persistent=False)
            self.register_buffer(f"offsets_{dim}", torch.tensor(offsets), persistent=False)
        self.embedding_dim = sum(dim * len(columns) for dim, columns in self._columns_of_dim.items())
        self.embedding_dim += sum(layout.fields[column.field].dim for column in layout.lists)
        self.output_dim = self.embedding_dim + len(layout.floats)

    def check(self, inputs: Inputs | TensorTable) -> None:
        """Refuse ids outside their tables and matrices of another width; done once for a table, not for its batches.

        Raises:
            ShapeError: names the feature, or says which width was expected.
        """
        for what, found, expected in (
            ("id columns", inputs.ids.shape[1], len(self.layout.ids)),
            ("list columns", len(inputs.lists), len(self.layout.lists)),
            ("float columns", inputs.floats.shape[1], len(self.layout.floats)),
        ):
            if found != expected:
                raise ShapeError(f"inputs: expected {expected} {what}, found {found}")
        for column, (name, field) in enumerate(self.layout.ids):
            self.tables.check(field, inputs.ids[:, column], name)
        lists: tuple[Tensor | Ragged, ...] = inputs.lists
        for items, declared in zip(lists, self.layout.lists, strict=True):
            # padding is legal in a padded matrix only
            values, lowest = (items, -1) if isinstance(items, Tensor) else (items.values, 0)
            self.tables.check(declared.field, values, declared.name, lowest)

    def forward(self, inputs: Inputs) -> Tensor:
        """Return the dense vector of every row.

        Raises:
            ShapeError: as :meth:`check`, which inputs that come from no checked table go through here.
        """
        if not inputs.checked:
            self.check(inputs)
        if not self.layout.lists and len(self._columns_of_dim) == 1:
            (dim,) = self._columns_of_dim
            return self._embed(inputs.ids, dim, inputs.floats)
        parts = [self._embed(inputs.ids, dim) for dim in self._columns_of_dim]
        parts += [self._pool(ids, column) for ids, column in zip(inputs.lists, self.layout.lists, strict=True)]
        return torch.cat([*parts, inputs.floats], dim=1)

    def _embed(self, ids: Tensor, dim: int, beside: Tensor | None = None) -> Tensor:
        columns: Tensor = getattr(self, f"columns_{dim}")
        chosen = ids if len(columns) == ids.shape[1] else ids.index_select(1, columns)
        return self.tables.look_up(dim, Lookup(chosen, getattr(self, f"offsets_{dim}")), beside)

    def _pool(self, ids: Tensor, column: ListColumn) -> Tensor:
        """Pool items ``[batch, length]`` to ``[batch, dim]``; padding counts for nothing, no items give zeros."""
        dim = self.layout.fields[column.field].dim
        offset = torch.tensor(self.tables.offsets[column.field], device=ids.device)
        # zeros where there is padding
        vectors = self.tables.look_up(dim, Lookup(ids, offset.expand(ids.shape[1]))).view(*ids.shape, dim)
        if column.pooling == "sum" or ids.shape[1] == 0:
            return vectors.sum(dim=1)
        present = (ids >= 0).unsqueeze(2)
        if column.pooling == "max":
            lowest = torch.finfo(vectors.dtype).min
            return vectors.masked_fill(~present, lowest).amax(dim=1) * present.any(dim=1)
        return vectors.sum(dim=1) / present.sum(dim=1).clamp(min=1)
