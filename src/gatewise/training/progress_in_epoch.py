"""How far an epoch has come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor


@dataclass
class Progress:
    """The steps of an epoch so far.

    Attributes:
        rows: rows of these steps, over all processes.
        results: one ``[3, task]`` per step: summed losses, their numbers of rows, weights.
        seconds: time that they took, also before a restart.
    """

    rows: int = 0
    results: list[Tensor] = field(default_factory=list)
    seconds: float = 0.0

    def state(self) -> dict[str, Any]:
        """Return the state for a checkpoint."""
        results = torch.stack([result.cpu() for result in self.results])
        return {"rows": self.rows, "results": results, "seconds": self.seconds}

    @classmethod
    def of(cls, state: dict[str, Any]) -> Progress:
        """Return the progress of a saved :meth:`state`."""
        return cls(state["rows"], list(state["results"]), state["seconds"])
