"""Running a batch again as if it had not run before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

RandomState = tuple[Tensor, Tensor]
"""Of the CPU, and of the device that the model is on."""


def random_state(device: torch.device) -> RandomState:
    """Return where the random numbers are now."""
    return torch.get_rng_state(), torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.empty(0)


@contextmanager
def without_trace(model: nn.Module, device: torch.device, state: RandomState | None = None) -> Iterator[None]:
    """After it random state and buffers, such as running means, are what they were before.

    Args:
        model: whose buffers.
        device: where it is.
        state: where the random numbers within it start; None: where they are.
    """
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    on_cuda = device.type == "cuda"
    with torch.random.fork_rng([device] if on_cuda else []):
        if state is not None:
            torch.set_rng_state(state[0])
            if on_cuda:
                torch.cuda.set_rng_state(state[1], device)
        yield
    with torch.no_grad():
        for buffer, before in buffers:
            buffer.copy_(before)
