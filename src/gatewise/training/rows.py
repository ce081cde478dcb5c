"""The interface of rows to train on, wherever they are stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from gatewise.nn import Batch, TensorTable
from gatewise.processes import Processes


class TrainingRows(Protocol):
    """Encoded rows with labels, for training or validation.

    :class:`gatewise.nn.TensorTable` is the implementation for rows in memory, and
    :class:`gatewise.assembly.WindowedRows` that for rows on disk, of which it holds some at a time.
    """

    @property
    def rows(self) -> int | None:
        """Number of rows, or None if not known."""

    def prepared(self, prepare: Callable[[TensorTable], TensorTable]) -> TrainingRows:
        """Return the rows after ``prepare``, which is called once per piece."""

    def batches(
        self,
        batch_size: int,
        seed: int | None = None,
        *,
        whole_groups: bool = False,
        processes: Processes = ...,
        first: int = 0,
    ) -> Iterator[Batch]:
        """Yield this process's share of every batch of all rows; the last batch may be short.

        The order of the rows, and with it the rows of every batch, follow from ``seed`` alone. Every process gets the
        same number of batches.

        Args:
            batch_size: rows per batch, over all processes.
            seed: seed of the shuffling; None: the rows' own order.
            whole_groups: shuffle groups instead of rows; a group's rows stay together as far as batches allow.
            processes: the processes that share the rows.
            first: number of the first batch to yield: a place in an epoch is one number.
        """

    def pieces(self) -> Iterator[TensorTable]:
        """Yield all rows in their own order, in pieces that fit into memory."""

    def digest(self) -> str:
        """Return a hash of the rows, which a checkpoint keeps."""
