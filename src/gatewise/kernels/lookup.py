"""Reading rows of an embedding table, and summing their gradients by row."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gatewise.errors import ShapeError
from gatewise.kernels.library import compiled

LARGEST = 2**31 - 1
"""The largest id that the compiled kernels read."""


@dataclass(frozen=True)
class Lookup:
    """The rows of a table to read: column c of row b reads ``ids[b, c] + offsets[c]``.

    Shape:
        - ids: ``[batch, column]``; below 0: padding, which reads zeros
        - offsets: ``[column]``
    """

    ids: Tensor
    offsets: Tensor

    @property
    def rows(self) -> Tensor:
        """The rows ``[batch, column]``; padding is below the column's offset."""
        return self.ids + self.offsets


def gather(table: Tensor, lookup: Lookup, beside: Tensor | None = None) -> Tensor:
    r"""Return the rows of a lookup side by side, zeros for padding, followed by ``beside``.

    .. math:: y_{b} = [T_{i_{b1} + o_1}, \dots, T_{i_{bC} + o_C}, z_b]

    Autograd does not record the operation.

    Args:
        table: ``[row, dim]``.
        lookup: what to read.
        beside: :math:`z`, ``[batch, any]``, or None.

    Shape:
        - output ``[batch, column * dim + any]``
    """
    library = compiled(table)
    if library is None or not table.is_contiguous():
        rows = torch.where(lookup.ids < 0, 0, lookup.rows)
        vectors = table.detach()[rows].masked_fill_((lookup.ids < 0).unsqueeze(2), 0).flatten(1)
        return vectors if beside is None else torch.cat([vectors, beside.to(table.dtype)], dim=1)
    ids, offsets = _plain(lookup)
    beside = table.new_empty(len(ids), 0) if beside is None else beside.to(table.dtype).contiguous()
    return library.gather(ids, offsets, table, beside)


def sum_rows(lookups: list[tuple[Lookup, Tensor]], dim: int) -> tuple[Tensor, Tensor]:
    r"""Return the distinct rows of lookups, and the sum of gradients per row.

    .. math:: G_r = \sum_{b, c \,:\, i_{bc} + o_c = r} g_{bc}

    Args:
        lookups: each with the gradient ``[batch, column * dim]`` of its output.
        dim: width of a row.

    Returns:
        Rows ``[distinct]`` in no particular order, and sums ``[distinct, dim]``.
    """
    lookup, gradient = lookups[0] if len(lookups) == 1 else _joined(lookups, dim)
    library = compiled(gradient)
    if library is None:
        present = lookup.ids.flatten() >= 0
        rows, position = torch.unique(lookup.rows.flatten()[present], return_inverse=True)
        sums = gradient.new_zeros(len(rows), dim)
        return rows, sums.index_add_(0, position, gradient.reshape(-1, dim)[present])
    ids, offsets = _plain(lookup)
    return library.sum_rows(ids, offsets, gradient if gradient.stride(1) == 1 else gradient.contiguous(), dim)


def _plain(lookup: Lookup) -> tuple[Tensor, Tensor]:
    """Return ids and offsets in the types that the compiled kernels read."""
    ids, offsets = lookup.ids, lookup.offsets
    if ids.dtype != torch.int32:
        if ids.numel() and ids.max() > LARGEST:
            raise ShapeError(f"lookup: expected ids up to {LARGEST}, found {int(ids.max())}")
        # ids far below 0 are padding, like -1
        ids = ids.clamp(min=-1).to(torch.int32)
    if not ids.is_contiguous():
        ids = ids.contiguous()
    if offsets.dtype != torch.int64 or not offsets.is_contiguous():
        offsets = offsets.to(torch.int64).contiguous()
    return ids, offsets


def _joined(lookups: list[tuple[Lookup, Tensor]], dim: int) -> tuple[Lookup, Tensor]:
    """Return several lookups as one lookup of a single column."""
    rows = [torch.where(lookup.ids < 0, -1, lookup.rows).flatten() for lookup, _ in lookups]
    gradients = [gradient.reshape(-1, dim) for _, gradient in lookups]
    ids = torch.cat(rows).unsqueeze(1)
    return Lookup(ids, ids.new_zeros(1)), torch.cat(gradients)
