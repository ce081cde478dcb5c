"""Rows of today with earlier rows in every batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count

import torch
from torch import Tensor

from gatewise.errors import DeclarationError
from gatewise.layout import NO_NUMBER, PADDING
from gatewise.nn import Batch, Inputs, TensorTable
from gatewise.nn.texts import TextBatch
from gatewise.processes import Alone, Processes
from gatewise.training.rows import TrainingRows

PASS = 15_485_863
"""What the seeds of two passes over the earlier rows differ by."""


@dataclass(frozen=True)
class MixedRows:
    """Rows to train on, with a fixed number of earlier rows in every batch.

    An epoch is one pass over today's rows. The earlier rows are gone through in a random order of their own; where they
    are used up within an epoch, they are gone through again, in another order.

    Attributes:
        today: rows of today.
        earlier: rows of earlier days.
        batch_size: rows of a batch, of both kinds together.
        share: share of the earlier rows in a batch.

    Raises:
        DeclarationError: a batch has no room for both kinds of rows, or one of them has no rows.
    """

    today: TrainingRows
    earlier: TrainingRows
    batch_size: int
    share: float

    def __post_init__(self) -> None:
        if self.batch_size < 2:
            raise DeclarationError(f"replay: a batch needs room for two rows, found batch_size {self.batch_size}")
        if not self.earlier.rows:
            raise DeclarationError("replay: expected rows, found an empty table, or one of unknown length")

    @property
    def earlier_per_batch(self) -> int:
        """Number of earlier rows in a whole batch."""
        assert self.earlier.rows is not None
        return min(max(round(self.share * self.batch_size), 1), self.batch_size - 1, self.earlier.rows)

    @property
    def rows(self) -> int | None:
        """Number of rows of an epoch, of both kinds."""
        own = self.today.rows
        if own is None:
            return None
        return own + math.ceil(own / (self.batch_size - self.earlier_per_batch)) * self.earlier_per_batch

    @property
    def passes(self) -> float:
        """How often an epoch goes through the earlier rows; 0: the number of today's rows is not known."""
        own, earlier = self.today.rows, self.earlier.rows
        return 0.0 if own is None or not earlier else ((self.rows or own) - own) / earlier

    def prepared(self, prepare: Callable[[TensorTable], TensorTable]) -> MixedRows:
        """Return the rows after ``prepare``."""
        return replace(self, today=self.today.prepared(prepare), earlier=self.earlier.prepared(prepare))

    def pieces(self) -> Iterator[TensorTable]:
        """Yield today's rows, in pieces that fit into memory."""
        return self.today.pieces()

    def digest(self) -> str:
        """Return a hash of both kinds of rows, and of their share."""
        return f"{self.today.digest()} {self.share} {self.earlier.digest()}"

    def batches(
        self,
        batch_size: int,
        seed: int | None = None,
        *,
        whole_groups: bool = False,
        processes: Processes = Alone(),  # noqa: B008
        first: int = 0,
    ) -> Iterator[Batch]:
        """Yield this process's share of every batch: of today's rows in it, and of the earlier ones.

        Raises:
            ValueError: another batch size than that of the rows.
        """
        if batch_size != self.batch_size:
            raise ValueError(f"these rows are mixed for batches of {self.batch_size}, found {batch_size}")
        of_today = batch_size - self.earlier_per_batch
        own = self.today.batches(of_today, seed, whole_groups=whole_groups, processes=processes, first=first)
        for batch, before in zip(own, self._earlier(seed, whole_groups, processes, first), strict=False):
            yield joined(batch, before)

    def _earlier(self, seed: int | None, whole_groups: bool, processes: Processes, first: int) -> Iterator[Batch]:
        """Yield batches of earlier rows without end, pass after pass."""
        assert self.earlier.rows is not None
        size = self.earlier_per_batch
        # the rest of a pass that fills no batch is left out, so that every batch has equally many
        per_pass = self.earlier.rows // size
        for turn in count(first // per_pass):
            start = first % per_pass if turn == first // per_pass else 0
            own = 0 if seed is None else (seed + PASS * (turn + 1)) % (2**63 - 1)
            batches = self.earlier.batches(size, own, whole_groups=whole_groups, processes=processes, first=start)
            for _, batch in zip(range(start, per_pass), batches, strict=False):
                yield batch


def joined(one: Batch, other: Batch) -> Batch:
    """Return the rows of two batches as one; their groups stay apart."""
    weights = _weights(one, other)
    return Batch(
        _inputs(one.inputs, other.inputs), torch.cat([one.targets, other.targets]), weights, _groups(one, other)
    )


def _inputs(one: Inputs, other: Inputs) -> Inputs:
    pairs = zip(one.lists, other.lists, strict=True)
    numbers = zip(one.number_lists, other.number_lists, strict=True)
    return Inputs(
        torch.cat([one.ids, other.ids]),
        tuple(_padded_alike(*pair, padding=PADDING) for pair in pairs),
        torch.cat([one.floats, other.floats]),
        tuple(_texts(*pair) for pair in zip(one.texts, other.texts, strict=True)),
        checked=one.checked and other.checked,
        number_lists=tuple(_padded_alike(*pair, padding=NO_NUMBER) for pair in numbers),
    )


def _padded_alike(one: Tensor, other: Tensor, padding: float) -> Tensor:
    """Return two padded matrices ``[row, length]`` below each other."""
    width = max(one.shape[1], other.shape[1])
    wide = [torch.nn.functional.pad(part, (0, width - part.shape[1]), value=padding) for part in (one, other)]
    return torch.cat(wide)


def _texts(one: TextBatch | Tensor, other: TextBatch | Tensor) -> TextBatch | Tensor:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return torch.cat([one, other])
    assert not isinstance(one, Tensor)
    assert not isinstance(other, Tensor)
    tokens = _padded_alike(one.tokens, other.tokens, padding=PADDING)
    return TextBatch(tokens, torch.cat([one.codes, other.codes + len(one.tokens)]))


def _weights(one: Batch, other: Batch) -> Tensor | None:
    """Return the weights ``[row, task]`` of both; where one batch has none, its weights are 1."""
    if one.weights is None and other.weights is None:
        return None
    known = one.weights if one.weights is not None else other.weights
    assert known is not None
    parts = [
        known.new_ones(len(each.targets), known.shape[1]) if each.weights is None else each.weights
        for each in (one, other)
    ]
    return torch.cat(parts)


def _groups(one: Batch, other: Batch) -> Tensor | None:
    """Return the groups ``[row]`` of both; a number in one batch is another group than that number in the other."""
    if one.groups is None or other.groups is None:
        return None
    behind = int(one.groups.max()) + 1 if len(one.groups) else 0
    return torch.cat([one.groups, torch.where(other.groups < 0, other.groups, other.groups + max(behind, 0))])
