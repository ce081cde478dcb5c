"""The paper's regressions, for many seeds at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from gatewise.datasets.related_tasks import FREQUENCIES, NOISE, PHASES, draw_tasks

ROWS_FOR_SCALE = 20_000


class Problems:
    """One pair of tasks a seed; labels are standardised.

    Args:
        cosine: of the weights of a pair.
        seeds: one pair each.
        dim: width of x.

    Shape:
        - rows of all pairs ``[seed, row, dim]``, labels ``[seed, row, 2]``
    """

    def __init__(self, cosine: float, seeds: Sequence[int], dim: int = 100) -> None:
        self.dim = dim
        drawn = np.stack([draw_tasks(cosine, dim, seed).directions for seed in seeds])
        self.directions = torch.from_numpy(drawn).float()  # [seed, 2, dim]
        self.frequencies, self.phases = torch.from_numpy(FREQUENCIES).float(), torch.from_numpy(PHASES).float()
        self.mean, self.std = torch.zeros(1), torch.ones(1)
        _, labels = self.draw(ROWS_FOR_SCALE, torch.Generator().manual_seed(0))
        self.mean, self.std = labels.mean(dim=1, keepdim=True), labels.std(dim=1, keepdim=True)

    def labels(self, x: Tensor) -> Tensor:
        """Return the labels of rows in their own unit, without noise."""
        along = x @ self.directions.transpose(1, 2)
        return along + (along.unsqueeze(3) * self.frequencies + self.phases).sin().sum(dim=3)

    def draw(self, rows: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw so many rows a pair, with standardised labels."""
        pairs = len(self.directions)
        x = torch.randn(pairs, rows, self.dim, generator=generator)
        noise = NOISE * torch.randn(pairs, rows, 2, generator=generator)
        return x, (self.labels(x) + noise - self.mean) / self.std
