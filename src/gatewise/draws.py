"""Random numbers: a training draws from a generator of its own, other code from torch's global generator.

So trainings in several threads of a process draw the same numbers as a training alone. Code that can only use the
global generator, such as dropout in a user's module, runs with the training's state in the global generator.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

State = tuple[Tensor, ...]
"""State of a stream: of the CPU generator, and of the device's generator if there is another device."""


class Draws:
    """A stream of random numbers that is independent of torch's global generator.

    Args:
        device: a device to draw on, in addition to the CPU.
    """

    def __init__(self, device: torch.device | None = None) -> None:
        self._generators = [torch.Generator()]
        if device is not None and device.type != "cpu":
            self._generators.append(torch.Generator(device))

    def seed(self, seed: int) -> None:
        """Seed the stream, as ``torch.manual_seed`` seeds the global generator."""
        for generator in self._generators:
            generator.manual_seed(seed)

    def state(self) -> State:
        """Return the state of the stream."""
        return tuple(generator.get_state() for generator in self._generators)

    def restore(self, state: State) -> None:
        """Restore a state of the stream."""
        for generator, kept in zip(self._generators, state, strict=True):
            generator.set_state(kept)

    def of(self, device: torch.device) -> torch.Generator:
        """Return the generator of a device."""
        return self._generators[0 if device.type == "cpu" else -1]

    @contextmanager
    def as_global(self) -> Iterator[None]:
        """Use this stream as torch's global generator within the block; one thread at a time."""
        with _GLOBAL:
            before = [_global(generator).get_state() for generator in self._generators]
            for generator in self._generators:
                _global(generator).set_state(generator.get_state())
            token = _CURRENT.set(None)
            try:
                yield
            finally:
                _CURRENT.reset(token)
                for generator, kept in zip(self._generators, before, strict=True):
                    generator.set_state(_global(generator).get_state())
                    _global(generator).set_state(kept)


_CURRENT: ContextVar[Draws | None] = ContextVar("draws", default=None)
_GLOBAL = threading.RLock()


def _global(generator: torch.Generator) -> torch.Generator:
    """Return torch's global generator of a device."""
    if generator.device.type == "cuda":
        return torch.cuda.default_generators[generator.device.index or 0]
    return torch.default_generator


@contextmanager
def drawing(draws: Draws) -> Iterator[None]:
    """Draw from the given stream within the block, in this thread only."""
    token = _CURRENT.set(draws)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def generator(device: torch.device) -> torch.Generator | None:
    """Return the current generator of a device, for torch's ``generator`` argument; None: torch's global one."""
    if torch.compiler.is_compiling():
        return None
    current = _CURRENT.get()
    return None if current is None else current.of(device)


@contextmanager
def lent() -> Iterator[None]:
    """Let code that can only use torch's global generator draw from the current stream within the block."""
    current = None if torch.compiler.is_compiling() else _CURRENT.get()
    if current is None:
        yield
        return
    with current.as_global():
        yield
