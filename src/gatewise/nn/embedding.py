"""Embedding tables: all features of one width share one matrix, so that looking them up is one gather."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.errors import ShapeError
from gatewise.kernels import Lookup, gather, on_huge_pages, sum_rows
from gatewise.layout import OUT_OF_VOCABULARY, EmbeddingField
from gatewise.nn.memory import enough_memory

INITIAL_STD = 0.05


@dataclass(frozen=True)
class Read:
    """Looked-up rows of one matrix; ``vectors`` is a leaf tensor whose first columns hold these rows."""

    matrix: str
    lookup: Lookup
    vectors: Tensor

    def gradient(self, matrix: str, dim: int) -> tuple[Lookup, Tensor] | None:
        """Return the rows of a matrix of width ``dim`` and their gradient, or None if this reads none of them."""
        if self.matrix != matrix or self.vectors.grad is None:
            return None
        return self.lookup, self.vectors.grad[:, : self.lookup.ids.shape[1] * dim]


class EmbeddingTables(nn.Module):
    """The embedding vectors of all fields: one matrix per width, in which each field has a slice of the rows.

    Fields that are frozen have a matrix of their own per width, which is not trained.

    Rows are drawn from N(0, 0.05^2); the out-of-vocabulary and null rows start at zero, so that a value never seen in
    training adds nothing rather than noise.

    Args:
        fields: name, rows and width of every table.
        drawn: whether to draw the vectors; otherwise they must be written.
        weights: the vectors by matrix, of tables with the same fields; None: there are none yet.

    Example:
        >>> tables = EmbeddingTables([EmbeddingField("user", 10, 4), EmbeddingField("item", 20, 4)])
        >>> tables(1, torch.tensor([0, 19])).shape
        torch.Size([2, 4])
    """

    sharded = False
    """Whether this process holds a part of the rows."""

    def __init__(
        self,
        fields: tuple[EmbeddingField, ...] | list[EmbeddingField],
        *,
        drawn: bool = True,
        weights: nn.ParameterDict | None = None,
    ) -> None:
        super().__init__()
        self.fields = tuple(fields)
        self._rows: dict[str, int] = {}
        self.offsets: list[int] = []
        for field in self.fields:
            self.offsets.append(self._rows.get(field.matrix, 0))
            self._rows[field.matrix] = self.offsets[-1] + field.rows
        if weights is None:
            weights = nn.ParameterDict({name: self._matrix(name, count) for name, count in self._rows.items()})
        self.weights = weights
        self._reads: list[Read] | None = None
        if drawn:
            self.reset_parameters()

    def _matrix(self, name: str, rows: int) -> nn.Parameter:
        largest = max((field for field in self.fields if field.matrix == name), key=lambda field: field.rows)
        dim = largest.dim
        size = f"{largest.rows:,} rows of {dim} numbers, {largest.rows * dim * 4 / 2**30:,.1f} GiB"
        with enough_memory(f"the embeddings of feature {largest.name!r}: {size}"):
            return nn.Parameter(on_huge_pages(torch.empty(rows, dim)), requires_grad=not largest.frozen)

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw new vectors; reserved rows are zero."""
        for weight in self.weights.values():
            nn.init.normal_(weight, std=INITIAL_STD)
        for index, field in enumerate(self.fields):
            self.rows_of(index)[: field.reserved] = 0

    @property
    def kind(self) -> type[EmbeddingTables]:
        """The class of tables for another model of this training."""
        return EmbeddingTables

    def is_apart(self, device: torch.device) -> bool:  # noqa: ARG002
        """Whether rows have to be fetched for batches on a device, see :meth:`fetch`."""
        return False

    def total_rows(self, matrix: str) -> int:
        """Return the number of rows of a matrix, over all processes that share it."""
        return self._rows[matrix]

    def num_parameters(self) -> int:
        """Return the number of parameters, over all processes that share the tables."""
        return sum(field.rows * field.dim for field in self.fields)

    def trained_shards(self) -> list[nn.Parameter]:
        """Return the matrices of which this process trains its own rows alone: none of ordinary tables."""
        return []

    def weight_of_dim(self, dim: int) -> Tensor:
        """Return the matrix ``[rows, dim]`` of all trained fields of one width."""
        return self.weights[f"dim_{dim}"]

    def rows_of(self, field: int) -> Tensor:
        """Return one field's vectors ``[rows, dim]``, a view."""
        start = self.offsets[field]
        return self.weights[self.fields[field].matrix][start : start + self.fields[field].rows]

    @torch.no_grad()
    def write_rows(self, field: int, rows: Tensor, vectors: Tensor) -> None:
        """Write vectors ``[row, dim]`` into rows ``[row]`` of one field."""
        table = self.rows_of(field)
        table[rows] = vectors.to(table.device)

    def fetch(self, lookups: Iterable[tuple[str, Lookup]]) -> None:
        """Bring the rows that a batch reads to it, where tables are apart; all lookups in one call.

        Args:
            lookups: each with the name of its matrix.
        """

    @torch.no_grad()
    def copy_rows(self, source: EmbeddingTables) -> None:
        """Copy the rows of ``source``, whose fields are the same; rows missing there become copies of its row 0."""
        for index, field in enumerate(source.fields):
            rows = self.rows_of(index)
            rows[: field.rows] = source.rows_of(index)
            rows[field.rows :] = source.rows_of(index)[OUT_OF_VOCABULARY]

    def at_rows_of(self, source: EmbeddingTables, matrix: str, values: Tensor) -> Tensor:
        """Return values ``[row, any]`` per row of a matrix of ``source`` at the rows that its fields have here.

        The fields are the same; rows missing there get zeros.
        """
        found = values.new_zeros(len(self.weights[matrix]), *values.shape[1:])
        for index, field in enumerate(source.fields):
            if field.matrix == matrix:
                old, new = source.offsets[index], self.offsets[index]
                found[new : new + field.rows] = values[old : old + field.rows]
        return found

    def check(self, field: int, ids: Tensor, name: str = "", lowest: int = 0) -> None:
        """Refuse ids outside ``lowest .. rows - 1``, which would read another field's rows.

        Raises:
            ShapeError: names the feature, the id and the range; raised on the CPU and on accelerators.
        """
        check_ids(name or self.fields[field].name, ids, self.fields[field].rows, lowest)

    @override
    def forward(self, field: int, ids: Tensor) -> Tensor:
        """Return the vectors ``[..., dim]`` of one field's ids ``[...]``, checked; the gradient is dense."""
        self.check(field, ids)
        return nn.functional.embedding(ids + self.offsets[field], self.weights[self.fields[field].matrix])

    def look_up(self, matrix: str, lookup: Lookup, beside: Tensor | None = None) -> Tensor:
        """Return rows of one matrix side by side, with zeros for padding; ids are not checked.

        The matrix gets a dense gradient, or, within :meth:`row_gradients`, a gradient of the looked-up rows.

        Args:
            matrix: its name, see :attr:`gatewise.layout.EmbeddingField.matrix`.
            lookup: the rows to look up.
            beside: columns to append, ``[batch, any]``; they get no gradient.

        Shape:
            - output ``[batch, column * dim + any]``
        """
        table = self.weights[matrix]
        if self._reads is None and torch.is_grad_enabled() and table.requires_grad:
            padding = lookup.ids < 0
            vectors = nn.functional.embedding(torch.where(padding, 0, lookup.rows), table)
            flat = vectors.masked_fill(padding.unsqueeze(2), 0).flatten(1)
            return flat if beside is None else torch.cat([flat, beside], dim=1)
        vectors = gather(table, lookup, beside)
        if self._reads is not None and torch.is_grad_enabled() and table.requires_grad:
            self._reads.append(Read(matrix, lookup, vectors.requires_grad_()))
        return vectors

    @contextmanager
    def row_gradients(self) -> Iterator[None]:
        """Make sparse gradients: at the end of the block each matrix has a gradient of the looked-up rows alone.

        The rows of each gradient are distinct, so that clipping and optimisers can use its values directly.
        """
        self._reads = []
        try:
            yield
            self._set_gradients(self._reads)
        finally:
            self._reads = None

    @torch.no_grad()
    def _set_gradients(self, reads: list[Read]) -> None:
        for matrix in {read.matrix for read in reads}:
            weight = self.weights[matrix]
            dim = weight.shape[1]
            found = [each for read in reads if (each := read.gradient(matrix, dim)) is not None]
            if found:
                rows, sums = (each.to(weight.device) for each in sum_rows(found, dim))
                weight.grad = torch.sparse_coo_tensor(
                    rows.unsqueeze(0), sums, weight.shape, is_coalesced=True, check_invariants=False
                )


def check_ids(name: str, ids: Tensor, rows: int, lowest: int = 0) -> None:
    """Refuse ids outside ``lowest .. rows - 1``.

    Raises:
        ShapeError: names the feature, the id and the range.
    """
    if ids.numel() == 0:
        return
    low, high = (int(bound) for bound in ids.aminmax())
    if low < lowest or high >= rows:
        found = low if low < lowest else high
        raise ShapeError(f"feature {name!r}: id {found} is out of range, its table has rows 0 to {rows - 1}")
