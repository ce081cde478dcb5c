"""Running a batch again as if it had not run before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from gatewise.draws import Draws, State


@contextmanager
def without_trace(model: nn.Module, draws: Draws, state: State | None = None) -> Iterator[None]:
    """After it random numbers and buffers, such as running means, are what they were before.

    Args:
        model: whose buffers.
        draws: the random numbers of the training.
        state: where the random numbers within it start; None: where they are.
    """
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    before = draws.state()
    if state is not None:
        draws.restore(state)
    try:
        yield
    finally:
        draws.restore(before)
    with torch.no_grad():
        for buffer, kept in buffers:
            buffer.copy_(kept)
