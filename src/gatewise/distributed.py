"""Several processes that train one model together, started by torchrun or another launcher.

A launcher says in the environment who a process is: ``RANK``, ``WORLD_SIZE``, ``MASTER_ADDR`` and ``MASTER_PORT``.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from typing import NoReturn

import torch
import torch.distributed as dist
from torch import Tensor

from gatewise.errors import LostProcessError
from gatewise.processes import Alone, Processes


class Group:
    """The processes of ``torch.distributed``, which this process has joined.

    Dense tensors are summed by all-reduce. Of sparse ones only the rows that a process touched are sent, so that a step
    of a large embedding table costs what it reads, not what the table holds.
    """

    def __init__(self) -> None:
        self.rank, self.size = dist.get_rank(), dist.get_world_size()

    def sum(self, tensor: Tensor) -> Tensor:
        """Return the sum over all processes; the same bits in each of them."""
        if tensor.is_sparse:
            return self._sum_rows(tensor.coalesce())
        total = tensor.detach().clone().contiguous()
        with _reachable():
            dist.all_reduce(total)
        return total

    def _sum_rows(self, tensor: Tensor) -> Tensor:
        """Return the sum of sparse tensors of rows, by giving all rows to all processes."""
        rows, values = tensor.indices()[0], tensor.values()
        counts = self._gathered(torch.tensor([len(rows)], device=values.device))
        longest = int(torch.cat(counts).max())
        rows, values = _lengthened(rows, longest), _lengthened(values, longest)
        parts = zip(counts, self._gathered(rows), self._gathered(values), strict=True)
        kept = [(each[: int(count)], some[: int(count)]) for count, each, some in parts]
        indices = torch.cat([each for each, _ in kept]).unsqueeze(0)
        summed = torch.cat([some for _, some in kept])
        # in the order of the ranks, so that every process adds in the same order
        return torch.sparse_coo_tensor(indices, summed, tensor.shape, check_invariants=False).coalesce()

    def exchange(self, parts: Sequence[Tensor], lengths: Sequence[int] | None = None) -> list[Tensor]:
        """Send ``parts[r]`` to every rank r, and return what every rank sent to this one, by rank."""
        sent, given = torch.cat(list(parts)).contiguous(), [len(part) for part in parts]
        with _reachable():
            if lengths is None:
                counts = torch.tensor(given, device=sent.device)
                found = torch.empty_like(counts)
                dist.all_to_all_single(found, counts)
                lengths = found.tolist()
            received = sent.new_empty(sum(lengths), *sent.shape[1:])
            dist.all_to_all_single(received, sent, list(lengths), given)
        return list(torch.split(received, list(lengths)))

    def _gathered(self, tensor: Tensor) -> list[Tensor]:
        found = [torch.empty_like(tensor) for _ in range(self.size)]
        with _reachable():
            dist.all_gather(found, tensor)
        return found


@contextlib.contextmanager
def _reachable() -> Iterator[None]:
    """Say in words that another process has gone."""
    try:
        yield
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise LostProcessError(f"another process of this training has ended, or cannot be reached: {reason}") from error


def _lengthened(values: Tensor, length: int) -> Tensor:
    padded = values.new_zeros(length, *values.shape[1:])
    padded[: len(values)] = values
    return padded


def launched() -> int:
    """Return how many processes a launcher has started together; 1: none has."""
    try:
        return int(os.environ.get("WORLD_SIZE", "1")) if "RANK" in os.environ else 1
    except ValueError:
        return 1


def rank() -> int:
    """Return the rank that a launcher gave this process; 0 without a launcher."""
    return int(os.environ["RANK"]) if launched() > 1 else 0


def processes(device: torch.device | None = None) -> Processes:
    """Return the processes of the launcher, which this process joins, or :class:`Alone` without a launcher.

    Args:
        device: of the training; tensors on GPUs go over NCCL, others over Gloo.
    """
    if launched() == 1:
        return Alone()
    if not dist.is_initialized():
        on_gpu = device is not None and device.type == "cuda"
        if on_gpu:
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        # counts, answers and tables in the host's memory are tensors of the CPU also where the model is on a GPU
        dist.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo")
        atexit.register(_leave)
    return Group()


def _leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def end_process(status: int) -> NoReturn:
    """End a process of a launcher with this exit status, after everything that is to be done at its exit.

    Threads of the communication may abort an interpreter that is taken apart while they end, in about one of several
    hundred processes; so it is not taken apart.
    """
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
