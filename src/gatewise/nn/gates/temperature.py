"""The temperature of gates, and its annealing."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.errors import ShapeError


class Temperature(nn.Module):
    r"""Divides logits by a temperature that may be annealed in training.

    .. math:: \tau_t = \tau_0 \left(\frac{\tau_1}{\tau_0}\right)^{\min(t / n, 1)}

    where t counts forward passes in training. The count is part of the state, so that a resumed training continues at
    the same temperature; evaluation uses the temperature of the last pass.

    Args:
        start: :math:`\tau_0`.
        end: :math:`\tau_1`; None: the temperature stays.
        steps: n, the length of the annealing in passes.

    Shape:
        - input and output: any
    """

    count: Tensor

    def __init__(self, start: float = 1.0, end: float | None = None, steps: int = 0) -> None:
        super().__init__()
        for name, value in (("temperature", start), ("final_temperature", start if end is None else end)):
            if not 0 < value < float("inf"):
                raise ShapeError(f"{name}: expected a positive number, found {value}")
        if (end is None) != (steps == 0) or steps < 0:
            raise ShapeError(f"anneal_steps: goes with final_temperature, found {steps} and {end}")
        self.start, self.end, self.steps = start, end, steps
        if end is not None:
            self.register_buffer("count", torch.zeros(()))

    def current(self) -> Tensor | float:
        """Return the temperature of the next pass."""
        if self.end is None:
            return self.start
        done = (self.count / self.steps).clamp(max=1)
        return self.start * torch.pow(torch.full_like(done, self.end / self.start), done)

    @override
    def forward(self, logits: Tensor) -> Tensor:
        if self.end is None:
            return logits if self.start == 1 else logits / self.start
        cooled = logits / self.current()
        if self.training:
            self.count += 1
        return cooled
