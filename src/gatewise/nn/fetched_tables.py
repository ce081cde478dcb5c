"""Embedding tables whose rows are brought to where a batch is before they are looked up."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor
from typing_extensions import override

from gatewise.kernels import Lookup, gather
from gatewise.nn.embedding import EmbeddingTables, Read


class Near(NamedTuple):
    """Rows of one matrix that a batch reads, on the batch's device.

    Shape:
        - rows: ``[distinct]``, ascending
        - vectors: ``[distinct, dim]``
    """

    rows: Tensor
    vectors: Tensor

    def places(self, lookup: Lookup) -> Lookup:
        """Return a lookup among these rows; padding stays padding, and reads no row."""
        found = torch.searchsorted(self.rows, lookup.rows)
        places = torch.where(lookup.ids < 0, -1, found).to(torch.int32)
        return Lookup(places, torch.zeros(places.shape[1], dtype=torch.long, device=places.device))


class FetchedTables(EmbeddingTables):
    """Embedding tables that are elsewhere than the model, or some of whose rows are.

    Before a batch is looked up, :meth:`fetch` brings the rows that it reads, each once; gradients go the same way back.
    """

    def __init__(self, *args: object, **more: object) -> None:
        self._near: dict[str, Near] = {}
        super().__init__(*args, **more)  # type: ignore[arg-type]

    @abstractmethod
    def fetches(self, matrix: str) -> bool:
        """Whether the rows of a matrix are fetched."""

    @abstractmethod
    def fetched(self, matrix: str, rows: Tensor) -> Tensor:
        """Return the vectors ``[distinct, dim]`` of rows ``[distinct]``, ascending."""

    @torch.no_grad()
    @override
    def fetch(self, lookups: Iterable[tuple[str, Lookup]]) -> None:
        wanted: dict[str, list[Tensor]] = {}
        for matrix, lookup in lookups:
            if self.fetches(matrix):
                wanted.setdefault(matrix, []).append(lookup.rows[lookup.ids >= 0])
        distinct = {matrix: torch.unique(torch.cat(rows)) for matrix, rows in wanted.items()}
        self._near = {matrix: Near(rows, self.fetched(matrix, rows)) for matrix, rows in distinct.items()}

    @override
    def look_up(self, matrix: str, lookup: Lookup, beside: Tensor | None = None) -> Tensor:
        if matrix not in self._near:
            return super().look_up(matrix, lookup, beside)
        near = self._near[matrix]
        vectors = gather(near.vectors, near.places(lookup), beside)
        if self._reads is not None and torch.is_grad_enabled() and self.weights[matrix].requires_grad:
            self._reads.append(Read(matrix, lookup, vectors.requires_grad_()))
        return vectors
