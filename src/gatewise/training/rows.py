"""What a training needs of its rows, wherever they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from gatewise.nn import Batch, TensorTable
from gatewise.processes import Processes


class TrainingRows(Protocol):
    """Encoded rows with labels, to be learnt from or judged by.

    :class:`gatewise.nn.TensorTable`, which holds all rows in memory, is one. A source of more rows than memory holds is
    another one: it gives batches and pieces of some rows at a time.
    """

    @property
    def rows(self) -> int | None:
        """How many rows there are, or None where nobody has counted them."""

    def prepared(self, prepare: Callable[[TensorTable], TensorTable]) -> TrainingRows:
        """Return the rows after ``prepare``, which is called once for every piece that they are held in."""

    def batches(
        self, batch_size: int, seed: int | None = None, *, whole_groups: bool = False, processes: Processes = ...
    ) -> Iterator[Batch]:
        """Yield this process's share of every batch of all rows; the last batch may be short.

        The order of the rows, and so the rows of every batch, follow from ``seed`` alone. There are equally many
        batches for every process.

        Args:
            batch_size: rows of a batch, over all processes.
            seed: shuffles; None: the rows come in their own order.
            whole_groups: shuffle groups and keep the rows of each together, as far as batches allow.
            processes: that share the rows.
        """

    def pieces(self) -> Iterator[TensorTable]:
        """Yield all rows in their own order, as many at a time as are held in memory."""

    def digest(self) -> str:
        """Return what tells these rows from others: a checkpoint keeps it."""
