"""Forward passes without side effects, so that a batch can run again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from gatewise.draws import Draws, State


@contextmanager
def without_trace(model: nn.Module, draws: Draws, state: State | None = None) -> Iterator[None]:
    """Restore random numbers and buffers, such as running means, at the end of the block.

    Args:
        model: the model whose buffers are restored.
        draws: the random stream of the training.
        state: state of the random stream at the start of the block; None: the current state.
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
