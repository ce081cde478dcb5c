"""Statistics of gates while a table is scored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from gatewise.nn import MultiTaskModel, Output, Usage, levels_of
from gatewise.processes import Processes

GateRecord = dict[str, dict[str, Any]]
"""By task name, the gate statistics of :class:`EpochRecord`."""


@contextmanager
def watched_gates(
    model: MultiTaskModel, tasks: Sequence[str], processes: Processes
) -> Iterator[Callable[[], GateRecord]]:
    """Collect the statistics of a model's gates over all batches of all processes within the block.

    Yields a function that returns the record, which is empty for a model without gates.
    """
    levels = levels_of(model.trunk, tasks)
    usage = Usage(levels[-1].reach if levels else None)

    def take(_module: nn.Module, _inputs: tuple[Any, ...], output: Output) -> None:
        if output.gates is not None:
            usage.add(output.gates)

    handle = model.register_forward_hook(take)
    try:
        yield lambda: _record(usage, tasks, processes)
    finally:
        handle.remove()


def _record(usage: Usage, tasks: Sequence[str], processes: Processes) -> GateRecord:
    usage.sum_over(processes)
    if not usage.rows:
        return {}

    def rounded(values: Tensor) -> Any:
        return values.round(decimals=6).tolist()

    found = (usage.weights, usage.entropy, usage.relative_entropy, usage.utilisation)
    names = ("weights", "entropy", "relative_entropy", "utilisation")
    return {
        task: dict(zip(names, by_task, strict=True)) for task, *by_task in zip(tasks, *map(rounded, found), strict=True)
    }
