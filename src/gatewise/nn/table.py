"""Encoded rows as tensors, and the batches cut from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gatewise.nn.ragged import Ragged
from gatewise.nn.texts.texts import TextBatch, Texts

BATCHES_AT_ONCE = 16


@dataclass(frozen=True)
class Inputs:
    """What a model reads.

    Shape:
        - ids: ``[batch, column]``, each column counting from 0 within its own field
        - lists: one ``[batch, length]`` a multi-valued feature, padded with -1
        - floats: ``[batch, column]``
        - texts: one :class:`TextBatch` a text feature, or its vectors ``[batch, dim]``

    Attributes:
        checked: the ids were checked with the whole table that they come from, and are not checked again.
    """

    ids: Tensor
    lists: tuple[Tensor, ...]
    floats: Tensor
    texts: tuple[TextBatch | Tensor, ...] = ()
    checked: bool = False


@dataclass(frozen=True)
class Batch:
    """Inputs with what is to be learnt from them.

    Shape:
        - targets: ``[batch, target]``, labels as the tasks' losses take them
        - weights: ``[batch, task]`` how much each counts, 0 where it is missing; None: all 1
        - groups: ``[batch]``, which group each row is in; None: there are no groups
    """

    inputs: Inputs
    targets: Tensor
    weights: Tensor | None
    groups: Tensor | None = None


@dataclass(frozen=True)
class TensorTable:
    """A whole encoded table as a few contiguous tensors; a batch is an index into them.

    Shape:
        - ids: ``[row, column]`` int32 or int64
        - lists: one :class:`Ragged` a multi-valued feature
        - floats: ``[row, column]`` float32
        - labels: ``[row, label]`` float64 in the labels' own units, NaN where missing; on the CPU
        - weights: ``[row, task]`` float32 or None
        - targets: ``[row, target]`` float32, what the tasks make of the labels; then weights say what is missing
        - texts: one :class:`Texts` a text feature
        - groups: ``[row]`` int64, which group each row is in, -1: in none; None: there are no groups; on the CPU
    """

    ids: Tensor
    lists: tuple[Ragged, ...]
    floats: Tensor
    labels: Tensor
    weights: Tensor | None = None
    targets: Tensor | None = None
    texts: tuple[Texts, ...] = ()
    groups: Tensor | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def device(self) -> torch.device:
        """Where inputs and targets are."""
        return self.ids.device

    def to(self, device: torch.device) -> TensorTable:
        """Return the table with inputs, targets and weights on ``device``; labels and groups stay for the metrics."""
        return replace(
            self,
            ids=self.ids.to(device),
            lists=tuple(ragged.to(device) for ragged in self.lists),
            floats=self.floats.to(device),
            weights=None if self.weights is None else self.weights.to(device),
            targets=None if self.targets is None else self.targets.to(device),
            texts=tuple(texts.to(device) for texts in self.texts),
        )

    def head(self, rows: int) -> TensorTable:
        """Return the first rows; nothing is copied."""
        return replace(
            self,
            ids=self.ids[:rows],
            lists=tuple(replace(ragged, offsets=ragged.offsets[: rows + 1]) for ragged in self.lists),
            floats=self.floats[:rows],
            labels=self.labels[:rows],
            weights=None if self.weights is None else self.weights[:rows],
            targets=None if self.targets is None else self.targets[:rows],
            texts=tuple(replace(texts, codes=texts.codes[:rows]) for texts in self.texts),
            groups=None if self.groups is None else self.groups[:rows],
        )

    def inputs(self, index: Tensor) -> Inputs:
        """Return the inputs of the chosen rows; whoever trains or scores a table has its ids checked first."""
        return self._inputs(index, self.ids.index_select(0, index), self.floats.index_select(0, index))

    def batch(self, index: Tensor) -> Batch:
        """Return the chosen rows with their targets."""
        return next(self._cut(index, max(len(index), 1)))

    def batches(
        self, batch_size: int, generator: torch.Generator | None = None, *, whole_groups: bool = False
    ) -> Iterator[Batch]:
        """Yield all rows with their targets: shuffled with a generator, in order without; the last may be short.

        Args:
            batch_size: rows of a batch.
            generator: shuffles.
            whole_groups: shuffle groups and keep the rows of each together, as far as batches allow.
        """
        # the rows of several batches are fetched at once: fewer and larger copies
        for index in self.indices(batch_size * BATCHES_AT_ONCE, generator, whole_groups=whole_groups):
            yield from self._cut(index, batch_size)

    def _cut(self, index: Tensor, batch_size: int) -> Iterator[Batch]:
        if self.targets is None:
            raise ValueError("the table has no targets: give it those of the tasks first")
        ids, floats, targets = (
            torch.split(matrix.index_select(0, index), batch_size) for matrix in (self.ids, self.floats, self.targets)
        )
        weights = None if self.weights is None else torch.split(self.weights.index_select(0, index), batch_size)
        for i, rows in enumerate(torch.split(index, batch_size)):
            groups = None if self.groups is None else self.groups[rows.cpu()].to(rows.device)
            inputs = self._inputs(rows, ids[i], floats[i])
            yield Batch(inputs, targets[i], None if weights is None else weights[i], groups)

    def _inputs(self, index: Tensor, ids: Tensor, floats: Tensor) -> Inputs:
        """Return the inputs of the chosen rows, whose ids and floats are fetched already."""
        lists = tuple(ragged.padded(index) for ragged in self.lists)
        return Inputs(ids, lists, floats, tuple(texts.batch(index) for texts in self.texts), checked=True)

    def indices(
        self, batch_size: int, generator: torch.Generator | None = None, *, whole_groups: bool = False
    ) -> Iterator[Tensor]:
        """Yield row indices batch by batch; see :meth:`batches`."""
        order = torch.arange(len(self)) if generator is None else torch.randperm(len(self), generator=generator)
        if whole_groups and self.groups is not None and len(self):
            order = _together(self.groups, order)
        for index in torch.split(order.to(self.device), batch_size):
            if len(index):
                yield index


def _together(groups: Tensor, order: Tensor) -> Tensor:
    """Return the rows in an order in which each group's stand together, where its first one stood; both ``[row]``."""
    groups, place = groups[order] + 1, torch.arange(len(order))
    # rows of no group stay where they are
    first = torch.full((int(groups.max()) + 1,), len(order)).scatter_reduce(0, groups, place, "amin")
    return order[torch.where(groups > 0, first[groups], place).argsort(stable=True)]
