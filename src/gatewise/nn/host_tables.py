"""Embedding tables in the host's memory, beside a model on an accelerator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import torch
from torch import Tensor
from typing_extensions import override

from gatewise.kernels import Lookup
from gatewise.nn.embedding import EmbeddingTables
from gatewise.nn.fetched_tables import FetchedTables


class HostTables(FetchedTables):
    """Embedding tables that stay in the host's memory when the model is moved to an accelerator.

    The rows that a batch reads are gathered by the CPU, each once, and copied to the batch's device. Gradients are
    summed by row there and copied back, so that the optimiser, whose state lies beside the tables, updates these rows
    on the CPU. For batches on the CPU they are ordinary tables.
    """

    @property
    @override
    def kind(self) -> type[EmbeddingTables]:
        return HostTables

    @override
    def is_apart(self, device: torch.device) -> bool:
        return any(weight.device != device for weight in self.weights.values())

    @override
    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> Self:
        """Leave the tables where they are."""
        return self

    @override
    def fetches(self, matrix: str) -> bool:
        return True

    @override
    def fetched(self, matrix: str, rows: Tensor) -> Tensor:
        weight = self.weights[matrix].detach()
        return weight.index_select(0, rows.to(weight.device)).to(rows.device)

    @override
    def look_up(self, matrix: str, lookup: Lookup, beside: Tensor | None = None) -> Tensor:
        device, weight = lookup.ids.device, self.weights[matrix]
        # without row gradients autograd records the copies
        recorded = self._reads is None and torch.is_grad_enabled() and weight.requires_grad
        if self.is_apart(device) and not recorded:
            return super().look_up(matrix, lookup, beside)
        there = Lookup(lookup.ids.to(weight.device), lookup.offsets.to(weight.device))
        beside = None if beside is None else beside.to(weight.device)
        return EmbeddingTables.look_up(self, matrix, there, beside).to(device)


def tables_of_kind(kind: type[EmbeddingTables], tables: EmbeddingTables) -> EmbeddingTables:
    """Return tables of another kind with the vectors of tables that are not used any more, in the host's memory."""
    if type(tables) is kind or tables.sharded:
        return tables
    moved = tables.cpu()
    return kind(moved.fields, drawn=False, weights=moved.weights).train(moved.training)
