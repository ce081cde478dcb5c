"""Where random numbers come from: in a training from a stream of its own, elsewhere from torch's global one.

Trainings in several threads of a process then draw what each would draw alone. Code that knows the global stream only,
such as dropout of a module that somebody brings, is lent the training's own for as long as it runs.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

State = tuple[Tensor, ...]
"""Where a stream is: on the CPU, and on the device where there is another."""


class Draws:
    """A stream of random numbers of one's own.

    Args:
        device: where numbers are drawn beside the CPU.
    """

    def __init__(self, device: torch.device | None = None) -> None:
        self._generators = [torch.Generator()]
        if device is not None and device.type != "cpu":
            self._generators.append(torch.Generator(device))

    def seed(self, seed: int) -> None:
        """Begin where ``torch.manual_seed`` would."""
        for generator in self._generators:
            generator.manual_seed(seed)

    def state(self) -> State:
        """Return where the stream is."""
        return tuple(generator.get_state() for generator in self._generators)

    def restore(self, state: State) -> None:
        """Go on from where the stream was."""
        for generator, kept in zip(self._generators, state, strict=True):
            generator.set_state(kept)

    def of(self, device: torch.device) -> torch.Generator:
        """Return what draws on a device."""
        return self._generators[0 if device.type == "cpu" else -1]

    @contextmanager
    def as_global(self) -> Iterator[None]:
        """Let torch's global stream be this one; one thread at a time."""
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
    """Return torch's own generator of a device."""
    if generator.device.type == "cuda":
        return torch.cuda.default_generators[generator.device.index or 0]
    return torch.default_generator


@contextmanager
def drawing(draws: Draws) -> Iterator[None]:
    """Draw from a stream within a block, in this thread alone."""
    token = _CURRENT.set(draws)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def generator(device: torch.device) -> torch.Generator | None:
    """Return what draws now on a device, for the argument of that name; None: torch's global stream."""
    if torch.compiler.is_compiling():
        return None
    current = _CURRENT.get()
    return None if current is None else current.of(device)


@contextmanager
def lent() -> Iterator[None]:
    """Run code that draws from torch's global stream alone: it draws from the current one."""
    current = None if torch.compiler.is_compiling() else _CURRENT.get()
    if current is None:
        yield
        return
    with current.as_global():
        yield
