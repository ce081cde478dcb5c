"""Embedding tables whose rows are dealt to the processes that train together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.errors import GatewiseError
from gatewise.kernels import Lookup, sum_rows
from gatewise.layout import EmbeddingField
from gatewise.nn.embedding import INITIAL_STD, EmbeddingTables, Read
from gatewise.nn.fetched_tables import FetchedTables
from gatewise.nn.mapped import empty_on_disk
from gatewise.processes import Processes

CHUNK = 2**16
"""Rows that are drawn or gathered at once; a multiple of 16 numbers, which torch draws together."""


class ShardedTables(FetchedTables):
    """Embedding tables of which every process holds a part: row r is on rank r mod W, with its optimiser state.

    Before a batch is looked up, :meth:`fetch` brings the rows that it reads, each once, from the processes that have
    them; gradients go the same way back. All processes look up, and make gradients, at the same time. Tables that are
    frozen, or not to be shared, are whole in every process.

    The values at the start are those of :class:`EmbeddingTables` with the same seed.

    Args:
        fields: name, rows and width of every table.
        processes: the processes that share the rows.
        drawn: whether to draw the initial vectors.
        shared: names of the matrices whose rows are dealt; None: all that are trained.
    """

    sharded = True

    def __init__(
        self,
        fields: Sequence[EmbeddingField],
        processes: Processes,
        *,
        drawn: bool = True,
        shared: Collection[str] | None = None,
    ) -> None:
        self.processes = processes
        trained = dict.fromkeys(field.matrix for field in fields if not field.frozen)
        self.shared = tuple(matrix for matrix in trained if shared is None or matrix in shared)
        self._closed = False
        super().__init__(tuple(fields), drawn=drawn)

    @classmethod
    def of(cls, tables: EmbeddingTables, processes: Processes, shared: Collection[str] | None = None) -> ShardedTables:
        """Return this process's part of ordinary tables, of which some matrices may be shared alone."""
        found = cls(tables.fields, processes, drawn=False, shared=shared)
        with torch.no_grad():
            for matrix, weight in found.weights.items():
                whole = tables.weights[matrix]
                weight.copy_(whole[found.own] if matrix in found.shared else whole)
        return found.to(next(iter(tables.weights.values())).device) if tables.weights else found

    @override
    def _matrix(self, name: str, rows: int) -> nn.Parameter:
        return super()._matrix(name, len(range(rows)[self.own]) if name in self.shared else rows)

    @property
    def own(self) -> slice:
        """The rows of a shared matrix that this process has."""
        return slice(self.processes.rank, None, self.processes.size)

    @property
    def first(self) -> bool:
        """Whether this process is rank 0, which has all rows in the end."""
        return self.processes.rank == 0

    @torch.no_grad()
    @override
    def reset_parameters(self) -> None:
        for matrix, weight in self.weights.items():
            if matrix in self.shared:
                self._draw(weight, self.total_rows(matrix))
            else:
                nn.init.normal_(weight, std=INITIAL_STD)
        for index, field in enumerate(self.fields):
            self.write_rows(index, torch.arange(field.reserved), torch.zeros(field.reserved, field.dim))

    def _draw(self, weight: Tensor, rows: int) -> None:
        """Draw all ``rows`` rows in chunks, as one tensor of them would be drawn, and keep this process's."""
        rank, size, dim = self.processes.rank, self.processes.size, weight.shape[1]
        start = 0
        while start < rows:
            stop = start + CHUNK
            # fewer than 16 numbers are drawn in another way
            stop = rows if (rows - stop) * dim < 16 else stop
            drawn = nn.init.normal_(torch.empty(stop - start, dim), std=INITIAL_STD)
            first = (rank - start) % size
            own = drawn[first::size]
            begin = (start + first) // size
            weight[begin : begin + len(own)] = own
            start = stop

    @override
    def trained_shards(self) -> list[nn.Parameter]:
        return [self.weights[matrix] for matrix in self.shared]

    @torch.no_grad()
    @override
    def write_rows(self, field: int, rows: Tensor, vectors: Tensor) -> None:
        matrix = self.fields[field].matrix
        if matrix not in self.shared:
            super().write_rows(field, rows, vectors)
            return
        places = rows + self.offsets[field]
        own = places % self.processes.size == self.processes.rank
        weight = self.weights[matrix]
        weight[places[own] // self.processes.size] = vectors[own].to(weight.device)

    @override
    def rows_of(self, field: int) -> Tensor:
        if self.fields[field].matrix in self.shared:
            raise _part()
        return super().rows_of(field)

    @override
    def is_apart(self, device: torch.device) -> bool:
        return True

    @override
    def fetch(self, lookups: Iterable[tuple[str, Lookup]]) -> None:
        if self._closed:
            raise _part()
        super().fetch(lookups)

    @override
    def fetches(self, matrix: str) -> bool:
        return matrix in self.shared

    @override
    def fetched(self, matrix: str, rows: Tensor) -> Tensor:
        weight = self.weights[matrix]
        order, counts = self._by_owner(rows)
        asked = self.processes.exchange(torch.split(rows[order] // self.processes.size, counts))
        found = self.processes.exchange([weight.detach()[places] for places in asked], counts)
        vectors = weight.new_empty(len(rows), weight.shape[1])
        vectors[order] = torch.cat(found)
        return vectors

    def _by_owner(self, rows: Tensor) -> tuple[Tensor, list[int]]:
        """Return the order of rows by the process that has them, and how many each has."""
        owners = rows % self.processes.size
        counts = torch.bincount(owners, minlength=self.processes.size)
        return owners.argsort(stable=True), counts.tolist()

    @torch.no_grad()
    @override
    def _set_gradients(self, reads: list[Read]) -> None:
        super()._set_gradients([read for read in reads if read.matrix not in self.shared])
        for matrix in self.shared:
            weight = self.weights[matrix]
            found = [each for read in reads if (each := read.gradient(matrix, weight.shape[1])) is not None]
            none = (torch.zeros(0, dtype=torch.long, device=weight.device), weight.new_zeros(0, weight.shape[1]))
            rows, sums = sum_rows(found, weight.shape[1]) if found else none
            weight.grad = self._given_back(weight, rows.long(), sums)

    def _given_back(self, weight: Tensor, rows: Tensor, sums: Tensor) -> Tensor:
        """Return the sparse gradient of this process's rows, from every process's sums ``[distinct, dim]``."""
        # ascending, so that sums are added in the same order every time
        rows, order = rows.sort()
        by_owner, counts = self._by_owner(rows)
        places = self.processes.exchange(torch.split(rows[by_owner] // self.processes.size, counts))
        parts = torch.split(sums[order[by_owner]], counts)
        found = self.processes.exchange(parts, [len(each) for each in places])
        indices = torch.cat(places).unsqueeze(0)
        return torch.sparse_coo_tensor(indices, torch.cat(found), weight.shape, check_invariants=False).coalesce()

    @torch.no_grad()
    def gathered(self, folder: Path | None = None) -> EmbeddingTables:
        """Return ordinary tables with all rows in rank 0; other processes get these tables, which read nothing more.

        All processes call this, and send their rows some at a time.

        Args:
            folder: where rank 0 may keep large tables, see :func:`gatewise.nn.mapped.empty_on_disk`; None: in memory.
        """
        whole = _room_for(self.fields, folder) if self.first else None
        for matrix, weight in self.weights.items():
            target = None if whole is None else whole.weights[matrix]
            if matrix in self.shared:
                self.gather(matrix, weight, target)
            elif target is not None:
                target.copy_(weight)
        self._near, self._closed = {}, True
        return self if whole is None else whole.to(next(iter(self.weights.values())).device)

    @torch.no_grad()
    def gather(self, matrix: str, values: Tensor, target: Tensor | None) -> None:
        """Write the values of all processes, one per row of a shared matrix, into the target of rank 0."""
        size = self.processes.size
        for start in range(0, -(-self.total_rows(matrix) // size), CHUNK):
            own = values[start : start + CHUNK]
            found = self.processes.exchange([own, *[own[:0]] * (size - 1)])
            for rank, part in enumerate(found if target is not None else []):
                assert target is not None
                target[rank::size][start : start + len(part)] = part


def _room_for(fields: Sequence[EmbeddingField], folder: Path | None) -> EmbeddingTables:
    """Return tables whose vectors are to be written."""
    with torch.device("meta"):
        tables = EmbeddingTables(tuple(fields), drawn=False)
    for matrix, weight in tables.weights.items():
        room = empty_on_disk(weight.shape, weight.dtype, folder)
        tables.weights[matrix] = nn.Parameter(room, requires_grad=weight.requires_grad)
    return tables


def _part() -> GatewiseError:
    return GatewiseError("this process holds a part of the embedding tables: rank 0 has all, or load the artefact")
