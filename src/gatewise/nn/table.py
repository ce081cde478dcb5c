"""Encoded rows as tensors, and batches of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from gatewise.nn.ragged import Ragged
from gatewise.nn.texts.texts import TextBatch, Texts
from gatewise.processes import Alone, Processes, share_of

BATCHES_AT_ONCE = 16


@dataclass(frozen=True)
class Inputs:
    """The input of a model.

    Shape:
        - ids: ``[batch, column]``, counted from 0 within each column's field
        - lists: one ``[batch, length]`` per multi-valued feature, padded with -1
        - floats: ``[batch, column]``
        - texts: one :class:`TextBatch` per text feature, or its vectors ``[batch, dim]``
        - number_lists: one ``[batch, length]`` per list of numbers beside a list of ids; padding does not matter

    Attributes:
        checked: whether the ids were checked with their whole table; they are then not checked again.
    """

    ids: Tensor
    lists: tuple[Tensor, ...]
    floats: Tensor
    texts: tuple[TextBatch | Tensor, ...] = ()
    checked: bool = False
    number_lists: tuple[Tensor, ...] = ()


@dataclass(frozen=True)
class Batch:
    """Inputs with the targets to learn.

    Shape:
        - targets: ``[batch, target]``, labels in the form that the tasks' losses use
        - weights: ``[batch, task]``, weights of the targets, 0 for a missing target; None: all 1
        - groups: ``[batch]``, group of each row; None: no groups
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
        - lists: one :class:`Ragged` per multi-valued feature
        - floats: ``[row, column]`` float32
        - labels: ``[row, label]`` float64 in the labels' own units, NaN if missing; on the CPU
        - weights: ``[row, task]`` float32 or None
        - targets: ``[row, target]`` float32, computed from the labels by the tasks; a missing target has weight 0
        - texts: one :class:`Texts` per text feature
        - groups: ``[row]`` int64, group of each row, -1: no group; None: no groups; on the CPU
        - number_lists: one :class:`Ragged` of float32 per list of numbers beside a list of ids
    """

    ids: Tensor
    lists: tuple[Ragged, ...]
    floats: Tensor
    labels: Tensor
    weights: Tensor | None = None
    targets: Tensor | None = None
    texts: tuple[Texts, ...] = ()
    groups: Tensor | None = None
    number_lists: tuple[Ragged, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self)

    @property
    def device(self) -> torch.device:
        """Device of inputs and targets."""
        return self.ids.device

    def to(self, device: torch.device) -> TensorTable:
        """Return the table with inputs, targets and weights on ``device``; labels and groups stay on the CPU."""
        return replace(
            self,
            ids=self.ids.to(device),
            lists=tuple(ragged.to(device) for ragged in self.lists),
            floats=self.floats.to(device),
            weights=None if self.weights is None else self.weights.to(device),
            targets=None if self.targets is None else self.targets.to(device),
            texts=tuple(texts.to(device) for texts in self.texts),
            number_lists=tuple(ragged.to(device) for ragged in self.number_lists),
        )

    def head(self, rows: int) -> TensorTable:
        """Return the first rows; nothing is copied."""
        return self.part(slice(0, rows))

    def part(self, rows: slice) -> TensorTable:
        """Return the rows of a slice without a step; nothing is copied."""
        start, stop, _ = rows.indices(len(self))
        rows, bounds = slice(start, stop), slice(start, max(start, stop) + 1)
        return replace(
            self,
            ids=self.ids[rows],
            lists=tuple(replace(ragged, offsets=ragged.offsets[bounds]) for ragged in self.lists),
            floats=self.floats[rows],
            labels=self.labels[rows],
            weights=None if self.weights is None else self.weights[rows],
            targets=None if self.targets is None else self.targets[rows],
            texts=tuple(replace(texts, codes=texts.codes[rows]) for texts in self.texts),
            groups=None if self.groups is None else self.groups[rows],
            number_lists=tuple(replace(ragged, offsets=ragged.offsets[bounds]) for ragged in self.number_lists),
        )

    def prepared(self, prepare: Callable[[TensorTable], TensorTable]) -> TensorTable:
        """Return the table after ``prepare``."""
        return prepare(self)

    def pieces(self) -> Iterator[TensorTable]:
        """Yield the table itself, as its only piece."""
        yield self

    def digest(self) -> str:
        """Return a hash of the table's contents: inputs, labels, weights and groups."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        # checkpoint and provenance ask for it, and a large table takes a while
        digest = hashlib.blake2b(digest_size=32)
        ragged = [*self.lists, *(texts.tokens for texts in self.texts), *self.number_lists]
        lists = [part for ids in ragged for part in (ids.values, ids.offsets)] + [texts.codes for texts in self.texts]
        for matrix in (self.ids, self.floats, self.labels, self.weights, self.groups, *lists):
            digest.update(b"" if matrix is None else matrix.cpu().contiguous().numpy().data)
        return digest.hexdigest()

    def inputs(self, index: Tensor) -> Inputs:
        """Return the inputs of the chosen rows, without checking ids: callers check the whole table first."""
        return self._inputs(index, self.ids.index_select(0, index), self.floats.index_select(0, index))

    def batch(self, index: Tensor) -> Batch:
        """Return the chosen rows with their targets."""
        return next(self._cut([index]))

    def batches(
        self,
        batch_size: int,
        seed: int | None = None,
        *,
        whole_groups: bool = False,
        processes: Processes = Alone(),  # noqa: B008
        first: int = 0,
    ) -> Iterator[Batch]:
        """Yield this process's share of every batch, with targets; the last batch may be short.

        Args:
            batch_size: rows per batch, over all processes.
            seed: seed of the shuffling; None: the table's own order.
            whole_groups: shuffle groups instead of rows; a group's rows stay together as far as batches allow.
            processes: the processes that share the rows.
            first: number of the first batch to yield.
        """
        order = self.order(seed, whole_groups=whole_groups)
        yield from self.batches_in(order[first * batch_size :], batch_size, processes, whole_groups=whole_groups)

    def batches_in(
        self, order: Tensor, batch_size: int, processes: Processes, *, whole_groups: bool = False
    ) -> Iterator[Batch]:
        """Yield this process's share of every batch of the rows whose indices are ``order``, ``[row]``.

        With ``whole_groups`` no group is cut between processes.
        """
        # the rows of several batches are fetched at once: fewer and larger copies
        for index in torch.split(order.to(self.device), batch_size * BATCHES_AT_ONCE):
            if len(index):
                batches = torch.split(index, batch_size)
                yield from self._cut([self._share(rows, processes, whole_groups) for rows in batches])

    def _share(self, rows: Tensor, processes: Processes, whole_groups: bool) -> Tensor:
        """Return this process's share of a batch of row indices."""
        share = share_of(processes, len(rows))
        if not whole_groups or self.groups is None or processes.size == 1:
            return rows[share]
        groups = self.groups[rows.cpu()]
        begins = torch.ones(len(rows) + 1, dtype=torch.bool)
        begins[1:-1] = (groups[1:] != groups[:-1]) | (groups[1:] < 0)
        places = begins.nonzero()[:, 0]
        start, stop = places[torch.searchsorted(places, torch.tensor([share.start, share.stop]))].tolist()
        return rows[start:stop]

    def order(self, seed: int | None, *, whole_groups: bool = False) -> Tensor:
        """Return the indices ``[row]`` of the rows in the order of an epoch; see :meth:`batches`."""
        generator = None if seed is None else torch.Generator().manual_seed(seed)
        order = torch.arange(len(self)) if generator is None else torch.randperm(len(self), generator=generator)
        if whole_groups and self.groups is not None and len(self):
            order = _together(self.groups, order)
        return order

    def _cut(self, parts: list[Tensor]) -> Iterator[Batch]:
        """Yield one batch per part, a tensor of row indices."""
        if self.targets is None:
            raise ValueError("the table has no targets: give it those of the tasks first")
        index, sizes = torch.cat(parts), [len(rows) for rows in parts]
        ids, floats, targets = (
            torch.split(matrix.index_select(0, index), sizes) for matrix in (self.ids, self.floats, self.targets)
        )
        weights = None if self.weights is None else torch.split(self.weights.index_select(0, index), sizes)
        for i, rows in enumerate(parts):
            groups = None if self.groups is None else self.groups[rows.cpu()].to(rows.device)
            inputs = self._inputs(rows, ids[i], floats[i])
            yield Batch(inputs, targets[i], None if weights is None else weights[i], groups)

    def _inputs(self, index: Tensor, ids: Tensor, floats: Tensor) -> Inputs:
        """Return the inputs of the chosen rows from their ids and floats."""
        lists, numbers = (tuple(ragged.padded(index) for ragged in some) for some in (self.lists, self.number_lists))
        texts = tuple(texts.batch(index) for texts in self.texts)
        return Inputs(ids, lists, floats, texts, checked=True, number_lists=numbers)


def _together(groups: Tensor, order: Tensor) -> Tensor:
    """Return the rows ordered so that each group is contiguous, at the place of its first row; both ``[row]``."""
    # numbered without gaps, whatever numbers they have; rows without a group get 0
    _, numbered = torch.unique(groups.clamp(min=-1), return_inverse=True)
    numbered = torch.where(groups < 0, 0, numbered + 1)
    groups, place = numbered[order], torch.arange(len(order))
    # rows without a group stay at their places
    first = torch.full((int(groups.max()) + 1,), len(order)).scatter_reduce(0, groups, place, "amin")
    return order[torch.where(groups > 0, first[groups], place).argsort(stable=True)]
