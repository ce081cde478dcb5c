"""The processes that train one model together.

Whatever a training sums over the rows of a step or a table it sums over all processes, through one object. A training
of one process has :class:`Alone`, whose sums are what it holds already.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn


class Processes(Protocol):
    """One of several processes that make every step together, each from its share of the rows."""

    @property
    def rank(self) -> int:
        """Which one this is, counted from 0. Rank 0 writes the files and tells how training goes."""

    @property
    def size(self) -> int:
        """How many there are."""

    def sum(self, tensor: Tensor) -> Tensor:
        """Return the sum of a tensor, dense or sparse, over all processes; the same bits in each of them.

        All processes call it in the same order, with tensors of the same shape. A sparse sum is coalesced.
        """


class Alone:
    """The only process of its training."""

    rank = 0
    size = 1

    def sum(self, tensor: Tensor) -> Tensor:
        """Return the tensor itself."""
        return tensor


def share_of(processes: Processes, rows: int) -> slice:
    """Return which of some rows, such as those of a batch, are this process's; shares differ by one row at most."""
    rank, size = processes.rank, processes.size
    return slice(rank * rows // size, (rank + 1) * rows // size)


def total(processes: Processes, number: int) -> int:
    """Return the sum of a number over all processes."""
    return number if processes.size == 1 else int(processes.sum(torch.tensor(number)))


def of_rank_zero(processes: Processes, answer: bool) -> bool:
    """Return what rank 0 has answered."""
    return total(processes, int(answer and processes.rank == 0)) > 0


@torch.no_grad()
def sum_gradients(processes: Processes, parameters: Sequence[nn.Parameter]) -> None:
    """Give every parameter the sum of its gradients over all processes; one without any anywhere keeps none."""
    if processes.size == 1:
        return
    present = processes.sum(torch.tensor([p.grad is not None for p in parameters]).long())
    for parameter, anywhere in zip(parameters, present.tolist(), strict=True):
        if anywhere:
            own = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            parameter.grad = processes.sum(own)
