"""How far an epoch has come."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

CAPACITY = 1024


class Progress:
    """The steps of an epoch so far.

    What a step leaves behind is written into a buffer: tensors that stay, made between those that a step makes and
    frees, would cut the memory of the process into pieces that no step can use again.

    Attributes:
        steps: number of steps.
        rows: rows of these steps, over all processes.
        seconds: time that they took, also before a restart.
    """

    def __init__(self) -> None:
        self.steps = self.rows = 0
        self.seconds = 0.0
        self._results: Tensor | None = None

    def add(self, rows: int, result: Tensor) -> None:
        """Add a step: its rows, and ``[3, task]``: summed losses, their numbers of rows, weights."""
        if self._results is None:
            self._results = result.new_empty(CAPACITY, *result.shape)
        elif self.steps == len(self._results):
            self._results = torch.cat([self._results, torch.empty_like(self._results)])
        self._results[self.steps] = result
        self.steps += 1
        self.rows += rows

    @property
    def results(self) -> Tensor:
        """What every step added, ``[step, 3, task]``, on the CPU."""
        assert self._results is not None
        return self._results[: self.steps].cpu()

    def state(self) -> dict[str, Any]:
        """Return the state for a checkpoint."""
        return {"rows": self.rows, "results": self.results.clone(), "seconds": self.seconds}

    @classmethod
    def of(cls, state: dict[str, Any], device: torch.device) -> Progress:
        """Return the progress of a saved :meth:`state`."""
        found = cls()
        found.steps, found.rows, found.seconds = len(state["results"]), state["rows"], state["seconds"]
        found._results = state["results"].to(device)
        return found
