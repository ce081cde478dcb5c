"""The processes that train one model together.

Every sum over the rows of a step or a table goes over all processes, through one object. A training in one process
uses :class:`Alone`, whose sums are the process's own values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn


class Processes(Protocol):
    """One of several processes that make every step together, each with its share of the rows."""

    @property
    def rank(self) -> int:
        """Rank of this process, counted from 0. Rank 0 writes the files and reports progress."""

    @property
    def size(self) -> int:
        """Number of processes."""

    def sum(self, tensor: Tensor) -> Tensor:
        """Return the sum of a dense or sparse tensor over all processes, with the same bits in each process.

        All processes make these calls in the same order, with tensors of the same shape. A sparse sum is coalesced.
        """

    def exchange(self, parts: Sequence[Tensor], lengths: Sequence[int] | None = None) -> list[Tensor]:
        """Send ``parts[r]`` to every rank r, and return what every rank sent to this one, by rank.

        Args:
            parts: one per rank, ``[any, ...]``; all of one type, and alike but for their first dimension.
            lengths: how much every rank sends, if this process knows it; all processes do, or none.
        """


class Alone:
    """The only process of its training."""

    rank = 0
    size = 1

    def sum(self, tensor: Tensor) -> Tensor:
        """Return the tensor itself."""
        return tensor

    def exchange(self, parts: Sequence[Tensor], lengths: Sequence[int] | None = None) -> list[Tensor]:
        """Return the parts themselves."""
        del lengths
        return list(parts)


def share_of(processes: Processes, rows: int) -> slice:
    """Return this process's share of ``rows`` rows, such as a batch; shares differ by one row at most."""
    rank, size = processes.rank, processes.size
    return slice(rank * rows // size, (rank + 1) * rows // size)


def total(processes: Processes, number: int) -> int:
    """Return the sum of a number over all processes."""
    return number if processes.size == 1 else int(processes.sum(torch.tensor(number)))


def of_rank_zero(processes: Processes, answer: bool) -> bool:
    """Return the answer of rank 0, in all processes."""
    return total(processes, int(answer and processes.rank == 0)) > 0


@torch.no_grad()
def sum_gradients(processes: Processes, parameters: Sequence[nn.Parameter]) -> None:
    """Replace every parameter's gradient by its sum over all processes; None if no process has a gradient."""
    if processes.size == 1:
        return
    present = processes.sum(torch.tensor([p.grad is not None for p in parameters]).long())
    given = [parameter for parameter, anywhere in zip(parameters, present.tolist(), strict=True) if anywhere]
    dense = list[nn.Parameter]()
    for parameter in given:
        if parameter.grad is not None and parameter.grad.is_sparse:
            parameter.grad = processes.sum(parameter.grad)
        else:
            dense.append(parameter)
    for dtype in dict.fromkeys(parameter.dtype for parameter in dense):
        _sum_together(processes, [parameter for parameter in dense if parameter.dtype == dtype])


def _sum_together(processes: Processes, parameters: Sequence[nn.Parameter]) -> None:
    """Replace dense gradients of one type by their sums, which are one tensor on their way."""
    own = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    flat = processes.sum(torch.cat([gradient.flatten() for gradient in own]))
    parts = torch.split(flat, [parameter.numel() for parameter in parameters])
    for parameter, part in zip(parameters, parts, strict=True):
        parameter.grad = part.view_as(parameter)
