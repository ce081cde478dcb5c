"""Fitting the scores of a task directly, without a model around them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from gatewise.tasks import Task


def _fitted(task: Task, inputs: Tensor, labels: Tensor) -> Tensor:
    """Return the weights ``[input, score]`` of the linear scores that have the smallest mean loss."""
    targets = task.targets(labels)
    weights = torch.zeros(inputs.shape[1], task.num_scores, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=500, tolerance_grad=1e-9, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = task.losses((inputs @ weights).squeeze(1), targets).mean()
        value.backward()
        return value

    optimizer.step(loss)
    return weights.detach()


@pytest.fixture
def fitted() -> Callable[[Task, Tensor, Tensor], Tensor]:
    return _fitted


@pytest.fixture
def inputs() -> Tensor:
    """Return a constant and a number between -1 and 1, ``[50000, 2]``."""
    x = torch.rand(50_000, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 2 - 1
    return torch.cat([torch.ones_like(x), x], dim=1)
