"""Registration of users' own kinds of tasks."""

from __future__ import annotations

import inspect
from typing import Any

from gatewise.errors import DeclarationError, did_you_mean, shown
from gatewise.tasks.task import Task

_REGISTERED: dict[str, type[Task]] = {}


def register(by: str, kind: type[Task]) -> None:
    """Register a kind of task for ``gw.Custom(..., by=...)``; an earlier kind of this name is replaced.

    An artefact holds only the name and the options: register the kind before loading the artefact.

    Args:
        by: the name of the kind in declarations.
        kind: a subclass of :class:`Task`. Its constructor gets ``name`` and ``weight``, then by keyword ``within``,
            ``mean`` and ``std`` of the training labels, and the declared options.

    Raises:
        DeclarationError: ``kind`` is not a subclass of :class:`Task`, or lacks a method.

    Example:
        >>> import gatewise.tasks
        >>> gatewise.tasks.register("number", gatewise.tasks.RegressionTask)
    """
    if not (isinstance(kind, type) and issubclass(kind, Task)):
        raise DeclarationError(f"register {by!r}: expected a subclass of gatewise.tasks.Task, found {kind!r}")
    if kind.__abstractmethods__:
        raise DeclarationError(f"register {by!r}: {kind.__name__} has no {shown(sorted(kind.__abstractmethods__))}")
    _REGISTERED[by] = kind


def make_registered(by: str, name: str, **options: Any) -> Task:
    """Return a task of a registered kind.

    Raises:
        DeclarationError: unknown kind, or unknown options; names the task.
    """
    if by not in _REGISTERED:
        raise DeclarationError(
            f"task {name!r}: no kind {by!r} is registered (registered: {shown(_REGISTERED)})"
            f"{did_you_mean(by, _REGISTERED) or f'; call gatewise.tasks.register({by!r}, ...) with its class first'}"
        )
    kind = _REGISTERED[by]
    try:
        inspect.signature(kind).bind(name, **options)
    except TypeError as error:
        raise DeclarationError(f"task {name!r}: {kind.__name__}: {error}") from None
    task = kind(name, **options)
    for attribute in ("metrics", "summary"):
        if not hasattr(task, attribute):
            raise DeclarationError(f"task {name!r}: {kind.__name__} has no {attribute}")
    return task
