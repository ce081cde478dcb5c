"""What is promoted while the service runs takes the place of what is served."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from gatewise.errors import GatewiseError
from gatewise.http.models import Models

LOOK_SECONDS = 1.0
"""Seconds between two looks at the pointers: each is a file of a few hundred bytes."""


@contextlib.asynccontextmanager
async def watching(models: Models, tell: Callable[[str], None]) -> AsyncIterator[None]:
    """Load what is promoted, while a block runs; what cannot be loaded leaves what is served as it is."""
    if not models.sources.watched:
        yield
        return
    task = asyncio.create_task(_watch(models, tell))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _watch(models: Models, tell: Callable[[str], None]) -> None:
    said: dict[str, str] = {}
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        for name in [each.name for each in models.sources.watched]:
            line = await _look(models, name, said.get(name, ""))
            # what stays wrong is said once
            if line and line != said.get(name):
                tell(line)
            said[name] = line


async def _look(models: Models, name: str, said: str) -> str:
    """Load a watched model if another version is promoted; return what to say of it, or that nothing is to be said."""
    try:
        source = await models.newly_promoted(name)
        if source is None or _failed(name, source.version) in said:
            return said
        (found,) = await models.load(name)
    except GatewiseError as error:
        return f"{name}: {error}; what was served is served on"
    if found.problem is not None:
        return f"{_failed(name, source.version)} {found.problem}; what was served is served on"
    return f"{name} version {found.source.version}: took the place of what was served"


def _failed(name: str, version: str) -> str:
    return f"{name} version {version}: not loaded:"
